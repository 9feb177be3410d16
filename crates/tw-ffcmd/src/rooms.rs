//! Records sorted into rooms, and what belongs to none.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use tw_core::failure::Failure;
use tw_core::input::Place;
use tw_core::record::Record;
use tw_core::{filter, messages};

use crate::recordings::Recordings;
use crate::room::{Read, Room, Track, read};

/// One room's records: what can be shown, what was passed over, what stands in the way.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The tracks.
    pub room: Room,
    /// Why records were passed over, and how many of each.
    pub passed_over: Vec<(&'static str, usize)>,
    /// Recordings that are missing: what to call them, and why.
    pub missing: Vec<(String, String)>,
}

impl Gathered {
    fn of(sid: Option<String>) -> Self {
        Self { room: Room { sid, tracks: Vec::new() }, ..Self::default() }
    }

    /// Takes out the tracks of these files, which are missing, each for a reason.
    pub fn lose(&mut self, files: &[(PathBuf, String)]) {
        for (path, why) in files {
            for track in self.room.tracks.extract_if(.., |track| track.path == *path) {
                self.missing.push((track.label(), why.clone()));
            }
        }
    }

    fn pass_over(&mut self, why: &'static str) {
        match self.passed_over.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, count)) => *count += 1,
            None => self.passed_over.push((why, 1)),
        }
    }

    /// Whether this recording is there already.
    fn has(&self, track: &Track) -> bool {
        track.sid.is_some() && self.room.tracks.iter().any(|there| there.sid == track.sid)
    }
}

/// A recording that is missing, of a room that its record doesn't tell: where tw-fetch couldn't
/// even get the metadata, for one.
#[derive(Debug)]
pub struct Stray {
    /// Its record.
    pub record: Record,
    /// What is wrong with it; `None` where an earlier tool has marked it.
    pub failure: Option<Failure>,
}

impl Stray {
    /// What is wrong with it.
    pub fn why(&self) -> String {
        let marked = || self.record.failure().map(|mark| mark.message);
        self.failure.as_ref().map(|failure| failure.message.clone()).or_else(marked).unwrap_or_default()
    }
}

/// Sorts records into rooms, in the order in which rooms appear.
#[derive(Debug, Default)]
pub struct Rooms {
    order: Vec<Gathered>,
    index: HashMap<Option<String>, usize>,
    strays: Vec<Stray>,
    paths: HashSet<PathBuf>,
}

/// All records, sorted.
#[derive(Debug)]
pub struct Sorted {
    /// The rooms, in the order in which they appeared.
    pub rooms: Vec<Gathered>,
    /// Why other records were passed over, and how many of each.
    pub passed_over: Vec<(&'static str, usize)>,
    /// What is missing, somewhere.
    pub strays: Vec<Stray>,
    /// Every file that a record names.
    pub recordings: Recordings,
}

impl Rooms {
    /// Takes one record, which stood at that place; the failure, if any, has been noted in its room.
    ///
    /// # Errors
    /// The failure, for a message.
    pub fn take(&mut self, record: &Record, place: &Place) -> Result<(), Failure> {
        self.paths.extend(record.text_of("path").map(PathBuf::from));
        let sid = record.room_sid();
        if let Some(mark) = record.failure() {
            match sid {
                None => self.strays.push(Stray { record: record.clone(), failure: None }),
                sid => self.room(sid).missing.push((record.label(), mark.message)),
            }
            return Ok(());
        }
        match read(record).map_err(|failure| filter::at_place(record, place, failure)) {
            Ok(Read::Track(track)) => {
                let gathered = self.room(sid);
                // Two cells, and a voice twice as loud, are hardly meant.
                if gathered.has(&track) {
                    messages::warn(format_args!("{}: came twice, and is composed once", record.label()));
                } else {
                    gathered.room.tracks.push(*track);
                }
                Ok(())
            }
            Ok(Read::PassedOver(why)) => {
                self.room(sid).pass_over(why);
                Ok(())
            }
            Err(failure) if sid.is_none() => {
                self.strays.push(Stray { record: record.clone(), failure: Some(failure) });
                Ok(())
            }
            Err(failure) => {
                self.room(sid).missing.push((record.label(), failure.message.clone()));
                Err(failure)
            }
        }
    }

    fn room(&mut self, sid: Option<String>) -> &mut Gathered {
        let at = *self.index.entry(sid.clone()).or_insert_with(|| {
            self.order.push(Gathered::of(sid));
            self.order.len() - 1
        });
        &mut self.order[at]
    }

