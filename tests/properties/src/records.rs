//! Fields spliced into a record's own bytes.

use serde_json::Value;
use tw_core::{ErrorKind, Failure, Record};

/// The text is a record, and in a second line the name of a field: setting it
/// changes that field and nothing else, twice is as once, and it can be taken
/// away again.
pub fn record_splice(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (text, name) = text.rsplit_once('\n').unwrap_or((text, "path"));
    let Ok(before) = Record::parse(text) else { return };
    assert_eq!(before.as_str(), text);

    let mut record = before.clone();
    record.set(&[(name, Some("\"new\"".into()))]);
    assert_eq!(record.raw(name), Some("\"new\""), "{record}");
    same_but(&before, &record, name, Some("new"));
    let once = record.clone();
    record.set(&[(name, Some("\"new\"".into()))]);
    assert_eq!(record, once);
    record.set(&[(name, None)]);
    assert_eq!(record.raw(name), None, "{record}");
    same_but(&before, &record, name, None);

    let mut marked = before.clone();
    marked.mark("tw-test", &Failure::new(ErrorKind::Input, "why"));
    assert!(marked.is_marked() && marked.failure().unwrap().message == "why");
    let _ = (before.label(), before.room_sid(), before.participant_sid(), before.failure());
}

/// Both are the same object but for one field. serde_json's own reader knows less
/// than JSON (128 levels, numbers within a double, and names that begin like this
/// are its own): then it has no say.
fn same_but(before: &Record, after: &Record, name: &str, value: Option<&str>) {
    let read = |record: &Record| serde_json::from_str(record.as_str()).ok();
    let is_ordinary = !name.starts_with("$serde_json::") && !before.as_str().contains("$serde_json::");
    let Some(Value::Object(mut expected)) = read(before).filter(|_| is_ordinary) else {
        assert!(Record::parse(after.as_str()).is_ok(), "{after}");
        return;
    };
    expected.remove(name);
    if let Some(value) = value {
        expected.insert(name.into(), value.into());
    }
    assert_eq!(read(after), Some(Value::Object(expected)), "{after}");
}
