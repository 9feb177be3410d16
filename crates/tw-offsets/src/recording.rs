//! What a record says that matters here, read without building the record:
//! everything else is passed over, and nothing is copied.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;
use tw_core::record::is_mark;
use tw_core::{Failure, raw};

use crate::offsets::Times;

/// The fields that this tool adds.
pub const OWN: [&str; 3] = ["addition_ms", "reference_ms", "relative_offset_ms"];

/// The fields that matter, as they stand in the line. Of several with one name
/// the last counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recording<'a> {
    offset: Option<&'a str>,
    start_time: Option<&'a str>,
    /// Another tool could not serve it.
    marked: bool,
    /// A participant's data track: it has no start time.
    data: bool,
    /// `grouping_sids.room_sid`.
    pub room: Option<Cow<'a, str>>,
    /// Some of our own fields stand there already.
    pub done_before: bool,
}

/// What is to be done with a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has a place on its room's timeline: this addition.
    Placed(i64),
    /// Handed on as it is: another tool has marked it.
    Marked,
    /// Handed on without our fields: there is nothing to place, since it is of type data or
    /// its file holds no packet.
    Nothing,
    /// It can't be placed.
    Failed(Failure),
}

/// How an input calls the fields, and what to do when one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    offset: (&'static str, &'static str),
    start_time: (&'static str, &'static str),
}

impl Words {
    /// Those of records.
    pub const JSONL: Self = Self {
        offset: ("offset", "take the record from tw-list or tw-fetch"),
        start_time: ("start_time_ms", "run tw-probe first"),
    };
    /// Those of CSV.
    pub const CSV: Self =
        Self { offset: ("offset", "the cell is empty"), start_time: ("start_time", "the cell is empty") };
}

impl<'a> Recording<'a> {
    /// Reads one line.
    ///
    /// # Errors
    /// When it holds anything else than one JSON object.
    pub fn read(line: &'a str) -> Result<Self, serde_json::Error> {
        match Self::read_naming::<Name>(line) {
            Err(error) if error.classify() == Category::Syntax => Self::read_again(line),
            read => read,
        }
    }

    /// Half a surrogate pair in a name, perhaps; the rare line is read a second time.
    #[cold]
    #[inline(never)]
    fn read_again(line: &'a str) -> Result<Self, serde_json::Error> {
        Self::read_naming::<AnyName>(line)
    }

    #[inline]
    fn read_naming<N: Deserialize<'a> + Into<Name>>(line: &'a str) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let recording = deserializer.deserialize_map(Members(PhantomData::<N>))?;
        deserializer.end()?;
        Ok(recording)
    }

    /// Whether it can be placed.
    pub fn verdict(&self, words: Words) -> Verdict {
        if self.marked {
            return Verdict::Marked;
        }
        if self.holds_nothing() {
            return Verdict::Nothing;
        }
        match self.times(words).and_then(|times| {
            times.addition().ok_or_else(|| {
                let (offset, start_time) = (words.offset.0, words.start_time.0);
                Failure::field(format!("{offset} + {start_time} is beyond 64 bits"))
            })
        }) {
            Ok(addition) => Verdict::Placed(addition),
            Err(failure) => Verdict::Failed(failure),
        }
    }

    /// Whether there is something to place, or should be.
    pub fn would_be_placed(&self) -> bool {
        !self.marked && !self.holds_nothing()
    }

    /// tw-probe writes `null` for the start of a file in which nothing was recorded.
    fn holds_nothing(&self) -> bool {
        self.data || self.start_time == Some("null")
    }

    fn times(&self, words: Words) -> Result<Times, Failure> {
        let offset = millis(words.offset, self.offset)?;
        let start_time = millis(words.start_time, self.start_time)?;
        Ok(Times { offset, start_time })
    }
}

/// A field that holds a whole number of milliseconds.
fn millis((name, advice): (&str, &str), raw: Option<&str>) -> Result<i64, Failure> {
    let raw =
        raw.filter(|raw| *raw != "null").ok_or_else(|| Failure::field(format!("no {name}: {advice}")))?;
    raw.parse().map_err(|_| {
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let shown: String = raw.chars().take(40).collect();
        let what = if digits.bytes().all(|b| b.is_ascii_digit()) {
            "beyond 64 bits"
        } else {
            "not a whole number of milliseconds"
        };
        Failure::field(format!("{name} is {shown}: {what}"))
    })
}

