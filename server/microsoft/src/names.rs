//! The only entry for names from tenants: see [`domain::name`].
//!
//! Every property that is shown and never compared is cleaned here. Compared values stay as
//! Microsoft writes them: ids, addresses, filters, the tags in descriptions, and the names by which
//! one response refers to an object of another.

use domain::name::{clean, visible};
use serde::{Deserialize as _, Deserializer};

/// Deserializes an optional name of Graph. A name of which nothing is left is none.
pub(crate) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.as_deref().and_then(shown))
}

/// Deserializes an optional longer text of Graph.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| visible(&text).into_owned()))
}

/// The name as it is shown. None when no visible character is left.
pub(crate) fn shown(name: &str) -> Option<String> {
    let name = clean(name);
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::{fs, path::Path};

    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "super::name")]
        name: Option<String>,
        #[serde(default, deserialize_with = "super::text")]
        notes: Option<String>,
    }

    fn row(text: &str) -> Row {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn security_f17_names_of_graph_lose_what_nobody_sees() {
        let read = row(r#"{"name": "Fabri\u200bkam\u202e A/S", "notes": "one\ntwo\u2066"}"#);
        assert_eq!(read.name.as_deref(), Some("Fabrikam A/S"));
        assert_eq!(read.notes.as_deref(), Some("one\ntwo"));
        for nothing in [
            r"{}",
            r#"{"name": null}"#,
            r#"{"name": "\u200b"}"#,
            r#"{"name": ""}"#,
        ] {
            assert_eq!(row(nothing).name, None, "{nothing}");
        }
        let long = "x".repeat(10_000);
        let read = row(&format!(r#"{{"name": "{long}", "notes": "{long}"}}"#));
        assert_eq!(read.name.unwrap().len(), domain::name::LONGEST);
        assert_eq!(read.notes.unwrap().len(), 10_000);
    }

    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }

    /// [`super::name`] reads every field for a name of Graph, and `Row::name` reads every name of
    /// Exchange that is shown.
    #[test]
    fn security_f17_every_name_comes_in_by_one_way() {
        const NAMES: [&str; 4] = [
            "display_name: Option<String>",
            "publisher_name: Option<String>",
            "notes: Option<String>",
            "name: Option<String>",
        ];
        // These names are compared with the names in role assignments, and cleaned where they are
        // shown.
        const COMPARED: [&str; 1] = ["scan/units.rs"];
        let mut found = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.len() > 40, "only {} sources were found", found.len());
        let mut fields = 0;
        for (path, text) in found {
            if path.ends_with("names.rs") || COMPARED.iter().any(|known| path.ends_with(known)) {
                continue;
            }
            assert!(!text.contains(".text(\"DisplayName\")"), "{path}");
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for pair in lines.windows(2) {
                let field = pair[1]
                    .trim_start_matches("pub ")
                    .trim_start_matches("pub(crate) ");
                let is_read = pair[0].starts_with("#[serde(");
                if is_read && NAMES.iter().any(|name| field.starts_with(name)) {
                    fields += 1;
                    assert!(
                        pair[0].contains("deserialize_with = \"crate::names::"),
                        "{path}: {field}"
                    );
                }
            }
        }
        assert!(fields >= 11, "only {fields} fields were found");
    }
}
