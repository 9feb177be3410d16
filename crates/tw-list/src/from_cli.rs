//! What the Twilio CLI prints, as records.
//!
//! `twilio api:video:v1:recordings:list -o json` prints one array over many lines,
//! whose fields have other names than the REST API's: `trackName` for `track_name`.
//! Objects without a fixed form (`groupingSids`, `links`) keep the API's names
//! inside, and times get milliseconds (`…00.000Z`). Everything else is the same.

use std::fmt;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tw_core::filter::{Outcome, Sink};
use tw_core::http::is_sid;
use tw_core::output::Output;
use tw_core::record::without_space;
use tw_core::{Common, ErrorKind, Failure, Record, Status, input, messages};

/// What it should have been, for whoever gave something else.
const WANT: &str = "want what `twilio api:video:v1:recordings:list -o json` prints";

/// Writes the recordings of a file, or of stdin for `-`, as records.
///
/// # Errors
/// When it can't be read or isn't one JSON array, and when stdout is closed or full.
pub(crate) fn run(file: &Path, common: &Common) -> anyhow::Result<Status> {
    let (mut reader, place) = input::open(file)?;
    let mut text = String::new();
    reader.read_to_string(&mut text).with_context(|| format!("cannot read {}", place.source))?;
    let mut output = Output::default();
    let mut sink = Sink::new(&mut output, common);
    for (number, item) in items(&text).with_context(|| place.source.clone())?.into_iter().enumerate() {
        let outcome = match record(item) {
            Ok(record) => Outcome::Served(record),
            Err(what) => {
                let what = format!("{}, recording {}: {what}: {WANT}", place.source, number + 1);
                Outcome::Failed(Record::empty(), Failure::new(ErrorKind::Input, what))
            }
        };
        if sink.write(outcome)?.is_break() {
            break;
        }
    }
    Ok(sink.finish()?)
}

/// The array's items. The CLI prints nothing at all for an empty list.
fn items(text: &str) -> anyhow::Result<Vec<&RawValue>> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        messages::warn("no recordings came from the Twilio CLI");
        return Ok(Vec::new());
    }
    if !text.starts_with('[') {
        bail!("not a JSON array: {WANT}");
    }
    serde_json::from_str(text).map_err(|e| anyhow::anyhow!("not a JSON array ({e}): {WANT}"))
}

/// One recording with the API's names, on one line.
fn record(item: &RawValue) -> Result<Record, String> {
    let Members(members) = serde_json::from_str(item.get()).map_err(|_| "not an object".to_owned())?;
    let fields: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{}", api_name(name.get()), without_space(value.get())))
        .collect();
    let record = Record::parse(format!("{{{}}}", fields.join(","))).map_err(|e| e.to_string())?;
    match record.text_of("sid") {
        Some(sid) if is_sid("RT", &sid) => Ok(record),
        Some(sid) => Err(format!("sid is {sid:?}, not a recording's")),
        None => Err("no sid".into()),
    }
}

/// An object's members in their order, as they were written.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A raw key as the API names it. One with half a surrogate pair in it isn't the API's: it stays.
fn api_name(key: &str) -> String {
    match serde_json::from_str::<String>(key) {
        Ok(name) => serde_json::Value::from(snake_case(&name)).to_string(),
        Err(_) => key.to_owned(),
    }
}

/// `trackName` as `track_name`; names that are so already stay.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(text: &str) -> Result<String, String> {
        record(serde_json::from_str(text).unwrap()).map(|record| record.as_str().to_owned())
    }

    #[test]
    fn names_become_the_apis_and_values_stay() {
        let printed = r#"{
          "accountSid": "AC1", "sid": "RT00000000000000000000000000000001",
          "trackName": "a \"b\\", "offset": 9223372036854775807, "size": 1.0e3,
          "groupingSids": {
            "room_sid": "RM1",
            "participant_sid": "PA 1"
          },
          "mediaExternalLocation": null
        }"#;
        assert_eq!(
            converted(printed).unwrap(),
            "{\"account_sid\":\"AC1\",\"sid\":\"RT00000000000000000000000000000001\",\
             \"track_name\":\"a \\\"b\\\\\",\"offset\":9223372036854775807,\"size\":1.0e3,\
             \"grouping_sids\":{\"room_sid\":\"RM1\",\"participant_sid\":\"PA 1\"},\
             \"media_external_location\":null}"
        );
    }

    #[test]
    fn half_a_character_costs_no_recording() {
        let sid = "RT00000000000000000000000000000001";
        let printed = format!(r#"{{"\uD83D x": "\uD83D", "s\u0069d": "{sid}", "trackName": "\uDE00"}}"#);
        let expected = format!(r#"{{"\uD83D x":"\uD83D","sid":"{sid}","track_name":"\uDE00"}}"#);
        assert_eq!(converted(&printed).unwrap(), expected);
    }

    #[test]
    fn what_is_no_recording_says_so() {
        assert_eq!(converted("7").unwrap_err(), "not an object");
        assert_eq!(converted("{}").unwrap_err(), "no sid");
        assert!(converted(r#"{"sid":"RM1"}"#).unwrap_err().contains("not a recording's"));
    }

    #[test]
    fn only_an_array_is_taken() {
        assert_eq!(items(" [\n] ").unwrap().len(), 0);
        assert_eq!(items("").unwrap().len(), 0);
        for text in ["{}", "[1", "recordings"] {
            assert!(items(text).unwrap_err().to_string().contains("not a JSON array"), "{text}");
        }
    }
}
