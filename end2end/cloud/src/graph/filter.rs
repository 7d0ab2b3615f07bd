//! `$filter` of OData, as far as directory objects allow it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::clock::Time;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Eq(String, Value),
    Ne(String, Value),
    In(String, Vec<Value>),
    /// Not before that moment, or (`false`) not after it.
    Bound(String, bool, Time),
    StartsWith(String, String),
    EndsWith(String, String),
    /// `proxyAddresses/any(x:x eq 'v')`, or `startswith(x,'v')` inside.
    Any(String, bool, String),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// The properties it names.
    pub fn properties(&self) -> Vec<&str> {
        match self {
            Self::Eq(name, _)
            | Self::Ne(name, _)
            | Self::In(name, _)
            | Self::Bound(name, _, _)
            | Self::StartsWith(name, _)
            | Self::EndsWith(name, _)
            | Self::Any(name, _, _) => vec![name],
            Self::And(left, right) | Self::Or(left, right) => {
                let mut out = left.properties();
                out.extend(right.properties());
                out
            }
            Self::Not(inner) => inner.properties(),
        }
    }

    /// Whether it needs `ConsistencyLevel: eventual` and `$count=true`.
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::Ne(..) | Self::Not(_) | Self::EndsWith(..) => true,
            Self::And(left, right) | Self::Or(left, right) => {
                left.is_advanced() || right.is_advanced()
            }
            _ => false,
        }
    }

    pub fn matches(&self, row: &Value) -> bool {
        match self {
            Self::Eq(name, value) => same(lookup(row, name), value),
            Self::Ne(name, value) => !same(lookup(row, name), value),
            Self::In(name, values) => values.iter().any(|value| same(lookup(row, name), value)),
            Self::Bound(name, from, wanted) => {
                let found = lookup(row, name).as_str().and_then(moment);
                found.is_some_and(|found| {
                    if *from {
                        found >= *wanted
                    } else {
                        found <= *wanted
                    }
                })
            }
            Self::StartsWith(name, text) => lower(lookup(row, name)).starts_with(text),
            Self::EndsWith(name, text) => lower(lookup(row, name)).ends_with(text),
            Self::Any(name, prefix, text) => lookup(row, name)
                .as_array()
                .into_iter()
                .flatten()
                .map(lower)
                .any(|found| {
                    if *prefix {
                        found.starts_with(text)
                    } else {
                        found == *text
                    }
                }),
            Self::And(left, right) => left.matches(row) && right.matches(row),
            Self::Or(left, right) => left.matches(row) || right.matches(row),
            Self::Not(inner) => !inner.matches(row),
        }
    }
}

fn lookup<'a>(row: &'a Value, path: &str) -> &'a Value {
    path.split('/')
        .fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn lower(value: &Value) -> String {
    value.as_str().unwrap_or("").to_lowercase()
}

fn moment(text: &str) -> Option<Time> {
    let parsed = DateTime::parse_from_rfc3339(text).ok()?;
    Some(parsed.with_timezone(&Utc))
}

/// Strings compare without case, as the directory does.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(left), Value::String(right)) => left.to_lowercase() == right.to_lowercase(),
        (left, right) => left == right,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

fn tokenize(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        let single = match next {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            ':' => Some(Token::Colon),
            _ => None,
        };
        if let Some(token) = single {
            tokens.push(token);
            chars.next();
        } else if next.is_whitespace() {
            chars.next();
        } else if next == '\'' {
            chars.next();
            let mut value = String::new();
            loop {
                match chars.next() {
                    None => return Err("There is an unterminated string literal.".to_owned()),
                    Some('\'') if chars.peek() == Some(&'\'') => {
                        chars.next();
                        value.push('\'');
                    }
                    Some('\'') => break,
                    Some(other) => value.push(other),
                }
            }
            tokens.push(Token::Text(value));
        } else {
            let mut word = String::new();
            while let Some(&found) = chars.peek() {
                // A colon ends the variable of any(), and is part of a moment.
                let in_moment = found == ':' && word.starts_with(|c: char| c.is_ascii_digit());
                if found.is_whitespace() || ("(),:'".contains(found) && !in_moment) {
                    break;
                }
                word.push(found);
                chars.next();
            }
            tokens.push(Token::Word(word));
        }
    }
    Ok(tokens)
}

/// Why a filter is refused, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is no filter.
    Broken(String),
    /// It is one, of a form that the directory does not have.
    Unsupported(String),
}

/// Parses a filter.
pub fn parse(text: &str) -> Result<Filter, Refused> {
    let tokens = tokenize(text).map_err(Refused::Broken)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        unsupported: false,
    };
    match parser.or() {
        Err(why) if parser.unsupported => Err(Refused::Unsupported(why)),
        Err(why) => Err(Refused::Broken(why)),
        Ok(_) if parser.at < tokens.len() => Err(Refused::Broken(format!(
            "Syntax error in the filter '{text}'."
        ))),
        Ok(filter) => Ok(filter),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The error is not about the syntax.
    unsupported: bool,
}

