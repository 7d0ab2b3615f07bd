//! Every section of this crate's README that the sources cite exists there.
//!
//! A section sign stands for the README, also where its name is not repeated, unless another
//! document is named before it.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const README: &str = "server/microsoft/README.md";

/// Kinds of files that cite.
const ENDINGS: [&str; 4] = ["rs", "mjs", "sql", "md"];

/// What is built, installed or kept, but not written here.
const SKIPPED: [&str; 4] = ["target", "node_modules", ".git", ".postern"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            found.push(path);
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The number of a section at the beginning of a text, and the text behind it.
fn section(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let number = number.trim_end_matches('.');
    (!number.is_empty()).then_some((number, rest))
}

/// The numbers of the README's headings.
fn headings(readme: &str) -> BTreeSet<&str> {
    readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(|line| section(line.trim_start_matches('#').trim_start()))
        .map(|(number, _)| number)
        .collect()
}

/// Whether the text before a section sign names another document.
fn is_of_another_document(before: &str) -> bool {
    let mut words = before.split_whitespace().rev();
    let last = words.next().unwrap_or_default();
    let one_before = words.next().unwrap_or_default();
    last.contains("DESIGN") || one_before.contains("RFC")
}

/// The sections that a text cites: the number behind each sign, and behind a double sign all numbers
/// of the list.
fn cited(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut parts = text.split('§');
    let mut before = parts.next().unwrap_or_default();
    let mut is_list = false;
    for after in parts {
        if after.is_empty() {
            is_list = true;
            continue;
        }
        if !is_of_another_document(before) {
            let mut rest = Some(after);
            while let Some((number, more)) = rest.and_then(section) {
                found.push(number);
                rest = more
                    .strip_prefix(',')
                    .filter(|_| is_list)
                    // A list may go on in the next line of a comment.
                    .map(|more| more.trim_start_matches(|c: char| " \n\r\t/!*".contains(c)));
            }
        }
        is_list = false;
        before = after;
    }
    found
}

#[test]
fn every_section_that_is_cited_exists() {
    let root = root();
    let readme = fs::read_to_string(root.join(README)).unwrap();
    let known = headings(&readme);
    assert!(known.len() > 60, "only {} headings were found", known.len());
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut citations, mut wrong) = (0, Vec::new());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for number in cited(&text) {
            // The README's own references are looked at too, and are no citations of sources.
            citations += usize::from(name != README);
            if !known.contains(number) {
                wrong.push(format!("{name}: §{number}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{README} has no such sections: {wrong:#?}"
    );
    assert!(citations > 400, "only {citations} citations were found");
}

/// The cloud's table has the numbers in a column of their own, without signs.
#[test]
fn every_section_in_the_clouds_table_exists() {
    let root = root();
    let readme = fs::read_to_string(root.join(README)).unwrap();
    let known = headings(&readme);
    let text = fs::read_to_string(root.join("end2end/cloud/README.md")).unwrap();
    let (_, table) = text.split_once("| behaviour | MICROSOFT.md |").unwrap();
    let mut numbers = 0;
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cell = row.split(" | ").nth(1).unwrap();
        for (number, _) in cell.split(", ").filter_map(section) {
            numbers += 1;
            assert!(known.contains(number), "{number} in: {row}");
        }
    }
    assert!(numbers > 80, "only {numbers} numbers were found");
}

#[test]
fn a_citation_is_one_number_a_list_or_another_document() {
    // Put together, so that this file does not cite what it tries.
    let of = |text: &str| -> Vec<String> {
        let text = text.replace('$', "§");
        cited(&text).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(of("MICROSOFT.md $2.4, $10.6)."), ["2.4", "10.6"]);
    assert_eq!(of("server/microsoft/README.md $1.2. More"), ["1.2"]);
    assert_eq!(
        of("(MICROSOFT.md $$2.4, 3,\n/// 7.1). 5"),
        ["2.4", "3", "7.1"]
    );
    assert_eq!(of("(MICROSOFT.md\n//! $6.3)"), ["6.3"]);
    assert_eq!(of("DESIGN $6, MICROSOFT.md $6.3; RFC 7519, $2"), ["6.3"]);
    assert_eq!(of("MICROSOFT.md $…"), [""; 0]);
}
