//! Lists the recordings of Twilio Video rooms as JSON lines.
//!
//! [`Cli`] says which rooms and filters, `pages` follows a list from page to page
//! (`ahead`: before the next one is wanted), `participants` adds who was recorded. Here
//! is what comes of each room, and what is written when its list breaks off.

mod ahead;
mod cli;
mod from_cli;
pub mod pages;
mod participants;
mod rooms;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::anyhow;
use tw_core::filter::{Outcome, Sink};
use tw_core::http::{Client, HttpError};
use tw_core::output::{Output, OutputError};
use tw_core::{ErrorKind, Failure, Record, Status, input, messages};

pub use cli::{Cli, MediaType, RecordingStatus};
use pages::Pages;
use participants::Participants;
use rooms::Entry;

/// Lists what the flags say.
///
/// # Errors
/// For wrong set-up (flags, credentials, a file of rooms that can't be read), and
/// when stdout is closed or full.
pub fn run(cli: &Cli) -> anyhow::Result<Status> {
    let client = Arc::new(cli.http.client()?);
    let mut output = Output::default();
    let mut listing = Listing {
        cli,
        client: &client,
        sink: Sink::new(&mut output, &cli.common),
        participants: Participants::default(),
        listed: BTreeSet::new(),
        left: cli.limit,
    };
    let _: ControlFlow<()> = listing.all()?;
    let status = listing.sink.finish()?;
    match client.unauthorized() {
        // Wrong set-up, not one room's trouble; said already where it broke a list off.
        Some(refusal) if status != Status::WrongSetUp => Err(anyhow!("{refusal}")),
        _ => Ok(status),
    }
}

/// `Break` when the run should end: the limit is reached, a record failed with
/// `--fail-fast`, or Twilio refused the credentials.
type Step = Result<ControlFlow<()>, OutputError>;

/// Rooms of which something was written, and how their list ended.
type Listed = (BTreeSet<String>, Result<ControlFlow<()>, HttpError>);

struct Listing<'a> {
    cli: &'a Cli,
    client: &'a Arc<Client>,
    sink: Sink<'a>,
    participants: Participants,
    /// Rooms that were listed: one that is named twice is listed once.
    listed: BTreeSet<String>,
    /// How many recordings may still be written.
    left: Option<u64>,
}