/// The names that matter.
enum Name {
    Offset,
    StartTime,
    Grouping,
    Error,
    Type,
    Own,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "offset" => Name::Offset,
                    "start_time_ms" => Name::StartTime,
                    "grouping_sids" => Name::Grouping,
                    "error" => Name::Error,
                    "type" => Name::Type,
                    name if OWN.contains(&name) => Name::Own,
                    _ => Name::Other,
                })
            }
        }

        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// The same for names in which half a surrogate pair may stand. None of those matters.
struct AnyName(Name);

impl<'de> Deserialize<'de> for AnyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(name.get()).unwrap_or(Name::Other)))
    }
}

impl From<AnyName> for Name {
    fn from(AnyName(name): AnyName) -> Self {
        name
    }
}

/// Reads an object whose names are read as `N`.
struct Members<N>(PhantomData<N>);

impl<'de, N: Deserialize<'de> + Into<Name>> Visitor<'de> for Members<N> {
    type Value = Recording<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut recording = Recording::default();
        while let Some(name) = map.next_key::<N>()? {
            match name.into() {
                Name::Offset => recording.offset = Some(map.next_value::<&RawValue>()?.get()),
                Name::StartTime => recording.start_time = Some(map.next_value::<&RawValue>()?.get()),
                Name::Grouping => recording.room = room_of(map.next_value::<&RawValue>()?.get()),
                Name::Error => recording.marked = is_mark(map.next_value::<&RawValue>()?.get()),
                Name::Type => recording.data = is_data(map.next_value::<&RawValue>()?.get()),
                Name::Own => {
                    map.next_value::<IgnoredAny>()?;
                    recording.done_before = true;
                }
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(recording)
    }
}

/// Whether the raw JSON of a `type` says data; with an escape that takes eleven bytes.
fn is_data(raw: &str) -> bool {
    raw == "\"data\""
        || raw.len() > 10 && raw.contains('\\') && raw::text(raw).is_some_and(|said| said == "data")
}

