//! What the recordings of a job are at a moment: a part that was made of others is none.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tw_core::failure::{ErrorKind, Failure};

use crate::job::Job;

/// Where they are noted, among the parts.
const NOTE: &str = ".recordings";

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
        // Others may have put a pipe or a link there.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(folder.join(NOTE)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            file => file.ok().filter(|file| file.metadata().is_ok_and(|about| about.is_file())),
        };
        let mut text = String::new();
        let longest = self.0.len() as u64 + 1;
        let read = file.and_then(|file| file.take(longest).read_to_string(&mut text).ok());
        Some(read.is_some() && text == self.0)
    }

    /// Notes that what is made in a folder from now on is made of these.
    ///
    /// # Errors
    /// Those of the disk; what was noted before stays then.
    pub fn note_in(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join(format!("{NOTE}.new"));
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).open(&new)?.write_all(self.0.as_bytes())?;
        fs::rename(new, folder.join(NOTE))
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
