//! Rows of a cmdlet's output: objects whose properties have more than one form.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{call::shorten, names};

/// One object that a cmdlet returned, without the type annotations of its properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(Map<String, Value>);

impl Row {
    pub(crate) fn new(mut properties: Map<String, Value>) -> Self {
        properties.retain(|name, _| !is_note(name));
        Self(properties)
    }

    pub fn get(&self, property: &str) -> Option<&Value> {
        self.0.get(property)
    }

    /// A non-empty text. Exchange writes "" for a missing value (MICROSOFT.md §1.3).
    pub fn text(&self, property: &str) -> Option<&str> {
        self.0
            .get(property)?
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// A name to show. Nothing may be compared with it.
    pub(crate) fn name(&self, property: &str) -> Option<String> {
        self.text(property).and_then(names::shown)
    }

    /// A boolean, as a JSON value or as a word.
    pub fn flag(&self, property: &str) -> Option<bool> {
        match self.0.get(property)? {
            Value::Bool(on) => Some(*on),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A list of texts. A single text gives a list of one.
    pub fn list(&self, property: &str) -> Vec<String> {
        match self.0.get(property) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// A GUID that is not all zeros.
    pub fn id(&self, property: &str) -> Option<Uuid> {
        Uuid::try_parse(self.text(property)?)
            .ok()
            .filter(|id| !id.is_nil())
    }

    /// Whether one of these properties equals the text, ignoring case. In lists of addresses the
    /// `smtp:` prefix is ignored.
    pub(crate) fn is(&self, text: &str, properties: &[&str]) -> bool {
        let text = text.trim().to_lowercase();
        properties.iter().any(|property| {
            self.list(property).iter().any(|value| {
                let value = value.trim().to_lowercase();
                value == text || value.strip_prefix("smtp:") == Some(text.as_str())
            })
        })
    }
}

fn is_note(name: &str) -> bool {
    name.contains("@odata.") || name.contains("@data.")
}

/// Rows for evidence: as JSON, one per line, shortened.
pub(crate) fn shown(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "nothing came back".to_owned();
    }
    let lines: Vec<String> = rows
        .iter()
        .take(50)
        .map(|row| Value::Object(row.0.clone()).to_string())
        .collect();
    shorten(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Row {
        Row::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn security_f17_names_are_shown_without_what_nobody_sees() {
        let row = row(json!({ "DisplayName": " Post\u{200b}room\u{202e}", "Name": "\u{2060}" }));
        assert_eq!(row.name("DisplayName").as_deref(), Some("Postroom"));
        assert_eq!(row.name("Name"), None);
        assert_eq!(
            row.get("DisplayName").and_then(Value::as_str),
            Some(" Post\u{200b}room\u{202e}")
        );
    }

    #[test]
    fn notes_are_dropped_and_shapes_are_read() {
        let row = row(json!({
            "WhenCreated@data.type": "System.DateTime",
            "EmailAddresses@odata.type": "#Collection(String)",
            "EmailAddresses": ["SMTP:A@x.example", "SIP:a@x.example"],
            "Description": "one",
            "ExternalDirectoryObjectId": "",
            "Guid": "00000000-0000-0000-0000-000000000000",
            "Hidden": "True",
            "Enabled": false,
        }));
        assert!(row.get("WhenCreated@data.type").is_none());
        assert!(row.is("a@X.example", &["EmailAddresses"]));
        assert!(!row.is("sip:b@x.example", &["EmailAddresses"]));
        assert_eq!(row.list("Description"), ["one"]);
        assert_eq!(row.text("ExternalDirectoryObjectId"), None);
        assert_eq!(row.id("Guid"), None);
        assert_eq!(row.flag("Hidden"), Some(true));
        assert_eq!(row.flag("Enabled"), Some(false));
        assert_eq!(row.flag("Description"), None);
    }
}
