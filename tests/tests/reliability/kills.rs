//! Killed at any moment: nothing half-made under a final name, children gone,
//! and the next run picks up what is there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tw_loopback::{Fault, On, Twilio, room_sid};

use crate::common::*;

#[test]
fn a_tool_that_waits_for_input_ends_at_once() {
    let place = place();
    let twilio = Twilio::builder().start().unwrap();
    for tool in
        [&["tw-list", "--rooms", "-"][..], &["tw-fetch"], &["tw-probe"], &["tw-offsets"], &["tw-ffcmd"]]
    {
        for (signal, code) in SIGNALS {
            let mut command = place.tool(tool[0]).unwrap();
            command.args(&tool[1..]).envs(twilio.env());
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // Kept open: the tool waits for more.
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"{\"sid\":\"RT1\",\"error\":{\"kind\":\"x\"}}\n").unwrap();
            assert_eq!(send(&mut child, signal).code(), code, "{tool:?}");
        }
    }
    assert!(names(place.folder()).is_empty());
}

#[test]
fn a_terminal_that_is_closed_ends_a_tool_unless_nohup_keeps_it() {
    let place = place();
    let begin = |command: &mut Command| {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // What comes out shows that it runs.
        stdin.write_all(b"{\"sid\":\"RT1\",\"error\":{\"kind\":\"x\"}}\n").unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        (child, stdin)
    };
    let tool = place.tool("tw-probe").unwrap();
    let (mut child, _stdin) = begin(&mut place.tool("tw-probe").unwrap());
    assert_eq!(send(&mut child, Signal::HUP).code(), Some(129));
    let mut nohup = Command::new("nohup");
    nohup.arg(tool.get_program()).current_dir(place.folder());
    let (mut child, stdin) = begin(&mut nohup);
    rustix::process::kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    drop(stdin);
    // As the marked record wants it.
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_tool_whose_words_nobody_reads_can_be_ended() {
    let place = place();
    let mut child = place
        .tool("tw-offsets")
        .unwrap()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || stdin.write_all(&b"no record\n".repeat(1 << 16)));
    // More complaints than a pipe holds: it waits for somebody who reads them.
    let unread = child.stderr.take().unwrap();
    wait(&mut child, || rustix::io::ioctl_fionread(&unread).unwrap() > 60_000);
    assert_eq!(send(&mut child, Signal::TERM).code(), Some(143));
    // It may have taken all of it.
    let _ = feeding.join().unwrap();
}

