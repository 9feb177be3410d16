//! The picture: a canvas, and every placement laid over it in its time.
//!
//! What makes it exact:
//! - every source's time is moved to its place on the output's timeline, and from
//!   there to the middle between it and the frame before, so that each output
//!   frame shows the source frame nearest to it, whichever rate is the higher;
//! - the canvas alone sets the pace: as many frames as the output has, however
//!   many take part;
//! - a placement is switched on and off by frame numbers computed here, not by
//!   when a file happens to end, so that a cell is black before and after;
//! - sizes are computed anew for every frame (`eval=frame`), since WebRTC changes
//!   them in mid-stream.

use super::Chain;
use crate::layout::{Placement, Rect, Size};
use crate::room::{Room, Span, Track};
use crate::time::{Millis, Rate};
use crate::timeline::{Frames, Timeline};

/// The pad that carries the finished picture.
pub const PAD: &str = "picture";

/// What is shown while a camera sends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Gap {
    /// The last frame stays.
    #[default]
    Hold,
    /// The background.
    Black,
}

/// How the picture is to look, beyond who is where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The canvas.
    pub size: Size,
    /// ffmpeg's name of a colour, or `0xRRGGBB`.
    pub background: String,
    /// While a camera sends nothing.
    pub gap: Gap,
}

/// Placements of one track in one cell: one overlay, switched on now and then.
struct Overlay<'a> {
    placement: &'a Placement,
    shown: Vec<Frames>,
}

/// The chains that make the picture of the output's frames `slice`. `input_of`
/// gives the number of the input file that holds a track.
pub fn chains(
    room: &Room,
    placements: &[Placement],
    timeline: &Timeline,
    slice: Frames,
    look: &Look,
    input_of: impl Fn(usize) -> usize,
) -> Vec<Chain> {
    let overlays = overlays(room, placements, timeline, slice, look.gap);
    let canvas = Chain::source()
        .then(format!("color=c={}:s={}:r={}", look.background, look.size, timeline.rate))
        .then("format=yuv420p");
    // At the end, not on the canvas: an overlay whose canvas has ended goes on at the pace of what lies over it.
    let cut = format!("trim=end_frame={}", slice.count());
    if overlays.is_empty() {
        return vec![canvas.then(cut).into_pads([PAD])];
    }
    let mut chains = vec![canvas.into_pads(["canvas"])];
    let pads = sources(room, &overlays, timeline, slice, input_of, &mut chains);
    let mut below = "canvas".to_owned();
    for (i, (overlay, pad)) in overlays.iter().zip(pads).enumerate() {
        let fitted = format!("fit{i}");
        chains
            .push(Chain::from([pad]).then(fit(overlay.placement.cell)).then("setsar=1").into_pads([&fitted]));
        let last = i + 1 == overlays.len();
        let above = if last { PAD.to_owned() } else { format!("over{i}") };
        chains.push(
            Chain::from([below, fitted])
                .then(lay_over(overlay.placement.cell, &overlay.shown, slice, timeline.rate))
                .then_if(last.then(|| cut.clone()))
                .into_pads([&above]),
        );
        below = above;
    }
    chains
}

/// The overlays that are seen in `slice`, from the lowest to the highest.
fn overlays<'a>(
    room: &Room,
    placements: &'a [Placement],
    timeline: &Timeline,
    slice: Frames,
    gap: Gap,
) -> Vec<Overlay<'a>> {
    let mut overlays: Vec<Overlay<'a>> = Vec::new();
    for placement in placements {
        let gaps = match gap {
            Gap::Hold => &[][..],
            Gap::Black => &room.tracks[placement.track].gaps,
        };
        let shown: Vec<Frames> = without(placement.span, gaps)
            .into_iter()
            .filter_map(|span| timeline.frames_of(span)?.and(slice))
            .collect();
        if shown.is_empty() {
            continue;
        }
        let same = |o: &&mut Overlay<'_>| {
            (o.placement.track, o.placement.cell, o.placement.z)
                == (placement.track, placement.cell, placement.z)
        };
        match overlays.iter_mut().find(same) {
            Some(overlay) => overlay.shown.extend(shown),
            None => overlays.push(Overlay { placement, shown }),
        }
    }
    overlays.sort_by_key(|o| (o.placement.z, o.shown[0].first));
    overlays
}

