//! SIDs that look like Twilio's and are the same in every run.

/// A SID: two letters (`RM`, `RT`, `MT`, `PA`, ...) and 32 hexadecimal digits.
///
/// The digits follow from `name` alone, so that a test may know them beforehand.
#[must_use]
pub fn sid(prefix: &str, name: &str) -> String {
    let low = fnv1a(name.bytes().chain(prefix.bytes()));
    let high = fnv1a(prefix.bytes().chain(name.bytes()));
    format!("{prefix}{:016x}{:016x}", scatter(high), scatter(low))
}

/// The SID of the room called `name`.
#[must_use]
pub fn room_sid(name: &str) -> String {
    sid("RM", name)
}

/// The FNV-1a hash of 64 bits.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finalizer of splitmix64: names that differ in one letter get SIDs that
/// differ everywhere, as real ones do.
fn scatter(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_has_34_characters_and_follows_from_its_name() {
        let alice = sid("PA", "tutorial/alice");
        assert_eq!(alice.len(), 34);
        assert!(alice.starts_with("PA"));
        assert!(alice[2..].bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(alice, sid("PA", "tutorial/alice"));
        assert_ne!(alice, sid("PA", "tutorial/bob"));
        assert_ne!(alice[2..], sid("MT", "tutorial/alice")[2..]);
    }
}
