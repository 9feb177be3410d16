//! One run of ffmpeg under watch.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tw_core::failure::{ErrorKind, Failure};
use tw_core::messages;
use tw_core::process::{self, Child, Finished, ProcessError, command};
use tw_core::progress::Progress;
use tw_core::shell;
use tw_core::watchdog::Watchdog;

use crate::command::FIRST_PIPE;
use crate::feeder::{Beside, Feeder};
use crate::job::Job;
use crate::steps::Command;
use crate::undecodable::Complaints;

/// How many ffmpegs may run at once, over all rooms and chunks.
#[derive(Debug)]
pub struct Slots {
    count: usize,
    free: Mutex<usize>,
    given_back: Condvar,
}

impl Slots {
    /// So many.
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        Self { count, free: Mutex::new(count), given_back: Condvar::new() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits for one; it is given back when the value is dropped.
    pub fn take(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.given_back.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(self)
    }
}

/// The right to run one ffmpeg.
#[derive(Debug)]
pub struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given_back.notify_one();
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// How many ms of the output there are.
    pub composed: u64,
    /// The tracks of which some packets couldn't be decoded.
    pub undecodable: BTreeSet<usize>,
}

/// Runs ffmpeg to its end, with those that feed it; `progress` is told how much of the
/// output is made as it is made.
///
/// # Errors
/// When one can't be started, fails, or makes no progress for `stall`.
pub fn run_ffmpeg(
    job: &Job,
    command: &Command,
    feeders: &[Command],
    stall: Duration,
    progress: Option<&Progress>,
) -> Result<Made, Failure> {
    let complaints = Complaints::default();
    let (mut ffmpeg, mut feeding, mut pipes) = (prepared(&command.argv), Vec::new(), Vec::new());
    for feeder in feeders {
        let (begun, pipe) = Feeder::begin(prepared(&feeder.argv), feeder)?;
        feeding.push(begun);
        pipes.push(pipe);
    }
    process::inherit(&mut ffmpeg, FIRST_PIPE, pipes).map_err(failed)?;
    let mut child = spawn(ffmpeg, &command.argv, stall, complaints.listener()).map_err(failed)?;
    child.waits_for(feeding.iter().map(Feeder::id));
    let workers = feeding.iter().map(Feeder::id).chain([child.id()]).collect();
    let feeding: Vec<Beside> = feeding.into_iter().map(|feeder| feeder.beside(child.id())).collect();
    let watched = watched(child, &command.argv[0], Watchdog::new(stall, workers), progress);
    let is_whole = watched.as_ref().is_ok_and(|(finished, _)| finished.status.success());
    let mut undecodable = complaints.among(&command.tracks);
    // All of them end before the first failure counts.
    let end = |feeder: Beside| feeder.end(is_whole, stall, &mut undecodable);
    let ends: Vec<_> = feeding.into_iter().map(end).collect();
    if let Some(fed) = ends.into_iter().find_map(Result::transpose) {
        return Err(explain(job, &fed.map_err(failed)?));
    }
    let (finished, composed) = watched.map_err(failed)?;
    if !is_whole || finished.stderr.iter().any(|line| is_cut_short(line)) {
        return Err(explain(job, &finished));
    }
    finished.stderr.iter().for_each(messages::verbose);
    Ok(Made { composed, undecodable })
}

/// Runs an ffmpeg to its end, however that is.
///
/// # Errors
/// When it can't be started, or makes no progress for `stall`.
pub fn to_its_end(
    argv: &[String],
    stall: Duration,
    listener: impl FnMut(&str) + Send + 'static,
) -> Result<Finished, ProcessError> {
    let child = spawn(prepared(argv), argv, stall, listener)?;
    let watchdog = Watchdog::new(stall, vec![child.id()]);
    watched(child, &argv[0], watchdog, None).map(|(finished, _)| finished)
}

fn spawn(
    mut ffmpeg: std::process::Command,
    argv: &[String],
    stall: Duration,
    listener: impl FnMut(&str) + Send + 'static,
) -> Result<Child, ProcessError> {
    ffmpeg.args(["-loglevel", "warning", "-nostats", "-progress", "pipe:1"]).args(&argv[1..]);
    Child::spawn_heard(ffmpeg, Some(stall), listener)
}

/// An ffmpeg to its end; how it ended, and how many ms of the output it made. That it says
/// how far it is is no sign of life: it has to come further.
fn watched(
    mut child: Child,
    name: &str,
    mut watchdog: Watchdog,
    progress: Option<&Progress>,
) -> Result<(Finished, u64), ProcessError> {
    let (mut watch, mut heard) = (Watch::default(), Instant::now());
    for line in BufReader::new(child.stdout()).lines() {
        let line = line.map_err(|e| child.read_error(e))?;
        match watch.see(&line) {
            Some(Said::Time(done)) => {
                progress.inspect(|progress| progress.advance(done));
                watchdog.renew();
            }
            Some(Said::Bytes) => watchdog.renew(),
            Some(Said::All) => {
                let since = heard.elapsed();
                heard += since;
                if watchdog.is_over_after(since) {
                    return Err(ProcessError::Stalled(name.to_owned(), watchdog.limit()));
                }
            }
            None => {}
        }
    }
    Ok((child.wait()?, watch.composed))
}

/// Of a room for which an ffmpeg couldn't be run to its end.
// By value, as `map_err` has it.
#[allow(clippy::needless_pass_by_value)]
pub fn failed(error: ProcessError) -> Failure {
    Failure::new(ErrorKind::Ffmpeg, error.to_string())
}

fn prepared(argv: &[String]) -> std::process::Command {
    messages::verbose(shell::line(argv.iter().map(String::as_str)));
    let mut ffmpeg = command(&argv[0]);
    keep_memory(&mut ffmpeg);
    ffmpeg
}

