//! All rooms of a run: each is described, composed or shown in a still.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::filter::{Outcome, Sink};
use tw_core::output::OutputError;
use tw_core::record::json;
use tw_core::tool::Status;
use tw_core::{Record, parallel};

use crate::cli::{Cli, Emit};
use crate::command::Threading;
use crate::cutting::Cutting;
use crate::encode::Slots;
use crate::ffmpeg::AtHand;
use crate::gather::Prepared;
use crate::job::{self, Job};
use crate::run::{self, Resources, Stopped};
use crate::steps::{self, Action};
use crate::tally::Tally;
use crate::time::Millis;
use crate::undecodable::Judge;
use crate::{emit, ffmpeg, still};

/// Makes stills of each room, and writes where they are.
///
/// # Errors
/// When ffmpeg is too old, or stdout is closed or full.
pub fn make_stills(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    ffmpeg::check()?;
    for prepared in work {
        let made = prepared.and_then(|job| still::make(cli, &job).map_err(|f| (refused(&job), f)));
        let outcome = match made {
            Ok(record) => Outcome::Served(record),
            Err((record, failure)) => Outcome::Failed(record, failure),
        };
        if deliver(cli, &mut sink, outcome)?.is_break() {
            break;
        }
        sink.flush()?;
    }
    Ok(sink.finish()?)
}

/// Says how each room is composed.
///
/// # Errors
/// When stdout is closed or full.
pub fn describe_all(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    at_hand: &AtHand,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    let work: Vec<Prepared> = work.collect();
    // Of one room, the script's status is that of its commands.
    let is_script_of_many = cli.emit == Emit::Sh && work.len() > 1;
    for prepared in work {
        let described = prepared.and_then(|job| describe(cli, &job, at_hand).map_err(|f| (refused(&job), f)));
        let lines = match &described {
            Ok(lines) => lines,
            Err((record, failure)) => &printed_for_refused(cli.emit, record, failure),
        };
        lines.iter().try_for_each(|line| sink.line(line))?;
        if is_script_of_many {
            sink.line(emit::AFTER_A_ROOM)?;
        }
        if let Err((record, failure)) = described
            && deliver(cli, &mut sink, Outcome::Failed(record, failure))?.is_break()
        {
            break;
        }
    }
    if is_script_of_many {
        sink.line(emit::AFTER_ALL_ROOMS)?;
    }
    Ok(sink.finish()?)
}

/// What stands in the place of a room that isn't composed; records have a place of their own.
fn printed_for_refused(emit: Emit, record: &Record, failure: &Failure) -> Vec<String> {
    let room = record.text_of("room_sid");
    match emit {
        Emit::Json | Emit::Plan => Vec::new(),
        Emit::Sh => vec![emit::refused_in_shell(room.as_deref(), &failure.message)],
        Emit::Make => vec![emit::refused_in_make(room.as_deref(), &failure.message)],
    }
}

fn describe(cli: &Cli, job: &Job, at_hand: &AtHand) -> Result<Vec<String>, Failure> {
    let steps = job.steps(at_hand, Cutting::of(cli, job, cli.jobs()), Threading::Alone)?;
    match cli.emit {
        Emit::Json if steps.len() > 1 => {
            steps.iter().map(|step| Ok(job.step_record(step, cli.overwrite)?.to_string())).collect()
        }
        Emit::Json => {
            steps.iter().map(|step| Ok(job.record(&step.argv(cli.overwrite))?.to_string())).collect()
        }
        Emit::Sh => Ok(vec![emit::shell(job, &steps, cli.overwrite)]),
        Emit::Make => Ok(vec![emit::make(job, &steps)?]),
        Emit::Plan => emit::placements(job),
    }
}

