//! Names written into cells: `drawtext` over the finished picture.
//!
//! This is the one place where a text from a record enters a graph. It is taken
//! for what it is, whatever stands in it: escaped for both of the levels at which
//! ffmpeg reads it ("FFmpeg Filters Documentation", Notes on filtergraph escaping),
//! with `expansion=none` so that `%` means itself, and without control characters.

use std::path::PathBuf;

use tw_core::text::{columns, cut};

use super::picture::Gap;
use super::{Chain, overlays, picture};
use crate::layout::{Placement, Rect};
use crate::room::{Room, Span};
use crate::timeline::Frames;
use crate::timeline::Timeline;

/// A name in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What is written.
    pub text: String,
    /// The cell at whose foot it stands.
    pub cell: Rect,
    /// When it is seen, on the room's timeline.
    pub spans: Vec<Span>,
    /// The file of the font.
    pub font: PathBuf,
}

/// The picture's chains with labels over what they make.
pub fn over(mut chains: Vec<Chain>, labels: &[Label], timeline: &Timeline, slice: Frames) -> Vec<Chain> {
    let texts: Vec<String> = labels.iter().filter_map(|label| label.filter(timeline, slice)).collect();
    let Some(last) = chains.last_mut().filter(|_| !texts.is_empty()) else { return chains };
    last.outputs = vec!["unnamed".to_owned()];
    let named = texts.into_iter().fold(Chain::from(["unnamed"]), Chain::then);
    chains.push(named.into_pads([picture::PAD]));
    chains
}

/// Labels for what is seen in the picture: a name in each cell, for as long as its owner is seen
/// there and nobody lies over the place where it stands.
pub struct Namer<'a> {
    /// The room's pictures.
    pub room: &'a Room,
    /// All of them, since those on top hide those below.
    pub placements: &'a [Placement],
    /// What is seen in their gaps.
    pub gap: Gap,
    /// In which frames that is.
    pub timeline: &'a Timeline,
}

impl Namer<'_> {
    /// The text of a placement.
    pub fn text(&self, placement: &Placement) -> String {
        self.room.tracks[placement.track].caption()
    }

    /// When it can be read.
    pub fn spans(&self, placement: &Placement) -> Vec<Span> {
        let order = |p: &Placement| (p.z, p.span.from);
        // Of those that come at once, the later one in the list lies on top, as it is painted.
        let place = self.placements.iter().position(|other| std::ptr::eq(other, placement));
        let writing = Writing::of(placement.cell);
        let text = writing.place(placement.cell, &shortened(&self.text(placement), writing.columns));
        self.placements
            .iter()
            .enumerate()
            .filter(|(at, other)| {
                other.cell.overlaps(text) && (order(other), Some(*at)) > (order(placement), place)
            })
            .flat_map(|(_, other)| overlays::spans_shown(other, self.room, self.gap))
            .fold(overlays::spans_shown(placement, self.room, self.gap), |left, hidden| {
                left.into_iter().flat_map(|span| self.left_of(span, hidden)).collect()
            })
    }

    /// A span without what is hidden of it, and without rests of less than half a frame: in theirs
    /// another name is read.
    fn left_of(&self, span: Span, hidden: Span) -> Vec<Span> {
        let frame = |time| self.timeline.rate.nearest(self.timeline.at(time));
        let mut left = overlays::without(span, &[hidden]);
        left.retain(|rest| *rest == span || frame(rest.from) < frame(rest.to));
        left
    }
}

/// How large the letters in a cell are.
struct Writing {
    /// Height of the font, in pixels.
    size: u32,
    /// Between the text and the cell's sides.
    margin: u32,
    /// For how many columns of a terminal's width there is room.
    columns: usize,
}

impl Writing {
    fn of(cell: Rect) -> Self {
        let size = (cell.height.min(cell.width) / 18).clamp(10, 40);
        let margin = size / 2;
        Self { size, margin, columns: (cell.width.saturating_sub(4 * margin) / size * 2) as usize }
    }

