//! CSV.

use tw_core::Record;
use tw_core::filter::Outcome;
use tw_offsets::csv::read_table;
use tw_offsets::rooms::Rooms;

/// Each row of a table becomes one record, with a place or a reason.
pub fn csv_table(data: &[u8]) {
    let mut rooms = Rooms::default();
    let Ok((batch, header)) = read_table(data, "table", &mut rooms) else { return };
    assert!(batch.entries.is_empty() || header.iter().any(|name| name == "offset"));
    for entry in &batch.entries {
        let text = str::from_utf8(batch.line(entry)).expect("what isn't UTF-8 was replaced");
        assert!(!text.contains('\n') && Record::parse(text).is_ok(), "{text}");
        match batch.outcome(entry, &rooms) {
            Outcome::Served(record) => {
                assert!(record.raw("relative_offset_ms").is_some() || is_data(&record));
            }
            Outcome::Failed(_, failure) => assert!(!failure.message.is_empty()),
            Outcome::Passed(record) => assert!(record.is_marked()),
        }
    }
}

fn is_data(record: &Record) -> bool {
    record.text_of("type").as_deref() == Some("data")
}
