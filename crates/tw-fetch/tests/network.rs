//! Every fault of the network: what passes is waited for, what doesn't is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::needless_pass_by_value, reason = "a list of faults reads better without references")]

mod common;

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use common::{alice, bare, fetch, fetch_within, files, folder, line, lines, media, patience, records};
use jiff::{SignedDuration, Timestamp};
use predicates::prelude::*;
use predicates::str::contains;
use tw_loopback::{Endless, Fault, On, Recording, Twilio, room_sid};

const MEDIA: &str = "/v1/Recordings/*/Media";

/// The recording, which ended about so many minutes ago.
fn ended(minutes: i64, recording: Recording) -> Recording {
    let created = Timestamp::now() - SignedDuration::from_mins(minutes);
    recording.date_created(&created.to_string()).duration(1)
}

/// The fault happens `times` times; the file comes whole all the same.
fn survives(on: On, times: usize, fault: Fault) {
    let bytes = media(200_000);
    let recording = ended(0, alice(&bytes));
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[recording]);
    twilio.fault(on.first(times), fault.clone());
    let output = fetch_within(&twilio, dir.path(), patience(&fault)).write_stdin(input).assert();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(output.get_output().status.success(), "{fault:?}: {said}");
    let path = dir.path().join(format!("{}.mka", alice(&bytes).rt()));
    assert!(fs::read(&path).unwrap() == bytes, "{fault:?}: other bytes");
    assert_eq!(files(dir.path()), [path], "{fault:?}");
    assert!(!twilio.credentials_leaked(), "{fault:?}");
}

/// The fault happens always: the record is marked, and nothing has the final name.
fn fails(on: On, fault: Fault, kind: &str, why: &str) {
    let bytes = media(200_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    twilio.fault(on, fault.clone());
    let output = fetch_within(&twilio, dir.path(), patience(&fault))
        .args(["--retries", "2", "-v"])
        .write_stdin(input)
        .assert();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    let record = line(&output);
    assert_eq!(output.get_output().status.code(), Some(1), "{fault:?}: {said}");
    assert_eq!(record["error"]["kind"], kind, "{fault:?}: {said}");
    assert!(record["error"]["message"].as_str().unwrap().contains(why), "{fault:?}: {said}");
    assert!(record.get("path").is_none());
    assert!(said.contains(why), "{fault:?}: {said}");
    assert!(!said.contains("Signature"), "{fault:?}: {said}");
    assert!(!dir.path().join(format!("{}.mka", alice(&bytes).rt())).exists(), "{fault:?}");
    assert!(!twilio.credentials_leaked(), "{fault:?}");
}

#[test]
fn what_passes_is_waited_for() {
    for fault in [
        Fault::TooManyRequests(None),
        Fault::TooManyRequests(Some("0")),
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::Html(502),
        Fault::Close,
        Fault::Reset,
        Fault::Silence,
    ] {
        survives(On::api(MEDIA), 2, fault.clone());
        survives(On::storage("*"), 2, fault);
    }
}

#[test]
fn a_body_that_breaks_is_gone_on_with() {
    for fault in [
        Fault::CloseInBody(70_000),
        Fault::ResetInBody(70_000),
        Fault::StallInBody(70_000),
        Fault::CloseInBody(0),
        Fault::StallInBody(0),
        Fault::Unannounced(70_000),
    ] {
        survives(On::storage("*"), 2, fault);
    }
}

#[test]
fn retry_after_is_honoured() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    twilio.fault(On::api(MEDIA).first(1), Fault::TooManyRequests(Some("1")));
    fetch(&twilio, dir.path())
        .arg("-v")
        .write_stdin(input)
        .assert()
        .success()
        .stderr(contains("again in 1.0 s"));
}

