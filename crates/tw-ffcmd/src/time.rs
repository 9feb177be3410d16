//! Time on a room's timeline: milliseconds as Twilio counts them, and frames as
//! the output counts them. Integers throughout: a float would lose a frame
//! sooner or later.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// A point or a span of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// No time at all; the beginning of the timeline.
    pub const ZERO: Self = Self(0);

    /// As ffmpeg's options and expressions take it: seconds with three decimals.
    pub fn seconds(self) -> Seconds {
        Seconds(self)
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Millis {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Shows [`Millis`] as seconds: `19.251`, `-0.007`.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(Millis);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.0;
        let sign = if ms < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:03}", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000)
    }
}

/// Reads the length of a chunk: a time of a day at most.
///
/// # Errors
/// When it is something else.
pub fn parse_chunk(text: &str) -> Result<Millis, String> {
    let chunk = parse_time(text)?;
    if chunk > Millis(86_400_000) {
        return Err(format!("'{text}' is longer than a day"));
    }
    Ok(chunk)
}

/// A time as people type it: `90`, `1:30`, `00:01:30.5`.
///
/// # Errors
/// A line that says which forms there are.
pub fn parse_time(text: &str) -> Result<Millis, String> {
    let wrong = || format!("'{text}' is no time: write seconds (90, 90.5) or [HH:]MM:SS[.mmm]");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts: Vec<&str> = whole.split(':').collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(|part| digits(part)) || (text.contains('.') && !digits(fraction))
    {
        return Err(wrong());
    }
    let mut seconds: i64 = 0;
    for (i, part) in parts.iter().enumerate() {
        let value: i64 = part.parse().map_err(|_| wrong())?;
        if i > 0 && value >= 60 {
            return Err(wrong());
        }
        seconds = seconds.checked_mul(60).and_then(|s| s.checked_add(value)).ok_or_else(wrong)?;
    }
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().map_err(|_| wrong())?;
    seconds.checked_mul(1000).and_then(|ms| ms.checked_add(millis)).map(Millis).ok_or_else(wrong)
}

/// Frames per second, as a fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Frames …
    pub frames: NonZeroU32,
    /// … in so many seconds.
    pub seconds: NonZeroU32,
}

impl Rate {
    /// The frame nearest to a time: a half goes away from zero, as in ffmpeg's
    /// `settb` (libavutil, `AV_ROUND_NEAR_INF`).
    pub fn nearest(self, time: Millis) -> i64 {
        let (n, d) = self.scaled(time);
        let rounded = (n.abs() * 2 + d) / (d * 2);
        clamp(if n < 0 { -rounded } else { rounded })
    }

    /// The least number of frames that lasts as long as a span.
    pub fn ceil(self, span: Millis) -> i64 {
        let (n, d) = self.scaled(span);
        clamp(-(-n).div_euclid(d))
    }

    /// When a frame is shown, to the millisecond, rounded down.
    pub fn time_of(self, frame: i64) -> Millis {
        let n = i128::from(frame) * 1000 * i128::from(self.seconds.get());
        Millis(clamp(n.div_euclid(i128::from(self.frames.get()))))
    }

