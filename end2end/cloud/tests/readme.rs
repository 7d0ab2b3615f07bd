//! The README's table names tests that exist.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;

/// The test functions of a file beside this one.
fn tests_of(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{file}.rs"));
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("there is no {file}"));
    text.lines()
        .filter_map(|line| line.strip_prefix("async fn "))
        .filter_map(|rest| rest.split('(').next())
        .map(str::to_owned)
        .collect()
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
        let mut file = String::new();
        for part in cells[3].trim_end_matches('|').split(", ") {
            if part.trim().starts_with("unit test") {
                continue;
            }
            let mut name = part.trim();
            if let Some(rest) = part.trim().strip_prefix('`') {
                let (found, after) = rest.split_once('`').unwrap();
                file = found.to_owned();
                name = after.trim_start_matches(':').trim();
            }
            let known = tests_of(&file);
            let fits = match name.strip_suffix('…') {
                Some(start) => known.iter().any(|test| test.starts_with(start)),
                None => name.is_empty() || known.iter().any(|test| test == name),
            };
            assert!(fits, "{name} of {file} in: {row}");
        }
    }
    assert!(rows > 50, "{rows}");
}
