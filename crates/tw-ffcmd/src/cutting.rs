//! How the work on a room is divided among the cores that it has: in time, or by
//! the cells of the picture.
//!
//! In time is better: each chunk is composed by itself, and survives a kill. But a
//! chunk decodes everything since the last key frame before it, and those may be
//! minutes apart. Where that costs more than it gains, one ffmpeg draws some of the
//! cells and hands them on to the one that draws the others and encodes.

use std::cmp::Reverse;

use crate::cli::Cli;
use crate::job::Job;
use crate::layout::Rect;
use crate::room::{Kind, Track};
use crate::steps::Action;
use crate::time::Millis;
use crate::timeline::Frames;

/// How a room is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutting {
    /// Not at all: one ffmpeg makes everything.
    Whole,
    /// The picture in chunks of this length.
    Chunks(Millis),
    /// The same, each of them by two ffmpegs.
    Pairs(Millis),
}

/// A shorter room is composed in one piece: a second ffmpeg must earn its start.
const WORTH_CUTTING: Millis = Millis(10_000);
/// Below this, what a chunk costs by itself (a start, a key frame) begins to count.
const SHORTEST_CHUNK: i64 = 5_000;
/// The distance of key frames: chunks of this length cost none.
const SHORT_CHUNK: i64 = 10_000;
/// More would be lost in a kill.
const LONGEST_CHUNK: i64 = 60_000;
/// On average a chunk decodes half the time between two key frames once more. In a chunk of
/// so many times that time, this is an eighth of its decoding.
const KEY_FRAMES_IN_CHUNK: i64 = 4;

/// What a frame of the output costs by itself, most of it the encoder's, in µs of CPU
/// time (measured at 1024x768 with VP8).
const FRAME: i64 = 3500;
/// What each picture in it costs: to decode, to scale, to draw.
const PICTURE: i64 = 1050;
/// Of that, to decode.
const DECODING: i64 = 650;
/// To hand a frame from one ffmpeg to the other, on either side.
const HANDING_ON: i64 = 250;

impl Cutting {
    /// How a room is divided among `cores` that it has for itself.
    pub fn of(cli: &Cli, job: &Job, cores: usize) -> Self {
        let lasts = job.timeline.duration();
        match cli.chunk {
            Some(0) => Self::Whole,
            Some(seconds) => Self::Chunks(Millis(i64::from(seconds) * 1000)),
            None if cli.run && cli.jobs() > 1 && lasts >= WORTH_CUTTING => usual(job, cores),
            None => Self::Whole,
        }
    }

    /// The length of a chunk.
    pub fn chunk(self) -> Option<Millis> {
        match self {
            Self::Whole => None,
            Self::Chunks(chunk) | Self::Pairs(chunk) => Some(chunk),
        }
    }
}

/// What is soonest done, as far as can be told.
fn usual(job: &Job, cores: usize) -> Cutting {
    let cores = i64::try_from(cores).unwrap_or(1);
    let (lasts, key_frames) = (job.timeline.duration(), between_key_frames(job));
    let in_time = chunk(lasts, key_frames, cores);
    let chunks = in_time.map_or(Cutting::Whole, Cutting::Chunks);
    let scarce = KEY_FRAMES_IN_CHUNK * key_frames.0 > lasts.0 / cores;
    if cores < 2 || !scarce {
        return chunks;
    }
    let costs = |chunk: Millis, cost: fn(&Job, Frames) -> i64| -> Vec<i64> {
        job.timeline.slices(chunk).into_iter().map(|slice| cost(job, slice)).collect()
    };
    let alone = costs(in_time.unwrap_or(lasts), picture);
    let by_chunks = alone.iter().copied().max().max(Some(alone.iter().sum::<i64>() / cores));
    // As many pieces as there are pairs of cores.
    let piece = Millis((lasts.0 + cores / 2 - 1) / (cores / 2));
    let by_pairs = costs(piece, |job, slice| divided(job, slice).1).into_iter().max();
    if by_pairs < by_chunks { Cutting::Pairs(piece) } else { chunks }
}