    /// When a frame is shown, in seconds to the microsecond, as ffmpeg takes it.
    pub fn seconds_of(self, frame: i64) -> String {
        let micros = (i128::from(frame) * 1_000_000 * i128::from(self.seconds.get()))
            .div_euclid(i128::from(self.frames.get()));
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    /// Frames per second as a number, for records.
    pub fn as_f64(self) -> f64 {
        f64::from(self.frames.get()) / f64::from(self.seconds.get())
    }

    fn scaled(self, time: Millis) -> (i128, i128) {
        (i128::from(time.0) * i128::from(self.frames.get()), 1000 * i128::from(self.seconds.get()))
    }
}

fn clamp(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds.get() {
            1 => write!(f, "{}", self.frames),
            seconds => write!(f, "{}/{seconds}", self.frames),
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    /// `30`, `29.97`, `30000/1001`. The decimals that stand for NTSC's rates mean those.
    fn from_str(text: &str) -> Result<Self, String> {
        // Enough for 240000/1001; ticks of such a clock still fit with hours of them.
        const MOST: u32 = 240_000;
        let wrong = || {
            format!(
                "'{text}' is no frame rate: write 30, 29.97 or 30000/1001, from 1 to 240, in numbers up to {MOST}"
            )
        };
        let digits = if text.contains('.') { text.trim_end_matches('0') } else { text };
        let (frames, seconds): (u64, u64) = match digits {
            "23.976" | "23.98" => (24000, 1001),
            "29.97" => (30000, 1001),
            "47.952" | "47.95" => (48000, 1001),
            "59.94" => (60000, 1001),
            "119.88" => (120_000, 1001),
            _ => {
                let (n, d) = match (text.split_once('/'), text.split_once('.')) {
                    (Some((n, d)), _) => (n.to_owned(), d.to_owned()),
                    (None, Some((whole, decimals))) if decimals.len() <= 3 => {
                        (format!("{whole}{decimals}"), format!("1{}", "0".repeat(decimals.len())))
                    }
                    (None, None) => (text.to_owned(), "1".to_owned()),
                    _ => return Err(wrong()),
                };
                (n.parse().map_err(|_| wrong())?, d.parse().map_err(|_| wrong())?)
            }
        };
        let in_range = seconds > 0 && frames >= seconds && frames <= seconds.saturating_mul(240);
        if !in_range {
            return Err(wrong());
        }
        let divisor = gcd(frames, seconds);
        let part = |n: u64| {
            let n = u32::try_from(n / divisor).ok().filter(|n| *n <= MOST);
            n.and_then(NonZeroU32::new).ok_or_else(wrong)
        };
        Ok(Self { frames: part(frames)?, seconds: part(seconds)? })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn seconds_have_three_decimals() {
        assert_eq!(Millis(20).seconds().to_string(), "0.020");
        assert_eq!(Millis(19251).seconds().to_string(), "19.251");
        assert_eq!(Millis(-7).seconds().to_string(), "-0.007");
    }

    #[test]
    fn chunks_are_at_most_a_day() {
        assert_eq!(parse_chunk("2.5"), Ok(Millis(2500)));
        assert_eq!(parse_chunk("0"), Ok(Millis::ZERO));
        assert_eq!(parse_chunk("86400"), Ok(Millis(86_400_000)));
        assert!(parse_chunk("86400.001").is_err() && parse_chunk("-1").is_err());
    }

    #[test]
    fn times_as_people_type_them() {
        for (text, ms) in
            [("90", 90_000), ("1:30", 90_000), ("00:01:30.5", 90_500), ("0.0204", 20), ("100:00", 6_000_000)]
        {
            assert_eq!(parse_time(text), Ok(Millis(ms)), "{text}");
        }
        for text in ["", "-1", "1:", ":1", "1:60", "1.", ".5", "1:2:3:4", "1e3", "abc", "9999999999999999999"]
        {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_read_exactly_or_refused() {
        assert_eq!(rate("30").to_string(), "30");
        assert_eq!(rate("29.97").to_string(), "30000/1001");
        assert_eq!([rate("29.970"), rate("119.88")].map(|r| r.to_string()), ["30000/1001", "120000/1001"]);
        assert_eq!(rate("12.5").to_string(), "25/2");
        assert_eq!(rate("25.0").to_string(), "25");
        assert_eq!(rate("240000/1001").to_string(), "240000/1001");
        for text in [
            "4294967295/4294967294",
            "240001/1001",
            "0",
            "-1",
            "1/0",
            "241",
            "0.5",
            "x",
            "",
            "1/2/3",
            "1.2345",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_frame_nearest_to_a_time() {
        assert_eq!(rate("30").nearest(Millis(20)), 1);
        assert_eq!(rate("30").nearest(Millis(16)), 0);
        assert_eq!(rate("30").nearest(Millis(19251)), 578);
        assert_eq!(rate("25").nearest(Millis(-20)), -1);
        assert_eq!(rate("30").ceil(Millis(1000)), 30);
        assert_eq!(rate("30").ceil(Millis(1001)), 31);
        assert_eq!(rate("30").seconds_of(1), "0.033333");
    }

    proptest! {
        #[test]
        fn nearest_is_within_half_a_frame(ms in -10_000_000i64..100_000_000, fps in 1u32..=240) {
            let rate = rate(&fps.to_string());
            let error = rate.nearest(Millis(ms)) * 1000 - ms * i64::from(fps);
            prop_assert!(error.abs() * 2 <= 1000);
        }

        #[test]
        fn a_span_fits_into_its_frames(ms in 0i64..100_000_000, fps in 1u32..=240) {
            let rate = rate(&fps.to_string());
            let frames = rate.ceil(Millis(ms));
            prop_assert!(frames * 1000 >= ms * i64::from(fps));
            prop_assert!((frames - 1) * 1000 < ms * i64::from(fps) || frames == 0);
        }

        #[test]
        fn a_time_survives_being_written(ms in 0i64..1_000_000_000) {
            prop_assert_eq!(parse_time(&Millis(ms).seconds().to_string()), Ok(Millis(ms)));
        }
    }
}
