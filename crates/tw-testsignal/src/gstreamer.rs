//! Has GStreamer itself write a streamed file, where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::ebml::{integer, parse_header};
use crate::recording::Recording;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const TIMESTAMP: u32 = 0xE7;

/// Whether there is a `gst-launch-1.0` on the PATH.
#[must_use]
pub fn is_installed() -> bool {
    let mut command = Command::new("gst-launch-1.0");
    let command = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The same packets at the same times in a file that `matroskamux
/// streamable=true` has written: unknown sizes, no `Duration`, `SeekHead` or
/// `Cues`. GStreamer would let time begin with the first packet; the clusters'
/// timestamps are set back to those of the recording.
///
/// # Errors
/// If GStreamer can't be started or fails.
pub fn restream(recording: &Recording, path: impl AsRef<Path>) -> Result<Recording> {
    let path = path.as_ref();
    let mut source = std::ffi::OsString::from("location=");
    source.push(&recording.path);
    let mut sink = std::ffi::OsString::from("location=");
    sink.push(path);
    // Nothing between the two: the muxer picks its pad by the demuxer's caps.
    let output = Command::new("gst-launch-1.0")
        .args(["-q", "filesrc"])
        .arg(source)
        .args(["!", "matroskademux", "!"])
        .args(["matroskamux", "streamable=true", "!", "filesink"])
        .arg(sink)
        .stdin(Stdio::null())
        .output()
        .context("can't start gst-launch-1.0")?;
    if !output.status.success() {
        bail!("GStreamer: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let start_ms = recording.span.map_or(0, |span| span.start_ms);
    let streamed = std::fs::read(path)?;
    std::fs::write(path, delayed(&streamed, start_ms.max(0) as u64)?)?;
    Ok(Recording { path: path.to_path_buf(), ..recording.clone() })
}

/// The file with all its clusters that many milliseconds later. Where the
/// segment and the clusters have no size, nothing else has to change.
fn delayed(bytes: &[u8], by_ms: u64) -> Result<Vec<u8>> {
    let mut delayed = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let head = parse_header(&bytes[at..]).context("an element's head is cut off")?;
        let body = at + head.length;
        // Into the segment and the clusters; past everything else.
        let end = match (head.id, head.size) {
            (SEGMENT | CLUSTER, None) => body,
            (_, Some(size)) => body + size,
            (id, None) => bail!("element {id:#x} without a size"),
        };
        let whole = bytes.get(at..end).context("an element is cut off")?;
        if head.id == TIMESTAMP {
            let time_ms = whole[head.length..].iter().fold(0, |ms, &byte| ms << 8 | u64::from(byte));
            delayed.extend(integer(TIMESTAMP, time_ms + by_ms));
        } else {
            delayed.extend(whole);
        }
        at = end;
    }
    Ok(delayed)
}