#[test]
fn what_does_not_pass_is_said() {
    fails(On::api(MEDIA), Fault::Status(500), "http", "500 (20500");
    fails(On::api(MEDIA), Fault::TooManyRequests(None), "http", "20429");
    fails(On::api(MEDIA), Fault::Status(403), "auth", "may not");
    fails(On::api(MEDIA), Fault::Status(404), "not_found", "muted throughout");
    fails(On::api(MEDIA), Fault::Close, "network", "broke off");
    fails(On::api(MEDIA), Fault::Silence, "network", "nothing came");
    fails(On::api(MEDIA), Fault::Html(200), "http", "is a proxy in between?");
    fails(On::storage("*"), Fault::Status(503), "http", "storage answered 503");
    fails(On::storage("*"), Fault::ExpiredUrl, "http", "Request has expired");
    fails(On::storage("*"), Fault::Status(404), "not_found", "no media");
    fails(On::storage("*"), Fault::Close, "network", "broke off");
    fails(On::storage("*"), Fault::Silence, "network", "nothing came");
    fails(On::storage("*"), Fault::CloseInBody(0), "network", "broke off");
    fails(On::storage("*"), Fault::RedirectLoop, "refused", "redirected more than");
}

#[test]
fn lengths_that_disagree_are_said() {
    fails(
        On::storage("*"),
        Fault::Longer(5),
        "media",
        "would have 200005 bytes, but Twilio's size is 200000",
    );
    fails(
        On::storage("*"),
        Fault::Shorter(5),
        "media",
        "would have 199995 bytes, but Twilio's size is 200000",
    );
    fails(On::storage("*"), Fault::OtherMedia(media(10)), "media", "would have 10 bytes");
}

#[test]
fn what_follows_after_the_announced_end_is_not_ours() {
    survives(On::storage("*"), 1, Fault::BeyondAnnounced(1000));
}

#[test]
fn what_a_proxy_puts_in_its_place_is_no_media() {
    survives(On::storage("*"), 2, Fault::Html(200));
    survives(On::storage("*"), 2, Fault::Header("Content-Encoding", "gzip"));
    fails(On::storage("*"), Fault::Html(200), "network", "sent a web page instead of media");
    let compressed = Fault::Header("Content-Encoding", "gzip");
    fails(On::storage("*"), compressed, "network", "sent something compressed (gzip)");
}

/// What comes of a recording of unknown size, whose media is that, with that fault always.
fn of_unknown_size(bytes: &[u8], fault: Option<Fault>) -> (i32, String, Vec<std::path::PathBuf>) {
    let recording = alice(bytes).written_as("size", "null");
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[recording]);
    if let Some(fault) = fault {
        twilio.fault(On::storage("*"), fault);
    }
    let output = fetch(&twilio, dir.path()).args(["--retries", "1"]).write_stdin(input).assert();
    let output = output.get_output();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code().unwrap(), said, files(dir.path()))
}

#[test]
fn without_a_size_not_everything_is_media() {
    assert_eq!(of_unknown_size(&media(200_000), None).0, 0);
    let (code, said, left) = of_unknown_size(b"{\"error\":\"come back later\"}", None);
    assert!(code == 1 && said.contains("is no Matroska: is a proxy in between?"), "{said}");
    assert!(left.is_empty(), "{left:?}");
    // The connection's end is not that of the media.
    let (code, said, left) = of_unknown_size(&media(200_000), Some(Fault::Unannounced(70_000)));
    assert!(code == 1 && said.contains("nobody says how long its media is"), "{said}");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_rest_of_other_media_is_not_put_behind_what_is_there() {
    // Whoever sends a rest without a tag may not have looked at ours.
    for (fault, ranges) in [
        (Fault::WithoutHeader("ETag"), [false, true, false]),
        (Fault::Header("ETag", "\"other\""), [false, true, false]),
        (Fault::Header("Content-Range", "bytes 90000-200000/200001"), [false, true, false]),
    ] {
        let bytes = media(200_000);
        let recording = alice(&bytes).written_as("size", "null");
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[recording]);
        twilio.fault(On::storage("*").first(1), Fault::CloseInBody(90_000));
        twilio.fault(On::storage("*").first(1), fault.clone());
        fetch(&twilio, dir.path()).write_stdin(input).assert().success();
        let requests = twilio.requests();
        let to_storage = requests.iter().filter(|request| On::storage("*").matches(request));
        let asked: Vec<bool> = to_storage.map(|request| request.header("range").is_some()).collect();
        assert_eq!(asked, ranges, "{fault:?}");
        assert_eq!(fs::read(dir.path().join(format!("{}.mka", alice(&bytes).rt()))).unwrap(), bytes);
    }
}

