//! Composing now: ffmpeg run under watch, its result read back, and only then
//! given its name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tw_core::failure::{ErrorKind, Failure};
use tw_core::messages;
use tw_core::process::{Child, Finished, ProcessError, command};
use tw_core::progress::Progress;
use tw_core::signals::Scratch;

use crate::command::Overwrite;
use crate::encoder::Encoders;
use crate::job::Job;
use crate::verify;

/// A room that has become a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// The file's size.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Composes a room. A file that is there already and is right is kept, unless it
/// is to be written over.
///
/// # Errors
/// When ffmpeg fails or its result isn't what it should be; then there is no file.
pub fn compose(
    job: &Job,
    encoders: &Encoders,
    overwrite: Overwrite,
    stall: Duration,
    progress: &Progress,
) -> Result<Completed, Failure> {
    let begun = Instant::now();
    if overwrite == Overwrite::No && job.output.exists() {
        return keep(job);
    }
    if let Some(folder) = job.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|e| Failure::io(format_args!("cannot make the folder {}", folder.display()), &e))?;
    }
    let part = part_of(&job.output);
    let _lock = lock(&part)?;
    let part = Scratch::new(part);
    let argv = job.argv(encoders, Overwrite::Yes, part.path());
    run_ffmpeg(job, &argv, stall, progress)?;
    verify::check(job, part.path())?;
    let bytes = fs::metadata(part.path()).map(|m| m.len()).unwrap_or_default();
    part.persist(&job.output)
        .map_err(|e| Failure::io(format_args!("cannot rename the result to {}", job.output.display()), &e))?;
    Ok(Completed { bytes, elapsed: begun.elapsed() })
}

/// What is there already, if it is what would have been made.
fn keep(job: &Job) -> Result<Completed, Failure> {
    verify::check(job, &job.output).map_err(|failure| {
        let output = job.output.display();
        Failure::new(
            failure.kind,
            format!("{output} is there already and is something else ({failure}): take it away, or use --overwrite"),
        )
    })?;
    messages::warn(format_args!("{} is there already and whole: kept", job.output.display()));
    let bytes = fs::metadata(&job.output).map(|m| m.len()).unwrap_or_default();
    Ok(Completed { bytes, elapsed: Duration::ZERO })
}

/// Where the result is made: hidden, beside its final place, so that the last
/// step is a rename within one file system.
fn part_of(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.part"))
}

/// The part file, locked for this process: two runs at once never write into one file.
fn lock(part: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(part)
        .map_err(|e| Failure::io(format_args!("cannot write {}", part.display()), &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new(ErrorKind::Io, "another process is composing it: wait for that one"))
        }
        // Some network file systems have no locks; then two runs are the user's to avoid.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn run_ffmpeg(job: &Job, argv: &[String], stall: Duration, progress: &Progress) -> Result<(), Failure> {
    messages::verbose(tw_core::process::shell_line(argv.iter().map(String::as_str)));
    let mut ffmpeg = command(&argv[0]);
    ffmpeg.args(["-loglevel", "warning", "-nostats", "-progress", "pipe:1"]).args(&argv[1..]);
    let failed = |e: ProcessError| Failure::new(ErrorKind::Ffmpeg, e.to_string());
    let mut child = Child::spawn(ffmpeg, Some(stall)).map_err(failed)?;
    let mut watch = Watch { composed: 0, advanced: Instant::now() };
    for line in BufReader::new(child.stdout()).lines() {
        let line = line.map_err(|e| failed(child.read_error(e)))?;
        if let Some(done) = watch.see(&line) {
            progress.advance(done);
        } else if watch.advanced.elapsed() > stall {
            return Err(failed(ProcessError::Stalled(argv[0].clone(), stall)));
        }
    }
    let finished = child.wait().map_err(failed)?;
    if finished.status.success() {
        finished.stderr.iter().for_each(messages::verbose);
        return Ok(());
    }
    Err(explain(job, &finished))
}

/// How far ffmpeg has come, from its `-progress` lines.
struct Watch {
    /// In ms of the output.
    composed: u64,
    advanced: Instant,
}

impl Watch {
    /// How much further a line says that it is, in ms.
    fn see(&mut self, line: &str) -> Option<u64> {
        // Named _ms, but microseconds in every version; out_time_us came with 4.1.
        let micros: u64 = line.strip_prefix("out_time_us=")?.trim().parse().ok()?;
        let done = (micros / 1000).checked_sub(self.composed).filter(|&done| done > 0)?;
        self.composed += done;
        self.advanced = Instant::now();
        Some(done)
    }
}

/// Which input is to blame, as far as can be told, and ffmpeg's own last words.
fn explain(job: &Job, finished: &Finished) -> Failure {
    let last = finished.stderr.iter().rev().take(3).rev().map(|l| l.trim()).collect::<Vec<_>>().join("; ");
    let words = if last.is_empty() { String::new() } else { format!(": {last}") };
    let blamed = job
        .plan
        .tracks
        .iter()
        .map(|&track| &job.room.tracks[track])
        .find(|track| finished.stderr.iter().any(|line| line.contains(&*track.path.to_string_lossy())))
        .map(|track| format!(" at {} ({})", track.path.display(), track.caption()));
    Failure::new(
        ErrorKind::Ffmpeg,
        format!("ffmpeg failed{} with {}{words}", blamed.unwrap_or_default(), finished.describe()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_what_is_new() {
        let mut watch = Watch { composed: 0, advanced: Instant::now() };
        assert_eq!(watch.see("frame=3"), None);
        assert_eq!(watch.see("out_time_us=1500000"), Some(1500));
        assert_eq!(watch.see("out_time_us=1500000"), None);
        assert_eq!(watch.see("out_time_us=N/A"), None);
        assert_eq!(watch.see("out_time_us=2000999"), Some(500));
    }

    #[test]
    fn a_part_is_hidden_beside_its_output() {
        assert_eq!(part_of(Path::new("out/room.webm")), Path::new("out/.room.webm.part"));
        assert_eq!(part_of(Path::new("room.webm")), Path::new(".room.webm.part"));
    }
}
