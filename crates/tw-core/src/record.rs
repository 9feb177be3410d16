//! A record: one JSON object on one line, whose bytes stay as they came.
//!
//! Only the extents of the top-level members are kept beside the text. Fields
//! that a tool doesn't own are never parsed into numbers or maps, so 64-bit
//! offsets, the order of fields and fields that we have never heard of survive.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::complaint::{self, shorten};
use crate::failure::{Failure, Mark};
use crate::raw;
use crate::text::escaped;

/// Where one top-level member stands in the line: `"key": value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    key: Range<usize>,
    value: Range<usize>,
}

/// One JSON object on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    text: String,
    members: Vec<Member>,
}

/// A field to write: its name, and its value as JSON; `None` takes the field away.
pub type Field<'a> = (&'a str, Option<String>);

/// A value as JSON text, for [`Record::set`].
///
/// # Errors
/// When the value has no JSON form (a map whose keys are no strings, say).
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|e| Failure::field(format!("cannot be written as JSON: {e}")))
}

impl Record {
    /// Reads a line.
    ///
    /// # Errors
    /// When it holds anything else than one JSON object; the error says where.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        Self::parse_or_give_back(text.into()).map_err(|(_, error)| error)
    }

    /// The same; what holds no object comes back with the error, for whoever wants to say why.
    pub(crate) fn parse_or_give_back(text: String) -> Result<Self, (String, serde_json::Error)> {
        match members_of(&text) {
            Ok(members) => Ok(Self { text, members }),
            Err(error) => Err((text, error)),
        }
    }

    /// Reads the objects of a JSON array, each with its own bytes, in one pass.
    ///
    /// # Errors
    /// When it is anything else than an array of JSON objects.
    pub fn parse_all(array: &str) -> Result<Vec<Self>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(array);
        let objects = deserializer.deserialize_seq(Objects(array))?;
        deserializer.end()?;
        Ok(objects.into_iter().map(|members| Self::within(array, members)).collect())
    }

    /// The object within `text` whose members stand there. Between its braces and them
    /// there is nothing but space.
    fn within(text: &str, mut members: Vec<Member>) -> Self {
        let (Some(first), Some(last)) = (members.first(), members.last()) else { return Self::empty() };
        let start = text[..first.key.start].rfind('{').unwrap_or(first.key.start);
        let end = text[last.value.end..].find('}').map_or(text.len(), |after| last.value.end + after + 1);
        for place in members.iter_mut().flat_map(|member| [&mut member.key, &mut member.value]) {
            *place = place.start - start..place.end - start;
        }
        Self { text: text[start..end].to_owned(), members }
    }

    /// A record with no fields.
    pub fn empty() -> Self {
        Self { text: "{}".into(), members: Vec::new() }
    }

    /// A record of its own: what serializes to a JSON object.
    ///
    /// # Errors
    /// When the value is anything else.
    pub fn from_value(value: &impl Serialize) -> Result<Self, Failure> {
        Self::parse(json(value)?).map_err(|e| Failure::field(format!("not a JSON object: {e}")))
    }

    /// The same on one line: as it is, or without the space between its tokens when there
    /// are line breaks in it. Numbers and strings stay as they are written.
    #[must_use]
    pub fn on_one_line(self) -> Self {
        // Over the bytes twice costs a third of once over the characters.
        let holds = |byte: u8| self.text.as_bytes().contains(&byte);
        if !holds(b'\n') && !holds(b'\r') {
            return self;
        }
        Self::parse(without_space(&self.text)).unwrap_or(self)
    }

    /// The line, as it came or with our fields spliced in; no line end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The raw JSON of a top-level field. Of several with one name the last
    /// counts, as in jq. `None` when there is none.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.members
            .iter()
            .rev()
            .find(|member| self.is_named(member, name))
            .map(|member| &self.text[member.value.clone()])
    }

    /// A field's value; `None` when it is missing or null.
    ///
    /// # Errors
    /// When it holds another type; the message names the field and shows the value.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        match self.raw(name) {
            None | Some("null") => Ok(None),
            Some(raw) => serde_json::from_str(raw).map(Some).map_err(|e| {
                Failure::field(format!("{name} is {}: {}", shorten(raw), complaint::of_value(&e, raw)))
            }),
        }
    }

    /// A field's value where the tool can't go on without it; `from` says
    /// which tool adds it.
    ///
    /// # Errors
    /// When it is missing, null, or of another type.
    pub fn require<T: DeserializeOwned>(&self, name: &str, from: &str) -> Result<T, Failure> {
        self.get(name)?.ok_or_else(|| Failure::field(format!("no {name}: {from}")))
    }

    /// The text of a field that may be of any type: a string's contents, a
    /// number as written; `None` when it is missing, null, or not a scalar.
    pub fn text_of(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        match raw.as_bytes().first()? {
            b'"' => raw::text(raw).map(Cow::into_owned),
            b'n' | b'{' | b'[' => None,
            _ => Some(raw.to_owned()),
        }
    }

    /// Sets fields: in place where they stand already, else at the end. Every
    /// other byte of the line stays.
    pub fn set(&mut self, fields: &[Field<'_>]) {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let mut appended = String::new();
        let mut removed = vec![false; self.members.len()];
        for (name, value) in fields {
            let mut places = (0..self.members.len())
                .filter(|&i| self.is_named(&self.members[i], name))
                .collect::<Vec<_>>();
            if let Some(value) = value {
                if places.is_empty() {
                    appended.push(',');
                    appended.push_str(&quoted(name));
                    appended.push(':');
                    appended.push_str(value);
                } else {
                    edits.push((self.members[places.remove(0)].value.clone(), value.clone()));
                }
            }
            // What is left has the same name: duplicates, or a field to take away.
            places.into_iter().for_each(|i| removed[i] = true);
        }
        edits.extend(self.removals(&removed));
        let kept = removed.iter().filter(|&&gone| !gone).count();
        if !appended.is_empty() {
            let end = self.text.rfind('}').unwrap_or(self.text.len());
            let start = self.members.last().map_or(end, |last| last.value.end);
            // Spaces before the brace stay where they are; the comma follows the last member.
            let added = if kept == 0 { appended.split_off(1) } else { appended };
            edits.push((start..start, added));
        }
        self.apply(edits);
    }

    /// Marks the record as one that a tool could not serve.
    pub fn mark(&mut self, tool: &str, failure: &Failure) {
        // Three strings always have a JSON form.
        let mark = serde_json::to_string(&Mark::new(tool, failure)).unwrap_or_default();
        self.set(&[("error", Some(mark))]);
    }

    /// Whether a tool before us could not serve this record. Any `error` that [marks](is_mark)
    /// counts, whoever wrote it.
    pub fn is_marked(&self) -> bool {
        self.raw("error").is_some_and(is_mark)
    }

    /// Whether it is what a tool has made of a line that holds no record: a mark and
    /// nothing else.
    pub fn is_mark_alone(&self) -> bool {
        self.members.len() == 1 && self.is_marked()
    }

    /// The mark, as far as it can be read.
    pub fn failure(&self) -> Option<Mark> {
        let raw = self.raw("error").filter(|raw| is_mark(raw))?;
        Some(serde_json::from_str(raw).unwrap_or_else(|_| Mark {
            tool: "unknown".into(),
            kind: "unknown".into(),
            message: shorten(raw),
        }))
    }

    /// The room the recording belongs to: `grouping_sids.room_sid`.
    pub fn room_sid(&self) -> Option<String> {
        self.grouped_by("room_sid")
    }

    /// The participant who was recorded: `grouping_sids.participant_sid`.
    pub fn participant_sid(&self) -> Option<String> {
        self.grouped_by("participant_sid")
    }

    /// Each by itself: a participant that can't be read must not cost the recording its room.
    fn grouped_by(&self, name: &str) -> Option<String> {
        raw::text(raw::member(self.raw("grouping_sids")?, name)?).map(Cow::into_owned)
    }

    /// How messages call this record: its SID, with the track's name and type
    /// where they say more; for a job, its room; for a record without a SID, its path,
    /// track name or room.
    pub fn label(&self) -> String {
        let mut aside: Vec<String> = ["participant_identity", "track_name", "type"]
            .iter()
            .filter_map(|name| self.said(name))
            .collect();
        // People often name their track after themselves.
        aside.dedup();
        match (self.name(), aside.is_empty()) {
            (Some(name), true) => name,
            (Some(name), false) => format!("{name} ({})", aside.join(", ")),
            (None, false) => aside.join(", "),
            (None, true) => match self.room_sid() {
                Some(room) => format!("room {room}"),
                // A job of recordings that name no room.
                None if self.raw("room_sid").is_some() => "a room without a SID".into(),
                None => "a record without a sid".into(),
            },
        }
    }

    /// What it can be found by: its SID, its room's if it is a job, or its file.
    pub fn name(&self) -> Option<String> {
        ["sid", "room_sid", "path"].iter().find_map(|name| self.said(name))
    }

    /// The text of a field that holds some, on one line: it may come from a stranger.
    fn said(&self, name: &str) -> Option<String> {
        self.text_of(name).filter(|text| !text.is_empty()).map(|text| escaped(&text))
    }

    fn is_named(&self, member: &Member, name: &str) -> bool {
        raw::is_name(&self.text[member.key.clone()], name)
    }

    /// The cuts that take members away, each with one of the commas beside it.
    fn removals(&self, removed: &[bool]) -> Vec<(Range<usize>, String)> {
        let mut cuts = Vec::new();
        let mut kept_before = false;
        for (i, member) in self.members.iter().enumerate() {
            if !removed[i] {
                kept_before = true;
            } else if kept_before {
                cuts.push((self.members[i - 1].value.end..member.value.end, String::new()));
            } else {
                let end = self.members.get(i + 1).map_or(member.value.end, |next| next.key.start);
                cuts.push((member.key.start..end, String::new()));
            }
        }
        cuts
    }

    fn apply(&mut self, mut edits: Vec<(Range<usize>, String)>) {
        if edits.is_empty() {
            return;
        }
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut text =
            String::with_capacity(self.text.len() + edits.iter().map(|(_, s)| s.len()).sum::<usize>());
        let mut from = 0;
        for (range, replacement) in edits {
            text.push_str(&self.text[from..range.start]);
            text.push_str(&replacement);
            from = range.end;
        }
        text.push_str(&self.text[from..]);
        // Splicing JSON into JSON at the borders of members gives JSON.
        self.members = members_of(&text).unwrap_or_default();
        self.text = text;
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name as a JSON string.
fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The extents of the top-level members of the object in `text`.
fn members_of(text: &str) -> Result<Vec<Member>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Members(text).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(members)
}

/// Reads where the members of an object stand in this text.
struct Members<'t>(&'t str);