#[test]
fn a_list_that_waits_for_twilio_ends_at_once() {
    let place = place();
    let room = room_sid("a room");
    for (signal, code) in SIGNALS {
        let twilio = Twilio::builder().room(&room).fault(On::api("*"), Fault::Silence).start().unwrap();
        let mut command = place.tool("tw-list").unwrap();
        command.envs(twilio.env()).args(["--room", &room]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        wait(&mut child, || twilio.count(&On::api("*")) == 1);
        assert_eq!(send(&mut child, signal).code(), code);
    }
}

#[test]
fn an_ffprobe_dies_with_its_tool() {
    for (signal, code) in SIGNALS {
        let place = place();
        fs::write(place.folder().join("a.mka"), "x").unwrap();
        let ffprobe = hanging(&place, "ffprobe", "*");
        let mut child = place
            .tool("tw-probe")
            .unwrap()
            .env("TW_FFPROBE", ffprobe)
            .args(["--files", "a.mka"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = wait_until_it_hangs(&place, &mut child);
        assert_eq!(send(&mut child, signal).code(), code);
        wait_for_the_end_of(pid);
        let output = child.wait_with_output().unwrap();
        assert!(output.stdout.is_empty(), "nothing is marked for our own end");
    }
}

#[test]
fn an_ffmpeg_dies_with_its_tool_in_every_phase() {
    // What runs, and where it hangs: the arguments of that step. One that fails is asked for its version.
    let phases = [
        ("false", "*-version*"),
        ("ffmpeg", "*/.indexed-*.part"),
        ("ffmpeg", "*/.sound-*.part"),
        ("ffmpeg", "*/.picture-*.part"),
        ("ffmpeg", "*concat*"),
        ("ffprobe", "*packet=stream_index*"),
    ];
    let place = place();
    let input = room(&place);
    let out = place.folder().join("out");
    for (number, (program, pattern)) in phases.into_iter().enumerate() {
        let variable = if program == "ffprobe" { "TW_FFPROBE" } else { "TW_FFMPEG" };
        let stand_in = hanging(&place, program, pattern);
        // Not each of the three signals in each of the phases: in turn.
        let (signal, code) = SIGNALS[number % 3];
        let mut child =
            compose(&place, &input).args(["--chunk", "1"]).env(variable, stand_in).spawn().unwrap();
        let pid = wait_until_it_hangs(&place, &mut child);
        assert_eq!(send(&mut child, signal).code(), code, "{pattern}");
        wait_for_the_end_of(pid);
        let output = child.wait_with_output().unwrap();
        assert!(output.stdout.is_empty(), "{pattern}: nothing is marked for our own end");
        let left = names(&out);
        assert!(!left.contains(&"room.webm".into()), "{pattern}: {left:?}");
        if signal != Signal::KILL {
            assert!(!left.contains(&".room.webm.part".into()), "{pattern}: {left:?}");
        }
        fs::remove_file(place.folder().join("hanging")).unwrap();
        // The next run makes of it what is missing. Then anew, so that each phase comes again.
        let (records, _) = ends(compose(&place, &input).args(["--chunk", "1"]), 0);
        assert_eq!(records[0]["status"], "completed");
        assert_eq!(names(&out), ["room.webm"], "{pattern}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn parts_that_are_done_are_not_made_again() {
    let place = place();
    let input = room(&place);
    let stand_in = hanging(&place, "ffmpeg", "*concat*");
    let mut child =
        compose(&place, &input).args(["--chunk", "1"]).env("TW_FFMPEG", stand_in).spawn().unwrap();
    wait_until_it_hangs(&place, &mut child);
    send(&mut child, Signal::KILL);
    let parts = |names: Vec<String>| names.into_iter().filter(|name| !name.starts_with('.')).count();
    assert_eq!(
        parts(names(&place.folder().join("out/.room.webm.parts"))),
        3 + 1 + 1,
        "pictures, index, sound"
    );

    // The name of the program is part of the command, and so of the parts' names.
    let counted =
        "case \"$*\" in *concat*|*-version*|*-encoders*) ;; *) echo again >> made;; esac; exec ffmpeg \"$@\"";
    let stand_in = script(&place, "hanging-ffmpeg", counted);
    let (records, _) = ends(compose(&place, &input).args(["--chunk", "1"]).env("TW_FFMPEG", stand_in), 0);
    assert_eq!(records[0]["status"], "completed");
    assert!(!place.folder().join("made").exists());
}

#[test]
fn twenty_runs_killed_then_one_left_alone() {
    let place = place();
    let input = room(&place);
    let out = place.folder().join("out");
    let made = out.join("room.webm");
    let begun = Instant::now();
    ends(compose(&place, &input).args(["--chunk", "1", "--jobs", "2"]), 0);
    let quiet = begun.elapsed();
    let expected = content(&made);
    fs::remove_dir_all(&out).unwrap();

    let mut seeded = Seeded(1009);
    for run in 0..20 {
        let (signal, code) = SIGNALS[usize::try_from(seeded.below(3)).unwrap()];
        let moment = quiet * u32::try_from(seeded.below(1000)).unwrap() / 1000;
        let mut child = compose(&place, &input).args(["--chunk", "1", "--jobs", "2"]).spawn().unwrap();
        // Chance is the point here: whatever it is doing then, it is killed.
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        let ended = send_or_ended(&mut child, signal);
        // Before it has a handler, the signal itself ends it.
        assert!(ended == code || ended.is_none() || ended == Some(0), "run {run}: {ended:?}");
        if made.exists() {
            assert_eq!(content(&made), expected, "run {run}");
            // Whole before its time: begun anew, so that all twenty have something to lose.
            fs::remove_file(&made).unwrap();
        }
    }
    let (records, _) = ends(compose(&place, &input).args(["--chunk", "1", "--jobs", "2"]), 0);
    assert_eq!(records[0]["status"], "completed");
    assert_eq!(content(&made), expected);
    assert_eq!(names(&out), ["room.webm"]);
}

/// Sends a signal, unless it has ended.
fn send_or_ended(child: &mut std::process::Child, signal: Signal) -> Option<i32> {
    match child.try_wait().unwrap() {
        Some(status) => status.code(),
        None => {
            rustix::process::kill_process(Pid::from_child(child), signal).unwrap();
            child.wait().unwrap().code()
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_pipeline() {
    let place = place();
    let lines = "{\"type\":\"data\",\"path\":\"x\",\"offset\":1}\n".repeat(200_000);
    fs::write(place.folder().join("many.jsonl"), lines).unwrap();
    for tool in ["tw-probe", "tw-offsets"] {
        let mut child = place
            .tool(tool)
            .unwrap()
            .arg("many.jsonl")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("{\"type\":\"data\""), "{line}");
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{tool}");
    }
}
