//! Words as a POSIX shell reads them.

use std::borrow::Cow;

/// How a command reads in a shell, for messages and scripts.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// One word quoted for a POSIX shell. Words that need no quotes get none. NUL can't stand
/// in an argument at all, and is left out.
pub fn quote(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or_else(|_| quote(&word.replace('\0', "")).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_word_is_a_command() {
        for (word, quoted) in [("a.mka", "a.mka"), ("a\0;id", "'a;id'"), ("\0", "''"), ("it's", "\"it's\"")] {
            assert_eq!(quote(word), quoted);
        }
    }
}
