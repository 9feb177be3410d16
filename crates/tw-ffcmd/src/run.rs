//! Composing now: the steps of a job run side by side, the result read back, and
//! only then given its name.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tw_core::failure::{ErrorKind, Failure};
use tw_core::messages;
use tw_core::part::part_of;
use tw_core::signals::Scratch;

use crate::cutting;
use crate::encode::{Slots, run_ffmpeg};
use crate::job::Job;
use crate::origin;
use crate::sources::Sources;
use crate::steps::{Action, Command, Step, parts_folder};
use crate::tally::{Chunks, Tally};
use crate::undecodable::Judge;
use crate::unfinished::{Unfinished, is_no_folder};
use crate::verify;

/// What ffmpeg says of a file that isn't what it should be: a part that a crash of the machine
/// has left empty, say.
const UNREADABLE: &str = "Invalid data found when processing input";

/// A room that has become a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// The file's size.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a room has not become a file.
#[derive(Debug)]
pub enum Stopped {
    /// It can't.
    Failed(Failure),
    /// Packets of these tracks can't be decoded. A chunk doesn't know what was seen before
    /// them, nor a cell without a canvas when its first picture is to be seen: it must be
    /// composed in one piece, by a job that is [wary](Job::wary_of) of them.
    Damaged(BTreeSet<usize>),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What all rooms share while they are composed.
#[derive(Debug)]
pub struct Resources {
    /// How many ffmpegs may run at once.
    pub slots: Slots,
    /// How many of them are each room's own.
    pub cores: usize,
    /// How long one may be without progress.
    pub stall: Duration,
    /// Whether a result that is there already is made anew.
    pub overwrite: bool,
    /// How far all of them are.
    pub tally: Tally,
}

/// Composes a room. A file that is there already and is right is kept, unless it
/// is to be written over; so are parts that an earlier run has left.
///
/// # Errors
/// When ffmpeg fails, its result isn't what it should be, or steps like these don't do; then
/// there is no file.
pub fn compose(
    job: &Job,
    steps: impl FnOnce() -> Result<Vec<Step>, Failure>,
    resources: &Resources,
    judge: &Judge<'_>,
) -> Result<Completed, Stopped> {
    let begun = Instant::now();
    let folder = parts_folder(&job.output);
    is_no_folder(&job.output)?;
    if !resources.overwrite && job.output.exists() {
        let kept = keep(job, resources.stall)?;
        // Of a run that was killed when the result had its name already.
        if folder.exists() && Unfinished::begin(&job.output).is_ok() {
            let _ = fs::remove_dir_all(&folder);
        }
        return Ok(kept);
    }
    let part = Unfinished::begin(&job.output)?;
    // Another process may have finished it before the lock was ours.
    if !resources.overwrite && job.output.exists() {
        return Ok(keep(job, resources.stall)?);
    }
    let sources = Sources::of(job);
    let steps = steps()?;
    let Some((last, before)) = steps.split_last() else {
        return Err(Failure::new(ErrorKind::Ffmpeg, "there is nothing to do").into());
    };
    if !before.is_empty() {
        make_parts(job, before, &folder, &sources, resources, judge)?;
    }
    // One of the parts is wrong: none is trusted.
    let distrust = || drop(fs::remove_dir_all(&folder));
    run_step(job, last, part.path(), resources, judge).inspect_err(|why| match why {
        Stopped::Failed(failure) if last.action == Action::Join && failure.message.contains(UNREADABLE) => {
            distrust();
        }
        _ => {}
    })?;
    let seen = verify::read(part.path(), resources.stall)?;
    verify::check(job, &seen).inspect_err(|_| distrust())?;
    sources.are_still(job)?;
    let bytes = size(part.path());
    part.persist(&job.output)?;
    // Also those of an earlier run that was cut.
    let _ = fs::remove_dir_all(&folder);
    Ok(Completed { bytes, elapsed: begun.elapsed() })
}

/// Makes what the last step needs, unless an earlier run has.
fn make_parts(
    job: &Job,
    steps: &[Step],
    folder: &Path,
    sources: &Sources,
    resources: &Resources,
    judge: &Judge<'_>,
) -> Result<(), Stopped> {
    own_folder(folder)?;
    let noted = sources.are_those_in(folder);
    if noted == Some(false) {
        let _ = fs::remove_dir_all(folder);
        own_folder(folder)?;
    }
    // Where nothing is noted, they are a script's, maybe: their times are all that there is.
    let since = if noted.is_none() { last_changed(job) } else { None };
    if noted != Some(true) {
        sources.note_in(folder).map_err(|e| {
            Failure::io(format_args!("cannot write into the folder {}", folder.display()), &e)
        })?;
    }
    let chunks = resources.tally.begin(steps.iter().filter(|step| step.is_chunk()).count());
    // Copies that can be sought in come first, the parts that read them after that.
    for indexing in [true, false] {
        let mut now: Vec<&Step> =
            steps.iter().filter(|step| (step.action == Action::Index) == indexing).collect();
        // What takes longest first, or it would run alone at the end.
        now.sort_by_key(|step| Reverse(cutting::effort(job, step.action)));
        side_by_side(&now, resources.slots.count(), |step| {
            make_part(job, step, (sources, since), resources, judge, &chunks)
        })?;
    }
    Ok(())
}

/// What is there already, if it is what would have been made.
fn keep(job: &Job, stall: Duration) -> Result<Completed, Failure> {
    let output = job.output.display();
    let seen = verify::read(&job.output, stall)?;
    verify::check(job, &seen).and_then(|()| verify::check_origin(job, &seen)).map_err(|failure| {
        Failure::new(
            ErrorKind::Io,
            format!("{output} is there already and is something else ({failure}): take it away, or use --overwrite"),
        )
    })?;
    messages::warn(format_args!("{output} is there already and whole: kept"));
    Ok(Completed { bytes: size(&job.output), elapsed: Duration::ZERO })
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map(|m| m.len()).unwrap_or_default()
}

/// Makes a folder that nobody else can look into.
///
/// # Errors
/// When it can't be made, or a symbolic link stands there, which may lead elsewhere.
fn own_folder(folder: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .or_else(|e| match fs::symlink_metadata(folder) {
            Ok(there) if there.is_dir() => Ok(()),
            _ => Err(e),
        })
        .map_err(|e| Failure::io(format_args!("cannot make the folder {}", folder.display()), &e))
}

/// Steps on several threads, begun in their order; the slots decide how many ffmpegs
/// run. The first failure counts, and no step is begun after it.
fn side_by_side(
    steps: &[&Step],
    threads: usize,
    make: impl Fn(&Step) -> Result<(), Stopped> + Sync,
) -> Result<(), Stopped> {
    let stopped: Mutex<Option<Stopped>> = Mutex::new(None);
    let first = || stopped.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = Mutex::new(steps.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..threads.min(steps.len()) {
            scope.spawn(|| {
                while let Some(step) = next().filter(|_| first().is_none()) {
                    if let Err(why) = make(step) {
                        first().get_or_insert(why);
                    }
                }
            });
        }
    });
    let why = first().take();
    why.map_or(Ok(()), Err)
}

