//! What the records say about a room: its tracks, and when each of them runs.

use std::path::PathBuf;

use serde::Deserialize;
use tw_core::failure::Failure;
use tw_core::record::Record;

use crate::layout::Size;
use crate::time::Millis;

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Sound: an `.mka`.
    Audio,
    /// Picture: an `.mkv`.
    Video,
}

/// A span of time, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub from: Millis,
    /// When it has ended.
    pub to: Millis,
}

impl Span {
    /// How long it is.
    pub fn lasts(self) -> Millis {
        self.to - self.from
    }

    /// Whether both run at some time.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// One recording of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// `RT…`, if the record has it.
    pub sid: Option<String>,
    /// `MT…`, the track that was recorded.
    pub source_sid: Option<String>,
    /// `PA…`.
    pub participant_sid: Option<String>,
    /// The participant's name, where it was asked for.
    pub identity: Option<String>,
    /// The track's name.
    pub name: Option<String>,
    /// Sound or picture.
    pub kind: Kind,
    /// Where the media is.
    pub path: PathBuf,
    /// How many bytes of it tw-fetch has fetched, if it has.
    pub bytes: Option<u64>,
    /// The container's start time, on the recording's own clock.
    pub start_time: Millis,
    /// When it runs, on the room's timeline: from its first packet until the last one has lasted
    /// as long as its packets usually do.
    pub span: Span,
    /// Spans without packets within it, on the room's timeline.
    pub gaps: Vec<Span>,
    /// How many packets there are, if known.
    pub packets: Option<u64>,
    /// Channels of the sound, if known.
    pub channels: Option<u32>,
    /// Whether the file has an index, so that reading may begin in its middle.
    pub seekable: bool,
    /// Whether decoding can't begin at each of its key frames.
    pub needs_earlier_key_frames: bool,
    /// Whether the file is known to begin with a frame that can be decoded by itself.
    pub begins_with_key_frame: bool,
    /// The least width and height that the picture has, if known: sizes change in mid-stream.
    pub smallest: Option<Size>,
    /// The longest time from a packet to the next, if known.
    pub frame_interval_max: Option<Millis>,
    /// The longest time from a key frame to the next, if known.
    pub key_frame_interval_max: Option<Millis>,
}

impl Track {
    /// Who is seen or heard: the identity, which stays the same after a rejoin,
    /// else the participant, else the track's name, else the recording.
    pub fn participant(&self) -> String {
        [&self.identity, &self.participant_sid, &self.name, &self.sid]
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_else(|| self.path.display().to_string())
    }

    /// Whether reading can only begin at its start: no index names a key frame before zero,
    /// and what follows that one would be lost; or key frames need earlier ones.
    pub fn is_read_from_its_start(&self) -> bool {
        self.kind == Kind::Video && (self.start_time < Millis::ZERO || self.needs_earlier_key_frames)
    }

    /// Whether reading may begin in its middle. In a file without an index ffmpeg reads, but doesn't
    /// decode, until it finds the place (measured with 5.1 and 9.0: an hour of VP8 in a tenth of a
    /// second). It has to know where that is, so not before the first key frame.
    pub fn can_be_sought_in(&self) -> bool {
        self.seekable || self.kind == Kind::Audio || self.begins_with_key_frame
    }

    /// What to call the recording in a message: its SID or file, and whose it is.
    pub fn label(&self) -> String {
        let which = self.sid.clone().unwrap_or_else(|| self.path.display().to_string());
        format!("{which} ({})", self.caption())
    }

    /// How a list of sources calls it, which knows no identities.
    pub fn source_name(&self) -> String {
        let names = [&self.name, &self.participant_sid, &self.source_sid, &self.sid];
        let name = names.into_iter().flatten().find(|text| !text.is_empty());
        name.cloned().unwrap_or_else(|| self.caption())
    }

    /// How people call it: identity or track name, else a SID.
    pub fn caption(&self) -> String {
        [&self.identity, &self.name, &self.participant_sid, &self.sid]
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .cloned()
            .unwrap_or_else(|| self.path.display().to_string())
    }
}

