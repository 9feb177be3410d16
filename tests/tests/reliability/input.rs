//! What comes in: every reader against everything that a line can be.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tw_loopback::{Fault, On, Recording, Twilio, room_sid};

use crate::common::*;

/// Name, text, and how many lines of it are not blank.
fn texts() -> Vec<(&'static str, Vec<u8>, usize)> {
    let good = json!({"sid": "RT1", "type": "video", "path": "gone.mkv", "offset": 5, "start_time_ms": 1,
        "end_time_ms": 9, "relative_offset_ms": 0, "grouping_sids": {"room_sid": "RM1"}});
    let with = |field: &str, value: Value| {
        let mut record = good.clone();
        record[field] = value;
        record.to_string()
    };
    let raw = |field: &str, value: &str| with(field, json!("HERE")).replace("\"HERE\"", value);
    let fields = ["offset", "start_time_ms", "end_time_ms", "relative_offset_ms"];
    let numbers = [
        "-5",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "1e999",
        "1.5",
        "-0",
        "\"N/A\"",
        "\"5\"",
        "true",
        "[]",
    ];
    let offsets: Vec<String> =
        fields.iter().flat_map(|field| numbers.map(|number| raw(field, number))).collect();
    let all = [
        "sid",
        "type",
        "path",
        "offset",
        "start_time_ms",
        "end_time_ms",
        "relative_offset_ms",
        "grouping_sids",
        "streams",
        "links",
        "size",
        "container_format",
        "track_name",
        "status",
        "error",
        "participant_identity",
    ];
    let nulls: Vec<String> = all.iter().map(|field| with(field, Value::Null)).collect();
    let wrong: Vec<String> = all
        .iter()
        .flat_map(|field| {
            [json!({}), json!([1]), json!(7), json!(true), json!("")].map(|value| with(field, value))
        })
        .collect();
    let streams: Vec<String> = [
        r#"[{"codec_type":null,"packets":null,"gaps":null,"frame_interval_ms":null}]"#,
        r#"[{"codec_type":"video","packets":-1}]"#,
        r#"[{"codec_type":"video","packets":1,"frame_interval_ms":1e308,"gaps":[{"start_ms":9223372036854775807,"end_ms":-9223372036854775808}]}]"#,
        r#"[null]"#,
        r#"[{"codec_type":"audio","channels":4294967295}]"#,
    ]
    .map(|streams| raw("streams", streams))
    .into();
    let lines = |lines: &[String]| (lines.join("\n") + "\n").into_bytes();
    let deep = |open: &str, close: &str| raw("streams", &(open.repeat(50_000) + "1" + &close.repeat(50_000)));
    let good = good.to_string();
    let null = json!({"sid": null, "type": null, "path": null, "offset": null, "start_time_ms": null, "streams": null, "grouping_sids": null});
    vec![
        ("empty", Vec::new(), 0),
        ("blank", b"\n  \n\t\r\n\n".to_vec(), 0),
        ("truncated", good.as_bytes()[..good.len() / 2].to_vec(), 1),
        ("no object", b"null\n7\n\"x\"\n[{}]\n{}{}\n{\"a\":1,}\nNaN\n{'a':1}\n".to_vec(), 8),
        ("no fields", b"{}\n{}\n".to_vec(), 2),
        ("null everywhere", lines(&[null.to_string()]), 1),
        ("a null in each field", lines(&nulls), nulls.len()),
        ("a wrong type in each field", lines(&wrong), wrong.len()),
        ("times of all sorts", lines(&offsets), offsets.len()),
        ("streams of all sorts", lines(&streams), streams.len()),
        ("the same recording twice", lines(&[good.clone(), good.clone()]), 2),
        ("the same field twice", lines(&[good.replace("\"offset\":5", "\"offset\":\"x\",\"offset\":5")]), 1),
        ("not UTF-8", [good.as_bytes(), b"\n{\"sid\":\"\xff\xfe\"}\n\xc3\x28\n"].concat(), 3),
        ("half a character", [good.as_bytes(), b"\n{\"sid\":\"\\ud800\"}\n"].concat(), 2),
        ("CRLF and a BOM", format!("\u{feff}{good}\r\n\r\n{good}\r\n").into_bytes(), 2),
        ("a BOM in the middle", format!("{good}\n\u{feff}{good}\n").into_bytes(), 2),
        ("NUL", b"\0\n{\"sid\":\"a\0b\"}\n{\"sid\":\"a\\u0000b\"}\n".to_vec(), 3),
        ("deep arrays", lines(&[deep("[", "]")]), 1),
        ("deep objects", lines(&[deep("{\"a\":", "}")]), 1),
        ("no line end", good.clone().into_bytes(), 1),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), 1),
    ]
}

