//! The tutorial's table, for people: rooms apart, numbers to the right, the
//! recording marked that gives the reference.

use std::fmt::Write as _;

use tw_core::text::{cut, escaped};
use unicode_width::UnicodeWidthStr;

use crate::row::Row;

/// Longer names are cut: the numbers are what people look at.
const LONGEST: usize = 40;
const MARK: &str = "*";

/// One column: its title, and what stands in it.
struct Column {
    title: &'static str,
    right: bool,
    cells: Vec<String>,
    width: usize,
}

impl Column {
    fn new(title: &'static str, right: bool, rows: &[&Row], cell: impl Fn(&Row) -> Option<String>) -> Self {
        let cells: Vec<String> = rows
            .iter()
            .map(|row| shorten(&cell(row).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".into())))
            .collect();
        let width = cells.iter().map(|cell| cell.width()).chain([title.width()]).max().unwrap_or_default();
        Self { title, right, cells, width }
    }

    fn put(&self, line: &mut String, text: &str) {
        let pad = self.width.saturating_sub(text.width());
        let (before, after) = if self.right { (pad, 0) } else { (0, pad) };
        let _ = write!(line, "{:before$}{text}{:after$}  ", "", "");
    }
}

/// The table of some rows. `rooms` are the rooms' names by number, of which
/// more than one get a heading each; `color` is for terminals.
pub fn render(rows: &[Row], rooms: &[&str], color: bool) -> String {
    let paint = |code: &str, text: &str| {
        if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    groups.resize_with(rooms.len() + 1, Vec::new);
    for row in rows {
        if let Some(group) = groups.get_mut(row.room.index()) {
            group.push(row);
        }
    }
    let headings = groups.iter().filter(|group| !group.is_empty()).count() > 1;
    let mut text = String::new();
    for (i, group) in groups.iter().enumerate().filter(|(_, group)| !group.is_empty()) {
        if headings {
            if !text.is_empty() {
                text.push('\n');
            }
            let room = i.checked_sub(1).and_then(|i| rooms.get(i)).copied();
            let heading = room.map_or_else(|| "No room".to_owned(), |room| format!("Room {}", shorten(room)));
            let _ = writeln!(text, "{}", paint("1", &heading));
        }
        let columns = columns(group);
        let mut line = String::from("  ");
        columns.iter().for_each(|column| column.put(&mut line, column.title));
        let _ = writeln!(text, "{}", paint("2", line.trim_end()));
        for (i, row) in group.iter().enumerate() {
            let mut line = format!("{:<2}", if row.is_reference() { MARK } else { "" });
            columns.iter().for_each(|column| column.put(&mut line, &column.cells[i]));
            let line = line.trim_end();
            let painted = match (row.is_reference(), row.offsets) {
                (true, _) => paint("1;32", line),
                (_, None) => paint("31", line),
                _ => line.to_owned(),
            };
            let _ = writeln!(text, "{painted}");
        }
    }
    if rows.iter().any(Row::is_reference) {
        let _ = writeln!(text, "\n{}", paint("2", "* the room's reference; all numbers are milliseconds"));
    }
    text
}

/// Those of the tutorial; who and what before them, where the records say so.
fn columns(rows: &[&Row]) -> Vec<Column> {
    let text = |name: &'static str| move |row: &Row| row.record.text_of(name);
    let mut columns = Vec::new();
    for (title, field) in [("participant", "participant_identity"), ("type", "type")] {
        if rows.iter().any(|row| row.record.text_of(field).is_some()) {
            columns.push(Column::new(title, false, rows, text(field)));
        }
    }
    columns.extend([
        Column::new("track name", false, rows, |row| Some(row.name())),
        Column::new("offset", true, rows, text("offset")),
        Column::new("start_time", true, rows, text("start_time_ms")),
        Column::new("addition", true, rows, |row| row.offsets.map(|o| o.addition.to_string())),
        Column::new("reference value", true, rows, |row| row.offsets.map(|o| o.reference.to_string())),
        Column::new("relative offset", true, rows, |row| row.offsets.map(|o| o.relative.to_string())),
    ]);
    columns
}

/// A name without what a terminal would obey, and cut when it is long.
pub fn shorten(text: &str) -> String {
    cut(&escaped(text), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::Offsets;
    use crate::rooms::{RoomId, Rooms};
    use tw_core::Record;

    fn row(record: &str, relative: Option<i64>) -> Row {
        let offsets = relative.and_then(|relative| Offsets::new(163_481_007_295 + relative, 163_481_007_295));
        Row { room: RoomId::NONE, record: Record::parse(record).unwrap(), offsets }
    }

    #[test]
    fn the_tutorials_table() {
        let rows = [
            row(r#"{"track_name":"alice.mka","offset":163481005731,"start_time_ms":1564}"#, Some(0)),
            row(r#"{"track_name":"bob.mkv","offset":163481005732,"start_time_ms":20814}"#, Some(19251)),
            row(r#"{"track_name":"东京","offset":"x"}"#, None),
        ];
        assert_eq!(
            render(&rows, &[], false),
            "
  track name        offset  start_time      addition  reference value  relative offset
* alice.mka   163481005731        1564  163481007295     163481007295                0
  bob.mkv     163481005732       20814  163481026546     163481007295            19251
  东京                   x           -             -                -                -

* the room's reference; all numbers are milliseconds
"
            .trim_start_matches('\n')
        );
    }

    #[test]
    fn rooms_stand_apart() {
        let mut rooms = Rooms::default();
        let (mut one, mut two) = (row(r#"{"sid":"RT1"}"#, Some(0)), row(r#"{"sid":"RT2"}"#, Some(0)));
        one.room = rooms.id(Some("RMa"));
        two.room = rooms.id(Some("RMb"));
        let text = render(&[one, two], &rooms.names(), false);
        assert!(text.starts_with("Room RMa\n"), "{text}");
        assert!(text.contains("\n\nRoom RMb\n"), "{text}");
    }

    #[test]
    fn long_and_wild_names() {
        let long = shorten(&"北".repeat(50));
        assert_eq!((long.width(), long.ends_with('…')), (39, true));
        assert_eq!(shorten("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(shorten("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn colors_only_when_asked_for() {
        let rows = [row("{}", Some(0))];
        assert!(!render(&rows, &[], false).contains('\u{1b}'));
        assert!(render(&rows, &[], true).contains("\u{1b}[1;32m"));
    }
}
