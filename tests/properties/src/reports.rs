//! ffprobe's answers.

use serde_json::Value;
use tw_core::time::Micros;
use tw_probe::fields::{self, Reading};
use tw_probe::report::Report;

/// Whatever ffprobe says, the fields that come of it are JSON, and the end is
/// not before the first packet.
pub fn ffprobe_report(data: &[u8]) {
    let report = Report::read(data, Micros(1_000_000)).expect("bytes in memory can be read");
    let Ok(fields) = fields::of(&report, Reading { seekable: true, is_damaged: false }) else { return };
    assert!(report.span().is_none_or(|(first, last)| first <= last));
    for (name, value) in fields {
        let value = value.expect("no field is taken away");
        assert!(serde_json::from_str::<Value>(&value).is_ok(), "{name}: {value}");
    }
}
