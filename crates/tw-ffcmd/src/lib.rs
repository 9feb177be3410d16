//! tw-ffcmd: the recordings of a room become one file in sync.
//!
//! Four separate things, each a value computed from values, and one effect at
//! the end:
//!
//! - [`settings`] is what is to be made, from the flags and a layout file;
//! - [`room`] reads records: which tracks there are and when they run;
//! - [`timeline`] is the output's time: which part of the room, in how many frames;
//! - [`layout`] says who is seen where, and when;
//! - [`graph`] writes both as a filter graph, for the picture and for the sound;
//! - [`encoder`] knows formats and codecs; [`command`] puts the arguments together;
//! - [`steps`] cuts the work into files made from files; [`emit`] prints them,
//!   [`run`](mod@run) and [`encode`] run them, and [`verify`] reads the result back;
//! - `still` makes pictures of it beforehand.

pub mod cli;
pub mod command;
pub mod emit;
pub mod encode;
pub mod encoder;
pub mod ffmpeg;
mod font;
pub mod graph;
pub mod job;
pub mod layout;
mod output_name;
pub mod room;
pub mod run;
pub mod settings;
pub mod steps;
mod still;
pub mod time;
pub mod timeline;
pub mod verify;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::filter::{Outcome, Sink};
use tw_core::output::{Output, OutputError};
use tw_core::progress::Progress;
use tw_core::record::json;
use tw_core::tool::Status;
use tw_core::{Record, input, messages, parallel};

pub use cli::Cli;
use cli::Emit;
use command::Overwrite;
use encode::Slots;
use encoder::Encoders;
use job::Job;
use room::{Gathered, Rooms};
use run::Studio;
use settings::Settings;

/// The whole tool.
///
/// # Errors
/// For what stops the whole run: wrong usage, no ffmpeg, stdout gone.
pub fn run(cli: &Cli) -> anyhow::Result<Status> {
    let settings = Settings::new(cli)?;
    if cli.run || still::wanted(cli).is_some() {
        ffmpeg::check()?;
        if cli.labels {
            still::check_labels()?;
        }
    }
    let mut output = Output::default();
    let mut sink = Sink::new(&mut output, &cli.common);
    let (rooms, stop) = gather(cli, &mut sink)?;
    if stop.is_break() {
        return Ok(sink.finish()?);
    }
    say_passed_over(&rooms);
    let outputs = output_name::for_rooms(still::wanted(cli).unwrap_or(&settings.output), &rooms)?;
    let work =
        rooms.into_iter().zip(outputs).map(|(gathered, output)| prepare(cli, &settings, &gathered, output));
    if still::wanted(cli).is_some() {
        return make_stills(cli, work, sink);
    }
    let encoders = ffmpeg::encoders();
    if cli.run { compose_all(cli, work, encoders, sink) } else { describe_all(cli, work, &encoders, sink) }
}

/// Reads every record and sorts it into its room. What is no record at all
/// belongs to no room, and is handed on at once.
fn gather(cli: &Cli, sink: &mut Sink<'_>) -> anyhow::Result<(Vec<Gathered>, ControlFlow<()>)> {
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
                if let Err(failure) = rooms.take(record) {
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
fn say_passed_over(rooms: &[Gathered]) {
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
type Prepared = Result<Job, (Record, Failure)>;

fn prepare(cli: &Cli, settings: &Settings, gathered: &Gathered, output: PathBuf) -> Prepared {
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

fn overwrite(cli: &Cli) -> Overwrite {
    if cli.overwrite { Overwrite::Yes } else { Overwrite::No }
}

/// Makes stills of each room, and writes where they are.
fn make_stills(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    for prepared in work {
        let made = prepared.and_then(|job| still::make(cli, &job).map_err(|f| (refused(&job), f)));
        let outcome = match made {
            Ok(record) => Outcome::Served(record),
            Err((record, failure)) => Outcome::Failed(record, failure),
        };
        if deliver(cli, &mut sink, outcome)?.is_break() {
            break;
        }
    }
    Ok(sink.finish()?)
}

/// Says how each room is composed.
fn describe_all(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    encoders: &Encoders,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    for prepared in work {
        let described =
            prepared.and_then(|job| describe(cli, &job, encoders).map_err(|f| (refused(&job), f)));
        match described {
            Ok(lines) => lines.into_iter().try_for_each(|line| sink.line(line))?,
            Err((record, failure)) => {
                if deliver(cli, &mut sink, Outcome::Failed(record, failure))?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(sink.finish()?)
}

fn describe(cli: &Cli, job: &Job, encoders: &Encoders) -> Result<Vec<String>, Failure> {
    let steps = job.steps(encoders, overwrite(cli), cli.chunk_for(job.timeline.duration()))?;
    match cli.emit {
        Emit::Json if steps.len() > 1 => {
            steps.iter().map(|step| Ok(job.step_record(step)?.to_string())).collect()
        }
        Emit::Json => steps.iter().map(|step| Ok(job.record(&step.argv)?.to_string())).collect(),
        Emit::Sh => Ok(vec![emit::shell(job, &steps)]),
        Emit::Make => Ok(vec![emit::make(job, &steps)?]),
        Emit::Plan => emit::placements(job),
    }
}

/// Composes the rooms, several side by side.
fn compose_all(
    cli: &Cli,
    work: impl Iterator<Item = Prepared>,
    encoders: Encoders,
    mut sink: Sink<'_>,
) -> anyhow::Result<Status> {
    let work: Vec<Prepared> = work.collect();
    let total = work.iter().flatten().map(|job| job.timeline.duration().0.unsigned_abs()).sum();
    let studio = Arc::new(Studio {
        slots: Slots::new(cli.jobs()),
        stall: Duration::from_secs(cli.stall),
        overwrite: cli.overwrite,
        progress: Progress::new(
            Some(total),
            "composing [{bar:30}] {percent}% at {ratio}, {elapsed_precise} gone, {eta} left {msg}",
        ),
    });
    let (shared, flags) = (Arc::clone(&studio), cli.clone());
    let compose = move |prepared: Prepared| {
        let job = prepared?;
        compose_one(&flags, &job, &encoders, &shared).map_err(|failure| (refused(&job), failure))
    };
    let flow = parallel::ordered(work.into_iter(), cli.jobs(), compose, |result| {
        let outcome = match result {
            Ok(record) => Outcome::Served(record),
            Err((record, failure)) => Outcome::Failed(record, failure),
        };
        match deliver(cli, &mut sink, outcome).and_then(|flow| sink.flush().map(|()| flow)) {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    });
    studio.progress.finish();
    if let ControlFlow::Break(Err(error)) = flow {
        return Err(error.into());
    }
    Ok(sink.finish()?)
}

/// Composes a room; its record once its file is there.
fn compose_one(cli: &Cli, job: &Job, encoders: &Encoders, studio: &Studio) -> Result<Record, Failure> {
    let steps = job.steps(encoders, overwrite(cli), cli.chunk_for(job.timeline.duration()))?;
    let done = run::compose(job, &steps, studio)?;
    let whole = steps::whole(job, encoders, overwrite(cli));
    let mut record = job.record(&whole.argv)?;
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

/// Records are written where records are asked for; a script or a plan has no
/// place for them, so that there only the message and the status tell.
fn deliver(cli: &Cli, sink: &mut Sink<'_>, outcome: Outcome) -> Result<ControlFlow<()>, OutputError> {
    if cli.emit == Emit::Json { sink.write(outcome) } else { Ok(sink.note(&outcome)) }
}
