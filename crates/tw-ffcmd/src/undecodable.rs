//! Packets that can't be decoded. ffmpeg passes over them and ends well, so that what
//! they hold would be missing from the result without a word: here it is said, and a
//! recording of which hardly anything is left fails its room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::{media, messages};

use crate::command::Words;
use crate::encode::{self, failed};
use crate::ffmpeg;
use crate::job::Job;
use crate::room::Kind;

/// Never end for what can't be decoded: how much that is, is asked of each recording by
/// itself (ffmpeg 5.1 counts all inputs of a run together, 9.0 each of them).
pub const GO_ON: [&str; 2] = ["-max_error_rate", "1"];

/// What an ffmpeg says of packets that it can't decode: how many, by the number of its input.
#[derive(Debug, Clone, Default)]
pub struct Complaints(Arc<Mutex<BTreeMap<usize, u64>>>);

impl Complaints {
    /// What its stderr is to be told to.
    pub fn listener(&self) -> impl FnMut(&str) + Send + 'static {
        let counts = Arc::clone(&self.0);
        move |line| {
            if let Some(input) = input_of(line) {
                *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(input).or_default() += 1;
            }
        }
    }

    /// Which of the tracks that it read it complained about.
    pub fn among(&self, tracks: &[usize]) -> BTreeSet<usize> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.keys().filter_map(|&input| tracks.get(input).copied()).collect()
    }

    fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

/// The input of which a line says that a packet can't be decoded: `Error while decoding
/// stream #2:0: …` in ffmpeg 4.2 and 5.1, `[vist#2:0/vp8 @ 0x…] … Decoding error: …` or
/// `… Error submitting packet to decoder: …` in 9.0.
fn input_of(line: &str) -> Option<usize> {
    let number = match line.split_once("Error while decoding stream #") {
        Some((_, rest)) => rest,
        None if line.contains("Decoding error") || line.contains("Error submitting packet to decoder") => {
            line.split_once("ist#")?.1
        }
        None => return None,
    };
    number.split_once(':')?.0.parse().ok()
}

/// What has become of a room's recordings, each looked at when an ffmpeg first complains.
#[derive(Debug)]
pub struct Judge<'a> {
    job: &'a Job,
    stall: Duration,
    allow_incomplete: bool,
    judged: Mutex<BTreeMap<usize, Result<(), Failure>>>,
}

impl<'a> Judge<'a> {
    /// With `allow_incomplete`, a room may lose a recording.
    pub fn new(job: &'a Job, stall: Duration, allow_incomplete: bool) -> Self {
        Self { job, stall, allow_incomplete, judged: Mutex::default() }
    }

    /// Whether all recordings are as long as when they were fetched.
    ///
    /// # Errors
    /// For the first that isn't, unless that is allowed.
    pub fn are_whole(&self) -> Result<(), Failure> {
        for input in &self.job.plan.inputs {
            let track = &self.job.room.tracks[input.track];
            let Some(it) = media::breaks_off(&track.path, track.bytes) else { continue };
            let what = format!("{} ({}) {it}", track.path.display(), track.caption());
            if !self.allow_incomplete {
                let what = format!(
                    "not composed, since {what}: fetch it again (--allow-incomplete composes the rest)"
                );
                return Err(Failure::new(ErrorKind::Media, what));
            }
            messages::warn(format_args!("{}: {what}: the rest of it is missing", self.job.room.label()));
        }
        Ok(())
    }

    /// Whether tracks that were complained about are still good enough; said once of each.
    ///
    /// # Errors
    /// For one of which most can't be decoded, unless that is allowed.
    pub fn judge(&self, tracks: &BTreeSet<usize>) -> Result<(), Failure> {
        // Held while one is looked at: others that need the same have to wait anyway.
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        tracks
            .iter()
            .try_for_each(|&track| judged.entry(track).or_insert_with(|| self.look_at(track)).clone())
    }

