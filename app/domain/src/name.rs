//! Names for people, without invisible characters.
//!
//! Names come from tenants, where anybody may choose them. An invisible character, or one that
//! reverses the direction of the text after it, can make two names look alike, can make a line of a
//! script look like something else, and can make a name that nobody can type. Names are only for
//! reading: ids and addresses identify objects, and they are not changed.

use std::borrow::Cow;

/// Maximum number of characters. Entra and Exchange allow no longer display names.
pub const LONGEST: usize = 256;

/// Whether a character changes others and has no shape of its own. These are Unicode's category
/// `Cf` (zero width, directions, tags), and the two separators that only some programs treat as a
/// line end.
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}'
    )
}

/// The text without invisible characters, in full length. For descriptions and notes.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.contains(is_invisible) {
        Cow::Owned(text.replace(is_invisible, ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// The name without invisible characters, cut to [`LONGEST`].
pub fn clean(name: &str) -> Cow<'_, str> {
    let cut = |text: &str| text.char_indices().nth(LONGEST).map(|(end, _)| end);
    match visible(name) {
        Cow::Borrowed(text) => {
            Cow::Borrowed(cut(text).and_then(|end| text.get(..end)).unwrap_or(text))
        }
        Cow::Owned(mut text) => {
            if let Some(end) = cut(&text) {
                text.truncate(end);
            }
            Cow::Owned(text)
        }
    }
}

/// The name as a person would type it. Comparisons use it on both sides. It has no invisible
/// characters, and one plain space for each gap, because a gap may be a kind of space that no key
/// makes.
pub fn typable(name: &str) -> String {
    let name = visible(name);
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn security_f17_a_name_loses_what_nobody_sees() {
        for (name, shown) in [
            ("Fabrikam\u{200b}", "Fabrikam"),
            ("\u{feff}Fabri\u{ad}kam", "Fabrikam"),
            ("gnp.\u{202e}exe", "gnp.exe"),
            ("a\u{2066}b\u{2069}c", "abc"),
            ("one\u{2028}two\u{2029}three", "onetwothree"),
            ("tag\u{e0041}\u{e007f}", "tag"),
            ("\u{200d}\u{200c}\u{200e}\u{200f}", ""),
            ("Ünï çødé 株式会社 é", "Ünï çødé 株式会社 é"),
        ] {
            assert_eq!(clean(name), shown, "{name:?}");
        }
    }

    #[test]
    fn security_f17_a_name_is_cut_between_characters() {
        let long = "é".repeat(10_000);
        assert_eq!(clean(&long), "é".repeat(LONGEST));
        let hidden = format!("\u{200b}{long}");
        assert_eq!(clean(&hidden), "é".repeat(LONGEST));
        assert_eq!(visible(&long), long);
    }

    #[test]
    fn security_f17_a_name_can_be_typed_as_it_is_seen() {
        for (typed, name) in [
            ("Fabrikam", "Fabri\u{200b}kam"),
            ("  Fabrikam A/S ", "Fabrikam\u{a0}A/S"),
            ("Fabrikam A/S", "Fabrikam \u{200b} A/S\u{202c}"),
        ] {
            assert_eq!(typable(typed), typable(name), "{name:?}");
        }
        assert_ne!(typable("Fabrikam"), typable("Contoso\u{200b}"));
    }

    proptest! {
        #[test]
        fn security_f17_nothing_invisible_is_left(name in r"[\PC\p{Cf}\u{2028}\u{2029}]{0,400}") {
            let shown = clean(&name);
            prop_assert!(!shown.contains(is_invisible));
            prop_assert!(shown.chars().count() <= LONGEST);
            prop_assert_eq!(clean(&shown), shown.as_ref());
            prop_assert_eq!(typable(&typable(&name)), typable(&name));
        }

        /// Compares the list with the whole category, from the tables of the regex engine that
        /// generates the text.
        #[test]
        fn security_f17_the_whole_category_is_known(text in r"\p{Cf}{20}") {
            prop_assert!(text.chars().all(is_invisible), "{:?}", text);
        }
    }
}
