//! Lines in one buffer, and for each what was found out about it: so that
//! hundreds of thousands of records take little more room than their text.

use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;

use tw_core::Failure;
use tw_core::filter::Outcome;
use tw_core::input::{Line, Place};

use crate::offsets::Offsets;
use crate::recording::{OWN, Recording, Verdict, Words};
use crate::rooms::{RoomId, Rooms};

/// What is to be done with a line: a short form of [`Verdict`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Placed at this addition; our fields go to the end of the line.
    Append(i64),
    /// Placed at this addition; some of our fields stand there already.
    Replace(i64),
    /// Handed on: marked by an earlier tool.
    Marked,
    /// Handed on without our fields: of type data.
    Nothing,
    /// A record that can't be placed. Why is found out again when it is written.
    Failed,
    /// A row that isn't UTF-8; it is kept with replacement characters.
    NotUtf8,
    /// A row with more cells than the table has columns; those are lost.
    TooLong,
    /// A row of which a cell holds the lines behind it.
    Unclosed,
    /// A record of a room that has ended already, where rooms come one after the other.
    ComesBack,
    /// No record at all.
    Unreadable,
}

impl Fate {
    fn of(recording: &Recording<'_>, words: Words) -> Self {
        match recording.verdict(words) {
            Verdict::Placed(addition) if recording.done_before => Self::Replace(addition),
            Verdict::Placed(addition) => Self::Append(addition),
            Verdict::Marked => Self::Marked,
            Verdict::Nothing => Self::Nothing,
            Verdict::Failed(_) => Self::Failed,
        }
    }

    /// When the recording begins, on a clock that all of its room share.
    pub fn addition(self) -> Option<i64> {
        match self {
            Self::Append(addition) | Self::Replace(addition) => Some(addition),
            _ => None,
        }
    }
}

/// One line of a batch.
#[derive(Debug, Clone)]
pub struct Entry {
    span: Range<usize>,
    /// Its number, from the first line of the batch on.
    line: u64,
    /// Its room.
    pub room: RoomId,
    /// What is to be done with it.
    pub fate: Fate,
}

/// Some lines of one input, and what was found out about them.
#[derive(Debug)]
pub struct Batch {
    /// What the lines are from, each from this byte of the text on.
    sources: Vec<(usize, Arc<str>)>,
    words: Words,
    first_line: u64,
    text: Vec<u8>,
    /// In the order of the input.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// No lines yet.
    pub fn new(source: Arc<str>, words: Words) -> Self {
        Self { sources: vec![(0, source)], words, first_line: 0, text: Vec::new(), entries: Vec::new() }
    }

    /// Whole lines of records, and how many there are. Blank lines are passed
    /// over, CRLF ends a line as LF does.
    pub fn of_text(source: Arc<str>, text: Vec<u8>, rooms: &mut Rooms) -> (Self, u64) {
        let mut batch = Self { text, ..Self::new(source, Words::JSONL) };
        // A recording's line has 700 bytes or so.
        let mut entries = Vec::with_capacity(batch.text.len() / 700 + 1);
        // Checking all at once is faster than line by line.
        let utf8 = str::from_utf8(&batch.text).ok();
        let mut rest = batch.text.as_slice();
        let mut lines = 0;
        while !rest.is_empty() {
            let start = batch.text.len() - rest.len();
            // A slice can always be read.
            let length = rest.skip_until(b'\n').unwrap_or_default();
            let span = trim(&batch.text, start..start + length);
            if !span.is_empty() {
                let line = match utf8 {
                    // Line ends are ASCII: both ends of the span are borders of characters.
                    Some(utf8) => utf8.get(span.clone()),
                    None => str::from_utf8(&batch.text[span.clone()]).ok(),
                };
                let recording = line.and_then(|line| Recording::read(line).ok());
                entries.push(Entry::of(recording.as_ref(), Words::JSONL, span, lines, rooms));
            }
            lines += 1;
        }
        batch.entries = entries;
        (batch, lines)
    }

    /// The batch starts at this line of the source, and its rooms have these
    /// numbers among all.
    pub fn settle(&mut self, first_line: u64, rooms: &[RoomId]) {
        self.first_line = first_line;
        for entry in &mut self.entries {
            if let Some(&room) = rooms.get(entry.room.index()) {
                entry.room = room;
            }
        }
    }

    /// One more line; `recording` is what was read from it, if it is a record.
    pub fn push(&mut self, text: &[u8], line: u64, recording: Option<&Recording<'_>>, rooms: &mut Rooms) {
        let span = self.text.len()..self.text.len() + text.len();
        self.text.extend_from_slice(text);
        self.entries.push(Entry::of(recording, self.words, span, line, rooms));
    }

