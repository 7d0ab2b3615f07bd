//! The filter language of Exchange's cmdlets and scopes (OPATH), as far as recipients need it:
//! `-eq -ne -like -notlike -gt -lt -and -or -not` and parentheses.

use crate::clock::Time;
use crate::world::recipients::Recipient;
use crate::world::tenant::{Change, GroupKind, Tenant};

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    Compare {
        property: String,
        operator: Operator,
        value: String,
    },
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Like,
    NotLike,
}

/// The properties that filters may name.
const PROPERTIES: &[&str] = &[
    "Alias",
    "DisplayName",
    "DistinguishedName",
    "EmailAddresses",
    "ExternalDirectoryObjectId",
    "Guid",
    "HiddenFromAddressListsEnabled",
    "IsDirSynced",
    "IsShared",
    "MemberOfGroup",
    "Members",
    "Name",
    "Notes",
    "Description",
    "PrimarySmtpAddress",
    "RecipientType",
    "RecipientTypeDetails",
    "Title",
    "UserPrincipalName",
    "WindowsEmailAddress",
];

fn is_property(name: &str) -> bool {
    let custom = name.to_ascii_lowercase();
    PROPERTIES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
        || custom
            .strip_prefix("customattribute")
            .and_then(|number| number.parse::<u8>().ok())
            .is_some_and(|number| (1..=15).contains(&number))
}

impl Filter {
    /// Evaluates the filter; `values` gives all values of a property.
    pub fn matches(&self, values: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(left, right) => left.matches(values) && right.matches(values),
            Self::Or(left, right) => left.matches(values) || right.matches(values),
            Self::Not(inner) => !inner.matches(values),
            Self::Compare {
                property,
                operator,
                value,
            } => {
                let found = values(property);
                let equal = || {
                    if value.eq_ignore_ascii_case("$null") {
                        found.iter().all(String::is_empty)
                    } else {
                        found.iter().any(|one| same(one, value))
                    }
                };
                match operator {
                    Operator::Eq => equal(),
                    Operator::Ne => !equal(),
                    Operator::Like => found.iter().any(|one| like(one, value)),
                    Operator::NotLike => !found.iter().any(|one| like(one, value)),
                }
            }
        }
    }

    /// The filter as Exchange shows it: every comparison in parentheses.
    pub fn normalised(&self) -> String {
        match self {
            Self::And(left, right) => {
                format!("(({}) -and ({}))", left.normalised(), right.normalised())
            }
            Self::Or(left, right) => {
                format!("(({}) -or ({}))", left.normalised(), right.normalised())
            }
            Self::Not(inner) => format!("-not({})", inner.normalised()),
            Self::Compare {
                property,
                operator,
                value,
            } => {
                let operator = match operator {
                    Operator::Eq => "-eq",
                    Operator::Ne => "-ne",
                    Operator::Like => "-like",
                    Operator::NotLike => "-notlike",
                };
                let value = if value.starts_with('$') {
                    value.clone()
                } else {
                    format!("'{}'", value.replace('\'', "''"))
                };
                format!("{property} {operator} {value}")
            }
        }
    }
}

fn same(left: &str, right: &str) -> bool {
    let right = match right.to_ascii_lowercase().as_str() {
        "$true" => "True",
        "$false" => "False",
        _ => right,
    };
    left.to_lowercase() == right.to_lowercase()
}

/// Wildcards at the ends only, as Exchange allows.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('*')),
        (Some(rest), None) => text.ends_with(rest),
        (None, Some(rest)) => text.starts_with(rest),
        (None, None) => text == pattern,
    }
}

/// The values of a recipient's property.
pub fn recipient_property(
    tenant: &Tenant,
    recipient: &Recipient<'_>,
    property: &str,
    now: Time,
) -> Vec<String> {
    let property = property.to_ascii_lowercase();
    let one = |text: String| vec![text];
    let yes_no = |value: bool| vec![if value { "True" } else { "False" }.to_owned()];
    match property.as_str() {
        "alias" => one(recipient.alias().to_owned()),
        "displayname" => one(recipient.display_name().to_owned()),
        "distinguishedname" => one(tenant.distinguished_name(&recipient.name())),
        "emailaddresses" => recipient
            .email_addresses()
            .into_iter()
            .flat_map(|address| {
                let bare = address
                    .split_once(':')
                    .map(|(_, rest)| rest.to_owned())
                    .unwrap_or_default();
                [address, bare]
            })
            .collect(),
        "externaldirectoryobjectid" => one(recipient.id().to_string()),
        "guid" => one(recipient.guid().to_string()),
        "hiddenfromaddresslistsenabled" => yes_no(recipient.hidden()),
        "isdirsynced" => yes_no(tenant.exchange.is_dir_synced(recipient.id())),
        "isshared" => yes_no(recipient.details() == "SharedMailbox"),
        "name" => one(recipient.name()),
        "primarysmtpaddress" | "windowsemailaddress" => one(recipient.smtp().to_owned()),
        "recipienttype" => one(recipient.recipient_type().to_owned()),
        "recipienttypedetails" => one(recipient.details().to_owned()),
        "memberofgroup" => tenant
            .groups
            .values()
            .filter(|group| group.kind != GroupKind::Security && group.in_exchange <= now)
            .filter(|group| group.has_member(recipient.id()))
            .map(|group| tenant.distinguished_name(&group.name))
            .collect(),
        "members" => match recipient {
            Recipient::Group(group) => tenant
                .members_seen(group, now, |change: &Change| change.exchange)
                .filter_map(|id| tenant.recipient_by_id(id))
                .map(|member| tenant.distinguished_name(&member.name()))
                .collect(),
            Recipient::Person(..) => Vec::new(),
        },
        "description" | "notes" => match recipient {
            Recipient::Group(group) => one(group.description.clone()),
            Recipient::Person(..) => Vec::new(),
        },
        "title" => match recipient {
            Recipient::Person(user, _) => one(user.job_title.clone()),
            Recipient::Group(_) => Vec::new(),
        },
        "userprincipalname" => match recipient {
            Recipient::Person(user, _) => one(user.upn.clone()),
            Recipient::Group(_) => Vec::new(),
        },
        other => other
            .strip_prefix("customattribute")
            .and_then(|number| number.parse::<u8>().ok())
            .and_then(|number| recipient.custom_attribute(tenant, number))
            .into_iter()
            .collect(),
    }
}

