//! Rooms that come one after the other: each is written as soon as the next
//! one begins, so that memory is that of one room.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::PathBuf;

use tw_core::filter::Sink;
use tw_core::input;

use crate::batch::{Batch, Fate};
use crate::jsonl;
use crate::recording::{Recording, Words};
use crate::rooms::Rooms;

/// How many rooms that have ended are remembered, to notice one that comes
/// back: 8 bytes and some for each, 5 MB in all.
const REMEMBERED: usize = 400_000;

/// Reads and writes room by room. Gives the number of records that hold nothing to place.
///
/// # Errors
/// When a file can't be read, or stdout is closed or full.
pub fn run(files: &[PathBuf], sink: &mut Sink<'_>) -> anyhow::Result<u64> {
    let mut room = Room { batch: Batch::new("".into(), Words::JSONL), rooms: Rooms::default(), unplaced: 0 };
    let mut current: Option<Option<String>> = None;
    let mut ended = HashSet::new();
    let mut comes_back = false;
    for line in input::lines(files) {
        let line = line?;
        let recording = str::from_utf8(&line.bytes).ok().and_then(|text| Recording::read(text).ok());
        // What is no record, or tells no room and has no place, waits with the room it came in.
        let tells = recording.as_ref().filter(|it| it.room.is_some() || it.would_be_placed());
        if let Some(recording) = tells {
            let name = recording.room.as_deref();
            if current.as_ref().is_none_or(|current| current.as_deref() != name) {
                if room.write(sink)?.is_break() {
                    return Ok(room.unplaced);
                }
                if let Some(old) = current.replace(name.map(str::to_owned)) {
                    if ended.len() == REMEMBERED {
                        ended.clear();
                    }
                    ended.insert(fingerprint(old.as_deref()));
                }
                comes_back = ended.contains(&fingerprint(name));
            }
        }
        room.push(&line, recording.as_ref(), comes_back);
    }
    let _ = room.write(sink)?;
    Ok(room.unplaced)
}

/// The room that is being read.
struct Room {
    batch: Batch,
    rooms: Rooms,
    unplaced: u64,
}

impl Room {
    fn push(&mut self, line: &input::Line, recording: Option<&Recording<'_>>, comes_back: bool) {
        self.batch.set_source(&line.place.source);
        match recording {
            Some(record) if comes_back && record.would_be_placed() => {
                let room = self.rooms.id(record.room.as_deref());
                self.batch.push_refused(&line.bytes, line.place.line, room, Fate::ComesBack);
            }
            _ => self.batch.push(&line.bytes, line.place.line, recording, &mut self.rooms),
        }
    }

    fn write(&mut self, sink: &mut Sink<'_>) -> anyhow::Result<ControlFlow<()>> {
        for entry in &self.batch.entries {
            self.unplaced += u64::from(entry.fate == Fate::Nothing);
            if jsonl::write(sink, &self.batch, entry, &self.rooms)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Whoever reads us may want to begin with this room.
        sink.flush()?;
        self.batch.clear();
        self.rooms = Rooms::default();
        Ok(ControlFlow::Continue(()))
    }
}

fn fingerprint(room: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    room.hash(&mut hasher);
    hasher.finish()
}
