//! Every command of the README is run, on the made-up room, and what comes out
//! is decoded and measured.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use tw_tests::demo::{beeps, flashes, foot_of, is_black};
use tw_tests::document::{blocks, script};
use tw_tests::environment::Environment;

const README: &str = include_str!("../../README.md");

#[test]
fn every_command_runs_and_everybody_is_in_sync() {
    let environment = Environment::new().unwrap();
    let blocks = blocks(README);
    let output = environment.with_twilio(&script("README.md", &blocks)).unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");

    // The table that the README shows is the one that its command prints.
    let table =
        &blocks.iter().find(|b| b.language == "text" && b.text.contains("relative offset")).unwrap().text;
    assert!(stdout.contains(table.as_str()), "{stdout}");

    let folder = environment.folder();
    assert_eq!(fs::read_to_string(folder.join("again.jsonl")).unwrap(), "", "nothing failed");
    let webms = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "webm"))
            .count()
    };
    assert_eq!(webms(&folder.join("out")), 3, "three rooms, three files");
    assert_eq!(webms(folder), 2, "the room, and once more by make");
    let lists = fs::read_dir(folder).unwrap().filter_map(|file| file.unwrap().file_name().into_string().ok());
    let kept = lists.filter(|name| name.starts_with("RM") && name.ends_with(".jsonl"));
    assert_eq!(kept.count(), 1, "the list that make went through");
    assert!(fs::metadata(folder.join("small.mp4")).unwrap().len() > 10_000);

    measure(&folder.join("room.webm"));
}

/// Alice from the beginning, bob from 19.251 s, both showing and sounding the whole seconds.
fn measure(room: &Path) {
    const FRAME_MS: f64 = 1000.0 / 30.0;
    const BOB_FROM: usize = 578;
    for (who, first_second) in [("alice", 0), ("bob", 20)] {
        let foot = foot_of(room, who).unwrap();
        assert_eq!(foot.len(), 1201, "frames");
        let seen = flashes(&foot);
        assert_eq!(seen.len(), 40 - first_second, "{who}: {seen:?}");
        for (frame, second) in seen.iter().zip(first_second..) {
            let error = *frame as f64 * FRAME_MS - f64::from(i32::try_from(second).unwrap()) * 1000.0;
            // Half an output frame, and a source frame.
            assert!(error.abs() <= FRAME_MS * 1.5, "{who}: second {second} is seen {error:.1} ms off");
        }
        let dark = foot.iter().take_while(|&&luma| is_black(luma)).count();
        match who {
            "bob" => assert!(dark.abs_diff(BOB_FROM) <= 1, "bob is seen from frame {dark}"),
            _ => assert!(dark <= 2, "alice is seen from frame {dark}"),
        }
    }
    let heard = beeps(room).unwrap();
    assert_eq!(heard.len(), 39, "{heard:?}");
    for (onset, second) in heard.iter().zip(1..) {
        let error = onset - f64::from(second) * 1000.0;
        assert!(error.abs() <= 5.0, "second {second} is heard {error:.1} ms off");
    }
}
