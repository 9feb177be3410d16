//! A recording as Twilio keeps it: the resource, and the media behind it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::sid::sid;

/// The `type` of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sound: Opus in `mka`.
    Audio,
    /// Picture: VP8 in `mkv`.
    Video,
    /// A data track: nothing to see or hear, in `mkv`.
    Data,
}

impl Kind {
    /// The word of the API: `audio`, `video` or `data`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Data => "data",
        }
    }

    pub(crate) fn container_format(self) -> &'static str {
        match self {
            Self::Audio => "mka",
            Self::Video | Self::Data => "mkv",
        }
    }

    pub(crate) fn codec(self) -> Option<&'static str> {
        match self {
            Self::Audio => Some("OPUS"),
            Self::Video => Some("VP8"),
            Self::Data => None,
        }
    }
}

/// What the storage host has of a recording.
#[derive(Clone, Debug)]
pub enum Media {
    /// Nothing: `Media` answers 404, as for a track that was muted throughout.
    None,
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// The bytes of this file, read when they are asked for.
    File(PathBuf),
}

impl Media {
    /// Bytes; 0 without media or where the file cannot be read.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(path) => std::fs::metadata(path).map_or(0, |about| about.len()),
        }
    }

    /// Whether there is not a byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A recording to serve; made by [`Recording::audio`], [`Recording::video`] or
/// [`Recording::data`] with defaults for everything, then changed.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(crate) room: String,
    identity: String,
    pub(crate) kind: Kind,
    pub(crate) track: String,
    take: u32,
    sid: Option<String>,
    participant_sid: Option<String>,
    source_sid: Option<String>,
    pub(crate) status: String,
    pub(crate) date_created: String,
    pub(crate) offset: i64,
    pub(crate) duration: u64,
    pub(crate) media: Media,
    pub(crate) size: Option<u64>,
    media_headers: Vec<(String, String)>,
    pub(crate) media_link: Option<String>,
    /// Fields written otherwise than Twilio would: raw JSON, or left out.
    pub(crate) written_as: Vec<(String, Option<String>)>,
}

impl Recording {
    /// A recording of the sound of `identity` in the room with this SID.
    #[must_use]
    pub fn audio(room_sid: &str, identity: &str) -> Self {
        Self::new(room_sid, identity, Kind::Audio)
    }

    /// A recording of the picture of `identity` in the room with this SID.
    #[must_use]
    pub fn video(room_sid: &str, identity: &str) -> Self {
        Self::new(room_sid, identity, Kind::Video)
    }

    /// A recording of a data track of `identity` in the room with this SID.
    #[must_use]
    pub fn data(room_sid: &str, identity: &str) -> Self {
        Self::new(room_sid, identity, Kind::Data)
    }

    fn new(room_sid: &str, identity: &str, kind: Kind) -> Self {
        Self {
            room: room_sid.to_owned(),
            identity: identity.to_owned(),
            kind,
            track: identity.to_owned(),
            take: 1,
            sid: None,
            participant_sid: None,
            source_sid: None,
            status: "completed".to_owned(),
            date_created: "2026-01-15T09:00:00Z".to_owned(),
            offset: 163_481_005_731,
            duration: 10,
            media: Media::None,
            size: None,
            media_headers: Vec::new(),
            media_link: None,
            written_as: Vec::new(),
        }
    }

    /// `track_name`; the identity, if not said.
    #[must_use]
    pub fn track(mut self, name: &str) -> Self {
        name.clone_into(&mut self.track);
        self
    }

    /// Which recording of the same track this is, from 1: after a failure of a
    /// media server, one track has several (same `source_sid`, another `sid`).
    #[must_use]
    pub fn take(mut self, take: u32) -> Self {
        self.take = take;
        self
    }

    /// `sid`; follows from room, identity, track, type and take, if not said.
    #[must_use]
    pub fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// `grouping_sids.participant_sid`; follows from room and identity, if not said.
    #[must_use]
    pub fn participant_sid(mut self, sid: &str) -> Self {
        self.participant_sid = Some(sid.to_owned());
        self
    }

    /// `source_sid`; follows from room, identity, track and type, if not said.
    #[must_use]
    pub fn source_sid(mut self, sid: &str) -> Self {
        self.source_sid = Some(sid.to_owned());
        self
    }

    /// `status`: processing, completed (if not said), deleted or failed.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// `date_created`, as RFC 3339 text.
    #[must_use]
    pub fn date_created(mut self, date: &str) -> Self {
        date.clone_into(&mut self.date_created);
        self
    }

