//! Rooms to try the tools on: who was there, when, and what Twilio says of it.

use std::path::Path;

use crate::recording::{Kind, Recording};
use crate::sid::room_sid;
use crate::track::Track;

/// A room and its recordings: one of sound and one of picture for each person.
#[derive(Clone, Debug)]
pub struct Room {
    name: &'static str,
    length_ms: i64,
    people: Vec<Person>,
}

/// A participant, with what Twilio's `offset` and the containers' start times are.
#[derive(Clone, Copy, Debug)]
struct Person {
    identity: &'static str,
    colour: &'static str,
    pitch_hz: u32,
    offset_ms: i64,
    sound_start_ms: i64,
    picture_start_ms: i64,
}

impl Room {
    /// The room of Twilio's tutorial, its numbers to the millisecond: additions
    /// 163481007295, ...315, 163481026521 and ...546, so that bob joins alice
    /// 19.226 s (sound) and 19.251 s (picture) after her first sound. It lasts 40 s.
    #[must_use]
    pub fn tutorial() -> Self {
        Self {
            name: "tutorial",
            length_ms: 40_000,
            people: vec![
                Person::new("alice", "0x1f4e79", 660, 163_481_005_731, 1564, 1584),
                Person::new("bob", "0x7a3b1d", 880, 163_481_005_732, 20_789, 20_814),
            ],
        }
    }

    /// Three rooms of 4, 5 and 6 s with one, two and three people. In the last the
    /// offsets differ, as after the recovery of a room: only the sums are right.
    #[must_use]
    pub fn small() -> [Self; 3] {
        [
            Self {
                name: "solo",
                length_ms: 4000,
                people: vec![Person::new("carol", "0x2e5e2e", 550, 7_200_000, 812, 850)],
            },
            Self {
                name: "pair",
                length_ms: 5000,
                people: vec![
                    Person::new("dave", "0x5b2e5e", 600, 90_000_123, 1033, 1012),
                    Person::new("erin", "0x5e5b2e", 750, 90_000_123, 2240, 2301),
                ],
            },
            Self {
                name: "trio",
                length_ms: 6000,
                people: vec![
                    Person::new("frank", "0x2e5b5e", 500, 4_400_000, 1500, 1521),
                    Person::new("grace", "0x5e2e3c", 700, 4_401_000, 1275, 1310),
                    Person::new("heidi", "0x3c3c5e", 900, 4_402_500, 1350, 1402),
                ],
            },
        ]
    }

    /// The room's SID.
    #[must_use]
    pub fn sid(&self) -> String {
        room_sid(self.name)
    }

    /// Makes the media that `dir` does not have yet, with ffmpeg, and gives the
    /// recordings to serve.
    ///
    /// # Errors
    /// Where ffmpeg cannot be run or fails, or the folder cannot be written.
    pub fn make(&self, dir: &Path) -> anyhow::Result<Vec<Recording>> {
        let mut recordings = Vec::new();
        for (person, kind) in self.places() {
            let track = self.track(person, kind);
            let recording = match kind {
                Kind::Audio => Recording::audio(&self.sid(), person.identity),
                _ => Recording::video(&self.sid(), person.identity),
            };
            recordings.push(
                recording
                    .offset(person.offset_ms)
                    .duration(track.length_ms.unsigned_abs() / 1000)
                    .date_created(&track.created())
                    .file(track.make(&dir.join(self.name))?),
            );
        }
        Ok(recordings)
    }

    fn places(&self) -> impl Iterator<Item = (&Person, Kind)> {
        self.people.iter().flat_map(|person| [(person, Kind::Audio), (person, Kind::Video)])
    }

    /// Milliseconds from the origin of the offsets to the first sample of the room.
    fn reference_ms(&self) -> i64 {
        let additions = self.places().map(|(person, kind)| person.addition_ms(kind));
        additions.min().unwrap_or(0)
    }

    fn track(&self, person: &Person, kind: Kind) -> Track {
        let joined_ms = person.addition_ms(kind) - self.reference_ms();
        Track {
            identity: person.identity,
            kind,
            colour: person.colour,
            pitch_hz: person.pitch_hz,
            start_ms: person.start_ms(kind),
            joined_ms,
            length_ms: self.length_ms - joined_ms,
        }
    }
}

impl Person {
    const fn new(
        identity: &'static str,
        colour: &'static str,
        pitch_hz: u32,
        offset_ms: i64,
        sound_start_ms: i64,
        picture_start_ms: i64,
    ) -> Self {
        Self { identity, colour, pitch_hz, offset_ms, sound_start_ms, picture_start_ms }
    }

    fn start_ms(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Audio => self.sound_start_ms,
            _ => self.picture_start_ms,
        }
    }

    fn addition_ms(&self, kind: Kind) -> i64 {
        self.offset_ms + self.start_ms(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tutorials_numbers_come_out() {
        let room = Room::tutorial();
        let additions: Vec<i64> = room.places().map(|(p, kind)| p.addition_ms(kind)).collect();
        assert_eq!(additions, [163_481_007_295, 163_481_007_315, 163_481_026_521, 163_481_026_546]);
        let joined: Vec<i64> = room.places().map(|(p, kind)| room.track(p, kind).joined_ms).collect();
        assert_eq!(joined, [0, 20, 19_226, 19_251]);
    }
}
