//! Texts of strangers, as they may be shown on a terminal.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_as_its_number() {
        assert_eq!(escaped("bob\u{1b}[2J\r\n"), "bob\\u{1b}[2J\\r\\n");
        assert_eq!(escaped("a\u{202e}b\u{2066}c\u{2069}"), "a\\u{202e}b\\u{2066}c\\u{2069}");
        assert_eq!(escaped("日本語 שלום\u{200f}"), "日本語 שלום\u{200f}");
    }
}
