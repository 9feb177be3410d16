//! Records in and out. They are read in large chunks, several at once.

use std::io::{self, BufRead, Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tw_core::filter::Sink;
use tw_core::output::OutputError;
use tw_core::{input, parallel};

use crate::batch::{Batch, Entry, Fate};
use crate::recording::OWN;
use crate::rooms::Rooms;

/// Large enough that handing chunks around costs nothing, small enough that
/// two cores share a small input.
const CHUNK: usize = 2 * 1024 * 1024;

/// Whole lines of one input.
struct Chunk {
    source: Arc<str>,
    text: Vec<u8>,
    /// The input begins here.
    first: bool,
}

/// Reads all records.
///
/// # Errors
/// When a file can't be read.
pub fn read(files: &[PathBuf]) -> anyhow::Result<(Vec<Batch>, Rooms)> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut batches = Vec::new();
    let mut rooms = Rooms::default();
    let mut next_line = 1;
    let scan = |chunk: anyhow::Result<Chunk>| {
        chunk.map(|chunk| {
            let mut rooms = Rooms::default();
            let (batch, lines) = Batch::of_text(chunk.source, chunk.text, &mut rooms);
            (batch, rooms, lines, chunk.first)
        })
    };
    let flow = parallel::ordered(chunks(files), jobs, scan, |scanned| match scanned {
        Ok((mut batch, part, lines, first)) => {
            if first {
                next_line = 1;
            }
            batch.settle(next_line, &rooms.merge(&part));
            next_line += lines;
            batches.push(batch);
            ControlFlow::Continue(())
        }
        Err(error) => ControlFlow::Break(error),
    });
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok((batches, rooms)),
    }
}

/// The inputs, cut at line ends.
fn chunks(files: &[PathBuf]) -> impl Iterator<Item = anyhow::Result<Chunk>> + Send + 'static {
    input::or_stdin(files).into_iter().flat_map(|path| {
        let (mut reader, source, mut failed) = match input::open(&path) {
            Ok((reader, place)) => (reader, Arc::from(place.source), None),
            Err(error) => (Box::new(io::empty()) as Box<dyn BufRead + Send>, Arc::from(""), Some(error)),
        };
        let mut rest = Vec::new();
        let mut first = true;
        std::iter::from_fn(move || {
            if let Some(error) = failed.take() {
                return Some(Err(error));
            }
            let chunk =
                next_chunk(&mut reader, &mut rest, first).with_context(|| format!("cannot read {source}"));
            let chunk = chunk.transpose()?;
            let was_first = std::mem::take(&mut first);
            Some(chunk.map(|text| Chunk { source: Arc::clone(&source), text, first: was_first }))
        })
    })
}

/// About [`CHUNK`] bytes that end at a line end; `rest` keeps what follows it.
fn next_chunk(reader: &mut dyn BufRead, rest: &mut Vec<u8>, first: bool) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::with_capacity(CHUNK.max(rest.len() * 2));
    text.append(rest);
    let mut searched = 0;
    loop {
        let wanted = CHUNK.saturating_sub(text.len()).max(CHUNK / 2) as u64;
        let read = reader.take(wanted).read_to_end(&mut text)?;
        let ended = (read as u64) < wanted;
        if first && searched == 0 && text.starts_with(b"\xef\xbb\xbf") {
            text.drain(..3);
        }
        if ended {
            return Ok((!text.is_empty()).then_some(text));
        }
        if let Some(end) = text[searched..].iter().rposition(|&byte| byte == b'\n') {
            rest.extend_from_slice(&text[searched + end + 1..]);
            text.truncate(searched + end + 1);
            return Ok(Some(text));
        }
        searched = text.len();
    }
}

/// Writes a record, with its place on the timeline or the reason why it has
/// none. `Break` when the user wants to stop there.
///
/// # Errors
/// When stdout is closed or full.
pub fn write(
    sink: &mut Sink<'_>,
    batch: &Batch,
    entry: &Entry,
    rooms: &Rooms,
) -> Result<ControlFlow<()>, OutputError> {
    if let (Fate::Append(_), Ok(offsets)) = (entry.fate, batch.offsets(entry, rooms)) {
        let line = batch.line(entry);
        // A record that is placed has members: ours follow the last.
        let brace = line.iter().rposition(|&byte| byte == b'}').unwrap_or(line.len());
        let end = line[..brace].trim_ascii_end().len();
        let output = sink.output();
        output.bytes(&line[..end])?;
        let mut added = [0; 160];
        let mut free = added.as_mut_slice();
        write!(
            free,
            ",\"{}\":{},\"{}\":{},\"{}\":{}",
            OWN[0], offsets.addition, OWN[1], offsets.reference, OWN[2], offsets.relative
        )?;
        let left = free.len();
        output.bytes(&added[..added.len() - left])?;
        output.bytes(&line[end..])?;
        output.bytes(b"\n")?;
        return Ok(ControlFlow::Continue(()));
    }
    sink.write(batch.outcome(entry, rooms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunked(text: &[u8], buffer: usize) -> Vec<Vec<u8>> {
        let mut reader = io::BufReader::with_capacity(buffer, text);
        let (mut rest, mut first) = (Vec::new(), true);
        std::iter::from_fn(|| next_chunk(&mut reader, &mut rest, std::mem::take(&mut first)).unwrap())
            .collect()
    }

    #[test]
    fn chunks_end_at_line_ends() {
        let line = format!("{{\"x\":\"{}\"}}\n", "y".repeat(1_000_000));
        let text = format!("\u{feff}{}{{}}", line.repeat(5));
        let chunks = chunked(text.as_bytes(), 1000);
        assert!(chunks.len() > 1);
        assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk.ends_with(b"\n")));
        assert_eq!(chunks.concat(), &text.as_bytes()[3..]);
    }

    #[test]
    fn a_line_longer_than_a_chunk() {
        let text = format!("{}\n{{}}\n", "z".repeat(3 * CHUNK));
        assert_eq!(chunked(text.as_bytes(), 4096).concat(), text.as_bytes());
    }

    proptest! {
        #[test]
        fn lines_are_numbered_as_the_line_reader_does(text in "(\\{\\}|x| |\r|\n|\u{feff}){0,30}") {
            let (batch, _) = Batch::of_text("x".into(), chunked(text.as_bytes(), 7).concat(), &mut Rooms::default());
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &text).unwrap();
            let lines: Vec<_> = input::lines(&[file.path().to_owned()]).map(|line| line.unwrap().bytes).collect();
            let ours: Vec<_> = batch.entries.iter().map(|entry| batch.line(entry).to_vec()).collect();
            prop_assert_eq!(ours, lines);
        }
    }
}
