//! File names from templates and records.

use std::path::Component;

use tw_core::Record;
use tw_fetch::Template;

/// The first line is a template, the rest is what every field holds: the path
/// stays in its folder, and each of its names can be one.
pub fn file_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (template, value) = text.split_once('\n').unwrap_or(("{sid}.{container_format}", &text));
    let Ok(parsed) = template.parse::<Template>() else { return };
    let mut record = Record::empty();
    let value = serde_json::Value::from(value).to_string();
    let fields = ["sid", "container_format", "track_name", "room_sid", "x", "é"];
    record.set(&fields.map(|name| (name, Some(value.clone()))));
    let Ok(path) = parsed.path(&record) else { return };
    assert_eq!(path.components().count(), template.split('/').count(), "{path:?}");
    for component in path.components() {
        let Component::Normal(name) = component else { panic!("{path:?} leads elsewhere") };
        let name = name.to_str().expect("text makes text");
        // With `.NAME.part.json` beside it, within the 255 bytes of a file system.
        assert!(name.len() <= 244 && !name.contains(char::is_control), "{path:?}");
    }
    if template.starts_with('{') {
        let path = path.to_str().unwrap();
        assert!(!path.starts_with(['-', '~', '.']), "{path}");
    }
}
