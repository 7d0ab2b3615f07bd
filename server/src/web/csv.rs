//! Writes CSV rows for spreadsheets.

/// One row, every cell quoted.
pub(super) fn push_row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        push_guarded(out, cell);
        out.push('"');
    }
    out.push_str("\r\n");
}

/// Characters with which a formula begins, including the wide forms of East Asian keyboards.
const fn begins_a_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
    )
}

/// Characters after which some spreadsheet begins a new cell. The separator is a setting of the
/// machine. Where it is a semicolon, the quotes around a cell written here end at the first comma
/// between cells, and a semicolon inside a name separates.
const fn separates(c: char) -> bool {
    matches!(c, ',' | ';' | '\t' | '\n' | '\r')
}

/// Characters that a spreadsheet may skip before it checks whether a cell is a formula.
fn is_skipped(c: char) -> bool {
    c == '"' || c.is_whitespace() || domain::name::is_invisible(c)
}

/// Writes a cell so that no spreadsheet runs it as a formula: names come from tenants. An
/// apostrophe is put before each sign that could begin a formula, whatever separator the file is
/// read with.
fn push_guarded(out: &mut String, cell: &str) {
    // Some spreadsheets ignore a tab or a line end at the beginning, and some treat it as part of
    // the cell.
    if cell.starts_with(['\t', '\r']) {
        out.push('\'');
    }
    let mut at_the_beginning = true;
    for c in cell.chars() {
        if at_the_beginning && begins_a_formula(c) {
            out.push('\'');
        }
        at_the_beginning = separates(c) || (at_the_beginning && is_skipped(c));
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut out = String::new();
        push_row(&mut out, cells.iter().copied());
        out
    }

    /// Reads a file as spreadsheets do: quotes count at the beginning of a cell only, and the text
    /// between the closing quote and the separator belongs to the cell unchanged.
    fn read(text: &str, separator: char) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let mut cells = Vec::new();
        let mut cell = String::new();
        let (mut quoted, mut begins) = (false, true);
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' if quoted => quoted = false,
                '"' if begins => quoted = true,
                _ if quoted => cell.push(c),
                '\r' if rest.peek() == Some(&'\n') => continue,
                '\n' => {
                    cells.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut cells));
                    begins = true;
                    continue;
                }
                _ if c == separator => {
                    cells.push(std::mem::take(&mut cell));
                    begins = true;
                    continue;
                }
                _ => cell.push(c),
            }
            begins = false;
        }
        if !cell.is_empty() || !cells.is_empty() {
            cells.push(cell);
            rows.push(cells);
        }
        rows
    }

    fn is_a_formula(cell: &str) -> bool {
        cell.trim_start_matches(is_skipped)
            .starts_with(begins_a_formula)
    }

    #[test]
    fn quotes_and_defuses() {
        assert_eq!(
            row(&["plain", "with \"quotes\", commas\nand lines"])
                + &row(&["=HYPERLINK(1)", "+1", "-1", "@x", "a=b"]),
            "\"plain\",\"with \"\"quotes\"\", commas\nand lines\"\r\n\
             \"'=HYPERLINK(1)\",\"'+1\",\"'-1\",\"'@x\",\"a=b\"\r\n"
        );
    }

    #[test]
    fn security_f15_a_formula_behind_any_separator_is_defused() {
        for (cell, written) in [
            ("x;=1+1;y", "x;'=1+1;y"),
            ("x; =1", "x; '=1"),
            ("x,\u{a0}@y", "x,\u{a0}'@y"),
            ("x\t-1", "x\t'-1"),
            ("x\n+1", "x\n'+1"),
            ("  =1", "  '=1"),
            ("\n=1", "\n'=1"),
            ("\u{200b}=1", "\u{200b}'=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("x;\u{ff0b}1", "x;'\u{ff0b}1"),
            ("\u{ff0d}1", "'\u{ff0d}1"),
            ("\u{ff20}x", "'\u{ff20}x"),
            ("x;\"=1\"", "x;\"\"'=1\"\""),
            ("a-b; c=d, e@f.example", "a-b; c=d, e@f.example"),
        ] {
            assert_eq!(row(&[cell]), format!("\"{written}\"\r\n"), "{cell:?}");
        }
    }

    #[test]
    fn security_f15_the_reader_of_these_tests_finds_what_it_is_for() {
        let naive = "\"name\",\"x;=1+1;y\",\"z\"\r\n";
        assert_eq!(read(naive, ','), [["name", "x;=1+1;y", "z"]]);
        assert_eq!(read(naive, ';'), [["name,\"x", "=1+1", "y\",\"z\""]]);
        assert!(
            read(naive, ';')
                .concat()
                .iter()
                .any(|cell| is_a_formula(cell))
        );
    }

    const CELL: &str = "[-=+@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20};,\"' \t\r\n\u{a0}\u{200b}a1]{0,12}";

    proptest! {
        #[test]
        fn security_f15_no_cell_begins_a_formula(
            rows in proptest::collection::vec(proptest::collection::vec(CELL, 1..4), 1..4),
        ) {
            let text: String = rows
                .iter()
                .map(|cells| row(&cells.iter().map(String::as_str).collect::<Vec<_>>()))
                .collect();
            for separator in [',', ';', '\t'] {
                for cell in read(&text, separator).concat() {
                    prop_assert!(!is_a_formula(&cell), "{:?} by {:?} in {:?}", cell, separator, text);
                }
            }
            // Read with the comma, the separator it is written with, the file gives the original
            // cells plus apostrophes.
            let bare = |cell: &str| cell.replace('\'', "");
            let back: Vec<Vec<String>> = read(&text, ',');
            prop_assert_eq!(back.len(), rows.len());
            for (read, written) in back.concat().iter().zip(rows.concat()) {
                prop_assert_eq!(bare(read), bare(&written));
            }
        }
    }
}
