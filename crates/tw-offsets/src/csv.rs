//! Rows in and out: the columns of the tutorial's table.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use csv::{ByteRecord, ReaderBuilder, Terminator, Trim, WriterBuilder};
use serde_json::{Value, json};
use tw_core::input;

use crate::batch::{Batch, Fate};
use crate::quotes::Watched;
use crate::recording::{Recording, Words};
use crate::rooms::Rooms;
use crate::row::Row;

/// What goes out.
const COLUMNS: [&str; 6] =
    ["track_name", "offset", "start_time", "addition", "reference_value", "relative_offset"];
/// Those that are ours.
const OWN_COLUMNS: [&str; 3] = ["addition", "reference_value", "relative_offset"];
/// Tells rooms apart.
const ROOM: &str = "room_sid";

/// The columns of a table.
pub type Header = Vec<String>;

/// Reads all rows, each as the record that it stands for; also gives the columns.
///
/// # Errors
/// When a file can't be read, or a column that we need isn't there.
pub fn read(files: &[PathBuf]) -> anyhow::Result<(Vec<Batch>, Rooms, Header)> {
    let mut rooms = Rooms::default();
    let mut batches = Vec::new();
    let mut all = Header::new();
    for path in input::or_stdin(files) {
        let (reader, place) = input::open(&path)?;
        let (batch, header) = read_table(reader, &place.source, &mut rooms)?;
        batches.push(batch);
        for column in header {
            if !all.contains(&column) {
                all.push(column);
            }
        }
    }
    Ok((batches, rooms, all))
}

/// The rows of one table, and its columns.
///
/// # Errors
/// When it can't be read, or a column that we need isn't there.
pub fn read_table(reader: impl Read, source: &str, rooms: &mut Rooms) -> anyhow::Result<(Batch, Header)> {
    let (reader, quotes) = Watched::new(reader);
    // The reader's own way with CRLF counts a line end to the row that follows it.
    let mut reader = ReaderBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .flexible(true)
        .trim(Trim::Headers)
        .from_reader(reader);
    let header = header_of(&mut reader, source)?;
    let mut batch = Batch::new(source.into(), Words::CSV);
    let mut row = ByteRecord::new();
    while reader.read_byte_record(&mut row).with_context(|| format!("cannot read {source}"))? {
        if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let bytes = row.position().map_or(0, csv::Position::byte)..reader.position().byte();
        let (blank, own_return) = {
            let mut quotes = quotes.borrow_mut();
            (quotes.blank_lines_of(&bytes), quotes.ends_with_own_return(&bytes))
        };
        let line = row.position().map_or(0, csv::Position::line) + blank;
        let (text, utf8) = record_of(&header, &row, own_return);
        let recording = Recording::read(&text).ok();
        let beyond = row.iter().skip(header.len()).any(|cell| !cell.trim_ascii().is_empty());
        let refused = if !utf8 {
            Fate::NotUtf8
        } else if beyond {
            Fate::TooLong
        } else if quotes.borrow().are_open_in(bytes) {
            Fate::Unclosed
        } else {
            batch.push(text.as_bytes(), line, recording.as_ref(), rooms);
            continue;
        };
        let room = rooms.id(recording.and_then(|recording| recording.room).as_deref());
        batch.push_refused(text.as_bytes(), line, room, refused);
    }
    Ok((batch, header))
}

