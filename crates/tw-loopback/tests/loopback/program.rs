//! The program, as a shell runs it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use assert_cmd::cargo::cargo_bin;
use predicates::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use tw_loopback::{ACCOUNT_SID, AUTH_TOKEN, Room};

use crate::client::get_authorized;
use crate::room::media;

fn program() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(cargo_bin!("tw-loopback"));
    command.arg("--media").arg(media());
    command
}

#[test]
fn a_command_finds_its_environment_and_gives_its_status() {
    let rooms = Room::small().map(|room| room.sid()).join(" ");
    let expected = format!("{} {rooms} {ACCOUNT_SID} {AUTH_TOKEN} -\n", Room::tutorial().sid());
    let script = r#"echo "$ROOM $ROOMS $TWILIO_ACCOUNT_SID $TWILIO_AUTH_TOKEN ${BIG_ROOM--}"; exit 7"#;
    program().args(["--", "sh", "-c", script]).assert().code(7).stdout(expected);
    program().args(["--", "sh", "-c", "kill -TERM $$"]).assert().code(143);
}

#[test]
fn wrong_set_up_is_said_in_a_line() {
    program()
        .args(["--", "no-such-program"])
        .assert()
        .code(2)
        .stderr(predicate::str::starts_with("tw-loopback: cannot run no-such-program: "));
    let empty = tempfile::tempdir().unwrap();
    assert_cmd::Command::new(cargo_bin!("tw-loopback"))
        .env("TW_FFMPEG", "no-such-ffmpeg")
        .arg("--media")
        .arg(empty.path())
        .args(["--", "true"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("install it").and(predicate::str::contains("\n").count(1)));
    let left = std::fs::read_dir(empty.path().join("tutorial")).unwrap();
    assert_eq!(left.count(), 0, "nothing half-made");
}

#[test]
fn without_a_command_it_serves_until_it_is_asked_to_end() {
    for (flags, signal) in
        [(vec!["--recordings", "120"], Signal::TERM), (vec!["--json", "--recordings", "120"], Signal::INT)]
    {
        let mut child = std::process::Command::new(cargo_bin!("tw-loopback"))
            .arg("--media")
            .arg(media())
            .args(&flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut value = |name: &str| loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(value) = line.strip_prefix(&format!("export {name}=")) {
                break value.to_owned();
            }
            if let Ok(object) = serde_json::from_str::<serde_json::Value>(&line) {
                break format!(
                    "{} {}",
                    object["TWILIO_BASE_URL"].as_str().unwrap(),
                    object["BIG_ROOM"].as_str().unwrap()
                );
            }
        };
        let base = value("TWILIO_BASE_URL");
        let (base, room) = match base.split_once(' ') {
            Some((base, room)) => (base.to_owned(), room.to_owned()),
            None => (base, value("BIG_ROOM")),
        };
        let url = format!("{base}/v1/Rooms/{room}/Recordings?PageSize=1000");
        let listed = get_authorized(&url).json()["recordings"].as_array().unwrap().len();
        assert_eq!(listed, 120);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
