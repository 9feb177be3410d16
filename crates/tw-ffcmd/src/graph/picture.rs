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
//!
//! What makes it cheap: `overlay` copies what it draws on. So each cell that no other
//! one overlaps is a small canvas of its own, and `xstack` puts the cells together,
//! which copies each of them once (16 people without encoding: 10.8 s of CPU time
//! instead of 11.6 s, the same frames). Where such a cell is one recording's alone,
//! there is no canvas either ([`source::paced`]).

use std::collections::{BTreeMap, HashMap};

use super::Chain;
use super::overlays::{Cell, Overlay, Overlays};
use super::source::{self, Pace, Shrinking};
use crate::layout::{Placement, Rect, Size};
use crate::room::Room;
use crate::time::Rate;
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
    #[value(alias = "black")]
    Background,
}

/// How the picture is to look, beyond who is where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The canvas.
    pub size: Size,
    /// A colour, as `0xrrggbb`.
    pub background: String,
    /// While a camera sends nothing.
    pub gap: Gap,
    /// How pictures are made smaller.
    pub shrinking: Shrinking,
}

/// The picture of some of the output's frames.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The tracks.
    pub room: &'a Room,
    /// Who is seen where.
    pub placements: &'a [Placement],
    /// The output's frames.
    pub timeline: &'a Timeline,
    /// Those of them that are drawn.
    pub slice: Frames,
    /// Size, background, gaps.
    pub look: &'a Look,
}

/// What one ffmpeg draws of a scene.
#[derive(Debug, Clone, Copy)]
pub enum Share<'a> {
    /// All of it.
    Whole,
    /// These cells alone, one below the other.
    Strip(&'a [Rect]),
    /// All of it, but these cells come in a strip that another ffmpeg draws, as the
    /// input of this number.
    Rest(&'a [Rect], usize),
}

impl Share<'_> {
    /// Whether what is seen in a cell is drawn here.
    pub fn draws(self, cell: Rect) -> bool {
        match self {
            Self::Whole => true,
            Self::Strip(cells) => cells.contains(&cell),
            Self::Rest(cells, _) => !cells.contains(&cell),
        }
    }
}

/// The size of cells one below the other.
pub fn strip_size(cells: &[Rect]) -> Size {
    Size {
        width: cells.iter().map(|cell| cell.width).max().unwrap_or_default(),
        height: cells.iter().map(|cell| cell.height).sum(),
    }
}

/// Where each cell lies in a strip.
fn in_strip(cells: &[Rect]) -> Vec<Rect> {
    let below = cells.iter().scan(0, |y, cell| {
        let place = Rect { x: 0, y: *y, ..*cell };
        *y += cell.height;
        Some(place)
    });
    below.collect()
}

