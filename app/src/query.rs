//! Query strings as forms write them, parsed the same way in the browser and on the server.
//!
//! The router's own map decodes twice, which mangles a percent sign in a search.

use std::collections::BTreeSet;

use domain::plan::Draft;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The pairs of a query string, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses the text, with or without its question mark.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a name. Empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// All non-empty values of a name, each once, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.0
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty() && seen.insert(value))
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The same query with one name set to one value. An empty value removes the name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The link to `path` with this query.
    pub fn link(&self, path: &str) -> String {
        let text = self.text();
        if text.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{text}")
        }
    }

    pub fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        pairs.join("&")
    }

    /// The draft that the wizard's address describes.
    pub fn draft(&self) -> Draft {
        Draft {
            application: self.get("app").to_owned(),
            senders: self.all("sender"),
            refused: self.all("refused"),
            group: self.get("group").to_owned(),
            prove: !self.get("prove").is_empty(),
            recipient: self.get("to").to_owned(),
        }
    }

    /// The wizard's address for a draft. The caller adds `step`.
    pub fn of_draft(draft: &Draft) -> Self {
        let mut pairs = vec![("app".to_owned(), draft.application.clone())];
        let many = |name: &str, values: &[String]| -> Vec<(String, String)> {
            values
                .iter()
                .map(|value| (name.to_owned(), value.clone()))
                .collect()
        };
        pairs.extend(many("sender", &draft.senders));
        pairs.extend(many("refused", &draft.refused));
        if !draft.group.is_empty() {
            pairs.push(("group".to_owned(), draft.group.clone()));
        }
        if draft.prove {
            pairs.push(("prove".to_owned(), "1".to_owned()));
        }
        if !draft.recipient.is_empty() {
            pairs.push(("to".to_owned(), draft.recipient.clone()));
        }
        Self(pairs)
    }
}

/// The query of the current address. It is empty after the page is gone: a late reader must not
/// make the next page panic.
#[derive(Clone, Copy)]
pub struct LiveQuery(Memo<Query>);

impl LiveQuery {
    pub fn with<T>(self, read: impl Fn(&Query) -> T) -> T {
        self.0
            .try_with(&read)
            .unwrap_or_else(|| read(&Query::default()))
    }

    pub fn get(self) -> Query {
        self.with(Query::clone)
    }

    pub fn get_untracked(self) -> Query {
        untrack(|| self.get())
    }
}

/// The query of the current address.
pub fn use_query() -> LiveQuery {
    let search = use_location().search;
    LiveQuery(Memo::new(move |_| search.with(|text| Query::parse(text))))
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

/// Decodes percent escapes, and `+` as a space. An invalid escape stays unchanged.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                if let (Some(high), Some(low)) = (hex(ahead.next()), hex(ahead.next())) {
                    bytes.push(high << 4 | low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: Option<u8>) -> Option<u8> {
    let digit = char::from(byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_forms_write() {
        let query = Query::parse("?a=1&b=x+y&a=2&c&d=%C3%A9%25&e=100%&f=%zz");
        assert_eq!(query.get("a"), "1");
        assert_eq!(query.all("a"), ["1", "2"]);
        assert_eq!(query.get("b"), "x y");
        assert!(query.has("c"));
        assert_eq!(query.get("d"), "é%");
        assert_eq!(query.get("e"), "100%");
        assert_eq!(query.get("f"), "%zz");
        assert_eq!(query.get("g"), "");
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["a b", "é&=?#", "100%", "+", "ceo@fabrikam.dk", "%41"] {
            let query = Query::default().with("q", text);
            assert_eq!(Query::parse(&query.text()).get("q"), text);
        }
    }

    #[test]
    fn a_draft_survives_the_address() {
        let draft = Draft {
            application: "6f1c".into(),
            senders: vec!["a+b@c.example".into(), "d@e.example".into()],
            refused: vec!["ceo@c.example".into()],
            group: "postern mailer".into(),
            prove: true,
            recipient: "me+tests@msp.example".into(),
        };
        let text = Query::of_draft(&draft).text();
        assert_eq!(Query::parse(&text).draft(), draft);
    }

    #[test]
    fn the_same_mailbox_twice_counts_once() {
        let draft = Query::parse("sender=a%40b.example&sender=a%40b.example&sender=").draft();
        assert_eq!(draft.senders, ["a@b.example"]);
    }
}
