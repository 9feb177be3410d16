//! A recording's frames on their way to the canvas: moved to their place on the
//! output's timeline, scaled into their cell, and brought to the output's pace.

use super::Chain;
use crate::layout::{Rect, Size};
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

/// How pictures are made smaller. They are made larger bicubically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinking {
    /// Each pixel the mean of those that it takes the place of: less work, and a
    /// little softer (docs/encoders.md).
    Area,
    /// swscale's usual way.
    Bicubic,
}

impl Shrinking {
    fn flags(self) -> &'static str {
        match self {
            Self::Area => ":flags=area",
            Self::Bicubic => "",
        }
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
/// Of a recording in which more of that is known, nothing is dropped.
fn too_early(track: &Track, timeline: &Timeline, slice: Frames, clock: &Clock) -> Option<String> {
    let begins = timeline.start + timeline.rate.time_of(slice.first);
    let kept = track.frame_interval_max.filter(|_| track.begins_with_key_frame)? + Millis(1000);
    // A record may say anything of how far its frames are apart.
    let ticks = i128::from(kept.0) * i128::from(clock.rate) / 1000 + i128::from(clock.frame);
    (begins - track.span.from > kept).then(|| format!("trim=start_pts=-{ticks}"))
}

/// Scales a picture to fit into a cell: as large as it can be, its shape kept, on even
/// pixels. They are square once `setsar` says so, whatever the source's were.
///
/// Range and matrix are VP8's, whatever H.264 says of its own: ffmpeg 5.1 shows a recording in
/// BT.709 in wrong colours, and 9.0 gives the whole canvas the range and the matrix of one of
/// the recordings in it, which isn't in every chunk (measured).
pub fn scaled(chain: Chain, cell: Rect, shrinking: Shrinking, smallest: Option<Size>) -> Chain {
    let (w, h) = (cell.width, cell.height);
    // It reaches either of the cell's sides: then it isn't made larger.
    let shrinks = smallest.is_some_and(|size| size.width >= w || size.height >= h);
    let flags = if shrinks { shrinking.flags() } else { "" };
    chain.then(format!(
        "scale=w='2*max(1,round(min({w},{h}*dar)/2))':h='2*max(1,round(min({h},{w}/dar)/2))':eval=frame:out_range=tv:out_color_matrix=bt601{flags}"
    ))
}

/// Fills a cell around a scaled picture with the background.
pub fn filled(chain: Chain, cell: Rect, background: &str) -> Chain {
    let (width, height) = (cell.width, cell.height);
    chain
        .then("format=yuv420p")
        .then(format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:{background}:eval=frame"))
}

/// The pace of the output, and when a source is seen in it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Output frames in a second.
    pub rate: Rate,
    /// Those that are drawn.
    pub slice: Frames,
    /// Those of them in which the source is seen.
    pub shown: Frames,
}

/// Makes scaled pictures all that is seen in a cell during a slice: one for each of the
/// output's frames, the source's while it is shown, the background before and after.
///
/// Only references to pictures are handed on here, where `overlay` would copy them, on
/// a canvas that has been copied too (9 people, without encoding: 5.9 s of CPU time
/// instead of 6.3 s, the same frames).
///
/// - `pad` and `setsar` in this order: so `scale` draws straight into the padded picture.
/// - A frame is due at the first output frame that isn't earlier. `fps` could round up
///   itself, but it leaves out the last frame if that falls on the same output frame
///   as the end of the file (libavfilter's vf_fps.c, `write_frame`). In the middle
///   between two frames, with the end alone rounded up, it never does.
/// - Nothing is due before the first output frame, nor does a file end before it: of what
///   is earlier the last one is seen there, also when no other follows.
/// - What `trim` says of the time of its end is of no use to `tpad`: hence `setpts=N`.
/// - The second `tpad` is there even if the source is shown throughout: it makes
///   the background of a file from which nothing can be decoded.
pub fn paced(chain: Chain, cell: Rect, Pace { rate, slice, shown }: Pace, background: &str) -> Chain {
    let ticks = Clock::of(rate).frame;
    let before = shown.first - slice.first;
    filled(chain, cell, background)
        .then("setsar=1")
        .then(format!("setpts='(max(ceil(PTS/{ticks})-{before},0)+0.5)*{ticks}'"))
        .then(format!("fps={rate}:start_time=0:round=down:eof_action=pass"))
        .then("tpad=stop=-1:stop_mode=clone")
        .then_if((shown.end < slice.end).then(|| format!("trim=end_frame={}", shown.count())))
        .then(format!("tpad=start={before}:stop=-1:color={background}"))
        .then("setpts=N")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Room;
    use crate::room::tests_support::track;

    #[test]
    fn pictures_get_the_usual_range_and_matrix() {
        let cell = Rect { x: 0, y: 0, width: 64, height: 48 };
        let chain = scaled(Chain::from(["0:v"]), cell, Shrinking::Area, None).into_pads(["out"]);
        assert!(
            crate::graph::join(&[chain]).contains(":eval=frame:out_range=tv:out_color_matrix=bt601[out]")
        );
    }

    #[test]
    fn a_record_may_say_any_interval_between_frames() {
        let mut track = track(0, 40_000);
        track.begins_with_key_frame = true;
        let timeline = |track: &Track| {
            let room = Room { sid: None, tracks: vec![track.clone()] };
            Timeline::new("240000/1001".parse().unwrap(), &room, Some(Millis(30_000)), None).unwrap()
        };
        let trim = |track: &Track| {
            let timeline = timeline(track);
            too_early(track, &timeline, timeline.all(), &Clock::of(timeline.rate))
        };
        track.frame_interval_max = Some(Millis(1000));
        assert_eq!(trim(&track).as_deref(), Some("trim=start_pts=-962002"));
        track.frame_interval_max = Some(Millis(i64::MAX));
        assert_eq!(trim(&track), None);
    }

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
