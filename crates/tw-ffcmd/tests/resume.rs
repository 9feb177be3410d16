//! Parts that are done survive a kill, and the next run makes only what is missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::{Bench, Ffmpeg, done};
use tw_testsignal::{Audio, Form, Room, Video};

const ARGS: [&str; 10] =
    ["--size", "160x120", "--fps", "10", "--speed", "fast", "--chunk", "1", "-o", "room.webm"];

/// Four seconds of one person, whose picture can't be sought in as it is: with
/// chunks of a second, an index, four parts, the sound and the joining.
fn bench() -> (Bench, Ffmpeg) {
    let bench = Bench::new();
    let mut room = Room::new(3);
    let video = Video::new(1, 10.0).start_ms(1000).form(Form::Streamed);
    room.add("alice", 0, video.write(bench.path("alice.mkv")).unwrap());
    room.add("alice", 0, Audio::new(1).start_ms(1000).write(bench.path("alice.mka")).unwrap());
    bench.room(&room);
    let ffmpeg = bench.deadly_ffmpeg();
    (bench, ffmpeg)
}

/// What is made in all, and what of it is a part.
fn all_parts(bench: &Bench, ffmpeg: &Ffmpeg) -> Vec<String> {
    let mut tool = bench.tool(&ARGS);
    let lines = String::from_utf8(done(tool.env("TW_FFMPEG", &ffmpeg.program)).stdout).unwrap();
    let output = |line: &str| {
        let job: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = job["output"].as_str().unwrap().to_owned();
        path.rsplit('/').next().unwrap().to_owned()
    };
    let mut parts: Vec<String> = lines.lines().map(output).collect();
    assert_eq!(parts.pop().unwrap(), "room.webm");
    parts.sort();
    assert_eq!(parts.len(), 6, "{parts:?}");
    parts
}

/// `all` without `some`, and the result, which is made anew.
fn rest(all: &[String], some: &[String]) -> Vec<String> {
    let mut rest: Vec<String> = all.iter().filter(|name| !some.contains(name)).cloned().collect();
    rest.push("room.webm".into());
    rest.sort();
    rest
}

fn run(bench: &Bench, ffmpeg: &Ffmpeg) -> Command {
    let mut run = bench.tool(&ARGS);
    run.args(["--run", "--jobs", "1"]).env("TW_FFMPEG", &ffmpeg.program);
    run
}

#[test]
fn a_killed_run_goes_on() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    let run = || run(&bench, &ffmpeg);
    assert!(!run().output().unwrap().status.success());
    let before = bench.parts_of("room.webm");
    assert_eq!(ffmpeg.made(), before);
    assert!(!before.is_empty() && before.len() < all.len(), "{before:?}");
    done(&mut run());
    assert_eq!(ffmpeg.made(), rest(&all, &before));
    assert!(!bench.path(".room.webm.parts").exists());

    // What came of it is what an undisturbed run makes.
    let frames = bench.frames_of("room.webm");
    assert_eq!(frames.len(), 40);
    std::fs::remove_file(bench.path("room.webm")).unwrap();
    done(&mut run());
    assert_eq!(frames, bench.frames_of("room.webm"));
}

#[test]
fn parts_of_recordings_that_were_replaced_are_made_anew() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    let run = || run(&bench, &ffmpeg);
    assert!(!run().output().unwrap().status.success());
    assert!(!ffmpeg.made().is_empty());
    // Under the same path, after the parts were made.
    let recording = std::fs::File::options().append(true).open(bench.path("alice.mkv")).unwrap();
    recording.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
    done(&mut run());
    assert_eq!(ffmpeg.made(), rest(&all, &[]));
}

#[test]
fn a_recording_that_was_replaced_by_an_older_file_counts_too() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    assert!(!run(&bench, &ffmpeg).output().unwrap().status.success());
    assert!(!ffmpeg.made().is_empty());
    // As a copy that keeps its time of modification, from long before the parts were made.
    let (recording, copy) = (bench.path("alice.mkv"), bench.path("copy.mkv"));
    std::fs::copy(&recording, &copy).unwrap();
    let file = std::fs::File::options().append(true).open(&copy).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(3600)).unwrap();
    std::fs::rename(&copy, &recording).unwrap();
    done(&mut run(&bench, &ffmpeg));
    assert_eq!(ffmpeg.made(), rest(&all, &[]));
}

