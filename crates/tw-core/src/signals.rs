//! SIGINT, SIGTERM and SIGHUP: children ended, half-made files removed, status 130, 143 or 129.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{messages, process};

/// Files that are worth nothing when the process ends before they are whole.
static SCRATCH: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// How long the last words may take: nobody may be reading them.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Ends the process in good order when a signal comes. Called once, at the start.
///
/// # Errors
/// When the system refuses the handlers.
pub fn install() -> std::io::Result<()> {
    // nohup(1) has it ignored: then it stays so.
    let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().chain(hang_up))?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let words = match signal {
                SIGINT => "interrupted",
                SIGHUP => "hung up",
                _ => "terminated",
            };
            end(128 + signal, Some(words));
        }
    });
    Ok(())
}

/// Whether a signal was ignored when the process began.
#[cfg(target_os = "linux")]
fn is_ignored(signal: i32) -> bool {
    let status = procfs::process::Process::myself().and_then(|process| process.status());
    status.is_ok_and(|status| status.sigign >> (signal - 1) & 1 == 1)
}

/// It can't be told.
#[cfg(not(target_os = "linux"))]
fn is_ignored(_: i32) -> bool {
    true
}

/// Ends the process now: children are killed, scratch files removed.
pub fn leave(status: i32) -> ! {
    end(status, None)
}

fn end(status: i32, words: Option<&'static str>) -> ! {
    // Both kept to the end: other threads run on until then, and must neither take
    // an ended child for a failure of its own nor begin another file.
    let _no_children = process::kill_all();
    let scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    for path in scratch.iter() {
        let _ = std::fs::remove_file(path);
    }
    if let Some(words) = words {
        say_if_possible(words);
    }
    std::process::exit(status)
}

/// A thread that waits for somebody to read what it says may hold all that is needed to say more.
fn say_if_possible(words: &'static str) {
    let (tell, said) = channel();
    thread::spawn(move || {
        messages::no_more_bars();
        messages::warn(words);
        let _ = tell.send(());
    });
    let _ = said.recv_timeout(LAST_WORDS);
}

/// A file that is removed when this value is dropped or a signal comes, unless
/// it has been renamed to its final name first.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Takes charge of the path; the file needn't exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        SCRATCH.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Self(path)
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the finished file its final name.
    ///
    /// # Errors
    /// When the system can't rename it; then it is removed.
    pub fn persist(self, to: &Path) -> std::io::Result<()> {
        let mut scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::rename(&self.0, to)?;
        // What has this name from now on is another's.
        scratch.remove(&self.0);
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Locked over both: a signal in between would leave it.
        let mut scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
        if scratch.remove(&self.0) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
