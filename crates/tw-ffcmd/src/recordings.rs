//! The files that records name: no output may take the place of one, of whatever room it is, and
//! whether or not it is seen or heard.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{self, Path, PathBuf};
use std::sync::OnceLock;

/// All of them.
#[derive(Debug, Default)]
pub struct Recordings {
    paths: HashSet<PathBuf>,
    /// Device and inode of each, asked for at the first output that is there already.
    numbers: OnceLock<HashSet<(u64, u64)>>,
}

impl Recordings {
    /// The files at these paths, which needn't be there.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let paths = paths.into_iter().filter_map(|path| path::absolute(path).ok()).collect();
        Self { paths, numbers: OnceLock::new() }
    }

    /// Whether what is at this path, or would be, is one of them, by this name or another.
    pub fn hold(&self, path: &Path) -> bool {
        path::absolute(path).is_ok_and(|path| self.paths.contains(&path))
            || number(path).is_some_and(|number| self.numbers().contains(&number))
    }

    fn numbers(&self) -> &HashSet<(u64, u64)> {
        self.numbers.get_or_init(|| self.paths.iter().filter_map(|path| number(path)).collect())
    }
}

fn number(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).map(|about| (about.dev(), about.ino())).ok()
}
