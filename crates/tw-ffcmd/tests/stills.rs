//! Stills show what the composition shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::{Bench, done};
use tw_testsignal::{Form, Room, Video};

/// The verbose messages, and the picture's own hash.
fn still(bench: &Bench, form: Form) -> (String, Vec<String>) {
    let mut room = Room::new(1);
    for (number, who) in [(1, "alice"), (2, "bob")] {
        let video =
            Video::new(number, 6.0).start_ms(700 * i64::from(number)).lasting_ms(20_000).key_every(12);
        let video = video.resized(9000, 160, 120).form(form);
        room.add(who, 5000, video.write(bench.path(&format!("{who}.mkv"))).unwrap());
    }
    bench.room(&room);
    // As tw-probe tells that they begin with a key frame.
    let records = std::fs::read_to_string(bench.path("room.jsonl")).unwrap();
    let sizes = r#""streams":[{"start_time_ms":0,"sizes":[{"at_ms":0,"width":320,"height":240},{"at_ms":9000,"width":160,"height":120}],"#;
    assert_eq!(records.matches(r#""streams":[{"#).count(), 2, "{records}");
    std::fs::write(bench.path("room.jsonl"), records.replace(r#""streams":[{"#, sizes)).unwrap();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_tw-ffcmd"));
    tool.args(["-v", "--preview", "still.png", "--at", "15.4", "--size", "320x120", "room.jsonl"]);
    let told = done(tool.current_dir(bench.path("")));
    (String::from_utf8(told.stderr).unwrap(), bench.frames_of("still.png"))
}

#[test]
fn late_in_a_file_without_an_index_it_is_that_of_a_file_with_one() {
    let bench = Bench::new();
    let (_, tidy) = still(&bench, Form::Tidy);
    let (said, streamed) = still(&bench, Form::Streamed);
    assert_eq!(tidy.len(), 1);
    assert_eq!(streamed, tidy);
    assert_eq!(said.matches(" -ss ").count(), 2, "not from the beginning: {said}");
}
