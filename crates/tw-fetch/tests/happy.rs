//! What goes well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{alice, fetch, files, folder, line, lines, media, records};
use predicates::str::contains;
use tw_loopback::{MediaAnswer, On, Recording, Twilio, room_sid};

#[test]
fn media_comes_whole_whatever_the_answer_looks_like() {
    for answer in [MediaAnswer::Redirect, MediaAnswer::OldLocation, MediaAnswer::JsonOnly] {
        let bytes = media(300_000);
        let twilio = Twilio::builder().recording(alice(&bytes)).media_answer(answer).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[alice(&bytes)]);
        let output = fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
        let path = dir.path().join(format!("{}.mka", alice(&bytes).rt()));
        let record = line(&output);
        assert_eq!(record["path"], path.to_str().unwrap());
        assert_eq!(record["bytes"], 300_000);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(files(dir.path()), std::slice::from_ref(&path), "{answer:?}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!twilio.credentials_leaked());
        // All else stays as it came, byte for byte.
        let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
        assert!(text.starts_with(input.trim_end().trim_end_matches('}')));
    }
}

#[test]
fn a_plain_sid_is_looked_up() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let rt = alice(&bytes).rt();
    for input in [rt.clone(), format!("  {rt}\r\n"), format!("{{\"sid\":\"{rt}\"}}\n")] {
        let dir = folder();
        let output = fetch(&twilio, dir.path()).write_stdin(input).assert().success();
        assert_eq!(line(&output)["grouping_sids"]["room_sid"], room_sid("test").as_str());
        assert_eq!(fs::read(dir.path().join(format!("{rt}.mka"))).unwrap(), bytes);
    }
}

#[test]
fn a_plain_sid_becomes_one_line_however_twilio_writes_it() {
    let bytes = media(1000);
    let pretty = alice(&bytes).written_as("track_name", "\n  \"al  ice\"\r\n");
    let twilio = Twilio::builder().recording(pretty).start().unwrap();
    let dir = folder();
    let output = fetch(&twilio, dir.path()).write_stdin(alice(&bytes).rt()).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(line(&output)["track_name"], "al  ice");
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    let first = fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
    let second = fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
    assert_eq!(first.get_output().stdout, second.get_output().stdout);
    assert_eq!(twilio.count(&On::api("/v1/Recordings/*/Media")), 1);
    assert_eq!(twilio.count(&On::storage("*")), 1);
}

#[test]
fn many_side_by_side_come_in_order() {
    let room = room_sid("crowd");
    let recordings: Vec<Recording> = (0..30)
        .map(|n| Recording::audio(&room, &format!("p{n}")).bytes(media(1000 + 997 * (n % 7))))
        .collect();
    let twilio = Twilio::builder().recordings(recordings.clone()).start().unwrap();
    let dir = folder();
    let output = fetch(&twilio, dir.path())
        .args(["-j", "8", "--name", "{room_sid}/{track_name}-{type}.{container_format}"])
        .write_stdin(records(&twilio, &recordings))
        .assert()
        .success();
    let lines = lines(&output);
    assert_eq!(lines.len(), 30);
    for (recording, line) in recordings.iter().zip(&lines) {
        assert_eq!(line["sid"], recording.rt().as_str());
        let bytes = fs::metadata(line["path"].as_str().unwrap()).unwrap().len();
        assert_eq!(line["bytes"], bytes);
        assert_eq!(line["size"], bytes);
    }
    assert_eq!(files(dir.path()).len(), 30);
}

#[test]
fn the_same_recording_twice_is_fetched_once() {
    let bytes = media(100_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]).repeat(6);
    let output = fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    let lines = lines(&output);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line == &lines[0]));
    assert_eq!(twilio.count(&On::storage("*")), 1);
}

#[test]
fn marked_records_and_nothing_pass() {
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    fetch(&twilio, dir.path()).write_stdin("").assert().success().stdout("");
    let marked = "{\"grouping_sids\":{\"room_sid\":\"RM1\"},\"error\":{\"kind\":\"http\"}}\n";
    fetch(&twilio, dir.path()).write_stdin(marked).assert().code(1).stdout(marked);
    assert!(twilio.requests().is_empty());
}

#[test]
fn help_teaches() {
    common::bare().arg("--help").assert().success().stdout(contains("Examples:"));
}
