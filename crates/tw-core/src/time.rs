//! Times as ffprobe writes them, to integers with no float on the way; and as people read them.

use std::fmt::Write as _;

/// Microseconds, the precision of ffprobe's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

impl Micros {
    /// Reads seconds as ffprobe writes them: `1.564000`, `-0.007000`. `None` for
    /// `N/A`, for anything else that is no decimal number, and for times beyond
    /// 292,000 years.
    pub fn parse(seconds: &str) -> Option<Self> {
        let (negative, digits) = match seconds.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, seconds),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let fraction = fraction.get(..6).unwrap_or(fraction);
        let missing = u32::try_from(6 - fraction.len()).ok()?;
        let micros = whole
            .parse::<i64>()
            .ok()?
            .checked_mul(1_000_000)?
            .checked_add(fraction.parse::<i64>().ok()? * 10_i64.pow(missing))?;
        Some(Self(if negative { -micros } else { micros }))
    }

    /// The nearest millisecond; halves away from zero.
    pub fn millis(self) -> i64 {
        let (ms, rest) = (self.0 / 1000, self.0 % 1000);
        ms + if rest >= 500 { 1 } else { 0 } - if rest <= -500 { 1 } else { 0 }
    }
}

/// Milliseconds as `1:05`, or `2:00:00` from an hour on; with `exact`, the last three digits too.
pub fn clock(ms: i64, exact: bool) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let mut text = match hours {
        0 => format!("{sign}{minutes}:{seconds:02}"),
        _ => format!("{sign}{hours}:{minutes:02}:{seconds:02}"),
    };
    if exact {
        let _ = write!(text, ".{:03}", ms % 1000);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_become_milliseconds() {
        for (text, ms) in [
            ("1.564000", 1564),
            ("142.242000", 142_242),
            ("-0.007000", -7),
            ("0.000000", 0),
            ("0.000499", 0),
            ("0.000500", 1),
            ("-0.000500", -1),
            ("-0.000499", 0),
            ("3", 3000),
            ("3.5", 3500),
            ("1.0004999999", 1000),
            ("163481005.731000", 163_481_005_731),
        ] {
            assert_eq!(Micros::parse(text).map(Micros::millis), Some(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["N/A", "", "-", ".5", "5.", "1e3", "+1.0", " 1.0", "1.0x", "--1", "99999999999999999999"]
        {
            assert_eq!(Micros::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_as_a_clock_shows_them() {
        assert_eq!(clock(65_020, true), "1:05.020");
        assert_eq!(clock(7_200_000, false), "2:00:00");
        assert_eq!(clock(-1564, true), "-0:01.564");
    }

    proptest! {
        #[test]
        fn whole_milliseconds_come_through(ms in -10_i64.pow(15)..10_i64.pow(15)) {
            let sign = if ms < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:03}000", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000);
            prop_assert_eq!(Micros::parse(&text).map(Micros::millis), Some(ms));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = Micros::parse(&text).map(Micros::millis);
        }
    }
}
