//! Twilio's identifiers.

/// Whether `text` is a SID of this kind: two letters (`RM`, `RT`, `PA`, …) and
/// 32 hexadecimal digits. Only such a text may become part of an address.
pub fn is_sid(kind: &str, text: &str) -> bool {
    text.strip_prefix(kind)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_two_letters_and_32_digits() {
        assert!(is_sid("RM", "RM0123456789abcdef0123456789abcdef"));
        for text in [
            "",
            "RM",
            "RM1",
            "RT0123456789abcdef0123456789abcdef",
            "RM0123456789abcdef0123456789abcde/",
            "RM0123456789abcdef0123456789abcdef0",
        ] {
            assert!(!is_sid("RM", text), "{text}");
        }
    }
}
