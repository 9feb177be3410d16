//! The made-up room of tw-loopback, and reading its signs in a composition: a
//! white bar at the foot of each picture and a beep in each sound, both at the
//! whole seconds of the room.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The foot of a cell in a composition of 1024x768 with two cells: 640x480
/// pictures become 512x384, in the middle; the bar has the lowest twelfth.
const FEET: [(&str, &str); 2] = [("alice", "512:24:0:548"), ("bob", "512:24:512:548")];
/// A bar is white, a background is not.
const WHITE: u8 = 200;
/// A picture is not black.
const BLACK: u8 = 24;

/// What is seen in a cell, frame by frame: the mean luma at its foot.
///
/// # Errors
/// If ffmpeg can't read it.
pub fn foot_of(composition: &Path, who: &str) -> Result<Vec<u8>> {
    let (_, crop) = FEET.iter().find(|(name, _)| *name == who).context("nobody of that name")?;
    let filter = format!("crop={crop},scale=1:1:flags=area,format=gray");
    decode(composition, &["-map", "0:v", "-vf", &filter, "-f", "rawvideo"])
}

/// At which frames the bar comes on.
#[must_use]
pub fn flashes(foot: &[u8]) -> Vec<usize> {
    (1..foot.len()).filter(|&n| foot[n] > WHITE && foot[n - 1] <= WHITE).collect()
}

/// Whether a frame shows nobody.
#[must_use]
pub fn is_black(luma: u8) -> bool {
    luma < BLACK
}

/// When beeps begin, in ms from the first picture.
///
/// # Errors
/// If ffmpeg can't read it.
pub fn beeps(composition: &Path) -> Result<Vec<f64>> {
    const RATE: f64 = 48.0;
    // A beep begins after at least this much silence.
    const SILENCE: usize = 9600;
    let bytes = decode(composition, &["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le"])?;
    let samples = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).abs());
    let mut onsets = Vec::new();
    let mut quiet = SILENCE;
    for (i, level) in samples.enumerate() {
        if level < 0.02 {
            quiet += 1;
        } else {
            if quiet >= SILENCE {
                #[allow(clippy::cast_precision_loss)]
                onsets.push(i as f64 / RATE);
            }
            quiet = 0;
        }
    }
    Ok(onsets)
}

fn decode(composition: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(std::env::var_os("TW_FFMPEG").unwrap_or_else(|| "ffmpeg".into()))
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(composition)
        .args(arguments)
        .arg("-")
        .stdin(Stdio::null())
        .output()
        .context("can't start ffmpeg")?;
    ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