fn header_of(reader: &mut csv::Reader<impl Read>, source: &str) -> anyhow::Result<Header> {
    let header = reader.byte_headers().with_context(|| format!("cannot read {source}"))?;
    let mut header: Header = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    if header.is_empty() {
        return Ok(header);
    }
    // Spreadsheets write a comma for every column that was ever touched. One without a name may
    // hold notes; of several nobody could tell which is which, and cells in them are refused.
    if let [.., one, other] = header.as_slice()
        && one.is_empty()
        && other.is_empty()
    {
        while header.last().is_some_and(String::is_empty) {
            header.pop();
        }
    }
    // Spreadsheets' "Unicode Text": every other byte is a NUL.
    anyhow::ensure!(
        !header.iter().any(|name| name.contains('\0')),
        "{source}: it is UTF-16: save it as CSV UTF-8"
    );
    // Old Macs', and Excel's "CSV (Macintosh)": the whole table would be a header without rows.
    anyhow::ensure!(
        !header.iter().any(|name| name.replace("\r\n", "").contains('\r')),
        "{source}: its lines end with carriage returns alone: save it as CSV UTF-8, or use tr '\\r' '\\n'"
    );
    for needed in ["offset", "start_time"] {
        // Spreadsheets of some countries write others (and call the file CSV).
        let other = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
        if let Some((_, them)) =
            other.iter().find(|(other, _)| header.len() == 1 && header[0].contains(*other))
        {
            anyhow::bail!("{source}: its columns are parted by {them}: save it with commas");
        }
        anyhow::ensure!(
            header.iter().any(|name| name == needed),
            "{source}: no column {needed}: the first line must name the columns, as in track_name,offset,start_time"
        );
    }
    for (i, name) in header.iter().enumerate() {
        let same = header[..i].iter().find(|other| field(other) == field(name));
        if let Some(other) = same {
            anyhow::ensure!(
                !name.is_empty(),
                "{source}: two columns have no name: name them in the first line"
            );
            anyhow::ensure!(other != name, "{source}: two columns are named {name}");
            anyhow::bail!("{source}: {other} and {name} say the same: take one of the columns away");
        }
    }
    Ok(header)
}

/// The field that a column becomes.
fn field(column: &str) -> &str {
    match column {
        "start_time" => "start_time_ms",
        ROOM => "grouping_sids",
        other => other,
    }
}

/// The row as a record, and whether all of it was UTF-8. A carriage return at its end is that of
/// its line's end, unless it is the last cell's `own_return`.
fn record_of(header: &[String], row: &ByteRecord, own_return: bool) -> (String, bool) {
    let mut members = Vec::with_capacity(row.len());
    let mut utf8 = true;
    for (i, cell) in row.iter().enumerate() {
        let at_end = i + 1 == row.len() && !own_return;
        let cell = String::from_utf8_lossy(cell.strip_suffix(b"\r").filter(|_| at_end).unwrap_or(cell));
        utf8 &= matches!(cell, Cow::Borrowed(_));
        let (name, value) = match header.get(i).map(String::as_str) {
            // Computed again.
            Some(name) if OWN_COLUMNS.contains(&name) => continue,
            Some(name @ "offset") => (field(name).to_owned(), number(&cell)),
            // Null would say that nothing was recorded; an empty cell is one that somebody forgot.
            Some("start_time") if cell.is_empty() => continue,
            Some(name @ "start_time") => (field(name).to_owned(), number(&cell)),
            Some(name @ ROOM) => (field(name).to_owned(), json!({ ROOM: text(&cell) })),
            Some(name) => (name.to_owned(), text(&cell)),
            None if cell.is_empty() => continue,
            None => (format!("column_{}", i + 1), text(&cell)),
        };
        members.push(format!("{}:{value}", Value::from(name)));
    }
    (format!("{{{}}}", members.join(",")), utf8)
}

/// An empty cell is null.
fn text(cell: &str) -> Value {
    if cell.is_empty() { Value::Null } else { cell.into() }
}

/// A cell that holds a number, or should.
fn number(cell: &str) -> Value {
    cell.trim().parse::<i64>().map_or_else(|_| text(cell), Value::from)
}

/// Writes rows as they come.
pub struct Writer<W: Write> {
    csv: csv::Writer<W>,
    header: Header,
}

