//! What a record says about its media.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tw_core::http::{Client, HttpError, is_sid};
use tw_core::input::Line;
use tw_core::text::cut;
use tw_core::{ErrorKind, Failure, Record};
use url::Url;

use crate::twilio::Twilio;

/// So long after a participant has left, media may still be on its way: seconds, mostly.
const LATE: SignedDuration = SignedDuration::from_mins(10);
/// The longest recording: Twilio lets no participant stay for more than a day.
const LONGEST: i64 = 24 * 60 * 60;

/// The record on a line; for a plain SID, or a record that holds nothing but one,
/// Twilio's own.
///
/// `looked_up` is told what came from Twilio.
///
/// # Errors
/// What goes on in its place, and why.
pub(crate) fn read(
    twilio: &Twilio,
    line: Line,
    looked_up: impl FnOnce(&Record),
) -> Result<Record, (Record, Failure)> {
    let text = std::str::from_utf8(line.bytes.trim_ascii()).unwrap_or_default();
    if is_sid("RT", text) {
        return look_up(twilio, text).inspect(looked_up);
    }
    if is_sid("RM", text) {
        let what = format!("{}: {text} is a room: list its recordings with tw-list", line.place);
        return Err((Record::empty(), Failure::new(ErrorKind::Input, what)));
    }
    if is_sid("rt", text) {
        let what = format!("{}: {text}: a recording's SID begins with RT, in capitals", line.place);
        return Err((Record::empty(), Failure::new(ErrorKind::Input, what)));
    }
    if text.get(..2).is_some_and(|kind| kind.eq_ignore_ascii_case("rt")) {
        let shown = cut(text, 40);
        let what = format!("{}: {shown}: a recording's SID is RT and 32 hexadecimal digits", line.place);
        return Err((Record::empty(), Failure::new(ErrorKind::Input, what)));
    }
    let record = line.record().map_err(|failure| (Record::empty(), failure))?;
    match serde_json::from_str::<Lone>(record.as_str()) {
        Ok(Lone { sid }) if is_sid("RT", &sid) => look_up(twilio, &sid).inspect(looked_up),
        _ => Ok(record),
    }
}

/// A record that holds a SID and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lone {
    sid: String,
}

fn look_up(twilio: &Twilio, sid: &str) -> Result<Record, (Record, Failure)> {
    let found = twilio.client().and_then(|client| {
        client.json(&resource(client, sid)).map_err(|error| match error.status() {
            Some(404) => Failure::new(ErrorKind::NotFound, "there is no such recording in this account"),
            _ => error.into(),
        })
    });
    let found = found.and_then(|record| {
        if record.text_of("sid").as_deref() == Some(sid) {
            return Ok(record);
        }
        let what = "Twilio's answer is not about this recording: is a proxy in between?";
        Err(Failure::new(ErrorKind::Http, what))
    });
    found.map(Record::on_one_line).map_err(|failure| {
        let mut record = Record::empty();
        record.set(&[("sid", Some(serde_json::Value::from(sid).to_string()))]);
        (record, failure)
    })
}

/// The address of a recording's metadata.
fn resource(client: &Client, sid: &str) -> Url {
    client.base().join(&["v1", "Recordings", sid], &[])
}

/// The recording's SID.
///
/// # Errors
/// When there is none, or something else in its place.
pub(crate) fn sid(record: &Record) -> Result<String, Failure> {
    let sid: String = record.require("sid", "want recordings, from tw-list")?;
    if is_sid("RT", &sid) {
        return Ok(sid);
    }
    if is_sid("RM", &sid) {
        return Err(Failure::field("sid is a room's: list its recordings with tw-list"));
    }
    Err(Failure::field(format!("sid is {sid:?}: a recording's is RT and 32 hexadecimal digits")))
}

/// Twilio's `size` in bytes; `None` where it is missing, null or 0, as it is for
/// recordings that weren't complete when they were listed.
///
/// # Errors
/// When it is no number of bytes.
pub(crate) fn size(record: &Record) -> Result<Option<u64>, Failure> {
    Ok(record.get::<u64>("size")?.filter(|size| *size > 0))
}

/// What a record that has yet to be served adds to the bytes to come: for people to see.
pub(crate) fn announced(record: &Record) -> u64 {
    if record.is_marked() { 0 } else { size(record).ok().flatten().unwrap_or(0) }
}

/// The same of a line, before it is read for good: so that the total is known early.
pub(crate) fn announced_on(line: &Line) -> u64 {
    let record = std::str::from_utf8(&line.bytes).ok().and_then(|text| Record::parse(text).ok());
    record.as_ref().map_or(0, announced)
}

/// Whether the media can be had at all, as far as the record says.
///
/// # Errors
/// Why not, and what to do.
pub(crate) fn check(record: &Record) -> Result<(), Failure> {
    let why = match record.text_of("status").as_deref() {
        Some("processing") => {
            (ErrorKind::NotReady, "it was still processing when it was listed: list it again in a while")
        }
        Some("deleted") => (ErrorKind::NotFound, "it has been deleted: Twilio has no media of it"),
        Some("failed") => (ErrorKind::NotFound, "Twilio could not record it: there is no media of it"),
        _ => return Ok(()),
    };
    Err(Failure::new(why.0, why.1))
}

