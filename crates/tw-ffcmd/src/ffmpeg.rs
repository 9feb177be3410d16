//! The ffmpeg at hand: its version and its encoders.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Context, bail};
use tw_core::process::{self, command, output};
use tw_core::version;

use crate::encoder::Encoders;

/// Saying its version takes a moment even on a busy machine, but not longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name of the ffmpeg to run: `TW_FFMPEG`, else `ffmpeg`.
pub fn program() -> OsString {
    process::program("TW_FFMPEG", "ffmpeg")
}

/// The same, as it stands in argument lists.
pub fn name() -> String {
    program().to_string_lossy().into_owned()
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
        _ => bail!("{name} doesn't answer like ffmpeg: {first}"),
    }
}

/// Its encoders; none when there is no ffmpeg, since a job can be described
/// without one.
pub fn encoders() -> Encoders {
    Encoders(said(&["-hide_banner", "-encoders"]).map(|text| encoder_names(&text)).unwrap_or_default())
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
        let last = finished.stderr.last().cloned().unwrap_or_default();
        bail!("{} ended with {}: {last}", name(), finished.describe());
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
