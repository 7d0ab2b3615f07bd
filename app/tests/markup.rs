//! What pages and the code behind them must not contain.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::BTreeSet, fs, path::Path};

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

/// The sources of pages, by their paths below `app/src`.
fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&folder, &mut found);
    assert!(found.len() > 50, "only {} sources were found", found.len());
    let root = format!("{}/", folder.display());
    found
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(&root).unwrap().to_owned(), text))
        .collect()
}

/// The server writes the text of a `<textarea>` unescaped: whatever stands in it could end it and
/// go on as markup. There is none; whoever needs one sets its value as a property.
#[test]
fn no_text_area_is_rendered_by_the_server() {
    for (path, text) in pages() {
        assert!(!text.contains("<textarea"), "{path}");
    }
}

/// Text as markup: two constants in the document's head, and what the server drew, through the same
/// escaping as any page.
#[test]
fn security_check7_markup_is_set_in_the_known_places_only() {
    const KNOWN: [(&str, usize); 3] = [
        ("pages/customer.rs", 1),
        ("pages/drawn/mod.rs", 1),
        ("shell.rs", 2),
    ];
    const NEVER: [&str; 7] = [
        "set_inner_html",
        "set_outer_html",
        "innerHTML",
        "insert_adjacent_html",
        "document.write",
        "set_text_content_unchecked",
        "eval(",
    ];
    let mut found: Vec<(String, usize)> = Vec::new();
    for (path, text) in pages() {
        for word in NEVER {
            assert!(!text.contains(word), "{path}: {word}");
        }
        let count = text.matches("inner_html").count();
        if count > 0 {
            found.push((path, count));
        }
    }
    found.sort();
    let found: Vec<(&str, usize)> = found.iter().map(|(path, n)| (path.as_str(), *n)).collect();
    assert_eq!(found, KNOWN);
}

/// leptos_meta writes the title as it is.
#[test]
fn security_check7_titles_are_constants_or_escaped() {
    let mut titles = 0;
    for (path, text) in pages() {
        for title in text.split("<Title").skip(1) {
            titles += 1;
            let title = title.trim_start();
            assert!(
                title.starts_with("text=\"") || title.starts_with("text=for_title("),
                "{path}: <Title {}",
                title.lines().next().unwrap_or_default()
            );
        }
    }
    assert!(titles > 3, "only {titles} titles were found");
}

/// Variables that stand behind `href=`: each was looked at, and holds what `paths` or `Query` made,
/// or, in `start.rs`, what `domain::path::is_local` let through. A tenant's text could be the
/// address of a script.
const ADDRESSES: [(&str, &str); 32] = [
    ("components/confirm.rs", "href"),
    (
        "components/confirm.rs",
        "move || query.get().with(ASK, \"\").link(&path.get())",
    ),
    ("components/head.rs", "href"),
    ("components/pagination.rs", "href"),
    ("components/problem.rs", "to"),
    ("components/setup_rows.rs", "href"),
    ("components/stepper.rs", "href"),
    ("layout/navigation.rs", "href"),
    ("pages/drawn/draw.rs", "href"),
    ("pages/drawn/exposure.rs", "all"),
    ("pages/drawn/exposure.rs", "csv"),
    ("pages/drawn/exposure.rs", "customer"),
    ("pages/drawn/exposure.rs", "href"),
    ("pages/drawn/exposure.rs", "json"),
    ("pages/drawn/mailboxes.rs", "href"),
    ("pages/drawn/parts.rs", "clear"),
    ("pages/drawn/parts.rs", "href"),
    ("pages/drawn/reach.rs", "href"),
    ("pages/history.rs", "all"),
    ("pages/history.rs", "clear"),
    ("pages/history.rs", "csv"),
    ("pages/history.rs", "filter.link(&path)"),
    ("pages/history.rs", "href"),
    ("pages/history.rs", "json"),
    ("pages/running.rs", "href"),
    ("pages/start.rs", "back"),
    ("pages/wizard.rs", "back"),
    ("pages/wizard.rs", "href"),
    ("pages/wizard/application.rs", "href"),
    ("pages/wizard/details.rs", "back"),
    ("pages/wizard/review.rs", "back"),
    ("pages/wizard/review.rs", "href"),
];

/// The expression behind `href=`: up to what ends it, a space or `>` outside of its brackets.
fn expression(text: &str) -> &str {
    if text.starts_with("move ") {
        return text.lines().next().unwrap_or_default().trim_end();
    }
    let (mut depth, mut quoted) = (0_i32, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' | '/' | ' ' | '\n' if depth <= 0 => return text.get(..at).unwrap_or(text),
            _ => {}
        }
    }
    text
}

