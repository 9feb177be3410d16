//! From records to rooms, and from rooms to jobs or the reason why there is none.

use std::ops::ControlFlow;
use std::path::PathBuf;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::filter::{Outcome, Sink};
use tw_core::{Record, input, messages};

use crate::batch::deliver;
use crate::cli::Cli;
use crate::job::{self, Job};
use crate::room::{Gathered, Rooms};
use crate::settings::Settings;

/// Reads every record and sorts it into its room. What is no record at all
/// belongs to no room, and is handed on at once.
pub fn gather(cli: &Cli, sink: &mut Sink<'_>) -> anyhow::Result<(Vec<Gathered>, ControlFlow<()>)> {
    let mut rooms = Rooms::default();
    for line in input::lines(&cli.files) {
        let outcome = match line?.record() {
            Err(failure) => Outcome::Failed(Record::empty(), failure),
            Ok(record)
                if record.is_marked() && record.room_sid().is_none() && record.text_of("sid").is_none() =>
            {
                Outcome::Passed(record)
            }
            Ok(record) => {
                let label = record.label();
                if let Err(failure) = rooms.take(&record) {
                    messages::error(format_args!("{label}: {failure}"));
                }
                continue;
            }
        };
        let flow = deliver(cli, sink, outcome)?;
        if flow.is_break() {
            return Ok((Vec::new(), flow));
        }
    }
    Ok((rooms.into_vec(), ControlFlow::Continue(())))
}

/// Says once, for all rooms, what there was nothing to show of.
pub fn say_passed_over(rooms: &[Gathered]) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for &(why, count) in rooms.iter().flat_map(|room| &room.passed_over) {
        match counts.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, sum)) => *sum += count,
            None => counts.push((why, count)),
        }
    }
    for (why, count) in counts {
        messages::warn(format_args!("passed over {count} {why}: there is nothing to see or to hear in them"));
    }
}

/// A room that is to be composed, or its record and why not.
pub type Prepared = Result<Job, (Record, Failure)>;

pub fn prepare(cli: &Cli, settings: &Settings, gathered: &Gathered, output: PathBuf) -> Prepared {
    let checked = if cli.allow_incomplete { say_missing(gathered) } else { complete(gathered) };
    checked
        .and_then(|()| Job::new(settings, gathered, output))
        .map_err(|failure| (job::refused(&gathered.room), failure))
}

/// The user wants the room without them: said, but no failure.
fn say_missing(gathered: &Gathered) -> Result<(), Failure> {
    let room = gathered.room.sid.as_deref().unwrap_or("a room without a SID");
    for (label, why) in &gathered.missing {
        messages::warn(format_args!("{room}: composed without {label}: {why}"));
    }
    Ok(())
}

/// A room is never silently composed without somebody in it.
fn complete(gathered: &Gathered) -> Result<(), Failure> {
    let Some((label, why)) = gathered.missing.first() else { return Ok(()) };
    let others = match gathered.missing.len() - 1 {
        0 => String::new(),
        1 => " and one other recording".into(),
        n => format!(" and {n} other recordings"),
    };
    Err(Failure::new(
        ErrorKind::Incomplete,
        format!("not composed, since {label}{others} failed: {why} (--allow-incomplete composes the rest)"),
    ))
}
