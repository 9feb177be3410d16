//! The frames of chunks are those of one run, bit for bit, before encoding.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Bench, hashes};
use tw_testsignal::{Form, Room, Video};

/// The hashes of all frames of the picture, from one run or from chunks.
fn frames(bench: &Bench, args: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for argv in bench.argvs(args) {
        match argv.iter().position(|word| word == "[picture]") {
            Some(map) => {
                let mut argv = argv[..=map].to_vec();
                argv.extend(["-f", "framemd5", "-"].map(str::to_owned));
                all.extend(hashes(&bench.run(&argv).stdout));
            }
            None if argv.iter().any(|word| word == "concat") => {}
            None => {
                // A copy that can be sought in; its folder is the runner's to make.
                let copy = bench.path(argv.last().unwrap());
                std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
                bench.run(&argv);
            }
        }
    }
    all
}

fn same_frames(bench: &Bench, expected: usize, chunks: &[&str], args: &[&str]) {
    let whole = frames(bench, args);
    assert_eq!(whole.len(), expected);
    // A room in which nothing moves would prove nothing.
    let mut different = whole.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > expected / 4, "{} of {expected} frames differ", different.len());
    for chunk in chunks {
        let parts = frames(bench, &[args, &["--chunk", chunk]].concat());
        let wrong: Vec<usize> = (0..expected).filter(|&i| parts.get(i) != whole.get(i)).collect();
        assert!(wrong.is_empty() && parts.len() == expected, "--chunk {chunk}: frames {wrong:?} differ");
    }
}

#[test]
fn over_gaps_and_changes_of_size() {
    let bench = Bench::new();
    let mut room = Room::new(1);
    // Gaps and changes of size lie across the cuts, at 3, 4, 6, 8 and 9 s.
    let alice = Video::new(1, 24.0)
        .start_ms(1584)
        .lasting_ms(10_000)
        .resized(2900, 240, 320)
        .resized(6100, 160, 120)
        .without(3700..4400)
        .jitter(7, 0.4);
    room.add("alice", 5000, alice.write(bench.path("alice.mkv")).unwrap());
    // Streamed: it can't be sought in until it is copied.
    let bob = Video::new(2, 15.0)
        .start_ms(3121)
        .lasting_ms(8000)
        .resized(5000, 320, 180)
        .without(5500..7000)
        .form(Form::Streamed);
    room.add("bob", 5013, bob.write(bench.path("bob.mkv")).unwrap());
    bench.room(&room);
    let args = ["--size", "320x160", "--fps", "20", "-o", "room.webm", "-y"];
    same_frames(&bench, 200, &["3", "4"], &args);
    same_frames(&bench, 200, &["3"], &[&args[..], &["--gap", "black"]].concat());
}

#[test]
fn from_key_frames_that_are_minutes_apart() {
    let bench = Bench::new();
    let mut room = Room::new(2);
    let slow = |number| Video::new(number, 3.0).lasting_ms(190_000).size(160, 120);
    room.add("alice", 0, slow(1).start_ms(1000).write(bench.path("alice.mkv")).unwrap());
    let bob = slow(2).start_ms(31_017).key_every(270).without(60_000..63_000);
    room.add("bob", 0, bob.write(bench.path("bob.mkv")).unwrap());
    bench.room(&room);
    let args = ["--size", "320x120", "--fps", "5", "-o", "room.webm", "--start", "100", "--end", "200", "-y"];
    same_frames(&bench, 500, &["35"], &args);
}