/// Whether it ended so recently that its media may still be on its way; also where the
/// record doesn't say when that was.
pub(crate) fn has_just_ended(record: &Record, now: Timestamp) -> bool {
    let date = |name: &str| record.text_of(name)?.parse::<Timestamp>().ok();
    let duration = record.get::<i64>("duration").ok().flatten().filter(|seconds| *seconds > 0);
    let duration = SignedDuration::from_secs(duration.unwrap_or(LONGEST));
    let ended = date("date_created").and_then(|created| created.checked_add(duration).ok());
    let last = ended.max(date("date_updated"));
    last.is_none_or(|last| now.duration_since(last) <= LATE)
}

/// Which of the user's public keys the media was encrypted for (CR…); `None` where it wasn't.
pub(crate) fn encryption_key(record: &Record) -> Option<String> {
    said(record, "encryption_key")
}

/// Where in the user's own bucket the media is; `None` where Twilio has it.
pub(crate) fn external_location(record: &Record) -> Option<String> {
    said(record, "media_external_location")
}

/// What a field says, when it says anything.
fn said(record: &Record, name: &str) -> Option<String> {
    let raw = record.raw(name).filter(|raw| *raw != "null" && *raw != "\"\"")?;
    Some(record.text_of(name).unwrap_or_else(|| raw.to_owned()))
}

/// The address that leads to the media: `links.media`, or where it always is.
///
/// # Errors
/// When the record names another host, to which the credentials must not go.
pub(crate) fn media(client: &Client, record: &Record, sid: &str) -> Result<Url, Failure> {
    #[derive(Deserialize)]
    struct Links {
        media: Option<String>,
    }
    match record.get::<Links>("links")?.and_then(|links| links.media) {
        Some(media) => {
            let media = client.base().own(&media)?;
            if media.path_segments().is_none_or(|mut segments| !segments.any(|segment| segment == sid)) {
                return Err(Failure::field(
                    "links.media leads to something else than this recording's media",
                ));
            }
            Ok(media)
        }
        None => Ok(client.base().join(&["v1", "Recordings", sid, "Media"], &[])),
    }
}

/// Why Twilio has no media of a recording, and whether that is for good.
pub(crate) fn without_media(client: &Client, sid: &str, error: &HttpError) -> (Failure, bool) {
    let status = match client.json(&resource(client, sid)) {
        Ok(record) => record.text_of("status").unwrap_or_default(),
        Err(gone) if gone.status() == Some(404) => "gone".into(),
        // Then we know as much as before.
        Err(_) => String::new(),
    };
    let (kind, why) = match status.as_str() {
        "processing" => (ErrorKind::NotReady, "it is still being processed: try again in a while"),
        "deleted" => (ErrorKind::NotFound, "it has been deleted"),
        "gone" => (ErrorKind::NotFound, "this account has no such recording, or has it no more"),
        "failed" => (ErrorKind::NotFound, "Twilio could not record it"),
        _ => (
            ErrorKind::NotFound,
            "it is still being prepared (try again in a minute), has been deleted, or its track was muted throughout",
        ),
    };
    let for_good = matches!(status.as_str(), "deleted" | "gone" | "failed");
    (Failure::new(kind, format!("no media: {why}; {error}")), for_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_long_ago_has_not_just_ended() {
        let now = "2026-02-01T12:00:00Z".parse().unwrap();
        for (fields, just_ended) in [
            (r#""date_created":"2026-02-01T11:00:00Z","duration":60"#, false),
            (r#""date_created":"2026-02-01T11:00:00Z","duration":3599"#, true),
            (r#""date_created":"2026-02-01T11:50:00Z","duration":1"#, true),
            (r#""date_created":"2026-02-01T11:49:58Z","duration":1"#, false),
            // The machine's clock may be slow.
            (r#""date_created":"2026-02-01T12:30:00Z","duration":1"#, true),
            // As for one that ran when it was listed.
            (r#""date_created":"2026-02-01T11:00:00Z","duration":null"#, true),
            (r#""date_created":"2026-02-01T11:00:00Z","duration":0"#, true),
            (r#""date_created":"2026-01-31T11:00:00Z""#, false),
            (
                r#""date_created":"2026-01-15T11:00:00Z","duration":60,"date_updated":"2026-02-01T11:59:00Z""#,
                true,
            ),
            (r#""date_updated":"2026-02-01T12:30:00+02:00""#, false),
            (r#""date_created":"yesterday","duration":"long""#, true),
            (r#""duration":9223372036854775807"#, true),
            (r#""x":0"#, true),
        ] {
            let record = Record::parse(format!("{{{fields}}}")).unwrap();
            assert_eq!(has_just_ended(&record, now), just_ended, "{fields}");
        }
    }
}