/// Lets ffmpeg keep the memory of a frame for the next one. The GNU C library gives
/// pieces of this size back to the system at once, which then has to clear them anew:
/// a tenth to an eighth of the CPU time of a composition (mallopt(3), `M_MMAP_THRESHOLD`
/// and `M_TRIM_THRESHOLD`; other C libraries don't know these names).
fn keep_memory(ffmpeg: &mut std::process::Command) {
    // Larger than any frame; more than there is to give back.
    for (name, bytes) in [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "1073741824")] {
        if std::env::var_os(name).is_none() {
            ffmpeg.env(name, bytes);
        }
    }
}

/// How far ffmpeg has come, from its `-progress` lines.
#[derive(Debug, Default)]
struct Watch {
    /// In ms of the output.
    composed: u64,
    size: u64,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// So many more ms of the output.
    Time(u64),
    /// More bytes: a copy of streams that come late has those to show before it has time.
    Bytes,
    /// That it is the last one of several that belong together.
    All,
}

impl Watch {
    fn see(&mut self, line: &str) -> Option<Said> {
        let (name, value) = line.split_once('=')?;
        if name == "progress" {
            return Some(Said::All);
        }
        let value: u64 = value.trim().parse().ok()?;
        match name {
            "total_size" if value > self.size => {
                self.size = value;
                Some(Said::Bytes)
            }
            "out_time_us" => {
                let done = (value / 1000).checked_sub(self.composed).filter(|&done| done > 0)?;
                self.composed += done;
                Some(Said::Time(done))
            }
            _ => None,
        }
    }
}

/// Whether ffmpeg says that it couldn't write the end of a file. 5.1 ends well all the same.
fn is_cut_short(line: &str) -> bool {
    line.starts_with("Error writing trailer of ") || line.starts_with("Error closing file ")
}

/// What ffmpeg 5.1 says of mono voices (`[Parsed_pan_16 @ …] [SWR @ …] Input channel layout …`), and
/// of what it has said already.
fn is_noise(line: &str) -> bool {
    line.contains("[SWR @ ") || line.starts_with("Last message repeated ")
}

/// Which input is to blame, as far as can be told, and ffmpeg's own last words.
fn explain(job: &Job, finished: &Finished) -> Failure {
    let telling: Vec<&str> =
        finished.stderr.iter().map(|line| line.trim()).filter(|line| !is_noise(line)).collect();
    let last = telling[telling.len().saturating_sub(3)..].join("; ");
    let words = if last.is_empty() { String::new() } else { format!(": {last}") };
    let blamed = job
        .plan
        .inputs
        .iter()
        .map(|input| &job.room.tracks[input.track])
        .find(|track| finished.stderr.iter().any(|line| names(line, &track.path.to_string_lossy())))
        .map(|track| format!(" at {} ({})", track.path.display(), track.caption()));
    let blamed = blamed.unwrap_or_default();
    let what = if finished.status.success() {
        format!("ffmpeg couldn't write all of it{words}")
    } else {
        let ended = finished.describe();
        match finished.status.code() {
            Some(_) => format!("ffmpeg failed{blamed} with {ended}{words}"),
            None => format!("ffmpeg was {ended}{blamed}{words}"),
        }
    };
    Failure::new(ErrorKind::Ffmpeg, what)
}

/// Whether a line speaks of a file, and not of one whose name has this one's in it.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].strip_suffix("file:").unwrap_or(&line[..at]).chars().next_back();
        let after = line[at + path.len()..].chars().next();
        before.is_none_or(|c| " '\"".contains(c)) && after.is_none_or(|c| " '\":,.;".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_nothing_is_no_last_word() {
        let noise = "[Parsed_pan_16 @ 0x557d] [SWR @ 0x557e] Input channel layout has a different number of \
                     channels than the number of used channels, ignoring layout";
        assert!(is_noise(noise) && is_noise("Last message repeated 3 times"));
        assert!(!is_noise("av_interleaved_write_frame(): No space left on device"));
    }
    use std::sync::{Arc, mpsc};
    use std::thread;

    #[test]
    fn progress_counts_what_is_new() {
        let mut watch = Watch::default();
        assert_eq!(watch.see("frame=3"), None);
        assert_eq!(watch.see("out_time_us=1500000"), Some(Said::Time(1500)));
        assert_eq!(watch.see("out_time_us=1500000"), None);
        assert_eq!(watch.see("out_time_us=N/A"), None);
        assert_eq!(watch.see("out_time_us=2000999"), Some(Said::Time(500)));
        assert_eq!(watch.see("total_size=10"), Some(Said::Bytes));
        assert_eq!(watch.see("total_size=10"), None);
        assert_eq!(watch.see("progress=continue"), Some(Said::All));
    }

    #[test]
    fn a_file_is_blamed_by_its_whole_name() {
        for line in [
            "file:a/b.mka: Invalid data",
            "Error opening input file a/b.mka.",
            "[in#0] 'file:a/b.mka'",
            "a/b.mka",
        ] {
            assert!(names(line, "a/b.mka"), "{line}");
        }
        for line in ["file:xa/b.mka: Invalid data", "a/b.mkax", "/a/b.mka: no"] {
            assert!(!names(line, "a/b.mka"), "{line}");
        }
    }

    #[test]
    fn who_waits_for_a_slot_gets_what_is_given_back() {
        let slots = Arc::new(Slots::new(1));
        let (taken, told) = mpsc::channel();
        let slot = slots.take();
        let others = Arc::clone(&slots);
        thread::spawn(move || {
            let _slot = others.take();
            taken.send(()).unwrap();
        });
        assert!(told.try_recv().is_err());
        drop(slot);
        told.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
