//! What comes in: names from strangers, records without media, lines of all sorts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{alice, fetch, files, folder, line, media, records};
use predicates::str::contains;
use tw_loopback::{Fault, On, Recording, Twilio, room_sid, sid};

#[test]
fn names_are_made_harmless() {
    let room = room_sid("names");
    let long = "x".repeat(300);
    let names = ["../../up", "/abs", "-rf", "..", ".", ".hidden", "a\u{0}b", "con", &long];
    let people: Vec<Recording> =
        names.iter().map(|name| Recording::audio(&room, "eve").track(name).bytes(media(10))).collect();
    let twilio = Twilio::builder().recordings(people.clone()).start().unwrap();
    let outer = folder();
    let dir = outer.path().join("deep/media");
    fetch(&twilio, &dir)
        .args(["--name", "{track_name}"])
        .write_stdin(records(&twilio, &people))
        .assert()
        .success();
    let found = files(outer.path());
    assert_eq!(found.len(), names.len());
    assert!(found.iter().all(|path| path.parent() == Some(&dir)), "{found:?}");
}

#[test]
fn a_template_that_leads_out_is_wrong_usage() {
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    for template in ["../{sid}", "/abs/{sid}", "{sid", "a/../b", ""] {
        fetch(&twilio, dir.path()).args(["--name", template]).assert().code(2).stderr(contains("--name"));
    }
}

#[test]
fn records_without_media_say_why() {
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    let rt = alice(&[]).rt();
    for (fields, kind, why) in [
        (r#""status":"processing","size":null"#, "not_ready", "still processing"),
        (r#""status":"deleted""#, "not_found", "deleted"),
        (r#""status":"failed""#, "not_found", "could not record"),
        (r#""encryption_key":"CR1""#, "media", "encrypted"),
        (r#""media_external_location":"https://b.example/x""#, "media", "bucket of your own"),
        (r#""size":"many""#, "field", "size is"),
        (r#""links":7"#, "field", "links is 7"),
    ] {
        let input = format!("{{\"sid\":\"{rt}\",{fields}}}");
        let output = fetch(&twilio, dir.path()).write_stdin(input).assert().code(1).stderr(contains(why));
        assert_eq!(line(&output)["error"]["kind"], kind, "{fields}");
    }
    for (input, why) in [
        (room_sid("x"), "tw-list"),
        (rt.replace("RT", "rt"), "begins with RT, in capitals"),
        (rt[..20].into(), "a recording's SID is RT and 32 hexadecimal digits"),
        (format!("{{\"sid\":\"{}\",\"x\":1}}", room_sid("x")), "list its recordings with tw-list"),
        ("nonsense".into(), "stdin:1"),
        ("{\"sid\":\"RT1\"}".into(), "32 hexadecimal"),
        ("{\"sid\":7}".into(), "sid is 7"),
        ("{\"x\":7}".into(), "no sid"),
        (format!("{{\"sid\":\"{rt}/../x\",\"a\":1}}"), "32 hexadecimal"),
    ] {
        fetch(&twilio, dir.path()).write_stdin(input).assert().code(1).stderr(contains(why));
    }
    assert!(twilio.requests().is_empty());
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_sid_as_an_argument_is_told_the_way_in() {
    let rt = alice(&[]).rt();
    let dir = folder();
    let fetch = |argument: &str| {
        let mut command = common::bare();
        command.current_dir(dir.path()).arg(argument).assert()
    };
    fetch(&rt).code(2).stdout("").stderr(contains(format!("echo {rt} | tw-fetch")));
    // A file of that name is one.
    std::fs::write(dir.path().join(&rt), "").unwrap();
    fetch(&rt).success();
    fetch("RT1").code(2).stderr(contains("cannot read RT1"));
}

#[test]
fn lines_of_all_sorts_come_out_one_by_one() {
    let bytes = media(100);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let good = records(&twilio, &[alice(&bytes)]);
    let deep = format!(r#"{{"sid":"RT1","links":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let deep_link = deep.replace("RT1", &sid("RT", "deep"));
    let mut input = b"\xef\xbb\xbf".to_vec();
    for line in [&good, "\r\n", "{\"sid\":", "null", "[]", "\"x\"", &deep, &deep_link, "{}", &good] {
        input.extend([line.trim_end().as_bytes(), b"\r\n"].concat());
    }
    input.extend(b"{\"sid\":\"\xff\"}");
    let output = fetch(&twilio, dir.path()).args(["--name", "{sid}.mka"]).write_stdin(input).assert().code(1);
    // Read without a parser of JSON: those have no taste for deep nesting.
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let marked: Vec<bool> = text.lines().map(|line| line.contains("\"error\":{\"tool\"")).collect();
    assert_eq!(marked, [false, true, true, true, true, true, true, true, false, true]);
    assert!(text.contains(&deep[..deep.len() - 1]));
}

#[test]
fn no_credentials_is_wrong_set_up() {
    let twilio = Twilio::builder().recording(alice(&media(10))).start().unwrap();
    let dir = folder();
    let record = records(&twilio, &[alice(&[])]);
    let asked = twilio.requests().len();
    for (variables, why) in
        [(&[][..], "no credentials"), (&[("TWILIO_ACCOUNT_SID", "AC1")], "TWILIO_AUTH_TOKEN isn't")]
    {
        let output = common::bare()
            .envs(variables.iter().copied())
            .args(["--base-url", twilio.base_url(), "--dir"])
            .arg(dir.path())
            // Whether it is looked up or fetched.
            .write_stdin(format!("{record}{}\n{record}", alice(&[]).rt()))
            .assert()
            .code(2)
            .stderr(contains(why));
        // Said once, and nobody is lost: the records go on, marked.
        assert_eq!(String::from_utf8_lossy(&output.get_output().stderr).lines().count(), 1);
        let lines = common::lines(&output);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line["error"]["kind"] == "auth" && line["sid"] == alice(&[]).rt()));
    }
    assert_eq!(twilio.requests().len(), asked);
    assert!(files(dir.path()).is_empty());
}

#[test]
fn who_needs_no_twilio_needs_no_credentials() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    let dir = folder();
    let input = records(&twilio, &[alice(&bytes)]);
    fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
    let asked = twilio.requests().len();
    // Nor does it matter that the record's links are another host's.
    common::bare().arg("--dir").arg(dir.path()).write_stdin(input).assert().success().stderr("");
    common::bare().write_stdin("").assert().success();
    assert_eq!(twilio.requests().len(), asked);
    let wrong = common::bare().args(["--base-url", "http://video.twilio.com"]).write_stdin("").assert();
    wrong.code(2).stderr(contains("not https"));
}

#[test]
fn no_secret_is_ever_said() {
    let bytes = media(1000);
    let twilio = Twilio::builder().recording(alice(&bytes)).start().unwrap();
    twilio.fault(On::storage("*").first(1), Fault::ExpiredUrl);
    twilio.fault(On::storage("*").first(1), Fault::Close);
    twilio.fault(On::api("/v1/Recordings/*/Media").first(1), Fault::Status(500));
    let dir = folder();
    let output = fetch(&twilio, dir.path())
        .args(["-v", "--progress", "always"])
        .write_stdin(alice(&bytes).rt())
        .assert()
        .success();
    let output = output.get_output();
    let all = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    for secret in [tw_loopback::AUTH_TOKEN, "Signature", "Basic "] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