    /// What has been taken. Of what there is nothing to show of, and which tells no room, no
    /// room is made beside others.
    pub fn sorted(self) -> Sorted {
        let is_none = |gathered: &Gathered| gathered.room.sid.is_none() && gathered.room.tracks.is_empty();
        let (mut rooms, mut passed_over) = (self.order, Vec::new());
        if rooms.len() > 1 {
            let none = rooms.extract_if(.., |gathered| is_none(gathered));
            passed_over = none.flat_map(|gathered| gathered.passed_over).collect();
        }
        Sorted { rooms, passed_over, strays: self.strays, recordings: Recordings::new(self.paths) }
    }
}

impl Sorted {
    /// The room that a stray must be of, as far as that can be told: the one without a SID,
    /// or the only one.
    pub fn home(&mut self) -> Option<&mut Gathered> {
        let only = self.rooms.len() == 1;
        self.rooms.iter_mut().find(|gathered| only || gathered.room.sid.is_none())
    }

    /// Whether a stray is there after all: it failed at first, and was had when it was tried again.
    pub fn has(&self, stray: &Stray) -> bool {
        let sid = stray.record.text_of("sid");
        let mut tracks = self.rooms.iter().flat_map(|gathered| &gathered.room.tracks);
        sid.is_some() && tracks.any(|track| track.sid == sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(records: &[&str]) -> Sorted {
        let mut rooms = Rooms::default();
        for &text in records {
            rooms.take(&Record::parse(text).unwrap(), &Place::default()).unwrap();
        }
        rooms.sorted()
    }

    const BOB: &str = r#"{"sid":"RT4","type":"video","path":"bob.mkv","start_time_ms":20814,"end_time_ms":40814,
        "relative_offset_ms":19251,"grouping_sids":{"room_sid":"RM1"}}"#;
    const GONE: &str = r#"{"sid":"RT7","grouping_sids":{"room_sid":"RM2"},"error":{"tool":"tw-fetch","kind":"http","message":"gone"}}"#;
    const STRAY: &str = r#"{"sid":"RT8","error":{"tool":"tw-fetch","kind":"http","message":"unknown"}}"#;

    #[test]
    fn rooms_in_order_with_what_is_missing() {
        let carol = BOB.replace("\"sid\":\"RT", "\"sid\":\"RTother");
        // Bob's came twice.
        let Sorted { rooms, .. } = sorted(&[BOB, GONE, &carol, BOB]);
        assert_eq!(rooms.len(), 2);
        assert_eq!(rooms[0].room.tracks.len(), 2);
        assert_eq!(rooms[1].missing, [("RT7".to_owned(), "gone".to_owned())]);
    }

    #[test]
    fn what_there_is_nothing_to_show_of_makes_no_room_beside_others() {
        let data = r#"{"sid":"RT9","type":"data"}"#;
        let mut sorted = sorted(&[data, BOB, STRAY]);
        assert_eq!((sorted.rooms.len(), sorted.passed_over.len()), (1, 1));
        assert!(sorted.home().is_some());
        assert_eq!(self::sorted(&[data]).rooms.len(), 1);
    }

    #[test]
    fn who_was_had_after_all_is_not_missing() {
        let again = BOB.replace("RT4", "RT8");
        let sorted = sorted(&[STRAY, &again]);
        assert!(sorted.has(&sorted.strays[0]));
        let sorted = self::sorted(&[STRAY, BOB]);
        assert!(!sorted.has(&sorted.strays[0]));
    }

    #[test]
    fn a_failure_without_a_room_is_of_the_only_one() {
        let nameless = BOB.replace("RM1", "");
        for (records, home) in [
            (&[STRAY, BOB][..], Some(Some("RM1"))),
            (&[BOB, STRAY, GONE], None),
            (&[STRAY], None),
            (&[BOB, r#"{"sid":"RT5","type":"video"}"#], Some(Some("RM1"))),
            (&[BOB, GONE, STRAY, &nameless.replace("\"room_sid\":\"\"", "")], Some(None)),
        ] {
            let mut sorted = sorted(records);
            assert_eq!(sorted.strays.len(), 1);
            assert!(["unknown", "no path: run tw-fetch first"].contains(&&*sorted.strays[0].why()));
            assert_eq!(sorted.home().map(|home| home.room.sid.as_deref()), home, "{records:?}");
        }
    }
}
