//! How the work on a room is divided among the cores that it has: in time, or by
//! the cells of the picture.
//!
//! In time is better: each chunk is composed by itself, and survives a kill. But a
//! chunk decodes everything since the last key frame before it, and those may be
//! minutes apart. Where that costs more than it gains, one ffmpeg draws some of the
//! cells and hands them on to the one that draws the others and encodes; or, where
//! that is hardly later, one does all of it and decodes ahead.

use std::cmp::Reverse;
use std::iter::successors;

use crate::cli::Cli;
use crate::job::Job;
use crate::layout::Rect;
use crate::room::{Kind, Track};
use crate::steps::{self, Action};
use crate::time::Millis;
use crate::timeline::{self, Frames};

/// How a room is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutting {
    /// Not at all: one ffmpeg makes everything.
    Whole,
    /// The picture in chunks of this length.
    Chunks(Millis),
    /// The same, each of them by two cores: two ffmpegs share its cells, or one decodes ahead.
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
/// Chunks may cost so much more than one piece, as a divisor: an eighth.
const WORTH_A_PART: i64 = 8;

/// About what a picture in a frame of the output costs, in µs of CPU time: to decode, to
/// scale, to draw (VP8 at 640x480 and 30 frames a second; drawing without an encoder took
/// 980 where decoding took 750 to 850, on a day when all was slower).
const PICTURE: i64 = 900;
/// Of that, to decode.
const DECODING: i64 = 650;
/// To hand a frame of 1024x768 from one ffmpeg to the other, on either side.
const HANDING_ON: i64 = 250;
/// An ffmpeg that decodes ahead takes at least so much of its CPU time (3 to 16 people: 0.58
/// to 0.61).
const AHEAD: (i64, i64) = (3, 5);
/// By so much, as a divisor, two ffmpegs have to be sooner than one that decodes ahead: they
/// spend more (6 people: 5.6 s of CPU time instead of 5.2 s).
const WORTH_A_PAIR: i64 = 10;

impl Cutting {
    /// How a room is divided among `cores` that it has for itself.
    pub fn of(cli: &Cli, job: &Job, cores: usize) -> Self {
        let lasts = job.timeline.duration();
        match cli.chunk {
            Some(Millis::ZERO) => Self::Whole,
            Some(chunk) => Self::Chunks(chunk),
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

    /// Whether the whole picture is one piece, by whichever number of ffmpegs.
    pub fn in_one_piece(self, job: &Job) -> bool {
        match self {
            Self::Whole => true,
            Self::Chunks(_) => false,
            Self::Pairs(piece) => piece >= job.timeline.duration(),
        }
    }
}

/// What a way to divide the picture costs, in µs of CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// The piece that costs most.
    longest: i64,
    all: i64,
}

impl Cost {
    fn of(pieces: impl Iterator<Item = i64>) -> Self {
        pieces.fold(Self { longest: 0, all: 0 }, |cost, piece| Self {
            longest: cost.longest.max(piece),
            all: cost.all + piece,
        })
    }

