//! The output's timeline: which part of the room it shows, in how many frames.

use tw_core::failure::Failure;

use crate::room::{Room, Span, Track};
use crate::time::{Millis, Rate};

/// A room that lasts longer isn't one: Twilio ends a participant's stay after a
/// day at most ("Rooms Resource", `MaxParticipantDuration`). A wrong offset may
/// put recordings thousands of years apart, and all of it would be composed.
pub const LONGEST: Millis = Millis(31 * 86_400_000);

/// The part of the room's timeline that becomes the output.
///
/// Output time 0 is `start` on the room's timeline; the room's own 0 is where
/// its first recording begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Frames per second of the output.
    pub rate: Rate,
    /// Where the output begins, on the room's timeline.
    pub start: Millis,
    /// How many frames the output has.
    pub frames: i64,
}

/// Frames of the output, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// The first one.
    pub first: i64,
    /// The one after the last.
    pub end: i64,
}

impl Frames {
    /// How many.
    pub fn count(self) -> i64 {
        self.end - self.first
    }

    /// Those in both.
    pub fn and(self, other: Self) -> Option<Self> {
        let (first, end) = (self.first.max(other.first), self.end.min(other.end));
        (first < end).then_some(Self { first, end })
    }
}

impl Timeline {
    /// The room from `start` to `end`, as far as it lasts.
    ///
    /// # Errors
    /// When nothing of the room lies there, or more than can be.
    pub fn new(rate: Rate, room: &Room, start: Option<Millis>, end: Option<Millis>) -> Result<Self, Failure> {
        let lasts = room.end();
        let start = start.unwrap_or(Millis::ZERO);
        let end = end.map_or(lasts, |end| end.min(lasts));
        if end <= start {
            return Err(Failure::field(format!(
                "nothing to compose between {} s and {} s: the room lasts {} s",
                start.seconds(),
                end.seconds(),
                lasts.seconds()
            )));
        }
        if end - start > LONGEST {
            return Err(Failure::field(format!(
                "its recordings lie {} s apart, more than a month: look at their relative_offset_ms, \
                 or compose a part with --start and --end",
                (end - start).seconds()
            )));
        }
        Ok(Self { rate, start, frames: rate.ceil(end - start) })
    }

    /// All of its frames.
    pub fn all(&self) -> Frames {
        Frames { first: 0, end: self.frames }
    }

    /// Its frames in pieces of about `chunk`, the last one shorter.
    pub fn slices(&self, chunk: Millis) -> Vec<Frames> {
        let frames = self.rate.ceil(chunk).max(1);
        let mut slices = Vec::new();
        let mut first = 0;
        while first < self.frames {
            let end = (first + frames).min(self.frames);
            slices.push(Frames { first, end });
            first = end;
        }
        slices
    }

    /// How long the output lasts: a whole number of frames, to the millisecond.
    pub fn duration(&self) -> Millis {
        self.rate.time_of(self.frames)
    }

    /// A time of the room as a time of the output.
    pub fn at(&self, time: Millis) -> Millis {
        time - self.start
    }

    /// The frames in which something that runs from … to … is seen: its first
    /// frame is the one nearest to its beginning, and it has at least one.
    pub fn frames_of(&self, span: Span) -> Option<Frames> {
        let first = self.rate.nearest(self.at(span.from));
        let end = self.rate.nearest(self.at(span.to)).max(first + 1);
        Frames { first, end }.and(self.all())
    }

    /// Whether anything of a track falls into the output.
    pub fn shows(&self, track: &Track) -> bool {
        let (from, to) = (self.at(track.span.from), self.at(track.span.to));
        to > Millis::ZERO && from < self.duration()
    }
}

/// Moves a room so that its first recording begins at 0.
pub fn from_first(room: &mut Room) {
    let first = room.tracks.iter().map(|track| track.span.from).min().unwrap_or_default();
    room.tracks.iter_mut().for_each(|track| earlier(track, first));
}

/// Moves a track towards the beginning.
fn earlier(track: &mut Track, by: Millis) {
    for span in std::iter::once(&mut track.span).chain(&mut track.gaps) {
        *span = Span { from: span.from - by, to: span.to - by };
    }
}

/// Takes the spans in which nothing runs out of a room, by moving what comes
/// later towards the beginning. Nothing can run across such a span, so every
/// track stays whole.
///
/// The time before the first recording is taken away too.
pub fn without_pauses(room: &mut Room) {
    let mut order: Vec<usize> = (0..room.tracks.len()).collect();
    order.sort_by_key(|&i| room.tracks[i].span.from);
    let mut heard_until = Millis::ZERO;
    let mut cut = Millis::ZERO;
    for i in order {
        let track = &mut room.tracks[i];
        cut = cut + (track.span.from - heard_until).max(Millis::ZERO);
        heard_until = heard_until.max(track.span.to);
        earlier(track, cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::tests_support::track;

    fn room(spans: &[(i64, i64)]) -> Room {
        Room { sid: None, tracks: spans.iter().map(|&(from, to)| track(from, to)).collect() }
    }

    fn spans(room: &Room) -> Vec<(i64, i64)> {
        room.tracks.iter().map(|t| (t.span.from.0, t.span.to.0)).collect()
    }

    #[test]
    fn frames_of_the_whole() {
        let timeline = Timeline::new("30".parse().unwrap(), &room(&[(0, 40_001)]), None, None).unwrap();
        assert_eq!(timeline.frames, 1201);
        let timeline = Timeline::new(
            "30".parse().unwrap(),
            &room(&[(0, 40_001)]),
            Some(Millis(10_000)),
            Some(Millis(12_000)),
        );
        assert_eq!(timeline.unwrap().frames, 60);
    }

    #[test]
    fn a_window_beyond_the_end_is_refused() {
        let error = Timeline::new("30".parse().unwrap(), &room(&[(0, 4000)]), Some(Millis(5000)), None);
        assert!(error.unwrap_err().message.contains("the room lasts 4.000 s"));
    }

    #[test]
    fn recordings_a_lifetime_apart_are_no_room() {
        for end in [i64::MAX, 32 * 86_400_000] {
            let error = Timeline::new("30".parse().unwrap(), &room(&[(0, 4000), (5000, end)]), None, None);
            assert!(error.unwrap_err().message.contains("more than a month"));
        }
        let part = Some(Millis(1000));
        assert!(Timeline::new("30".parse().unwrap(), &room(&[(0, i64::MAX)]), None, part).is_ok());
    }

    #[test]
    fn frames_of_a_track() {
        let timeline = Timeline::new("30".parse().unwrap(), &room(&[(0, 40_000)]), None, None).unwrap();
        let frames = |from, to| timeline.frames_of(Span { from: Millis(from), to: Millis(to) });
        assert_eq!(frames(20, 1053), Some(Frames { first: 1, end: 32 }));
        assert_eq!(frames(20, 25), Some(Frames { first: 1, end: 2 }));
        assert_eq!(frames(50_000, 51_000), None);
    }

    #[test]
    fn pauses_are_taken_out() {
        let mut room = room(&[(500, 1500), (3000, 4000), (1000, 2000), (3500, 6000), (10_000, 10_100)]);
        without_pauses(&mut room);
        assert_eq!(spans(&room), [(0, 1000), (1500, 2500), (500, 1500), (2000, 4500), (4500, 4600)]);
    }
}
