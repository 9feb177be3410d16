//! A distance in time as records have it.

use serde::{Serialize, Serializer};
use tw_core::time::Micros;

/// A distance in time, written in milliseconds with as many decimals as it needs: `33`, `33.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(pub Micros);

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = self.0.0;
        if micros % 1000 == 0 {
            return serializer.serialize_i64(micros / 1000);
        }
        // A distance of less than a day has its exact decimals in a double.
        serializer.serialize_f64(micros as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_the_decimals_it_needs() {
        let json = |micros| serde_json::to_string(&Interval(Micros(micros))).unwrap();
        assert_eq!(json(33_000), "33");
        assert_eq!(json(33_500), "33.5");
        assert_eq!(json(16_667), "16.667");
    }
}
