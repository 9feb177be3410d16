//! What the recordings of a job are at a moment: a part that was made of others is none.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tw_core::failure::{ErrorKind, Failure};

use crate::job::Job;

/// Size and time of modification of each recording: they stay when a folder is copied with its
/// times, or gets other owners, and change when a recording is replaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Sources(String);

impl Sources {
    /// Those that a job reads, as they are now.
    pub fn of(job: &Job) -> Self {
        let mut text = String::new();
        for input in &job.plan.inputs {
            let _ = match fs::metadata(&input.path) {
                Ok(about) => writeln!(text, "{} {}.{:09}", about.len(), about.mtime(), about.mtime_nsec()),
                Err(_) => writeln!(text, "missing"),
            };
        }
        Self(text)
    }

    /// Whether the parts in a folder were made of these; `None` where nobody has noted that.
    pub fn are_those_in(&self, folder: &Path) -> Option<bool> {
        Some(fs::read_to_string(note(folder)).ok()? == self.0)
    }

    /// Notes that what is made in a folder from now on is made of these.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note_in(&self, folder: &Path) -> io::Result<()> {
        fs::write(note(folder), &self.0)
    }

    /// Makes sure that they are still what they were when they were read.
    ///
    /// # Errors
    /// When one of them isn't.
    pub fn are_still(&self, job: &Job) -> Result<(), Failure> {
        if *self == Self::of(job) {
            return Ok(());
        }
        let what = "a recording was replaced or written to while it was read: compose it again";
        Err(Failure::new(ErrorKind::Media, what))
    }
}

fn note(folder: &Path) -> PathBuf {
    folder.join(".recordings")
}