    /// How long it takes, side by side.
    fn on(self, cores: i64) -> i64 {
        self.longest.max(self.all / cores)
    }
}

fn usual(job: &Job, cores: usize) -> Cutting {
    let slices = |chunk| job.timeline.slices(chunk).into_iter();
    choose(
        job.timeline.duration(),
        i64::try_from(cores).unwrap_or(1),
        steps::most_chunks(job),
        |chunk| Cost::of(slices(chunk).map(|slice| picture(job, slice))),
        |chunk| slices(chunk).map(|slice| divided(job, slice).1).max().unwrap_or_default(),
    )
}

/// The shortest chunks that cost little more than one piece, since they are what survives a
/// kill, and not more than `most`. Where none do, what is soonest done, as far as can be told.
///
/// A single core gains nothing by chunks but what is left after a kill.
fn choose(
    lasts: Millis,
    cores: i64,
    most: i64,
    chunks: impl Fn(Millis) -> Cost,
    pairs: impl Fn(Millis) -> i64,
) -> Cutting {
    let shortest = match cores {
        1 => LONGEST_CHUNK,
        _ => (lasts.0 / (2 * cores)).clamp(SHORT_CHUNK, LONGEST_CHUNK),
    };
    let shortest = shortest.max(lasts.0 / most);
    let longer = successors(Some(shortest), |about| Some(2 * about));
    let lengths = longer.take_while(|&about| about < lasts.0 / cores).chain([lasts.0 / cores]);
    let ways: Vec<(Millis, Cost)> =
        lengths.filter_map(|about| chunk(lasts, about, cores)).map(|chunk| (chunk, chunks(chunk))).collect();
    let whole = chunks(lasts).all;
    if let Some(&(chunk, _)) = ways.iter().find(|(_, cost)| cost.all <= whole + whole / WORTH_A_PART) {
        return Cutting::Chunks(chunk);
    }
    if cores < 2 {
        return Cutting::Whole;
    }
    let soonest = ways.iter().min_by_key(|(_, cost)| cost.on(cores));
    let (by_chunks, takes) =
        soonest.map_or((Cutting::Whole, whole), |&(chunk, cost)| (Cutting::Chunks(chunk), cost.on(cores)));
    // As many pieces as there are pairs of cores.
    let piece = Millis((lasts.0 + cores / 2 - 1) / (cores / 2));
    if pairs(piece) < takes { Cutting::Pairs(piece) } else { by_chunks }
}

/// The length of chunks of about this length, of which each of the `cores` has as many; none
/// where they would be too short to be worth it.
fn chunk(lasts: Millis, about: i64, cores: i64) -> Option<Millis> {
    let rounds = ((lasts.0 + about / 2) / about + cores - 1) / cores;
    let count = (rounds * cores).min(lasts.0 / SHORTEST_CHUNK);
    (count > 1).then(|| Millis((lasts.0 + count - 1) / count))
}

/// About how long a step takes, in µs of CPU time: good for deciding which is begun
/// first.
pub fn effort(job: &Job, action: Action) -> i64 {
    match action {
        Action::Picture(slice) => picture(job, slice),
        Action::Sound => {
            let heard = job.heard.iter().map(|&t| job.room.tracks[t].span.lasts().0);
            heard.fold(job.timeline.duration().0, i64::saturating_add).saturating_mul(3)
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
    job.encoding.effort() * slice.count() + seen.sum::<i64>()
}

/// How many frames of a track have to be decoded before those of `slice`.
fn decoded_before(job: &Job, track: &Track, slice: Frames) -> i64 {
    debug_assert_eq!(track.kind, Kind::Video);
    let begins = job.timeline.start + job.timeline.rate.time_of(slice.first);
    // A record may say that it began ages before.
    let since = (begins - track.span.from).clamp(Millis::ZERO, timeline::LONGEST);
    if track.is_read_from_its_start() {
        return job.timeline.rate.ceil(since);
    }
    match track.key_frame_interval_max {
        // Maybe the only one, at the beginning.
        Some(longest) if longest >= since => job.timeline.rate.ceil(since),
        Some(longest) => job.timeline.rate.ceil(Millis(longest.0 / 2)),
        None => 0,
    }
}

/// Cells for another ffmpeg to draw, so that both have as much to do, and what the one
/// that has more to do costs. None where one ffmpeg that decodes ahead is hardly later.
pub fn divided(job: &Job, slice: Frames) -> (Vec<Rect>, i64) {
    let mut cells = job.composition().cells(slice);
    // The largest first: the small ones even it out.
    cells.sort_by_key(|&(_, shown)| Reverse(shown));
    let all = picture(job, slice);
    let handing_on = job.encoding.at_this_size(HANDING_ON) * slice.count();
    let mut strip = Vec::new();
    let mut drawn = 0;
    for (cell, shown) in cells {
        let more = drawn + PICTURE * shown;
        if (2 * more - all).abs() < (2 * drawn - all).abs() {
            drawn = more;
            strip.push(cell);
        }
    }
    let pair = drawn.max(all - drawn) + handing_on;
    let alone = ahead(job, slice, all);
    if alone <= pair + pair / WORTH_A_PAIR { (Vec::new(), alone) } else { (strip, pair) }
}

/// What one ffmpeg that decodes ahead costs, in time, if all that it does costs `all`.
fn ahead(job: &Job, slice: Frames, all: i64) -> i64 {
    let decoding = (all - job.encoding.effort() * slice.count()) * DECODING / PICTURE;
    let in_line = if job.encoding.encodes_aside() { 0 } else { all - decoding };
    in_line.max(all * AHEAD.0 / AHEAD.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A room whose pictures have key frames so far apart; a ms of the room costs 100 to
    /// decode and 100 else.
    fn choice(lasts: i64, key_frames: i64, cores: i64) -> Cutting {
        let again = |start: i64| 100 * if key_frames >= start { start } else { key_frames / 2 };
        let chunks = |chunk: Millis| {
            let starts = (0..lasts).step_by(usize::try_from(chunk.0).unwrap());
            Cost::of(starts.map(|start| 200 * chunk.0.min(lasts - start) + again(start)))
        };
        choose(Millis(lasts), cores, 500, chunks, |piece| 105 * piece.0)
    }

    #[test]
    fn chunks_of_one_length_for_all_cores() {
        let chunks = |ms| Cutting::Chunks(Millis(ms));
        assert_eq!(choice(10_000, 500, 2), chunks(5000));
        assert_eq!(choice(40_033, 2000, 2), chunks(10_009));
        assert_eq!(choice(40_000, 500, 16), chunks(5000));
        assert_eq!(choice(3_600_000, 2000, 2), chunks(60_000));
        // A day: no more than can be joined.
        assert_eq!(choice(86_400_000, 2000, 2), chunks(172_800));
        // Other rooms keep the other cores busy.
        assert_eq!(choice(600_000, 2000, 1), chunks(60_000));
        assert_eq!(choice(80_000, 2000, 1), Cutting::Whole);
    }

    #[test]
    fn longer_ones_where_key_frames_are_far_apart() {
        assert_eq!(choice(3_600_000, 60_000, 2), Cutting::Chunks(Millis(120_000)));
        assert_eq!(choice(3_600_000, 600_000, 2), Cutting::Chunks(Millis(900_000)));
        assert_eq!(choice(600_000, 600_000, 1), Cutting::Whole);
    }

    #[test]
    fn pairs_where_they_are_too_far_apart_for_chunks() {
        assert_eq!(choice(3_600_000, 3_600_000, 2), Cutting::Pairs(Millis(3_600_000)));
        assert_eq!(choice(20_000, 20_000, 2), Cutting::Pairs(Millis(20_000)));
        assert_eq!(choice(20_000, 20_000, 4), Cutting::Pairs(Millis(10_000)));
    }
}
