//! A file on its way to its name: hidden beside it, for its owner alone, and locked, so that
//! two runs at once never write into one file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::{Errno, retry_on_intr};

/// How the system says that another process has the lock; on CIFS (flock(2), "CIFS details").
const TAKEN: Errno = Errno::WOULDBLOCK;
const TAKEN_CIFS: Errno = Errno::ACCESS;

/// Where a file is made: hidden, beside its final place, so that the last step is a rename
/// within one file system.
pub fn part_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.part"))
}

/// Opens a part, made if it isn't there, and locks it for this process. When another one has
/// it, `wait` is asked whether to wait for that.
///
/// Some network file systems have no locks; there, two runs are the user's to avoid.
///
/// # Errors
/// When it can't be made, or a symbolic link stands there; [`io::ErrorKind::WouldBlock`] when
/// another process has it and isn't to be waited for.
pub fn lock(part: &Path, wait: impl Fn() -> bool) -> io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // Recordings, and what is made of them, are for their owner alone, and stay in this folder.
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(part)?;
        let lock = |how| retry_on_intr(|| flock(&file, how));
        let taken = match lock(FlockOperation::NonBlockingLockExclusive) {
            Err(TAKEN | TAKEN_CIFS) if wait() => lock(FlockOperation::LockExclusive),
            taken => taken,
        };
        match taken {
            Ok(()) | Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL) => {}
            Err(TAKEN | TAKEN_CIFS) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => return Err(error.into()),
        }
        // Whoever had the lock before us may have given the file its final name.
        let about = file.metadata()?;
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
    fn a_part_is_hidden_beside_its_target() {
        assert_eq!(part_of(Path::new("out/room.webm")), Path::new("out/.room.webm.part"));
        assert_eq!(part_of(Path::new("room.webm")), Path::new(".room.webm.part"));
    }
}
