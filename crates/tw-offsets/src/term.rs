//! The room's timeline in characters, as wide as the terminal.

use std::fmt::Write as _;

use tw_core::text::cut;
use tw_core::time::clock;
use unicode_width::UnicodeWidthStr;

use crate::table::shorten;
use crate::timeline::{Bar, Kind, Timeline};

/// Names get at most this share of the width.
const NAME_SHARE: usize = 4;
/// Below this the bars say nothing any more.
const NARROWEST: usize = 40;

/// What one character cell shows; the later ones win over the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Nothing,
    Offset,
    Start,
    Gap,
    Sound,
    Picture,
    Resized,
}

impl Cell {
    fn draw(self) -> (char, &'static str) {
        match self {
            Self::Nothing => (' ', ""),
            Self::Offset => ('·', "2"),
            Self::Start => ('─', "33"),
            Self::Gap => ('╌', "31"),
            Self::Sound => ('▄', "32"),
            Self::Picture => ('█', "34"),
            Self::Resized => ('▒', "34"),
        }
    }
}

/// All rooms below one another, `width` columns wide.
pub fn render(timelines: &[Timeline], width: usize, color: bool) -> String {
    let width = width.max(NARROWEST);
    let mut text = String::new();
    for timeline in timelines {
        if !text.is_empty() {
            text.push('\n');
        }
        room(&mut text, timeline, width, color);
    }
    if !timelines.is_empty() {
        text.push('\n');
        text.push_str(&legend(width, color));
    }
    text
}

/// What the characters mean, on as many lines as it takes.
fn legend(width: usize, color: bool) -> String {
    let cells = [
        (Cell::Picture, "picture"),
        (Cell::Sound, "sound"),
        (Cell::Resized, "another size"),
        (Cell::Gap, "gap"),
        (Cell::Offset, "offset"),
        (Cell::Start, "start_time"),
    ];
    let mut text = String::new();
    let mut used = 0;
    for (cell, name) in cells {
        let wide = 2 + 1 + name.width();
        if used > 0 {
            let fits = used + 2 + wide <= width;
            text.push_str(if fits { "  " } else { "\n" });
            used = if fits { used + 2 } else { 0 };
        }
        let _ = write!(text, "{} {name}", painted(&[cell, cell], color));
        used += wide;
    }
    text + "\n"
}

fn room(text: &mut String, timeline: &Timeline, width: usize, color: bool) {
    let heading =
        timeline.room.as_ref().map_or_else(|| "Recordings".into(), |room| format!("Room {}", shorten(room)));
    let heading = format!("{heading}  {}", clock(timeline.end, true));
    let _ = writeln!(text, "{}", if color { format!("\u{1b}[1m{heading}\u{1b}[0m") } else { heading });
    let names: Vec<String> =
        timeline.lanes.iter().map(|lane| cut(&shorten(&lane.name), width / NAME_SHARE)).collect();
    let label = names.iter().map(|name| name.width()).max().unwrap_or_default() + 2;
    let columns = width - label;
    let _ = writeln!(text, "{:label$}{}", "", axis(timeline, columns).trim_end());
    for (lane, name) in timeline.lanes.iter().zip(&names) {
        for (i, bars) in lane.rows.iter().enumerate() {
            let name = if i == 0 { name.as_str() } else { "" };
            let pad = label - name.width();
            let mut cells = vec![Cell::Nothing; columns];
            bars.iter().for_each(|bar| draw(&mut cells, timeline, bar));
            let used = cells.iter().rposition(|cell| *cell != Cell::Nothing).map_or(0, |last| last + 1);
            let _ = writeln!(text, "{name}{:pad$}{}", "", painted(&cells[..used], color));
        }
    }
    if !timeline.unplaced.is_empty() {
        let names: Vec<String> = timeline.unplaced.iter().map(|name| shorten(name)).collect();
        let _ = writeln!(text, "Without a place: {}", names.join(", "));
    }
}