    /// `offset`, milliseconds since an arbitrary origin.
    #[must_use]
    pub fn offset(mut self, milliseconds: i64) -> Self {
        self.offset = milliseconds;
        self
    }

    /// `duration`, whole seconds.
    #[must_use]
    pub fn duration(mut self, seconds: u64) -> Self {
        self.duration = seconds;
        self
    }

    /// The media, as bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.media = Media::Bytes(bytes.into().into());
        self
    }

    /// The media, as a file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.media = Media::File(path.into());
        self
    }

    /// `size`, bytes; the media's own, if not said.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// A header of its own on the storage host's answer, such as the
    /// `x-amz-meta-...` ones that come with encrypted media.
    #[must_use]
    pub fn media_header(mut self, name: &str, value: &str) -> Self {
        self.media_headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `links.media`, such as an address on a foreign host.
    #[must_use]
    pub fn media_link(mut self, url: &str) -> Self {
        self.media_link = Some(url.to_owned());
        self
    }

    /// Writes a field of the resource as this JSON text, unchecked:
    /// `written_as("offset", "-1.5e3")`. A name that Twilio doesn't know comes last.
    #[must_use]
    pub fn written_as(mut self, field: &str, json: &str) -> Self {
        self.written_as.push((field.to_owned(), Some(json.to_owned())));
        self
    }

    /// Leaves a field out of the resource.
    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.written_as.push((field.to_owned(), None));
        self
    }

    /// The recording's own SID, `RT...`.
    #[must_use]
    pub fn rt(&self) -> String {
        self.sid.clone().unwrap_or_else(|| sid("RT", &format!("{}/{}", self.track_key(), self.take)))
    }

    /// Whether this is its SID; of a settled one it isn't worked out, nor copied.
    pub(crate) fn has_sid(&self, rt: &str) -> bool {
        self.sid.as_ref().map_or_else(|| self.rt() == rt, |sid| sid == rt)
    }

    /// The SID of the track it was recorded from, `MT...`.
    #[must_use]
    pub fn mt(&self) -> String {
        self.source_sid.clone().unwrap_or_else(|| sid("MT", &self.track_key()))
    }

    /// The participant's SID, `PA...`.
    #[must_use]
    pub fn pa(&self) -> String {
        self.participant_sid.clone().unwrap_or_else(|| sid("PA", &format!("{}/{}", self.room, self.identity)))
    }

    /// The room's SID, `RM...`.
    #[must_use]
    pub fn rm(&self) -> &str {
        &self.room
    }

    fn track_key(&self) -> String {
        let Self { room, identity, track, kind, .. } = self;
        format!("{room}/{identity}/{track}/{}", kind.as_str())
    }

    /// The file that the media comes from, if it comes from one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.media {
            Media::File(path) => Some(path),
            Media::None | Media::Bytes(_) => None,
        }
    }

    /// With its SIDs worked out once and for all: lists compare them thousands of times.
    pub(crate) fn settled(mut self) -> Self {
        self.sid = Some(self.rt());
        self.source_sid = Some(self.mt());
        self.participant_sid = Some(self.pa());
        self
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn status_word(&self) -> &str {
        &self.status
    }

    pub(crate) fn created(&self) -> &str {
        &self.date_created
    }

    pub(crate) fn media(&self) -> &Media {
        &self.media
    }

    pub(crate) fn media_headers(&self) -> &[(String, String)] {
        &self.media_headers
    }
}

/// `count` recordings of one room, without media: sound and picture in turn, the
/// participants all different, created a second apart.
#[must_use]
pub fn many(room_sid: &str, count: usize) -> Vec<Recording> {
    let first = jiff::Timestamp::from_second(1_768_467_600).unwrap_or_default();
    (0..count)
        .map(|n| {
            let identity = format!("participant-{}", n / 2);
            let recording = if n % 2 == 0 {
                Recording::audio(room_sid, &identity)
            } else {
                Recording::video(room_sid, &identity)
            };
            let created = first + jiff::SignedDuration::from_secs(n as i64);
            recording.date_created(&created.to_string()).size(1000)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_take_is_another_recording_of_the_same_track() {
        let first = Recording::audio("RM1", "alice");
        let second = first.clone().take(2);
        assert_eq!(first.mt(), second.mt());
        assert_ne!(first.rt(), second.rt());
    }
}
