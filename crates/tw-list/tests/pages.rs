//! Lists of several pages, and what may be wrong with one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::needless_pass_by_value, reason = "a list of faults reads better without references")]

mod common;

use common::{lines, list, list_within, patience, text};
use predicates::prelude::*;
use predicates::str::contains;
use tw_loopback::{Endless, Fault, On, Recording, Twilio, many, room_sid};

#[test]
fn a_room_of_250_recordings_comes_from_three_pages() {
    let room = room_sid("big");
    let twilio = Twilio::builder().recordings(many(&room, 250)).start().unwrap();
    let output = list(&twilio).args(["--room", &room]).assert().success();
    let expected: Vec<String> = many(&room, 250).iter().map(Recording::rt).collect();
    let sids: Vec<String> =
        lines(&output).iter().map(|line| line["sid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sids, expected);
    assert_eq!(twilio.count(&On::api("/v1/Recordings")), 3);
    assert!(text(&output).lines().all(|line| line.starts_with('{')));
}

#[test]
fn a_last_page_that_holds_nothing_new_ends_the_list() {
    let room = room_sid("moving");
    // Rows that moved on to the next page while the room was being recorded.
    let twilio = Twilio::builder().recordings(many(&room, 100)).recordings(many(&room, 20)).start().unwrap();
    let output = list(&twilio).args(["--room", &room]).assert().success();
    assert_eq!(lines(&output).len(), 100);
    assert_eq!(twilio.count(&On::api("/v1/Recordings")), 2);
}

#[test]
fn empty_pages_without_end_end() {
    let room = room_sid("endless");
    let twilio = Twilio::builder().recordings(many(&room, 3)).start().unwrap();
    // A few are none of our business.
    twilio.fault(On::api("/v1/Recordings").first(3), Fault::EmptyPage);
    let output = list(&twilio).args(["--room", &room]).assert().success();
    assert_eq!(lines(&output).len(), 3);
    twilio.fault(On::api("/v1/Recordings"), Fault::EmptyPage);
    list(&twilio).args(["--room", &room]).assert().code(1).stderr(contains("the list has no end"));
}

#[test]
fn a_row_is_given_as_it_came() {
    let room = room_sid("odd");
    let odd = Recording::audio(&room, "alice")
        .written_as("offset", "163481005731000000000")
        .written_as("surprise", r#"{ "b" : 1.50e+3,"a":[ ] }"#);
    let twilio = Twilio::builder().recording(odd).start().unwrap();
    let output = list(&twilio).args(["--room", &room]).assert().success();
    assert!(text(&output).contains(r#""offset":163481005731000000000,"#));
    assert!(text(&output).ends_with("\"surprise\":{ \"b\" : 1.50e+3,\"a\":[ ] }}\n"), "{}", text(&output));
}

#[test]
fn a_row_that_is_no_recording_costs_no_other() {
    for (row, shown) in [("null", "null"), ("\"RT1\"", "\"RT1\""), ("[\n1 ]", "[\\n1 ]"), ("12", "12")] {
        let room = room_sid("odd");
        let twilio = Twilio::builder()
            .recordings(many(&room, 150))
            .fault(On::api("/v1/Recordings").first(1), Fault::OddRow(row))
            .start()
            .unwrap();
        let why = format!("Twilio listed {shown} in a recording's place");
        let output =
            list(&twilio).args(["--room", &room]).assert().code(1).stderr(contains(format!("{room}: {why}")));
        let lines = lines(&output);
        assert_eq!(lines.len(), 151, "{row}");
        // The room isn't taken for complete.
        assert_eq!(lines[1]["grouping_sids"]["room_sid"], room.as_str());
        assert_eq!(lines[1]["error"]["kind"], "http");
        assert_eq!(lines.iter().filter(|line| line.get("error").is_some()).count(), 1);
        // Of the account's list, it can be any room's.
        twilio.fault(On::api("/v1/Recordings").first(1), Fault::OddRow(row));
        let output = list(&twilio).assert().code(1).stderr(contains(why));
        assert!(common::lines(&output)[1].get("grouping_sids").is_none());
    }
}

#[test]
fn filters_limit_and_page_size_reach_twilio() {
    let room = room_sid("filtered");
    let twilio = Twilio::builder().recordings(many(&room, 30)).start().unwrap();
    let output = list(&twilio)
        .args(["--media-type", "video", "--status", "completed", "--limit", "7", "--page-size", "5"])
        .args(["--date-created-after", "2026-01-01", "--date-created-before", "2027-01-01"])
        .assert()
        .success();
    assert_eq!(lines(&output).len(), 7);
    let query = twilio.requests()[0].query();
    for (name, value) in [
        ("MediaType", "video"),
        ("Status", "completed"),
        ("PageSize", "5"),
        ("DateCreatedAfter", "2026-01-01T00:00:00Z"),
        ("DateCreatedBefore", "2027-01-01T00:00:00Z"),
    ] {
        assert!(query.contains(&(name.to_owned(), value.to_owned())), "{name} in {query:?}");
    }
}

#[test]
fn no_page_is_asked_for_beyond_the_limit() {
    let room = room_sid("limited");
    let twilio = Twilio::builder().recordings(many(&room, 30)).start().unwrap();
    let output =
        list(&twilio).args(["--room", &room, "--limit", "10", "--page-size", "5"]).assert().success();
    assert_eq!(lines(&output).len(), 10);
    assert_eq!(twilio.requests().len(), 2);
}

/// A list that breaks off after its first page: what came is written, the room is
/// marked, and the status is 1.
fn breaks_off(fault: Fault, kind: &str, why: &str) {
    let room = room_sid("broken");
    let twilio = Twilio::builder()
        .recordings(many(&room, 150))
        .fault(On::api("/v1/Recordings").after(1), fault.clone())
        .start()
        .unwrap();
    let output = list_within(&twilio, patience(&fault))
        .args(["--room", &room, "--retries", "1"])
        .assert()
        .code(1)
        .stderr(contains(why));
    let lines = lines(&output);
    let mark = lines.last().unwrap();
    assert_eq!(mark["error"]["kind"], kind, "{fault:?}");
    assert_eq!(mark["error"]["tool"], "tw-list");
    assert_eq!(mark["grouping_sids"]["room_sid"], room.as_str());
    assert!(lines[..lines.len() - 1].iter().all(|line| line.get("error").is_none()));
    assert!(lines.len() > 100, "{fault:?}: only {} lines", lines.len());
}

#[test]
fn a_list_that_breaks_off_marks_its_room() {
    breaks_off(Fault::Status(500), "http", "500");
    breaks_off(Fault::TooManyRequests(None), "http", "20429");
    breaks_off(Fault::Status(403), "auth", "403");
    breaks_off(Fault::Close, "network", "broke off");
    breaks_off(Fault::Reset, "network", "connection to Twilio");
    breaks_off(Fault::Silence, "network", "nothing came");
    breaks_off(Fault::StallInBody(100), "network", "nothing came");
    breaks_off(Fault::CloseInBody(100), "network", "broke off");
    breaks_off(Fault::ResetInBody(100), "network", "connection to Twilio");
    breaks_off(Fault::Shorter(100), "http", "no JSON object");
    breaks_off(Fault::InvalidJson, "http", "no JSON object");
    breaks_off(Fault::Html(200), "http", "proxy");
    breaks_off(Fault::Html(502), "http", "proxy");
    breaks_off(Fault::RedirectLoop, "http", "302");
}

#[test]
fn pages_that_lead_astray_mark_the_room() {
    breaks_off(Fault::NextPageIsThis, "http", "no end");
    breaks_off(Fault::NextPageIsFirst, "http", "no end");
    breaks_off(Fault::NextPageIs("http://127.0.0.1:1/v1/Recordings".into()), "refused", "credentials stay");
    breaks_off(Fault::NextPageIs("https://evil.example/v1".into()), "refused", "evil.example");
}

#[test]
fn what_passes_is_waited_for() {
    for fault in [
        Fault::TooManyRequests(Some("0")),
        Fault::TooManyRequests(None),
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::Close,
        Fault::Reset,
        Fault::Silence,
        Fault::CloseInBody(50),
        Fault::ResetInBody(50),
        Fault::StallInBody(50),
        Fault::Shorter(50),
        Fault::InvalidJson,
        Fault::Html(503),
    ] {
        let room = room_sid("shaky");
        let twilio = Twilio::builder()
            .recordings(many(&room, 3))
            .fault(On::api("/v1/Recordings").first(2), fault.clone())
            .start()
            .unwrap();
        let output = list_within(&twilio, patience(&fault)).args(["--room", &room]).assert().success();
        assert_eq!(lines(&output).len(), 3, "{fault:?}");
    }
}

#[test]
fn a_body_that_drips_is_waited_for() {
    let room = room_sid("drip");
    let twilio = Twilio::builder()
        .recordings(many(&room, 1))
        .fault(On::api("/v1/Recordings"), Fault::Drip(std::time::Duration::from_millis(1)))
        .start()
        .unwrap();
    list(&twilio).args(["--room", &room]).assert().success().stdout(contains("\"sid\""));
}

#[test]
fn an_answer_that_goes_on_for_ever_ends() {
    let room = room_sid("endless");
    for what in [Endless::Head, Endless::ChunkExtension, Endless::Trailer] {
        let fault = Fault::Endless(what, std::time::Duration::from_millis(10));
        let twilio = Twilio::builder().recordings(many(&room, 1)).fault(On::api("*"), fault).start().unwrap();
        let output = list_within(&twilio, "0.2").args(["--room", &room, "--retries", "0"]).assert().code(1);
        assert_eq!(lines(&output)[0]["error"]["kind"], "network", "{what:?}");
    }
}

#[test]
fn an_account_whose_list_breaks_off_marks_every_room_seen() {
    let (one, two) = (room_sid("one"), room_sid("two"));
    let twilio = Twilio::builder()
        .recordings(many(&one, 60))
        .recordings(many(&two, 60))
        .fault(On::api("/v1/Recordings").after(1), Fault::Status(400))
        .start()
        .unwrap();
    let output = list(&twilio).assert().code(1);
    let marked: Vec<String> = lines(&output)
        .iter()
        .filter(|line| line.get("error").is_some())
        .map(|line| line["grouping_sids"]["room_sid"].as_str().unwrap().to_owned())
        .collect();
    let mut rooms = vec![one, two];
    rooms.sort();
    assert_eq!(marked, rooms);

    let twilio = Twilio::builder().fault(On::api("/v1/Recordings"), Fault::Status(400)).start().unwrap();
    let output = list(&twilio).assert().code(1).stderr(contains("400").and(contains("20001")));
    assert_eq!(lines(&output).len(), 1);
    assert!(lines(&output)[0].get("grouping_sids").is_none());
}

#[test]
fn refused_credentials_are_wrong_set_up() {
    let room = room_sid("locked");
    let twilio = Twilio::builder().recordings(many(&room, 3)).start().unwrap();
    list(&twilio)
        .env("TWILIO_AUTH_TOKEN", "wrong-hush")
        .args(["--room", &room])
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("401 (20003: Authenticate): check the credentials").and(contains("hush").not()));
    assert_eq!(twilio.requests().len(), 1);
}

#[test]
fn credentials_that_are_refused_half_way_are_said_once() {
    let room = room_sid("half");
    // With --participants, the recordings whose participants can't be asked for go on, marked.
    for (on, marked) in
        [(On::api("/v1/Recordings").after(1), 1), (On::api("/v1/Rooms/*/Participants/*"), 101)]
    {
        let twilio =
            Twilio::builder().recordings(many(&room, 150)).fault(on, Fault::Status(401)).start().unwrap();
        let output = list(&twilio).args(["--room", &room, "--participants"]).assert().code(2);
        let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert_eq!(said.matches("401").count(), 1, "{said}");
        let marks = lines(&output).into_iter().filter(|line| line["error"]["kind"] == "auth");
        assert_eq!(marks.count(), marked);
    }
}
