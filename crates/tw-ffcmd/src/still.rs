//! Stills of a composition, to look at before it is encoded: one frame at a given
//! time (`--preview`), or frames of the whole on one sheet (`--contact-sheet`).

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tw_core::failure::Failure;
use tw_core::record::Record;

use crate::cli::Cli;
use crate::command::Words;
use crate::encode::run_ffmpeg;
use crate::ffmpeg;
use crate::graph::picture;
use crate::job::Job;
use crate::layout::Size;
use crate::steps::Command;
use crate::time::Millis;
use crate::timeline::Frames;
use crate::undecodable::Judge;
use crate::unfinished::Unfinished;

/// Frames on a sheet, side by side and one below the other.
const COLUMNS: u32 = 4;
const ROWS: u32 = 3;
/// The width of a frame on a sheet, in pixels.
const SMALL: u32 = 320;
/// Between two of them.
const SPACING: u32 = 4;

/// The file of stills that was asked for, if any.
pub fn wanted(cli: &Cli) -> Option<(&'static str, &str)> {
    let preview = cli.preview.as_deref().map(|name| ("--preview", name));
    preview.or(cli.contact_sheet.as_deref().map(|name| ("--contact-sheet", name)))
}

/// A file name for stills.
///
/// # Errors
/// When it doesn't end in `.png`.
pub fn png(name: &str) -> Result<String, String> {
    let is_png = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if is_png { Ok(name.to_owned()) } else { Err("a still is a PNG: end its name in .png".into()) }
}

/// Makes the stills of a job into its output, which is written over.
///
/// # Errors
/// When there is no picture, or none at that time, or ffmpeg fails.
pub fn make(cli: &Cli, job: &Job) -> Result<Record, Failure> {
    let Some(look) = &job.look else {
        return Err(Failure::field("there is no picture to look at with --audio-only"));
    };
    let stall = Duration::from_secs(cli.stall);
    let judge = Judge::new(job, stall, cli.allow_incomplete);
    let part = Unfinished::begin(&job.output)?;
    let (frames, size) = if cli.preview.is_some() {
        let frame = frame_at(job, cli.at)?;
        still(job, frame, None, part.path(), stall, &judge)?;
        (vec![frame], look.size)
    } else {
        let small = Size { width: SMALL, height: (SMALL * look.size.height / look.size.width).max(2) & !1 };
        let frames = spread(job.timeline.frames);
        (frames.clone(), sheet(job, &frames, small, part.path(), stall, &judge)?)
    };
    part.persist(&job.output)?;
    record(job, size, &frames)
}

fn record(job: &Job, size: Size, frames: &[i64]) -> Result<Record, Failure> {
    #[derive(Serialize)]
    struct Fields<'a> {
        room_sid: Option<&'a str>,
        output: &'a Path,
        width: u32,
        height: u32,
        times_ms: Vec<Millis>,
    }
    Record::from_value(&Fields {
        room_sid: job.room.sid.as_deref(),
        output: &job.output,
        width: size.width,
        height: size.height,
        times_ms: frames.iter().map(|&frame| job.timeline.rate.time_of(frame) + job.timeline.start).collect(),
    })
}

/// The output's frame at a time of the room; without one, that in the middle.
fn frame_at(job: &Job, at: Option<Millis>) -> Result<i64, Failure> {
    let timeline = &job.timeline;
    let Some(at) = at else { return Ok(timeline.frames / 2) };
    let into = timeline.at(at);
    if (Millis::ZERO..timeline.duration()).contains(&into) {
        // Within half a frame of the end, the next one is none any more.
        return Ok(timeline.rate.nearest(into).min(timeline.frames - 1));
    }
    Err(Failure::field(format!(
        "nothing to see at {} s: the output goes from {} s to {} s",
        at.seconds(),
        timeline.start.seconds(),
        (timeline.start + timeline.duration()).seconds()
    )))
}

/// Frames from the whole length, each in the middle of its share.
fn spread(frames: i64) -> Vec<i64> {
    let count = i64::from(COLUMNS * ROWS).min(frames);
    (0..count).map(|i| (2 * i + 1) * frames / (2 * count)).collect()
}

/// One frame of the composition, scaled if it is to be.
fn still(
    job: &Job,
    frame: i64,
    size: Option<Size>,
    output: &Path,
    stall: Duration,
    judge: &Judge<'_>,
) -> Result<(), Failure> {
    let plan = job.composition().picture(Frames { first: frame, end: frame + 1 });
    let (graph, pad) = match size {
        Some(Size { width, height }) => {
            (format!("{};[{}]scale={width}:{height}[small]", plan.filter_complex, picture::PAD), "small")
        }
        None => (plan.filter_complex.clone(), picture::PAD),
    };
    let words = plan.read(Words::ffmpeg(&ffmpeg::name()));
    let command = Command { argv: as_png(words, &graph, pad, output), tracks: plan.tracks() };
    let made = run_ffmpeg(job, &command, &[], stall, None)?;
    judge.judge(&made.undecodable)
}

fn sheet(
    job: &Job,
    frames: &[i64],
    small: Size,
    output: &Path,
    stall: Duration,
    judge: &Judge<'_>,
) -> Result<Size, Failure> {
    let mut stills = Vec::new();
    for &frame in frames {
        let part = Unfinished::begin(&job.output.with_extension(format!("{frame}.png")))?;
        still(job, frame, Some(small), part.path(), stall, judge)?;
        stills.push(part);
    }
    let count = u32::try_from(stills.len()).unwrap_or(COLUMNS);
    let (columns, rows) = (count.min(COLUMNS), count.div_ceil(COLUMNS));
    let (across, down) = (small.width + SPACING, small.height + SPACING);
    let size = Size { width: columns * across - SPACING, height: rows * down - SPACING };
    let mut words = Words::ffmpeg(&ffmpeg::name());
    let mut graph = format!("color=c=gray:s={size}:r=1[sheet0]");
    for (n, still) in (0..).zip(&stills) {
        words = words.and(["-protocol_whitelist", "file", "-f", "image2", "-pattern_type", "none", "-i"]);
        words = words.file(still.path());
        let (x, y) = (n % COLUMNS * across, n / COLUMNS * down);
        graph.push_str(&format!(";[sheet{n}][{n}:v]overlay=x={x}:y={y}[sheet{}]", n + 1));
    }
    run_ffmpeg(job, &as_png(words, &graph, &format!("sheet{count}"), output).into(), &[], stall, None)?;
    Ok(size)
}

fn as_png(words: Words, graph: &str, pad: &str, output: &Path) -> Vec<String> {
    let words = words.and(["-filter_complex", graph, "-map"]).and([format!("[{pad}]")]);
    // `update`: one file, whose name is no pattern of numbers.
    words.and(["-frames:v", "1", "-c:v", "png", "-f", "image2", "-update", "1"]).output(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_evenly() {
        assert_eq!(spread(1200), [50, 150, 250, 350, 450, 550, 650, 750, 850, 950, 1050, 1150]);
        assert_eq!(spread(3), [0, 1, 2]);
        assert_eq!(spread(1), [0]);
    }

    #[test]
    fn a_still_is_a_png() {
        assert!(png("a.PNG").is_ok());
        for name in ["a.jpg", "png", "a"] {
            assert!(png(name).is_err(), "{name}");
        }
    }
}
