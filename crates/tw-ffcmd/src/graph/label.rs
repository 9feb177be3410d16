//! Names written into cells: `drawtext` over the finished picture.
//!
//! This is the one place where a text from a record enters a graph. It is taken
//! for what it is, whatever stands in it: escaped for both of the levels at which
//! ffmpeg reads it ("FFmpeg Filters Documentation", Notes on filtergraph escaping),
//! with `expansion=none` so that `%` means itself, and without control characters.

use std::path::PathBuf;

use tw_core::text::cut;

use super::{Chain, overlays, picture};
use crate::layout::{Placement, Rect};
use crate::room::Span;
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

/// When a placement is what its cell shows: another one of the same cell may lie
/// on top of it for a while.
pub fn on_top(placement: &Placement, all: &[Placement]) -> Vec<Span> {
    let order = |p: &Placement| (p.z, p.span.from);
    // Of those that come at once, the later one in the list lies on top, as it is painted.
    let place = all.iter().position(|other| std::ptr::eq(other, placement));
    all.iter()
        .enumerate()
        .filter(|(at, other)| {
            other.cell == placement.cell && (order(other), Some(*at)) > (order(placement), place)
        })
        .map(|(_, other)| other)
        .fold(vec![placement.span], |spans, other| {
            spans.into_iter().flat_map(|span| overlays::without(span, &[other.span])).collect()
        })
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
        let size = (self.cell.height.min(self.cell.width) / 18).clamp(10, 40);
        let margin = size / 2;
        let columns = self.cell.width.saturating_sub(4 * margin) / size * 2;
        let text = shortened(&self.text, columns as usize);
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
    use crate::room::Room;
    use crate::room::tests_support::track;
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

    #[test]
    fn one_name_at_a_time_in_a_cell() {
        let cell = Rect { x: 0, y: 0, width: 64, height: 48 };
        let span = |from, to| Span { from: Millis(from), to: Millis(to) };
        let place = |track, from, to| Placement { track, cell, span: span(from, to), z: 0 };
        let all = [place(0, 0, 9000), place(1, 2000, 4000), place(2, 3000, 5000)];
        assert_eq!(on_top(&all[0], &all), [span(0, 2000), span(5000, 9000)]);
        assert_eq!(on_top(&all[1], &all), [span(2000, 3000)]);
        assert_eq!(on_top(&all[2], &all), [span(3000, 5000)]);
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
