//! What comes in: every reader against everything that a line can be.

use std::fs::{self, File};
use std::process::Output;

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
    let groupings: Vec<String> = [
        r#"{"room_sid":"RM1","room_sid":"RM2"}"#,
        r#"["RM1"]"#,
        r#"{"room_sid":"RM1\ud800"}"#,
        r#"{"\ud800":"\udc00","room_sid":"RM1"}"#,
    ]
    .map(|grouping| raw("grouping_sids", grouping))
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
        ("half a character", [good.as_bytes(), b"\n{\"sid\":\"\\ud800\"}\n{\"\\ud800\":1}\n"].concat(), 3),
        (
            "half a character in a good one",
            good.replacen('{', "{\"\\udc00\":\"\\ud800\",", 1).into_bytes(),
            1,
        ),
        ("a room of all sorts", lines(&groupings), groupings.len()),
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
    assert_eq!(output.status.code() == Some(1), marked > 0, "{tool}, {name}: {said}");
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
        ("blank lines between", format!("{header}\n\na,1,2\n\r\n\nb,1,soon\n\n").into_bytes(), 2),
        ("columns without a name", "track_name,offset,start_time,,\na,1,2,,\nb,1,2,x,\n".into(), 2),
        ("carriage returns", format!("{header}\"a\r\",1,2\nb,1,\"2\r\"\r\nc,1,\"2\r\"").into_bytes(), 3),
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
        ("", true),
        ("packet|stream_index=0|pts_time=N/A\\nformat|start_time=N/A\\n", true),
        ("packet|stream_index=0|pts_time=1.5\\nformat|start_time=N/A\\n", false),
        (
            "packet|stream_index=0|pts_time=-0.007\\nformat|start_time=-0.007000|tag:creation_time=soon\\n",
            false,
        ),
        (
            "packet|stream_index=0|pts_time=9223372036854.775807\\npacket|stream_index=0|pts_time=-9223372036854.775807\\nformat|start_time=N/A\\n",
            false,
        ),
        ("packet|stream_index=0|pts_time=1e5\\n", true),
        ("packet|stream_index=-1|pts_time=1.5\\nformat|start_time=N/A\\n", false),
        // What says nothing of the container is no answer.
        ("packet|stream_index=0|pts_time=1.5\\n", true),
        ("packet|stream_in", true),
        ("{\"packets\":[]}\\n", true),
        ("\\377\\376|=|\\n\\000\\n", true),
        (
            "stream|index=0|codec_type=video|width=-1|height=99999999999999999999\\npacket|stream_index=0|pts_time=0.1\\nformat|start_time=N/A\\n",
            false,
        ),
    ] {
        let does = format!("case $1 in -version) echo ffprobe version 5.1;; *) printf '{says}';; esac");
        let ffprobe = script(&place, "ffprobe", &does);
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
    let deep = "[".repeat(50_000) + &"]".repeat(50_000);
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
        ("offset", "-9223372036854775809"),
        ("track_name", &deep),
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

/// JSON that is none, or none that was meant.
fn no_layouts() -> Vec<(&'static str, Vec<u8>)> {
    let region = |fields: &str| format!("{{\"a\":{{\"video_sources\":[\"*\"],{fields}}}}}").into_bytes();
    vec![
        ("empty", b"".to_vec()),
        ("blank", b" \r\n\t\n".to_vec()),
        ("truncated", region("\"width\":5")[..20].to_vec()),
        ("two", b"{}{}".to_vec()),
        ("no object", b"[{}]".to_vec()),
        ("null", b"null".to_vec()),
        ("a region that is none", b"{\"a\":null}".to_vec()),
        (
            "wrong types",
            region("\"x_pos\":\"left\",\"width\":true,\"height\":[],\"reuse\":7,\"cells_excluded\":{}"),
        ),
        ("negative", region("\"x_pos\":-5,\"width\":-1")),
        ("fractional", region("\"width\":1.5")),
        (
            "huge",
            region("\"width\":99999999999999999999999,\"z_pos\":9223372036854775808,\"max_rows\":1e999"),
        ),
        ("not UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("NUL", b"\0{\"a\":{}}".to_vec()),
        ("deep arrays", region(&format!("\"width\":{}{}", "[".repeat(50_000), "]".repeat(50_000)))),
        ("deep objects", ("{\"a\":".repeat(50_000) + "1" + &"}".repeat(50_000)).into_bytes()),
        ("a table", b"x,y\n1,2\n".to_vec()),
    ]
}

#[test]
fn a_layout_that_says_anything_is_read() {
    let place = place();
    let input = room(&place);
    fs::write(place.folder().join("room.jsonl"), input).unwrap();
    let run = |text: &[u8]| {
        fs::write(place.folder().join("layout.json"), text).unwrap();
        let mut command = place.tool("tw-ffcmd").unwrap();
        result(&command.args(["--layout", "@layout.json", "room.jsonl"]).output().unwrap())
    };
    for (name, text) in no_layouts() {
        let (code, jobs, said) = run(&text);
        assert_eq!((code, jobs.len()), (Some(2), 0), "{name}: {said}");
        assert!(said.contains("the layout layout.json"), "{name}: {said}");
        assert!(said.lines().count() < 20 && said.len() < 4000, "{name}: {said}");
    }
    // What is null has its default, as in Twilio's own answers.
    let nulls = r#"{"a":{"video_sources":["*"],"x_pos":null,"width":null,"max_rows":null,"reuse":null,"cells_excluded":null}}"#;
    for text in ["\u{feff}{\r\n\"a\":{\"video_sources\":[\"*\"]}\r\n}\r\n", nulls] {
        let (code, jobs, said) = run(text.as_bytes());
        assert_eq!((code, jobs.len()), (Some(0), 1), "{text}: {said}");
    }
    // By default nobody is seen and nobody heard.
    let nulls =
        ["VideoLayout", "AudioSources", "Resolution", "Format", "Trim"].map(|name| (name, Value::Null));
    let (code, jobs, said) = run(json!(std::collections::BTreeMap::from(nulls)).to_string().as_bytes());
    assert_eq!((code, jobs.len()), (Some(1), 1), "null everywhere: {said}");
}

#[test]
fn whatever_twilios_command_line_printed_is_read() {
    let place = place();
    let deep = format!("[{{\"sid\":\"RT1\",\"x\":{}{}}}]", "[".repeat(50_000), "]".repeat(50_000));
    let good = format!("{{\"sid\":\"RT{:032}\",\"offset\":null,\"links\":null}}", 1);
    for (name, text, status, lines) in [
        ("empty", Vec::new(), 0, 0),
        ("blank", b"\n \r\n".to_vec(), 0, 0),
        ("no recordings", b"[]".to_vec(), 0, 0),
        ("truncated", b"[{\"sid\":".to_vec(), 2, 0),
        ("an object", good.clone().into_bytes(), 2, 0),
        ("not UTF-8", b"[{\"sid\":\"\xff\"}]".to_vec(), 2, 0),
        ("NUL", b"\0[]".to_vec(), 2, 0),
        ("wrong types", b"[null,7,\"x\",[],{},{\"sid\":null},{\"sid\":7}]".to_vec(), 1, 7),
        ("half a character", b"[{\"sid\":\"\\ud800\"}]".to_vec(), 1, 1),
        ("CRLF and a BOM", format!("\u{feff}[\r\n{good},\r\n{good}\r\n]\r\n").into_bytes(), 0, 2),
        ("deep", deep.into_bytes(), 1, 1),
    ] {
        let arguments = ["--from-cli", "-"].map(str::to_owned);
        let (code, records, said) = result(&place.filter("tw-list", &arguments, &text).unwrap());
        assert_eq!((code, records.len()), (Some(status), lines), "{name}: {said}");
        assert!(status == 0 || said.contains("stdin"), "{name}: {said}");
    }
}
