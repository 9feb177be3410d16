//! What the records lead to beyond a single tidy composition: two rooms in one
//! stream, and recordings that can't be composed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use serde_json::Value;
use tw_tests::environment::Environment;
use tw_tests::sync::{Scene, run};
use tw_testsignal::{Audio, TrackId, Video};

/// Alice and bob, a second each.
fn room(folder: &Path, number: u32) -> (Scene, [TrackId; 2]) {
    let mut scene = Scene::new(folder, number);
    let mut add = |who, number, offset_ms| {
        scene.audio(who, offset_ms, &Audio::new(number).lasting_ms(1500)).unwrap();
        scene.video(who, offset_ms, &Video::new(number, 15.0).lasting_ms(1500)).unwrap()
    };
    let people = [add("alice", 1, 0), add("bob", 2, 400)];
    scene.grid(people.map(|id| [id]));
    (scene, people)
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[test]
fn two_rooms_in_one_stream() {
    let environment = Environment::new().unwrap();
    let (mut first, _) = room(environment.folder(), 1);
    let (second, _) = room(environment.folder(), 2);
    // One record of the one, one of the other.
    let (a, b) = (first.fetched(), second.fetched());
    let mixed: String = a.lines().zip(b.lines()).map(|(a, b)| format!("{a}\n{b}\n")).collect();
    let placed = run::places(&environment, mixed.as_bytes()).unwrap();
    let own = std::mem::replace(&mut first.composition.path, environment.folder().join("{room_sid}.webm"));
    let composed = run::compose(&environment, &first, &placed.stdout).unwrap();
    first.composition.path = own;
    assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    let jobs = lines(&composed.stdout);
    for (job, scene) in jobs.iter().zip([&first, &second]) {
        assert_eq!(job["room_sid"], scene.room.sid());
        assert_eq!(job["status"], "completed");
        let report = run::check(scene).unwrap();
        assert!(report.violations.is_empty(), "{report}");
    }
    assert_eq!(jobs.len(), 2);
}

/// Checks the checker: what lies 40 ms beside its place is noticed, sound or picture.
#[test]
fn forty_milliseconds_are_noticed() {
    let environment = Environment::new().unwrap();
    let (mut scene, _) = room(environment.folder(), 1);
    scene.flag("--overwrite");
    let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap();
    let records = lines(&placed.stdout);
    // Bob's sound, then bob's picture: neither is the first nor the last of the room.
    for (shifted, by, word) in [(None, 0, ""), (Some(2), 40, "-audio"), (Some(3), -40, "bob-video")] {
        let mut records = records.clone();
        if let Some(i) = shifted {
            let place = records[i]["relative_offset_ms"].as_i64().unwrap();
            records[i]["relative_offset_ms"] = (place + by).into();
        }
        let composed = run::compose(&environment, &scene, text(&records).as_bytes()).unwrap();
        assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
        let mut expected = scene.expected();
        // A shift may make the room longer by a frame or two; that isn't what is looked for.
        expected.frames = expected.frames.filter(|_| shifted.is_none());
        let report = tw_testsignal::measure(&scene.room, &expected, &scene.tolerance).unwrap();
        assert_eq!(report.violations.is_empty(), shifted.is_none(), "{shifted:?} {by}\n{report}");
        assert!(shifted.is_none() || report.violations.iter().any(|v| v.contains(word)), "{report}");
    }
}

/// Garbage under valid records: tw-probe never saw it.
#[test]
fn a_failed_run_leaves_no_file_and_names_the_input() {
    let environment = Environment::new().unwrap();
    let (scene, [_, bob]) = room(environment.folder(), 1);
    let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap();
    let bad = &scene.room.track(bob).recording.path;
    fs::write(bad, vec![7; 5000]).unwrap();
    let before = files(environment.folder());
    let composed = run::compose(&environment, &scene, &placed.stdout).unwrap();
    let said = String::from_utf8(composed.stderr).unwrap();
    assert_eq!(composed.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let name = bad.file_name().unwrap().to_str().unwrap();
    assert!(said.contains(name) && said.contains("Invalid data found"), "{said}");
    let job = &lines(&composed.stdout)[0];
    assert_eq!((&job["room_sid"], &job["error"]["kind"]), (&scene.room.sid().into(), &"ffmpeg".into()));
    assert_eq!(files(environment.folder()), before);
}

/// A file that breaks off after it was probed: what is whole of it is used.
#[test]
fn a_file_that_shrinks_after_probing_is_used_as_far_as_it_goes() {
    let environment = Environment::new().unwrap();
    let (scene, [_, bob]) = room(environment.folder(), 1);
    let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap();
    let bad = &scene.room.track(bob).recording.path;
    let bytes = fs::read(bad).unwrap();
    fs::write(bad, &bytes[..bytes.len() / 2]).unwrap();
    let composed = run::compose(&environment, &scene, &placed.stdout).unwrap();
    assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    let report = run::check(&scene).unwrap();
    // His last picture stays; the sound, and all that is alice's, is as it should be.
    assert!(
        report.violations.iter().all(|v| v.contains("bob-video") || v.contains("more like it")),
        "{report}"
    );
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