#[test]
fn what_came_already_survives_a_wrong_answer() {
    for (fault, kind) in [
        (Fault::Html(200), "network"),
        (Fault::Status(404), "not_found"),
        (Fault::OtherMedia(media(50_000)), "media"),
    ] {
        let bytes = media(200_000);
        let recording = ended(60, alice(&bytes));
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[recording]);
        twilio.fault(On::storage("*").first(1), Fault::CloseInBody(90_000));
        twilio.fault(On::storage("*"), fault.clone());
        let mut command = fetch(&twilio, dir.path());
        let output = command.args(["--retries", "2"]).write_stdin(input).assert().code(1);
        assert_eq!(line(&output)["error"]["kind"], kind, "{fault:?}");
        let part = dir.path().join(format!(".{}.mka.part", alice(&bytes).rt()));
        assert_eq!(fs::read(part).unwrap(), bytes[..90_000], "{fault:?}");
    }
}

#[test]
fn what_is_repeated_to_us_is_not_repeated() {
    let target = |text: &str| text.contains("Signature=") || text.contains("QUMwMDAw");
    for (on, status) in [(On::storage("*"), 403), (On::storage("*"), 400), (On::api(MEDIA), 400)] {
        let twilio = Twilio::builder().recording(alice(&media(10))).start().unwrap();
        let dir = folder();
        let input = records(&twilio, &[alice(&media(10))]);
        twilio.fault(on, Fault::Echo(status));
        let output = fetch(&twilio, dir.path()).args(["--retries", "1", "-v"]).write_stdin(input).assert();
        let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(said.contains("cannot GET") && !target(&said), "{said}");
        assert!(!target(&line(&output).to_string()));
    }
}

#[test]
fn metadata_of_something_else_is_not_taken_for_a_recordings() {
    let recording = alice(&media(10)).written_as("sid", "\"RT00000000000000000000000000000000\"");
    let twilio = Twilio::builder().recording(recording).start().unwrap();
    let dir = folder();
    let sid = alice(&media(10)).rt();
    let output = fetch(&twilio, dir.path()).write_stdin(format!("{sid}\n")).assert().code(1);
    let record = line(&output);
    assert_eq!((&record["sid"], &record["error"]["kind"]), (&sid.into(), &"http".into()));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn an_older_record_of_the_same_recording_is_its_own_affair() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let now = records(&twilio, &[alice(&bytes)]);
    let before = now.replace("\"completed\"", "\"processing\"");
    let mut command = fetch(&twilio, dir.path());
    let output = command.args(["-j", "1"]).write_stdin(format!("{before}{now}")).assert().code(1);
    let lines = lines(&output);
    assert_eq!((&lines[0]["error"]["kind"], &lines[1]["bytes"]), (&"not_ready".into(), &1000.into()));
}

#[test]
fn an_address_that_leads_astray_is_refused() {
    for (address, why) in [
        ("http://192.0.2.1/media?Signature=x", "not https"),
        ("file:///etc/passwd", "not https"),
        ("ftp://127.0.0.1/x", "not https"),
    ] {
        fails(On::api(MEDIA), Fault::RedirectTo(address.into()), "refused", why);
    }
    fails(On::api(MEDIA), Fault::RedirectLoop, "refused", "leads back to itself");
}

#[test]
fn a_link_to_a_foreign_host_is_refused() {
    // A listener that must not be talked to.
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    foreign.set_nonblocking(true).unwrap();
    let link = format!("http://{}/v1/Recordings/RT1/Media", foreign.local_addr().unwrap());
    let recording = alice(&media(10)).media_link(&link);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let output = fetch(&twilio, dir.path()).write_stdin(records(&twilio, &[recording])).assert().code(1);
    assert_eq!(line(&output)["error"]["kind"], "refused");
    assert!(foreign.accept().is_err(), "somebody was called");
}