/// Chunks of one length, as many for each of the `cores`, and at least two where the
/// room is long enough: more people are in its later half than in its first. A single
/// core gains nothing by them but what is left after a kill.
fn chunk(lasts: Millis, key_frames: Millis, cores: i64) -> Option<Millis> {
    let about = match cores {
        1 => LONGEST_CHUNK,
        _ => (lasts.0 / (2 * cores)).clamp(SHORT_CHUNK, LONGEST_CHUNK),
    };
    let about = about.max((KEY_FRAMES_IN_CHUNK * key_frames.0).min(lasts.0 / cores));
    let rounds = ((lasts.0 + about / 2) / about + cores - 1) / cores;
    let count = (rounds * cores).min(lasts.0 / SHORTEST_CHUNK);
    (count > 1).then(|| Millis((lasts.0 + count - 1) / count))
}

/// The longest time between two key frames of those who are seen.
fn between_key_frames(job: &Job) -> Millis {
    let seen = job.placements.iter().map(|placement| &job.room.tracks[placement.track]);
    seen.filter_map(|track| track.key_frame_interval_max).max().unwrap_or_default()
}

/// About how long a step takes, in µs of CPU time: good for deciding which is begun
/// first.
pub fn effort(job: &Job, action: Action) -> i64 {
    match action {
        Action::Picture(slice) => picture(job, slice),
        Action::Sound => {
            let heard: i64 = job.heard.iter().map(|&t| job.room.tracks[t].span.lasts().0).sum();
            3 * job.timeline.duration().0 + 3 * heard
        }
        Action::Index | Action::Join | Action::Whole => 0,
    }
}

/// What some frames of the picture cost.
fn picture(job: &Job, slice: Frames) -> i64 {
    let seen = job.placements.iter().filter_map(|p| {
        let frames = job.timeline.frames_of(p.span)?.and(slice)?;
        Some(PICTURE * frames.count() + DECODING * decoded_before(job, &job.room.tracks[p.track], slice))
    });
    FRAME * slice.count() + seen.sum::<i64>()
}

/// How many frames of a track have to be decoded before those of `slice`.
fn decoded_before(job: &Job, track: &Track, slice: Frames) -> i64 {
    debug_assert_eq!(track.kind, Kind::Video);
    let begins = job.timeline.start + job.timeline.rate.time_of(slice.first);
    let since = (begins - track.span.from).max(Millis::ZERO);
    match track.key_frame_interval_max {
        // Maybe the only one, at the beginning.
        Some(longest) if longest >= since => job.timeline.rate.ceil(since),
        Some(longest) => job.timeline.rate.ceil(Millis(longest.0 / 2)),
        None => 0,
    }
}

/// Cells for another ffmpeg to draw, so that both have as much to do, and what the one
/// that has more to do costs.
pub fn divided(job: &Job, slice: Frames) -> (Vec<Rect>, i64) {
    let mut cells = job.composition().cells(slice);
    // The largest first: the small ones even it out.
    cells.sort_by_key(|&(_, shown)| Reverse(shown));
    let (all, handing_on) = (picture(job, slice), HANDING_ON * slice.count());
    let mut strip = Vec::new();
    let mut drawn = 0;
    for (cell, shown) in cells {
        let more = drawn + PICTURE * shown;
        if (2 * more - all).abs() < (2 * drawn - all).abs() {
            drawn = more;
            strip.push(cell);
        }
    }
    (strip, drawn.max(all - drawn) + handing_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_one_length_for_all_cores() {
        let chunk =
            |lasts, key_frames, cores| chunk(Millis(lasts), Millis(key_frames), cores).map(|chunk| chunk.0);
        assert_eq!(chunk(10_000, 2000, 2), Some(5000));
        assert_eq!(chunk(40_033, 2000, 2), Some(10_009));
        assert_eq!(chunk(40_000, 1000, 16), Some(5000));
        assert_eq!(chunk(3_600_000, 2000, 2), Some(60_000));
        // One key frame at the start: every chunk more would decode it all again.
        assert_eq!(chunk(3_600_000, 3_600_000, 2), Some(1_800_000));
        assert_eq!(chunk(3_600_000, 150_000, 2), Some(600_000));
        // Other rooms keep the other cores busy.
        assert_eq!(chunk(80_000, 2000, 1), None);
        assert_eq!(chunk(600_000, 2000, 1), Some(60_000));
        assert_eq!(chunk(600_000, 600_000, 1), None);
    }
}
