//! The media of one track, made with ffmpeg: it shows and sounds its own place on
//! the room's timeline.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::recording::Kind;
use crate::sid::fnv1a;

/// libopus looks 312 samples (6.5 ms at 48 kHz) ahead, so that what goes in comes
/// out so much later: measured, and the pre-skip that it writes into its header.
const OPUS_LOOKAHEAD_S: f64 = 312.0 / 48_000.0;

/// When the rooms' clocks begin.
const BEGIN: &str = "2026-01-15T09:00:00Z";

/// One track, times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Track {
    pub(crate) identity: &'static str,
    pub(crate) kind: Kind,
    pub(crate) colour: &'static str,
    pub(crate) pitch_hz: u32,
    /// The container's start time.
    pub(crate) start_ms: i64,
    /// The place of its first sample on the room's timeline.
    pub(crate) joined_ms: i64,
    pub(crate) length_ms: i64,
}

impl Track {
    /// The wall clock at its first sample, RFC 3339.
    pub(crate) fn created(&self) -> String {
        let begin: jiff::Timestamp = BEGIN.parse().unwrap_or_default();
        (begin + jiff::SignedDuration::from_secs(self.joined_ms / 1000)).to_string()
    }

    /// The file, made if it is not there. Its name holds a hash of how it is made:
    /// another way makes another file.
    pub(crate) fn make(&self, dir: &Path) -> anyhow::Result<PathBuf> {
        let (ending, recipe) = match self.kind {
            Kind::Audio => ("mka", self.sound()),
            _ => ("mkv", self.picture(&self.text())),
        };
        let hash = fnv1a(recipe.join("\n").bytes());
        let path = dir.join(format!("{}-{hash:016x}.{ending}", self.identity));
        if path.exists() {
            return Ok(path);
        }
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // A folder of its own: two that make the same at once don't meet, and nothing
        // half-made is ever under a final name.
        let workshop = tempfile::Builder::new()
            .prefix(".making-")
            .tempdir_in(dir)
            .with_context(|| format!("cannot write to {}", dir.display()))?;
        let made = workshop.path().join("made");
        match self.kind {
            Kind::Audio => self.make_sound(&recipe, workshop.path(), &made)?,
            // Where drawtext finds no font, the picture does without.
            _ => ffmpeg(&recipe, &made).or_else(|_| ffmpeg(&self.picture(""), &made))?,
        }
        std::fs::rename(&made, &path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// A beep of 50 ms at each whole second of the room; none in the first tenth of
    /// a second, where the encoder's delay would cut it short.
    fn sound(&self) -> Vec<String> {
        let at = seconds(self.joined_ms) + OPUS_LOOKAHEAD_S;
        let beep = format!(
            "aevalsrc=exprs='0.4*sin(2*PI*{}*t)*lt(mod(t+{at:.4},1),0.05)*gt(t,0.1)':s=48000:d={:.4}",
            self.pitch_hz,
            seconds(self.length_ms) - OPUS_LOOKAHEAD_S
        );
        let encode = "-c:a libopus -b:a 24k -write_crc32 0 -f matroska";
        words(&["-f lavfi -i"], &beep, encode)
    }

    /// The encoder's delay is in the signal; the file must not ask players to cut
    /// it again, as a recorder's files don't. Then the file is copied to its start
    /// time, which its first packet keeps to the millisecond.
    fn make_sound(&self, recipe: &[String], workshop: &Path, made: &Path) -> anyhow::Result<()> {
        let raw = workshop.join("raw");
        ffmpeg(recipe, &raw)?;
        let mut bytes = std::fs::read(&raw)?;
        clear_encoder_delay(&mut bytes)?;
        std::fs::write(&raw, bytes)?;
        let mut copy = words(&["-i"], &raw.display().to_string(), "-c copy");
        copy.extend(self.placed());
        ffmpeg(&copy, made)
    }

    /// Name, running time, a square that wanders and a bar that flashes at each
    /// whole second of the room.
    fn picture(&self, text: &str) -> Vec<String> {
        let joined = seconds(self.joined_ms);
        let length = seconds(self.length_ms);
        let graph = format!(
            "color=c={}:s=640x480:r=30:d={length},\
             drawbox=y=440:h=40:w=640:color=white:t=fill:enable='lt(mod(t+{joined},1),0.1)'{text}[back];\
             color=c=yellow:s=40x40:r=30:d={length}[square];\
             [back][square]overlay=x='mod((t+{joined})*150,600)':y=360:shortest=1,format=yuv420p",
            self.colour
        );
        let encode = "-c:v libvpx -deadline realtime -cpu-used 8 -threads 2 -g 150 -crf 10 -b:v 1M -qmax 35";
        let mut recipe = words(&["-filter_complex"], &graph, encode);
        recipe.extend(self.placed());
        recipe
    }

    fn text(&self) -> String {
        format!(
            ",drawtext=text='{}':fontsize=96:fontcolor=white:x=40:y=60\
             ,drawtext=text='%{{pts\\:hms\\:{}}}':fontsize=64:fontcolor=white:x=40:y=220",
            self.identity,
            seconds(self.joined_ms)
        )
    }

    /// Matroska from the start time on.
    fn placed(&self) -> Vec<String> {
        let start = seconds(self.start_ms);
        let created = self.created();
        format!(
            "-metadata creation_time={created} -output_ts_offset {start} -avoid_negative_ts disabled -f matroska"
        )
        .split(' ')
        .map(str::to_owned)
        .collect()
    }
}

/// Milliseconds as seconds; exact in the three decimals that are printed.
#[allow(clippy::cast_precision_loss)]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Arguments parted at blanks, around one that may hold some.
fn words(before: &[&str], one: &str, after: &str) -> Vec<String> {
    let before = before.iter().flat_map(|text| text.split(' '));
    before.chain([one]).chain(after.split(' ')).map(str::to_owned).collect()
}

/// Runs ffmpeg (the one that `TW_FFMPEG` names, if it does) with one output.
fn ffmpeg(arguments: &[String], output: &Path) -> anyhow::Result<()> {
    let program = std::env::var_os("TW_FFMPEG").unwrap_or_else(|| OsString::from("ffmpeg"));
    let done = Command::new(&program)
        .args(["-hide_banner", "-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(output)
        .stdin(Stdio::null())
        .output()
        .with_context(|| {
            let program = program.display();
            format!("cannot run {program}: the rooms to try are made with ffmpeg; install it, or name it in TW_FFMPEG")
        })?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("ffmpeg could not make {}: {}", output.display(), said.trim());
    }
    Ok(())
}

/// Sets `CodecDelay` (RFC 9559, element 0x56AA) and the pre-skip of the `OpusHead`
/// (RFC 7845, 5.1: two bytes after magic, version and channel count) to 0.
fn clear_encoder_delay(file: &mut [u8]) -> anyhow::Result<()> {
    const HEAD: usize = 4096;
    let find = |file: &[u8], what: &[u8]| {
        let head = &file[..file.len().min(HEAD)];
        head.windows(what.len()).position(|window| window == what)
    };
    let Some(opus) = find(file, b"OpusHead") else {
        bail!("ffmpeg wrote a Matroska file without OpusHead");
    };
    if let Some(pre_skip) = file.get_mut(opus + 10..opus + 12) {
        pre_skip.fill(0);
    }
    if let Some(delay) = find(file, &[0x56, 0xaa]) {
        // One byte of length (0x80 and the count), then the number.
        let count = file.get(delay + 2).map_or(0, |byte| usize::from(byte & 0x0f));
        if let Some(number) = file.get_mut(delay + 3..delay + 3 + count) {
            number.fill(0);
        }
    }
    Ok(())
}