#[test]
fn security_check7_links_lead_to_known_addresses_only() {
    let mut unknown = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (path, text) in pages() {
        for (at, _) in text.match_indices("href=") {
            // Of another name, or of a text.
            let before = text.get(..at).unwrap_or_default().chars().next_back();
            if !before.is_some_and(char::is_whitespace) {
                continue;
            }
            let value = expression(text.get(at + "href=".len()..).unwrap_or_default());
            let made = value.starts_with("paths::")
                || value.starts_with("format!(\"{}?") && value.contains(", paths::")
                || value.starts_with("\"/") && !value.starts_with("\"//")
                || value.starts_with("\"#")
                || path == "shell.rs" && ["FAVICON", "files.stylesheet.to_string()"].contains(&value)
                // The address of the very page, with the question that it asks.
                || value.starts_with("move || query.get().with(")
                || value.starts_with("move || here.get() ");
            let pair = (path.clone(), value.to_owned());
            if ADDRESSES.contains(&(path.as_str(), value)) {
                seen.insert(pair);
            } else if !made {
                unknown.insert(pair);
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "look where these come from: {unknown:#?}"
    );
    for (path, value) in ADDRESSES {
        assert!(
            seen.contains(&(path.to_owned(), value.to_owned())),
            "it is gone, take it out of the list: {path} {value}"
        );
    }
}

/// Every server function is a public address: it begins with who asks. Whoever follows an invitation
/// has no account here.
#[test]
fn security_check7_every_server_function_begins_with_the_operator() {
    const OF_ANYBODY: [&str; 2] = ["invitation", "join"];
    const BEGINS: [&str; 2] = ["= context::server()?;", ".operator()?;"];
    let mut functions = 0;
    for (path, text) in pages() {
        // Of an argument, not of a function.
        let text = text.replace("#[server(default)]", "");
        for written in text.split("#[server(").skip(1) {
            let Some((_, function)) = written.split_once("pub async fn ") else {
                panic!("{path}: {written}");
            };
            let name = function.split('(').next().unwrap_or_default();
            functions += 1;
            if OF_ANYBODY.contains(&name) {
                continue;
            }
            let (_, body) = function.split_once(", AppError> {\n").unwrap_or_default();
            let begins: Vec<&str> = body.lines().map(str::trim).take(2).collect();
            assert_eq!(begins.len(), 2, "{path}: {name}");
            for (line, end) in begins.iter().zip(BEGINS) {
                assert!(
                    line.starts_with("let ") && line.ends_with(end),
                    "{path}: {name} begins with {begins:?}"
                );
            }
        }
    }
    assert!(
        functions > 15,
        "only {functions} server functions were found"
    );
}

/// Names of fields whose text opens something: whoever reads it in a log can use it.
const SECRETS: [&str; 16] = [
    "access_token",
    "assertion",
    "browser",
    "challenge",
    "code",
    "cookie",
    "id_token",
    "link",
    "nonce",
    "password",
    "refresh",
    "refresh_token",
    "secret",
    "state",
    "token",
    "verifier",
];

/// Of these names, those that hold no secret.
const NO_SECRETS: [(&str, &str); 1] = [
    // Microsoft's name of an error.
    ("app/domain/src/problem.rs", "Answer.code"),
];

/// Structs that hold secrets, whatever their fields are called.
const SECRET_STRUCTS: [&str; 8] = [
    "Attempt",
    "Authorize",
    "CallbackQuery",
    "ClientSecret",
    "IdToken",
    "Redeemed",
    "Server",
    "Visitor",
];

#[test]
fn security_f20_nothing_with_a_secret_derives_debug() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for folder in [
        "app/src",
        "app/domain/src",
        "server/src",
        "server/engine/src",
        "server/microsoft/src",
        "server/store/src",
    ] {
        sources(&root.join(folder), &mut found);
    }
    let (mut wrong, mut structs) = (Vec::new(), BTreeSet::new());
    for (path, text) in &found {
        let path = path.strip_prefix(&format!("{}/", root.display())).unwrap();
        let mut derives_debug = false;
        let mut inside = None;
        for line in text.lines().map(str::trim) {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
            let line = line.strip_prefix("pub(super) ").unwrap_or(line);
            if line.starts_with("#[derive(") {
                derives_debug = line.contains("Debug");
            } else if let Some(rest) = line.strip_prefix("struct ") {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                if SECRET_STRUCTS.contains(&name.as_str()) {
                    structs.insert(name.clone());
                    if derives_debug {
                        wrong.push(format!("{path}: {name}"));
                    }
                }
                inside = derives_debug.then_some(name);
                derives_debug = false;
            } else if line == "}" {
                inside = None;
                derives_debug = false;
            } else if let Some(name) = &inside
                && let Some((field, kind)) = line.split_once(": ")
                && SECRETS.contains(&field)
                && ["String", "&'a str", "&str", "Option<String>", "Option<&"]
                    .iter()
                    .any(|text| kind.starts_with(text))
                && !NO_SECRETS.contains(&(path, format!("{name}.{field}").as_str()))
            {
                wrong.push(format!("{path}: {name}.{field}"));
            }
        }
    }
    assert!(wrong.is_empty(), "write their Debug by hand: {wrong:#?}");
    assert_eq!(
        structs.len(),
        SECRET_STRUCTS.len(),
        "some are gone: {structs:?}"
    );
}