/// No panic, a status of the contract, and JSON on each line of stdout.
fn sound(tool: &str, name: &str, output: &Output) -> usize {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{tool}, {name}: {said}");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{tool}, {name}: {:?} {said}", output.status);
    let text = str::from_utf8(&output.stdout).unwrap_or_else(|_| panic!("{tool}, {name}: not UTF-8"));
    let records = text
        .lines()
        .map(|line| tw_core::Record::parse(line).unwrap_or_else(|e| panic!("{tool}, {name}: {e}")));
    let marked = records.filter(tw_core::Record::is_marked).count();
    assert_eq!(
        output.status.code() == Some(1),
        marked > 0 || tool == "tw-ffcmd --emit plan" && !said.is_empty(),
        "{tool}, {name}: {said}"
    );
    text.lines().count()
}

#[test]
fn every_line_comes_out_again_or_says_why_not() {
    let place = place();
    let twilio = Twilio::builder().start().unwrap();
    for (name, text, count) in texts() {
        for (tool, arguments) in [
            ("tw-list", &["--rooms", "-"][..]),
            ("tw-fetch", &["--dir", "media"]),
            ("tw-probe", &[]),
            ("tw-offsets", &[]),
            ("tw-offsets --rooms", &["--grouped"]),
            ("tw-ffcmd", &[]),
            ("tw-ffcmd --emit plan", &["--emit", "plan"]),
        ] {
            let program = tool.split(' ').next().unwrap();
            let input = place.folder().join("input");
            fs::write(&input, &text).unwrap();
            let mut command = place.tool(program).unwrap();
            command.envs(twilio.env()).args(arguments).stdin(File::open(&input).unwrap());
            let lines = sound(tool, name, &command.output().unwrap());
            if !tool.starts_with("tw-ffcmd") {
                assert_eq!(lines, count, "{tool}, {name}");
            }
        }
    }
}

