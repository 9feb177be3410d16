//! The disk and the processes: interrupted, twice at once, full, in the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{alice, fetch, files, folder, line, lines, media, records};
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};
use tw_loopback::{Fault, On, Recording, Twilio, room_sid};

/// tw-fetch as a process of its own, which has read its input.
fn start(twilio: &Twilio, dir: &Path, input: &str) -> Child {
    start_with(twilio, dir, input, &[])
}

fn start_with(twilio: &Twilio, dir: &Path, input: &str, flags: &[&str]) -> Child {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("tw-fetch"))
        .env_clear()
        .envs(twilio.env())
        .args(["--retry-delay", "1", "--timeout", "60", "--dir"])
        .arg(dir)
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child
}

/// How many bytes the part has.
fn part_length(dir: &Path, name: &str) -> u64 {
    fs::metadata(dir.join(format!(".{name}.part"))).map_or(0, |about| about.len())
}

/// Waits until the part has so many bytes, while `child` is at it.
fn wait_for_part(child: &mut Child, dir: &Path, name: &str, bytes: u64) {
    wait(child, || part_length(dir, name) >= bytes);
}

/// Waits for something to become so while `child` runs: not for ever, or the test would hang.
fn wait(child: &mut Child, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended already");
        assert!(begun.elapsed() < Duration::from_secs(120), "it doesn't come so far");
        thread::yield_now();
    }
}

#[test]
fn a_killed_run_leaves_no_final_name_and_the_next_goes_on() {
    for (signal, code) in [(Signal::TERM, Some(143)), (Signal::INT, Some(130)), (Signal::KILL, None)] {
        let bytes = media(300_000);
        let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[alice(&bytes)]);
        let name = format!("{}.mka", alice(&bytes).rt());
        twilio.fault(On::storage("*").first(1), Fault::StallInBody(100_000));
        let mut child = start(&twilio, dir.path(), &input);
        wait_for_part(&mut child, dir.path(), &name, 100_000);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code);
        assert!(!dir.path().join(&name).exists());
        for left in [format!(".{name}.part"), format!(".{name}.part.json")] {
            let mode = fs::metadata(dir.path().join(&left)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{left}");
        }

        let output = fetch(&twilio, dir.path()).write_stdin(input).assert().success();
        assert_eq!(line(&output)["bytes"], 300_000);
        let last = twilio.requests().pop().unwrap();
        assert_eq!(last.header("range"), Some("bytes=100000-"));
        assert!(last.header("if-range").is_some_and(|tag| tag.starts_with('"')), "{last:?}");
        assert_eq!(fs::read(dir.path().join(&name)).unwrap(), bytes);
        assert_eq!(files(dir.path()).len(), 1);
    }
}

#[test]
fn killed_twenty_times_then_left_alone() {
    let bytes = media(300_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    let name = format!("{}.mka", alice(&bytes).rt());
    for run in 0..20 {
        // Each run comes a little further, to another place; some come nowhere.
        let further = (run % 4) * (1000 + run * 777);
        let there = part_length(dir.path(), &name);
        twilio.fault(On::storage("*").first(1), Fault::StallInBody(further));
        let asked = twilio.count(&On::storage("*"));
        let mut child = start(&twilio, dir.path(), &input);
        wait(&mut child, || twilio.count(&On::storage("*")) > asked);
        wait_for_part(&mut child, dir.path(), &name, there + further);
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!dir.path().join(&name).exists());
    }
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    assert!(fs::read(dir.path().join(&name)).unwrap() == bytes);
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn other_media_is_begun_anew() {
    let (old, new) = (media(300_000), media(600_000).split_off(300_000));
    let twilio = Twilio::builder().recording(alice(&old)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&old)]);
    let name = format!("{}.mka", alice(&old).rt());
    twilio.fault(On::storage("*").first(1), Fault::CloseInBody(100_000));
    fetch(&twilio, dir.path()).args(["--retries", "0"]).write_stdin(input.as_str()).assert().code(1);
    assert_eq!(part_length(dir.path(), &name), 100_000);
    twilio.fault(On::storage("*").first(1), Fault::OtherMedia(new.clone()));
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    assert!(fs::read(dir.path().join(&name)).unwrap() == new);
}

