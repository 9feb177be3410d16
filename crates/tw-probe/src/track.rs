//! What the packets of one stream say about it, gathered while they go by: how
//! many, from when to when, how far apart, and where there are none.
//!
//! Hours of packets need no more memory than minutes: distances are counted by
//! their value.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::Serialize;
use tw_core::time::Micros;

use crate::interval::Interval;
use crate::sizes::{KeyFrames, Sizes};

/// Packets stand in decoding order. H.264 lets a frame be shown at most 16
/// frames later than it is decoded (ITU-T H.264, `max_num_reorder_frames`).
const REORDERED: usize = 16;

/// A span without a packet, on the recording's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The timestamp of the packet before it, in milliseconds.
    pub start_ms: i64,
    /// The timestamp of the packet after it, in milliseconds.
    pub end_ms: i64,
}

/// What is known of a stream's packets so far.
#[derive(Debug, Default)]
pub struct Track {
    packets: u64,
    waiting: BinaryHeap<Reverse<Micros>>,
    span: Option<(Micros, Micros)>,
    distances: BTreeMap<Micros, u64>,
    gaps: Vec<Gap>,
    /// Where its key frames stand.
    pub key_frames: KeyFrames,
    /// What its key frames say, once they have been looked at.
    pub sizes: Option<Sizes>,
    key: Option<Micros>,
    key_distance: Option<Micros>,
}

impl Track {
    /// One more packet. A distance of more than `gap` is noted.
    pub fn add(&mut self, pts: Option<Micros>, is_key: bool, gap: Micros) {
        self.packets += 1;
        if let Some(pts) = pts.filter(|_| is_key) {
            self.key_until(pts);
            self.key = Some(pts);
        }
        if let Some(pts) = pts {
            self.waiting.push(Reverse(pts));
        }
        if self.waiting.len() > REORDERED {
            self.settle_one(gap);
        }
    }

    /// There are no more packets.
    pub fn finish(&mut self, gap: Micros) {
        while !self.waiting.is_empty() {
            self.settle_one(gap);
        }
        if let Some((_, last)) = self.span {
            self.key_until(last);
        }
    }

    /// What runs from the last key frame until now can only be decoded from there on.
    fn key_until(&mut self, pts: Micros) {
        if let Some(key) = self.key {
            self.key_distance = self.key_distance.max(Some(Micros(pts.0.saturating_sub(key.0))));
        }
    }

    /// The earliest packet that waits has its place now.
    fn settle_one(&mut self, gap: Micros) {
        let Some(Reverse(pts)) = self.waiting.pop() else { return };
        let Some((first, last)) = self.span else {
            self.span = Some((pts, pts));
            return;
        };
        self.span = Some((first.min(pts), last.max(pts)));
        // Two times at the far ends of 64 bits are farther apart than 64 bits can say.
        let distance = Micros(pts.0.saturating_sub(last.0));
        if distance.0 > 0 {
            *self.distances.entry(distance).or_default() += 1;
        }
        if distance > gap {
            self.gaps.push(Gap { start_ms: last.millis(), end_ms: pts.millis() });
        }
    }

    /// Whether there is nothing that decoding could begin with.
    pub fn lacks_key_frame(&self) -> bool {
        self.packets > 0 && self.key.is_none()
    }

    /// How many packets there are.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// The least and the greatest timestamp.
    pub fn span(&self) -> Option<(Micros, Micros)> {
        self.span
    }

    /// The median distance between a packet and the next.
    pub fn median(&self) -> Option<Interval> {
        let count: u64 = self.distances.values().sum();
        let nth = |n: u64| {
            let mut before = 0;
            self.distances.iter().find_map(|(&distance, &times)| {
                before += times;
                (n < before).then_some(distance.0)
            })
        };
        let (low, high) = (nth(count.checked_sub(1)? / 2)?, nth(count / 2)?);
        Some(Interval(Micros(low + (high - low) / 2)))
    }

    /// The greatest distance between a packet and the next.
    pub fn longest(&self) -> Option<Interval> {
        self.distances.keys().next_back().map(|&distance| Interval(distance))
    }

    /// The greatest distance from a key frame to the next, or to the end.
    pub fn longest_between_key_frames(&self) -> Option<Interval> {
        self.key_distance.map(Interval)
    }

    /// The spans without a packet.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn track(millis: &[i64], gap: i64) -> Track {
        let gap = Micros(gap * 1000);
        let mut track = Track::default();
        for ms in millis {
            track.add(Some(Micros(ms * 1000)), ms % 400 == 0, gap);
        }
        track.finish(gap);
        track
    }

    fn median(millis: &[i64]) -> Option<i64> {
        track(millis, 1000).median().map(|interval| interval.0.0)
    }

    #[test]
    fn a_gap_is_longer_than_the_limit() {
        let track = track(&[0, 1000, 2001, 2020, 9000], 1000);
        assert_eq!(
            track.gaps(),
            [Gap { start_ms: 1000, end_ms: 2001 }, Gap { start_ms: 2020, end_ms: 9000 }]
        );
        assert_eq!(track.packets(), 5);
        assert_eq!(track.span(), Some((Micros(0), Micros(9_000_000))));
    }

    #[test]
    fn frames_that_stand_in_decoding_order_leave_no_gap() {
        // I P B B P B B, 100 ms apart.
        let track = track(&[0, 300, 100, 200, 600, 400, 500], 150);
        assert_eq!(track.gaps(), []);
        assert_eq!(track.median(), Some(Interval(Micros(100_000))));
        assert_eq!(track.span(), Some((Micros(0), Micros(600_000))));
    }

    #[test]
    fn the_median_needs_two_packets() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5]), None);
        assert_eq!(median(&[5, 38]), Some(33_000));
        assert_eq!(median(&[0, 33, 67, 100, 5000]), Some(33_500));
        assert_eq!(median(&[0, 33, 66, 5000]), Some(33_000));
    }

    #[test]
    fn the_longest_distances() {
        let interval = |ms: i64| Some(Interval(Micros(ms * 1000)));
        let track = |millis: &[i64]| track(millis, 1000);
        // Key frames are those at 0, 400, 800 and 1200.
        let key_frames = |millis: &[i64]| track(millis).longest_between_key_frames();
        assert_eq!(key_frames(&[0, 100, 400, 500, 1200, 1300]), interval(800));
        assert_eq!(key_frames(&[0, 100, 700]), interval(700));
        assert_eq!(key_frames(&[100, 700]), None);
        assert_eq!(track(&[0, 100, 400, 500]).longest(), interval(300));
        assert_eq!(track(&[0]).longest(), None);
    }

    #[test]
    fn packets_without_a_time_count_all_the_same() {
        let mut track = Track::default();
        track.add(None, true, Micros(1));
        track.finish(Micros(1));
        assert_eq!((track.packets(), track.span(), track.median()), (1, None, None));
    }

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_distances(steps in proptest::collection::vec(1_i64..50, 1..80)) {
            let mut at = 0;
            let times: Vec<i64> = std::iter::once(0).chain(steps.iter().map(|s| { at += s; at })).collect();
            let mut sorted = steps.clone();
            sorted.sort_unstable();
            let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
            prop_assert_eq!(median(&times), Some((low + high) * 500));
        }
    }
}
