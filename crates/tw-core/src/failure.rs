//! Why a record could not be served, as it stands in the record's `error` field.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, in one word that a script can branch on.
///
/// These words are part of the interface: see `docs/records.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A line that holds no JSON object.
    Input,
    /// A field that is missing, or that holds something else than it should.
    Field,
    /// The other side could not be reached, broke off, or stayed silent.
    Network,
    /// Twilio or the storage answered with an error.
    Http,
    /// Credentials are missing, or Twilio refused them.
    Auth,
    /// There is no such room, recording or media.
    NotFound,
    /// The recording is not complete yet; try again later.
    NotReady,
    /// An answer that would have led the credentials, or a file, where they must not go.
    Refused,
    /// A file could not be read or written.
    Io,
    /// The media is not what it should be.
    Media,
    /// ffmpeg or ffprobe failed.
    Ffmpeg,
    /// A program of the user's own failed (`tw-fetch --external`).
    External,
    /// A room of which a recording is missing.
    Incomplete,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The serialized name is the one people see everywhere else.
        self.serialize(f)
    }
}

/// Why one record, or one room, could not be served: a kind for scripts and one
/// line for people. The message says what is wrong and what to do; which record
/// it is about is said by whoever prints it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For scripts.
    pub kind: ErrorKind,
    /// For people: one line.
    pub message: String,
    /// Whether not this record is at fault but the set-up (credentials that are missing,
    /// say): every other record that needs it fails too, so it is said once.
    pub set_up: bool,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), set_up: false }
    }

    /// A field that is missing or wrong.
    pub fn field(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Field, message)
    }

    /// A file that could not be read or written: which one, and what the system said.
    pub fn io(doing: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{doing}: {error}"))
    }
}

/// The `error` field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The tool that could not serve the record.
    pub tool: String,
    /// An [`ErrorKind`]; a string, since an older or newer tool may have written it.
    pub kind: String,
    /// One line for people.
    pub message: String,
}

impl Mark {
    /// How this failure stands in a record.
    pub fn new(tool: &str, failure: &Failure) -> Self {
        Self { tool: tool.into(), kind: failure.kind.to_string(), message: failure.message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_shown_as_it_is_serialized() {
        assert_eq!(ErrorKind::NotFound.to_string(), "not_found");
        assert_eq!(serde_json::to_string(&ErrorKind::NotFound).unwrap(), "\"not_found\"");
    }
}
