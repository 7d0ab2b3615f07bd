//! The differences between two JSON values, line by line, for people.

use serde_json::Value;

/// A field that differs before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The path of the field, as in `group.address`. Empty for the value as a whole.
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// The differing fields, in their order. When one side is missing, all fields of the other side.
pub fn diff(before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let mut lines = Vec::new();
    walk(String::new(), before, after, &mut lines);
    lines
}

fn walk(path: String, before: Option<&Value>, after: Option<&Value>, lines: &mut Vec<Line>) {
    if before == after {
        return;
    }
    let (old, new) = (object(before), object(after));
    if (old.is_some() || new.is_some())
        && (old.is_some() || before.is_none())
        && (new.is_some() || after.is_none())
    {
        let names = |side: Option<&'_ serde_json::Map<String, Value>>| -> Vec<String> {
            side.map(|map| map.keys().cloned().collect())
                .unwrap_or_default()
        };
        let mut keys = names(old);
        for key in names(new) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        for key in keys {
            let deeper = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let inside = |side: Option<&'_ serde_json::Map<String, Value>>| {
                side.and_then(|map| map.get(&key)).cloned()
            };
            walk(deeper, inside(old).as_ref(), inside(new).as_ref(), lines);
        }
        return;
    }
    lines.push(Line {
        path,
        before: before.map(text),
        after: after.map(text),
    });
}

fn object(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            let items: Vec<String> = items.iter().map(text).collect();
            if items.is_empty() {
                "none".to_owned()
            } else {
                items.join(", ")
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(path: &str, before: Option<&str>, after: Option<&str>) -> Line {
        Line {
            path: path.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        }
    }

    #[test]
    fn shows_only_what_differs() {
        let before = json!({"state": "waiting", "group": {"name": "a", "hidden": false}});
        let after = json!({"state": "done", "group": {"name": "a", "hidden": true}});
        assert_eq!(
            diff(Some(&before), Some(&after)),
            [
                line("group.hidden", Some("false"), Some("true")),
                line("state", Some("waiting"), Some("done")),
            ]
        );
    }

    #[test]
    fn with_one_side_missing_shows_the_other() {
        let after = json!({"members": ["a@b.example", "c@d.example"], "policy": null});
        assert_eq!(
            diff(None, Some(&after)),
            [
                line("members", None, Some("a@b.example, c@d.example")),
                line("policy", None, Some("nothing")),
            ]
        );
        assert_eq!(diff(None, None), []);
    }

    #[test]
    fn a_value_that_changes_its_kind_is_one_line() {
        let (before, after) = (json!({"a": {"b": 1}}), json!({"a": "x"}));
        assert_eq!(
            diff(Some(&before), Some(&after)),
            [line("a", Some("{\"b\":1}"), Some("x"))]
        );
    }
}