    fn look_at(&self, track: usize) -> Result<(), Failure> {
        let room = self.job.room.label();
        let which = &self.job.room.tracks[track];
        let which = format!("{} ({})", which.path.display(), which.caption());
        let (packets, is_hopeless) = self.decode(track)?;
        if !is_hopeless {
            let (packets, hold) = if packets == 1 {
                ("1 packet".into(), "it holds")
            } else {
                (format!("{packets} packets"), "they hold")
            };
            messages::warn(format_args!(
                "{room}: {packets} of {which} can't be decoded: what {hold} is missing"
            ));
        } else if self.allow_incomplete {
            messages::warn(format_args!(
                "{room}: composed without most of {which}, which can't be decoded ({packets} packets)"
            ));
        } else {
            return Err(Failure::new(
                ErrorKind::Media,
                format!(
                    "not composed, since most of {which} can't be decoded ({packets} packets): \
                     take it away and fetch it again (--allow-incomplete composes the rest)"
                ),
            ));
        }
        Ok(())
    }

    /// How many of a recording's packets can't be decoded, and whether that is hopeless: more
    /// than two thirds, where ffmpeg by itself gives up ("ffmpeg Documentation", Main options,
    /// `-max_error_rate`). 7.0, 7.1 and some of 2025 don't, whatever they have counted.
    fn decode(&self, track: usize) -> Result<(u64, bool), Failure> {
        let track = &self.job.room.tracks[track];
        let stream = match track.kind {
            Kind::Audio => "0:a:0",
            Kind::Video => "0:v:0",
        };
        let argv = Words::ffmpeg(&ffmpeg::name())
            .and(["-loglevel", "repeat+warning"])
            .recording(&track.path)
            .and(["-map", stream, "-f", "null"])
            .output("-".as_ref());
        let complaints = Complaints::default();
        let finished = encode::to_its_end(&argv, self.stall, complaints.listener()).map_err(failed)?;
        match finished.status.code() {
            Some(status) => {
                let lost = complaints.count();
                Ok((lost, status != 0 || track.packets.is_some_and(|all| is_most(lost, all))))
            }
            None => {
                let what =
                    format!("{} can't be decoded: ffmpeg was {}", track.path.display(), finished.describe());
                Err(Failure::new(ErrorKind::Ffmpeg, what))
            }
        }
    }
}

/// More than two thirds.
fn is_most(lost: u64, all: u64) -> bool {
    u128::from(lost) * 3 > u128::from(all) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_is_more_than_two_thirds() {
        assert!(!is_most(20, 30) && is_most(21, 30));
        assert!(!is_most(0, 0) && !is_most(1, u64::MAX) && is_most(u64::MAX, u64::MAX));
    }

    #[test]
    fn whose_packet_it_is() {
        for (line, input) in [
            ("Error while decoding stream #2:0: Invalid data found when processing input", Some(2)),
            ("[vist#12:0/vp8 @ 0x55] [dec:vp8 @ 0x56] Decoding error: Invalid data found", Some(12)),
            ("[aist#0:0/opus @ 0x55] [dec:opus @ 0x5] Error submitting packet to decoder: Invalid", Some(0)),
            ("[vp8 @ 0x55] Header size larger than data provided", None),
            ("[vist#0:0/vp8 @ 0x55] corrupt input packet in stream 0", None),
            ("Error while decoding stream #", None),
            ("Decoding error", None),
        ] {
            assert_eq!(input_of(line), input, "{line}");
        }
    }

    #[test]
    fn complaints_are_counted_by_input_and_belong_to_tracks() {
        let complaints = Complaints::default();
        let mut listener = complaints.listener();
        for input in [1, 1, 3] {
            listener(&format!("Error while decoding stream #{input}:0: Invalid data"));
        }
        assert_eq!(complaints.count(), 3);
        // Input 3 is a pipe, which isn't a track.
        assert_eq!(complaints.among(&[7, 5, 9]), BTreeSet::from([5]));
    }
}