/// Times above the bars, each beginning where it stands.
fn axis(timeline: &Timeline, columns: usize) -> String {
    let mut line = vec![' '; columns];
    let most = i64::try_from(columns / 10).unwrap_or(10).max(1);
    for ms in timeline.ticks(most) {
        let at = column(timeline, ms, columns);
        let label: Vec<char> = format!("╷{}", clock(ms, false)).chars().collect();
        let free = at == 0 || line[at - 1] == ' ';
        if free && at + label.len() <= columns && line[at..at + label.len()].iter().all(|c| *c == ' ') {
            line[at..at + label.len()].copy_from_slice(&label);
        }
    }
    line.into_iter().collect()
}

fn draw(cells: &mut [Cell], timeline: &Timeline, bar: &Bar) {
    let columns = cells.len();
    let mut fill = |cell: Cell, from: i64, to: i64| {
        let (from, to) = (column(timeline, from, columns), column(timeline, to, columns));
        for c in &mut cells[from..=to] {
            *c = (*c).max(cell);
        }
    };
    if timeline.start < bar.clock_zero {
        fill(Cell::Offset, timeline.start, bar.clock_zero);
    }
    if bar.clock_zero < bar.start {
        fill(Cell::Start, bar.clock_zero.max(timeline.start), bar.start);
    }
    for &(from, to) in &bar.gaps {
        fill(Cell::Gap, from, to);
    }
    for (from, to) in bar.pieces() {
        fill(if bar.kind == Kind::Picture { Cell::Picture } else { Cell::Sound }, from, to);
    }
    for &(at, _) in &bar.resized {
        fill(Cell::Resized, at, at);
    }
}

fn column(timeline: &Timeline, ms: i64, columns: usize) -> usize {
    ((timeline.place(ms) * columns as f64) as usize).min(columns - 1)
}

fn painted(cells: &[Cell], color: bool) -> String {
    let mut text = String::new();
    for run in cells.chunk_by(|a, b| a == b) {
        let (character, code) = run[0].draw();
        let drawn = character.to_string().repeat(run.len());
        let _ = if color && !code.is_empty() {
            write!(text, "\u{1b}[{code}m{drawn}\u{1b}[0m")
        } else {
            write!(text, "{drawn}")
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{self, tests::row};

    #[test]
    fn the_tutorials_room() {
        let rows = [
            row(r#"{"track_name":"alice.mka","offset":731,"start_time_ms":1564,"end_time_ms":41564}"#, 2295),
            row(r#"{"track_name":"alice.mkv","offset":731,"start_time_ms":1584,"end_time_ms":41584}"#, 2295),
            row(
                r#"{"track_name":"bob.mkv","offset":732,"start_time_ms":20814,"end_time_ms":40814,"streams":[{"gaps":[{"start_ms":30000,"end_ms":33000}],"sizes":[{"at_ms":20814,"width":64,"height":48},{"at_ms":36000,"width":32,"height":24}]}]}"#,
                2295,
            ),
        ];
        assert_eq!(
            render(&timeline::of(&rows, &[]), 60, false),
            "\
Recordings  0:40.020
        ╷0:00        ╷0:10        ╷0:20        ╷0:30
alice  ──███████████████████████████████████████████████████
       ─▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
bob    ──────────────────────────█████████████╌╌╌███▒███████

██ picture  ▄▄ sound  ▒▒ another size  ╌╌ gap  ·· offset
── start_time
"
        );
    }

    #[test]
    fn every_width_can_be_drawn() {
        let rows = [row(
            r#"{"track_name":"东京东京东京东京东京东京","offset":0,"start_time_ms":0,"end_time_ms":1}"#,
            0,
        )];
        let timelines = timeline::of(&rows, &[]);
        for width in [0, 1, 40, 80, 300] {
            let text = render(&timelines, width, false);
            assert!(text.lines().all(|line| line.width() <= width.max(NARROWEST)), "{width}: {text}");
        }
        assert!(render(&timelines, 80, true).contains("\u{1b}[34m"));
        assert_eq!(render(&[], 80, true), "");
    }
}