/// The recordings of one room that can be shown or heard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// `RM…`; `None` for records without one, which form one group.
    pub sid: Option<String>,
    /// In the order of the records.
    pub tracks: Vec<Track>,
}

/// What became of a record on its way into a room.
#[derive(Debug)]
pub enum Read {
    /// A track to show or to hear.
    Track(Box<Track>),
    /// Nothing to show or to hear: a data track, or a file without a packet. Why, for people.
    PassedOver(&'static str),
}

impl Room {
    /// How messages call one that has no SID.
    pub const NAMELESS: &str = "a room without a SID";

    /// How messages call it.
    pub fn label(&self) -> &str {
        self.sid.as_deref().unwrap_or(Self::NAMELESS)
    }

    /// When the last track has ended.
    pub fn end(&self) -> Millis {
        self.tracks.iter().map(|track| track.span.to).max().unwrap_or_default()
    }
}

/// A stream as tw-probe describes it; only what is needed here.
#[derive(Debug, Default, Deserialize)]
struct Stream {
    codec_type: Option<String>,
    channels: Option<u32>,
    packets: Option<u64>,
    frame_interval_ms: Option<f64>,
    frame_interval_max_ms: Option<f64>,
    key_frame_interval_max_ms: Option<f64>,
    start_time_ms: Option<i64>,
    #[serde(default)]
    seekable: bool,
    independent_key_frames: Option<bool>,
    #[serde(default)]
    gaps: Vec<Gap>,
    sizes: Option<Vec<SizeFrom>>,
}

impl Stream {
    /// tw-probe reads the sizes from key frames.
    fn begins_with_key_frame(&self) -> bool {
        let first = self.sizes.iter().flatten().next();
        first.zip(self.start_time_ms).is_some_and(|(size, start)| size.at_ms <= start)
    }

