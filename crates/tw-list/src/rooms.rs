//! Which rooms to list: from flags and from lines.

use tw_core::http::is_sid;
use tw_core::input::Line;
use tw_core::{ErrorKind, Failure, Record};

/// For whoever gives a room's name, which the API doesn't take here.
const NO_SID: &str = "a room's SID is RM and 32 hexadecimal digits, not the room's name; \
                                 the Twilio console, or GET /v1/Rooms?UniqueName=…, shows it";

/// Why this is no room's SID.
pub(crate) fn no_sid(text: &str) -> &'static str {
    if is_sid("RT", text) {
        "a recording's SID, and no room's: tw-fetch takes it, on stdin"
    } else if is_sid("RM", &text.to_ascii_uppercase()) {
        "a room's SID begins with RM, in capitals"
    } else {
        NO_SID
    }
}

/// What a line of `--rooms` holds.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A room to list.
    Room(String),
    /// A record that a tool before us has marked.
    Marked(Record),
}

/// Reads a line: a SID, or a record whose `sid` is a room's. A record without any
/// `sid` that names its room will do too: so a room whose list broke off is written,
/// and it should be easy to list it again.
pub(crate) fn entry(line: Line) -> Result<Entry, (Record, Failure)> {
    let place = line.place.clone();
    let wrong = |record, what: String| (record, Failure::new(ErrorKind::Input, format!("{place}: {what}")));
    let text = line.bytes.trim_ascii();
    if text.first() != Some(&b'{') {
        let text = String::from_utf8_lossy(text);
        if is_sid("RM", &text) {
            return Ok(Entry::Room(text.into_owned()));
        }
        let shown: String = text.chars().take(40).collect();
        return Err(wrong(Record::empty(), format!("{shown:?}: {}", no_sid(&text))));
    }
    let record = line.record().map_err(|failure| (Record::empty(), failure))?;
    if record.is_marked() {
        return Ok(Entry::Marked(record));
    }
    match record.text_of("sid").or_else(|| record.room_sid()) {
        Some(sid) if is_sid("RM", &sid) => Ok(Entry::Room(sid)),
        _ => Err(wrong(record, format!("no room in this record: {NO_SID}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tw_core::input::Place;

    const ROOM: &str = "RM0123456789abcdef0123456789abcdef";

    fn read(text: &str) -> Result<Entry, (Record, Failure)> {
        entry(Line { place: Place { source: "rooms".into(), line: 7 }, bytes: text.as_bytes().to_vec() })
    }

    #[test]
    fn a_room_is_a_sid_or_a_record_with_one() {
        for text in [
            ROOM.to_owned(),
            format!("  {ROOM}\t"),
            format!(r#"{{"sid":"{ROOM}","x":1}}"#),
            format!(r#"{{"grouping_sids":{{"room_sid":"{ROOM}"}}}}"#),
        ] {
            assert!(matches!(read(&text), Ok(Entry::Room(sid)) if sid == ROOM), "{text}");
        }
        assert!(matches!(read(r#"{"error":{}}"#), Ok(Entry::Marked(_))));
    }

    #[test]
    fn anything_else_says_where_it_stood() {
        for text in ["my-room", "[1]", "{}", "{", r#"{"sid":"RT0123456789abcdef0123456789abcdef"}"#] {
            let (_, failure) = read(text).unwrap_err();
            assert_eq!(failure.kind, ErrorKind::Input);
            assert!(failure.message.starts_with("rooms:7: "), "{}", failure.message);
        }
    }
}