/// When the last of a job's recordings was written or put there, as far as can be told.
fn last_changed(job: &Job) -> Option<SystemTime> {
    job.plan.inputs.iter().filter_map(|input| changed(&input.path)).max()
}

/// A file that is copied here with its old time of modification has changed now.
fn changed(path: &Path) -> Option<SystemTime> {
    let about = fs::metadata(path).ok()?;
    let since = Duration::new(about.ctime().try_into().ok()?, about.ctime_nsec().try_into().ok()?);
    about.modified().ok().max(SystemTime::UNIX_EPOCH.checked_add(since))
}

/// Makes a part, unless an earlier run has, from the recordings as they are now: none of
/// them was written since then.
fn make_part(
    job: &Job,
    step: &Step,
    (sources, since): (&Sources, Option<SystemTime>),
    resources: &Resources,
    judge: &Judge<'_>,
    chunks: &Chunks<'_>,
) -> Result<(), Stopped> {
    if changed(&step.output).is_some_and(|made| Some(made) >= since) {
        resources.tally.time.advance(job.duration_of(step.action));
    } else {
        let part = Scratch::new(part_of(&step.output));
        run_step(job, step, part.path(), resources, judge)?;
        sources.are_still(job)?;
        part.persist(&step.output).map_err(|e| {
            Failure::io(format_args!("cannot rename the part to {}", step.output.display()), &e)
        })?;
    }
    if step.is_chunk() {
        chunks.one_done();
    }
    Ok(())
}

fn run_step(
    job: &Job,
    step: &Step,
    output: &Path,
    resources: &Resources,
    judge: &Judge<'_>,
) -> Result<(), Stopped> {
    let _slot = resources.slots.take();
    // Sound and copies are made beside the picture, which is what takes the time.
    let counted = job.duration_of(step.action);
    let progress = (counted > 0).then_some(&resources.tally.time);
    let argv = step.argv_to(output);
    let argv = if step.output == job.output { origin::tagged(argv, job) } else { argv };
    let command = Command { argv, tracks: step.command.tracks.clone() };
    let made = run_ffmpeg(job, &command, &step.feeders, resources.stall, progress)?;
    // Before a part has its name: the next run would not hear the complaint.
    judge.judge(&made.undecodable)?;
    let trusted = |&track: &usize| job.room.tracks[track].begins_with_key_frame;
    if made.undecodable.iter().any(|track| step.is_chunk() || trusted(track)) {
        return Err(Stopped::Damaged(made.undecodable));
    }
    // ffmpeg says when the last frame begins.
    resources.tally.time.advance(counted.saturating_sub(made.composed));
    Ok(())
}