#[test]
fn nor_do_parts_become_those_of_a_recording_by_being_younger() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    assert!(!run(&bench, &ffmpeg).output().unwrap().status.success());
    assert!(!ffmpeg.made().is_empty());
    let hour = std::time::Duration::from_secs(3600);
    let at = |path: &std::path::Path, time| {
        std::fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    };
    at(&bench.path("alice.mkv"), std::time::SystemTime::now() - hour);
    // As after a copy, with a clock that was ahead, for other owners.
    for part in bench.parts_of("room.webm") {
        at(&bench.path(".room.webm.parts").join(part), std::time::SystemTime::now() + hour);
    }
    done(&mut run(&bench, &ffmpeg));
    assert_eq!(ffmpeg.made(), rest(&all, &[]));
}

#[test]
fn a_recording_that_is_replaced_while_it_is_read_ends_its_room() {
    for step in ["picture-00000020", "sound"] {
        let (bench, said, parts) = after(step, "cp alice.mkv new; touch -d @0 new; mv new alice.mkv");
        assert!(said.contains("a recording was replaced or written to while it was read"), "{said}");
        assert!(parts.iter().all(|name| !name.contains(step)), "{parts:?}");
        done(bench.tool(&ARGS).args(["--run", "--jobs", "1"]));
        assert_eq!(bench.frames_of("room.webm").len(), 40);
    }
}

#[test]
fn parts_that_nobody_needs_any_more_are_taken_away() {
    let (bench, ffmpeg) = bench();
    assert!(!run(&bench, &ffmpeg).output().unwrap().status.success());
    let parts = bench.path(".room.webm.parts");
    std::fs::rename(&parts, bench.path("kept")).unwrap();
    done(&mut run(&bench, &ffmpeg));
    // As if it had been killed after it had renamed the result.
    std::fs::rename(bench.path("kept"), &parts).unwrap();
    done(&mut run(&bench, &ffmpeg));
    assert!(!parts.exists() && bench.path("room.webm").exists());
}

/// Composes with an ffmpeg that does this, once, after it has made this part; gives what is
/// said, and what then stands among the parts.
fn after(part: &str, does: &str) -> (Bench, String, Vec<String>) {
    let bench = bench().0;
    let (program, once) = (bench.path("wrong-ffmpeg"), bench.path("once"));
    std::fs::write(&once, "").unwrap();
    let script = format!(
        "for last; do :; done\nffmpeg \"$@\" || exit\n\
         case $last in *{part}*) if [ -e '{once}' ]; then rm '{once}'; {does}; fi;; esac",
        once = once.display()
    );
    tw_testsignal::stand_in(&program, &script).unwrap();
    let mut run = bench.tool(&ARGS);
    let failed = run.args(["--run", "--jobs", "1"]).env("TW_FFMPEG", &program).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(!bench.path("room.webm").exists());
    let names = std::fs::read_dir(bench.path(".room.webm.parts")).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    (bench, String::from_utf8(failed.stderr).unwrap(), names)
}

