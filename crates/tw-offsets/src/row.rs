//! A record as people see it: a row of a table.

use std::path::Path;

use tw_core::Record;

use crate::offsets::Offsets;
use crate::rooms::RoomId;

/// One record, with its place on the timeline if it has one.
#[derive(Debug)]
pub struct Row {
    /// Its room.
    pub room: RoomId,
    /// The record itself.
    pub record: Record,
    /// Its place.
    pub offsets: Option<Offsets>,
}

impl Row {
    /// What the tutorial calls the track: its name, else the file's, else the SID.
    pub fn name(&self) -> String {
        self.record
            .text_of("track_name")
            .filter(|name| !name.is_empty())
            .or_else(|| self.name_elsewhere())
            .unwrap_or_default()
    }

    /// A name for a track that has none.
    pub fn name_elsewhere(&self) -> Option<String> {
        let path = self.record.text_of("path");
        let file = path.as_deref().and_then(|path| Path::new(path).file_name()?.to_str());
        file.map(str::to_owned).or_else(|| self.record.text_of("sid"))
    }

    /// Where the room's timeline begins.
    pub fn is_reference(&self) -> bool {
        self.offsets.is_some_and(|offsets| offsets.relative == 0)
    }
}
