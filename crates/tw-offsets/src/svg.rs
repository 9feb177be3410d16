//! The room's timeline as an SVG: light or dark as the viewer likes it, titles
//! on hover, no script.

use std::fmt::Write as _;

use tw_core::text::cut;
use tw_core::time::clock;

use crate::timeline::{Bar, Kind, Timeline};

/// All lengths are pixels at scale 1.
const WIDTH: f64 = 1200.0;
const LABELS: f64 = 190.0;
const MARGIN: f64 = 24.0;
const HEADING: f64 = 34.0;
const AXIS: f64 = 26.0;
const ROW: f64 = 15.0;
const LANE_PADDING: f64 = 7.0;
const LEGEND: f64 = 44.0;
/// A room of more than a dozen people: its end doesn't fit on the screen with its beginning.
const FAR: f64 = 600.0;
/// What a tick in a bar stands for.
const RESIZED: &str = "another size";
/// A recording of a moment can be seen and pointed at, too.
const THINNEST: f64 = 1.5;
/// About as many characters of 12 pixels as fit beside the bars.
const LABEL_CHARACTERS: usize = 24;

const STYLE: &str = "\
svg{color-scheme:light dark;--bg:#fff;--ink:#1c2530;--soft:#66717f;--grid:#e3e7ec;--lane:#f6f8fa;\
--picture:#2f6fde;--sound:#12967a;--gap:#d6453d;--offset:#9aa5b1;--start:#d98a1f}\
@media(prefers-color-scheme:dark){svg{--bg:#14181d;--ink:#e6ebf0;--soft:#97a3b0;--grid:#2b333c;--lane:#1a2027;\
--picture:#6da2ff;--sound:#3ccaa8;--gap:#ff7b72;--offset:#66717f;--start:#e5a84b}}\
text{font:12px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}.head{font-size:14px;font-weight:600}\
.bg{fill:var(--bg)}.lane{fill:var(--lane)}.grid{stroke:var(--grid)}.zero{stroke:var(--soft)}\
.picture{fill:var(--picture)}.sound{fill:var(--sound)}.gap{stroke:var(--gap);stroke-width:2;stroke-dasharray:3 2}\
.size{stroke:var(--bg);stroke-width:2}.offset{stroke:var(--offset);stroke-dasharray:1 3}.start{stroke:var(--start)}\
g.bar:hover{opacity:.7}";

/// One picture of all rooms, below one another.
pub fn render(timelines: &[Timeline]) -> String {
    let mut body = String::new();
    let mut y = MARGIN / 2.0;
    for timeline in timelines {
        y = room(&mut body, timeline, y);
    }
    legend(&mut body, y + 12.0);
    let height = y + LEGEND;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\">\n<title>Recordings on the room's timeline</title>\n<style>{STYLE}</style>\n\
         <rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n{body}</svg>\n"
    )
}

/// Draws a room from `y` on; gives where it ends.
fn room(svg: &mut String, timeline: &Timeline, mut y: f64) -> f64 {
    let heading =
        timeline.room.as_ref().map_or_else(|| "Recordings".to_owned(), |room| format!("Room {room}"));
    let length = clock(timeline.end, true);
    let _ = writeln!(
        svg,
        "<text class=\"head\" x=\"{MARGIN}\" y=\"{}\">{} <tspan class=\"soft\">{length}</tspan></text>",
        y + 20.0,
        escape(&heading)
    );
    y += HEADING;
    let top = y;
    let lanes: Vec<f64> =
        timeline.lanes.iter().map(|lane| lane.rows.len() as f64 * ROW + 2.0 * LANE_PADDING).collect();
    let bottom = y + AXIS + lanes.iter().sum::<f64>();
    axis(svg, timeline, y, bottom);
    y += AXIS;
    for (i, (lane, height)) in timeline.lanes.iter().zip(lanes).enumerate() {
        if i % 2 == 0 {
            let width = WIDTH - MARGIN;
            let _ = writeln!(
                svg,
                "<rect class=\"lane\" x=\"{}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill-opacity=\".6\"/>",
                MARGIN / 2.0
            );
        }
        let _ = writeln!(
            svg,
            "<g><title>{}</title><text x=\"{MARGIN}\" y=\"{:.1}\">{}</text></g>",
            escape(
                &lane.sid.as_ref().map_or_else(|| lane.name.clone(), |sid| format!("{} ({sid})", lane.name))
            ),
            y + height / 2.0 + 4.0,
            escape(&cut(&lane.name, LABEL_CHARACTERS))
        );
        for (row, bars) in lane.rows.iter().enumerate() {
            let top = y + LANE_PADDING + row as f64 * ROW;
            for drawn in bars {
                bar(svg, timeline, drawn, top);
            }
        }
        y += height;
    }
    if bottom - top > FAR {
        y += 16.0;
    }
    if !timeline.unplaced.is_empty() {
        y += 18.0;
        let names = escape(&cut(&timeline.unplaced.join(", "), 150));
        let _ =
            writeln!(svg, "<text class=\"soft\" x=\"{MARGIN}\" y=\"{y}\">Without a place: {names}</text>");
    }
    y + MARGIN / 2.0
}

/// Lines at round times, written above, and below too where that is far away.
fn axis(svg: &mut String, timeline: &Timeline, y: f64, bottom: f64) {
    let far = bottom - y > FAR;
    for (i, ms) in timeline.ticks(12).into_iter().enumerate() {
        let x = x(timeline, ms);
        let class = if i == 0 { "zero" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>",
            y + AXIS - 8.0,
        );
        for y in [Some(y + AXIS - 12.0), far.then_some(bottom + 16.0)].into_iter().flatten() {
            let _ = writeln!(
                svg,
                "<text class=\"soft\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
                clock(ms, false)
            );
        }
    }
}

