//! Recordings in the user's own bucket, fetched by the user's own program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use common::sealed::{Keys, file_of, matroska, seal};
use common::{alice, bucket, fetch, files, folder, line, lines, media, records};
use predicates::prelude::*;
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};
use tw_loopback::{On, Recording, Twilio, room_sid};

/// Where all recordings of these tests are, when nobody asks there.
const NOWHERE: &str = "https://mine.s3.eu-west-1.amazonaws.com/video/x.mka";

fn fetch_with(twilio: &Twilio, dir: &Path, external: &str) -> Command {
    let mut command = fetch(twilio, dir);
    command.env("PATH", std::env::var_os("PATH").unwrap()).args(["--external", external]);
    command
}

/// alice's sound, of so many bytes, in the bucket.
fn elsewhere(size: u64, location: &str) -> Recording {
    alice(&[]).size(size).written_as("media_external_location", &format!("{location:?}"))
}

/// Runs a command of the user's for a recording of this size: stdout's record and the folder.
fn run(recording: &Recording, external: &str) -> (assert_cmd::assert::Assert, tempfile::TempDir) {
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let assert = fetch_with(&twilio, dir.path(), external).write_stdin(recording.rt()).assert();
    assert_eq!(twilio.count(&On::storage("*")), 0);
    (assert, dir)
}

fn curl_is_there() -> bool {
    let there = std::process::Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !there {
        eprintln!("not tested: there is no curl here");
    }
    there
}

#[test]
fn curl_brings_all_of_them_in_order() {
    if !curl_is_there() {
        return;
    }
    let room = room_sid("bucket");
    let path = |n: usize| format!("/mine/video/p{n}.mka");
    let bytes = |n: usize| media(1000 + 50_000 * (n % 3) + n);
    let address = bucket::serve((0..8).map(|n| (path(n), vec![], bytes(n))).collect());
    let people: Vec<Recording> = (0..8)
        .map(|n| {
            let location = format!("\"{address}{}\"", path(n));
            let recording = Recording::audio(&room, &format!("p{n}")).size(bytes(n).len() as u64);
            recording.written_as("media_external_location", &location)
        })
        .collect();
    let twilio = Twilio::builder().recordings(people.clone()).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &people);
    let run = |command: &str| {
        let mut tw_fetch = fetch_with(&twilio, dir.path(), command);
        tw_fetch.args(["-j", "4"]).write_stdin(input.as_str()).assert().success()
    };
    let output = run("curl -fsS -o {path} {url}");
    for (n, line) in lines(&output).iter().enumerate() {
        assert_eq!(line["sid"], people[n].rt());
        let path = Path::new(line["path"].as_str().unwrap());
        assert!(fs::read(path).unwrap() == bytes(n));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(files(dir.path()).len(), 8);
    // What is there is not fetched again.
    run("false {path}");
    fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
}