#[test]
fn a_part_that_is_cut_short_is_none() {
    // ffmpeg 5.1 on a full disk: it says so, and ends well.
    for words in ["Error writing trailer of", "Error closing file"] {
        let (bench, said, parts) = after(
            "picture-00000020",
            &format!(r#": >"$last"; echo "{words} $last: No space left on device" >&2"#),
        );
        assert!(said.contains(&format!("couldn't write all of it: {words} ")), "{said}");
        assert!(
            !parts.is_empty() && parts.iter().all(|name| !name.contains("picture-00000020")),
            "{parts:?}"
        );
        done(bench.tool(&ARGS).args(["--run", "--jobs", "1"]));
        assert_eq!(bench.frames_of("room.webm").len(), 40);
    }
}

#[test]
fn parts_of_which_one_cannot_be_read_are_made_anew() {
    // As a machine that lost its power may leave one.
    let empty = r#": >"$last""#;
    let shorten = r#"ffmpeg -v error -i "$last" -t 1 -c copy -f matroska "$last.2" && mv "$last.2" "$last""#;
    for (part, does, why) in [
        ("sound", empty, "Invalid data"),
        ("sound", shorten, "its sound ends at"),
        ("picture-00000020", empty, "20 frames instead of 40"),
    ] {
        let (bench, said, parts) = after(part, does);
        assert!(said.contains(why), "{said}");
        assert!(parts.is_empty(), "{parts:?}");
        done(bench.tool(&ARGS).args(["--run", "--jobs", "1"]));
        assert_eq!(bench.frames_of("room.webm").len(), 40);
    }
}

fn makefile(bench: &Bench, ffmpeg: &Ffmpeg) {
    let mut tool = bench.tool(&ARGS);
    let text = done(tool.args(["--emit", "make"]).env("TW_FFMPEG", &ffmpeg.program)).stdout;
    std::fs::write(bench.path("Makefile"), text).unwrap();
}

fn make(bench: &Bench, args: &[&str]) -> Command {
    let mut make = Command::new("make");
    // A make that runs these tests would hand on its own flags.
    make.current_dir(bench.path("")).args(args).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    make
}

#[test]
fn make_goes_on_after_a_kill() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    makefile(&bench, &ffmpeg);
    assert!(!make(&bench, &["-j1"]).output().unwrap().status.success());
    let before = ffmpeg.made();
    assert!(!before.is_empty() && before.len() < all.len(), "{before:?}");
    done(&mut make(&bench, &["-j2"]));
    assert_eq!(ffmpeg.made(), rest(&all, &before));
    assert_eq!(bench.frames_of("room.webm").len(), 40);
    done(&mut make(&bench, &["-j2"]));
    assert_eq!(ffmpeg.made(), [""; 0], "there was nothing left to make");
}

#[test]
fn make_makes_anew_what_is_of_a_recording_that_was_replaced() {
    let (bench, ffmpeg) = bench();
    std::fs::remove_file(bench.path("armed")).unwrap();
    makefile(&bench, &ffmpeg);
    done(&mut make(&bench, &["-j2"]));
    ffmpeg.made();
    let recording = std::fs::File::options().append(true).open(bench.path("alice.mka")).unwrap();
    recording.set_modified(std::time::SystemTime::now()).unwrap();
    done(&mut make(&bench, &["-j2"]));
    let made = ffmpeg.made();
    assert!(
        matches!(&made[..], [room, sound] if room == "room.webm" && sound.starts_with("sound-")),
        "{made:?}"
    );
    // Who needs the room on the disk may remove its recordings.
    std::fs::remove_file(bench.path("alice.mka")).unwrap();
    done(&mut make(&bench, &[]));
    assert_eq!(ffmpeg.made(), [""; 0]);
}

#[test]
fn make_makes_no_recording_itself() {
    let (bench, ffmpeg) = bench();
    std::fs::remove_file(bench.path("armed")).unwrap();
    makefile(&bench, &ffmpeg);
    let recording = std::fs::read(bench.path("alice.mka")).unwrap();
    // By a rule of make's own, a script is what a file of its name without the ending is made from.
    std::fs::write(bench.path("alice.mka.sh"), "exit 1\n").unwrap();
    done(&mut make(&bench, &["-j2"]));
    assert!(std::fs::read(bench.path("alice.mka")).unwrap() == recording, "it was written over");
}

#[test]
fn make_keeps_going_past_a_part_that_fails() {
    let (bench, ffmpeg) = bench();
    std::fs::remove_file(bench.path("armed")).unwrap();
    let all = all_parts(&bench, &ffmpeg);
    makefile(&bench, &ffmpeg);
    let (sound, hidden) = (bench.path("alice.mka"), bench.path("hidden"));
    std::fs::rename(&sound, &hidden).unwrap();
    assert!(!make(&bench, &["-k", "-j2"]).output().unwrap().status.success());
    let before = ffmpeg.made();
    assert_eq!(before.len(), all.len() - 1, "{before:?}");
    std::fs::rename(hidden, sound).unwrap();
    done(&mut make(&bench, &["-j2"]));
    assert_eq!(ffmpeg.made(), rest(&all, &before));
}

