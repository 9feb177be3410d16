//! Which rooms, and who was in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{lines, list, text};
use predicates::prelude::*;
use predicates::str::contains;
use tw_loopback::{Fault, On, Recording, Twilio, many, room_sid};

#[test]
fn rooms_come_from_flags_and_lines_each_once() {
    let [a, b, c] = ["a", "b", "c"].map(room_sid);
    let twilio = Twilio::builder()
        .recordings(many(&a, 2))
        .recordings(many(&b, 3))
        .recordings(many(&c, 4))
        .start()
        .unwrap();
    let input = format!("\u{feff}{b}\r\n\n{{\"sid\":\"{c}\",\"status\":\"completed\"}}\n{a}\n");
    let output = list(&twilio)
        .args(["--room", &a, "--rooms", "-"])
        .write_stdin(input)
        .assert()
        .success()
        .stderr(contains("listed once"));
    let rooms: Vec<String> = lines(&output)
        .iter()
        .map(|line| line["grouping_sids"]["room_sid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rooms, [vec![a; 2], vec![b; 3], vec![c; 4]].concat());
}

#[test]
fn no_rooms_on_stdin_is_no_work() {
    let twilio = Twilio::builder().start().unwrap();
    list(&twilio).args(["--rooms", "-"]).write_stdin("\n").assert().success().stdout("");
    assert!(twilio.requests().is_empty());
}

#[test]
fn a_rooms_name_is_no_sid() {
    let twilio = Twilio::builder().start().unwrap();
    list(&twilio).args(["--room", "daily-standup"]).assert().code(2).stderr(contains("not the room's name"));
    let rt = many(&room_sid("x"), 1)[0].rt();
    let small = room_sid("x").to_lowercase();
    for (args, why) in [
        (&["--room", &*rt][..], "tw-fetch takes it"),
        (&["--room", &*small], "begins with RM, in capitals"),
        (&[&*room_sid("x")], "a room's SID comes with --room"),
    ] {
        list(&twilio).args(args).assert().code(2).stderr(contains(why));
    }
    assert!(twilio.requests().is_empty());
}

#[test]
fn a_bad_line_among_good_ones_is_marked() {
    let room = room_sid("good");
    let twilio = Twilio::builder().recordings(many(&room, 1)).start().unwrap();
    let marked = r#"{"sid":"RM1","error":{"kind":"network"}}"#;
    let input = format!("daily-standup\n[1]\n{{\"sid\":\"RT1\"}}\n{marked}\n{room}\n");
    let output =
        list(&twilio).args(["--rooms", "-"]).write_stdin(input).assert().code(1).stderr(contains("stdin:1"));
    let lines = lines(&output);
    assert_eq!(lines.len(), 5);
    assert!(lines[..3].iter().all(|line| line["error"]["kind"] == "input"));
    assert_eq!(lines[2]["sid"], "RT1");
    assert!(text(&output).contains(marked));
    assert!(lines[4].get("error").is_none());
}

#[test]
fn a_room_that_is_not_there_is_marked_and_an_empty_one_is_not() {
    let (empty, gone, full) = (room_sid("empty"), room_sid("gone"), room_sid("full"));
    let twilio = Twilio::builder().room(&empty).recordings(many(&full, 1)).start().unwrap();
    let output =
        list(&twilio).args(["--room", &empty, "--room", &gone, "--room", &full]).assert().code(1).stderr(
            contains(format!("{empty}: no recordings"))
                .and(contains(format!("room {gone}: there is no such room"))),
        );
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["error"]["kind"], "not_found");
    assert_eq!(lines[0]["grouping_sids"]["room_sid"], gone.as_str());
    assert_eq!(lines[1]["grouping_sids"]["room_sid"], full.as_str());
    // An empty room alone is nothing bad.
    list(&twilio).args(["--room", &empty]).assert().success().stdout("");
}

#[test]
fn one_room_that_breaks_off_does_not_stop_the_others() {
    let [bad, good] = ["bad", "good"].map(room_sid);
    let twilio = Twilio::builder()
        .recordings(many(&bad, 1))
        .recordings(many(&good, 1))
        .fault(On::api(&format!("/v1/Recordings?*{bad}*")), Fault::Status(500))
        .start()
        .unwrap();
    let both = ["--room", &bad, "--room", &good, "--retries", "1"];
    let output = list(&twilio).args(both).assert().code(1);
    assert_eq!(lines(&output).len(), 2);
    assert!(lines(&output)[1].get("error").is_none());
    let output = list(&twilio).args(both).arg("--fail-fast").assert().code(1);
    assert_eq!(lines(&output).len(), 1);
}

#[test]
fn a_room_that_broke_off_can_be_tried_again() {
    let room = room_sid("again");
    let twilio = Twilio::builder()
        .recordings(many(&room, 2))
        .fault(On::api("/v1/Recordings").first(1), Fault::Status(400))
        .start()
        .unwrap();
    let broken = list(&twilio).args(["--room", &room]).assert().code(1);
    // What jq 'del(.error)' makes of it.
    let mut record = lines(&broken).remove(0);
    record.as_object_mut().unwrap().remove("error");
    let output = list(&twilio).args(["--rooms", "-"]).write_stdin(record.to_string()).assert().success();
    assert_eq!(lines(&output).len(), 2);
}

#[test]
fn participants_are_asked_for_once() {
    let room = room_sid("people");
    let recordings = [
        Recording::audio(&room, "alice"),
        Recording::video(&room, "alice"),
        Recording::audio(&room, "b\"o\nb"),
        Recording::audio(&room, "nobody")
            .written_as("grouping_sids", &format!("{{\"room_sid\":\"{room}\"}}")),
    ];
    let twilio = Twilio::builder().recordings(recordings).start().unwrap();
    let output = list(&twilio).args(["--room", &room, "--participants"]).assert().success();
    let identities: Vec<_> = lines(&output).iter().map(|line| line["participant_identity"].clone()).collect();
    assert_eq!(serde_json::json!(identities), serde_json::json!(["alice", "alice", "b\"o\nb", null]));
    assert_eq!(twilio.count(&On::api("/v1/Rooms/*/Participants/*")), 2);
}

#[test]
fn a_participant_who_cannot_be_had_marks_the_recording() {
    let room = room_sid("people");
    let twilio = Twilio::builder()
        .recording(Recording::audio(&room, "alice"))
        .recording(Recording::audio(&room, "bob"))
        .fault(On::api("/v1/Rooms/*/Participants/*").first(2), Fault::Status(500))
        .start()
        .unwrap();
    let output = list(&twilio).args(["--room", &room, "--participants", "--retries", "1"]).assert().code(1);
    assert_eq!(lines(&output)[0]["error"]["kind"], "http");
    assert!(lines(&output)[0].get("participant_identity").is_none());
    assert_eq!(lines(&output)[1]["participant_identity"], "bob");
}
