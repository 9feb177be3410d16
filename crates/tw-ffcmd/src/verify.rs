//! Reading a result back: is it what was to be made?

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::process::{command, output};

use crate::command::file_argument;
use crate::ffmpeg;
use crate::job::Job;

/// How much longer than its frames a file may be, in ms: Opus' packets have
/// 20 ms, and in webm its start shifts everything by 7 ms.
const SOUND_LEEWAY_MS: i64 = 27;
/// Reading the packets of a long file from a slow disk takes a while.
const PATIENCE: Duration = Duration::from_secs(600);

/// What there is in a file.
#[derive(Debug, Default, Deserialize)]
pub struct Seen {
    /// Why it can't be read.
    #[serde(skip)]
    trouble: Option<String>,
    #[serde(default)]
    streams: Vec<SeenStream>,
    #[serde(default)]
    format: SeenFormat,
}

#[derive(Debug, Deserialize)]
struct SeenStream {
    codec_type: String,
    width: Option<u32>,
    height: Option<u32>,
    nb_read_packets: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct SeenFormat {
    duration: Option<String>,
}

/// What ffprobe says about a file.
///
/// # Errors
/// When it can't be run to its end. That says nothing about the file.
pub fn read(file: &Path) -> Result<Seen, Failure> {
    let failed = |what: String| Failure::new(ErrorKind::Ffmpeg, what);
    let mut ffprobe = command(ffmpeg::probe_program());
    ffprobe
        .args(["-v", "error", "-count_packets", "-of", "json", "-show_entries"])
        .arg("format=duration:stream=codec_type,width,height,nb_read_packets")
        .args(["-protocol_whitelist", "file", "-i"])
        .arg(file_argument(file));
    let (finished, text) = output(ffprobe, PATIENCE).map_err(|e| failed(e.to_string()))?;
    match finished.status.code() {
        Some(0) => serde_json::from_slice(&text).map_err(|e| failed(format!("ffprobe's answer: {e}"))),
        Some(_) => {
            let trouble = finished.stderr.last().cloned().unwrap_or_else(|| finished.describe());
            Ok(Seen { trouble: Some(trouble), ..Seen::default() })
        }
        None => Err(failed(format!("the result can't be checked: ffprobe was {}", finished.describe()))),
    }
}

/// Checks streams, size, number of frames and duration.
///
/// # Errors
/// What differs from what was to be made.
pub fn check(job: &Job, seen: &Seen) -> Result<(), Failure> {
    compare(job, seen).map_err(|what| Failure::new(ErrorKind::Ffmpeg, format!("the result is wrong: {what}")))
}

fn compare(job: &Job, seen: &Seen) -> Result<(), String> {
    if let Some(trouble) = &seen.trouble {
        return Err(trouble.clone());
    }
    let stream = |kind: &str| seen.streams.iter().find(|s| s.codec_type == kind);
    match (stream("audio").is_some(), job.plan.has_sound) {
        (false, true) => return Err("no sound in it".into()),
        (true, false) => return Err("there is sound in it".into()),
        _ => {}
    }
    match (&job.look, stream("video")) {
        (None, None) => {}
        (None, Some(_)) => return Err("there is a picture in it".into()),
        (Some(_), None) => return Err("no picture in it".into()),
        (Some(look), Some(video)) => {
            let size = (video.width.unwrap_or_default(), video.height.unwrap_or_default());
            if size != (look.size.width, look.size.height) {
                return Err(format!("{}x{} pixels instead of {}", size.0, size.1, look.size));
            }
            let frames: i64 =
                video.nb_read_packets.as_deref().and_then(|n| n.parse().ok()).unwrap_or_default();
            if frames != job.timeline.frames {
                return Err(format!("{frames} frames instead of {}", job.timeline.frames));
            }
        }
    }
    let duration = seen.format.duration.as_deref().and_then(millis).ok_or("no duration in it")?;
    let expected = job.timeline.duration().0;
    let frame = job.timeline.rate.time_of(1).0 + 1;
    if (duration - expected).abs() > frame.max(SOUND_LEEWAY_MS) {
        return Err(format!("{duration} ms long instead of {expected}"));
    }
    Ok(())
}

/// ffprobe's decimal seconds as milliseconds, cut to whole ones.
fn millis(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_seconds() {
        assert_eq!(millis("40.007000"), Some(40_007));
        assert_eq!(millis("40"), Some(40_000));
        assert_eq!(millis("N/A"), None);
    }
}