    /// What a text in its box covers, at most: letters are less wide than high, those of two
    /// columns no wider than two of them, and lines are not half as high again.
    fn place(&self, cell: Rect, text: &str) -> Rect {
        let columns = u32::try_from(columns(text)).unwrap_or(u32::MAX);
        let width = columns.saturating_mul(self.size).saturating_add(2 * self.margin).min(cell.width);
        let height = (self.size * 3 / 2 + 2 * self.margin).min(cell.height);
        Rect { x: cell.x, y: cell.y + cell.height - height, width, height }
    }
}

impl Label {
    /// Nothing when it isn't seen in `slice`, or the cell is too small to write in.
    fn filter(&self, timeline: &Timeline, slice: Frames) -> Option<String> {
        let times: Vec<String> = self
            .spans
            .iter()
            .filter_map(|span| timeline.frames_of(*span)?.and(slice))
            .map(|frames| (frames.first - slice.first, frames.end - slice.first))
            // Half a frame earlier, where no frame lies: times are floats here.
            .map(|(first, end)| format!("between(t*{},{first}-0.5,{end}-0.5)", timeline.rate))
            .collect();
        let Writing { size, margin, columns } = Writing::of(self.cell);
        let text = shortened(&self.text, columns);
        if times.is_empty() || text.is_empty() {
            return None;
        }
        let (x, foot) = (self.cell.x + 2 * margin, self.cell.y + self.cell.height - margin);
        Some(format!(
            "drawtext=fontfile={}:text={}:expansion=none:fontsize={size}:fontcolor=white:\
             box=1:boxcolor=black@0.5:boxborderw={}:x={x}:y={foot}-{margin}/2-lh:enable='{}'",
            quoted(&self.font.to_string_lossy()),
            quoted(&text),
            margin / 2,
            times.join("+")
        ))
    }
}

/// As much of a text as fits into so many columns, on one line; nothing where that is an ellipsis alone.
fn shortened(text: &str, columns: usize) -> String {
    let printable: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    let short = cut(printable.trim(), columns);
    if short == "…" { String::new() } else { short }
}