/// `room_sid` of a `grouping_sids`, which may be null or anything else.
fn room_of(grouping: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Grouping<'a> {
        #[serde(borrow)]
        room_sid: Option<Cow<'a, str>>,
    }
    // Faster, and right where it succeeds: serde takes lists too, but no name twice and no half
    // of a surrogate pair.
    if grouping.starts_with('{')
        && let Ok(Grouping { room_sid }) = serde_json::from_str(grouping)
    {
        return room_sid;
    }
    raw::text(raw::member(grouping, "room_sid")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(line: &str) -> Verdict {
        Recording::read(line).unwrap().verdict(Words::JSONL)
    }

    fn failure(line: &str) -> String {
        match verdict(line) {
            Verdict::Failed(failure) => failure.message,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn two_numbers_make_a_place() {
        assert_eq!(
            verdict(r#"{"offset":163481005731,"start_time_ms":1564}"#),
            Verdict::Placed(163_481_007_295)
        );
        assert_eq!(verdict(r#"{"offset":-5,"x":[{}],"start_time_ms":-7 }"#), Verdict::Placed(-12));
        assert_eq!(verdict(r#"{"offset":"x","offs\u0065t":1,"start_time_ms":2}"#), Verdict::Placed(3));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(failure(r#"{"offset":1}"#), "no start_time_ms: run tw-probe first");
        assert!(failure(r#"{"start_time_ms":1}"#).starts_with("no offset: "));
        for wrong in ["1.5", "1e3", "\"1\"", "true", "[1]", "{}", "-0.0"] {
            assert_eq!(
                failure(&format!(r#"{{"offset":{wrong},"start_time_ms":1}}"#)),
                format!("offset is {wrong}: not a whole number of milliseconds")
            );
        }
        assert_eq!(
            failure(r#"{"offset":9223372036854775808,"start_time_ms":1}"#),
            "offset is 9223372036854775808: beyond 64 bits"
        );
        assert_eq!(
            failure(r#"{"offset":9223372036854775807,"start_time_ms":1}"#),
            "offset + start_time_ms is beyond 64 bits"
        );
    }

    #[test]
    fn marked_and_data_records_are_left_alone() {
        assert_eq!(verdict(r#"{"error":{"kind":"http"},"offset":1,"start_time_ms":1}"#), Verdict::Marked);
        assert_eq!(verdict(r#"{"error":null,"offset":1,"start_time_ms":1}"#), Verdict::Placed(2));
        assert_eq!(verdict(r#"{"type":"data","offset":1}"#), Verdict::Nothing);
        assert_eq!(verdict(r#"{"offset":1,"start_time_ms":null}"#), Verdict::Nothing);
    }

    #[test]
    fn the_room_is_read_where_there_is_one() {
        for (grouping, room) in [
            (r#"{"participant_sid":"PA1","room_sid":"RM1"}"#, Some("RM1")),
            (r#"{"room_sid":null}"#, None),
            ("{}", None),
            ("null", None),
            ("[7]", None),
            (r#"{"room_sid":7}"#, None),
            // As jq reads it.
            (r#"{"room_sid":"RM1","x":{"room_sid":"RM3"},"room_sid":"RM2"}"#, Some("RM2")),
            (r#"{"room_sid":"RM1","room_sid":null}"#, None),
            (r#"["RM1"]"#, None),
            (r#"{"\ud800":"\udc00","room_\u0073id":"RM1"}"#, Some("RM1")),
            (r#"{"room_sid":"RM1\ud800"}"#, Some("RM1\u{fffd}")),
        ] {
            let line = format!(r#"{{"grouping_sids":{grouping}}}"#);
            assert_eq!(Recording::read(&line).unwrap().room.as_deref(), room, "{grouping}");
        }
    }

    #[test]
    fn half_a_character_where_nothing_matters_is_passed_over() {
        for name in ["\\ud800", "offset\\udc00", "\\ud83dx"] {
            let line = format!(r#"{{"{name}":"\ud800","off\u0073et":1,"start_time_ms":2,"type":"v\ud800"}}"#);
            assert_eq!(verdict(&line), Verdict::Placed(3), "{line}");
        }
        for line in ["{\"\\ud800\":}", "{\"\\ud800\t\":1}", "{\"\\ud8\":1}", "{\"\\ud800\":1}x"] {
            assert!(Recording::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_type_may_be_written_with_escapes() {
        assert_eq!(verdict(r#"{"type":"\u0064ata","offset":1}"#), Verdict::Nothing);
        assert_eq!(verdict(r#"{"type":"d\u0064ta","offset":1,"start_time_ms":1}"#), Verdict::Placed(2));
        assert_eq!(verdict(r#"{"type":["\u0064ata"],"offset":1,"start_time_ms":1}"#), Verdict::Placed(2));
    }

    #[test]
    fn only_an_object_is_a_record() {
        for line in ["", "[]", "7", "{", "{}{}", "null", r#"{"a":1,}"#, r#"{"offset":}"#] {
            assert!(Recording::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn deep_nesting_and_long_lines_are_read() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let long = "x".repeat(10_000_000);
        for name in ["other", "grouping_sids", "error\":null,\"more"] {
            let line = format!(r#"{{"{name}":{deep},"long":"{long}","offset":1,"start_time_ms":2}}"#);
            assert_eq!(verdict(&line), Verdict::Placed(3), "{name}");
        }
    }

    proptest! {
        #[test]
        fn we_read_what_the_record_reads(
            parts in proptest::collection::vec(
                ("offset|start_time_ms|sid|grouping_sids|type|error|\\\\ud800|o\\\\u0066fset|a\t", "null|\"\\\\ud800\"|\\[\"RM1\"\\]|\\{\"room_sid\":\"RM1\",\"room_sid\":\"RM\\\\ud800\"\\}|-?[0-9]{1,20}|\"[a-z]{0,3}\"|\\{\\}|\\[1\\]|1\\.5|\\{\"room_sid\":(\"RM1\"|7|null)(,\"participant_sid\":(\"PA1\"|5|\\{\\}))?\\}"),
                0..8,
            ),
            cut in 0..200_usize,
        ) {
            let line = format!("{{{}}}", parts.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(","));
            let line = &line[..cut.min(line.len())];
            match (tw_core::Record::parse(line), Recording::read(line)) {
                (Ok(record), Ok(recording)) => {
                    prop_assert_eq!(record.raw("offset"), recording.offset);
                    prop_assert_eq!(record.raw("start_time_ms"), recording.start_time);
                    prop_assert_eq!(record.is_marked(), recording.marked);
                    prop_assert_eq!(record.room_sid(), recording.room.map(Cow::into_owned));
                }
                (Err(_), Err(_)) => {}
                (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
            }
        }
    }
}
