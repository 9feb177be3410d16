//! A look at a composition: twelve of its pictures on one sheet, or its
//! spectrum where it has no picture.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tw_testsignal::{Composition, ffmpeg};

/// Pictures on a sheet.
const PICTURES: usize = 12;

/// Writes the sheet of a composition of so many frames.
///
/// # Errors
/// If ffmpeg can't be started or fails.
pub fn write(composition: &Composition, frames: usize, sheet: &Path) -> Result<()> {
    let filter = if composition.size.is_some() {
        let every = frames.div_ceil(PICTURES).max(1);
        format!("select='not(mod(n,{every}))',scale=320:-2,tile=4x3:padding=4:color=gray")
    } else {
        "showspectrumpic=s=1024x512:stop=8000".to_owned()
    };
    let mut source = std::ffi::OsString::from("file:");
    source.push(&composition.path);
    let output = Command::new(ffmpeg::ffmpeg())
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(source)
        .args([if composition.size.is_some() { "-filter:v" } else { "-lavfi" }, &filter])
        .args(["-frames:v", "1", "-update", "1"])
        .arg(sheet)
        .stdin(Stdio::null())
        .output()
        .context("can't start ffmpeg")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "no sheet {}: {}", sheet.display(), words.trim());
    Ok(())
}