#[test]
fn without_a_program_it_says_what_to_do() {
    let recording = elsewhere(10, NOWHERE);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let assert = fetch(&twilio, dir.path()).write_stdin(recording.rt()).assert().code(1);
    let message = line(&assert)["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("bucket of your own") && message.contains("--external"), "{message}");
}

#[test]
fn a_program_that_fails_is_said_with_its_last_words() {
    let (assert, dir) =
        run(&elsewhere(10, NOWHERE), "sh -c 'echo x > $0; seq 50 >&2; echo denied >&2; exit 3' {path}");
    let assert = assert.code(1).stderr(contains("sh: exit status 3: 49; 50; denied"));
    assert_eq!(line(&assert)["error"]["kind"], "external");
    assert!(files(dir.path()).is_empty());
    for (external, why) in [
        ("false {path}", "exit status 1, without a word"),
        ("sh -c 'echo x > $0; kill -9 $$' {path}", "killed by signal 9"),
        // It may take its time; how long, coreutils' timeout can say.
        ("timeout 0.2 tail -f /dev/null {path}", "timeout: exit status 124"),
    ] {
        let (assert, dir) = run(&elsewhere(10, NOWHERE), external);
        let assert = assert.code(1).stderr(contains(why));
        assert_eq!(line(&assert)["error"]["kind"], "external");
        assert!(files(dir.path()).is_empty(), "{external}");
    }
}

#[test]
fn megabytes_of_babble_are_no_trouble() {
    let babble = "yes out | head -c 5000000; yes err | head -c 5000000 >&2";
    let (assert, dir) = run(&elsewhere(5, NOWHERE), &format!("sh -c '{babble}; printf media > $0' {{path}}"));
    let output = assert.success().get_output().clone();
    assert!(output.stderr.is_empty() && output.stdout.len() < 2000);
    assert_eq!(files(dir.path()).len(), 1);
    let (assert, dir) = run(&elsewhere(5, NOWHERE), &format!("sh -c '{babble}; exit 3' {{path}}"));
    assert!(assert.code(1).get_output().stderr.len() < 2000);
    assert!(files(dir.path()).is_empty());
}

#[test]
fn only_what_is_whole_gets_its_name() {
    for (size, external, kind, why) in [
        (10, "sh -c 'printf short > $0' {path}", "media", "has 5 bytes, but Twilio's size is 10"),
        (0, "sh -c ': > $0' {path}", "media", "is empty"),
        (10, "true {path}", "external", "there is no file"),
        (10, "ln -s /etc/passwd {path}", "refused", "symbolic link"),
        (10, "mkdir -p {path}/{sid}", "io", "is no file"),
        (10, "mkfifo {path}", "io", "is no file"),
    ] {
        let (assert, dir) = run(&elsewhere(size, NOWHERE), external);
        let assert = assert.code(1).stderr(contains(why));
        assert_eq!(line(&assert)["error"]["kind"], kind);
        assert!(files(dir.path()).is_empty(), "{external}");
    }
}

#[test]
fn what_a_killed_run_left_is_not_gone_on_with() {
    let recording = elsewhere(5, NOWHERE);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    fs::write(dir.path().join(format!(".{}.mka.stored", recording.rt())), "xx").unwrap();
    fetch_with(&twilio, dir.path(), "sh -c 'printf media >> $0' {path}")
        .write_stdin(recording.rt())
        .assert()
        .success();
    assert_eq!(fs::read(file_of(dir.path(), &recording)).unwrap(), b"media");
}

#[test]
fn no_shell_sees_a_field_and_no_field_is_split() {
    let name = "a b $(touch x) 'c' ; d";
    let recording = elsewhere(name.len() as u64, NOWHERE).track(name);
    let (assert, dir) = run(&recording, "sh -c 'printf %s \"$2\" > \"$1\"' x {path} {track_name}");
    assert.success();
    assert_eq!(fs::read(file_of(dir.path(), &recording)).unwrap(), name.as_bytes());

    let (assert, _) = run(&recording.clone().track("-K/x"), "sh -c : x {path} {track_name}");
    assert_eq!(line(&assert.code(1))["error"]["kind"], "refused");
    let (assert, _) = run(&elsewhere(10, "file:///etc/passwd"), "cp /etc/passwd {path}");
    assert_eq!(line(&assert.code(1).stderr(contains("not https")))["error"]["kind"], "refused");
}

#[test]
fn the_program_gets_its_environment_but_not_twilios_secrets() {
    let recording = elsewhere(0, NOWHERE);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let begin = folder();
    fs::write(begin.path().join("begin"), media(4)).unwrap();
    let program = format!("sh -c 'cp {}/begin $0; env >> $0; echo noise' {{path}}", begin.path().display());
    fetch_with(&twilio, dir.path(), &program)
        .env("AWS_PROFILE", "mine")
        .write_stdin(recording.rt())
        .assert()
        .success()
        .stdout(contains("noise").not());
    let env = fs::read(file_of(dir.path(), &recording)).unwrap();
    let env = String::from_utf8_lossy(&env);
    assert!(env.contains("AWS_PROFILE=mine"));
    assert!(!env.contains(tw_loopback::AUTH_TOKEN), "{env}");
}

#[test]
fn what_is_no_media_is_not_taken_for_it() {
    // Without a size, its beginning tells.
    let recording = elsewhere(0, NOWHERE);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let mut command = fetch_with(&twilio, dir.path(), "sh -c 'echo denied > $0' {path}");
    command.write_stdin(recording.rt()).assert().code(1).stderr(contains("what it fetched is no Matroska"));
    assert!(!file_of(dir.path(), &recording).exists());
}

#[test]
fn the_program_ends_with_us() {
    let recording = elsewhere(10, NOWHERE);
    for (signal, code) in [(Signal::TERM, Some(143)), (Signal::KILL, None)] {
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let (dir, outside) = (folder(), folder());
        let fifo = outside.path().join("fifo");
        Command::new("mkfifo").arg(&fifo).assert().success();
        let program = format!("sh -c 'echo half > $0; exec 3> {}; exec sleep 1000' {{path}}", fifo.display());
        let input = outside.path().join("input");
        fs::write(&input, recording.rt()).unwrap();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("tw-fetch"))
            .envs(twilio.env())
            .args(["--external", &program, "--dir"])
            .args([dir.path(), &input])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Opened when the program has opened it; at its end when the program has ended.
        let mut fifo = fs::File::open(&fifo).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code);
        assert_eq!(fifo.read(&mut [0]).unwrap(), 0);
        assert!(!file_of(dir.path(), &recording).exists());
        if code.is_some() {
            assert!(files(dir.path()).iter().all(|path| !path.to_str().unwrap().ends_with(".stored")));
        }
    }
}