impl<'de> DeserializeSeed<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(24);
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Member { key: extent(self.0, key.get()), value: extent(self.0, value.get()) });
        }
        Ok(members)
    }
}

/// The same for each object of an array.
struct Objects<'t>(&'t str);

impl<'de> Visitor<'de> for Objects<'de> {
    type Value = Vec<Vec<Member>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of JSON objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::new();
        while let Some(members) = seq.next_element_seed(Members(self.0))? {
            objects.push(members);
        }
        Ok(objects)
    }
}

/// Where `part`, a slice of `whole`, stands in it.
fn extent(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// Whether the raw JSON of an `error` field marks its record: what jq's `select(.error)` takes.
pub fn is_mark(raw: &str) -> bool {
    !matches!(raw, "null" | "false")
}

/// JSON without the space between its tokens; numbers and strings stay as they are written.
pub fn without_space(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            (in_string, escaped) = (c != '"' || escaped, c == '\\' && !escaped);
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pretty_record_comes_onto_one_line() {
        let pretty = "{\n  \"a\" : 1.50e+3,\r\n\t\"b \\\" \\\\\": [ \" x \", null ]\n}";
        assert_eq!(
            Record::parse(pretty).unwrap().on_one_line().as_str(),
            "{\"a\":1.50e+3,\"b \\\" \\\\\":[\" x \",null]}"
        );
        let spaced = r#"{ "a" : 1 }"#;
        assert_eq!(Record::parse(spaced).unwrap().on_one_line().as_str(), spaced);
    }

    #[test]
    fn a_mark_is_what_jq_selects() {
        for (text, marked, alone) in [
            (r#"{"error":{"kind":"x"}}"#, true, true),
            (r#"{"error":0}"#, true, true),
            (r#"{"error":"","path":"a"}"#, true, false),
            (r#"{"error":null}"#, false, false),
            (r#"{"error":false}"#, false, false),
            ("{}", false, false),
        ] {
            let record = Record::parse(text).unwrap();
            assert_eq!((record.is_marked(), record.is_mark_alone()), (marked, alone), "{text}");
            assert_eq!(record.failure().is_some(), marked, "{text}");
        }
    }
    use proptest::prelude::*;

    fn record(text: &str) -> Record {
        Record::parse(text).unwrap()
    }

    #[test]
    fn foreign_fields_stay_byte_for_byte() {
        let mut r = record(r#"{ "offset" : 163481005731000000000, "x": 1.50e+3, "u": {"b" :1,"a":[ ]} }"#);
        r.set(&[("path", Some(quoted("a.mka"))), ("bytes", Some("12".into()))]);
        assert_eq!(
            r.as_str(),
            r#"{ "offset" : 163481005731000000000, "x": 1.50e+3, "u": {"b" :1,"a":[ ]},"path":"a.mka","bytes":12 }"#
        );
    }

    #[test]
    fn own_fields_are_replaced_in_place() {
        let mut r = record(r#"{"path":"old","sid":"RT1","path":"older"}"#);
        r.set(&[("path", Some(quoted("new")))]);
        assert_eq!(r.as_str(), r#"{"path":"new","sid":"RT1"}"#);
        let once = r.clone();
        r.set(&[("path", Some(quoted("new")))]);
        assert_eq!(r, once);
    }

    #[test]
    fn a_field_can_be_taken_away_wherever_it_stands() {
        for (text, left) in [
            (r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2,"c":3}"#),
            (r#"{"b":2, "a":1 ,"c":3}"#, r#"{"b":2 ,"c":3}"#),
            (r#"{"b":2,"a":1}"#, r#"{"b":2}"#),
            (r#"{"a":1}"#, "{}"),
            (r#"{"a":1,"a":2,"b":2}"#, r#"{"b":2}"#),
            (r#"{"a":1,"a":2}"#, "{}"),
        ] {
            let mut r = record(text);
            r.set(&[("a", None)]);
            assert_eq!(r.as_str(), left, "from {text}");
        }
    }

    #[test]
    fn removing_all_and_appending_makes_an_object_still() {
        let mut r = record(r#"{"a":1}"#);
        r.set(&[("a", None), ("b", Some("2".into()))]);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(r.as_str()).unwrap(),
            serde_json::json!({"b": 2})
        );
        let mut r = Record::empty();
        r.set(&[("b", Some("2".into()))]);
        assert_eq!(r.as_str(), r#"{"b":2}"#);
    }

    #[test]
    fn escaped_names_are_recognized() {
        let r = record(r#"{"\u0073id":"RT1"}"#);
        assert_eq!(r.text_of("sid").as_deref(), Some("RT1"));
    }

    #[test]
    fn room_and_participant_are_read_each_by_itself() {
        for (grouping, room, participant) in [
            (r#"{"room_sid":"RM1","participant_sid":"PA1"}"#, Some("RM1"), Some("PA1")),
            (r#"{"room_sid":"RM1","participant_sid":5,"room_sid":"RM2"}"#, Some("RM2"), None),
            (
                r#"{"room_sid":"RM1","\ud800":"\ud800","participant_sid":"P\ud800"}"#,
                Some("RM1"),
                Some("P\u{fffd}"),
            ),
            (r#"["RM1","PA1"]"#, None, None),
            ("null", None, None),
        ] {
            let r = record(&format!(r#"{{"grouping_sids":{grouping}}}"#));
            let read = (r.room_sid(), r.participant_sid());
            assert_eq!((read.0.as_deref(), read.1.as_deref()), (room, participant), "{grouping}");
        }
    }

    #[test]
    fn half_a_character_costs_a_text_no_more_than_that() {
        let r = record(r#"{"sid":"RT1","track_name":"alice\ud83d","\ud83d":1}"#);
        assert_eq!(r.text_of("track_name").as_deref(), Some("alice\u{fffd}"));
        assert_eq!(r.label(), "RT1 (alice\u{fffd})");
    }

    #[test]
    fn only_an_object_is_a_record() {
        for text in ["", "[1]", "7", "\"x\"", "{", "{}x", "{\"a\":1,}", "null"] {
            assert!(Record::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_arrays_objects_are_the_same_as_read_one_by_one() {
        let rows = [
            r#"{"a":1}"#,
            "{}",
            "{ \"a\" :\n[ {\"}\":1 } ], \"{\":{} , \"\\u0061\" : \"}{\"\t}",
            r#"{"a":{"b":[]}}"#,
        ];
        let array = format!(" [ {} ]\n", rows.join(" ,\t"));
        assert_eq!(Record::parse_all(&array).unwrap(), rows.map(record));
        assert!(Record::parse_all("[]").unwrap().is_empty());
        for text in ["", "{}", "null", "[1]", "[{},null]", "[{}]x", "[{},]", "[{}", "[[]]"] {
            assert!(Record::parse_all(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_type_names_the_field_and_the_value() {
        let r = record(r#"{"offset":1.5,"huge":99999999999999999999,"none":null}"#);
        assert_eq!(r.get::<i64>("offset").unwrap_err().message, "offset is 1.5: should be a whole number");
        assert!(r.get::<i64>("huge").is_err());
        assert_eq!(r.get::<i64>("none").unwrap(), None);
        assert_eq!(
            r.require::<i64>("gone", "run tw-probe first").unwrap_err().message,
            "no gone: run tw-probe first"
        );
    }

    #[test]
    fn a_label_is_one_line_whatever_the_names_are() {
        let label = |text| record(text).label();
        assert_eq!(label(r#"{"sid":"RT1","track_name":"a\nb\u202e"}"#), "RT1 (a\\nb\\u{202e})");
        assert_eq!(label(r#"{"path":"","type":"audio"}"#), "audio");
        assert_eq!(label(r#"{"path":""}"#), "a record without a sid");
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_is_lost() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let mut r = record(&deep);
        r.set(&[("b", Some("1".into()))]);
        assert_eq!(r.as_str(), format!("{},\"b\":1}}", &deep[..deep.len() - 1]));
    }

    proptest! {
        #[test]
        fn setting_touches_nothing_else(
            map in proptest::collection::vec(("[a-f]{1,2}", any::<i64>()), 0..6),
            name in "[a-f]{1,2}",
            value in any::<i64>(),
        ) {
            let text = format!("{{{}}}", map.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(","));
            let before = record(&text);
            let mut r = before.clone();
            r.set(&[(&name, Some(value.to_string()))]);
            prop_assert_eq!(r.get::<i64>(&name).unwrap(), Some(value));
            for (k, _) in map.iter().filter(|(k, _)| *k != name) {
                prop_assert_eq!(r.raw(k), before.raw(k));
            }
            let again = r.clone();
            r.set(&[(&name, Some(value.to_string()))]);
            prop_assert_eq!(r, again);
        }
    }
}
