//! Raw JSON, looked into without building anything of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The raw value of an object's member. Of several with one name the last counts, as in jq.
/// `None` when there is none, or when it is no object.
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    serde_json::Deserializer::from_str(object).deserialize_map(Named(name)).ok().flatten()
}

/// Whether a raw key is this name.
pub fn is_name(key: &str, name: &str) -> bool {
    let inner = &key[1..key.len() - 1];
    // Most keys differ in their first byte already, unless that begins an escape:
    // this is asked for every key that is looked past.
    let first = inner.as_bytes().first();
    if first != name.as_bytes().first() && first != Some(&b'\\') {
        false
    } else if inner.contains('\\') {
        serde_json::from_str::<String>(key).is_ok_and(|key| key == name)
    } else {
        inner == name
    }
}

/// The contents of a string, `None` of anything else. Half a surrogate pair, which stands for
/// no character, becomes U+FFFD as in jq; serde_json would refuse the string.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).or_else(|_| with_halves(raw)).ok().map(Cow::Owned)
}

/// A string in which halves of surrogate pairs may stand.
fn with_halves(raw: &str) -> Result<String, serde_json::Error> {
    let mut bytes = serde_json::Deserializer::from_str(raw).deserialize_bytes(Bytes)?;
    // As bytes they come in the form of UTF-8 that no character has: ED, A0 to BF, and another.
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == 0xed && bytes[at + 1] >= 0xa0 {
            bytes[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Finds the value of the member of this name.
struct Named<'n>(&'n str);

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        // As they are written: serde_json would refuse half a surrogate pair in a key.
        while let Some(key) = map.next_key::<&RawValue>()? {
            if is_name(key.get(), self.0) {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_members_the_last_counts() {
        for (object, value) in [
            (r#"{"a":1}"#, Some("1")),
            (r#"{"a":1, "b":[{"a":5}], "a" : [ 2 ] }"#, Some("[ 2 ]")),
            (r#"{"a":1,"\u0061":null}"#, Some("null")),
            (r#"{"\ud800":0,"a":1,"a\udc00":2}"#, Some("1")),
            ("{}", None),
            ("[1]", None),
            (r#"["a"]"#, None),
            ("null", None),
            ("7", None),
        ] {
            assert_eq!(member(object, "a"), value, "{object}");
        }
    }

    #[test]
    fn half_a_pair_is_a_replacement_character() {
        for (raw, contents) in [
            (r#""""#, Some("")),
            (r#""a \"b\"""#, Some("a \"b\"")),
            (r#""\ud83d\ude00""#, Some("😀")),
            (r#""RM\ud800""#, Some("RM\u{fffd}")),
            (r#""\udc00\ud800\ud83d\ude00\ud83dx\n""#, Some("\u{fffd}\u{fffd}😀\u{fffd}x\n")),
            ("\"\u{d7ff}\\ud800\u{e000}\"", Some("\u{d7ff}\u{fffd}\u{e000}")),
            ("7", None),
            ("null", None),
            (r#"["a"]"#, None),
        ] {
            assert_eq!(text(raw).as_deref(), contents, "{raw}");
        }
    }
}