/// A value in quotes for a graph. Inside them, the graph's parser leaves everything
/// alone but the quote itself; the parser of options, after it, reads `\`, `'` and `:`.
fn quoted(value: &str) -> String {
    let mut quoted = String::from("'");
    for c in value.chars() {
        match c {
            '\\' => quoted.push_str(r"\\"),
            ':' => quoted.push_str(r"\:"),
            // For the options `\'`, of which the graph's quotes can't hold the second half.
            '\'' => quoted.push_str(r"\'\''"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::join;
    use crate::room::Track;
    use crate::room::tests_support::{track, track_of};
    use crate::time::Millis;
    use proptest::prelude::*;

    /// What ffmpeg's `av_get_token` makes of a text up to one of `ends`: backslash
    /// takes the next character as it is, quotes take all that is in them.
    fn token(text: &str, ends: &str) -> (String, String) {
        let (mut token, mut rest) = (String::new(), text.chars());
        while let Some(c) = rest.clone().next() {
            if ends.contains(c) {
                break;
            }
            rest.next();
            match c {
                '\\' => token.extend(rest.next()),
                '\'' => token.extend(rest.by_ref().take_while(|&c| c != '\'')),
                c => token.push(c),
            }
        }
        (token, rest.collect())
    }

    proptest! {
        #[test]
        fn any_text_comes_out_as_it_is(text in r"[\PC'\\:;,=%{}\[\]]{0,40}", font in r"/[\PC'\\:]{0,20}") {
            let graph = format!("drawtext=fontfile={}:text={}:x=1,null", quoted(&font), quoted(&text));
            let (options, rest) = token(&graph, "[],;");
            prop_assert_eq!(rest, ",null");
            let options = options.strip_prefix("drawtext=fontfile=").unwrap();
            let (read, rest) = token(options, ":");
            prop_assert_eq!(read, font);
            let (read, rest) = token(rest.strip_prefix(":text=").unwrap(), ":");
            prop_assert_eq!(read, text);
            prop_assert_eq!(rest, ":x=1");
        }
    }

    #[test]
    fn names_are_cut_with_an_ellipsis() {
        assert_eq!(shortened("alice", 5), "alice");
        assert_eq!(shortened("alice\nliddell\u{1b}", 9), "alice li…");
        assert_eq!([shortened("alice", 1), shortened("alice", 0), shortened(" \t", 9)], ["", "", ""]);
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: Millis(from), to: Millis(to) }
    }

    /// When each of the placements' names can be read, in a room of people of four letters.
    fn names(placements: &[Placement], gaps: &[Span]) -> Vec<Vec<Span>> {
        let person = |i| Track { gaps: gaps.to_vec(), ..track_of(&format!("per{i}"), 0, 9000) };
        let room = Room { sid: None, tracks: (0..placements.len()).map(person).collect() };
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, None).unwrap();
        let namer = Namer { room: &room, placements, gap: Gap::Background, timeline: &timeline };
        placements.iter().map(|placement| namer.spans(placement)).collect()
    }

    #[test]
    fn one_name_at_a_time_in_a_cell() {
        let cell = Rect { x: 0, y: 0, width: 64, height: 48 };
        let place = |track, from, to| Placement { track, cell, span: span(from, to), z: 0 };
        let names = names(&[place(0, 0, 9000), place(1, 2000, 4000), place(2, 3000, 5000)], &[]);
        assert_eq!(
            names,
            [vec![span(0, 2000), span(5000, 9000)], vec![span(2000, 3000)], vec![span(3000, 5000)]]
        );
    }

    #[test]
    fn no_name_is_left_for_less_than_a_frame() {
        let cell = Rect { x: 0, y: 0, width: 64, height: 48 };
        let place = |track, from, to| Placement { track, cell, span: span(from, to), z: 0 };
        // Frames are 33 ms apart.
        assert_eq!(names(&[place(0, 0, 3012), place(1, 10, 3000)], &[]), [vec![], vec![span(10, 3000)]]);
        assert_eq!(names(&[place(0, 0, 3033), place(1, 10, 3000)], &[])[0], [span(3000, 3033)]);
    }

    #[test]
    fn who_lies_over_a_name_hides_it() {
        let main = Rect { x: 0, y: 0, width: 640, height: 480 };
        let small = |x, y| Rect { x, y, width: 160, height: 120 };
        let below = |cell, z| {
            let under = Placement { track: 0, cell: main, span: span(0, 9000), z: 0 };
            names(&[Placement { track: 1, cell, span: span(2000, 4000), z }, under], &[])
        };
        // Over the foot's left end, where the name is; beside it; and under it.
        assert_eq!(below(small(0, 360), 1), [vec![span(2000, 4000)], vec![span(0, 2000), span(4000, 9000)]]);
        assert_eq!(below(small(480, 360), 1)[1], [span(0, 9000)]);
        assert_eq!(below(small(0, 0), 1)[1], [span(0, 9000)]);
        assert_eq!(below(small(0, 360), -1), [vec![], vec![span(0, 9000)]]);
    }

    #[test]
    fn who_sends_nothing_has_no_name() {
        let cell = Rect { x: 0, y: 0, width: 64, height: 48 };
        let alone = Placement { track: 0, cell, span: span(0, 9000), z: 0 };
        assert_eq!(names(&[alone], &[span(1000, 3000)]), [[span(0, 1000), span(3000, 9000)]]);
    }

    #[test]
    fn a_label_is_seen_when_its_participant_is() {
        let room = Room { sid: None, tracks: vec![track(0, 10_000)] };
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, None).unwrap();
        let label = Label {
            text: "alice".into(),
            cell: Rect { x: 320, y: 0, width: 320, height: 240 },
            spans: vec![Span { from: Millis(1000), to: Millis(2000) }],
            font: "/fonts/a.ttf".into(),
        };
        let chains = || vec![Chain::source().then("color").into_pads([picture::PAD])];
        let graph = |slice| join(&over(chains(), std::slice::from_ref(&label), &timeline, slice));
        let whole = graph(timeline.all());
        assert!(
            whole.starts_with("color[unnamed];[unnamed]drawtext=fontfile='/fonts/a.ttf':text='alice':"),
            "{whole}"
        );
        assert!(whole.contains("enable='between(t*30,30-0.5,60-0.5)'[picture]"), "{whole}");
        assert!(graph(Frames { first: 45, end: 90 }).contains("between(t*30,0-0.5,15-0.5)"));
        assert_eq!(graph(Frames { first: 90, end: 120 }), "color[picture]");
    }
}