#[test]
fn an_address_that_has_expired_is_replaced() {
    survives(On::storage("*"), 1, Fault::ExpiredUrl);
    // Also half-way: the part is gone on with under the new address.
    let bytes = media(200_000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    twilio.fault(On::storage("*").first(1), Fault::CloseInBody(90_000));
    twilio.fault(On::storage("*").first(1), Fault::ExpiredUrl);
    fetch(&twilio, dir.path()).write_stdin(input).assert().success();
    assert_eq!(twilio.count(&On::api(MEDIA)), 2);
    let last = twilio.requests().pop().unwrap();
    assert_eq!(last.header("range"), Some("bytes=90000-"));
    assert_eq!(fs::read(dir.path().join(format!("{}.mka", alice(&bytes).rt()))).unwrap(), bytes);
}

#[test]
fn media_that_is_prepared_still_is_waited_for() {
    survives(On::api(MEDIA), 2, Fault::Status(404));
    survives(On::storage("*"), 2, Fault::Status(404));
}

#[test]
fn media_that_is_gone_is_not_waited_for() {
    // Only what has just ended is asked for again: of the others it costs ten seconds each.
    for (minutes, asked) in [(0, 4), (60, 1)] {
        let recording = ended(minutes, alice(&media(10)));
        let twilio = Twilio::builder()
            .recording(recording.clone())
            .fault(On::api(MEDIA), Fault::Status(404))
            .start()
            .unwrap();
        let dir = folder();
        let output = fetch(&twilio, dir.path()).write_stdin(records(&twilio, &[recording])).assert().code(1);
        assert_eq!(line(&output)["error"]["kind"], "not_found");
        assert_eq!(twilio.count(&On::api(MEDIA)), asked, "ended {minutes} minutes ago");
    }
}

/// How tw-fetch ends when the media breaks off five times, each time after so many bytes
/// more, and these faults come in between.
fn breaks_off_often(piece: usize, between: &[Fault], retries: &str) -> Option<i32> {
    let bytes = media(6 * piece);
    let recording = ended(0, alice(&bytes));
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[recording]);
    for _ in 0..5 {
        twilio.fault(On::storage("*").first(1), Fault::CloseInBody(piece as u64));
        for fault in between {
            twilio.fault(On::storage("*").first(1), fault.clone());
        }
    }
    let output = fetch(&twilio, dir.path()).args(["--retries", retries]).write_stdin(input).assert();
    let code = output.get_output().status.code();
    let file = fs::read(dir.path().join(format!("{}.mka", alice(&bytes).rt())));
    assert_eq!(code == Some(0), file.is_ok_and(|file| file == bytes));
    code
}

#[test]
fn a_body_that_breaks_often_is_gone_on_with_while_it_gets_on() {
    const MIB: usize = 1 << 20;
    assert_eq!(breaks_off_often(MIB, &[], "1"), Some(0));
    assert_eq!(breaks_off_often(MIB, &[Fault::ExpiredUrl], "1"), Some(0));
    assert_eq!(breaks_off_often(MIB, &[Fault::Status(404)], "2"), Some(0));
    // A few bytes each time are no progress: that would go on for ever.
    assert_eq!(breaks_off_often(MIB - 1, &[], "1"), Some(1));
    assert_eq!(breaks_off_often(MIB - 1, &[Fault::ExpiredUrl], "9"), Some(1));
    assert_eq!(breaks_off_often(MIB - 1, &[Fault::Status(404)], "99"), Some(1));
}

#[test]
fn a_body_that_drips_is_not_killed_for_silence() {
    // Two seconds in all: longer than the longest silence, which is one.
    let bytes = media(100);
    let twilio = Twilio::builder()
        .recording(alice(&bytes))
        .fault(On::storage("*"), Fault::Drip(Duration::from_millis(20)))
        .start()
        .unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    fetch_within(&twilio, dir.path(), "1").args(["--retries", "0"]).write_stdin(input).assert().success();
}

#[test]
fn a_body_that_drips_for_ever_ends() {
    // 20 kB a byte at a time would take 100 s; ten times the silence of 0.3 s may pass.
    let bytes = media(20_000);
    let twilio = Twilio::builder()
        .recording(alice(&bytes))
        .fault(On::storage("*"), Fault::Drip(Duration::from_millis(5)))
        .start()
        .unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    fetch_within(&twilio, dir.path(), "0.3")
        .args(["--retries", "0"])
        .write_stdin(input)
        .assert()
        .code(1)
        .stderr(contains("are too few"));
}

