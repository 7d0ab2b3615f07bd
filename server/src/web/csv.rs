//! Rows as a spreadsheet reads them.

use std::fmt::Write as _;

/// One row, every cell quoted.
pub(super) fn push_row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "\"{}{}\"", guard(cell), cell.replace('"', "\"\""));
    }
    out.push_str("\r\n");
}

/// A spreadsheet would run a cell that begins like a formula; names come from tenants.
fn guard(cell: &str) -> &'static str {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => "'",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::push_row;

    #[test]
    fn quotes_and_defuses() {
        let mut out = String::new();
        push_row(&mut out, ["plain", "with \"quotes\", commas\nand lines"]);
        push_row(&mut out, ["=HYPERLINK(1)", "+1", "-1", "@x", "a=b"]);
        assert_eq!(
            out,
            "\"plain\",\"with \"\"quotes\"\", commas\nand lines\"\r\n\
             \"'=HYPERLINK(1)\",\"'+1\",\"'-1\",\"'@x\",\"a=b\"\r\n"
        );
    }
}