impl Scene<'_> {
    /// The chains that draw it. `input_of` gives the number of the input file that
    /// holds a track.
    pub fn chains(&self, share: Share<'_>, input_of: impl Fn(usize) -> usize) -> Vec<Chain> {
        let overlays = Overlays::of(*self);
        let (look, slice) = (self.look, self.slice);
        let chains = self.sources(&overlays, share, input_of);
        let mut painter = Painter { overlays: &overlays, look, rate: self.timeline.rate, slice, chains };
        let cells = &overlays.apart;
        let whole = Rect { x: 0, y: 0, width: look.size.width, height: look.size.height };
        match share {
            Share::Strip(strip) => {
                let pads = strip
                    .iter()
                    .filter_map(|rect| cells.iter().position(|cell| cell.rect == *rect))
                    .map(|i| painter.cell(i, &cells[i]))
                    .collect();
                painter.put_together(pads, &in_strip(strip), strip_size(strip));
            }
            _ => {
                let below = if cells.is_empty() {
                    painter.canvas("canvas".to_owned(), whole)
                } else {
                    let fed = painter.fed(share);
                    let pads = cells.iter().enumerate().map(|(i, cell)| match fed.get(&cell.rect) {
                        Some(pad) => pad.clone(),
                        None => painter.cell(i, cell),
                    });
                    let pads = pads.collect();
                    let rects: Vec<Rect> = cells.iter().map(|cell| cell.rect).collect();
                    painter.put_together(pads, &rects, look.size)
                };
                painter.pile(below, whole, &overlays.piled);
            }
        }
        painter.finish()
    }

    /// The cells that could be drawn by themselves, and for how many frames somebody is
    /// seen in each.
    pub fn cells(&self) -> Vec<(Rect, i64)> {
        let overlays = Overlays::of(*self);
        overlays.apart.iter().map(|cell| (cell.rect, overlays.frames_in(cell))).collect()
    }

    /// The chains that bring each track's frames to the pad of each of its overlays: to
    /// that of its result, if there is nothing for it to lie on.
    fn sources(
        &self,
        overlays: &Overlays<'_>,
        share: Share<'_>,
        input_of: impl Fn(usize) -> usize,
    ) -> Vec<Chain> {
        let all = &overlays.all;
        let drawn = (0..all.len()).filter(|&i| share.draws(all[i].placement.cell));
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        drawn.for_each(|i| users.entry(all[i].placement.track).or_default().push(i));
        let mut chains = Vec::new();
        for (track, users) in users {
            let input = format!("{}:v", input_of(track));
            let placed = source::placed(input, &self.room.tracks[track], self.timeline, self.slice);
            let fitted = |chain, user: usize| {
                let Overlay { placement, shown, .. } = &all[user];
                let smallest = self.room.tracks[placement.track].smallest;
                let scaled = source::scaled(chain, placement.cell, self.look.shrinking, smallest);
                let background = &self.look.background;
                if overlays.is_sole(user) {
                    let pace = Pace { rate: self.timeline.rate, slice: self.slice, shown: shown[0] };
                    return source::paced(scaled, placement.cell, pace, background)
                        .into_pads([over_pad(user)]);
                }
                let whole_cell = if overlays.covers(user) {
                    source::filled(scaled, placement.cell, background)
                } else {
                    scaled
                };
                whole_cell.then("setsar=1").into_pads([fitted_pad(user)])
            };
            if let [user] = users[..] {
                chains.push(fitted(placed, user));
            } else {
                let split = |i: &usize| format!("at{i}");
                chains.push(placed.then(format!("split={}", users.len())).into_pads(users.iter().map(split)));
                chains.extend(users.iter().map(|user| fitted(Chain::from([split(user)]), *user)));
            }
        }
        chains
    }
}

/// What is to be laid over something.
fn fitted_pad(overlay: usize) -> String {
    format!("fit{overlay}")
}

/// What comes of it.
fn over_pad(overlay: usize) -> String {
    format!("over{overlay}")
}

/// Draws overlays, each step a chain.
struct Painter<'a> {
    overlays: &'a Overlays<'a>,
    look: &'a Look,
    rate: Rate,
    slice: Frames,
    chains: Vec<Chain>,
}

impl Painter<'_> {
    /// A canvas of the background; gives its pad.
    fn canvas(&mut self, pad: String, Rect { width, height, .. }: Rect) -> String {
        let canvas = Chain::source()
            .then(format!("color=c={}:s={width}x{height}:r={}", self.look.background, self.rate))
            .then("format=yuv420p");
        self.chains.push(canvas.into_pads([&pad]));
        pad
    }

    /// Draws a cell, on a canvas of its own if it needs one; gives its pad.
    fn cell(&mut self, number: usize, cell: &Cell) -> String {
        if let Some(overlay) = cell.sole {
            return over_pad(overlay);
        }
        let canvas = self.canvas(format!("cell{number}"), cell.rect);
        self.pile(canvas, cell.rect, &cell.overlays)
    }

    /// The pads of the cells that come from another ffmpeg.
    fn fed(&mut self, share: Share<'_>) -> HashMap<Rect, String> {
        let Share::Rest(strip, input) = share else { return HashMap::new() };
        let input = format!("{input}:v");
        if let [cell] = strip {
            self.chains.push(Chain::from([input]).then("null").into_pads(["fed"]));
            return HashMap::from([(*cell, "fed".to_owned())]);
        }
        let pad = |kind, i| format!("{kind}{i}");
        let numbers = 0..strip.len();
        let split = Chain::from([input]).then(format!("split={}", strip.len()));
        self.chains.push(split.into_pads(numbers.map(|i| pad("strip", i))));
        let places = in_strip(strip);
        let fed = strip.iter().zip(places).enumerate().map(|(i, (cell, Rect { width, height, x, y }))| {
            let cut = Chain::from([pad("strip", i)]).then(format!("crop={width}:{height}:{x}:{y}"));
            self.chains.push(cut.into_pads([pad("fed", i)]));
            (*cell, pad("fed", i))
        });
        fed.collect()
    }

    /// Lays overlays over what shows `area`, one after the other; gives the pad of the
    /// last one's result.
    fn pile(&mut self, below: String, area: Rect, overlays: &[usize]) -> String {
        overlays.iter().fold(below, |below, &i| {
            let Overlay { placement, shown, .. } = &self.overlays.all[i];
            let laid_over = lay_over(placement.cell, area, shown, self.slice, self.rate);
            let result = over_pad(i);
            self.chains.push(Chain::from([below, fitted_pad(i)]).then(laid_over).into_pads([&result]));
            result
        })
    }

    /// Puts pictures at their places in a larger one; gives its pad.
    fn put_together(
        &mut self,
        mut pads: Vec<String>,
        places: &[Rect],
        Size { width, height }: Size,
    ) -> String {
        if let [place] = places {
            let pad = pads.remove(0);
            if (place.width, place.height) == (width, height) {
                return pad;
            }
            let background = &self.look.background;
            let placed = format!("pad={width}:{height}:{}:{}:{background}", place.x, place.y);
            self.chains.push(Chain::from([pad]).then(placed).into_pads(["cells"]));
            return "cells".to_owned();
        }
        let layout: Vec<String> = places.iter().map(|place| format!("{}_{}", place.x, place.y)).collect();
        let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let filled: u64 = places.iter().map(|place| area(place.width, place.height)).sum();
        let background = &self.look.background;
        let fill = if filled < area(width, height) { format!(":fill={background}") } else { String::new() };
        let reaches = |end: fn(&Rect) -> u32| places.iter().map(end).max();
        // xstack's picture ends where the last of them does.
        let smaller =
            (reaches(|r| r.x + r.width), reaches(|r| r.y + r.height)) != (Some(width), Some(height));
        let stacked = Chain::from(pads)
            .then(format!("xstack=inputs={}:layout={}{fill}", places.len(), layout.join("|")))
            .then_if(smaller.then(|| format!("pad={width}:{height}:0:0:{background}")));
        self.chains.push(stacked.into_pads(["cells"]));
        "cells".to_owned()
    }

    /// Ends the picture with the last frame of `slice`. Here and not on the canvas: an
    /// overlay whose canvas has ended goes on at the pace of what lies over it.
    fn finish(mut self) -> Vec<Chain> {
        if let Some(last) = self.chains.pop() {
            let cut = last.then(format!("trim=end_frame={}", self.slice.count()));
            self.chains.push(cut.into_pads([PAD]));
        }
        self.chains
    }
}