impl<W: Write> Writer<W> {
    /// Writes the header: the input's columns, if it had any, with ours after
    /// them. With `rooms`, the rows tell their room.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn new(output: W, input: Header, rooms: bool) -> csv::Result<Self> {
        let mut header = input;
        let ours = COLUMNS.into_iter().chain(rooms.then_some(ROOM));
        for column in ours {
            if !header.iter().any(|name| name == column) {
                header.push(column.into());
            }
        }
        let mut csv = WriterBuilder::new().from_writer(output);
        csv.write_record(&header)?;
        Ok(Self { csv, header })
    }

    /// Writes one row; what it doesn't know is empty.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn row(&mut self, row: &Row) -> csv::Result<()> {
        for column in &self.header {
            let own = |value: fn(&crate::offsets::Offsets) -> i64| {
                row.offsets.as_ref().map(|o| value(o).to_string())
            };
            let cell = match column.as_str() {
                "track_name" => row.record.text_of("track_name").or_else(|| row.name_elsewhere()),
                "start_time" => row.record.text_of("start_time_ms"),
                "addition" => own(|o| o.addition),
                "reference_value" => own(|o| o.reference),
                "relative_offset" => own(|o| o.relative),
                ROOM => row.record.room_sid(),
                other => row.record.text_of(other),
            };
            self.csv.write_field(cell.unwrap_or_default())?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    /// Hands on what has been written.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(header: &[&str], cells: &[&[u8]]) -> (String, bool) {
        let header: Header = header.iter().map(ToString::to_string).collect();
        record_of(&header, &ByteRecord::from(cells.to_vec()), false)
    }

    #[test]
    fn a_row_becomes_a_record() {
        let header = ["track_name", "offset", "start_time", "addition", "room_sid", "sid"];
        let cells: [&[u8]; 7] = [b"a,b", b" 12 ", b"-7", b"99", b"RM1", b"", b"more"];
        let (text, utf8) = record(&header, &cells);
        assert!(utf8);
        let expected = serde_json::json!({
            "track_name": "a,b", "offset": 12, "start_time_ms": -7, "sid": null,
            "grouping_sids": {"room_sid": "RM1"}, "column_7": "more",
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_number_stays_as_it_is() {
        let (text, _) = record(&["offset", "start_time"], &[b"1.5", b"soon"]);
        assert!(text.contains("\"1.5\"") && text.contains("\"soon\""), "{text}");
        assert!(!record(&["offset"], &[b"\xff"]).1);
    }

    #[test]
    fn a_quote_that_is_not_closed() {
        let rows = |table: &str| {
            let table = format!("track_name,offset,start_time,note\n{table}");
            let (batch, _) = read_table(table.as_bytes(), "x.csv", &mut Rooms::default()).unwrap();
            batch.entries.iter().map(|entry| entry.fate == Fate::Unclosed).collect::<Vec<_>>()
        };
        for (table, unclosed) in [
            ("\"alice,1,2,x\nbob,3,4,y\n", &[true][..]),
            ("alice,\"1,2,x\nbob,3,4,y", &[true]),
            ("alice,1,2,\"x\nbob,3,4,y\n", &[true]),
            ("carol,5,6,z\nalice,1,2,\"x\nbob,3,4,y", &[false, true]),
            // Closed by the quote that opens another cell.
            ("\"alice,1,2,x\n\"bob\",3,4,y\ncarol,5,6,z\n", &[true, false]),
            ("alice,1,2,\"x\nbob,3,4,\"y\"\ncarol,5,6,z\n", &[true, false]),
            // Texts of several lines, with quotes in them; fewer cells.
            ("\"alice\nand \"\"bob\"\"\",1,2,\"x\ny\n\"\r\n5\" tape,1,2,\nbob,1,2\n", &[false; 3]),
            ("alice,1,2,\"x\ny\n\"", &[false]),
        ] {
            assert_eq!(rows(table), unclosed, "{table:?}");
        }
    }

    #[test]
    fn rows_have_the_numbers_of_their_lines() {
        let header = "track_name,offset,start_time,note\n";
        for (table, lines) in [
            (format!("{header}\na,1,2,\n\n\nb,3,4,\nc,5,6,\n"), &[3, 6, 7][..]),
            (format!("\n\n{header}a,1,2,\n\nb,3,4,"), &[4, 6]),
            (format!("\u{feff}{header}a,1,2,\n\nb,3,4,\n\n"), &[2, 4]),
            (format!("{header}\n,,,\n \na,1,2,\n"), &[5]),
            // Line breaks in a cell are lines, but none that is passed over.
            (format!("{header}a,1,2,\"x\n\n\ny\"\n\nb,3,4,\nc,5,6,\n"), &[2, 7, 8]),
        ] {
            let (batch, _) = read_table(table.as_bytes(), "x.csv", &mut Rooms::default()).unwrap();
            let found: Vec<_> = batch.entries.iter().map(|entry| batch.place(entry).line).collect();
            assert_eq!(found, lines, "{table:?}");
        }
        let crlf = format!("{header}\na,1,2,\n\n\nb,3,4,\n").replace('\n', "\r\n");
        let (batch, _) = read_table(crlf.as_bytes(), "x.csv", &mut Rooms::default()).unwrap();
        assert_eq!(batch.entries.iter().map(|entry| batch.place(entry).line).collect::<Vec<_>>(), [3, 6]);
    }

    #[test]
    fn a_carriage_return_in_quotes_is_the_cells() {
        let notes = |table: &str| {
            let table = format!("offset,start_time,note\n{table}");
            let (batch, _) = read_table(table.as_bytes(), "x.csv", &mut Rooms::default()).unwrap();
            let note = |entry| tw_core::Record::parse(str::from_utf8(batch.line(entry)).unwrap());
            batch.entries.iter().map(|entry| note(entry).unwrap().text_of("note")).collect::<Vec<_>>()
        };
        for (table, found) in [
            ("1,2,\"x\r\"\n1,2,\"x\r\"\r\n1,2,y\r\n1,2,\"y\"\r\n", &["x\r", "x\r", "y", "y"][..]),
            ("1,2,\"x\r\"\n\n1,2,y\r\n1,2,\"x\r\"", &["x\r", "y", "x\r"]),
            ("\"1\r\",2,y\r\n1,2,\"x\"\"\r\"\n1,2,\"y\r\"\"\"\r\n", &["y", "x\"\r", "y\r\""]),
        ] {
            assert_eq!(notes(table), found.iter().map(|note| Some((*note).to_owned())).collect::<Vec<_>>());
        }
    }

    #[test]
    fn lines_that_end_with_returns_alone_are_no_header() {
        let read = |table: &str| read_table(table.as_bytes(), "x.csv", &mut Rooms::default());
        for table in
            ["offset,start_time,track_name\r1,2,alice\r3,4,bob\r", "track_name,offset,start_time\ra,1,2"]
        {
            let why = read(table).unwrap_err().to_string();
            assert!(why.starts_with("x.csv: its lines end with carriage returns alone: "), "{why}");
        }
        // A name of two lines, and a header alone.
        let two_lines = "offset,start_time,\"of\r\nmine\"\r\n1,2,x\r\n";
        for (table, rows) in [(two_lines, 1), ("offset,start_time\r", 0)] {
            assert_eq!(read(table).unwrap().0.entries.len(), rows, "{table:?}");
        }
    }

    #[test]
    fn utf16_is_said() {
        let table = "offset,start_time\r\n1,2\r\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2], bom: &str| {
            format!("{bom}{table}").encode_utf16().flat_map(bytes).collect::<Vec<_>>()
        };
        for table in [
            utf16(u16::to_le_bytes, "\u{feff}"),
            utf16(u16::to_be_bytes, "\u{feff}"),
            utf16(u16::to_le_bytes, ""),
        ] {
            let why = read_table(table.as_slice(), "x.csv", &mut Rooms::default()).unwrap_err();
            assert_eq!(why.to_string(), "x.csv: it is UTF-16: save it as CSV UTF-8");
        }
    }

    #[test]
    fn columns_without_a_name_at_the_end_are_none() {
        let read = |table: &str| read_table(table.as_bytes(), "x.csv", &mut Rooms::default());
        let (batch, header) = read("offset,start_time,,,\r\n1,2,,,\r\n1,2,,x,\r\n").unwrap();
        assert_eq!(header, ["offset", "start_time"]);
        assert_eq!(batch.line(&batch.entries[0]), br#"{"offset":1,"start_time_ms":2}"#);
        assert_eq!(batch.entries[1].fate, Fate::TooLong);
        // A single one may hold notes.
        assert_eq!(read("offset,start_time,\n1,2,x\n").unwrap().0.entries[0].fate, Fate::Append(3));
        let why = read(",,offset,start_time\n1,2,3,4\n").unwrap_err().to_string();
        assert_eq!(why, "x.csv: two columns have no name: name them in the first line");
        let why = read("\"\",\n1,2\n").unwrap_err().to_string();
        assert!(why.starts_with("x.csv: no column offset: "), "{why}");
    }

    proptest! {
        #[test]
        fn any_row_is_a_record(cells in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..5)) {
            let cells: Vec<&[u8]> = cells.iter().map(Vec::as_slice).collect();
            let (text, _) = record(&["offset", "start_time", "x"], &cells);
            prop_assert!(Recording::read(&text).is_ok(), "{}", text);
        }
    }
}
