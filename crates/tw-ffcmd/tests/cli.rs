//! tw-ffcmd from outside, without media: what it says of a room.

#![allow(clippy::unwrap_used)]

use std::fs;

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// A record of the tutorial, as it comes from tw-offsets.
fn record(sid: &str, kind: &str, name: &str, start: i64, relative: i64) -> String {
    let path = format!("{name}.{}", if kind == "audio" { "mka" } else { "mkv" });
    let end = start + 40_000 - relative - 40;
    format!(
        r#"{{"sid":"{sid}","type":"{kind}","track_name":"{name}","grouping_sids":{{"room_sid":"RM1","participant_sid":"PA{name}"}},"path":"{path}","start_time_ms":{start},"end_time_ms":{end},"relative_offset_ms":{relative},"new_field":1.50}}"#
    )
}

/// The tutorial's four recordings.
fn tutorial() -> String {
    [
        record("RT1", "audio", "alice", 1564, 0),
        record("RT2", "video", "alice", 1584, 20),
        record("RT3", "audio", "bob", 20_789, 19_226),
        record("RT4", "video", "bob", 20_814, 19_251),
    ]
    .join("\n")
}

fn tool() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tw-ffcmd"))
}

fn records(command: &mut Command, status: i32) -> Vec<Value> {
    let output = command.assert().code(status).get_output().stdout.clone();
    String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_tutorials_room_is_two_cells_with_its_delays() {
    let jobs = records(tool().args(["-o", "room.webm"]).write_stdin(tutorial()), 0);
    let job = &jobs[0];
    assert_eq!((&job["width"], &job["height"], &job["fps"]), (&1024.into(), &768.into(), &30.into()));
    assert_eq!(job["inputs"], serde_json::json!(["alice.mka", "alice.mkv", "bob.mka", "bob.mkv"]));
    let graph = job["filter_complex"].as_str().unwrap();
    for part in [
        "-1.584/TB+0.020/TB",
        "-20.814/TB+19.251/TB",
        "adelay=922848S",
        "min(512,768*dar)",
        "layout=0_0|512_0",
    ] {
        assert!(graph.contains(part), "no {part} in {graph}");
    }
    let argv: Vec<&str> = job["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(argv.first(), Some(&"ffmpeg"));
    assert_eq!(argv.last(), Some(&"room.webm"));
    assert!(argv.contains(&"libvpx") && argv.contains(&"libopus"));
    assert!(argv.join(" ").contains(" -map [picture] -r 30 "), "{argv:?}");
    assert!(argv.contains(&graph));
}

#[test]
fn mp4_has_h264_and_aac() {
    let jobs = records(tool().args(["-o", "room.mp4"]).write_stdin(tutorial()), 0);
    let argv = jobs[0]["argv"].to_string();
    assert!(argv.contains("libx264") && (argv.contains("\"aac\"") || argv.contains("libfdk_aac")), "{argv}");
    assert!(argv.contains("+faststart"));
}

#[test]
fn the_shell_command_says_who_is_who_and_parses() {
    let output = tool().args(["--emit", "sh", "-o", "it's.webm"]).write_stdin(tutorial()).assert().success();
    let script = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(script.contains("#   input 3: picture of bob, from 19.251 s"), "{script}");
    // The shell reads it as the record has it, but for the line breaks in the graph.
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("s.sh"), format!("ffmpeg() {{ printf '%s\\0' \"$@\"; }}\n{script}"))
        .unwrap();
    let words = Command::new("sh").arg(folder.path().join("s.sh")).assert().success();
    let words = String::from_utf8(words.get_output().stdout.clone()).unwrap().replace(";\n", ";");
    let jobs = records(tool().args(["-o", "it's.webm"]).write_stdin(tutorial()), 0);
    let argv: Vec<&str> =
        jobs[0]["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words.trim_end_matches('\0').split('\0').collect::<Vec<_>>(), argv[1..]);
}

#[test]
fn the_plan_is_a_line_for_each_placement() {
    let plan = records(tool().args(["--emit", "plan"]).write_stdin(tutorial()), 0);
    let bob = plan.iter().find(|line| line["sid"] == "RT4").unwrap();
    assert_eq!((&bob["x"], &bob["width"], &bob["start_ms"]), (&512.into(), &512.into(), &19_251.into()));
    let sound = plan.iter().find(|line| line["sid"] == "RT3").unwrap();
    assert_eq!((&sound["x"], &sound["z"], &sound["start_ms"]), (&Value::Null, &Value::Null, &19_226.into()));
    assert_eq!(plan.len(), 4);
}

#[test]
fn a_room_with_a_missing_recording_is_refused_and_others_go_on() {
    let marked = r#"{"sid":"RT9","grouping_sids":{"room_sid":"RM2"},"error":{"tool":"tw-fetch","kind":"http","message":"gone"}}"#;
    let other = tutorial().replace("\"RM1\"", "\"RM2\"");
    let input = format!("{other}\n{marked}\n{}", tutorial());
    let mut command = tool();
    let jobs = records(command.write_stdin(input.clone()), 1);
    assert_eq!(jobs[0]["room_sid"], "RM2");
    assert_eq!(jobs[0]["error"]["kind"], "incomplete");
    assert!(jobs[0]["error"]["message"].as_str().unwrap().contains("RT9 failed: gone"));
    assert!(jobs[1]["argv"].is_array());
    let jobs = records(tool().arg("--allow-incomplete").write_stdin(input), 0);
    assert!(jobs.iter().all(|job| job["argv"].is_array()));
}

#[test]
fn a_plan_says_which_rooms_are_refused() {
    let marked = r#"{"path":"gone.mkv","error":{"tool":"tw-probe","kind":"io","message":"gone"}}"#;
    let nameless = tutorial().replace("\"room_sid\":\"RM1\",", "");
    // A record without a room belongs to the room without a SID, also when it is marked.
    let input = format!("{nameless}\n{marked}\n");
    let plan = records(tool().args(["--emit", "plan"]).write_stdin(input.clone()), 1);
    assert_eq!((plan.len(), &plan[0]["error"]["kind"]), (1, &"incomplete".into()));
    assert_eq!(records(tool().write_stdin(input), 1)[0]["error"]["kind"], "incomplete");
}

#[test]
fn a_type_that_is_not_known_is_nobody_left_out() {
    let input = tutorial().replacen("\"video\"", "\"Video\"", 1);
    let jobs = records(tool().write_stdin(input), 1);
    assert_eq!(jobs[0]["error"]["kind"], "incomplete");
    assert!(jobs[0]["error"]["message"].as_str().unwrap().contains("type is \"Video\""), "{}", jobs[0]);
}

#[test]
fn a_type_that_the_file_is_not_is_said() {
    let streams = "\"streams\":[{\"codec_type\":\"video\",\"packets\":9}],\"new_field\"";
    let input = tutorial().replacen("\"new_field\"", streams, 1);
    let jobs = records(tool().write_stdin(input), 1);
    let message = jobs[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("type is audio, but there is only video in alice.mka"), "{message}");
}

#[test]
fn the_same_recording_twice_is_composed_once() {
    let input = format!("{}\n{}", tutorial(), tutorial());
    let mut command = tool();
    let jobs = records(command.write_stdin(input), 0);
    assert_eq!(jobs[0]["inputs"].as_array().unwrap().len(), 4);
    command.assert().stderr(predicate::str::contains("RT1 (alice, audio): came twice"));
}

#[test]
fn a_recording_is_never_written_over() {
    for output in ["bob.mkv", "./bob.mkv"] {
        let jobs = records(tool().args(["-y", "-o", output]).write_stdin(tutorial()), 1);
        assert_eq!(jobs[0]["error"]["kind"], "refused");
    }
    // By another way.
    let folder = write("x");
    fs::hard_link(folder.path().join("in"), folder.path().join("bob.mkv")).unwrap();
    let mut command = tool();
    command.current_dir(folder.path()).args(["-y", "-o", "other.mkv"]);
    fs::rename(folder.path().join("in"), folder.path().join("other.mkv")).unwrap();
    assert_eq!(records(command.write_stdin(tutorial()), 1)[0]["error"]["kind"], "refused");
}

#[test]
fn nor_is_one_that_is_not_in_it() {
    let marked = r#"{"sid":"RT9","path":"gone.mkv","grouping_sids":{"room_sid":"RM1"},"error":{"tool":"tw-probe","kind":"media","message":"no"}}"#;
    let input = format!("{}\n{marked}", tutorial());
    let heard = input.replace("bob.mka", "sound.mkv");
    for (args, input) in [
        (&["-o", "bob.mkv", "--end", "1"][..], &input),
        (&["-o", "sound.mkv", "--audio-sources", "alice"], &heard),
        (&["-o", "gone.mkv"], &input),
    ] {
        let jobs =
            records(tool().args(["-y", "--allow-incomplete"]).args(args).write_stdin(input.as_str()), 1);
        assert_eq!(jobs[0]["error"]["kind"], "refused", "{args:?}");
    }
    // Another room's.
    let other = tutorial().replace("\"RM1\"", "\"RM2\"").replace("alice.mkv", "RM1.mkv");
    let input = format!("{}\n{other}", tutorial());
    let jobs = records(tool().args(["-y", "-o", "{room_sid}.mkv"]).write_stdin(input), 1);
    assert_eq!(jobs[0]["error"]["kind"], "refused");
    assert!(jobs[1]["argv"].is_array());
}

#[test]
fn who_failed_and_tells_no_room_is_missing_in_the_only_one() {
    let unknown = r#"{"sid":"RT9","error":{"tool":"tw-fetch","kind":"http","message":"unknown"}}"#;
    let input = format!("{unknown}\n{}", tutorial());
    let jobs = records(tool().args(["-o", "room.webm"]).write_stdin(input.clone()), 1);
    assert_eq!((jobs.len(), &jobs[0]["room_sid"]), (1, &"RM1".into()));
    assert!(jobs[0]["error"]["message"].as_str().unwrap().contains("RT9 failed: unknown"), "{}", jobs[0]);
    let mut incomplete = tool();
    incomplete.args(["-o", "room.webm", "--allow-incomplete"]).write_stdin(input);
    assert!(records(&mut incomplete, 0)[0]["argv"].is_array());
    incomplete.assert().stderr(predicate::str::contains("RM1: composed without RT9: unknown"));
    // Of several rooms, nobody knows which it is.
    let input = format!("{unknown}\n{}\n{}", tutorial(), tutorial().replace("\"RM1\"", "\"RM2\""));
    let mut command = tool();
    let jobs = records(command.write_stdin(input), 1);
    assert_eq!((jobs.len(), &jobs[0]["sid"]), (3, &"RT9".into()));
    assert!(jobs[1]["argv"].is_array() && jobs[2]["argv"].is_array());
    let says = "RT9: its room isn't known: it is missing in one of 2";
    command.assert().stderr(predicate::str::contains(says));
    // With no room at all there is nothing to compose.
    let jobs = records(tool().args(["-o", "room.webm"]).write_stdin(format!("{unknown}\n")), 1);
    assert_eq!((jobs.len(), &jobs[0]["sid"]), (1, &"RT9".into()));
}

/// What of a shell's or make's, with that on stdin, the status was, and what it said.
fn fed(program: &[&str], text: &str) -> (bool, String) {
    let output = Command::new(program[0]).args(&program[1..]).write_stdin(text).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_is_printed_for_a_room_that_is_refused_fails_and_says_why() {
    let marked = r#"{"sid":"RT9","grouping_sids":{"room_sid":"RM2"},"error":{"tool":"tw-fetch","kind":"http","message":"it's $gone"}}"#;
    let printed = |emit: &str, input: String| {
        let output =
            tool().args(["--emit", emit]).env("TW_FFMPEG", "true").write_stdin(input).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    for input in [format!("{marked}\n"), format!("{marked}\n{}", tutorial())] {
        let why = "RM2: not composed, since RT9 failed: it's $gone";
        let (succeeded, said) = fed(&["sh"], &printed("sh", input.clone()));
        assert!(!succeeded && said.contains(why), "{said}");
        let (succeeded, said) = fed(&["make", "-k", "-n", "-f", "-"], &printed("make", input.clone()));
        assert!(succeeded && said.is_empty(), "{said}");
        let folder = TempDir::new().unwrap();
        let in_folder = ["make", "-k", "-C", folder.path().to_str().unwrap(), "-f", "-"];
        let (succeeded, said) = fed(&in_folder, &printed("make", input));
        assert!(!succeeded && said.contains(why), "{said}");
    }
}

#[test]
fn a_recipe_that_make_could_not_start_is_said() {
    // Each path is short enough, and so is the graph, but not all of it together.
    let folder = "x".repeat(200);
    let of = |n| record(&format!("RT{n}"), "video", &format!("{folder}/p{n}"), 1564, i64::from(n));
    let people: Vec<String> = (0..200).map(of).collect();
    let input = people.join("\n");
    let says = predicate::str::contains("200 recordings is longer than a line of a Makefile may be");
    tool().args(["--emit", "make"]).write_stdin(input.clone()).assert().code(1).stderr(says);
    tool().args(["--emit", "sh"]).write_stdin(input).assert().success();
}

#[test]
fn to_compose_and_to_say_how_are_two_things() {
    let says = predicate::str::contains("--run composes, and --emit make says how");
    tool().args(["--run", "--emit", "make"]).write_stdin(tutorial()).assert().code(2).stderr(says);
}

#[test]
fn a_window_that_ends_before_it_begins_is_wrong_usage() {
    for (start, end) in [("2", "1"), ("1", "1")] {
        let says = predicate::str::contains("doesn't lie before --end");
        tool().args(["--start", start, "--end", end]).write_stdin("").assert().code(2).stderr(says);
    }
}

#[test]
fn a_line_break_in_the_output_is_wrong_usage() {
    let says = predicate::str::contains("has a line break in it");
    tool().args(["-o", "a\nb.webm"]).write_stdin(tutorial()).assert().code(2).stderr(says);
}

#[test]
fn flags_are_refused_in_their_own_words() {
    for (args, why) in [
        (&["--start", "-5"][..], "'-5' is no time"),
        (&["--end", "-1:30"], "'-1:30' is no time"),
        (&["--crf", "-1"], "should be a whole number from 0 to 63"),
        (&["--crf", "1.5"], "should be a whole number from 0 to 63"),
        (&["-j", "x"], "should be a whole number from 1 to 1024"),
        (&["--stall", "0"], "should be a whole number, 1 or more"),
        (&["--fps", "4294967295/4294967294"], "in numbers up to 240000"),
        (&["--size", "-1x5"], "'-1x5' is no size"),
        (&["--trim", "true"], "write --trim=true"),
        (&["--trim=maybe"], "should be true or false"),
        (
            &["--contact-sheet", "a.png", "--at", "1"],
            "'--contact-sheet <FILE.png>' cannot be used with '--at <TIME>'",
        ),
    ] {
        let assert = tool().args(args).write_stdin("").assert().code(2);
        let says = predicate::str::starts_with("tw-ffcmd: ").and(predicate::str::contains(why));
        assert.stderr(says.and(predicate::str::contains("tip:").not()));
    }
}

#[test]
fn of_a_flag_given_twice_the_last_counts() {
    let args = ["--size", "320x240", "--size", "640x480", "--labels", "--labels"];
    let jobs = records(tool().args(args).write_stdin(tutorial()), 0);
    assert_eq!(jobs[0]["width"], 640);
    let excluded = ["--audio-sources-excluded", "alice", "--audio-sources-excluded", "bob"];
    let jobs = records(tool().args(excluded).write_stdin(tutorial()), 0);
    assert_eq!(jobs[0]["inputs"], serde_json::json!(["alice.mkv", "bob.mkv"]));
}

#[test]
fn a_record_without_a_name_is_said_with_its_line() {
    let input = tutorial() + "\n{\"a\":1}\n";
    tool().write_stdin(input).assert().code(1).stderr(predicate::str::contains("tw-ffcmd: stdin:5: no "));
}

#[test]
fn a_name_with_a_line_break_stays_on_one_line() {
    let input = record("RT1", "audio", "a\\nb", 0, 0).replace("\"path\"", "\"place\"");
    let says = predicate::str::starts_with("tw-ffcmd: RT1 (a\\nb, audio): no path");
    tool().write_stdin(input).assert().code(1).stderr(says);
}

#[test]
fn a_graph_longer_than_an_argument_is_said() {
    let people: Vec<String> =
        (0..900).map(|n| record(&format!("RT{n}"), "audio", &format!("p{n}"), 1564, i64::from(n))).collect();
    let jobs = records(tool().write_stdin(people.join("\n")), 1);
    let message = jobs[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("900 recordings") && message.contains("--start, --end"), "{message}");
}

#[test]
fn a_makefile_holds_no_name_that_make_would_read() {
    for name in
        ["a%b.webm", "a=b.webm", "a;b.webm", "a|b.webm", "a*b.webm", "a\\b.webm", "d%d/a.webm", "~/a.webm"]
    {
        let says = predicate::str::contains("can't stand in a Makefile");
        tool().args(["--emit", "make", "-o", name]).write_stdin(tutorial()).assert().code(1).stderr(says);
    }
}

#[test]
fn tags_are_given_to_what_is_joined() {
    let args = ["--chunk", "20", "--encoder-args", "-metadata title=x", "-o", "room.webm"];
    let steps = records(tool().args(args).write_stdin(tutorial()), 0);
    let join = steps.last().unwrap();
    let argv: Vec<&str> =
        join["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert!(argv.contains(&"concat") && argv.windows(2).any(|pair| pair == ["-metadata", "title=x"]));
}

#[test]
fn names_that_nobody_has_are_said() {
    let said = |args: &[&str]| {
        let output = tool().args(["--emit", "plan"]).args(args).write_stdin(tutorial()).assert().success();
        String::from_utf8(output.get_output().stderr.clone()).unwrap()
    };
    let one = said(&["--audio-sources", "alcie,bob"]);
    assert!(
        one.contains("RM1: no sound is of \"alcie\": there is that of alice, bob") && !one.contains("nobody"),
        "{one}"
    );
    let none = said(&["--audio-sources", "alcie"]);
    assert!(none.contains("nobody is heard"), "{none}");
    assert!(said(&["--audio-sources-excluded", "alcie"]).contains("alcie"));
    let layout = write(r#"{"main":{"video_sources":["nobody"]}}"#);
    let file = format!("@{}", layout.path().join("in").display());
    let nobody = said(&["--layout", &file]);
    let stranger = "RM1: region main: no picture is of \"nobody\": there is that of alice, bob";
    assert!(nobody.contains(stranger) && nobody.contains("nobody is seen"), "{nobody}");
    let layout = write(r#"{"main":{"video_sources":["alice","bob"],"video_sources_excluded":["bbo"]}}"#);
    let file = format!("@{}", layout.path().join("in").display());
    assert_eq!(said(&["--layout", &file]).matches("no picture is of").count(), 1);
    assert_eq!(said(&["--layout", &file, "--audio-only"]), "");
    assert_eq!(said(&["--audio-sources", "bob,al*"]), "");
}

#[test]
fn names_that_are_offered_can_be_used() {
    let said = |flag: &str, room: &str| {
        let output = tool().args(["--emit", "plan", flag]).write_stdin(room).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    // Lists of sources know no identities.
    let named = r#""participant_identity":"Alice","track_name":"mic""#;
    let room = tutorial().replace(r#""track_name":"alice""#, named);
    let refused = said("--audio-sources=Alice", &room);
    assert!(refused.contains(r#"no sound is of "Alice": there is that of bob, mic"#), "{refused}");
    assert_eq!(said("--audio-sources=mic", &room), "");
    // Files that didn't come from Twilio have a path alone.
    let file = r#"{"path":"a.mkv","start_time_ms":0,"end_time_ms":1000,"relative_offset_ms":0}"#;
    assert!(said("--layout=focus=b", file).contains("there is a picture of a.mkv"));
    assert_eq!(said("--layout=focus=a.mkv", file), "");
}

#[test]
fn a_line_that_is_no_record_refuses_no_room() {
    let input = format!("{}\nnonsense\n", tutorial());
    let jobs = records(tool().write_stdin(input), 1);
    assert_eq!(jobs[0]["error"]["kind"], "input");
    assert!(jobs[0]["error"]["message"].as_str().unwrap().starts_with("stdin:5: not a JSON object"));
    assert_eq!(jobs[1]["output"], "RM1.webm");
}

#[test]
fn the_wrong_order_of_tools_is_noticed() {
    let input = tutorial().replace("relative_offset_ms", "other");
    tool().write_stdin(input).assert().code(1).stderr(predicate::str::contains("run tw-offsets first"));
}

#[test]
fn nothing_in_is_nothing_out() {
    tool().write_stdin("").assert().success().stdout("").stderr("");
    // Whoever waits for a file is told.
    tool()
        .arg("--run")
        .write_stdin("")
        .assert()
        .success()
        .stdout("")
        .stderr(predicate::str::contains("nothing to compose"));
}

#[test]
fn two_rooms_never_go_into_one_file() {
    let input = format!("{}\n{}", tutorial(), tutorial().replace("\"RM1\"", "\"RM2\""));
    let says = predicate::str::contains("put {room_sid} into --output");
    tool().args(["-o", "room.webm"]).write_stdin(input).assert().code(2).stderr(says);
}

#[test]
fn without_ffmpeg_it_still_says_how_but_does_not_run() {
    let folder = TempDir::new().unwrap();
    let jobs = records(tool().env("PATH", folder.path()).args(["-o", "a.mp4"]).write_stdin(tutorial()), 0);
    assert!(jobs[0]["argv"].to_string().contains("\"aac\""));
    let says = predicate::str::contains("not found: install ffmpeg");
    tool().env("PATH", folder.path()).arg("--run").write_stdin(tutorial()).assert().code(2).stderr(says);
}

#[test]
fn a_full_disk_is_said_and_a_closed_pipe_is_not() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tw-ffcmd"))
        .stdin(fs::File::open(write(&tutorial()).path().join("in")).unwrap())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
    let folder = write(&tutorial());
    let script = format!("{} {}/in | true; exit 0", env!("CARGO_BIN_EXE_tw-ffcmd"), folder.path().display());
    Command::new("sh").args(["-c", &script]).assert().success().stderr("");
}

fn write(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("in"), text).unwrap();
    folder
}

#[test]
fn all_faults_of_a_layout_are_said_at_once() {
    let folder = TempDir::new().unwrap();
    let layout = folder.path().join("l.json");
    fs::write(&layout, r#"{"a":{"width":2000,"video_sources":["*"]},"b":{"reuse":"always"}}"#).unwrap();
    let flag = format!("--layout=@{}", layout.display());
    tool()
        .arg(flag)
        .write_stdin(tutorial())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("region a: width is 2000: must be a whole number from 16 to 1024"))
        .stderr(predicate::str::contains("region b: reuse is \"always\""))
        .stderr(predicate::str::contains("region b: no video_sources"));
}

#[test]
fn a_still_in_the_place_of_a_folder_isnt_told_of_another_flag() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("a.png")).unwrap();
    for name in ["alice.mka", "alice.mkv", "bob.mka", "bob.mkv"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let mut tool = tool();
    let preview = tool.args(["--preview", "a.png"]).current_dir(folder.path());
    let records = records(preview.write_stdin(tutorial()), 1);
    assert_eq!(records[0]["error"]["message"], "a.png is a folder: choose another name");
}

/// Whom a job of the tutorial's room reads, and how long it lasts.
fn read_by(args: &[&str]) -> (Vec<String>, i64) {
    let job = records(tool().args(args).write_stdin(tutorial()), 0).remove(0);
    (serde_json::from_value(job["inputs"].clone()).unwrap(), job["duration_ms"].as_i64().unwrap())
}

#[test]
fn a_flag_takes_the_place_of_its_own_list_alone() {
    let request = |fields: &str| {
        let folder = write(&format!(r#"{{"VideoLayout":{{}}{fields}}}"#));
        let layout = format!("--layout=@{}", folder.path().join("in").display());
        (folder, layout)
    };
    let heard = |fields: &str, flags: &[&str]| {
        let (_folder, layout) = request(fields);
        read_by(&[&[layout.as_str(), "--audio-only"], flags].concat()).0
    };
    let both = r#","AudioSources":["*"],"AudioSourcesExcluded":["bob"]"#;
    assert_eq!(heard(both, &[]), ["alice.mka"]);
    assert_eq!(heard(both, &["--audio-sources-excluded", "alice"]), ["bob.mka"]);
    assert_eq!(heard(both, &["--audio-sources", "alice"]), ["alice.mka"]);
    // Nobody is heard in a request that names nobody, whoever is excluded.
    let (_folder, layout) = request("");
    let records = records(tool().args([&layout, "--audio-sources-excluded=bob"]).write_stdin(tutorial()), 1);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("no recording in it"), "{records:?}");
}

#[test]
fn pauses_are_those_of_what_is_in_the_output() {
    let bob = ["--audio-only", "--audio-sources", "bob"];
    assert_eq!(read_by(&bob), (vec!["bob.mka".to_owned()], 40_000));
    assert_eq!(read_by(&[&bob[..], &["--trim"]].concat()), (vec!["bob.mka".to_owned()], 20_766));
    // Alice is seen all the time.
    assert_eq!(read_by(&["--trim", "--audio-sources", "bob"]).1, 40_000);
}

#[test]
fn a_gap_between_cells_is_not_for_regions() {
    let folder = write(r#"{"main":{"video_sources":["*"]}}"#);
    let layout = format!("--layout=@{}", folder.path().join("in").display());
    let said = "--cell-gap is for grid, row, column and focus";
    tool().args([&layout, "--cell-gap=4"]).assert().code(2).stderr(predicate::str::contains(said));
}

/// Alice until 10 s, bob from 5 s, carol from 8 s until 9 s, in one cell.
fn placed(reuse: &str) -> Vec<(String, i64, i64)> {
    let folder = TempDir::new().unwrap();
    let layout = folder.path().join("l.json");
    let region =
        format!(r#"{{"one":{{"max_rows":1,"max_columns":1,"reuse":"{reuse}","video_sources":["*"]}}}}"#);
    fs::write(&layout, region).unwrap();
    let who = |name: &str, from: i64, to: i64| {
        format!(
            r#"{{"sid":"{name}","type":"video","track_name":"{name}","path":"{name}.mkv","start_time_ms":0,"end_time_ms":{},"relative_offset_ms":{from}}}"#,
            to - from - 33
        )
    };
    let input = [who("alice", 0, 10_000), who("bob", 5000, 20_000), who("carol", 8000, 9000)].join("\n");
    let flag = format!("--layout=@{}", layout.display());
    let plan = records(tool().args(["--emit=plan", &flag]).write_stdin(input), 0);
    let span = |line: &Value| {
        let ms = |name: &str| line[name].as_i64().unwrap();
        (line["sid"].as_str().unwrap().to_owned(), ms("start_ms"), ms("end_ms"))
    };
    plan.iter().map(span).collect()
}

#[test]
fn who_waits_appears_in_mid_course() {
    let shown = |who: &str, from, to| (who.to_owned(), from, to);
    assert_eq!(placed("show_oldest"), [shown("alice", 0, 10_000), shown("bob", 10_000, 20_000)]);
    assert_eq!(placed("none")[..1], [shown("alice", 0, 10_000)]);
    let newest = [shown("alice", 0, 10_000), shown("bob", 5000, 20_000), shown("carol", 8000, 9000)];
    assert_eq!(placed("show_newest"), newest);
}

#[test]
fn help_teaches() {
    tool().arg("--help").assert().success().stdout(predicate::str::contains("Examples:"));
    tool().arg("-V").assert().success();
}
