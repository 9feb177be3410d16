//! Reading a result back: is it what was to be made?

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use tw_core::compact::values;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::process::{Child, ProcessError, command};
use tw_core::time::Micros;

use crate::command::file_argument;
use crate::ffmpeg;
use crate::job::Job;
use crate::origin;

/// How much longer than its frames a file may be, in ms: Opus' packets have
/// 20 ms, and in webm its start shifts everything by 7 ms.
const SOUND_LEEWAY_MS: i64 = 27;
/// How long before the end the last packet of the sound may begin, in ms: FLAC's, the longest
/// that anybody asks for with `--encoder-args`, last 96 ms.
const SOUND_TAIL_MS: i64 = 150;
/// What ffprobe is asked for. It says each packet as it comes to it: a long file on
/// a slow disk takes a while, but is not silent.
const ENTRIES: &str = "packet=stream_index,pts_time:stream=index,codec_type,width,height\
    :format=duration:stream_tags=comment:format_tags=comment";

/// What there is in a file.
#[derive(Debug, Default)]
pub struct Seen {
    /// Why it can't be read.
    trouble: Option<String>,
    streams: Vec<SeenStream>,
    /// By the index of their stream.
    packets: BTreeMap<i64, Packets>,
    /// In seconds, as ffprobe writes it.
    duration: Option<String>,
    /// The tag; in Ogg it is the stream's.
    comment: Option<String>,
}

/// Those of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Packets {
    count: i64,
    /// When the last of them begins.
    last: Micros,
}

#[derive(Debug, Default)]
struct SeenStream {
    index: i64,
    codec_type: String,
    width: u32,
    height: u32,
}

impl Seen {
    fn read(reader: impl BufRead) -> io::Result<Self> {
        let mut seen = Self::default();
        for line in reader.lines() {
            seen.line(&line?);
        }
        Ok(seen)
    }

    /// `section|key=value|…` (`-of compact`); what is missing or `N/A` is none.
    fn line(&mut self, line: &str) {
        let (section, rest) = line.split_once('|').unwrap_or((line, ""));
        let value = |key: &str| {
            let found = values(rest).find(|(found, _)| found.eq_ignore_ascii_case(key));
            found.map(|(_, value)| value.into_owned())
        };
        let index = |key| value(key).and_then(|n| n.parse().ok()).unwrap_or_default();
        let pixels = |key| value(key).and_then(|n| n.parse().ok()).unwrap_or_default();
        if let Some(comment) = value("tag:comment") {
            self.comment = Some(comment);
        }
        match section {
            "packet" => {
                let packets = self.packets.entry(index("stream_index")).or_default();
                packets.count += 1;
                let begins = value("pts_time").and_then(|time| Micros::parse(&time));
                packets.last = packets.last.max(begins.unwrap_or_default());
            }
            "stream" => self.streams.push(SeenStream {
                index: index("index"),
                codec_type: value("codec_type").unwrap_or_default(),
                width: pixels("width"),
                height: pixels("height"),
            }),
            "format" => self.duration = value("duration"),
            _ => {}
        }
    }
}

/// What ffprobe says about a file. It may be silent for `stall`.
///
/// # Errors
/// When it can't be run to its end. That says nothing about the file.
pub fn read(file: &Path, stall: Duration) -> Result<Seen, Failure> {
    let cannot =
        |what: String| Failure::new(ErrorKind::Ffmpeg, format!("the result can't be checked: {what}"));
    let failed = |e: ProcessError| cannot(e.to_string());
    let mut ffprobe = command(ffmpeg::probe_program());
    ffprobe.args(["-v", "error", "-of", "compact", "-show_entries", ENTRIES]);
    ffprobe.args(["-protocol_whitelist", "file", "-i"]).arg(file_argument(file));
    let mut child = Child::spawn(ffprobe, Some(stall)).map_err(failed)?;
    let seen = Seen::read(BufReader::new(child.stdout())).map_err(|e| failed(child.read_error(e)))?;
    let finished = child.wait().map_err(failed)?;
    match finished.status.code() {
        Some(0) => Ok(seen),
        Some(_) => {
            let trouble = finished.stderr.last().cloned().unwrap_or_else(|| finished.describe());
            Ok(Seen { trouble: Some(trouble), ..Seen::default() })
        }
        None => Err(cannot(format!("ffprobe was {}", finished.describe()))),
    }
}

