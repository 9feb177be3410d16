//! A result that is being made: removed unless it is given its name.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::part::{lock, part_of};
use tw_core::signals::Scratch;

/// What is there of a file, until it is whole. Removed when it isn't given a name.
#[derive(Debug)]
pub struct Unfinished {
    // In this order: as long as it is there, it is locked.
    scratch: Scratch,
    lock: File,
}

/// Before the work is done, and not when the result is to get its name.
///
/// # Errors
/// When a folder stands there.
pub fn is_no_folder(output: &Path) -> Result<(), Failure> {
    if output.is_dir() {
        let what = format!("{} is a folder: choose another name", output.display());
        return Err(Failure::new(ErrorKind::Io, what));
    }
    Ok(())
}

impl Unfinished {
    /// Begins what is to become `output`, in its folder, which is made.
    ///
    /// # Errors
    /// When that can't be, a symbolic link stands there, or another process is at it.
    pub fn begin(output: &Path) -> Result<Self, Failure> {
        is_no_folder(output)?;
        if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|e| Failure::io(format_args!("cannot make the folder {}", folder.display()), &e))?;
        }
        let path = part_of(output);
        let lock = lock(&path, || false).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => {
                Failure::new(ErrorKind::Io, "another process is composing it: wait for that one")
            }
            _ => Failure::io(format_args!("cannot write {}", path.display()), &e),
        })?;
        Ok(Self { scratch: Scratch::new(path), lock })
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Gives it its final name.
    ///
    /// # Errors
    /// When the system can't write or rename it.
    pub fn persist(self, output: &Path) -> Result<(), Failure> {
        // Its bytes first: a power cut must not leave the name without them.
        self.lock
            .sync_data()
            .and_then(|()| self.scratch.persist(output))
            .map_err(|e| Failure::io(format_args!("cannot rename the result to {}", output.display()), &e))
    }
}