    /// One more record, which can't be served for a reason that doesn't stand in it.
    pub fn push_refused(&mut self, text: &[u8], line: u64, room: RoomId, fate: Fate) {
        let span = self.text.len()..self.text.len() + text.len();
        self.text.extend_from_slice(text);
        self.entries.push(Entry { span, line, room, fate });
    }

    /// What the lines to come are from.
    pub fn set_source(&mut self, source: &str) {
        if self.sources.last().is_none_or(|(_, last)| last.as_ref() != source) {
            self.sources.push((self.text.len(), source.into()));
        }
    }

    /// Takes all lines out; the room they took is used again.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        // The lines to come are from where the last ones were.
        self.sources.drain(..self.sources.len() - 1);
        self.sources[0].0 = 0;
    }

    /// The line as it came.
    pub fn line(&self, entry: &Entry) -> &[u8] {
        &self.text[entry.span.clone()]
    }

    /// What comes of an entry.
    pub fn outcome(&self, entry: &Entry, rooms: &Rooms) -> Outcome {
        let line = Line { place: self.place(entry), bytes: self.line(entry).to_vec() };
        let outcome = Outcome::of(line, |record| {
            if entry.fate == Fate::Nothing {
                record.set(&NO_FIELDS);
            } else {
                record.set(&fields(self.offsets(entry, rooms)?));
            }
            Ok(())
        });
        match outcome {
            // An earlier run's fields would say that it has a place.
            Outcome::Failed(mut record, failure) => {
                record.set(&NO_FIELDS);
                Outcome::Failed(record, failure)
            }
            other => other,
        }
    }

    /// The entry's place on its room's timeline.
    ///
    /// # Errors
    /// Why it has none.
    pub fn offsets(&self, entry: &Entry, rooms: &Rooms) -> Result<Offsets, Failure> {
        let Some(addition) = entry.fate.addition() else { return Err(self.why(entry)) };
        let reference = rooms.reference(entry.room).unwrap_or(addition);
        Offsets::new(addition, reference).ok_or_else(|| {
            Failure::field(format!(
                "{addition} is more than 64 bits away from the room's reference, {reference}"
            ))
        })
    }

    /// Where an entry stood.
    pub fn place(&self, entry: &Entry) -> Place {
        let source = self.sources.iter().rev().find(|(from, _)| *from <= entry.span.start);
        let source = source.map_or_else(String::new, |(_, source)| source.to_string());
        Place { source, line: self.first_line + entry.line }
    }

    /// Why an entry has no place.
    fn why(&self, entry: &Entry) -> Failure {
        let failure = match entry.fate {
            Fate::NotUtf8 => Failure::field("not UTF-8: save the file as UTF-8"),
            Fate::TooLong => {
                Failure::field("more cells than there are columns: name all columns in the first line")
            }
            Fate::Unclosed => Failure::field("a quote (\") isn't closed: its cell holds the lines behind it"),
            Fate::ComesBack => {
                Failure::field("its room had ended before: leave out --grouped, or sort the records by room")
            }
            _ => {
                let line = str::from_utf8(self.line(entry)).unwrap_or_default();
                match Recording::read(line).map(|recording| recording.verdict(self.words)) {
                    Ok(Verdict::Failed(failure)) => failure,
                    _ => Failure::field("no place on the timeline"),
                }
            }
        };
        match self.words {
            // A row has no SID to be found by.
            Words::CSV => Failure::new(failure.kind, format!("{}: {failure}", self.place(entry))),
            _ => failure,
        }
    }
}

impl Entry {
    fn of(
        recording: Option<&Recording<'_>>,
        words: Words,
        span: Range<usize>,
        line: u64,
        rooms: &mut Rooms,
    ) -> Self {
        let Some(recording) = recording else {
            return Self { span, line, room: RoomId::NONE, fate: Fate::Unreadable };
        };
        let room = rooms.id(recording.room.as_deref());
        let fate = Fate::of(recording, words);
        if let Some(addition) = fate.addition() {
            rooms.count(room, addition);
        }
        Self { span, line, room, fate }
    }
}

/// Our fields, for a record.
fn fields(offsets: Offsets) -> [(&'static str, Option<String>); 3] {
    let values = [offsets.addition, offsets.reference, offsets.relative];
    std::array::from_fn(|i| (OWN[i], Some(values[i].to_string())))
}

/// A record without a place has none of our fields.
const NO_FIELDS: [(&str, Option<String>); 3] = [(OWN[0], None), (OWN[1], None), (OWN[2], None)];

/// The line without its end; empty when it is blank.
fn trim(text: &[u8], mut span: Range<usize>) -> Range<usize> {
    for end in [b'\n', b'\r'] {
        if text[span.clone()].last() == Some(&end) {
            span.end -= 1;
        }
    }
    if text[span.clone()].iter().all(u8::is_ascii_whitespace) { span.start..span.start } else { span }
}