#[test]
fn encrypted_there_too() {
    let bytes = matroska(100_000);
    let sealed = seal(&bytes);
    let headers = sealed.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let address = bucket::serve(vec![("/mine/a.mka".into(), headers, sealed.stored.clone())]);
    let location = format!("\"{address}/mine/a.mka\"");
    let recording = sealed.bare().written_as("media_external_location", &location);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let outside = folder();
    let stored = outside.path().join("stored");
    fs::write(&stored, &sealed.stored).unwrap();
    // As `aws s3api get-object` prints it.
    let metadata = serde_json::json!({"Metadata": {"x-amz-key": sealed.key, "x-amz-iv": sealed.iv}});
    let json = outside.path().join("json");
    fs::write(&json, metadata.to_string()).unwrap();
    let printing = format!("sh -c 'cp {} $0; cat {}' {{path}}", stored.display(), json.display());
    let run = |external: &str, key: &str| {
        let dir = folder();
        let mut command = fetch_with(&twilio, dir.path(), external);
        command.args(["--private-key", &Keys::get().path(key)]);
        (command.write_stdin(recording.rt()).assert(), dir)
    };
    let mut programs = vec![printing.as_str()];
    if curl_is_there() {
        programs.push("curl -fsS -D - -o {path} {url}");
    }
    for program in programs {
        let (assert, dir) = run(program, "mine.pem");
        assert_eq!(line(&assert.success())["bytes"], bytes.len());
        assert!(fs::read(file_of(dir.path(), &recording)).unwrap() == bytes);
        assert_eq!(files(dir.path()).len(), 1);
        let (assert, dir) = run(program, "other.pem");
        assert.code(1).stderr(contains("doesn't open it"));
        assert!(files(dir.path()).is_empty());
    }
    let silent = format!("cp {} {{path}}", stored.display());
    let (assert, dir) = run(&silent, "mine.pem");
    assert.code(1).stderr(contains("aws s3api get-object"));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn twilio_is_not_needed_for_it() {
    let stored = folder();
    let object = stored.path().join("object");
    fs::write(&object, media(1000)).unwrap();
    let recording = elsewhere(1000, NOWHERE);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let input = records(&twilio, std::slice::from_ref(&recording));
    let asked = twilio.requests().len();
    let dir = folder();
    let mut command = common::bare();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.arg("--dir").arg(dir.path()).arg("--external").arg(format!("cp {} {{path}}", object.display()));
    // Without credentials, and for records whose links name another host than --base-url.
    command.write_stdin(input).assert().success().stderr("");
    assert_eq!(fs::read(file_of(dir.path(), &recording)).unwrap(), media(1000));
    assert_eq!(twilio.requests().len(), asked);
}

#[test]
fn a_command_that_cannot_be_is_wrong_usage() {
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    for (command, why) in [
        ("tw-no-such-program {path}", "tw-no-such-program not found"),
        ("curl {url}", "no {path}"),
        ("curl '{path}", "quote"),
        ("", "no command"),
    ] {
        let assert = fetch_with(&twilio, dir.path(), command).write_stdin("").assert();
        assert.code(2).stderr(contains("--external").and(contains(why)));
    }
}
