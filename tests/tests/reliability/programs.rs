//! ffmpeg and ffprobe: missing, old, killed, hanging, talkative.

use std::fs;

use crate::common::*;

#[test]
fn without_ffmpeg_or_ffprobe_nothing_is_begun() {
    let place = place();
    let input = room(&place);
    for (variable, program) in [("TW_FFMPEG", "/no/ffmpeg"), ("TW_FFPROBE", "/no/ffprobe"), ("PATH", "/no")] {
        let (records, said) = ends(compose(&place, &input).env(variable, program), 2);
        assert!(records.is_empty());
        assert!(said.contains("not found: install ffmpeg"), "{said}");
    }
    assert!(names(&place.folder().join("out")).is_empty());
    // To be described, a job needs neither.
    let mut command = place.tool("tw-ffcmd").unwrap();
    let (records, _) = ends(command.env("PATH", "/no").arg("room.jsonl"), 0);
    assert_eq!(records[0]["argv"][0], "ffmpeg");
}

#[test]
fn an_old_ffmpeg_is_named_with_what_is_needed() {
    let place = place();
    let input = room(&place);
    for (says, expected) in [
        ("ffmpeg version 4.3.6-0+deb11u1 Copyright", "4.4 or later is needed"),
        ("ffmpeg version 2.8 Copyright", "4.4 or later is needed"),
        ("BusyBox v1.36", "doesn't answer like ffmpeg"),
        ("", "doesn't answer like ffmpeg"),
    ] {
        let old = script(&place, "old", &format!("echo '{says}'"));
        let (records, said) = ends(compose(&place, &input).env("TW_FFMPEG", old), 2);
        assert!(records.is_empty() && said.contains(expected), "{said}");
    }
    let failing = script(&place, "failing", "echo 'no such library' >&2; exit 127");
    let (_, said) = ends(compose(&place, &input).env("TW_FFMPEG", failing), 2);
    assert!(said.contains("exit status 127: no such library"), "{said}");
}

/// The real one, but for the run that composes.
fn composing(does: &str) -> String {
    format!("case \"$*\" in *out/*) {does};; esac; exec ffmpeg \"$@\"")
}

#[test]
fn an_ffmpeg_that_is_killed_or_talks_too_much_is_explained() {
    let place = place();
    let input = room(&place);
    for (does, expected) in [
        ("kill -9 $$", "killed by signal 9"),
        ("yes babble | head -c 5000000 >&2; echo >&2; echo 'last words' >&2; exit 3", "; last words"),
        ("head -c 3000000 /dev/zero >&2; exit 1", "exit status 1"),
        ("printf 'progress=end\\n'; exit 0", "the result is wrong"),
    ] {
        let stand_in = script(&place, "stand-in", &composing(does));
        let (records, _) = ends(compose(&place, &input).env("TW_FFMPEG", stand_in), 1);
        let message = records[0]["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected) && message.len() < 8000, "{message}");
        assert!(names(&place.folder().join("out")).is_empty(), "{does}");
    }
}

#[test]
fn one_room_that_fails_does_not_stop_the_others() {
    let place = place();
    let good = room(&place);
    let bad = "RM00000000000000000000000000000002";
    fs::write(place.folder().join("broken.mkv"), "no Matroska").unwrap();
    let input = records(bad, &[("video", "broken.mkv")]) + &good;
    let (records, _) = ends(&mut compose_to(&place, &input, "out/{room_sid}.webm"), 1);
    assert_eq!(records[0]["room_sid"], bad);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("broken.mkv (alice)"));
    assert_eq!(records[1]["status"], "completed");
    assert_eq!(names(&place.folder().join("out")), [format!("{ROOM}.webm")]);
}

#[test]
fn an_ffmpeg_without_progress_is_ended() {
    let place = place();
    let input = room(&place);
    for does in [
        "exec tail -f /dev/null",
        "while echo out_time_us=0 && echo progress=continue; do sleep 0.1; done",
        "tail -f /dev/null & wait",
        "exec >/dev/null; exec tail -f /dev/null",
    ] {
        let pid = place.folder().join("pid");
        let stand_in =
            script(&place, "stand-in", &composing(&format!("echo $$ > '{}'; {does}", pid.display())));
        let (records, _) = ends(compose(&place, &input).args(["--stall", "1"]).env("TW_FFMPEG", stand_in), 1);
        let message = records[0]["error"]["message"].as_str().unwrap();
        assert!(message.contains("gave no sign of life for 1s and was ended"), "{message}");
        let pid = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        assert!(!is_alive(pid), "{does}");
        assert!(names(&place.folder().join("out")).is_empty(), "{does}");
    }
}

#[test]
fn an_ffmpeg_that_is_at_work_may_be_silent() {
    let place = place();
    let input = room(&place);
    // As one that decodes hours on its way to a window.
    let works = "timeout --foreground 3 sh -c 'while :; do :; done'; exec ffmpeg \"$@\"";
    let stand_in = script(&place, "stand-in", &composing(works));
    let (records, _) = ends(compose(&place, &input).args(["--stall", "1"]).env("TW_FFMPEG", stand_in), 0);
    assert_eq!(records[0]["status"], "completed");
}

#[test]
fn an_ffprobe_that_dies_costs_no_work() {
    let place = place();
    let input = room(&place);
    let dying = script(&place, "dying", "kill -9 $$");
    let (records, _) = ends(compose(&place, &input).args(["--chunk", "1"]).env("TW_FFPROBE", dying), 1);
    assert_eq!(records[0]["error"]["kind"], "ffmpeg");
    // The parts aren't to blame: the next run has only to join them.
    assert_eq!(names(&place.folder().join("out")), [".room.webm.parts"]);
    ends(compose(&place, &input).args(["--chunk", "1"]), 0);
    assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
}

#[test]
fn an_ffprobe_that_hangs_over_a_result_is_ended() {
    let place = place();
    let input = room(&place);
    let stand_in = hanging(&place, "ffprobe", "*packet=stream_index*");
    let mut command = compose(&place, &input);
    command.args(["--chunk", "1", "--stall", "1"]).env("TW_FFPROBE", stand_in);
    let (records, _) = ends(&mut command, 1);
    let message = records[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("the result can't be checked"), "{message}");
    assert!(message.contains("gave no sign of life for 1s and was ended"), "{message}");
    let pid = fs::read_to_string(place.folder().join("hanging")).unwrap().trim().parse().unwrap();
    assert!(!is_alive(pid));
    // That says nothing about the parts: the next run has only to join them.
    assert_eq!(names(&place.folder().join("out")), [".room.webm.parts"]);
    // Nor about what is there already.
    ends(compose(&place, &input).args(["--chunk", "1"]), 0);
    let (records, _) = ends(&mut command, 1);
    let message = records[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("can't be checked") && !message.contains("something else"), "{message}");
    assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
}