impl Parser<'_> {
    fn unsupported<T>(&mut self, why: String) -> Result<T, String> {
        self.unsupported = true;
        Err(why)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word_is(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), String> {
        if self.take().as_ref() == Some(token) {
            Ok(())
        } else {
            Err("Syntax error in the filter.".to_owned())
        }
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.word_is("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.term()?;
        while self.word_is("and") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.word_is("not") {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let Some(Token::Word(name)) = self.take() else {
            return Err(
                "Syntax error in the filter: a property or function is missing.".to_owned(),
            );
        };
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            return self.function(&name);
        }
        let operator = match self.take() {
            Some(Token::Word(operator)) => operator,
            _ => return Err("Syntax error in the filter: an operator is missing.".to_owned()),
        };
        match operator.to_ascii_lowercase().as_str() {
            "ge" | "le" => match self.take() {
                Some(Token::Word(word)) if moment(&word).is_some() => Ok(Filter::Bound(
                    name,
                    operator.eq_ignore_ascii_case("ge"),
                    moment(&word).unwrap_or_default(),
                )),
                _ => self.unsupported(format!(
                    "The operator '{operator}' is supported here for moments only."
                )),
            },
            "eq" => Ok(Filter::Eq(name, self.value()?)),
            "ne" => Ok(Filter::Ne(name, self.value()?)),
            "in" => {
                self.expect(&Token::Open)?;
                let mut values = vec![self.value()?];
                while self.peek() == Some(&Token::Comma) {
                    self.at += 1;
                    values.push(self.value()?);
                }
                self.expect(&Token::Close)?;
                Ok(Filter::In(name, values))
            }
            other => self.unsupported(format!("The operator '{other}' is not supported here.")),
        }
    }

    fn function(&mut self, name: &str) -> Result<Filter, String> {
        if let Some(property) = name.strip_suffix("/any") {
            let Some(Token::Word(variable)) = self.take() else {
                return Err("Syntax error in any().".to_owned());
            };
            self.expect(&Token::Colon)?;
            let filter = match self.take() {
                Some(Token::Word(word)) if word == variable => {
                    self.expect(&Token::Word("eq".to_owned()))?;
                    (false, self.text()?)
                }
                Some(Token::Word(word)) if word == "startswith" || word == "startsWith" => {
                    self.expect(&Token::Open)?;
                    self.expect(&Token::Word(variable))?;
                    self.expect(&Token::Comma)?;
                    let text = self.text()?;
                    self.expect(&Token::Close)?;
                    (true, text)
                }
                _ => return self.unsupported("This form of any() is not supported.".to_owned()),
            };
            self.expect(&Token::Close)?;
            return Ok(Filter::Any(property.to_owned(), filter.0, filter.1));
        }
        let Some(Token::Word(property)) = self.take() else {
            return Err(format!("Syntax error in {name}()."));
        };
        self.expect(&Token::Comma)?;
        let text = self.text()?;
        self.expect(&Token::Close)?;
        match name.to_ascii_lowercase().as_str() {
            "startswith" => Ok(Filter::StartsWith(property, text)),
            "endswith" => Ok(Filter::EndsWith(property, text)),
            other => self.unsupported(format!("The function '{other}' is not supported here.")),
        }
    }

    /// A string, lower case.
    fn text(&mut self) -> Result<String, String> {
        match self.take() {
            Some(Token::Text(text)) => Ok(text.to_lowercase()),
            _ => Err("Syntax error in the filter: a string is missing.".to_owned()),
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.take() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                "null" => Ok(Value::Null),
                // Ids are accepted without quotes.
                other if moment(other).is_some() => Ok(Value::String(other.to_owned())),
                other if uuid::Uuid::parse_str(other).is_ok() => {
                    Ok(Value::String(other.to_lowercase()))
                }
                other => Err(format!("'{other}' is not a value.")),
            },
            _ => Err("Syntax error in the filter: a value is missing.".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn holds(filter: &str) -> bool {
        parse(filter).unwrap().matches(&json!({
            "displayName": "O'Neil", "accountEnabled": true,
            "proxyAddresses": ["SMTP:a@b.example"], "customer": {"tenantId": "x"},
        }))
    }

    #[test]
    fn filters_match() {
        assert!(holds("displayName eq 'o''neil'"));
        assert!(holds("startswith(displayName,'O')"));
        assert!(holds("accountEnabled eq true and not (displayName eq 'x')"));
        assert!(holds("displayName in ('a', 'O''Neil')"));
        assert!(holds("proxyAddresses/any(p:p eq 'smtp:a@b.example')"));
        assert!(holds("customer/tenantId eq 'x'"));
        assert!(!holds("mail eq 'x' or displayName ne 'O''Neil'"));
    }

    #[test]
    fn client_f6_documented_forms_match() {
        let row = json!({
            "createdDateTime": "2024-05-01T10:00:00Z", "groupTypes": [], "onPremisesSyncEnabled": null,
        });
        let holds = |filter: &str| parse(filter).unwrap().matches(&row);
        assert!(holds("createdDateTime ge 2024-05-01T10:00:00Z"));
        assert!(holds("createdDateTime le 2024-05-01T12:00:00+02:00"));
        assert!(!holds("createdDateTime ge 2024-05-01T10:00:01.5Z"));
        assert!(holds("NOT groupTypes/any(c:c eq 'Unified')"));
        assert!(holds(
            "not(groupTypes/any(c:c eq 'Unified')) AND onPremisesSyncEnabled eq null"
        ));
        assert!(
            parse("NOT groupTypes/any(c:c eq 'Unified')")
                .unwrap()
                .is_advanced()
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for filter in [
            "",
            "displayName",
            "contains(displayName,'a')",
            "displayName gt 'a'",
            "a eq 'b",
            "(a eq 'b'",
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
