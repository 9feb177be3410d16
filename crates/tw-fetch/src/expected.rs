//! How long a recording's media should be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tw_core::{ErrorKind, Failure, Record};

use crate::decryption::stored_length;
use crate::recording;

/// Matroska and WebM begin with this (RFC 8794, 11.2.1: the EBML header's ID).
const MATROSKA: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

/// What a record says about the length of its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Twilio's `size` in bytes.
    pub(crate) size: Option<u64>,
    /// Whether the media is stored encrypted.
    encrypted: bool,
}

impl Expected {
    /// Reads it from the record.
    ///
    /// # Errors
    /// When `size` is no number of bytes.
    pub(crate) fn of(record: &Record) -> Result<Self, Failure> {
        let encrypted = recording::encryption_key(record).is_some();
        Ok(Self { size: recording::size(record)?, encrypted })
    }

    /// Whether a file of so many bytes can be the media. Of encrypted media, Twilio's
    /// page doesn't say which length `size` is: as stored, or decrypted. Either will do.
    pub(crate) fn fits(self, bytes: u64) -> bool {
        match self.size {
            // Files have their names only when they are whole.
            None => bytes > 0,
            Some(size) => size == bytes || (self.encrypted && size == stored_length(bytes)),
        }
    }

    /// The same, with a reason.
    ///
    /// # Errors
    /// When it can't.
    pub(crate) fn check(self, bytes: u64) -> Result<(), Failure> {
        match self.size {
            _ if self.fits(bytes) => Ok(()),
            Some(size) => Err(wrong_length(&format!("has {bytes} bytes"), size)),
            None => Err(Failure::new(ErrorKind::Media, "its media is empty")),
        }
    }

    /// Whether the file that is there, of so many bytes, is the media. Encrypted
    /// media as it is stored, which somebody may have fetched otherwise, is not, nor is
    /// something else where its length tells nothing.
    pub(crate) fn is_met_by(self, file: &Path, bytes: u64) -> bool {
        let is_told_by_length = self.size.is_some() && !self.encrypted;
        self.fits(bytes) && (is_told_by_length || is_matroska(file))
    }

    /// Length of media that isn't encrypted, in bytes, where it is known before it
    /// has come: `total` is what the storage announces.
    ///
    /// # Errors
    /// When it isn't what the record says.
    pub(crate) fn stored_length(self, total: Option<u64>) -> Result<Option<u64>, Failure> {
        match (total, self.size) {
            (Some(total), Some(size)) if total != size => {
                Err(wrong_length(&format!("would have {total} bytes"), size))
            }
            _ => Ok(total.or(self.size)),
        }
    }

    /// The same of media that turned out to be encrypted.
    pub(crate) fn encrypted(self) -> Self {
        Self { encrypted: true, ..self }
    }
}

/// Makes sure that decrypted media begins as all of Twilio's does. With the wrong
/// initialization vector, or of bytes that were changed, it wouldn't.
///
/// # Errors
/// When it begins with something else.
pub(crate) fn check_beginning(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.starts_with(&MATROSKA) {
        return Ok(());
    }
    let message =
        "its media, decrypted, is no Matroska: it, or what came with it, was changed since it was encrypted";
    Err(Failure::new(ErrorKind::Media, message))
}

/// Media of another length than Twilio says.
pub(crate) fn wrong_length(what: &str, size: u64) -> Failure {
    let message = format!("its media {what}, but Twilio's size is {size}: list it again, or tell Twilio");
    Failure::new(ErrorKind::Media, message)
}

/// Whether a file begins as Matroska does.
pub(crate) fn is_matroska(file: &Path) -> bool {
    let mut start = [0; MATROSKA.len()];
    File::open(file).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MATROSKA
}