/// A span without the gaps in it.
pub(super) fn without(span: Span, gaps: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut from = span.from;
    for gap in gaps.iter().filter(|gap| gap.overlaps(span)) {
        left.push(Span { from, to: gap.from });
        from = gap.to;
    }
    left.push(Span { from, to: span.to });
    left.retain(|span| span.from < span.to);
    left
}

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

/// The chains that bring each track to its place in time, and the pad from which
/// each overlay takes its frames.
///
/// `overlay` shows the latest frame that isn't later than the canvas'. So a frame
/// is moved to the earliest moment at which it is the nearest: halfway from the
/// frame before (the first has none: `max` then gives its second argument), but
/// not by more than half an output frame, or what follows a pause would come early.
fn sources(
    room: &Room,
    overlays: &[Overlay<'_>],
    timeline: &Timeline,
    slice: Frames,
    input_of: impl Fn(usize) -> usize,
    chains: &mut Vec<Chain>,
) -> Vec<String> {
    let mut tracks: Vec<usize> = overlays.iter().map(|o| o.placement.track).collect();
    tracks.sort_unstable();
    tracks.dedup();
    let clock = Clock::of(timeline.rate);
    let mut pads = vec![String::new(); overlays.len()];
    for track in tracks {
        let users: Vec<usize> =
            (0..overlays.len()).filter(|&i| overlays[i].placement.track == track).collect();
        let (start, place) = (room.tracks[track].start_time, timeline.at(room.tracks[track].span.from));
        let names: Vec<String> = users.iter().map(|i| format!("at{i}")).collect();
        chains.push(
            Chain::from([format!("{}:v", input_of(track))])
                .then(format!("settb=1/{}", clock.rate))
                .then(format!(
                    "setpts='round(max((PTS+PREV_INPTS)/2,PTS-{}/2)-{}/TB+{}/TB)'",
                    clock.frame,
                    start.seconds(),
                    place.seconds()
                ))
                .then_if((slice.first > 0).then(|| format!("setpts=PTS-{}", slice.first * clock.frame)))
                .then_if(too_early(&room.tracks[track], timeline, slice, &clock))
                .then_if((users.len() > 1).then(|| format!("split={}", users.len())))
                .into_pads(&names),
        );
        for (user, name) in users.into_iter().zip(names) {
            pads[user] = name;
        }
    }
    pads
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
fn fit(cell: Rect) -> String {
    let (w, h) = (cell.width, cell.height);
    format!("scale=w='2*max(1,round(min({w},{h}*dar)/2))':h='2*max(1,round(min({h},{w}/dar)/2))':eval=frame")
}

/// Lays a picture into the middle of its cell in the frames in which it is shown,
/// and out of sight, beside the canvas, in all others.
///
/// By its position and not by `enable`: that is evaluated whenever a frame is
/// taken from either input, with that input's own count and time, so that the
/// last one taken decides. Measured with `enable='between(n,…)'` (version 5.1):
/// a participant who joined 1.3 s late was black in 39 of her 60 frames. A
/// position is computed as the canvas' frame is drawn, at its time.
fn lay_over(cell: Rect, shown: &[Frames], slice: Frames, rate: Rate) -> String {
    let times: Vec<String> = shown
        .iter()
        .map(|frames| (frames.first - slice.first, frames.end - slice.first))
        // Half a frame earlier, where no frame lies: times are floats here.
        .map(|(first, end)| format!("between(t*{rate},{first}-0.5,{end}-0.5)"))
        .collect();
    let Rect { x, y, width, height } = cell;
    format!(
        "overlay=x='if({},{x}+({width}-w)/2,W)':y='{y}+({height}-h)/2':eval=frame:eof_action=repeat",
        times.join("+")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::join;
    use crate::room::tests_support::track_of;

    const LEFT: Rect = Rect { x: 0, y: 0, width: 512, height: 768 };
    const RIGHT: Rect = Rect { x: 512, y: 0, width: 512, height: 768 };

    fn look() -> Look {
        Look { size: Size { width: 1024, height: 768 }, background: "black".into(), gap: Gap::Hold }
    }

    fn room() -> Room {
        let mut room =
            Room { sid: None, tracks: vec![track_of("alice", 20, 40_000), track_of("bob", 19_251, 40_000)] };
        room.tracks[0].start_time = Millis(1584);
        room.tracks[1].start_time = Millis(20_814);
        room
    }

    fn place(track: usize, cell: Rect) -> Placement {
        Placement { track, cell, span: room().tracks[track].span, z: 0 }
    }

    fn graph(room: &Room, placements: &[Placement], slice: Option<Frames>, look: &Look) -> String {
        let timeline = Timeline::new("30".parse().unwrap(), room, None, None).unwrap();
        let slice = slice.unwrap_or(timeline.all());
        join(&chains(room, placements, &timeline, slice, look, |track| track))
    }

    #[test]
    fn the_tutorials_delays() {
        let graph = graph(&room(), &[place(0, LEFT), place(1, RIGHT)], None, &look());
        assert!(
            graph.contains(
                "[0:v]settb=1/30000,setpts='round(max((PTS+PREV_INPTS)/2,PTS-1000/2)-1.584/TB+0.020/TB)'[at0]"
            ),
            "{graph}"
        );
        assert!(graph.contains("-20.814/TB+19.251/TB)'[at1]"), "{graph}");
        assert!(graph.contains("if(between(t*30,578-0.5,1200-0.5),512+(512-w)/2,W)"), "{graph}");
        assert!(graph.starts_with("color=c=black:s=1024x768:r=30,format=yuv420p[canvas]"), "{graph}");
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

    #[test]
    fn a_slice_counts_from_its_own_first_frame() {
        let slice = Frames { first: 600, end: 900 };
        let graph = graph(&room(), &[place(0, LEFT), place(1, RIGHT)], Some(slice), &look());
        assert!(graph.contains("+0.020/TB)',setpts=PTS-600000[at0]"), "{graph}");
        assert!(graph.contains("if(between(t*30,0-0.5,300-0.5),"), "{graph}");
        let graph = join(&chains_before_bob());
        assert!(!graph.contains("[1:v]"), "{graph}");
    }

    #[test]
    fn what_comes_long_before_a_slice_is_not_scaled() {
        let mut room = room();
        room.tracks[0].frame_interval_max = Some(Millis(250));
        let placements = [place(0, LEFT), place(1, RIGHT)];
        let graph = |first| graph(&room, &placements, Some(Frames { first, end: 900 }), &look());
        assert!(graph(600).contains("setpts=PTS-600000,trim=start_pts=-38500[at0]"), "{}", graph(600));
        assert!(!graph(600).contains("trim=start_pts=-38500[at1]"), "{}", graph(600));
        assert!(!graph(30).contains("start_pts"), "{}", graph(30));
    }

    fn chains_before_bob() -> Vec<Chain> {
        let room = room();
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, None).unwrap();
        let slice = Frames { first: 0, end: 300 };
        chains(&room, &[place(0, LEFT), place(1, RIGHT)], &timeline, slice, &look(), |track| track)
    }

    #[test]
    fn gaps_are_held_or_black() {
        let mut room = room();
        room.tracks[0].gaps = vec![Span { from: Millis(1000), to: Millis(2000) }];
        let placements = [place(0, LEFT)];
        assert!(graph(&room, &placements, None, &look()).contains("if(between(t*30,1-0.5,1200-0.5),"));
        let black = graph(&room, &placements, None, &Look { gap: Gap::Black, ..look() });
        assert!(black.contains("if(between(t*30,1-0.5,30-0.5)+between(t*30,60-0.5,1200-0.5),"), "{black}");
    }

    #[test]
    fn one_track_in_two_cells_is_decoded_once() {
        let graph = graph(&room(), &[place(0, LEFT), place(0, RIGHT)], None, &look());
        assert_eq!(graph.matches("[0:v]").count(), 1);
        assert!(graph.contains("split=2[at0][at1]"), "{graph}");
    }

    #[test]
    fn higher_z_comes_later() {
        let placements = [Placement { z: 5, ..place(0, LEFT) }, place(1, RIGHT)];
        let graph = graph(&room(), &placements, None, &look());
        assert!(graph.find(",512+(512-w)/2").unwrap() < graph.find(",0+(512-w)/2").unwrap());
    }

    #[test]
    fn nobody_seen_leaves_the_canvas() {
        let graph = graph(&room(), &[], None, &look());
        assert_eq!(graph, "color=c=black:s=1024x768:r=30,format=yuv420p,trim=end_frame=1200[picture]");
    }
}