/// Lays a picture into the middle of its cell, which is part of `area`, in the frames in
/// which it is shown, and out of sight, beside the area, in all others.
///
/// By its position and not by `enable`: that is evaluated whenever a frame is
/// taken from either input, with that input's own count and time, so that the
/// last one taken decides. Measured with `enable='between(n,…)'` (version 5.1):
/// a participant who joined 1.3 s late was black in 39 of her 60 frames. A
/// position is computed as the canvas' frame is drawn, at its time.
fn lay_over(cell: Rect, area: Rect, shown: &[Frames], slice: Frames, rate: Rate) -> String {
    let times: Vec<String> = shown
        .iter()
        .map(|frames| (frames.first - slice.first, frames.end - slice.first))
        // Half a frame earlier, where no frame lies: times are floats here.
        .map(|(first, end)| format!("between(t*{rate},{first}-0.5,{end}-0.5)"))
        .collect();
    let Rect { width, height, .. } = cell;
    let from = |at: u32| if at == 0 { String::new() } else { format!("{at}+") };
    let (x, y) = (from(cell.x - area.x), from(cell.y - area.y));
    format!(
        "overlay=x='if({},{x}({width}-w)/2,W)':y='{y}({height}-h)/2':eval=frame:eof_action=repeat",
        times.join("+")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::join;
    use crate::room::Span;
    use crate::room::tests_support::track_of;
    use crate::time::Millis;

    const LEFT: Rect = Rect { x: 0, y: 0, width: 512, height: 768 };
    const RIGHT: Rect = Rect { x: 512, y: 0, width: 512, height: 768 };

    fn look() -> Look {
        Look {
            size: Size { width: 1024, height: 768 },
            background: "black".into(),
            gap: Gap::Hold,
            shrinking: Shrinking::Area,
        }
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
        join(
            &Scene { room, placements, timeline: &timeline, slice, look }.chains(Share::Whole, |track| track),
        )
    }

    #[test]
    fn the_tutorials_delays() {
        let graph = graph(&room(), &[place(0, LEFT), place(1, RIGHT)], None, &look());
        assert!(
            graph.contains(
                "[0:v]settb=1/30000,setpts='round(max((PTS+PREV_INPTS)/2,PTS-1000/2)-1.584/TB+0.020/TB)',scale="
            ),
            "{graph}"
        );
        assert!(graph.contains("-20.814/TB+19.251/TB)',scale="), "{graph}");
        assert!(
            graph.contains("[cell1][fit1]overlay=x='if(between(t*30,578-0.5,1200-0.5),(512-w)/2,W)'"),
            "{graph}"
        );
        assert!(graph.contains("color=c=black:s=512x768:r=30,format=yuv420p[cell1]"), "{graph}");
        assert!(
            graph.ends_with("[over0][over1]xstack=inputs=2:layout=0_0|512_0,trim=end_frame=1200[picture]"),
            "{graph}"
        );
    }

    #[test]
    fn of_a_cell_that_lies_on_another_nothing_below_is_seen() {
        let small = Rect { x: 40, y: 40, width: 128, height: 96 };
        let upper = |from, to| Placement {
            z: 1,
            span: Span { from: Millis(from), to: Millis(to) },
            ..place(1, small)
        };
        let pad = "pad=128:96:(ow-iw)/2:(oh-ih)/2:black:eval=frame";
        let lower = Placement { span: Span { from: Millis(0), to: Millis(21_000) }, ..place(0, LEFT) };
        let drawn = |upper| graph(&room(), &[lower, upper], None, &look());
        assert!(drawn(upper(20_000, 30_000)).contains(pad));
        // Not at the same time.
        assert!(!drawn(upper(25_000, 30_000)).contains("pad="));
        assert!(
            !graph(&room(), &[lower, Placement { cell: RIGHT, ..upper(20_000, 30_000) }], None, &look())
                .contains("pad=")
        );
    }

    #[test]
    fn a_slice_counts_from_its_own_first_frame() {
        let slice = Frames { first: 600, end: 900 };
        let graph = graph(&room(), &[place(0, LEFT), place(1, RIGHT)], Some(slice), &look());
        assert!(graph.contains("+0.020/TB)',setpts=PTS-600000,scale"), "{graph}");
        assert!(graph.contains("if(between(t*30,0-0.5,300-0.5),"), "{graph}");
    }

    #[test]
    fn who_has_not_come_yet_is_not_read() {
        let slice = Frames { first: 0, end: 300 };
        let graph = graph(&room(), &[place(0, LEFT), place(1, RIGHT)], Some(slice), &look());
        assert!(!graph.contains("[1:v]"), "{graph}");
    }

    #[test]
    fn what_comes_long_before_a_slice_is_not_scaled() {
        let mut room = sound_room();
        room.tracks[0].frame_interval_max = Some(Millis(250));
        let placements = [place(0, LEFT), place(1, RIGHT)];
        let drawn = |room: &Room, first| graph(room, &placements, Some(Frames { first, end: 900 }), &look());
        let late = drawn(&room, 600);
        assert!(late.contains("setpts=PTS-600000,trim=start_pts=-38500,scale"), "{late}");
        assert!(late.contains("19.251/TB)',setpts=PTS-600000,scale"), "{late}");
        assert!(!drawn(&room, 30).contains("start_pts"));
        // Where frames can't be decoded, an older one may be what is seen.
        room.tracks[0].begins_with_key_frame = false;
        assert!(!drawn(&room, 600).contains("start_pts"));
    }

    #[test]
    fn gaps_are_held_or_black() {
        let mut room = room();
        room.tracks[0].gaps = vec![Span { from: Millis(1000), to: Millis(2000) }];
        let placements = [place(0, LEFT)];
        assert!(graph(&room, &placements, None, &look()).contains("if(between(t*30,1-0.5,1200-0.5),"));
        let black = graph(&room, &placements, None, &Look { gap: Gap::Background, ..look() });
        assert!(black.contains("if(between(t*30,1-0.5,30-0.5)+between(t*30,60-0.5,1200-0.5),"), "{black}");
    }

    /// A room whose pictures are known to be decodable from their first frame on.
    fn sound_room() -> Room {
        let mut room = room();
        room.tracks.iter_mut().for_each(|track| track.begins_with_key_frame = true);
        room
    }

    #[test]
    fn who_has_a_cell_to_herself_needs_no_canvas() {
        let graph = graph(&sound_room(), &[place(0, LEFT), place(1, RIGHT)], None, &look());
        let paced = |ticks: &str, before: u32, pad: &str| {
            format!(
                "pad=512:768:(ow-iw)/2:(oh-ih)/2:black:eval=frame,setsar=1,setpts='{ticks}',\
                 fps=30:start_time=0:round=down:eof_action=pass,tpad=stop=-1:stop_mode=clone,\
                 tpad=start={before}:stop=-1:color=black,setpts=N[{pad}]"
            )
        };
        assert!(graph.contains(&paced("(max(ceil(PTS/1000)-1,0)+0.5)*1000", 1, "over0")), "{graph}");
        assert!(graph.contains(&paced("(max(ceil(PTS/1000)-578,0)+0.5)*1000", 578, "over1")), "{graph}");
        assert!(!graph.contains("color=c=") && !graph.contains("overlay="), "{graph}");
    }

    #[test]
    fn who_leaves_a_cell_leaves_the_background() {
        let mut placements = [place(0, LEFT), place(1, RIGHT)];
        placements[0].span.to = Millis(30_000);
        let graph = graph(&sound_room(), &placements, None, &look());
        assert!(graph.contains("clone,trim=end_frame=899,tpad=start=1:stop=-1:color=black,"), "{graph}");
    }

    #[test]
    fn who_shares_a_cell_or_pauses_lies_on_a_canvas() {
        let mut room = sound_room();
        room.tracks[1].gaps = vec![Span { from: Millis(25_000), to: Millis(30_000) }];
        let split = Millis(20_000);
        let first = Placement { span: Span { from: Millis(20), to: split }, ..place(0, LEFT) };
        let then = Placement { span: Span { from: split, to: Millis(40_000) }, ..place(1, LEFT) };
        let shared = graph(&room, &[first, then, place(0, RIGHT)], None, &look());
        assert_eq!((shared.matches("overlay=").count(), shared.matches("fps=").count()), (2, 1), "{shared}");
        let placements = [place(0, LEFT), place(1, RIGHT)];
        let pausing = graph(&room, &placements, None, &Look { gap: Gap::Background, ..look() });
        assert_eq!(
            (pausing.matches("overlay=").count(), pausing.matches("fps=").count()),
            (1, 1),
            "{pausing}"
        );
    }

    #[test]
    fn pictures_known_to_become_smaller_are_made_so_by_area() {
        let mut room = room();
        let graph = |room: &Room, shrinking| {
            let look = Look { shrinking, ..look() };
            graph(room, &[place(0, LEFT), place(1, RIGHT)], None, &look).matches("flags=area").count()
        };
        assert_eq!(graph(&room, Shrinking::Area), 0, "sizes aren't known");
        room.tracks[0].smallest = Some(Size { width: 512, height: 384 });
        room.tracks[1].smallest = Some(Size { width: 510, height: 380 });
        assert_eq!(graph(&room, Shrinking::Area), 1, "the other one is made larger");
        assert_eq!(graph(&room, Shrinking::Bicubic), 0);
    }

    #[test]
    fn one_track_in_two_cells_is_decoded_once() {
        let graph = graph(&room(), &[place(0, LEFT), place(0, RIGHT)], None, &look());
        assert_eq!(graph.matches("[0:v]").count(), 1);
        assert!(graph.contains("split=2[at0][at1]"), "{graph}");
    }

    #[test]
    fn higher_z_lies_on_top() {
        let over = Rect { x: 256, ..LEFT };
        let placements = [Placement { z: 5, ..place(0, LEFT) }, place(1, over)];
        let graph = graph(&room(), &placements, None, &look());
        assert!(graph.contains("[canvas][fit0]overlay=x='if(between(t*30,578-0.5,1200-0.5),256+"), "{graph}");
        assert!(graph.contains("[over0][fit1]overlay=x='if(between(t*30,1-0.5,1200-0.5),(512"), "{graph}");
        assert!(!graph.contains("xstack"), "{graph}");
    }

    #[test]
    fn what_overlaps_lies_over_the_cells_that_do_not() {
        let cell = |x, y| Rect { x, y, width: 256, height: 256 };
        let placements = [
            place(0, cell(0, 0)),
            place(1, cell(256, 0)),
            Placement { z: 1, ..place(0, cell(512, 0)) },
            Placement { z: 2, ..place(1, cell(600, 100)) },
        ];
        let graph = graph(&room(), &placements, None, &look());
        let stacked = "xstack=inputs=2:layout=0_0|256_0:fill=black,pad=1024:768:0:0:black[cells];[cells]";
        assert!(graph.contains(stacked), "{graph}");
        assert_eq!(graph.matches(",512+(256-w)/2,W)").count(), 1, "{graph}");
        assert_eq!(graph.matches(",600+(256-w)/2,W)").count(), 1, "{graph}");
    }

    #[test]
    fn nobody_seen_leaves_the_canvas() {
        let graph = graph(&room(), &[], None, &look());
        assert_eq!(graph, "color=c=black:s=1024x768:r=30,format=yuv420p,trim=end_frame=1200[picture]");
    }
}
