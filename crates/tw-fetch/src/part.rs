//! A file on its way: `.NAME.part`, with a note beside it of what it is a part of.
//!
//! The part is locked while it is written, so that of two runs one writes and the
//! other waits. It outlives us: the next run goes on where it ends. Of encrypted
//! media it holds what has been decrypted, and neither part nor note a key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use tw_core::http::Part;
use tw_core::part::{lock, part_of};
use tw_core::{Failure, messages};

use crate::decryption::BLOCK;
use crate::expected;

/// Notes take some hundred bytes.
const LONGEST_NOTE: u64 = 4096;

/// A part that is open and locked.
#[derive(Debug)]
pub(crate) struct PartFile {
    file: File,
    path: PathBuf,
    note_path: PathBuf,
    /// Bytes in the part.
    length: u64,
    note: Option<Note>,
}

/// What the part is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    sid: String,
    etag: String,
    /// Length of the whole in bytes, if it was announced.
    total: Option<u64>,
    /// Whether the media is stored encrypted: the part is not.
    #[serde(default)]
    decrypted: bool,
}

impl Note {
    /// What there is of it. Others may have put anything in its place: a pipe, or a link.
    fn read(path: &Path) -> Option<Self> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
        let mut text = Vec::new();
        file.take(LONGEST_NOTE).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Whether it speaks of this recording, in words that can stand in a request:
    /// a folder that others write to may hold anything.
    fn is_of(&self, sid: &str) -> bool {
        self.sid == sid && self.etag.starts_with('"') && self.etag.bytes().all(|b| b.is_ascii_graphic())
    }
}

impl PartFile {
    /// Opens the part of `target` and locks it, after whoever has it now.
    ///
    /// # Errors
    /// When it can't be made or read.
    pub(crate) fn open(target: &Path, sid: &str) -> Result<Self, Failure> {
        let (path, note_path) = (part_of(target), note_of(target));
        let failed = |e| Failure::io(format!("cannot write {}", path.display()), &e);
        let wait = || {
            messages::warn(format_args!("{}: another run is at it; waiting", path.display()));
            true
        };
        let file = lock(&path, wait).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let note = Note::read(&note_path).filter(|note| note.is_of(sid));
        Ok(Self { file, length, note, path, note_path })
    }

    /// Bytes that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// What is there and can be gone on with. Of encrypted media, that is whole
    /// blocks, and the last of them is to be asked for once more: it is needed to
    /// decrypt the next one (see `decryption`).
    ///
    /// # Errors
    /// When what is not a whole block can't be cut off.
    pub(crate) fn resume(&mut self) -> Result<Option<Part>, Failure> {
        let Some(note) = &self.note else { return Ok(None) };
        let etag = note.etag.clone();
        if note.total.is_some_and(|total| total < self.length) {
            return Ok(None);
        }
        if !note.decrypted {
            return Ok((self.length > 0).then_some(Part { length: self.length, etag }));
        }
        let blocks = self.length - self.length % BLOCK as u64;
        self.file.set_len(blocks).map_err(|e| self.failure(&e))?;
        self.length = blocks;
        Ok((blocks > BLOCK as u64).then(|| Part { length: blocks - BLOCK as u64, etag }))
    }

    /// Whether the rest of media of so many bytes in all can be that of what is there.
    pub(crate) fn is_of(&self, total: Option<u64>) -> bool {
        let said = self.note.as_ref().filter(|note| !note.decrypted).and_then(|note| note.total);
        said.is_none_or(|said| total == Some(said))
    }

    /// Whether what is there was decrypted.
    pub(crate) fn is_decrypted(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.decrypted)
    }

    /// Whether all of it is there, and only the final name is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.length > 0 && self.note.as_ref().is_some_and(|note| note.total == Some(self.length))
    }

    /// Begins anew: an empty part of this media, `total` bytes long in the end.
    /// Without an entity tag there is no note, and no going on with it later.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn begin(
        &mut self,
        sid: &str,
        etag: Option<&str>,
        total: Option<u64>,
        decrypted: bool,
    ) -> Result<(), Failure> {
        self.note = etag.map(|etag| Note { sid: sid.into(), etag: etag.into(), total, decrypted });
        self.rewrite().map_err(|e| self.failure(&e))
    }

    /// Empty before the note changes: a note never speaks of other bytes.
    fn rewrite(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.length = 0;
        remove(&self.note_path)?;
        if let Some(note) = &self.note {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.note_path)?;
            file.write_all(serde_json::to_string(note)?.as_bytes())?;
        }
        Ok(())
    }

    /// Whether it begins as Matroska does.
    pub(crate) fn is_matroska(&self) -> bool {
        expected::is_matroska(&self.path)
    }

    /// Appends to the part.
    ///
    /// # Errors
    /// When it can't be written: a full disk, say.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.seek(SeekFrom::Start(self.length)).and_then(|_| self.file.write_all(bytes));
        written.map_err(|e| self.failure(&e))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Gives the whole file its final name.
    ///
    /// # Errors
    /// When it can't be renamed.
    pub(crate) fn finish(self, target: &Path) -> Result<(), Failure> {
        // Its bytes first: a power cut must not leave the name without them. Then the note: killed
        // in between, we'd fetch once more, and leave nothing. 200 files of 5 MB, eight at a time, take
        // as long as before, 1.3 s (curl: 1.5 s), on a disk that takes 3 ms for each.
        self.file
            .sync_data()
            .and_then(|()| remove(&self.note_path))
            .and_then(|()| fs::rename(&self.path, target))
            .map_err(|e| Failure::io(format!("cannot make {}", target.display()), &e))
    }

    /// Takes the part away: it is good for nothing.
    pub(crate) fn discard(self) {
        // If it can't be removed it stays, and is begun anew the next time.
        let _ = remove(&self.note_path).and_then(|()| remove(&self.path));
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::io(format!("cannot write {}", self.path.display()), error)
    }
}

fn note_of(target: &Path) -> PathBuf {
    let mut name = part_of(target).into_os_string();
    name.push(".json");
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