impl Listing<'_> {
    fn all(&mut self) -> anyhow::Result<ControlFlow<()>> {
        if self.cli.room.is_empty() && self.cli.rooms.is_none() {
            return Ok(self.account()?);
        }
        for room in &self.cli.room {
            if self.room(room)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let Some(file) = &self.cli.rooms else { return Ok(ControlFlow::Continue(())) };
        for line in input::lines(std::slice::from_ref(file)) {
            let step = match rooms::entry(line?) {
                Ok(Entry::Room(room)) => self.room(&room)?,
                Ok(Entry::Marked(record)) => self.write(Outcome::Passed(record))?,
                Err((record, failure)) => self.write(Outcome::Failed(record, failure))?,
            };
            self.sink.flush()?;
            if step.is_break() {
                return Ok(step);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn room(&mut self, room: &str) -> Step {
        if !self.listed.insert(room.to_owned()) {
            messages::warn(format_args!("room {room} is named again: listed once"));
            return Ok(ControlFlow::Continue(()));
        }
        messages::verbose(format_args!("listing room {room}"));
        let (seen, step) = self.list(Some(room))?;
        match step {
            Ok(ControlFlow::Continue(())) if seen.is_empty() => self.without_recordings(room),
            Ok(flow) => Ok(flow),
            Err(error) if error.is_unauthorized() && seen.is_empty() => Ok(ControlFlow::Break(())),
            Err(error) => self.broken_off([room], error),
        }
    }

    /// The whole account: a list that breaks off may lack recordings of each room
    /// that was in it so far.
    fn account(&mut self) -> Step {
        messages::verbose("listing the account's recordings");
        let (seen, step) = self.list(None)?;
        match step {
            Ok(flow) => Ok(flow),
            Err(error) if error.is_unauthorized() && seen.is_empty() => Ok(ControlFlow::Break(())),
            Err(error) => self.broken_off(seen.iter().map(String::as_str), error),
        }
    }

    /// Writes all recordings of a room, or of the account, as the pages come.
    /// Gives the rooms of which something was written, and how it ended.
    fn list(&mut self, room: Option<&str>) -> Result<Listed, OutputError> {
        let mut query = self.cli.query();
        query.extend(room.map(|room| ("GroupingSid", room.to_owned())));
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let first = self.client.base().join(&["v1", "Recordings"], &query);
        // 10,000 recordings from loopback: 58 ms instead of 78. Not with --limit, which may
        // need no further page, nor with --participants, whose requests take far longer
        // than the writing.
        let ahead = self.left.is_none() && !self.cli.participants;
        let mut pages = Pages::new(Arc::clone(self.client), first, ahead);
        let mut seen = BTreeSet::new();
        loop {
            let rows = match pages.next() {
                Ok(Some(rows)) => rows,
                Ok(None) => return Ok((seen, Ok(ControlFlow::Continue(())))),
                Err(error) => return Ok((seen, Err(error))),
            };
            for row in rows {
                if self.left == Some(0) {
                    return Ok((seen, Ok(ControlFlow::Break(()))));
                }
                let of = |row: &Record| row.room_sid();
                seen.extend(room.map(str::to_owned).or_else(|| row.as_ref().ok().and_then(of)));
                let step = match row {
                    Ok(row) => self.recording(row)?,
                    // Somebody is missing in the room, where it is known which one it is.
                    Err(failure) => {
                        let record = room.map_or_else(Record::empty, of_room);
                        self.write(Outcome::Failed(record, failure))?
                    }
                };
                if step.is_break() {
                    return Ok((seen, Ok(ControlFlow::Break(()))));
                }
                self.left = self.left.map(|left| left - 1);
            }
            self.sink.flush()?;
            if self.left == Some(0) {
                return Ok((seen, Ok(ControlFlow::Break(()))));
            }
        }
    }

    fn recording(&mut self, row: Record) -> Step {
        if !self.cli.participants {
            return self.write(Outcome::Served(row));
        }
        let mut served = row.clone();
        match self.participants.add_to(self.client, &mut served) {
            Ok(()) => self.write(Outcome::Served(served)),
            Err(error) => self.write(Outcome::Failed(row, participants::failure(error))),
        }
    }

    /// Twilio lists nothing for a room that doesn't exist, as for one in which
    /// nothing was recorded: ask which it is.
    fn without_recordings(&mut self, room: &str) -> Step {
        match self.client.json(&self.client.base().join(&["v1", "Rooms", room], &[])) {
            Ok(_) => {
                messages::warn(format_args!("room {room}: no recordings match"));
                Ok(ControlFlow::Continue(()))
            }
            Err(error) if error.status() == Some(404) => {
                let failure = Failure::new(ErrorKind::NotFound, "there is no such room in this account");
                self.write(Outcome::Failed(of_room(room), failure))
            }
            Err(error) if error.is_unauthorized() => Ok(ControlFlow::Break(())),
            Err(error) => self.broken_off([room], error),
        }
    }

    /// Marks each of these rooms, so that none is taken for complete.
    fn broken_off<'r>(&mut self, rooms: impl IntoIterator<Item = &'r str>, error: HttpError) -> Step {
        let failure = Failure::from(error);
        let failure = Failure { message: format!("the list broke off: {}", failure.message), ..failure };
        let mut records: Vec<Record> = rooms.into_iter().map(of_room).collect();
        if records.is_empty() {
            records.push(Record::empty());
        }
        let mut flow = match self.client.unauthorized() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        };
        for record in records {
            // All of them, also with --fail-fast: they share one failure.
            if self.write(Outcome::Failed(record, failure.clone()))?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        self.sink.flush()?;
        Ok(flow)
    }

    fn write(&mut self, outcome: Outcome) -> Step {
        self.sink.write(outcome)
    }
}

/// What stands for a room in the output.
fn of_room(room: &str) -> Record {
    let mut record = Record::empty();
    let grouping = serde_json::json!({ "room_sid": room });
    record.set(&[("grouping_sids", Some(grouping.to_string()))]);
    record
}