/// Parses a filter; the error is a sentence about what is wrong.
pub fn parse(text: &str) -> Result<Filter, String> {
    let tokens = tokenize(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    let filter = parser.or()?;
    match parser.peek() {
        None => Ok(filter),
        Some(token) => Err(format!("Unexpected \"{token}\" in the filter.")),
    }
}

fn tokenize(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.trim().trim_matches(['{', '}']).chars().peekable();
    while let Some(&next) = chars.peek() {
        match next {
            ' ' | '\t' | '\n' | '\r' => {
                chars.next();
            }
            '(' | ')' => {
                tokens.push(next.to_string());
                chars.next();
            }
            '\'' | '"' => {
                let quote = next;
                chars.next();
                let mut value = String::from("'");
                loop {
                    match chars.next() {
                        None => return Err("The filter has an open quote.".to_owned()),
                        Some(found) if found == quote => {
                            if chars.peek() == Some(&quote) {
                                chars.next();
                                value.push(quote);
                            } else {
                                break;
                            }
                        }
                        Some(found) => value.push(found),
                    }
                }
                tokens.push(value);
            }
            _ => {
                let mut word = String::new();
                while let Some(&found) = chars.peek() {
                    if found.is_whitespace() || found == '(' || found == ')' {
                        break;
                    }
                    word.push(found);
                    chars.next();
                }
                tokens.push(word);
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [String],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn take(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self
            .peek()
            .is_some_and(|token| token.eq_ignore_ascii_case(word));
        if found {
            self.at += 1;
        }
        found
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.accept("-or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.term()?;
        while self.accept("-and") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.accept("-not") {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        if self.accept("(") {
            let inner = self.or()?;
            return if self.accept(")") {
                Ok(inner)
            } else {
                Err("The filter has an open parenthesis.".to_owned())
            };
        }
        let property = self
            .take()
            .ok_or("The filter is empty or ends too early.")?;
        if !is_property(&property) {
            return Err(format!(
                "\"{property}\" is not a recognized filterable property."
            ));
        }
        let operator = match self
            .take()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "-eq" => Operator::Eq,
            "-ne" => Operator::Ne,
            "-like" => Operator::Like,
            "-notlike" => Operator::NotLike,
            other => return Err(format!("\"{other}\" is not a valid operator.")),
        };
        let value = self.take().ok_or("The filter lacks a value.")?;
        let value = value
            .strip_prefix('\'')
            .map_or(value.clone(), str::to_owned);
        Ok(Filter::Compare {
            property,
            operator,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn holds(filter: &str) -> bool {
        parse(filter)
            .unwrap()
            .matches(&|property| match property.to_ascii_lowercase().as_str() {
                "displayname" => vec!["O'Neil Reception".to_owned()],
                "customattribute1" => vec!["012332".to_owned()],
                "isshared" => vec!["True".to_owned()],
                _ => Vec::new(),
            })
    }

    #[test]
    fn filters_match() {
        assert!(holds("DisplayName -eq 'O''Neil Reception'"));
        assert!(holds("DisplayName -like '*reception'"));
        assert!(holds(
            "(CustomAttribute1 -eq '012332') -and -not (Alias -eq 'x')"
        ));
        assert!(holds("IsShared -eq $true"));
        assert!(holds("Alias -eq $null"));
        assert!(!holds("Alias -eq 'a' -or Alias -eq 'b'"));
    }

    #[test]
    fn broken_filters_are_refused() {
        for filter in [
            "",
            "Bogus -eq 'a'",
            "Alias -eq",
            "Alias ~ 'a'",
            "(Alias -eq 'a'",
            "Alias -eq 'a",
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
