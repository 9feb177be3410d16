//! The folder that all files go into, and nothing goes out of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tw_core::{ErrorKind, Failure};

/// `--dir`, which is there.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

/// What stands under a file's final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Present {
    /// Nothing.
    Nothing,
    /// A file of so many bytes.
    File(u64),
}

impl Folder {
    /// Makes the folder if need be.
    ///
    /// # Errors
    /// When it can't be made, or its path can't stand in a record: wrong set-up.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        if dir.to_str().is_none() {
            bail!("--dir {}: a path in a record must be UTF-8", dir.display());
        }
        fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        Ok(Self(dir.to_owned()))
    }

    /// Where a file stands, as records and messages name it.
    pub(crate) fn join(&self, relative: &Path) -> PathBuf {
        self.0.join(relative)
    }

    /// Makes the folders between this one and a file in it.
    ///
    /// # Errors
    /// When one can't be made, or is a symbolic link, which may lead elsewhere.
    pub(crate) fn make_parents(&self, relative: &Path) -> Result<(), Failure> {
        let mut folder = self.0.clone();
        for component in relative.parent().into_iter().flat_map(Path::components) {
            folder.push(component);
            match fs::create_dir(&folder) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Failure::io(format!("cannot make the folder {}", folder.display()), &e));
                }
                _ => {}
            }
            let about = fs::symlink_metadata(&folder)
                .map_err(|e| Failure::io(format!("cannot read {}", folder.display()), &e))?;
            if about.is_symlink() {
                return Err(link(&folder));
            }
        }
        Ok(())
    }
}

/// What stands at `path`.
///
/// # Errors
/// When it is neither nothing nor a plain file.
pub(crate) fn present(path: &Path) -> Result<Present, Failure> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => Ok(Present::File(about.len())),
        Ok(about) if about.is_symlink() => Err(link(path)),
        Ok(_) => Err(Failure::new(ErrorKind::Io, format!("{} is there and is no file", path.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Present::Nothing),
        Err(e) => Err(Failure::io(format!("cannot read {}", path.display()), &e)),
    }
}

fn link(path: &Path) -> Failure {
    let message = format!("{} is a symbolic link: it may lead out of the folder", path.display());
    Failure::new(ErrorKind::Refused, message)
}
