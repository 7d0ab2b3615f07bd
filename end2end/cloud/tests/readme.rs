//! The README's table names tests that exist.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;

/// The tests of a file beside this one, or of one of the crate's own (`src/…`). What only helps
/// them is none.
fn tests_of(file: &str) -> Vec<String> {
    let file = match file.starts_with("src/") {
        true => format!("{file}.rs"),
        false => format!("tests/{file}.rs"),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("there is no {file}"));
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else {
            let name = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ")
                .and_then(|rest| rest.split('(').next());
            tests.extend(name.filter(|_| is_test).map(str::to_owned));
            is_test = false;
        }
    }
    tests
}

/// The tests that a cell names: `` `file`: one, another…, `other file`: third ``. The error says
/// what is wrong.
fn named(cell: &str) -> Result<usize, String> {
    let mut file = None;
    let mut count = 0;
    for part in cell.split(", ").map(str::trim) {
        let mut name = part;
        if let Some(rest) = part.strip_prefix('`') {
            let (found, after) = rest.split_once('`').ok_or(format!("{part}: no end"))?;
            file = Some(tests_of(found));
            name = after
                .strip_prefix(':')
                .map(str::trim)
                .ok_or(format!("{part} names a file and no test"))?;
        }
        let known = file.as_ref().ok_or(format!("{part}: of which file?"))?;
        let fits = match name.strip_suffix('…') {
            Some(start) => !start.is_empty() && known.iter().any(|test| test.starts_with(start)),
            None => known.iter().any(|test| test == name),
        };
        if !fits {
            return Err(format!("{name} is no test"));
        }
        count += 1;
    }
    Ok(count)
}

#[test]
fn a_file_alone_or_a_helper_is_no_test() {
    assert_eq!(named("`readme`: every_row…, a_file_alone…"), Ok(2));
    for cell in [
        "",
        "`rbac`",
        "`rbac`: …",
        "`readme`: tests_of",
        "every_row…",
    ] {
        assert!(named(cell).is_err(), "{cell}");
    }
}

#[test]
fn every_row_of_the_table_names_a_test() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text
        .split_once("| behaviour | MICROSOFT.md |")
        .expect("there is no table");
    let mut rows = 0;
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        rows += 1;
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        let found = named(cells[3].trim_end_matches('|').trim());
        assert!(found.is_ok(), "{found:?} in: {row}");
    }
    assert!(rows > 50, "{rows}");
}
