//! Texts of strangers, as they may be shown on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a terminal would obey this character instead of showing it: control characters, and
/// those that turn the direction of the text behind them (UAX #9: embeddings, overrides, isolates),
/// which can make a name look like another, or hide a message's end.
pub fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line, what would be obeyed written as its number.
pub fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// How many columns of a terminal a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// As much of a text as fits into so many columns, as a terminal counts them; what is cut off
/// leaves an ellipsis.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(mut left) = columns.checked_sub(1) else { return String::new() };
    let fitting: String = text
        .chars()
        .map_while(|c| {
            left = left.checked_sub(c.width().unwrap_or(0))?;
            Some(c)
        })
        .collect();
    format!("{}…", fitting.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_fits(text in r"\PC{0,80}", columns in 0_usize..40) {
            let short = cut(&text, columns);
            prop_assert!(short.width() <= columns);
            prop_assert!(short == text || columns == 0 || short.ends_with('…'));
        }
    }

    #[test]
    fn letters_count_as_wide_as_they_are() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alice liddell", 7), "alice…");
        assert_eq!(cut("東京都庁", 5), "東京…");
        // With marks of their own, and with marks behind them.
        assert_eq!(cut("Nguyễn Thị Hạnh", 15), "Nguyễn Thị Hạnh");
        assert_eq!(cut("e\u{301}te\u{301}", 3), "e\u{301}te\u{301}");
        assert_eq!([cut("alice", 1), cut("alice", 0)], ["…", ""]);
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_as_its_number() {
        assert_eq!(escaped("bob\u{1b}[2J\r\n"), "bob\\u{1b}[2J\\r\\n");
        assert_eq!(escaped("a\u{202e}b\u{2066}c\u{2069}"), "a\\u{202e}b\\u{2066}c\\u{2069}");
        assert_eq!(escaped("日本語 שלום\u{200f}"), "日本語 שלום\u{200f}");
    }
}
