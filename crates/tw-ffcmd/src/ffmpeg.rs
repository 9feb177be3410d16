//! The ffmpeg at hand: its version, its encoders, and what it does otherwise than others.

use std::ffi::OsString;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, bail};
use tw_core::process::{self, command, output};
use tw_core::version;

use crate::encoder::Encoding;

/// Saying its version takes a moment even on a busy machine, but not longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The last libavformat whose Matroska has Opus 7 ms before the picture. It counts the 6.5 ms
/// twice with which Opus begins before zero: it moves the picture for them, and says in the file
/// that they are to be taken off the sound's times. Measured: 58.76 (ffmpeg 4.4) and 59.27 (5.1) do, 61.1
/// (7.0) doesn't; the last one is named in pull request 6685 of LadybirdBrowser/ladybird.
const LAST_WITH_OPUS_EARLY: (u32, u32) = (59, 30);

/// What arguments depend on; by default, an ffmpeg of today. To start it and ask takes longer
/// than everything else that is done before the work, so it is asked for what is needed, when it
/// is needed, once.
#[derive(Debug, Default)]
pub struct AtHand {
    /// Its encoders' names, as far as it was asked for them.
    encoders: Vec<String>,
    has_opus_early: Option<OnceLock<bool>>,
}

impl AtHand {
    /// One that has such encoders.
    pub fn with(encoders: Vec<String>) -> Self {
        Self { encoders, has_opus_early: None }
    }

    /// The one at hand, which is to be told how to encode so.
    pub fn for_encoding(encoding: &Encoding) -> Self {
        let encoders = if encoding.asks_for_encoders() { encoders() } else { Vec::new() };
        Self { has_opus_early: Some(OnceLock::new()), ..Self::with(encoders) }
    }

    /// Whether sound is given to it later than it is, since it puts it earlier.
    pub fn delays_sound(&self, encoding: &Encoding) -> bool {
        let is_early = |answer: &OnceLock<bool>| *answer.get_or_init(has_opus_early);
        encoding.has_opus_in_matroska() && self.has_opus_early.as_ref().is_some_and(is_early)
    }

    /// For commands that are printed: which ffmpeg will run them isn't known.
    pub fn elsewhere(&self) -> Self {
        Self::with(self.encoders.clone())
    }

    /// The first of several encoders that is there; else the last, so that ffmpeg says
    /// itself what it lacks.
    pub fn first_of<'a>(&self, names: &[&'a str]) -> &'a str {
        let found = names.iter().find(|name| self.encoders.iter().any(|encoder| encoder == *name));
        found.or(names.last()).copied().unwrap_or_default()
    }
}

/// The name of the ffmpeg to run: `TW_FFMPEG`, else `ffmpeg`.
pub fn program() -> OsString {
    process::program("TW_FFMPEG", "ffmpeg")
}

/// The same, as it stands in argument lists.
pub fn name() -> String {
    program().to_string_lossy().into_owned()
}

/// Whether the ffmpeg at hand can write names.
///
/// # Errors
/// When it was built without.
pub fn check_labels() -> anyhow::Result<()> {
    if !has_filter("drawtext") {
        bail!("{} was built without drawtext (libfreetype): leave --labels out, or use another", name());
    }
    Ok(())
}

/// The name of the ffprobe to run: `TW_FFPROBE`, else `ffprobe`.
pub fn probe_program() -> OsString {
    process::program("TW_FFPROBE", "ffprobe")
}

/// Checks that there are an ffmpeg, and an ffprobe to read the result back with.
///
/// # Errors
/// When one is missing; the line says what to do.
pub fn require() -> anyhow::Result<()> {
    process::require(program())?;
    process::require(probe_program())?;
    Ok(())
}

/// Checks that it is ffmpeg, and new enough. To ask takes as long as to open a room's
/// recordings: where nothing has failed, there is no need to.
///
/// # Errors
/// When it isn't so; the line says what is needed.
pub fn check() -> anyhow::Result<()> {
    let text = said(&["-version"])?;
    let name = name();
    let first = text.lines().next().unwrap_or_default();
    match version::of(&text) {
        Some(version) if version::is_too_old(version) => {
            let (major, minor) = version::OLDEST;
            bail!("{name} is too old: {first}; version {major}.{minor} or later is needed")
        }
        Some(_) if first.starts_with("ffmpeg ") => Ok(()),
        _ => bail!("{name} doesn't answer like ffmpeg: install ffmpeg, or set TW_FFMPEG"),
    }
}

/// Its encoders; none when there is no ffmpeg, since a job can be described
/// without one.
fn encoders() -> Vec<String> {
    said(&["-hide_banner", "-encoders"]).map(|text| encoder_names(&text)).unwrap_or_default()
}

fn has_opus_early() -> bool {
    let libavformat = said(&["-version"]).ok().and_then(|text| version::of_library(&text, "libavformat"));
    libavformat.is_some_and(|version| version <= LAST_WITH_OPUS_EARLY)
}

/// Whether it has a filter.
pub fn has_filter(name: &str) -> bool {
    // Of one that it doesn't know it says so, and ends well all the same.
    said(&["-hide_banner", "-h", &format!("filter={name}")]).is_ok_and(|text| text.starts_with("Filter"))
}

fn said(args: &[&str]) -> anyhow::Result<String> {
    let mut ffmpeg = command(program());
    ffmpeg.args(args);
    let (finished, text) = output(ffmpeg, PATIENCE)?;
    if !finished.status.success() {
        let last = finished.stderr.last().map(|line| format!(": {line}")).unwrap_or_default();
        bail!("{} ended with {}{last}: is it ffmpeg? (TW_FFMPEG)", name(), finished.describe());
    }
    String::from_utf8(text).context("ffmpeg's answer is not UTF-8")
}

/// ` V....D libx264              libx264 H.264 / AVC …` after a line of dashes.
fn encoder_names(text: &str) -> Vec<String> {
    text.lines()
        .skip_while(|line| line.trim() != "------")
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_are_found_in_the_list() {
        let text = "Encoders:\n V..... = Video\n ------\n V....D libvpx   libvpx VP8 (codec vp8)\n A....D aac  AAC\n";
        assert_eq!(encoder_names(text), ["libvpx", "aac"]);
    }
}