#[test]
fn every_row_of_a_table_comes_out_again() {
    let place = place();
    let header = "track_name,offset,start_time\n";
    for (name, text, rows) in [
        ("a header alone", header.as_bytes().to_vec(), 0),
        (
            "numbers",
            format!("{header}a,-5,N/A\nb,1.5,2\nc,9223372036854775807,1\nd,9223372036854775808,1\n")
                .into_bytes(),
            4,
        ),
        ("blank", format!("{header}\n,,\r\n \n").into_bytes(), 0),
        ("short and long rows", format!("{header}a\nb,1\nc,1,2,3,4\n").into_bytes(), 3),
        ("quotes", format!("{header}\"a \"\"b\"\",\nc\",1,2\nd\"e,1,2\n").into_bytes(), 2),
        ("an open quote", format!("{header}a,1,2\n\"b,1,2\nc,1,2\n").into_bytes(), 2),
        ("CRLF and a BOM", "\u{feff}track_name,offset,start_time\r\na,1,2\r\n".into(), 1),
        ("not UTF-8", [header.as_bytes(), b"\xff,1,2\nb,1,2\n"].concat(), 2),
        ("the same twice", format!("{header}a,1,2\na,1,2\n").into_bytes(), 2),
        ("NUL", format!("{header}a\0,1,2\n").into_bytes(), 1),
    ] {
        let arguments: Vec<String> = ["--from", "csv"].map(str::to_owned).into();
        let output = place.filter("tw-offsets", &arguments, &text).unwrap();
        assert_eq!(sound("tw-offsets", name, &output), rows, "{name}");
    }
    for text in [&b"a,b\n1,2\n"[..], b"offset,offset\n1,2\n", b"\xff\n", b"{\"offset\":1}\n"] {
        let arguments: Vec<String> = ["--from", "csv"].map(str::to_owned).into();
        let output = place.filter("tw-offsets", &arguments, text).unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn an_ffprobe_that_says_anything_is_read() {
    let place = place();
    fs::write(place.folder().join("a.mka"), "x").unwrap();
    for (says, marked) in [
        ("", false),
        ("packet|stream_index=0|pts_time=N/A\\nformat|start_time=N/A\\n", true),
        ("packet|stream_index=0|pts_time=1.5\\nformat|start_time=N/A\\n", false),
        (
            "packet|stream_index=0|pts_time=-0.007\\nformat|start_time=-0.007000|tag:creation_time=soon\\n",
            false,
        ),
        (
            "packet|stream_index=0|pts_time=9223372036854.775807\\npacket|stream_index=0|pts_time=-9223372036854.775807\\n",
            false,
        ),
        ("packet|stream_index=0|pts_time=1e5\\n", true),
        ("packet|stream_index=-1|pts_time=1.5\\n", false),
        ("packet|stream_in", false),
        ("{\"packets\":[]}\\n", false),
        ("\\377\\376|=|\\n\\000\\n", false),
        (
            "stream|index=0|codec_type=video|width=-1|height=99999999999999999999\\npacket|stream_index=0|pts_time=0.1\\n",
            false,
        ),
    ] {
        let ffprobe = script(&place, "ffprobe", &format!("printf '{says}'"));
        let output = place
            .tool("tw-probe")
            .unwrap()
            .env("TW_FFPROBE", ffprobe)
            .args(["--files", "a.mka"])
            .output()
            .unwrap();
        assert_eq!(sound("tw-probe", says, &output), 1);
        assert_eq!(output.status.code() == Some(1), marked, "{says}");
    }
}

#[test]
fn a_page_that_says_anything_is_read() {
    let place = place();
    let room = room_sid("a room");
    let row = |field: &str, value: &str| Recording::audio(&room, "alice").written_as(field, value);
    for (field, value) in [
        ("sid", "null"),
        ("sid", "7"),
        ("grouping_sids", "null"),
        ("grouping_sids", "[]"),
        ("offset", "1e999"),
        ("type", "null"),
        ("links", "null"),
        ("container_format", "null"),
        ("size", "null"),
        ("track_name", "\"\\ud800\""),
    ] {
        let twilio = Twilio::builder().recording(row(field, value)).start().unwrap();
        let mut command = place.tool("tw-list").unwrap();
        let output = command.envs(twilio.env()).args(["--room", &room]).output().unwrap();
        assert_eq!(sound("tw-list", value, &output), 1, "{field}: {value}");
    }
    for fault in [Fault::InvalidJson, Fault::Html(200), Fault::CloseInBody(10)] {
        let twilio = Twilio::builder()
            .recording(Recording::audio(&room, "alice"))
            .fault(On::api("/v1/Recordings"), fault.clone())
            .start()
            .unwrap();
        let mut command = place.tool("tw-list").unwrap();
        command.envs(twilio.env()).args(["--retries", "0", "--room", &room]);
        assert_eq!(sound("tw-list", &format!("{fault:?}"), &command.output().unwrap()), 1);
    }
}

/// A tool that gets no more than so many kB of memory, its stdout in a file.
fn within(place: &tw_tests::environment::Environment, tool: &str, kilobytes: u64) -> Command {
    let inner = place.tool(tool).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v \"$0\"; exec \"$@\"", &kilobytes.to_string()])
        .arg(inner.get_program())
        .current_dir(place.folder())
        // One heap for all threads: each of its own would take 64 MB of address space.
        .env("MALLOC_ARENA_MAX", "1")
        .stdout(File::create(place.folder().join("output")).unwrap())
        .stderr(Stdio::piped());
    command
}

fn lines_of_output(place: &tw_tests::environment::Environment) -> usize {
    fs::read(place.folder().join("output")).unwrap().split(|&byte| byte == b'\n').count() - 1
}

#[test]
fn a_line_of_100_mb_is_a_line() {
    let place = place();
    let twilio = Twilio::builder().start().unwrap();
    let path = place.folder().join("long.jsonl");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"{\"type\":\"data\",\"sid\":\"RT1\",\"x\":\"").unwrap();
    let megabyte = vec![b'x'; 1_000_000];
    (0..100).for_each(|_| file.write_all(&megabyte).unwrap());
    file.write_all(b"\"}\n{\"type\":\"data\",\"sid\":\"RT2\"}\n").unwrap();
    file.flush().unwrap();
    for (tool, status) in
        [("tw-list", 1), ("tw-fetch", 1), ("tw-probe", 0), ("tw-offsets", 0), ("tw-ffcmd", 1)]
    {
        let mut command = within(&place, tool, 1_500_000);
        command.envs(twilio.env()).args((tool == "tw-list").then_some("--rooms")).arg(&path);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{tool}: {said}");
        assert!(said.len() < 2000, "{tool}: {} bytes of messages", said.len());
        if tool != "tw-ffcmd" {
            assert_eq!(lines_of_output(&place), 2, "{tool}");
        }
    }
}

#[test]
fn a_million_lines_are_no_more_than_that() {
    let place = place();
    let path = place.folder().join("many.jsonl");
    fs::write(&path, "{\"type\":\"data\",\"sid\":\"RT1\"}\n".repeat(1_000_000)).unwrap();
    let output = within(&place, "tw-offsets", 1_500_000).arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines_of_output(&place), 1_000_000);
    let output = within(&place, "tw-ffcmd", 1_500_000).args(["--emit", "plan"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("passed over 1000000 data tracks"), "{said}");
}
