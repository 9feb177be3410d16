//! Whole numbers as flags take them.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What is a whole number of this range is read; for anything else the range is said, in
/// words. A range that ends where the type does has no end that anybody wants to read.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Bounded + Clone + Send + Sync,
{
    move |text| {
        let (least, most) = (range.start(), range.end());
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let is_large = text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            if *most < T::MOST || is_large {
                format!("should be a whole number from {least} to {most}")
            } else {
                format!("should be a whole number, {least} or more")
            }
        })
    }
}

/// A type of whole numbers, of which one is the greatest.
pub trait Bounded {
    /// That one.
    const MOST: Self;
}

impl Bounded for u8 {
    const MOST: Self = Self::MAX;
}
impl Bounded for u16 {
    const MOST: Self = Self::MAX;
}
impl Bounded for u32 {
    const MOST: Self = Self::MAX;
}
impl Bounded for u64 {
    const MOST: Self = Self::MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        assert_eq!(whole(1..=1024_u16)("1024"), Ok(1024));
        assert_eq!(whole(0..=u32::MAX)("0"), Ok(0));
    }

    #[test]
    fn the_range_is_said_in_words() {
        for text in ["0", "1025", "99999999", "-1", "x", "1.5", ""] {
            assert_eq!(
                whole(1..=1024_u16)(text),
                Err("should be a whole number from 1 to 1024".into()),
                "{text}"
            );
        }
        for text in ["0", "-1", "many"] {
            assert_eq!(
                whole(1..=u64::MAX)(text),
                Err("should be a whole number, 1 or more".into()),
                "{text}"
            );
        }
        assert_eq!(
            whole(0..=u32::MAX)("4294967296"),
            Err("should be a whole number from 0 to 4294967295".into())
        );
    }
}