#[test]
fn the_script_goes_on_where_it_failed() {
    let (bench, ffmpeg) = bench();
    let all = all_parts(&bench, &ffmpeg);
    let printed = done(bench.tool(&ARGS).args(["--emit", "sh"]).env("TW_FFMPEG", &ffmpeg.program));
    std::fs::write(bench.path("room.sh"), printed.stdout).unwrap();
    let script = || {
        let mut script = Command::new("sh");
        script.arg("room.sh").current_dir(bench.path(""));
        script
    };
    // The one that kills whoever asked for it, here the shell.
    assert!(!script().output().unwrap().status.success());
    assert!(!bench.path("room.webm").exists());
    let before = bench.parts_of("room.webm");
    assert_eq!(ffmpeg.made(), before);
    assert!(!before.is_empty() && before.len() < all.len(), "{before:?}");
    done(&mut script());
    assert_eq!(ffmpeg.made(), rest(&all, &before));
    assert_eq!(bench.frames_of("room.webm").len(), 40);
}

#[test]
fn a_script_and_a_makefile_look_at_what_was_written() {
    // ffmpeg 5.1 on a full disk ends well.
    let (half, empty) = ("head -c 1500 \"$file\" >cut; cat cut >\"$file\"", ": >\"$file\"");
    for (part, cut) in [("picture-00000020", half), ("sound", empty), ("file:.room.webm.[0-9]", half)] {
        for emit in ["sh", "make"] {
            let bench = bench().0;
            let (program, once) = (bench.path("short-ffmpeg"), bench.path("once"));
            std::fs::write(&once, "").unwrap();
            let script = format!(
                "for last; do :; done\nffmpeg \"$@\" || exit\n\
                 case $last in *{part}*part) if [ -e '{once}' ]; then rm '{once}'; \
                 file=${{last#file:}}; {cut}; fi;; esac",
                once = once.display()
            );
            tw_testsignal::stand_in(&program, &script).unwrap();
            let printed = done(bench.tool(&ARGS).args(["--emit", emit]).env("TW_FFMPEG", &program));
            std::fs::write(bench.path("printed"), printed.stdout).unwrap();
            let run = || {
                let mut run = Command::new(emit);
                run.args((emit == "make").then_some("-f")).arg("printed").current_dir(bench.path(""));
                run.output().unwrap()
            };
            let failed = run();
            let said = String::from_utf8_lossy(&failed.stderr).into_owned();
            assert!(!failed.status.success() && said.contains("is the disk full?"), "{emit}, {part}: {said}");
            assert!(!bench.path("room.webm").exists());
            assert!(run().status.success(), "{emit}, {part}");
            assert_eq!(bench.frames_of("room.webm").len(), 40);
        }
    }
}

#[test]
fn a_script_and_a_makefile_that_are_interrupted_leave_no_part() {
    for emit in ["sh", "make"] {
        let bench = bench().0;
        let program = bench.path("interrupting-ffmpeg");
        let script = "for last; do :; done\nffmpeg \"$@\" || exit\n\
                      case $last in *picture-00000020*) kill -TERM $PPID;; esac";
        tw_testsignal::stand_in(&program, script).unwrap();
        let printed = done(bench.tool(&ARGS).args(["--emit", emit]).env("TW_FFMPEG", &program));
        std::fs::write(bench.path("printed"), printed.stdout).unwrap();
        let mut run = Command::new(emit);
        run.args((emit == "make").then_some("-f")).arg("printed").current_dir(bench.path(""));
        assert!(!run.output().unwrap().status.success(), "{emit}");
        let there = std::fs::read_dir(bench.path(".room.webm.parts")).unwrap();
        let there: Vec<String> = there.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!there.is_empty() && there.iter().all(|name| !name.ends_with(".part")), "{there:?}");
    }
}

