//! The programs that encode and decode: `TW_FFMPEG` and `TW_FFPROBE`, else
//! `ffmpeg` and `ffprobe` on the PATH.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// ffmpeg, as the environment names it.
#[must_use]
pub fn ffmpeg() -> OsString {
    program("TW_FFMPEG", "ffmpeg")
}

/// ffprobe, as the environment names it.
#[must_use]
pub fn ffprobe() -> OsString {
    program("TW_FFPROBE", "ffprobe")
}

fn program(variable: &str, default: &str) -> OsString {
    std::env::var_os(variable).filter(|name| !name.is_empty()).unwrap_or_else(|| default.into())
}

/// Runs ffmpeg with what `feed` writes on its stdin, and gives its stdout.
/// Both flow at the same time, so neither has to fit into a pipe.
///
/// # Errors
/// If ffmpeg can't be started or fails; its own last words are in the message.
pub fn pipe<F>(arguments: &[&str], feed: F) -> Result<Vec<u8>>
where
    F: FnOnce(&mut dyn Write) -> std::io::Result<()> + Send,
{
    let mut child = Command::new(ffmpeg())
        .args(["-hide_banner", "-nostats", "-v", "error"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", ffmpeg().display()))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut output = Vec::new();
    let mut words = String::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(stdin) = stdin {
                // A reader that stops early says why on its stderr.
                let mut stdin = std::io::BufWriter::with_capacity(1 << 16, stdin);
                let _ = feed(&mut stdin).and_then(|()| stdin.flush());
            }
        });
        scope.spawn(|| stderr.map(|mut stderr| stderr.read_to_string(&mut words)));
        stdout.map(|mut stdout| stdout.read_to_end(&mut output)).transpose()
    })?;
    let status = child.wait()?;
    if !status.success() {
        bail!("ffmpeg {arguments:?} failed ({status}): {}", words.trim());
    }
    Ok(output)
}

/// Runs ffmpeg on a file and hands its stdout on as it comes, in pieces of
/// `piece` bytes; a shorter rest at the end is dropped. Nothing is held.
///
/// # Errors
/// If ffmpeg can't be started or fails, or `take` does.
pub fn decode<F>(path: &Path, before: &[&str], after: &[&str], piece: usize, mut take: F) -> Result<()>
where
    F: FnMut(&[u8]) -> Result<()>,
{
    let mut child = Command::new(ffmpeg())
        .args(["-hide_banner", "-nostats", "-nostdin", "-v", "error"])
        .args(before)
        .arg("-i")
        .arg(protocol(path))
        .args(after)
        .arg("-")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", ffmpeg().display()))?;
    let stderr = child.stderr.take();
    let mut words = String::new();
    let taken = std::thread::scope(|scope| -> Result<()> {
        scope.spawn(|| stderr.map(|mut stderr| stderr.read_to_string(&mut words)));
        let mut stdout = child.stdout.take().context("ffmpeg has no stdout")?;
        let mut buffer = vec![0; piece];
        loop {
            let mut filled = 0;
            while filled < piece {
                match stdout.read(&mut buffer[filled..])? {
                    0 => return Ok(()),
                    read => filled += read,
                }
            }
            take(&buffer)?;
        }
    });
    let status = child.wait()?;
    taken?;
    if !status.success() {
        bail!("ffmpeg can't decode {}: {}", path.display(), words.trim());
    }
    Ok(())
}

/// What ffprobe says of a file, as JSON; `show` picks the sections.
///
/// # Errors
/// If ffprobe can't be started, fails or doesn't answer in JSON.
pub fn probe(path: &Path, show: &[&str]) -> Result<serde_json::Value> {
    let output = Command::new(ffprobe())
        .args(["-v", "error", "-of", "json"])
        .args(show)
        .arg(protocol(path))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start {}", ffprobe().display()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("ffprobe can't read {}: {}", path.display(), words.trim());
    }
    serde_json::from_slice(&output.stdout).context("ffprobe's answer is no JSON")
}

/// `file:` in front, so that no file name is taken for a flag or a protocol.
fn protocol(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push::<&OsStr>(path.as_ref());
    name
}
