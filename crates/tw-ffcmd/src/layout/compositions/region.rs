//! A region's fields, checked against the canvas as Twilio checks them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tw_core::text::escaped;

use super::reuse::Reuse;
use super::sources::{Patterns, Sources};
use crate::layout::{Rect, Size};

/// A region that fits its canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What its author calls it.
    pub name: String,
    /// Where it lies, on even pixels.
    pub area: Rect,
    /// What has the greater z lies on top.
    pub z: i32,
    /// Rows at most.
    pub max_rows: Option<usize>,
    /// Columns at most.
    pub max_columns: Option<usize>,
    /// Cells that stay empty, counted from the top left one.
    pub excluded: BTreeSet<usize>,
    /// What happens when all cells are used.
    pub reuse: Reuse,
    /// Who is shown.
    pub sources: Sources,
}

/// A side shorter than this shows nothing; one that isn't given counts as this
/// long when it is checked whether the region lies inside the canvas.
const LEAST_SIDE: i64 = 16;
const FIELDS: [&str; 11] = [
    "x_pos",
    "y_pos",
    "z_pos",
    "width",
    "height",
    "max_columns",
    "max_rows",
    "cells_excluded",
    "reuse",
    "video_sources",
    "video_sources_excluded",
];

impl Region {
    /// Reads a region.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each: the region, the field, its
    /// value, and what is allowed.
    pub fn read(name: &str, value: &Value, canvas: Size) -> Result<Self, Vec<String>> {
        let Some(fields) = value.as_object() else {
            return Err(vec![format!("region {}: is {value}: must be an object of fields", escaped(name))]);
        };
        let mut reader = Reader { region: escaped(name), fields, faults: Vec::new() };
        for unknown in fields.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
            let (region, unknown) = (&reader.region, escaped(unknown));
            reader
                .faults
                .push(format!("region {region}: {unknown} is no field: there are {}", FIELDS.join(", ")));
        }
        let (x, width) = reader.extent("x_pos", "width", canvas.width);
        let (y, height) = reader.extent("y_pos", "height", canvas.height);
        let region = Self {
            name: name.to_owned(),
            area: Rect { x, y, width, height },
            z: reader.integer("z_pos", -99, 99).and_then(|z| i32::try_from(z).ok()).unwrap_or(0),
            max_rows: reader.count("max_rows"),
            max_columns: reader.count("max_columns"),
            excluded: reader.excluded(),
            reuse: reader.reuse(),
            sources: reader.sources(),
        };
        if reader.faults.is_empty() { Ok(region) } else { Err(reader.faults) }
    }
}

