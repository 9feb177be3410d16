//! A file that is being made: hidden beside its final name, for its owner alone, and
//! locked, so that two runs at once never write into one file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::signals::Scratch;

/// What is there of a file, until it is whole. Removed when it isn't given a name.
#[derive(Debug)]
pub struct Part {
    // In this order: as long as it is there, it is locked.
    scratch: Scratch,
    _lock: File,
}

impl Part {
    /// Begins what is to become `output`, in its folder, which is made.
    ///
    /// # Errors
    /// When that can't be, a symbolic link stands there, or another process is at it.
    pub fn begin(output: &Path) -> Result<Self, Failure> {
        if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|e| Failure::io(format_args!("cannot make the folder {}", folder.display()), &e))?;
        }
        let path = part_of(output);
        let lock = lock(&path)?;
        Ok(Self { scratch: Scratch::new(path), _lock: lock })
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Gives it its final name.
    ///
    /// # Errors
    /// When the system can't rename it.
    pub fn persist(self, output: &Path) -> Result<(), Failure> {
        self.scratch
            .persist(output)
            .map_err(|e| Failure::io(format_args!("cannot rename the result to {}", output.display()), &e))
    }
}

/// Where a file is made: hidden, beside its final place, so that the last step is
/// a rename within one file system.
pub fn part_of(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.part"))
}

/// The part file, made if it isn't there, and locked for this process.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_hidden_beside_its_output() {
        assert_eq!(part_of(Path::new("out/room.webm")), Path::new("out/.room.webm.part"));
        assert_eq!(part_of(Path::new("room.webm")), Path::new(".room.webm.part"));
    }
}
