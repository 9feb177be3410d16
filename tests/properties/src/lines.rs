//! Lines, and the records on them.

use std::io::{BufReader, Cursor};

use tw_core::{Record, input};
use tw_offsets::recording::{Recording, Words};

/// No line is lost, joined or cut; its bytes come through; both readers of
/// records (the one that keeps them, and tw-offsets' own) agree on what is one.
pub fn lines(data: &[u8]) {
    // A small buffer, so that lines lie across its end.
    let reader = BufReader::with_capacity(7, Cursor::new(data.to_vec()));
    let mut last = 0;
    let mut found = Vec::new();
    for line in input::lines_of(reader, "input") {
        let line = line.expect("bytes in memory can be read");
        assert!(line.place.line > last, "{}", line.place);
        last = line.place.line;
        found.push(line.bytes.clone());
        record(line);
    }
    let whole = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let expected: Vec<&[u8]> = whole
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
        .collect();
    assert_eq!(found, expected);
}

fn record(line: input::Line) {
    let bytes = line.bytes.clone();
    let read = line.record();
    let Ok(text) = String::from_utf8(bytes) else {
        assert!(read.is_err());
        return;
    };
    match &read {
        Ok(record) => assert_eq!(record.as_str(), text),
        // One line for people, and not a long one.
        Err(failure) => assert!(failure.message.len() < 300, "{failure}"),
    }
    let recording = Recording::read(&text);
    assert_eq!(read.is_ok(), recording.is_ok(), "{text}");
    if let (Ok(record), Ok(recording)) = (read, recording) {
        assert_eq!(recording.room.as_deref().map(str::to_owned), record.room_sid(), "{text}");
        let _ = recording.verdict(Words::JSONL);
        fields(&record);
    }
}

/// What the other tools read from it.
fn fields(record: &Record) {
    let _ = tw_ffcmd::room::read(record);
    let _ = (record.get::<i64>("offset"), record.get::<u64>("size"), record.get::<String>("path"));
}
