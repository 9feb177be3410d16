//! Computes when each recording of a room begins on the room's timeline.
//!
//! [`offsets`] is the arithmetic. [`recording`] reads what matters from a line,
//! [`batch`] keeps the lines, [`rooms`] the reference of each room. [`jsonl`]
//! and [`csv`] are what comes in and goes out, [`grouped`] the way with little
//! memory. For people there is [`table`], made of [`row`]s, and the pictures of
//! the [`timeline`]: [`svg`] and [`term`].

pub mod batch;
pub mod cli;
pub mod csv;
pub mod grouped;
pub mod jsonl;
pub mod offsets;
mod quotes;
pub mod recording;
pub mod rooms;
pub mod row;
pub mod svg;
pub mod table;
pub mod term;
pub mod timeline;

use std::io::{IsTerminal, stdout};

use tw_core::filter::Sink;
use tw_core::messages;
use tw_core::output::{Output, OutputError};
use tw_core::tool::{Common, Status, Tool};

use batch::{Batch, Fate};
pub use cli::Cli;
use cli::{From, To};
use rooms::{RoomId, Rooms};
use row::Row;

impl Tool for Cli {
    const NAME: &'static str = "tw-offsets";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> anyhow::Result<Status> {
        if self.grouped {
            anyhow::ensure!(
                (self.from, self.to) == (From::Jsonl, To::Jsonl),
                "--grouped goes from jsonl to jsonl: leave it out, or --from and --to"
            );
            let mut output = Output::default();
            let mut sink = Sink::new(&mut output, &self.common);
            let unplaced = grouped::run(&self.inputs, &mut sink)?;
            tell_unplaced(unplaced);
            return Ok(sink.finish()?);
        }
        let (batches, rooms, header) = match self.from {
            From::Jsonl => {
                let (batches, rooms) = jsonl::read(&self.inputs)?;
                (batches, rooms, csv::Header::new())
            }
            From::Csv => csv::read(&self.inputs)?,
        };
        let input = Input { batches, rooms };
        let (status, unplaced) = match self.to {
            To::Jsonl => input.write_jsonl(&self.common)?,
            To::Csv => input.write_csv(header, &self.common)?,
            To::Table => input.write_text(&self.common, |rows, rooms| table::render(rows, rooms, color()))?,
            To::Svg => {
                input.write_text(&self.common, |rows, rooms| svg::render(&timeline::of(rows, rooms)))?
            }
            To::Term => input.write_text(&self.common, |rows, rooms| {
                term::render(&timeline::of(rows, rooms), terminal_width(), color())
            })?,
        };
        tell_unplaced(unplaced);
        Ok(status)
    }
}

/// How it went, and how many of the records that were written hold nothing to place: not all
/// are written when the first failure ends it.
type Written = (Status, u64);

/// All that came in.
struct Input {
    batches: Vec<Batch>,
    rooms: Rooms,
}

impl Input {
    fn write_jsonl(&self, common: &Common) -> anyhow::Result<Written> {
        let mut output = Output::default();
        let mut sink = Sink::new(&mut output, common);
        let mut unplaced = 0;
        'all: for batch in &self.batches {
            for entry in &batch.entries {
                unplaced += u64::from(entry.fate == Fate::Nothing);
                if jsonl::write(&mut sink, batch, entry, &self.rooms)?.is_break() {
                    break 'all;
                }
            }
        }
        Ok((sink.finish()?, unplaced))
    }

    fn write_csv(&self, header: csv::Header, common: &Common) -> anyhow::Result<Written> {
        // What names no room is a group beside the rooms: read again, all would be one.
        let groups = self.rooms.len() + usize::from(self.rooms.reference(RoomId::NONE).is_some());
        let mut writer = csv::Writer::new(stdout(), header, groups > 1).map_err(csv_error)?;
        let written = self.each_row(common, |row| writer.row(&row).map_err(csv_error))?;
        writer.flush().map_err(OutputError::from)?;
        Ok(written)
    }

    /// For what is drawn once all records are known.
    fn write_text(
        &self,
        common: &Common,
        render: impl Fn(&[Row], &[&str]) -> String,
    ) -> anyhow::Result<Written> {
        let mut rows = Vec::new();
        let written = self.each_row(common, |row| {
            rows.push(row);
            Ok(())
        })?;
        let mut output = Output::default();
        output.bytes(render(&rows, &self.rooms.names()).as_bytes())?;
        output.flush()?;
        Ok(written)
    }

    /// Hands out every record as a row; what failed is said on stderr.
    fn each_row(
        &self,
        common: &Common,
        mut take: impl FnMut(Row) -> anyhow::Result<()>,
    ) -> anyhow::Result<Written> {
        // Rows go elsewhere.
        let mut output = Output::default();
        let mut sink = Sink::new(&mut output, common);
        let mut unplaced = 0;
        for (batch, entry) in
            self.batches.iter().flat_map(|batch| batch.entries.iter().map(move |e| (batch, e)))
        {
            unplaced += u64::from(entry.fate == Fate::Nothing);
            let outcome = batch.outcome(entry, &self.rooms);
            let flow = sink.note(&outcome);
            // A line that is no record has nothing to show.
            if entry.fate != Fate::Unreadable {
                let record = outcome.into_record();
                take(Row { room: entry.room, record, offsets: batch.offsets(entry, &self.rooms).ok() })?;
            }
            if flow.is_break() {
                break;
            }
        }
        Ok((sink.finish()?, unplaced))
    }
}

/// Colors are for a terminal whose user hasn't declined them (<https://no-color.org>).
fn color() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// No terminal is wider.
const WIDEST: usize = 10_000;

/// The columns of the terminal; elsewhere what `COLUMNS` says, else 80.
fn terminal_width() -> usize {
    let window = rustix::termios::tcgetwinsize(stdout()).ok().map(|size| usize::from(size.ws_col));
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    window.filter(|&columns| columns > 0).or_else(said).unwrap_or(80).min(WIDEST)
}

fn csv_error(error: ::csv::Error) -> anyhow::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => OutputError::from(error).into(),
        other => anyhow::anyhow!("cannot write CSV: {other:?}"),
    }
}

fn tell_unplaced(count: u64) {
    match count {
        0 => {}
        1 => messages::warn("1 record handed on as it was: nothing in it has a start time"),
        n => messages::warn(format_args!(
            "{n} records handed on as they were: nothing in them has a start time"
        )),
    }
}
