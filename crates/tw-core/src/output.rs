//! The one writer of stdout.

use std::fmt;
use std::io::{self, BufWriter, Write};

use crate::record::Record;

/// stdout could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The reader has gone (`| head -1`): no error, but nothing more to do.
    #[error("stdout was closed")]
    Closed,
    /// A full disk, say.
    #[error("cannot write to stdout: {0}")]
    Failed(#[source] io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

/// Records and other lines, buffered; [`Output::flush`] when the next one may
/// take a while, and at the end.
pub struct Output {
    writer: BufWriter<io::Stdout>,
}

impl Default for Output {
    fn default() -> Self {
        Self { writer: BufWriter::with_capacity(64 * 1024, io::stdout()) }
    }
}

impl Output {
    /// Writes one record and a line end.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn record(&mut self, record: &Record) -> Result<(), OutputError> {
        self.bytes(record.as_str().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes one line of text.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn line(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        writeln!(self.writer, "{line}")?;
        Ok(())
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Hands on what has been written.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.writer.flush()?)
    }
}
