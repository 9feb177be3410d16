//! From records to rooms, and from rooms to jobs or the reason why there is none.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tw_core::failure::{ErrorKind, Failure};
use tw_core::filter::{Outcome, Sink};
use tw_core::text::escaped;
use tw_core::{Record, filter, input, messages};

use crate::batch::deliver;
use crate::cli::Cli;
use crate::job::{self, Job};
use crate::recordings::Recordings;
use crate::room::{Kind, Room, Track};
use crate::rooms::{Gathered, Rooms, Sorted, Stray};
use crate::settings::Settings;
use crate::still;

/// Reads every record and sorts it into its room. What is no record at all
/// belongs to no room, and is handed on at once. `Break` when the user wants to stop at the
/// first failure.
///
/// # Errors
/// When a file can't be read, or stdout is closed or full.
pub fn gather(
    cli: &Cli,
    sink: &mut Sink<'_>,
) -> anyhow::Result<ControlFlow<(), (Vec<Gathered>, Recordings)>> {
    let mut rooms = Rooms::default();
    for line in input::lines(&cli.files) {
        let line = line?;
        let place = line.place.clone();
        let outcome = match line.record() {
            Err(failure) => Outcome::Failed(Record::empty(), failure),
            // What an earlier tool made of a line that is no record.
            Ok(record) if record.is_mark_alone() => Outcome::Passed(record),
            Ok(record) => {
                if let Err(failure) = rooms.take(&record, &place) {
                    filter::tell(&record, &failure);
                }
                continue;
            }
        };
        if deliver(cli, sink, outcome)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let mut sorted = rooms.sorted();
    if settle(cli, sink, &mut sorted)?.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    say_passed_over(&sorted);
    Ok(ControlFlow::Continue((sorted.rooms, sorted.recordings)))
}

/// What failed and doesn't tell its room is missing in the room that it must be of. Where that can't be
/// told, it is handed on.
fn settle(cli: &Cli, sink: &mut Sink<'_>, sorted: &mut Sorted) -> anyhow::Result<ControlFlow<()>> {
    let mut strays = std::mem::take(&mut sorted.strays);
    strays.retain(|stray| !sorted.has(stray));
    if let Some(home) = sorted.home() {
        for stray in strays {
            home.missing.push((stray.record.label(), stray.why()));
            if let Some(failure) = stray.failure {
                filter::tell(&stray.record, &failure);
            }
        }
        return Ok(ControlFlow::Continue(()));
    }
    for Stray { record, failure } in strays {
        if !sorted.rooms.is_empty() {
            messages::warn(format_args!(
                "{}: its room isn't known: it is missing in one of {}",
                record.label(),
                sorted.rooms.len()
            ));
        }
        let outcome = match failure {
            Some(failure) => Outcome::Failed(record, failure),
            None => Outcome::Passed(record),
        };
        if deliver(cli, sink, outcome)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Says once, for all rooms, what there was nothing to show of.
fn say_passed_over(sorted: &Sorted) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let of_rooms = sorted.rooms.iter().flat_map(|room| &room.passed_over);
    for &(why, count) in of_rooms.chain(&sorted.passed_over) {
        match counts.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, sum)) => *sum += count,
            None => counts.push((why, count)),
        }
    }
    for (why, count) in counts {
        let (why, them) = match count {
            1 => (why.replace("tracks", "track").replace("files", "file"), "it"),
            _ => (why.to_owned(), "them"),
        };
        messages::warn(format_args!(
            "passed over {count} {why}: there is nothing to see or to hear in {them}"
        ));
    }
}

/// A room that is to be composed, or its record and why not.
pub type Prepared = Result<Job, (Record, Failure)>;

/// Works out a room.
///
/// # Errors
/// When it can't be composed, or isn't to be.
pub fn prepare(
    cli: &Cli,
    settings: &Settings,
    recordings: &Recordings,
    mut gathered: Gathered,
    output: PathBuf,
) -> Prepared {
    if cli.run || still::wanted(cli).is_some() {
        gathered.lose(&absent(settings, &gathered, &output));
    }
    let checked = if cli.allow_incomplete { say_missing(&gathered) } else { complete(&gathered) };
    checked
        .and_then(|()| spared(recordings, &output))
        .and_then(|()| Job::new(settings, &gathered, output))
        .inspect(|job| say_whom_nobody_meant(settings, &gathered.room, job))
        .map_err(|failure| (job::refused(&gathered.room), failure))
}

/// The files that would be read but can't be, and why.
fn absent(settings: &Settings, gathered: &Gathered, output: &Path) -> Vec<(PathBuf, String)> {
    let why = |path: &Path| {
        let error = match fs::metadata(path) {
            Ok(about) if about.is_dir() => "it is a folder".to_owned(),
            // To open a pipe might wait for ever.
            Ok(about) if !about.is_file() => "it is no regular file".to_owned(),
            _ => File::open(path).err()?.to_string(),
        };
        Some((path.to_owned(), format!("cannot read {}: {error}", path.display())))
    };
    if gathered.room.tracks.iter().all(|track| track.path.is_file() && File::open(&track.path).is_ok()) {
        return Vec::new();
    }
    // A window may need less than all of them.
    let job = Job::new(settings, gathered, output.to_owned());
    job.iter().flat_map(|job| &job.plan.inputs).filter_map(|input| why(&input.path)).collect()
}

/// Nothing is composed over a recording.
fn spared(recordings: &Recordings, output: &Path) -> Result<(), Failure> {
    if !recordings.hold(output) {
        return Ok(());
    }
    let what = format!("{} is one of the recordings: choose another name", output.display());
    Err(Failure::new(ErrorKind::Refused, what))
}

/// A name that is misspelt leaves somebody out: said, but no failure, since a layout may be
/// one for many rooms.
fn say_whom_nobody_meant(settings: &Settings, room: &Room, job: &Job) {
    let label = room.label();
    let of = |kind| room.tracks.iter().filter(|track| track.kind == kind).collect::<Vec<_>>();
    let (sounds, pictures) = (of(Kind::Audio), of(Kind::Video));
    for stranger in settings.heard.strangers(&sounds) {
        messages::warn(format_args!(
            "{label}: no sound is of {stranger:?}: there is that of {}",
            names_of(&sounds)
        ));
    }
    for region in settings.regions() {
        for stranger in region.sources.strangers(&pictures) {
            messages::warn(format_args!(
                "{label}: region {}: no picture is of {stranger:?}: there is that of {}",
                escaped(&region.name),
                names_of(&pictures)
            ));
        }
    }
    if job.heard.is_empty() && !sounds.is_empty() {
        messages::warn(format_args!(
            "{label}: nobody is heard: name audio sources that are there ({})",
            names_of(&sounds)
        ));
    }
    if job.look.is_some() && job.placements.is_empty() && !pictures.is_empty() {
        messages::warn(format_args!(
            "{label}: nobody is seen: the layout's video sources mean no picture of it, or there is no cell for it"
        ));
    }
}

/// What a list of sources may say to mean them, in one line.
fn names_of(tracks: &[&Track]) -> String {
    let mut names: Vec<String> = tracks.iter().map(|track| track.source_name()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "nobody".into() } else { names.join(", ") }
}

/// The user wants the room without them: said, but no failure.
fn say_missing(gathered: &Gathered) -> Result<(), Failure> {
    let room = gathered.room.label();
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