/// Checks streams, size, number of frames and duration.
///
/// # Errors
/// What differs from what was to be made.
pub fn check(job: &Job, seen: &Seen) -> Result<(), Failure> {
    compare(job, seen).map_err(|what| Failure::new(ErrorKind::Ffmpeg, format!("the result is wrong: {what}")))
}

/// Checks that it was made from the same recordings, arranged and encoded the same.
///
/// # Errors
/// When it says that it wasn't. What says nothing is believed.
pub fn check_origin(job: &Job, seen: &Seen) -> Result<(), Failure> {
    match &seen.comment {
        Some(comment) if origin::is_anothers(comment, job) => Err(Failure::new(
            ErrorKind::Ffmpeg,
            "it was made from other recordings, or arranged or encoded otherwise",
        )),
        _ => Ok(()),
    }
}

fn compare(job: &Job, seen: &Seen) -> Result<(), String> {
    if let Some(trouble) = &seen.trouble {
        return Err(trouble.clone());
    }
    let stream = |kind: &str| seen.streams.iter().find(|s| s.codec_type == kind);
    let expected = job.timeline.duration().0;
    match (stream("audio"), job.plan.has_sound) {
        (None, true) => return Err("no sound in it".into()),
        (Some(_), false) => return Err("there is sound in it".into()),
        (Some(sound), true) => {
            let last = seen.packets.get(&sound.index).map_or(0, |packets| packets.last.millis());
            if expected - last > SOUND_TAIL_MS {
                return Err(format!("its sound ends at {last} ms of {expected}"));
            }
        }
        (None, false) => {}
    }
    match (&job.look, stream("video")) {
        (None, None) => {}
        (None, Some(_)) => return Err("there is a picture in it".into()),
        (Some(_), None) => return Err("no picture in it".into()),
        (Some(look), Some(video)) => {
            if (video.width, video.height) != (look.size.width, look.size.height) {
                return Err(format!("{}x{} pixels instead of {}", video.width, video.height, look.size));
            }
            let frames = seen.packets.get(&video.index).map_or(0, |packets| packets.count);
            if frames != job.timeline.frames {
                return Err(format!("{frames} frames instead of {}", job.timeline.frames));
            }
        }
    }
    let duration = seen.duration.as_deref().and_then(Micros::parse).ok_or("no duration in it")?.millis();
    let frame = job.timeline.rate.time_of(1).0 + 1;
    if (duration - expected).abs() > frame.max(SOUND_LEEWAY_MS) {
        return Err(format!("{duration} ms long instead of {expected}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_counted_for_each_stream() {
        let text = "packet|stream_index=0|pts_time=0.000000\npacket|stream_index=1|pts_time=N/A\n\
            packet|stream_index=0|pts_time=0.033000\n\
            stream|index=0|codec_type=video|width=64|height=48\nstream|index=1|codec_type=audio\n\
            format|duration=3.007000|tag:COMMENT=tw-ffcmd 1\n";
        let seen = Seen::read(text.as_bytes()).unwrap();
        let packets = |count, micros| Packets { count, last: Micros(micros) };
        assert_eq!(seen.packets, BTreeMap::from([(0, packets(2, 33_000)), (1, packets(1, 0))]));
        assert_eq!((seen.streams[0].width, seen.streams[0].height), (64, 48));
        assert_eq!(seen.streams[1].codec_type, "audio");
        assert_eq!(seen.duration.as_deref(), Some("3.007000"));
        assert_eq!(seen.comment.as_deref(), Some("tw-ffcmd 1"));
    }
}
