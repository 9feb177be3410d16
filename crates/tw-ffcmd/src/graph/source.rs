//! A recording's frames on their way to the canvas: moved to their place on the
//! output's timeline, and scaled into their cell.

use super::Chain;
use crate::layout::Rect;
use crate::room::Track;
use crate::time::{Millis, Rate};
use crate::timeline::{Frames, Timeline};

/// The clock that sources get: both their milliseconds and the output's frames
/// are whole numbers of its ticks, at all usual rates.
struct Clock {
    /// Ticks per second.
    rate: u32,
    /// Ticks in one output frame.
    frame: i64,
}

impl Clock {
    /// `overlay` compares the times of its inputs exactly as long as their common
    /// denominator is below half a million, and by the microsecond beyond
    /// (libavfilter's framesync.c, `av_gcd_q`).
    fn of(rate: Rate) -> Self {
        let finer = (499_999 / rate.frames).clamp(1, 1000);
        Self { rate: rate.frames.get() * finer, frame: i64::from(rate.seconds.get()) * i64::from(finer) }
    }
}

/// Brings the frames of a track to their place in time: the chain from the file's
/// `pad` on, whose time 0 is the first frame of `slice`.
///
/// `overlay` shows the latest frame that isn't later than the canvas'. So a frame
/// is moved to the earliest moment at which it is the nearest: halfway from the
/// frame before (the first has none: `max` then gives its second argument), but
/// not by more than half an output frame, or what follows a pause would come early.
pub fn placed(pad: String, track: &Track, timeline: &Timeline, slice: Frames) -> Chain {
    let clock = Clock::of(timeline.rate);
    let place = timeline.at(track.span.from);
    Chain::from([pad])
        .then(format!("settb=1/{}", clock.rate))
        .then(format!(
            "setpts='round(max((PTS+PREV_INPTS)/2,PTS-{}/2)-{}/TB+{}/TB)'",
            clock.frame,
            track.start_time.seconds(),
            place.seconds()
        ))
        .then_if((slice.first > 0).then(|| format!("setpts=PTS-{}", slice.first * clock.frame)))
        .then_if(too_early(track, timeline, slice, &clock))
}

/// Reading begins at a key frame, maybe long before `slice`: what can't be seen in
/// it any more need not be scaled. The last frame before it can, and it lies no
/// further back than frames are apart; a second more is for what can't be decoded.
fn too_early(track: &Track, timeline: &Timeline, slice: Frames, clock: &Clock) -> Option<String> {
    let begins = timeline.start + timeline.rate.time_of(slice.first);
    let kept = track.frame_interval_max? + Millis(1000);
    let ticks = kept.0 * i64::from(clock.rate) / 1000 + clock.frame;
    (begins - track.span.from > kept).then(|| format!("trim=start_pts=-{ticks}"))
}

/// Scales a picture into a cell: as large as it fits, its shape kept, on even
/// pixels, with square pixels whatever the source's were.
pub fn fitted(chain: Chain, cell: Rect) -> Chain {
    let (w, h) = (cell.width, cell.height);
    chain
        .then(format!(
            "scale=w='2*max(1,round(min({w},{h}*dar)/2))':h='2*max(1,round(min({h},{w}/dar)/2))':eval=frame"
        ))
        .then("setsar=1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_count_milliseconds_and_frames() {
        for (rate, ticks, frame) in
            [("30", 30_000, 1000), ("29.97", 480_000, 16_016), ("240", 240_000, 1000), ("12.5", 25_000, 2000)]
        {
            let clock = Clock::of(rate.parse().unwrap());
            assert_eq!((clock.rate, clock.frame), (ticks, frame), "{rate}");
            assert_eq!(clock.rate % 1000, 0, "{rate}");
        }
    }
}
