//! A room: recordings, where each lies on the timeline, and the records that
//! say so to the tools.

use serde_json::{Value, json};

use crate::recording::{Content, Recording, Span};

/// Recordings of one room and the truth about their places.
#[derive(Clone, Debug)]
pub struct Room {
    sid: String,
    tracks: Vec<Track>,
}

/// Which track of its room: the index in the order of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub usize);

/// A recording in a room.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its `RT…` SID.
    pub sid: String,
    /// The participant's `PA…` SID.
    pub participant_sid: String,
    /// The track's name.
    pub name: String,
    /// Twilio's `offset` in milliseconds.
    pub offset_ms: i64,
    /// The file and its truth.
    pub recording: Recording,
}

impl Room {
    /// An empty room. `number` makes its SID and those of all that is in it.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { sid: format!("RM{number:032x}"), tracks: Vec::new() }
    }

    /// The room's SID.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Adds a recording of that participant (any name; the same name is the same
    /// participant), with Twilio's `offset`.
    pub fn add(&mut self, participant: &str, offset_ms: i64, recording: Recording) -> TrackId {
        let id = TrackId(self.tracks.len());
        let known = self.tracks.iter().find(|track| participant_of(&track.name) == participant);
        let participant_sid = known.map_or_else(
            || format!("PA{}{:08x}", &self.sid[10..], id.0),
            |track| track.participant_sid.clone(),
        );
        let kind = match recording.content {
            Content::Video { .. } => "video",
            Content::Audio { .. } => "audio",
        };
        self.tracks.push(Track {
            sid: format!("RT{}{:08x}", &self.sid[10..], id.0),
            participant_sid,
            name: format!("{participant}-{kind}"),
            offset_ms,
            recording,
        });
        id
    }

    /// A track by its id.
    #[must_use]
    pub fn track(&self, id: TrackId) -> &Track {
        &self.tracks[id.0]
    }

    /// All tracks, in the order in which they were added.
    pub fn tracks(&self) -> impl Iterator<Item = (TrackId, &Track)> {
        self.tracks.iter().enumerate().map(|(i, track)| (TrackId(i), track))
    }

    /// The least offset + start time of all that have packets: the timeline's zero.
    #[must_use]
    pub fn reference_ms(&self) -> i64 {
        self.tracks.iter().filter_map(Track::addition_ms).min().unwrap_or(0)
    }

    /// Where a time on a track's own clock lies on the room's timeline.
    #[must_use]
    pub fn place_ms(&self, id: TrackId, own_ms: f64) -> f64 {
        own_ms + (self.track(id).offset_ms - self.reference_ms()) as f64
    }

    /// From the timeline's zero to the timestamp of the last packet of all.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        let ends = self.tracks().filter_map(|(id, track)| {
            let span = track.recording.span?;
            Some(self.place_ms(id, span.end_ms as f64) as i64)
        });
        ends.max().unwrap_or(0)
    }

    /// The record of a track as it stands after tw-offsets.
    #[must_use]
    pub fn record(&self, id: TrackId) -> Value {
        let track = self.track(id);
        let (kind, container, stream) = match &track.recording.content {
            Content::Video { frames, codec, .. } => {
                let size = frames.first().map(|frame| (frame.width, frame.height));
                let (width, height) = size.unzip();
                let stream = json!({
                    "index": 0, "codec_type": "video", "codec_name": codec,
                    "width": width, "height": height,
                });
                ("video", "mkv", stream)
            }
            Content::Audio { rate, channels, codec, .. } => {
                let stream = json!({
                    "index": 0, "codec_type": "audio", "codec_name": codec,
                    "sample_rate": rate, "channels": channels,
                });
                ("audio", "mka", stream)
            }
        };
        let span = track.recording.span;
        let addition_ms = track.addition_ms();
        let reference_ms = addition_ms.map(|_| self.reference_ms());
        json!({
            "sid": track.sid,
            "type": kind,
            "container_format": container,
            "offset": track.offset_ms,
            "track_name": track.name,
            "grouping_sids": {"room_sid": self.sid, "participant_sid": track.participant_sid},
            "path": track.recording.path,
            "start_time_ms": span.map(|span| span.start_ms),
            "end_time_ms": span.map(|span| span.end_ms),
            "duration_ms": span.map(Span::duration_ms),
            "streams": [stream],
            "addition_ms": addition_ms,
            "reference_ms": reference_ms,
            "relative_offset_ms": addition_ms.zip(reference_ms).map(|(a, r)| a - r),
        })
    }

    /// The records of all tracks, one a line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        self.tracks().map(|(id, _)| format!("{}\n", self.record(id))).collect()
    }
}

impl Track {
    /// Offset + start time, in milliseconds; `None` without packets.
    #[must_use]
    pub fn addition_ms(&self) -> Option<i64> {
        self.recording.span.map(|span| self.offset_ms + span.start_ms)
    }
}

impl Span {
    /// From the first timestamp to the last.
    #[must_use]
    pub fn duration_ms(self) -> i64 {
        self.end_ms - self.start_ms
    }
}

fn participant_of(track_name: &str) -> &str {
    track_name.rsplit_once('-').map_or(track_name, |(participant, _)| participant)
}
