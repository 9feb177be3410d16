//! How far a run is: the time composed, the chunks of the rooms under way, the
//! rooms.

use std::sync::{Mutex, PoisonError};

use tw_core::progress::Progress;

use crate::time::Millis;

/// What is counted over all rooms.
#[derive(Debug)]
pub struct Tally {
    /// In ms of the outputs.
    pub time: Progress,
    counts: Mutex<Counts>,
}

/// Of each, how many are done and how many there are.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    chunks: (usize, usize),
    rooms: (usize, usize),
}

impl Counts {
    /// What there is to say beside the time; of one there is nothing.
    fn describe(self) -> String {
        let of = |kind, (done, all): (usize, usize)| (all > 1).then(|| format!("{kind} {done}/{all}"));
        let parts = [of("chunks", self.chunks), of("rooms", self.rooms)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Tally {
    /// For so many rooms, which last so long in all.
    pub fn new(rooms: usize, lasting: Millis) -> Self {
        let tally = Self { time: Progress::time(lasting.0.unsigned_abs()), counts: Mutex::default() };
        tally.count(|counts| counts.rooms.1 = rooms);
        tally
    }

    /// One more room is composed, or isn't and won't be.
    pub fn room_done(&self) {
        self.count(|counts| counts.rooms.0 += 1);
    }

    /// A room of so many chunks is under way; it is until the value is dropped.
    pub fn begin(&self, chunks: usize) -> Chunks<'_> {
        self.count(|counts| counts.chunks.1 += chunks);
        Chunks { tally: self, all: chunks, done: Mutex::new(0) }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        self.time.describe(&counts.describe());
    }
}

/// The chunks of a room under way.
#[derive(Debug)]
pub struct Chunks<'a> {
    tally: &'a Tally,
    all: usize,
    done: Mutex<usize>,
}

impl Chunks<'_> {
    /// One more is made.
    pub fn one_done(&self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.tally.count(|counts| counts.chunks.0 += 1);
    }
}

impl Drop for Chunks<'_> {
    fn drop(&mut self) {
        let done = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        self.tally.count(|counts| {
            counts.chunks.0 -= done;
            counts.chunks.1 -= self.all;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tally: &Tally) -> String {
        tally.counts.lock().unwrap().describe()
    }

    #[test]
    fn chunks_count_while_their_room_is_under_way() {
        let tally = Tally::new(3, Millis(60_000));
        let one = tally.begin(5);
        let other = tally.begin(3);
        one.one_done();
        other.one_done();
        assert_eq!(said(&tally), "chunks 2/8, rooms 0/3");
        drop(other);
        tally.room_done();
        assert_eq!(said(&tally), "chunks 1/5, rooms 1/3");
        drop(one);
        tally.room_done();
        assert_eq!(said(&tally), "rooms 2/3");
    }

    #[test]
    fn of_one_room_in_one_piece_nothing_is_counted() {
        assert_eq!(said(&Tally::new(1, Millis(60_000))), "");
    }
}