#[test]
fn a_script_ends_at_a_part_that_fails() {
    let bench = bench().0;
    let picky = bench.path("picky");
    let refuse = "case \"$*\" in *picture-00000020*) echo no >&2; exit 1;; esac; exec ffmpeg \"$@\"";
    tw_testsignal::stand_in(&picky, refuse).unwrap();
    std::fs::write(bench.path("room.webm"), "what was there").unwrap();
    for overwrite in [&["--overwrite"][..], &[]] {
        let mut tool = bench.tool(&ARGS);
        let printed = done(tool.args(["--emit", "sh"]).args(overwrite).env("TW_FFMPEG", &picky));
        std::fs::write(bench.path("room.sh"), printed.stdout).unwrap();
        // Joined without it, the others would be a shorter film.
        let failed = Command::new("sh").arg("room.sh").current_dir(bench.path("")).output().unwrap();
        assert!(!failed.status.success(), "{overwrite:?}");
        if !overwrite.is_empty() {
            assert_eq!(std::fs::read(bench.path("room.webm")).unwrap(), b"what was there");
            std::fs::remove_file(bench.path("room.webm")).unwrap();
        }
    }
    assert!(!bench.path("room.webm").exists());
}

#[test]
fn a_script_of_several_rooms_tells_of_one_that_fails() {
    for chunk in ["0", "1"] {
        let bench = bench().0;
        let good = std::fs::read_to_string(bench.path("room.jsonl")).unwrap();
        let bad = good.replace("\"RM", "\"RMx").replace("alice.mkv", "gone.mkv");
        std::fs::write(bench.path("room.jsonl"), bad + &good).unwrap();
        let printed = done(
            bench
                .tool(&["--emit", "sh", "--chunk", chunk, "-o", "{room_sid}.webm"])
                .args(["--size", "64x48"]),
        );
        std::fs::write(bench.path("rooms.sh"), printed.stdout).unwrap();
        let script = || Command::new("sh").arg("rooms.sh").current_dir(bench.path("")).output().unwrap();
        assert!(!script().status.success(), "--chunk {chunk}");
        let made = |bad: bool| {
            let names = std::fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name());
            let names = names.filter_map(|name| name.into_string().ok());
            names
                .filter(|name| {
                    name.starts_with("RM") && name.ends_with(".webm") && name.starts_with("RMx") == bad
                })
                .count()
        };
        assert_eq!((made(true), made(false)), (0, 1), "--chunk {chunk}");
        std::fs::copy(bench.path("alice.mkv"), bench.path("gone.mkv")).unwrap();
        // Without parts, ffmpeg fails on what is there (up to 5.1) or goes on (since 7.0).
        assert!(script().status.success() || chunk == "0");
        assert_eq!(made(true), 1, "--chunk {chunk}");
    }
}

#[test]
fn many_chunks_fit_however_long_the_path_is() {
    let bench = Bench::new();
    let mut room = Room::new(4);
    let video = Video::new(1, 10.0).lasting_ms(2000);
    room.add("alice", 0, video.write(bench.path("alice.mkv")).unwrap());
    // Eight hours, as far as the records say: a part a minute.
    let long = room.json_lines().replace("\"end_time_ms\":1900", "\"end_time_ms\":28800000");
    assert!(long.contains("28800000"), "{long}");
    std::fs::write(bench.path("room.jsonl"), long).unwrap();
    let output = format!("{}/room.webm", "x".repeat(200));
    let failed = bench
        .tool(&["--run", "--jobs", "2", "--size", "64x48", "--fps", "1", "-o", &output])
        .env("TW_FFMPEG", {
            let program = bench.path("ffmpeg");
            tw_testsignal::stand_in(
                &program,
                "case $1 in -version) exec ffmpeg \"$@\";; esac; echo no >&2; exit 1",
            )
            .unwrap();
            program
        })
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(said.contains("ffmpeg failed") && !said.contains("too many"), "{said}");
}
