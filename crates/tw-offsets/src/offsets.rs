//! The arithmetic: the tutorial's step 5, in integers.

/// What a recording says about its own time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Twilio's: since a moment that all recordings of the room share.
    pub offset: i64,
    /// The container's start time.
    pub start_time: i64,
}

impl Times {
    /// offset + start time: when the recording begins, on a clock that all
    /// recordings of the room share. `None` beyond 64 bits.
    pub fn addition(self) -> Option<i64> {
        self.offset.checked_add(self.start_time)
    }
}

/// A recording's place on the room's timeline, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// offset + start time.
    pub addition: i64,
    /// The least addition of the room: where its timeline begins.
    pub reference: i64,
    /// addition − reference: never negative.
    pub relative: i64,
}

impl Offsets {
    /// `None` when the two are farther apart than 64 bits can say.
    pub fn new(addition: i64, reference: i64) -> Option<Self> {
        Some(Self { addition, reference, relative: addition.checked_sub(reference)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tutorials_numbers() {
        let additions = [
            (163_481_005_731, 1564),
            (163_481_005_731, 1584),
            (163_481_005_732, 20789),
            (163_481_005_732, 20814),
        ]
        .map(|(offset, start_time)| Times { offset, start_time }.addition().unwrap());
        assert_eq!(additions, [163_481_007_295, 163_481_007_315, 163_481_026_521, 163_481_026_546]);
        let reference = additions.into_iter().min().unwrap();
        let relative = additions.map(|addition| Offsets::new(addition, reference).unwrap().relative);
        assert_eq!(relative, [0, 20, 19226, 19251]);
    }

    proptest! {
        #[test]
        fn sums_and_differences_are_exact_or_none(offset: i64, start_time: i64, reference: i64) {
            let sum = i128::from(offset) + i128::from(start_time);
            let addition = Times { offset, start_time }.addition();
            prop_assert_eq!(addition, i64::try_from(sum).ok());
            if let Some(addition) = addition {
                let relative = Offsets::new(addition, reference).map(|offsets| i128::from(offsets.relative));
                let exact = i128::from(addition) - i128::from(reference);
                prop_assert_eq!(relative, i64::try_from(exact).is_ok().then_some(exact));
            }
        }
    }
}
