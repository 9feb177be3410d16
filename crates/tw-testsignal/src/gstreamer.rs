//! Has GStreamer itself write a streamed file, where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::recording::Recording;

/// Whether there is a `gst-launch-1.0` on the PATH.
#[must_use]
pub fn is_installed() -> bool {
    let mut command = Command::new("gst-launch-1.0");
    let command = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The same packets at the same times in a file that `matroskamux
/// streamable=true` has written: unknown sizes, no `Duration`, `SeekHead` or
/// `Cues`.
///
/// # Errors
/// If GStreamer can't be started or fails.
pub fn restream(recording: &Recording, path: impl AsRef<Path>) -> Result<Recording> {
    let path = path.as_ref();
    let mut source = std::ffi::OsString::from("location=");
    source.push(&recording.path);
    let mut sink = std::ffi::OsString::from("location=");
    sink.push(path);
    let output = Command::new("gst-launch-1.0")
        .args(["-q", "filesrc"])
        .arg(source)
        .args(["!", "matroskademux", "!", "queue", "!"])
        .args(["matroskamux", "streamable=true", "!", "filesink"])
        .arg(sink)
        .stdin(Stdio::null())
        .output()
        .context("can't start gst-launch-1.0")?;
    if !output.status.success() {
        bail!(
            "GStreamer: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(Recording {
        path: path.to_path_buf(),
        ..recording.clone()
    })
}
