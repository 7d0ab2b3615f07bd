//! Prepares text and JSON for Postgres.
//!
//! Postgres stores no NUL character, and Exchange sends some (MICROSOFT.md §1.4). A NUL character
//! in a piece of evidence must not keep a setup from being saved.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Result};

const REPLACEMENT: &str = "\u{fffd}";

/// The text with NUL characters replaced.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', REPLACEMENT))
    } else {
        Cow::Borrowed(text)
    }
}

/// A display name without invisible characters. Names from older versions, and names that did not
/// come from Microsoft, are cleaned here too.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    match domain::name::clean(name) {
        Cow::Borrowed(name) => text(name),
        Cow::Owned(name) => Cow::Owned(text(&name).into_owned()),
    }
}

/// The value with NUL characters replaced in its texts and keys.
pub(crate) fn json(value: Value) -> Value {
    match value {
        Value::String(string) => Value::String(text(&string).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (text(&key).into_owned(), json(value)))
                .collect(),
        ),
        other => other,
    }
}

/// `value` as JSON that Postgres takes.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map(json)
        .map_err(|error| Error::corrupt(format!("cannot be written as JSON: {error}")))
}

/// Reads the stored JSON value of `column`. [`Error::Corrupt`] when it does not fit the type.
pub(crate) fn from_json<T: DeserializeOwned>(column: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::corrupt(format!("{column}: {error}")))
}

/// Reads a stored word of `column` with `parse`. [`Error::Corrupt`] when the word is unknown.
pub(crate) fn word<T>(column: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| Error::corrupt(format!("{column} holds {text:?}")))
}

/// A timestamp in the type that Postgres takes.
pub(crate) fn moment(at: Timestamp) -> DateTime<Utc> {
    at.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn security_f17_names_are_stored_as_they_are_seen() {
        assert_eq!(name("a\u{202e}\0b\u{200b}"), "a\u{fffd}b");
        assert_eq!(name(&"x".repeat(1000)).len(), domain::name::LONGEST);
        assert_eq!(name("Fabrikam A/S"), "Fabrikam A/S");
    }

    #[test]
    fn replaces_nul_everywhere() {
        assert_eq!(text("a\0b"), "a\u{fffd}b");
        assert_eq!(
            json(json!({"a\0": ["x\0", {"b": "\0"}], "n": 1})),
            json!({"a\u{fffd}": ["x\u{fffd}", {"b": "\u{fffd}"}], "n": 1})
        );
    }
}