fn bar(svg: &mut String, timeline: &Timeline, bar: &Bar, top: f64) {
    let (class, inset) = match bar.kind {
        Kind::Picture => ("picture", 1.0),
        Kind::Sound => ("sound", 3.5),
    };
    let middle = top + ROW / 2.0;
    let _ = writeln!(svg, "<g class=\"bar\"><title>{}</title>", escape(&bar.title));
    let mut line = |class: &str, from: i64, to: i64| {
        let (from, to) = (x(timeline, from), x(timeline, to));
        if to > from {
            let _ = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{from:.1}\" y1=\"{middle:.1}\" x2=\"{to:.1}\" y2=\"{middle:.1}\"/>"
            );
        }
    };
    line("offset", timeline.start, bar.clock_zero);
    line("start", bar.clock_zero, bar.start);
    for &(from, to) in &bar.gaps {
        line("gap", from, to);
    }
    for (from, to) in bar.pieces() {
        let (from, to) = (x(timeline, from), x(timeline, to));
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1.5\"/>",
            top + inset,
            (to - from).max(THINNEST),
            ROW - 2.0 * inset
        );
    }
    for (at, size) in &bar.resized {
        let at = x(timeline, *at);
        let _ = writeln!(
            svg,
            "<g><title>{}: {size} from here on</title><line class=\"size\" x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\"/></g>",
            escape(&bar.name),
            top + inset,
            top + ROW - inset
        );
    }
    svg.push_str("</g>\n");
}

fn legend(svg: &mut String, y: f64) {
    let mut x = MARGIN;
    let middle = y + 8.0;
    for (class, text, thick) in [
        ("picture", "picture", Some(13.0)),
        ("sound", "sound", Some(8.0)),
        ("gap", "gap: no packets", None),
        ("picture", RESIZED, Some(13.0)),
        ("offset", "offset: not yet connected", None),
        ("start", "start_time: connected, nothing recorded yet", None),
    ] {
        let _ = match thick {
            Some(height) => writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"28\" height=\"{height}\" rx=\"1.5\"/>",
                middle - height / 2.0
            ),
            None => writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{x}\" y1=\"{middle}\" x2=\"{}\" y2=\"{middle}\"/>",
                x + 28.0
            ),
        };
        if text == RESIZED {
            let at = x + 14.0;
            let _ = writeln!(
                svg,
                "<line class=\"size\" x1=\"{at}\" y1=\"{}\" x2=\"{at}\" y2=\"{}\"/>",
                middle - 6.5,
                middle + 6.5
            );
        }
        let _ = writeln!(svg, "<text class=\"soft\" x=\"{}\" y=\"{}\">{text}</text>", x + 34.0, middle + 4.0);
        x += 62.0 + text.len() as f64 * 6.3;
    }
}

fn x(timeline: &Timeline, ms: i64) -> f64 {
    LABELS + MARGIN + timeline.place(ms) * (WIDTH - LABELS - 2.0 * MARGIN)
}

/// Text in XML. Names come from strangers: what XML can't hold at all is replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{self, tests::row};

    #[test]
    fn every_recording_is_drawn_with_its_parts() {
        let rows = [
            row(r#"{"track_name":"alice.mka","offset":731,"start_time_ms":1564,"end_time_ms":5564}"#, 2295),
            row(
                r#"{"track_name":"bob.mkv","offset":9000,"start_time_ms":20814,"end_time_ms":40814,"streams":[{"gaps":[{"start_ms":30000,"end_ms":33000}],"sizes":[{"at_ms":20814,"width":64,"height":48},{"at_ms":35000,"width":32,"height":24}]}]}"#,
                2295,
            ),
        ];
        let svg = render(&timeline::of(&rows, &[]));
        assert_eq!(svg.matches("<g class=\"bar\">").count(), 2);
        // One in the legend, one for alice; two pieces for bob and two in the legend.
        assert_eq!(svg.matches("<rect class=\"sound\"").count(), 2);
        assert_eq!(svg.matches("<rect class=\"picture\"").count(), 4);
        assert_eq!(svg.matches("<line class=\"gap\"").count(), 2);
        assert_eq!(svg.matches("<line class=\"size\"").count(), 2);
        assert!(svg.contains("<title>bob.mkv: 32x24 from here on</title>"), "{svg}");
        assert!(svg.contains("begins at 0:27.519: offset 9000 + start_time 20814"), "{svg}");
    }

    #[test]
    fn a_name_is_only_text() {
        let rows = [row(
            r#"{"participant_identity":"</title><script>alert(1)</script>\u0000\u001b","offset":0,"start_time_ms":0}"#,
            0,
        )];
        let svg = render(&timeline::of(&rows, &["<b>"]));
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && !svg.contains('\u{0}'), "{svg}");
    }

    #[test]
    fn a_tall_rooms_times_stand_below_too() {
        let record = |n: usize| {
            format!(r#"{{"track_name":"{n}.mkv","offset":0,"start_time_ms":0,"end_time_ms":900}}"#)
        };
        let zeros = |people| {
            let rows: Vec<_> = (0..people).map(|n| row(&record(n), 0)).collect();
            render(&timeline::of(&rows, &[])).matches(">0:00</text>").count()
        };
        assert_eq!([zeros(2), zeros(50)], [1, 2]);
    }

    #[test]
    fn nothing_makes_an_empty_picture() {
        assert!(render(&[]).ends_with("</svg>\n"));
    }
}