    fn smallest(&self) -> Option<Size> {
        let sizes = || self.sizes.iter().flatten();
        let width = sizes().map(|size| size.width).min()?;
        Some(Size { width, height: sizes().map(|size| size.height).min()? })
    }
}

/// A gap as tw-probe describes it, on the recording's own clock.
#[derive(Debug, Deserialize)]
struct Gap {
    start_ms: i64,
    end_ms: i64,
}

/// A size that a key frame tells, as tw-probe describes it, on the recording's own clock.
#[derive(Debug, Deserialize)]
struct SizeFrom {
    at_ms: i64,
    width: u32,
    height: u32,
}

/// How long a last packet is taken to last when the record doesn't say: Opus'
/// packets in WebRTC have 20 ms (RFC 7587, section 4.2), cameras 30 frames a second.
const USUAL_PACKET: [(Kind, i64); 2] = [(Kind::Audio, 20), (Kind::Video, 33)];
/// A single frame, or one after a long pause, isn't shown for longer than this.
const LONGEST_PACKET_MS: f64 = 1000.0;

/// Reads one record.
///
/// # Errors
/// When a field is missing or wrong; the message says which tool adds it.
pub fn read(record: &Record) -> Result<Read, Failure> {
    let streams: Vec<Stream> = record.get("streams")?.unwrap_or_default();
    let Some(kind) = kind(record, &streams)? else {
        return Ok(Read::PassedOver("data tracks"));
    };
    let empty = !streams.is_empty() && streams.iter().all(|stream| stream.packets == Some(0));
    // tw-probe writes null for the start of a file in which nothing was recorded.
    if empty || record.raw("start_time_ms") == Some("null") {
        return Ok(Read::PassedOver("files without a packet"));
    }
    let path: String = record.require("path", "run tw-fetch first")?;
    if path.is_empty() {
        return Err(Failure::field("path is empty: run tw-fetch first"));
    }
    if path.contains('\0') {
        return Err(Failure::field(format!("path is {path:?}: no file's name holds a NUL")));
    }
    let start_time = Millis(record.require("start_time_ms", "run tw-probe first")?);
    let end_time = Millis(record.require("end_time_ms", "run tw-probe first")?);
    let from = Millis(record.require("relative_offset_ms", "run tw-offsets first")?);
    if end_time < start_time {
        return Err(Failure::field(format!(
            "end_time_ms ({}) lies before start_time_ms ({})",
            end_time.0, start_time.0
        )));
    }
    let stream = streams.iter().find(|s| s.codec_type.as_deref() == Some(word(kind)));
    if let (Some(other), None) = (streams.first(), stream) {
        let there = other.codec_type.as_deref().unwrap_or("something else");
        return Err(Failure::field(format!("type is {}, but there is only {there} in {path}", word(kind))));
    }
    let last = last_packet(kind, stream);
    let on_timeline = |own: i64| Millis(own) - start_time + from;
    let gaps = stream.map_or(&[][..], |s| &s.gaps);
    Ok(Read::Track(Box::new(Track {
        sid: record.text_of("sid"),
        source_sid: record.text_of("source_sid"),
        participant_sid: record.participant_sid(),
        identity: record.text_of("participant_identity"),
        name: record.text_of("track_name"),
        kind,
        path: PathBuf::from(path),
        bytes: record.get("bytes").ok().flatten(),
        start_time,
        span: Span { from, to: end_time - start_time + from + last },
        gaps: gaps
            .iter()
            // What stands before a gap lasts as long as usual.
            .map(|g| Span { from: on_timeline(g.start_ms) + last, to: on_timeline(g.end_ms) })
            .filter(|gap| gap.from < gap.to)
            .collect(),
        packets: stream.and_then(|s| s.packets),
        channels: stream.and_then(|s| s.channels),
        seekable: stream.is_some_and(|s| s.seekable),
        needs_earlier_key_frames: stream.is_some_and(|s| s.independent_key_frames == Some(false)),
        begins_with_key_frame: stream.is_some_and(Stream::begins_with_key_frame),
        smallest: stream.and_then(Stream::smallest),
        frame_interval_max: stream.and_then(|s| rounded_up(s.frame_interval_max_ms)),
        key_frame_interval_max: stream.and_then(|s| rounded_up(s.key_frame_interval_max_ms)),
    })))
}

/// A time that isn't below the one given; none when it can't be one.
fn rounded_up(ms: Option<f64>) -> Option<Millis> {
    // A year, so that it fits.
    let ms = ms.filter(|ms| (0.0..3.2e10).contains(ms))?;
    #[allow(clippy::cast_possible_truncation)]
    Some(Millis(ms.ceil() as i64))
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

/// Sound or picture, from what Twilio says, else from what ffprobe saw, else
/// from the container's usual ending. `None` for data.
///
/// # Errors
/// When Twilio says something else: nobody is left out for a word that isn't known.
fn kind(record: &Record, streams: &[Stream]) -> Result<Option<Kind>, Failure> {
    let said = record.text_of("type");
    let seen = streams.iter().filter_map(|s| s.codec_type.clone()).find(|t| t == "video" || t == "audio");
    let ending = || {
        record.text_of("container_format").or_else(|| {
            let path = PathBuf::from(record.text_of("path")?);
            Some(path.extension()?.to_string_lossy().into_owned())
        })
    };
    Ok(match said.or(seen).as_deref() {
        Some("audio") => Some(Kind::Audio),
        Some("video") => Some(Kind::Video),
        Some("data") => None,
        Some(other) => {
            return Err(Failure::field(format!("type is {other:?}: there are audio, video and data")));
        }
        None => match ending().as_deref() {
            Some("mka") => Some(Kind::Audio),
            _ => Some(Kind::Video),
        },
    })
}

/// How long the last packet lasts: as long as packets usually do in this stream.
fn last_packet(kind: Kind, stream: Option<&Stream>) -> Millis {
    let usual = USUAL_PACKET.iter().find(|(k, _)| *k == kind).map_or(0, |(_, ms)| *ms);
    match stream.and_then(|s| s.frame_interval_ms).filter(|ms| ms.is_finite() && *ms > 0.0) {
        // At most a second, so that it fits.
        #[allow(clippy::cast_possible_truncation)]
        Some(ms) => Millis(ms.min(LONGEST_PACKET_MS).round() as i64),
        None => Millis(usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        Record::parse(text).unwrap()
    }

    const BOB: &str = r#"{"sid":"RT4","type":"video","path":"bob.mkv","start_time_ms":20814,"end_time_ms":40814,
        "relative_offset_ms":19251,"grouping_sids":{"room_sid":"RM1","participant_sid":"PA2"},
        "streams":[{"codec_type":"video","packets":600,"frame_interval_ms":33.0,"gaps":[{"start_ms":21814,"end_ms":24814}]}]}"#;

    #[test]
    fn a_track_on_the_timeline() {
        let Ok(Read::Track(track)) = read(&record(BOB)) else { panic!("no track") };
        assert_eq!(track.span, Span { from: Millis(19251), to: Millis(39284) });
        assert_eq!(track.gaps, [Span { from: Millis(20284), to: Millis(23251) }]);
        assert_eq!((track.begins_with_key_frame, track.smallest), (false, None));
        assert_eq!(track.participant(), "PA2");
    }

    #[test]
    fn what_sizes_tell() {
        let with = |sizes: &str| {
            let stream = format!(r#"{{"codec_type":"video","start_time_ms":20814,"sizes":[{sizes}]}}"#);
            let mut bob = record(BOB);
            bob.set(&[("streams", Some(format!("[{stream}]")))]);
            let Ok(Read::Track(track)) = read(&bob) else { panic!("no track") };
            (track.begins_with_key_frame, track.smallest.map(|size| size.to_string()))
        };
        let first = r#"{"at_ms":20814,"width":640,"height":360}"#;
        let later = r#"{"at_ms":21814,"width":360,"height":640}"#;
        assert_eq!(with(&format!("{first},{later}")), (true, Some("360x360".to_owned())));
        assert_eq!(with(later), (false, Some("360x640".to_owned())), "the first key frame comes late");
        assert_eq!(with(""), (false, None));
    }

    #[test]
    fn what_is_missing_says_which_tool_adds_it() {
        for (field, tool) in
            [("path", "tw-fetch"), ("start_time_ms", "tw-probe"), ("relative_offset_ms", "tw-offsets")]
        {
            let mut bob = record(BOB);
            bob.set(&[(field, None)]);
            assert_eq!(read(&bob).unwrap_err().message, format!("no {field}: run {tool} first"));
        }
    }

    #[test]
    fn nothing_to_show_is_passed_over() {
        let data = record(r#"{"sid":"RT9","type":"data"}"#);
        assert!(matches!(read(&data), Ok(Read::PassedOver("data tracks"))));
        let empty =
            record(r#"{"type":"video","streams":[{"codec_type":"video","packets":0}],"start_time_ms":null}"#);
        assert!(matches!(read(&empty), Ok(Read::PassedOver("files without a packet"))));
    }
}

/// Tracks for the tests of other modules.
#[cfg(test)]
pub mod tests_support {
    use super::*;

    /// A picture from … to …, in ms.
    pub fn track(from: i64, to: i64) -> Track {
        track_of("alice", from, to)
    }

    /// A picture of somebody, from … to …, in ms.
    pub fn track_of(who: &str, from: i64, to: i64) -> Track {
        Track {
            sid: None,
            source_sid: None,
            participant_sid: None,
            identity: Some(who.to_owned()),
            name: None,
            kind: Kind::Video,
            path: format!("{who}.mkv").into(),
            bytes: None,
            start_time: Millis::ZERO,
            span: Span { from: Millis(from), to: Millis(to) },
            gaps: Vec::new(),
            channels: None,
            seekable: false,
            needs_earlier_key_frames: false,
            begins_with_key_frame: false,
            smallest: None,
            packets: None,
            frame_interval_max: None,
            key_frame_interval_max: None,
        }
    }
}
