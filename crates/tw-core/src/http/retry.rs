//! When to try again, and after how long.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::HttpError;
use crate::messages;

/// The longest pause of our own.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is waited for in full: with more, we ask
/// earlier, and give up after the same number of times.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// How often a request is tried again, and after which pause at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries after the first one.
    pub retries: u32,
    /// The pause before the second try. Each further one is twice as long, up to
    /// a minute, and all are lengthened by chance, at most to the double.
    pub first_pause: Duration,
}

impl Policy {
    /// The tries of one request.
    pub fn attempts(&self) -> Attempts {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(LONGEST_PAUSE.max(self.first_pause))
            .with_max_times(self.retries as usize)
            .with_jitter()
            .build();
        Attempts { backoff }
    }

    /// Does something that may fail in passing, as often as needed and allowed.
    ///
    /// # Errors
    /// The first error that no other try can mend, or the last one.
    pub fn run<T>(&self, what: &str, mut work: impl FnMut() -> Result<T, HttpError>) -> Result<T, HttpError> {
        let mut attempts = self.attempts();
        loop {
            match work() {
                Err(error) if error.is_transient() && attempts.pause(what, &error) => {}
                result => return result,
            }
        }
    }
}

/// The tries of one request that are left.
#[derive(Debug)]
pub struct Attempts {
    backoff: ExponentialBackoff,
}

impl Attempts {
    /// Waits before the next try; `false`, at once, when none is left.
    pub fn pause(&mut self, what: &str, why: &HttpError) -> bool {
        let Some(own) = self.backoff.next() else { return false };
        let pause = longer(own, why.retry_after());
        messages::verbose(format_args!("{what}: {why}; trying again in {:.1} s", pause.as_secs_f64()));
        std::thread::sleep(pause);
        true
    }
}

/// Our own pause, or the one that was asked for, as far as we wait for that.
fn longer(own: Duration, asked: Option<Duration>) -> Duration {
    own.max(asked.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

/// The value of a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date
/// in any of the three forms that HTTP has known (5.6.7).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds: as long as can be.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Side, StatusError};

    fn answer(status: u16) -> HttpError {
        HttpError::Status(StatusError { side: Side::Twilio, status, said: String::new(), retry_after: None })
    }

    fn tries(error: &HttpError) -> u32 {
        let mut count = 0;
        let policy = Policy { retries: 3, first_pause: Duration::ZERO };
        let result: Result<(), _> = policy.run("x", || {
            count += 1;
            Err(error.clone())
        });
        assert_eq!(result.unwrap_err(), *error);
        count
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(tries(&answer(status)), 4, "{status}");
        }
        for status in [302, 400, 401, 403, 404, 410, 501] {
            assert_eq!(tries(&answer(status)), 1, "{status}");
        }
        assert_eq!(tries(&HttpError::Timeout(String::new())), 4);
        assert_eq!(tries(&HttpError::Refused(String::new())), 1);
    }

    #[test]
    fn pauses_grow_and_end() {
        let policy = Policy { retries: 9, first_pause: Duration::from_secs(1) };
        let pauses: Vec<Duration> = policy.attempts().backoff.collect();
        assert_eq!(pauses.len(), 9);
        for (n, pause) in pauses.iter().enumerate() {
            let least = Duration::from_secs(1 << n).min(LONGEST_PAUSE);
            assert!(*pause >= least && *pause <= least * 2, "{n}: {pause:?}");
        }
    }

    #[test]
    fn a_pause_is_as_long_as_was_asked_for_up_to_two_minutes() {
        let pause = |own, asked: Option<u64>| {
            longer(Duration::from_secs(own), asked.map(Duration::from_secs)).as_secs()
        };
        assert_eq!(pause(3, None), 3);
        assert_eq!(pause(3, Some(1)), 3);
        assert_eq!(pause(3, Some(90)), 90);
        assert_eq!(pause(3, Some(86_400)), 120);
        assert_eq!(pause(3, Some(u64::MAX)), 120);
        // With --retry-delay.
        assert_eq!(pause(600, Some(86_400)), 600);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        let seconds = |text| retry_after(text, now).map(|d| d.as_secs());
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:30 GMT"), Some(30));
        // RFC 850's, and that of C's asctime.
        assert_eq!(seconds("Wednesday, 21-Oct-15 07:28:30 GMT"), Some(30));
        assert_eq!(seconds("Wed Oct 21 07:28:30 2015"), Some(30));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:27:00 GMT"), Some(0));
        for text in ["", "-1", "1.5", "soon", "Wed, 99 Oct 2015 07:28:00 GMT"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