/// Composes the rooms, several side by side.
///
/// # Errors
/// When a room fails because ffmpeg is too old, or stdout is closed or full.
pub fn compose_all(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    at_hand: AtHand,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    let work: Vec<Prepared> = work.collect();
    let lasting = Millis(work.iter().flatten().map(|job| job.timeline.duration().0).sum());
    let resources = Arc::new(Resources {
        slots: Slots::new(cli.jobs()),
        cores: (cli.jobs() / work.len().max(1)).max(1),
        stall: Duration::from_secs(cli.stall),
        overwrite: cli.overwrite,
        tally: Tally::new(work.len(), lasting),
    });
    let (shared, flags) = (Arc::clone(&resources), cli.clone());
    let compose = move |prepared: Prepared| {
        let job = prepared?;
        compose_one(&flags, &job, &at_hand, &shared).map_err(|failure| (refused(&job), failure))
    };
    let mut is_checked = false;
    let mut emit = |result: Result<Record, (Record, Failure)>| {
        resources.tally.room_done();
        let outcome = match result {
            Ok(record) => Outcome::Served(record),
            Err((record, failure)) => {
                // Something else of that name ends well, and leaves no file.
                if matches!(failure.kind, ErrorKind::Ffmpeg | ErrorKind::Io) && !is_checked {
                    ffmpeg::check()?;
                    is_checked = true;
                }
                Outcome::Failed(record, failure)
            }
        };
        let flow = deliver(cli, &mut sink, outcome)?;
        sink.flush()?;
        anyhow::Ok(flow)
    };
    let flow = parallel::ordered(work.into_iter(), cli.jobs(), compose, |result| match emit(result) {
        Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
        Ok(ControlFlow::Break(())) => ControlFlow::Break(Ok(())),
        Err(error) => ControlFlow::Break(Err(error)),
    });
    resources.tally.time.finish();
    if let ControlFlow::Break(Err(error)) = flow {
        return Err(error);
    }
    Ok(sink.finish()?)
}

/// Composes a room; its record once its file is there.
fn compose_one(cli: &Cli, job: &Job, at_hand: &AtHand, resources: &Resources) -> Result<Record, Failure> {
    let threading = Threading::of(resources.cores, cli.jobs());
    let judge = Judge::new(job, resources.stall, cli.allow_incomplete);
    let mut job = Cow::Borrowed(job);
    let done = loop {
        let steps = || match &job {
            Cow::Borrowed(job) => {
                judge.are_whole()?;
                job.steps(at_hand, Cutting::of(cli, job, resources.cores), threading)
            }
            // Of what is damaged, decoders with threads make other frames each time (seen with 9.0).
            Cow::Owned(job) => Ok(vec![steps::whole(job, at_hand, Threading::Others)]),
        };
        match run::compose(&job, steps, resources, &judge) {
            Ok(done) => break done,
            Err(Stopped::Failed(failure)) => return Err(failure),
            // Ends, since each time there is one more to be wary of.
            Err(Stopped::Damaged(tracks)) => {
                job = Cow::Owned(job.wary_of(&tracks));
                resources.tally.time.grow(job.duration_of(Action::Whole));
            }
        }
    };
    let whole = steps::whole(&job, &at_hand.elsewhere(), Threading::Alone);
    let mut record = job.record(&whole.argv(cli.overwrite))?;
    record.set(&[
        ("status", Some(json(&"completed")?)),
        ("bytes", Some(json(&done.bytes)?)),
        ("elapsed_ms", Some(json(&done.elapsed.as_millis())?)),
    ]);
    Ok(record)
}

/// The record of a room that isn't composed, to be marked.
fn refused(job: &Job) -> Record {
    job::refused(&job.room)
}

/// Records are written where lines of JSON are asked for; a script has no place for them,
/// so that there only the message and the status tell.
///
/// # Errors
/// When stdout is closed or full.
pub fn deliver(cli: &Cli, sink: &mut Sink<'_>, outcome: Outcome) -> Result<ControlFlow<()>, OutputError> {
    match cli.emit {
        Emit::Json | Emit::Plan => sink.write(outcome),
        Emit::Sh | Emit::Make => Ok(sink.note(&outcome)),
    }
}