#[test]
fn what_goes_on_for_ever_without_media_ends() {
    let whole = ended(60, alice(&media(1000)));
    // Whose storage answers 404: the body of an error may have no end either.
    let gone = whole.clone().file("/nowhere/gone.mka");
    for what in [Endless::Head, Endless::ChunkExtension, Endless::Trailer] {
        for (recording, kind) in [(&whole, "network"), (&gone, "not_found")] {
            let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
            let dir = folder();
            let input = records(&twilio, std::slice::from_ref(recording));
            twilio.fault(On::storage("*"), Fault::Endless(what, Duration::from_millis(10)));
            // Each piece comes well within the longest silence of 0.2 s; ten times that may pass.
            let output = fetch_within(&twilio, dir.path(), "0.2")
                .args(["--retries", "0"])
                .timeout(Duration::from_secs(30))
                .write_stdin(input)
                .assert()
                .code(1);
            if (what, kind) == (Endless::Trailer, "network") {
                let message = line(&output)["error"]["message"].clone();
                assert_eq!(message, "the media's storage went on and on, but sent no more of the media");
            }
            let expected = if what == Endless::Head { "network" } else { kind };
            assert_eq!(line(&output)["error"]["kind"], expected, "{what:?}");
        }
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = folder();
    bare()
        .env("TWILIO_API_KEY", tw_loopback::API_KEY)
        .env("TWILIO_API_SECRET", tw_loopback::API_SECRET)
        .args(["--retry-delay", "1", "--dir"])
        .arg(dir.path())
        .args(["--base-url", &format!("http://127.0.0.1:{port}")])
        .write_stdin(alice(&[]).rt())
        .assert()
        .code(1)
        .stderr(contains("refused"))
        .stdout(contains("\"kind\":\"network\"").and(contains(alice(&[]).rt())));
}

#[test]
fn a_slow_one_does_not_stop_the_rest() {
    let room = room_sid("slow");
    let people: Vec<Recording> =
        (0..6).map(|n| Recording::audio(&room, &format!("p{n}")).bytes(media(500))).collect();
    let twilio = Twilio::builder()
        .recordings(people.clone())
        .fault(On::storage(&format!("*/{}", people[0].rt())), Fault::Silence)
        .start()
        .unwrap();
    let dir = folder();
    let output = fetch_within(&twilio, dir.path(), "0.5")
        .args(["--retries", "2", "-j", "2"])
        .write_stdin(records(&twilio, &people))
        .assert()
        .code(1);
    let lines = lines(&output);
    assert_eq!(lines[0]["error"]["kind"], "network");
    assert!(lines[1..].iter().all(|line| line.get("error").is_none()));
}

#[test]
fn refused_credentials_are_wrong_set_up() {
    let bytes = media(10);
    let room = room_sid("refused");
    let there = Recording::audio(&room, "bob").bytes(bytes.clone());
    let twilio = Twilio::builder().recordings([alice(&bytes), there.clone()]).start().unwrap();
    let dir = folder();
    let rt = alice(&[]).rt();
    let bob = records(&twilio, std::slice::from_ref(&there));
    fetch(&twilio, dir.path()).write_stdin(bob.as_str()).assert().success();
    let asked = twilio.requests().len();
    let output = fetch(&twilio, dir.path())
        .env("TWILIO_AUTH_TOKEN", "wrong-hush")
        .args(["-v", "-j", "1"])
        .write_stdin(format!("{rt}\n{rt}\n{bob}{rt}\n"))
        .assert()
        .code(2)
        .stderr(contains("401").and(contains("check the credentials")).and(contains("hush").not()));
    // The records go on all the same, marked where Twilio was needed; it was asked once.
    let lines = lines(&output);
    let kinds: Vec<Option<&str>> = lines.iter().map(|line| line["error"]["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("auth"), Some("auth"), None, Some("auth")]);
    assert_eq!(twilio.requests().len(), asked + 1);
    assert_eq!(String::from_utf8_lossy(&output.get_output().stderr).matches("401").count(), 1);
}

#[test]
fn metadata_that_cannot_be_had_is_said() {
    for (fault, kind) in [
        (Fault::Status(404), "not_found"),
        (Fault::Status(500), "http"),
        (Fault::InvalidJson, "http"),
        (Fault::Html(200), "http"),
        (Fault::Close, "network"),
    ] {
        let twilio = Twilio::builder()
            .recording(alice(&media(10)))
            .fault(On::api("/v1/Recordings/*"), fault.clone())
            .start()
            .unwrap();
        let dir = folder();
        let output =
            fetch(&twilio, dir.path()).args(["--retries", "1"]).write_stdin(alice(&[]).rt()).assert().code(1);
        assert_eq!(line(&output)["error"]["kind"], kind, "{fault:?}");
        assert_eq!(line(&output)["sid"], alice(&[]).rt().as_str());
    }
}
