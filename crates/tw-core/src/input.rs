//! Lines from files or stdin, and records from lines.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::complaint;
use crate::failure::{ErrorKind, Failure};
use crate::messages;
use crate::record::Record;

/// Where a line stood, for messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named, or `stdin`.
    pub source: String,
    /// Counted from 1.
    pub line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}

/// A line without its end, and where it stood.
#[derive(Debug)]
pub struct Line {
    /// The file and the line's number.
    pub place: Place,
    /// The bytes as they came, without line end or byte order mark.
    pub bytes: Vec<u8>,
}

impl Line {
    /// The text, if it is UTF-8.
    ///
    /// # Errors
    /// A [`Failure`] that names the place.
    pub fn text(self) -> Result<String, Failure> {
        String::from_utf8(self.bytes).map_err(|e| {
            let wrong = e.utf8_error().valid_up_to() + 1;
            Failure::new(ErrorKind::Input, format!("{}: not UTF-8 from byte {wrong} on", self.place))
        })
    }

    /// The record on this line.
    ///
    /// # Errors
    /// A [`Failure`] that names the place, when there is none.
    pub fn record(self) -> Result<Record, Failure> {
        let place = self.place.clone();
        Record::parse_or_give_back(self.text()?).map_err(|(text, e)| {
            Failure::new(
                ErrorKind::Input,
                format!("{place}: {}", complaint::of_line(&e, &text, place.line == 1)),
            )
        })
    }
}

/// The lines of some files, one after the other. Blank lines are skipped (but
/// counted); CRLF ends a line as LF does; a byte order mark is dropped.
pub struct Lines {
    waiting: VecDeque<PathBuf>,
    current: Option<(Box<dyn BufRead + Send>, Place)>,
}

/// The files that were named; stdin when none was.
pub fn or_stdin(files: &[PathBuf]) -> Vec<PathBuf> {
    if files.is_empty() { vec!["-".into()] } else { files.to_vec() }
}

/// Opens nothing yet; no files, or `-`, mean stdin.
pub fn lines(files: &[PathBuf]) -> Lines {
    Lines { waiting: or_stdin(files).into(), current: None }
}

/// The lines of what is open already.
pub fn lines_of(reader: impl BufRead + Send + 'static, source: &str) -> Lines {
    let place = Place { source: source.into(), line: 0 };
    Lines { waiting: VecDeque::new(), current: Some((Box::new(reader), place)) }
}

/// Opens a file, or stdin for `-`; the place stands before its first line.
///
/// # Errors
/// When there is no such file, or it can't be read.
pub fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead + Send>, Place)> {
    if path.as_os_str() == "-" {
        if io::stdin().is_terminal() {
            messages::warn("reading from the terminal: type records, or end with Ctrl-D; see --help");
        }
        let reader = BufReader::with_capacity(64 * 1024, io::stdin());
        return Ok((Box::new(reader), Place { source: "stdin".into(), line: 0 }));
    }
    let source = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {source}"))?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    // A folder opens, but can't be read: that is said by whoever reads on.
    if reader.fill_buf().is_ok_and(is_media) {
        bail!("{source} is a media file: want records; recordings are for tw-probe --files");
    }
    Ok((Box::new(reader), Place { source, line: 0 }))
}

/// Whether a file begins as Matroska (RFC 8794, EBML header) or MP4 (ISO/IEC
/// 14496-12, `ftyp`) does: mistaken for records, it would be thousands of bad lines.
fn is_media(begin: &[u8]) -> bool {
    begin.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) || begin.get(4..8) == Some(b"ftyp")
}

impl Iterator for Lines {
    /// An error is one of the files, not of a line: there is no going on with it.
    type Item = anyhow::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((reader, place)) = &mut self.current else {
                match open(&self.waiting.pop_front()?) {
                    Ok(opened) => self.current = Some(opened),
                    Err(e) => return Some(Err(e)),
                }
                continue;
            };
            match next_line(reader, place) {
                Ok(Some(line)) => return Some(Ok(line)),
                Ok(None) => self.current = None,
                Err(e) => {
                    let error = anyhow::Error::new(e).context(format!("cannot read {}", place.source));
                    self.current = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The next line that isn't blank.
fn next_line(reader: &mut (impl BufRead + ?Sized), place: &mut Place) -> io::Result<Option<Line>> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    loop {
        let mut bytes = Vec::new();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        place.line += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if place.line == 1 && bytes.starts_with(BOM) {
            bytes.drain(..BOM.len());
        }
        if !bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Line { place: place.clone(), bytes }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut reader = text;
        let mut place = Place { source: "x".into(), line: 0 };
        std::iter::from_fn(|| next_line(&mut reader, &mut place).unwrap())
            .map(|line| (line.place.line, line.bytes))
            .collect()
    }

    #[test]
    fn media_is_not_taken_for_records() {
        assert!(is_media(b"\x1a\x45\xdf\xa3\xa3"));
        assert!(is_media(b"\x00\x00\x00\x20ftypisom"));
        for text in [&b""[..], b"{}", b"\xef\xbb\xbf{\"sid\":1}", b"RT01"] {
            assert!(!is_media(text));
        }
    }

    #[test]
    fn blank_lines_crlf_and_bom() {
        assert_eq!(
            read(b"\xef\xbb\xbf{}\r\n\r\n  \n[1]\nlast"),
            [(1, b"{}".to_vec()), (4, b"[1]".to_vec()), (5, b"last".to_vec())]
        );
        assert!(read(b"").is_empty());
    }

    #[test]
    fn what_is_no_record_says_where() {
        let line = Line { place: Place { source: "a.jsonl".into(), line: 3 }, bytes: b"nope".to_vec() };
        assert_eq!(
            line.record().unwrap_err().message,
            "a.jsonl:3: not a JSON object (want one on each line, as jq -c writes them)"
        );
        let line =
            Line { place: Place { source: "a.jsonl".into(), line: 4 }, bytes: b"{\"\xff\":1}".to_vec() };
        assert_eq!(line.record().unwrap_err().message, "a.jsonl:4: not UTF-8 from byte 3 on");
    }
}
