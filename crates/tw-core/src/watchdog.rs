//! How long a child may be silent.
//!
//! Silence alone doesn't tell that it hangs: ffmpeg says nothing while it decodes hours on its
//! way to a window. So one that works is given more time, but not without end.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Silence is counted in pieces of this length: while this process is stopped (Ctrl-Z), and
/// its children with it, no more than one of them counts.
const PIECE: Duration = Duration::from_secs(1);
/// Who spends this part of the limit of a processor's time, in half of it, is at work. One
/// that hangs spends none, or next to none on saying twice a second that it is no further.
const WORK: u32 = 100;
/// How often those at work are given another limit, which makes ten of them in all: there are
/// files over which they never end.
const GRACES: u32 = 9;

/// What is left of it.
#[derive(Debug)]
pub struct Watchdog {
    limit: Duration,
    /// The children whose work counts, by their process IDs.
    workers: Vec<u32>,
    silent: Duration,
    /// What they had spent after half of the limit, as far as the system tells.
    spent: Option<Option<Duration>>,
    graces: u32,
}

impl Watchdog {
    /// With children that may be silent for so long.
    pub fn new(limit: Duration, workers: Vec<u32>) -> Self {
        Self { limit, workers, silent: Duration::ZERO, spent: None, graces: GRACES }
    }

    /// How long they may be silent.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Others whose work counts, too.
    pub fn counts(&mut self, workers: impl IntoIterator<Item = u32>) {
        self.workers.extend(workers);
    }

    /// They gave a sign of life.
    pub fn renew(&mut self) {
        (self.silent, self.spent, self.graces) = (Duration::ZERO, None, GRACES);
    }

    /// Whether it is over after so much more silence.
    pub fn is_over_after(&mut self, more: Duration) -> bool {
        self.is_over(more, spent)
    }

    fn is_over(&mut self, more: Duration, spent: impl Fn(&[u32]) -> Option<Duration>) -> bool {
        self.silent += more.min(PIECE);
        let Some(then) = self.spent else {
            self.spent = (self.silent >= self.limit / 2).then(|| spent(&self.workers));
            return false;
        };
        if self.silent < self.limit {
            return false;
        }
        let works = then.zip(spent(&self.workers)).is_some_and(|(then, now)| now >= then + self.limit / WORK);
        if !works || self.graces == 0 {
            return true;
        }
        (self.silent, self.spent, self.graces) = (Duration::ZERO, None, self.graces - 1);
        false
    }

    /// Receives something before it is over.
    ///
    /// # Errors
    /// When it is over, or nothing can come any more.
    pub fn receive<T>(&mut self, from: &Receiver<T>) -> Result<T, RecvTimeoutError> {
        loop {
            let piece = PIECE.min(self.limit / 2).max(Duration::from_millis(1));
            let begun = Instant::now();
            match from.recv_timeout(piece) {
                Err(RecvTimeoutError::Timeout) if !self.is_over_after(begun.elapsed()) => {}
                other => return other,
            }
        }
    }
}

/// What the processes in these children's groups have spent of the processors' time: a child
/// may be a script that has started ffmpeg.
#[cfg(target_os = "linux")]
fn spent(workers: &[u32]) -> Option<Duration> {
    let is_one = |group: i32| workers.iter().any(|&id| i32::try_from(id) == Ok(group));
    let stats = procfs::process::all_processes().ok()?.filter_map(|process| process.ok()?.stat().ok());
    let ticks: u64 = stats
        .filter(|stat| is_one(stat.pgrp))
        // And what those had spent for which they have waited.
        .map(|stat| stat.utime + stat.stime + u64::try_from(stat.cutime + stat.cstime).unwrap_or(0))
        .sum();
    Some(Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64))
}

#[cfg(not(target_os = "linux"))]
fn spent(_: &[u32]) -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const SECOND: Duration = Duration::from_secs(1);

    /// After how many seconds of silence it is over for children who spend so much in each.
    fn lasts(each: Duration) -> u32 {
        let mut watchdog = Watchdog::new(8 * SECOND, vec![1]);
        let spent = Cell::new(Duration::ZERO);
        (1..)
            .find(|_| {
                spent.set(spent.get() + each);
                watchdog.is_over(SECOND, |_| Some(spent.get()))
            })
            .unwrap()
    }

    #[test]
    fn who_works_is_given_more_time_but_not_without_end() {
        assert_eq!(lasts(Duration::ZERO), 8);
        assert_eq!(lasts(Duration::from_millis(1)), 8);
        assert_eq!(lasts(SECOND), 80);
    }

    #[test]
    fn a_sign_of_life_renews_it() {
        let mut watchdog = Watchdog::new(2 * SECOND, Vec::new());
        assert!(!watchdog.is_over(SECOND, |_| None));
        watchdog.renew();
        assert!(!watchdog.is_over(SECOND, |_| None));
        assert!(watchdog.is_over(SECOND, |_| None));
    }

    #[test]
    fn a_pause_of_this_very_process_hardly_counts() {
        let mut watchdog = Watchdog::new(8 * SECOND, Vec::new());
        assert!(!watchdog.is_over(3600 * SECOND, |_| None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_group_spends() {
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        let begun = spent(&[own.try_into().unwrap()]).unwrap();
        let mut sum = 0_u64;
        while spent(&[own.try_into().unwrap()]).unwrap() < begun + Duration::from_millis(20) {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum.wrapping_add(n)));
        }
        assert_eq!(spent(&[]), Some(Duration::ZERO));
    }
}
