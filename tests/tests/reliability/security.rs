//! Strangers' media and strangers' names.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::{Value, json};
use tw_loopback::{AUTH_TOKEN, Recording, Twilio, room_sid};

use crate::common::*;

/// A server that must see no connection.
struct Canary(TcpListener);

impl Canary {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/secret.mkv", self.0.local_addr().unwrap())
    }

    fn sings(&self) -> bool {
        // Whoever connected is in the queue, also when he has gone since.
        self.0.accept().err().is_some_and(|e| e.kind() == ErrorKind::WouldBlock)
    }
}

/// Files that lead to others, each to this address and to a file beside it.
fn impostors(url: &str) -> [(&'static str, String); 9] {
    [
        ("playlist", format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{url}\n#EXT-X-ENDLIST\n")),
        (
            "local playlist",
            "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nsecret.mkv\n#EXT-X-ENDLIST\n".into(),
        ),
        ("file playlist", "#EXTM3U\n#EXTINF:3,\nfile:secret.mkv\n#EXT-X-ENDLIST\n".into()),
        ("concat script", format!("ffconcat version 1.0\nfile secret.mkv\nfile {url}\n")),
        (
            "svg",
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><image href=\"{url}\"/></svg>"
            ),
        ),
        (
            "dash",
            format!(
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet><Representation id=\"1\"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ),
        ),
        ("session", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n".into()),
        ("image list", "secret.mkv\n".into()),
        ("subtitle index", format!("# VobSub index file, v7\nid: en, index: 0\n{url}\n")),
    ]
}

#[test]
fn what_poses_as_a_recording_is_refused() {
    let place = place();
    room(&place);
    fs::rename(place.folder().join("alice.mkv"), place.folder().join("secret.mkv")).unwrap();
    let canary = Canary::new();
    for (name, text) in impostors(&canary.url()) {
        fs::write(place.folder().join("posing.mkv"), text).unwrap();
        let (probed, said) = ends(place.tool("tw-probe").unwrap().args(["--files", "posing.mkv"]), 1);
        assert_eq!(probed[0]["error"]["kind"], "media", "{name}");
        assert!(said.contains("is not a Matroska file"), "{name}: {said}");
        // Had somebody else written the fields that tw-probe would have.
        for chunk in ["0", "1"] {
            let input = records(ROOM, &[("video", "posing.mkv")]);
            let (jobs, _) = ends(compose(&place, &input).args(["--chunk", chunk]), 1);
            assert_eq!(jobs[0]["error"]["kind"], "ffmpeg", "{name}");
            assert!(!place.folder().join("out/room.webm").exists(), "{name}");
        }
    }
    assert!(canary.sings(), "somebody has asked for {}", canary.url());
}

#[test]
fn a_path_is_only_ever_a_file() {
    let place = place();
    room(&place);
    let canary = Canary::new();
    let long = "a".repeat(300);
    let url = canary.url();
    let before = names(place.folder());
    for path in [
        "-y",
        "-",
        "--",
        url.as_str(),
        "file:alice.mkv",
        "concat:alice.mkv|alice.mkv",
        "pipe:0",
        "subfile,,start,0,end,9,,:alice.mkv",
        "data:text/plain,x",
        "tee:out",
        "a\0b.mkv",
        "new\nline.mkv",
        "$(touch pwned)",
        "`touch pwned`",
        "';touch pwned;'",
        long.as_str(),
        "/dev/null",
        "/dev/stdin",
        ".",
        "..",
        "",
        "http:x",
        "crypto:alice.mkv",
        "fd:0",
        "lavfi:color",
        "color=c=red",
        "%d.mkv",
        "*.mkv",
    ] {
        let input = records(ROOM, &[("video", path)]);
        let (jobs, _) = ends(&mut compose(&place, &input), 1);
        assert!(jobs[0]["error"]["message"].is_string(), "{path:?}");
        let (probed, _) = ends(place.tool("tw-probe").unwrap().arg("room.jsonl"), 1);
        assert!(probed[0]["error"]["message"].is_string(), "{path:?}");
    }
    assert!(canary.sings(), "somebody has asked for {url}");
    let after: Vec<String> =
        names(place.folder()).into_iter().filter(|name| name != "out" && name != "room.jsonl").collect();
    assert_eq!(after, before);
    assert!(names(&place.folder().join("out")).is_empty());
}

/// Texts that would lead elsewhere if they were more than texts.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "../../x",
        "/etc/x",
        "..",
        ".",
        "",
        "-y",
        "--",
        "~root",
        "a\0b",
        "a\nb",
        "CON",
        "NUL",
        "/dev/null",
        "a/../../b",
        "\\\\host\\share",
        "x;touch pwned",
        "$(touch pwned)",
        "{room_sid}",
        "%d",
        "\u{202e}gpj",
        "movie=secret",
        "[0:v]null[x]",
        "'",
    ]
    .map(str::to_owned)
    .into();
    texts.push("é".repeat(300));
    texts.push("a".repeat(300));
    texts
}

#[test]
fn names_from_records_choose_no_path() {
    let place = place();
    let good = room(&place);
    let recording = Recording::audio(ROOM, "alice").file(place.folder().join("alice.mka"));
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let outside = |entries: Vec<String>| -> Vec<String> {
        entries
            .into_iter()
            .filter(|name| {
                !["out", "out.asked", "media", "room.jsonl", "list.jsonl"].contains(&name.as_str())
            })
            .collect()
    };
    // Writes down which file it was to make.
    let nothing = script(
        &place,
        "nothing",
        "case \"$*\" in *-version*) echo ffmpeg version 9.0;; *-encoders*) ;; *) for last; do :; done; echo \"$last\" >> out.asked; exit 1;; esac",
    );
    let before = names(place.folder());
    for text in hostile() {
        // A room's SID, in tw-ffcmd's output.
        let input = good.replace(&json!(ROOM).to_string(), &json!(text).to_string());
        let mut command = compose_to(&place, &input, "out/{room_sid}.webm");
        // Composed by nobody, but as far as the name: the program that would do it isn't one.
        let output = command.env("TW_FFMPEG", &nothing).output().unwrap();
        let (code, _, said) = result(&output);
        assert_eq!(code, Some(1), "{text:?}: {said}");
        let asked = fs::read_to_string(place.folder().join("out.asked")).unwrap_or_default();
        for path in asked.lines() {
            let name = path.strip_prefix("out/").unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'), "{path}");
        }
        // Everything else that a record says, in tw-fetch's names.
        let mut record = json!({
            "sid": recording.rt(), "type": "audio", "size": null, "container_format": text, "track_name": text,
            "grouping_sids": {"room_sid": text, "participant_sid": text},
        });
        record["links"] =
            json!({"media": format!("{}/v1/Recordings/{}/Media", twilio.base_url(), recording.rt())});
        fs::write(place.folder().join("list.jsonl"), format!("{record}\n")).unwrap();
        let template = "{room_sid}/{track_name}/{sid}.{container_format}";
        let output = place
            .tool("tw-fetch")
            .unwrap()
            .envs(twilio.env())
            .args(["--dir", "media", "--name", template, "list.jsonl"])
            .output()
            .unwrap();
        let (code, records, said) = result(&output);
        assert!(matches!(code, Some(0 | 1)), "{text:?}: {said}");
        if code == Some(0) {
            let path = records[0]["path"].as_str().unwrap().to_owned();
            assert_eq!(path.split('/').count(), 4, "{path:?}");
            assert!(path.split('/').skip(1).all(|name| name != ".." && !name.starts_with('-')), "{path:?}");
        }
        assert_eq!(outside(names(place.folder())), outside(before.clone()), "{text:?}");
    }
}

#[test]
fn names_from_records_are_no_filter_and_no_command() {
    let place = place();
    let good = room(&place);
    for text in hostile() {
        let input = good
            .replace("\"alice\"", &json!(text).to_string())
            .replace("\"PA1\"", &json!(text).to_string())
            .replace(&json!(ROOM).to_string(), &json!(text).to_string());
        fs::write(place.folder().join("room.jsonl"), &input).unwrap();
        let plain = |input: &str| {
            fs::write(place.folder().join("room.jsonl"), input).unwrap();
            let mut command = place.tool("tw-ffcmd").unwrap();
            ends(command.env("PATH", "/no").args(["-o", "room.webm", "room.jsonl"]), 0).0.remove(0)
        };
        let (meant, hostile) = (plain(&good), plain(&input));
        assert_eq!(
            (&meant["argv"], &meant["filter_complex"]),
            (&hostile["argv"], &hostile["filter_complex"])
        );
        // In a script and in a Makefile they stand in comments: what is run is the same.
        for emit in ["sh", "make"] {
            let script = |input: &str| {
                fs::write(place.folder().join("room.jsonl"), input).unwrap();
                let mut command = place.tool("tw-ffcmd").unwrap();
                let output =
                    command.args(["-o", "room.webm", "--emit", emit, "room.jsonl"]).output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(script(&good), script(&input), "{text:?}");
        }
    }
}

#[test]
fn credentials_stay_with_us() {
    let place = place();
    room(&place);
    let room = room_sid("a room");
    let recordings = [
        Recording::video(&room, "alice").file(place.folder().join("alice.mkv")),
        Recording::audio(&room, "alice").file(place.folder().join("alice.mka")),
    ];
    let twilio = Twilio::builder().recordings(recordings).start().unwrap();
    // Each child writes down its arguments and its environment, and is the real one then.
    let spy = |program: &str| {
        let seen = place.folder().join("seen").display().to_string();
        script(
            &place,
            &format!("spy-{program}"),
            &format!("{{ echo \"$@\"; env; }} >> '{seen}'; exec {program} \"$@\""),
        )
    };
    let (ffmpeg, ffprobe) = (spy("ffmpeg"), spy("ffprobe"));
    let mut heard = String::new();
    let mut input = Vec::new();
    for (tool, arguments) in [
        ("tw-list", &["--room", &room][..]),
        ("tw-fetch", &["--dir", "media"]),
        ("tw-probe", &[]),
        ("tw-offsets", &[]),
        (
            "tw-ffcmd",
            &["--run", "--size", "64x48", "--speed", "fast", "--chunk", "1", "-o", "out/{room_sid}.webm"],
        ),
    ] {
        let path = place.folder().join("input.jsonl");
        fs::write(&path, &input).unwrap();
        let mut command = place.tool(tool).unwrap();
        command
            .envs(twilio.env())
            .env("TWILIO_API_KEY", "")
            .env("TW_FFMPEG", &ffmpeg)
            .env("TW_FFPROBE", &ffprobe);
        let output =
            command.arg("-v").args(arguments).stdin(fs::File::open(&path).unwrap()).output().unwrap();
        assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
        heard += &String::from_utf8_lossy(&output.stderr);
        heard += &String::from_utf8_lossy(&output.stdout);
        input = output.stdout;
    }
    let record: Value = serde_json::from_slice(&input).unwrap();
    assert_eq!(record["status"], "completed");
    heard += &fs::read_to_string(place.folder().join("seen")).unwrap();
    assert!(heard.contains("packet=stream_index,") && heard.contains("PATH="), "the spies were there");
    for name in names(&place.folder().join("media")) {
        heard += &name;
    }
    let account = format!("TWILIO_ACCOUNT_SID={}", tw_loopback::ACCOUNT_SID);
    for secret in [AUTH_TOKEN, "TWILIO_AUTH_TOKEN", &account, "Basic ", "Signature="] {
        assert!(!heard.contains(secret), "{secret} in {heard}");
    }
    assert!(!twilio.credentials_leaked());
}
