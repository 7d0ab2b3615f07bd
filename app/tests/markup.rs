//! What pages must not contain.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

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

/// The server writes the text of a `<textarea>` unescaped: whatever stands in it could end it and
/// go on as markup. There is none; whoever needs one sets its value as a property.
#[test]
fn no_text_area_is_rendered_by_the_server() {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.len() > 50, "only {} sources were found", found.len());
    for (path, text) in found {
        assert!(!text.contains("<textarea"), "{path}");
    }
}
