//! `docs/schema` and `docs/records.md` hold for what the tools really write.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, Resource, Validator};
use serde_json::Value;
use tw_loopback::{Recording, Twilio, room_sid};
use tw_tests::environment::Environment;

const TOOLS: [&str; 9] = [
    "tw-list",
    "tw-fetch",
    "tw-probe",
    "tw-offsets",
    "tw-ffcmd",
    "tw-ffcmd-step",
    "tw-ffcmd-placement",
    "tw-ffcmd-still",
    "error",
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn schema(name: &str) -> Value {
    let path = docs().join("schema").join(format!("{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The schemas name each other by their files.
fn validator(name: &str) -> Validator {
    let base = "https://tw.invalid/";
    let mut registry = Registry::new();
    for other in TOOLS {
        registry =
            registry.add(format!("{base}{other}.json"), Resource::from_contents(schema(other))).unwrap();
    }
    let registry = registry.prepare().unwrap();
    jsonschema::options()
        .with_registry(&registry)
        .with_base_uri(format!("{base}{name}.json"))
        .build(&schema(name))
        .unwrap()
}

#[track_caller]
fn assert_valid(name: &str, lines: &str) {
    let validator = validator(name);
    assert!(!lines.trim().is_empty(), "{name}: nothing was written");
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&record).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{line}");
    }
}

/// The fields that a schema describes, with those of the schema that it builds on.
fn described(name: &str) -> BTreeSet<String> {
    let schema = schema(name);
    let own = schema["properties"].as_object().unwrap().keys().cloned();
    let below = schema["$ref"].as_str().map(|file| described(file.trim_end_matches(".json")));
    own.chain(below.unwrap_or_default()).collect()
}

/// Every field that a tool adds is described, streams' fields included.
#[track_caller]
fn assert_described(name: &str, lines: &str, known_before: &BTreeSet<String>) {
    let described = described(name);
    let in_streams = &schema("tw-probe")["properties"]["streams"]["items"]["properties"];
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        for key in record.as_object().unwrap().keys() {
            assert!(
                described.contains(key) || known_before.contains(key),
                "{name}: {key} is not in its schema"
            );
        }
        for stream in record["streams"].as_array().into_iter().flatten() {
            for key in stream.as_object().unwrap().keys() {
                assert!(in_streams[key].is_object(), "tw-probe: streams[].{key} is not in its schema");
            }
        }
    }
}

#[test]
fn what_a_pipeline_writes_is_as_the_schemas_say() {
    let place = Environment::new().unwrap();
    let media = tw_testsignal_room(&place);
    let room = room_sid("schema");
    let twilio = Twilio::builder()
        .recording(Recording::audio(&room, "alice").offset(1000).file(&media.0))
        .recording(Recording::video(&room, "alice").offset(1000).file(&media.1))
        .recording(Recording::data(&room, "chat").offset(1000).bytes("no media that can be heard"))
        .recording(Recording::audio(&room, "gone").offset(1000))
        .start()
        .unwrap();
    let run = |tool: &str, arguments: &[&str], stdin: &str| {
        let mut command = place.tool(tool).unwrap();
        command.args(arguments).envs(twilio.env());
        let input = place.folder().join("stdin");
        fs::write(&input, stdin).unwrap();
        let output = command.stdin(fs::File::open(input).unwrap()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let missing = room_sid("missing");
    let list = run("tw-list", &["--participants", "--room", &room, "--room", &missing], "");
    let fetched = run("tw-fetch", &["--dir", "media"], &list);
    let probed = run("tw-probe", &[], &fetched);
    let offsets = run("tw-offsets", &[], &(probed + "nonsense\n"));
    let compose = ["--allow-incomplete", "--size", "64x48", "-o", "{room_sid}.webm"];
    let with = |more: &[&'static str]| [&compose[..], more].concat();
    let job = run("tw-ffcmd", &with(&["--run"]), &offsets);
    let refused = run("tw-ffcmd", &["-o", "{room_sid}.webm"], &offsets);
    let steps = run("tw-ffcmd", &with(&["--chunk", "1"]), &offsets);
    let plan = run("tw-ffcmd", &with(&["--emit", "plan"]), &offsets);
    let still = run("tw-ffcmd", &["--allow-incomplete", "--preview", "{room_sid}.png"], &offsets);

    let mut known = BTreeSet::new();
    for (name, lines) in [("tw-list", &list), ("tw-fetch", &fetched), ("tw-offsets", &offsets)] {
        assert_valid(name, lines);
        assert_described(name, lines, &known);
        known.extend(described(name));
        known.extend(described("tw-probe"));
    }
    assert_valid("tw-probe", &offsets);
    for (name, lines) in [
        ("tw-ffcmd", &job),
        ("tw-ffcmd", &refused),
        ("tw-ffcmd-step", &steps),
        ("tw-ffcmd-placement", &plan),
        ("tw-ffcmd-still", &still),
    ] {
        let rooms = lines.lines().filter(|line| line.contains("room_sid"));
        // A room that is refused has one record, whatever was asked for.
        let (refused, served): (Vec<&str>, Vec<&str>) = rooms.partition(|line| line.contains("\"error\""));
        assert!(!refused.is_empty() || !served.is_empty(), "{name}: nothing was written");
        for (name, lines) in
            [("tw-ffcmd", refused), (name, served)].into_iter().filter(|(_, l)| !l.is_empty())
        {
            let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
            assert_valid(name, &lines);
            assert_described(name, &lines, &BTreeSet::new());
        }
    }
    // The cases that the schemas tell apart were all there.
    assert!(fetched.contains("\"error\"") && offsets.contains("\"input\""), "{offsets}");
    assert!(job.contains("\"completed\"") && refused.contains("\"incomplete\""), "{job}{refused}");
}

/// A second of sound and of picture: two files.
fn tw_testsignal_room(place: &Environment) -> (PathBuf, PathBuf) {
    let make = |arguments: &str, name: &str| {
        let path = place.folder().join(name);
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi"])
            .args(arguments.split(' '))
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        path
    };
    (
        make("-i sine=d=2 -c:a libopus", "sound.mka"),
        make("-i testsrc=s=64x48:r=10:d=2 -c:v libvpx -deadline realtime", "picture.mkv"),
    )
}

#[test]
fn a_schema_refuses_what_is_wrong() {
    for (name, wrong) in [
        (
            "tw-list",
            r#"{"sid":"RM00000000000000000000000000000000","type":"audio","offset":1,"grouping_sids":{}}"#,
        ),
        ("tw-fetch", r#"{"sid":"RT00000000000000000000000000000000","path":"a"}"#),
        ("tw-probe", r#"{"path":"a","start_time_ms":1.5}"#),
        (
            "tw-offsets",
            r#"{"offset":1,"start_time_ms":1,"addition_ms":2,"reference_ms":"2","relative_offset_ms":0}"#,
        ),
        ("tw-ffcmd", r#"{"room_sid":null,"status":"completed"}"#),
        ("tw-ffcmd", r#"{"room_sid":null,"error":{"kind":"media"}}"#),
        ("tw-ffcmd-placement", r#"{"room_sid":null}"#),
    ] {
        let wrong: Value = serde_json::from_str(wrong).unwrap();
        assert!(!validator(name).is_valid(&wrong), "{name} takes {wrong}");
    }
}

/// The parts of `docs/records.md`, by their headings.
fn sections() -> Vec<(String, String)> {
    let text = fs::read_to_string(docs().join("records.md")).unwrap();
    let parts = text.split("\n## ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).map(|(name, body)| (name.into(), body.into())).collect()
}

#[test]
fn records_md_has_every_field_and_valid_examples() {
    let sections = sections();
    assert_eq!(sections.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), TOOLS);
    for (name, body) in &sections {
        let examples: Vec<&str> =
            body.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert_valid(name, &examples.concat());
        for field in schema(name)["properties"].as_object().unwrap().keys() {
            let written = field == "error" || body.contains(&format!("`{field}`"));
            assert!(written, "docs/records.md, {name}: no {field}");
        }
    }
}

#[test]
fn every_kind_of_failure_is_in_records_md() {
    let source = fs::read_to_string(docs().join("../crates/tw-core/src/failure.rs")).unwrap();
    let kinds = source.split("pub enum ErrorKind {").nth(1).unwrap().split("\n}").next().unwrap();
    let kinds: Vec<&str> = kinds
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(',') && !line.starts_with("//"))
        .map(|line| line.trim_end_matches(','))
        .collect();
    assert!(kinds.len() > 10, "{kinds:?}");
    let table = &sections().pop().unwrap().1;
    for kind in kinds {
        let word: String = kind
            .chars()
            .enumerate()
            .flat_map(|(i, c)| (i > 0 && c.is_uppercase()).then_some('_').into_iter().chain(c.to_lowercase()))
            .collect();
        assert!(table.contains(&format!("| `{word}` |")), "docs/records.md: no kind {word}");
    }
}
