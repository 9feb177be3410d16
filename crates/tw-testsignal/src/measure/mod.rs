//! Reads a composition back and compares it with the truth of its room.
//!
//! Time in the output counts from its first picture, so a shift of the whole
//! file (in webm, Opus' start at -7 ms) is none.

pub mod composition;
pub mod expected;
pub mod picture;
pub mod reader;
pub mod report;
pub mod sound;
pub mod voice;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::ffmpeg;
use crate::room::Room;
use composition::{Composition, Tolerance};
use report::Report;

/// Decodes a composition and measures every cell and every voice.
///
/// # Errors
/// If the file can't be read or decoded. What is wrong with what it shows is no
/// error but in [`Report::violations`].
pub fn measure(room: &Room, composition: &Composition, tolerance: &Tolerance) -> Result<Report> {
    let streams = streams(composition)?;
    let mut report = Report::default();
    let mut zero_ms = 0.0;
    let mut picture_end_ms = None;
    let has = |kind: &str| streams.iter().any(|stream| stream["codec_type"] == kind);
    if composition.size.is_some() != has("video") {
        report.violations.push(format!("picture: {}", presence(has("video"))));
    }
    if composition.sound != has("audio") {
        report.violations.push(format!("sound: {}", presence(has("audio"))));
    }
    if composition.size.is_some() && has("video") {
        let times = picture::check_timestamps(composition, &mut report)?;
        zero_ms = times.first().copied().unwrap_or(0.0);
        picture::measure(room, composition, tolerance, &mut report)?;
        picture_end_ms = Some(report.frames as f64 * composition.frame_ms());
    }
    let audio = streams.iter().find(|stream| stream["codec_type"] == "audio");
    if let Some(audio) = audio.filter(|_| composition.sound) {
        let channels = audio["channels"].as_u64().context("sound without channels")?.max(1) as usize;
        let end_ms = sound::measure(room, composition, tolerance, channels, zero_ms, &mut report)?;
        if let Some(picture_end_ms) = picture_end_ms
            && (end_ms - picture_end_ms).abs() > tolerance.ends_ms
        {
            report
                .violations
                .push(format!("the picture ends at {picture_end_ms:.0} ms, the sound at {end_ms:.0} ms"));
        }
    }
    Ok(report)
}

fn presence(there: bool) -> &'static str {
    if there { "there is one that was not expected" } else { "there is none" }
}

fn streams(composition: &Composition) -> Result<Vec<Value>> {
    let answer = ffmpeg::probe(&composition.path, &["-show_streams"])?;
    let streams = answer["streams"].as_array().context("ffprobe shows no streams")?;
    Ok(streams.clone())
}
