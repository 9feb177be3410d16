//! Composing now: the steps of a job run side by side, the result read back, and
//! only then given its name.

use std::cmp::Reverse;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::messages;
use tw_core::signals::Scratch;

use crate::encode::{Slots, run_ffmpeg};
use crate::job::Job;
use crate::steps::{Action, Step, parts_folder};
use crate::tally::{Chunks, Tally};
use crate::verify;

/// A room that has become a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// The file's size.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What all rooms share while they are composed.
#[derive(Debug)]
pub struct Studio {
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
/// When ffmpeg fails or its result isn't what it should be; then there is no file.
pub fn compose(job: &Job, steps: &[Step], studio: &Studio) -> Result<Completed, Failure> {
    let begun = Instant::now();
    if !studio.overwrite && job.output.exists() {
        return keep(job);
    }
    if let Some(folder) = job.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let part = part_of(&job.output);
    let _lock = lock(&part)?;
    let part = Scratch::new(part);
    // Another process may have finished it before the lock was ours.
    if !studio.overwrite && job.output.exists() {
        return keep(job);
    }
    let Some((last, before)) = steps.split_last() else {
        return Err(Failure::new(ErrorKind::Ffmpeg, "there is nothing to do"));
    };
    let folder = parts_folder(&job.output);
    if !before.is_empty() {
        own_folder(&folder)?;
        let chunks = studio.tally.begin(before.iter().filter(|step| step.is_chunk()).count());
        // Copies that can be sought in come first, the parts that read them after that.
        for indexing in [true, false] {
            let mut now: Vec<&Step> =
                before.iter().filter(|s| (s.action == Action::Index) == indexing).collect();
            // What takes longest first, or it would run alone at the end.
            now.sort_by_key(|step| Reverse(job.effort(step.action)));
            side_by_side(&now, |step| make_part(job, step, studio, &chunks))?;
        }
    }
    run_step(job, last, part.path(), studio)?;
    let seen = verify::read(part.path())?;
    verify::check(job, &seen).inspect_err(|_| {
        // One of the parts is wrong: none is trusted.
        let _ = fs::remove_dir_all(&folder);
    })?;
    let bytes = size(part.path());
    part.persist(&job.output)
        .map_err(|e| Failure::io(format_args!("cannot rename the result to {}", job.output.display()), &e))?;
    if !before.is_empty() {
        let _ = fs::remove_dir_all(&folder);
    }
    Ok(Completed { bytes, elapsed: begun.elapsed() })
}

/// What is there already, if it is what would have been made.
fn keep(job: &Job) -> Result<Completed, Failure> {
    let output = job.output.display();
    let seen = verify::read(&job.output)?;
    verify::check(job, &seen).map_err(|failure| {
        Failure::new(
            failure.kind,
            format!("{output} is there already and is something else ({failure}): take it away, or use --overwrite"),
        )
    })?;
    messages::warn(format_args!("{output} is there already and whole: kept"));
    Ok(Completed { bytes: size(&job.output), elapsed: Duration::ZERO })
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map(|m| m.len()).unwrap_or_default()
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|e| Failure::io(format_args!("cannot make the folder {}", folder.display()), &e))
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

/// Where the result is made: hidden, beside its final place, so that the last
/// step is a rename within one file system.
fn part_of(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.part"))
}

/// The part file, locked for this process: two runs at once never write into one file.
fn lock(part: &Path) -> Result<File, Failure> {
    let failed = |e| Failure::io(format_args!("cannot write {}", part.display()), &e);
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            // Recordings, and what is made of them, are for their owner alone, and stay in this folder.
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(part)
            .map_err(failed)?;
        match file.try_lock() {
            // Some network file systems have no locks; then two runs are the user's to avoid.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(
                    ErrorKind::Io,
                    "another process is composing it: wait for that one",
                ));
            }
        }
        // Whoever had the lock before us may have given the file its final name.
        let about = file.metadata().map_err(failed)?;
        let ours = fs::symlink_metadata(part)
            .is_ok_and(|there| (there.dev(), there.ino()) == (about.dev(), about.ino()));
        if ours {
            return Ok(file);
        }
    }
}

/// Every step on a thread of its own; the slots decide how many ffmpegs run. The
/// first failure counts, and no step is begun after it.
fn side_by_side(steps: &[&Step], make: impl Fn(&Step) -> Result<(), Failure> + Sync) -> Result<(), Failure> {
    let failed: Mutex<Option<Failure>> = Mutex::new(None);
    let first = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for step in steps {
            let (make, first) = (&make, &first);
            scope.spawn(move || {
                if first().is_none()
                    && let Err(failure) = make(step)
                {
                    first().get_or_insert(failure);
                }
            });
        }
    });
    let failure = first().take();
    failure.map_or(Ok(()), Err)
}

/// Makes a part, unless an earlier run has.
fn make_part(job: &Job, step: &Step, studio: &Studio, chunks: &Chunks<'_>) -> Result<(), Failure> {
    if step.output.exists() {
        studio.tally.time.advance(job.duration_of(step.action));
    } else {
        let part = Scratch::new(part_of(&step.output));
        run_step(job, step, part.path(), studio)?;
        part.persist(&step.output).map_err(|e| {
            Failure::io(format_args!("cannot rename the part to {}", step.output.display()), &e)
        })?;
    }
    if step.is_chunk() {
        chunks.one_done();
    }
    Ok(())
}

fn run_step(job: &Job, step: &Step, output: &Path, studio: &Studio) -> Result<(), Failure> {
    let _slot = studio.slots.take();
    // Sound and copies are made beside the picture, which is what takes the time.
    let counted = job.duration_of(step.action);
    let progress = (counted > 0).then_some(&studio.tally.time);
    let made = run_ffmpeg(job, &step.argv_to(output), studio.stall, progress)?;
    // ffmpeg says when the last frame begins.
    studio.tally.time.advance(counted.saturating_sub(made));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_hidden_beside_its_output() {
        assert_eq!(part_of(Path::new("out/room.webm")), Path::new("out/.room.webm.part"));
        assert_eq!(part_of(Path::new("room.webm")), Path::new(".room.webm.part"));
    }
}