#[test]
fn a_part_without_a_note_is_begun_anew() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let name = format!("{}.mka", alice(&bytes).rt());
    let input = records(&twilio, &[alice(&bytes)]);
    let odd = format!(r#"{{"sid":"{}","etag":"\"x\r\n\"","total":2000}}"#, alice(&bytes).rt());
    for note in [None, Some("{"), Some(r#"{"sid":"RT1","etag":"\"x\"","total":1000}"#), Some(&odd)] {
        let dir = folder();
        fs::write(dir.path().join(format!(".{name}.part")), vec![0; 2000]).unwrap();
        if let Some(note) = note {
            fs::write(dir.path().join(format!(".{name}.part.json")), note).unwrap();
        }
        fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
        assert_eq!(fs::read(dir.path().join(&name)).unwrap(), bytes);
        assert_eq!(files(dir.path()).len(), 1);
    }
}

#[test]
fn a_whole_part_that_is_no_media_is_begun_anew() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let sid = alice(&bytes).rt();
    let sized = records(&twilio, &[alice(&bytes)]);
    let bare = format!("{{\"sid\":\"{sid}\",\"type\":\"audio\"}}\n");
    for (input, there, asked) in
        [(&sized, vec![0; 1000], true), (&bare, vec![b' '; 1000], true), (&sized, bytes.clone(), false)]
    {
        let dir = folder();
        let part = dir.path().join(format!(".{sid}.mka.part"));
        fs::write(&part, there).unwrap();
        let note = format!(r#"{{"sid":"{sid}","etag":"\"x\"","total":1000}}"#);
        fs::write(part.with_extension("part.json"), note).unwrap();
        let before = twilio.requests().len();
        fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
        assert!(fs::read(dir.path().join(format!("{sid}.mka"))).unwrap() == bytes, "{input}");
        assert_eq!((twilio.requests().len() > before, files(dir.path()).len()), (asked, 1));
    }
}

#[test]
fn two_runs_into_one_folder_fetch_each_file_once() {
    let room = room_sid("two runs");
    let people: Vec<Recording> =
        (0..12).map(|n| Recording::audio(&room, &format!("p{n}")).bytes(media(100_000 + n))).collect();
    let twilio = Twilio::builder().recordings(people.clone()).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &people);
    let children: Vec<Child> = (0..3).map(|_| start(&twilio, dir.path(), &input)).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
    assert_eq!(twilio.count(&On::storage("*")), 12);
    assert_eq!(files(dir.path()).len(), 12);
    for (n, recording) in people.iter().enumerate() {
        let path = dir.path().join(format!("{}.mka", recording.rt()));
        assert!(fs::read(path).unwrap() == media(100_000 + n));
    }
}

#[test]
fn a_run_that_waits_for_another_goes_on_when_that_is_killed() {
    let bytes = media(300_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    let name = format!("{}.mka", alice(&bytes).rt());
    twilio.fault(On::storage("*").first(1), Fault::StallInBody(100_000));
    let mut first = start(&twilio, dir.path(), &input);
    wait_for_part(&mut first, dir.path(), &name, 100_000);
    let mut second = start_with(&twilio, dir.path(), &input, &["-v"]);
    let mut said = BufReader::new(second.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("another run is at it; waiting")));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(said.any(|line| line.contains("going on after 100000 bytes")));
    assert!(second.wait().unwrap().success());
    assert!(fs::read(dir.path().join(&name)).unwrap() == bytes);
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_part_longer_than_the_media_is_begun_anew() {
    let bytes = media(200_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    let name = format!("{}.mka", alice(&bytes).rt());
    twilio.fault(On::storage("*").first(1), Fault::CloseInBody(100_000));
    fetch(&twilio, dir.path()).args(["--retries", "0"]).write_stdin(input.as_str()).assert().code(1);
    let part = dir.path().join(format!(".{name}.part"));
    File::options().append(true).open(part).unwrap().write_all(&[0; 150_000]).unwrap();
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    assert!(fs::read(dir.path().join(&name)).unwrap() == bytes);
}

#[test]
fn two_recordings_of_one_name_are_not_mixed_up() {
    let room = room_sid("twins");
    let twins =
        [Recording::audio(&room, "a").bytes(media(10)), Recording::audio(&room, "b").bytes(media(20))];
    let twilio = Twilio::builder().recordings(twins.clone()).start().unwrap();
    let dir = folder();
    let output = fetch(&twilio, dir.path())
        .args(["-j", "1", "--name", "{type}.mka"])
        .write_stdin(records(&twilio, &twins))
        .assert()
        .code(1)
        .stderr(contains("put {sid} into --name"));
    assert_eq!(lines(&output)[1]["error"]["kind"], "io");
    assert_eq!(fs::read(dir.path().join("audio.mka")).unwrap(), media(10));
    // Nor in the next run.
    fetch(&twilio, dir.path())
        .args(["--name", "{type}.mka"])
        .write_stdin(records(&twilio, &twins[1..]))
        .assert()
        .code(1)
        .stderr(contains("may be another recording's"));
    assert_eq!(fs::read(dir.path().join("audio.mka")).unwrap(), media(10));
}

#[test]
fn a_note_that_is_none_holds_nobody_up() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let note = dir.path().join(format!(".{}.mka.part.json", alice(&bytes).rt()));
    let pipe = Command::new("mkfifo").arg(&note).status().unwrap();
    assert!(pipe.success());
    let input = records(&twilio, &[alice(&bytes)]);
    let mut command = fetch(&twilio, dir.path());
    command.timeout(Duration::from_secs(120)).write_stdin(input.as_str()).assert().success();
    assert_eq!(files(dir.path()).len(), 1);
    fs::remove_file(dir.path().join(format!("{}.mka", alice(&bytes).rt()))).unwrap();
    symlink("/dev/zero", &note).unwrap();
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
}

#[test]
fn a_file_of_another_length_is_replaced() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let path = dir.path().join(format!("{}.mka", alice(&bytes).rt()));
    fs::write(&path, "short").unwrap();
    let input = records(&twilio, &[alice(&bytes)]);
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn without_a_size_a_file_that_is_there_is_whole() {
    for size in ["null", "0"] {
        let bytes = media(1000);
        let recording = alice(&bytes).written_as("size", size);
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[recording]).repeat(2);
        fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
        fetch(&twilio, dir.path()).write_stdin(input).assert().success();
        assert_eq!(twilio.count(&On::storage("*")), 1);
    }
}

