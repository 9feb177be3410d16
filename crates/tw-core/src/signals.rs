//! SIGINT and SIGTERM: children ended, half-made files removed, status 130 or 143.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{messages, process};

/// Files that are worth nothing when the process ends before they are whole.
static SCRATCH: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Ends the process in good order when a signal comes. Called once, at the start.
///
/// # Errors
/// When the system refuses the handlers.
pub fn install() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            messages::no_more_bars();
            messages::warn(if signal == SIGINT { "interrupted" } else { "terminated" });
            leave(128 + signal);
        }
    });
    Ok(())
}

/// Ends the process now: children are killed, scratch files removed.
pub fn leave(status: i32) -> ! {
    // Both kept to the end: other threads run on until then, and must neither take
    // an ended child for a failure of its own nor begin another file.
    let _no_children = process::kill_all();
    let scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    for path in scratch.iter() {
        let _ = std::fs::remove_file(path);
    }
    std::process::exit(status)
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
        if SCRATCH.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