struct Reader<'a> {
    /// Its name, as it may be shown.
    region: String,
    fields: &'a Map<String, Value>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    fn fault(&mut self, field: &str, value: &Value, allowed: &str) {
        self.faults.push(format!("region {}: {field} is {value}: {allowed}", self.region));
    }

    fn integer(&mut self, field: &str, least: i64, most: i64) -> Option<i64> {
        let value = self.get(field)?;
        let number = value.as_i64().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            self.fault(field, value, &format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    fn count(&mut self, field: &str) -> Option<usize> {
        self.integer(field, 1, 1000).and_then(|n| usize::try_from(n).ok())
    }

    /// Position and length along one axis, cut to even pixels.
    fn extent(&mut self, position: &str, length: &str, canvas: u32) -> (u32, u32) {
        let canvas = i64::from(canvas);
        let given = self.get(length).and_then(Value::as_i64).unwrap_or(LEAST_SIDE);
        let at = self.get(position).map_or(Some(0), |value| {
            let at =
                value.as_i64().filter(|at| *at >= 0 && at.saturating_add(given.max(LEAST_SIDE)) <= canvas);
            if at.is_none() {
                let most = canvas - given.clamp(LEAST_SIDE, canvas);
                self.fault(
                    position,
                    value,
                    &format!("must be a whole number from 0 to {most}, inside the canvas"),
                );
            }
            at
        });
        let at = at.unwrap_or(0);
        let long = self.integer(length, LEAST_SIDE, canvas - at).unwrap_or(canvas - at);
        let even = |n: i64| u32::try_from(n).unwrap_or(0) & !1;
        (even(at), even(long))
    }

    fn excluded(&mut self) -> BTreeSet<usize> {
        let Some(value) = self.get("cells_excluded") else { return BTreeSet::new() };
        let cell =
            |value: &Value| value.as_u64().filter(|n| *n <= 999_999).and_then(|n| usize::try_from(n).ok());
        let cells = value.as_array().and_then(|cells| cells.iter().map(cell).collect());
        cells.unwrap_or_else(|| {
            self.fault("cells_excluded", value, "must be a list of whole numbers from 0 to 999999");
            BTreeSet::new()
        })
    }

    fn reuse(&mut self) -> Reuse {
        match self.get("reuse") {
            None => Reuse::default(),
            Some(value) => match value.as_str() {
                Some("none") => Reuse::None,
                Some("show_oldest") => Reuse::ShowOldest,
                Some("show_newest") => Reuse::ShowNewest,
                _ => {
                    self.fault("reuse", value, "must be none, show_oldest or show_newest");
                    Reuse::default()
                }
            },
        }
    }

    fn sources(&mut self) -> Sources {
        if self.get("video_sources").is_none() {
            self.faults.push(format!(
                "region {}: no video_sources: name SIDs or tracks, or [\"*\"] for all",
                self.region
            ));
        }
        Sources {
            included: self.patterns("video_sources"),
            excluded: self.patterns("video_sources_excluded"),
        }
    }

    fn patterns(&mut self, field: &str) -> Patterns {
        Patterns::new(self.names(field)).unwrap_or_else(|wrong| {
            let region = &self.region;
            self.faults.extend(wrong.into_iter().map(|why| format!("region {region}: {field} has {why}")));
            Patterns::default()
        })
    }

    fn names(&mut self, field: &str) -> Vec<&'a str> {
        let Some(value) = self.get(field) else { return Vec::new() };
        let names = value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
        names.unwrap_or_else(|| {
            self.fault(field, value, "must be a list of SIDs or track names");
            Vec::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CANVAS: Size = Size { width: 640, height: 480 };

    #[test]
    fn defaults() {
        let region = Region::read("r", &json!({"video_sources": ["*"]}), CANVAS).unwrap();
        assert_eq!(region.area, Rect { x: 0, y: 0, width: 640, height: 480 });
        assert_eq!((region.z, region.reuse), (0, Reuse::ShowOldest));
        let region =
            Region::read("r", &json!({"x_pos": 100, "y_pos": 61, "video_sources": []}), CANVAS).unwrap();
        assert_eq!(region.area, Rect { x: 100, y: 60, width: 540, height: 418 });
    }

    #[test]
    fn what_is_allowed_at_the_borders() {
        for (field, allowed, refused) in [
            ("x_pos", vec![0, 624], vec![-1, 625]),
            ("y_pos", vec![0, 464], vec![-1, 465]),
            ("z_pos", vec![-99, 99], vec![-100, 100]),
            ("width", vec![16, 640], vec![15, 641]),
            ("height", vec![16, 480], vec![15, 481]),
            ("max_columns", vec![1, 1000], vec![0, 1001]),
            ("max_rows", vec![1, 1000], vec![0, 1001]),
        ] {
            let read = |value: i64| Region::read("r", &json!({"video_sources": ["*"], field: value}), CANVAS);
            for value in allowed {
                assert!(read(value).is_ok(), "{field} {value}");
            }
            for value in refused {
                let faults = read(value).unwrap_err();
                assert!(
                    faults[0].starts_with(&format!("region r: {field} is {value}: must be")),
                    "{faults:?}"
                );
            }
        }
    }

    #[test]
    fn all_faults_at_once() {
        let region = json!({"z_pos": "top", "reuse": "always", "cells_excluded": [1_000_000], "colour": 1,
            "x_pos": 600, "width": 100, "video_sources": ["a*b"]});
        let faults = Region::read("main", &region, CANVAS).unwrap_err();
        assert_eq!(faults.len(), 6, "{faults:#?}");
    }

    #[test]
    fn sources_are_required() {
        let faults = Region::read("r", &json!({}), CANVAS).unwrap_err();
        assert_eq!(faults, ["region r: no video_sources: name SIDs or tracks, or [\"*\"] for all"]);
        assert!(Region::read("r", &json!([]), CANVAS).is_err());
        assert!(Region::read("r", &json!({"video_sources": "*"}), CANVAS).is_err());
    }
}
