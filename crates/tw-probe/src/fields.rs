//! The fields that a record gets.

use serde::Serialize;
use tw_core::record::{Field, json};
use tw_core::{ErrorKind, Failure};

use crate::interval::Interval;
use crate::report::{Description, Report};
use crate::sizes::Size;
use crate::track::{Gap, Track};

/// One element of `streams`. Times are milliseconds on the recording's own
/// clock. `null` stands for what the file doesn't tell; what doesn't apply to
/// this type of stream is left out.
#[derive(Debug, Serialize)]
struct Stream<'a> {
    index: Option<u64>,
    codec_type: Option<&'a str>,
    codec_name: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    picture: Option<Picture<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sound: Option<Sound>,
    packets: u64,
    start_time_ms: Option<i64>,
    end_time_ms: Option<i64>,
    /// The median distance between a packet and the next: for video, that of frames.
    frame_interval_ms: Option<Interval>,
    /// The greatest distance between a packet and the next.
    frame_interval_max_ms: Option<Interval>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    key_frames: Option<KeyFrames>,
    /// Whether the file has an index, so that reading may begin in its middle.
    seekable: bool,
    gaps: &'a [Gap],
}

/// What is known of the file beside what ffprobe says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Whether it has an index.
    pub seekable: bool,
    /// Whether something in it is no Matroska: an index may lead there, and reading would go on
    /// only with what comes after it.
    pub is_damaged: bool,
}

#[derive(Debug, Serialize)]
struct Picture<'a> {
    /// In pixels, as the container or the first key frame says; later frames may differ.
    width: Option<u64>,
    height: Option<u64>,
    /// Of a pixel, as `1:1`.
    sample_aspect_ratio: Option<&'a str>,
    /// Of VP8 and H.264 in Matroska: the first one, and every other one from where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<&'a [Size]>,
}

#[derive(Debug, Serialize)]
struct KeyFrames {
    /// The greatest distance from a key frame to the next, or to the end: so much has
    /// to be decoded to see a frame in the middle.
    key_frame_interval_max_ms: Option<Interval>,
    /// `false` where decoding can't begin at each of them, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    independent_key_frames: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Sound {
    /// In Hz.
    sample_rate: Option<u64>,
    channels: Option<u64>,
}

impl<'a> Stream<'a> {
    fn new(description: &'a Description, track: &'a Track, reading: Reading) -> Self {
        let codec_type = description.get("codec_type");
        Self {
            index: description.number("index"),
            codec_type,
            codec_name: description.get("codec_name"),
            picture: (codec_type == Some("video")).then(|| Picture {
                width: description.number("width"),
                height: description.number("height"),
                // ffprobe's way to say that it doesn't know.
                sample_aspect_ratio: description.get("sample_aspect_ratio").filter(|ratio| *ratio != "0:1"),
                sizes: track.sizes.as_ref().map(|sizes| &*sizes.list),
            }),
            sound: (codec_type == Some("audio")).then(|| Sound {
                sample_rate: description.number("sample_rate"),
                channels: description.number("channels"),
            }),
            packets: track.packets(),
            start_time_ms: track.span().map(|(first, _)| first.millis()),
            end_time_ms: track.span().map(|(_, last)| last.millis()),
            frame_interval_ms: track.median(),
            frame_interval_max_ms: track.longest(),
            key_frames: (codec_type == Some("video")).then(|| KeyFrames {
                key_frame_interval_max_ms: track.longest_between_key_frames(),
                independent_key_frames: (reading.is_damaged
                    || track.sizes.as_ref().is_some_and(|s| !s.independent))
                .then_some(false),
            }),
            seekable: reading.seekable,
            gaps: track.gaps(),
        }
    }
}

/// The fields of a record whose file has been read. Without a packet there are
/// no times: such a recording has no place in the room, and needs none.
///
/// # Errors
/// When there are packets, but none has a time.
pub fn of(report: &Report, reading: Reading) -> Result<[Field<'static>; 5], Failure> {
    let span = report.span();
    if span.is_none() && report.packets() > 0 {
        return Err(Failure::new(ErrorKind::Media, "no packet has a timestamp: it can't be placed"));
    }
    let none = Track::default();
    let streams: Vec<Stream<'_>> = report
        .streams
        .iter()
        .map(|description| {
            let index = description.number("index");
            let track = index.and_then(|index| report.tracks.get(&index)).unwrap_or(&none);
            Stream::new(description, track, reading)
        })
        .collect();
    let times = span.map(|(first, last)| (report.start_time.unwrap_or(first).millis(), last.millis()));
    Ok([
        ("start_time_ms", Some(json(&times.map(|(start, _)| start))?)),
        ("end_time_ms", Some(json(&times.map(|(_, end)| end))?)),
        // Both were microseconds of 64 bits: no difference of milliseconds leaves those.
        ("duration_ms", Some(json(&times.map_or(0, |(start, end)| end - start))?)),
        ("creation_time", Some(json(&report.creation_time)?)),
        ("streams", Some(json(&streams)?)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tw_core::time::Micros;

    fn fields(text: &str) -> Result<Vec<String>, Failure> {
        let report = Report::read(text.as_bytes(), Micros(1_000_000)).unwrap();
        let fields = of(&report, Reading::default())?;
        Ok(fields.into_iter().map(|(name, value)| format!("{name}={}", value.unwrap())).collect())
    }

    #[test]
    fn the_tutorials_times() {
        let text = "\
packet|stream_index=0|pts_time=1.564000|flags=K_
packet|stream_index=0|pts_time=142.242000
stream|index=0|codec_name=vp8|codec_type=video|width=640|height=480|sample_aspect_ratio=1:1
format|start_time=1.564000
";
        assert_eq!(
            fields(text).unwrap(),
            [
                "start_time_ms=1564",
                "end_time_ms=142242",
                "duration_ms=140678",
                "creation_time=null",
                r#"streams=[{"index":0,"codec_type":"video","codec_name":"vp8","width":640,"height":480,"sample_aspect_ratio":"1:1","packets":2,"start_time_ms":1564,"end_time_ms":142242,"frame_interval_ms":140678,"frame_interval_max_ms":140678,"key_frame_interval_max_ms":140678,"seekable":false,"gaps":[{"start_ms":1564,"end_ms":142242}]}]"#,
            ]
        );
    }

    #[test]
    fn without_a_start_time_the_first_packet_counts() {
        let text = "packet|stream_index=0|pts_time=-0.007000\nformat|start_time=N/A\n";
        assert_eq!(fields(text).unwrap()[..3], ["start_time_ms=-7", "end_time_ms=-7", "duration_ms=0"]);
    }

    #[test]
    fn nothing_recorded_has_no_times() {
        assert_eq!(
            fields("stream|index=0|codec_type=audio\nformat|start_time=N/A\n").unwrap()[..3],
            ["start_time_ms=null", "end_time_ms=null", "duration_ms=0"]
        );
        let failure = fields("packet|stream_index=0|pts_time=N/A\n").unwrap_err();
        assert!(failure.message.starts_with("no packet has a timestamp"), "{failure}");
    }

    #[test]
    fn a_stream_that_says_little() {
        let text = "packet|stream_index=1|pts_time=0.000000\nstream|index=0|codec_type=video\nformat|start_time=0.000000\n";
        assert!(fields(text).unwrap()[4].contains(
            r#""codec_name":null,"width":null,"height":null,"sample_aspect_ratio":null,"packets":0,"start_time_ms":null"#
        ));
    }
}