#[test]
fn without_a_size_a_file_may_be_anothers_unless_its_name_says_whose() {
    let room = room_sid("namesakes");
    let namesakes = ["a", "b"]
        .map(|who| Recording::audio(&room, who).track("mic").bytes(media(10)).written_as("size", "null"));
    let twilio = Twilio::builder().recordings(namesakes.clone()).start().unwrap();
    let dir = folder();
    let run = |recording: &Recording| {
        let input = records(&twilio, std::slice::from_ref(recording));
        fetch(&twilio, dir.path()).args(["--name", "{track_name}.mka"]).write_stdin(input).assert()
    };
    run(&namesakes[0]).success();
    // Nobody knows whose it is: neither the other's, nor for certain its own.
    for recording in [&namesakes[1], &namesakes[0]] {
        let output = run(recording).code(1).stderr(contains("may be another recording's"));
        assert_eq!(line(&output)["error"]["kind"], "io");
        assert!(line(&output).get("path").is_none());
    }
    assert_eq!(twilio.count(&On::storage("*")), 1);
    assert_eq!(fs::read(dir.path().join("mic.mka")).unwrap(), media(10));
}

#[test]
fn a_folder_that_cannot_be_is_wrong_set_up() {
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for dir in [file.clone(), file.join("below"), "/proc/nowhere".into()] {
        fetch(&twilio, &dir).write_stdin("").assert().code(2).stderr(contains("cannot make the folder"));
    }
}

#[test]
fn what_stands_in_the_way_is_said() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let name = format!("{}.mka", alice(&bytes).rt());
    let input = records(&twilio, &[alice(&bytes)]);
    let fails = |dir: &Path, template: &str, kind: &str, why: &str| {
        let output = fetch(&twilio, dir)
            .args(["--name", template])
            .write_stdin(input.as_str())
            .assert()
            .code(1)
            .stderr(contains(why));
        assert_eq!(line(&output)["error"]["kind"], kind);
    };
    const NAME: &str = "{sid}.{container_format}";

    let dir = folder();
    fs::create_dir(dir.path().join(&name)).unwrap();
    fails(dir.path(), NAME, "io", "is no file");

    let (dir, outside) = (folder(), folder());
    symlink(outside.path().join("victim"), dir.path().join(&name)).unwrap();
    fails(dir.path(), NAME, "refused", "symbolic link");

    let dir = folder();
    symlink(outside.path(), dir.path().join("audio")).unwrap();
    fails(dir.path(), "{type}/{sid}", "refused", "symbolic link");

    let dir = folder();
    symlink(outside.path().join("victim"), dir.path().join(format!(".{name}.part"))).unwrap();
    fails(dir.path(), NAME, "io", "cannot write");

    let dir = folder();
    fs::write(dir.path().join("audio"), "x").unwrap();
    fails(dir.path(), "{type}/{sid}", "io", "cannot");
    assert!(files(outside.path()).is_empty());
}

#[test]
fn a_full_disk_is_said() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    // A limit of 0 bytes for files: writing fails as on a full disk, without a file system of our own.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" --dir \"$1\"";
    let mut command = assert_cmd::Command::new("sh");
    let output = command
        .env_clear()
        .envs(twilio.env())
        .args(["-c", script])
        .arg(assert_cmd::cargo::cargo_bin("tw-fetch"))
        .arg(dir.path())
        .write_stdin(input.as_str())
        .assert()
        .code(1)
        .stderr(contains("cannot write"));
    assert_eq!(line(&output)["error"]["kind"], "io");
    assert!(files(dir.path()).is_empty(), "an empty part is worth nothing");
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
}

#[test]
fn stdout_full_or_closed() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    let run = |stdout: Stdio| {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("tw-fetch"))
            .env_clear()
            .envs(twilio.env())
            .arg("--dir")
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(File::options().write(true).open("/dev/full").unwrap().into());
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot write to stdout"), "{said}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run(writer.into()), (Some(0), String::new()));
}
