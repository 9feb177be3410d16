//! Set-up, usage, and a stdout that doesn't take it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use common::{bare, list};
use predicates::prelude::*;
use predicates::str::contains;
use tw_loopback::{API_KEY, API_SECRET, AUTH_TOKEN, Fault, On, Twilio, many, room_sid};

#[test]
fn no_credentials() {
    bare().assert().code(2).stdout("").stderr(contains("TWILIO_API_KEY").and(contains("TWILIO_ACCOUNT_SID")));
    bare()
        .env("TWILIO_ACCOUNT_SID", "AC1")
        .env("TWILIO_API_SECRET", "hush")
        .assert()
        .code(2)
        .stderr(contains("goes with").and(contains("hush").not()));
}

#[test]
fn an_api_key_will_do_and_wins() {
    let room = room_sid("keyed");
    let twilio = Twilio::builder().recordings(many(&room, 1)).start().unwrap();
    list(&twilio)
        .env("TWILIO_AUTH_TOKEN", "wrong")
        .env("TWILIO_API_KEY", API_KEY)
        .env("TWILIO_API_SECRET", API_SECRET)
        .assert()
        .success();
}

#[test]
fn credentials_go_over_https_or_loopback_only() {
    for (url, why) in [
        ("http://video.twilio.com", "not https"),
        ("http://192.0.2.1", "not https"),
        ("https://a:b@video.twilio.com", "environment only"),
        ("nowhere", "base URL"),
    ] {
        bare()
            .env("TWILIO_API_KEY", API_KEY)
            .env("TWILIO_API_SECRET", API_SECRET)
            .args(["--base-url", url])
            .assert()
            .code(2)
            .stderr(contains(why));
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bare()
        .env("TWILIO_API_KEY", API_KEY)
        .env("TWILIO_API_SECRET", API_SECRET)
        .env("TWILIO_BASE_URL", format!("http://127.0.0.1:{port}"))
        .args(["--retry-delay", "1", "--room", &room_sid("x")])
        .assert()
        .code(1)
        .stdout(contains("\"kind\":\"network\""))
        .stderr(contains("Connection refused"));
}

#[test]
fn wrong_flags() {
    for args in [
        &["--page-size", "101"][..],
        &["--page-size", "0"],
        &["--limit", "0"],
        &["--status", "done"],
        &["--media-type", "text"],
        &["--source-sid", "RT1"],
        &["--date-created-after", "yesterday"],
        &["--timeout", "0"],
        &["--rooms", "/nowhere/rooms.txt"],
        &["--date-created-after", "2026-02-01", "--date-created-before", "2026-01-01"],
    ] {
        bare()
            .env("TWILIO_API_KEY", API_KEY)
            .env("TWILIO_API_SECRET", API_SECRET)
            .args(args)
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("tw-list: "));
    }
}

#[test]
fn wrong_flags_are_refused_in_plain_words() {
    for (args, why) in [
        (["--limit", "0"], "should be a whole number, 1 or more"),
        (["--page-size", "x"], "should be a whole number from 1 to 100"),
        (["--retries", "-1"], "should be a whole number, 0 or more"),
        (["--base-url", "foo"], "the base URL \"foo\" is none: it should be a scheme and a host"),
    ] {
        bare().args(args).assert().code(2).stderr(contains(why).and(contains("tip:").not()));
    }
}

#[test]
fn help_teaches() {
    bare().arg("--help").assert().success().stdout(contains("Examples:").and(contains("--participants")));
}

#[test]
fn no_secret_is_ever_said() {
    let room = room_sid("quiet");
    let twilio = Twilio::builder()
        .recordings(many(&room, 3))
        .fault(On::api("/v1/Recordings").first(1), Fault::Status(500))
        .fault(On::api("/v1/Recordings").first(1), Fault::Close)
        .start()
        .unwrap();
    let output = list(&twilio).args(["-v", "--participants", "--progress", "always"]).assert().success();
    let output = output.get_output();
    let all = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    assert!(all.contains("trying again"), "{all}");
    assert!(!all.contains(AUTH_TOKEN) && !all.contains("Basic "), "{all}");
}

/// tw-list as a process of its own.
fn process(twilio: &Twilio) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("tw-list"));
    command.env_clear().envs(twilio.env()).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn stdout_full_or_closed() {
    let twilio = Twilio::builder().recordings(many(&room_sid("big"), 250)).start().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = process(&twilio).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to stdout"));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = process(&twilio).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn records_come_before_the_last_page() {
    // The second page never comes; the first is here all the same.
    let twilio = Twilio::builder()
        .recordings(many(&room_sid("big"), 150))
        .fault(On::api("/v1/Recordings").after(1), Fault::Silence)
        .start()
        .unwrap();
    let mut child = process(&twilio).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(100).map(Result::unwrap).count(), 100);
    child.kill().unwrap();
    child.wait().unwrap();
}
