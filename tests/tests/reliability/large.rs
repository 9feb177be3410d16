//! More of it than anybody would send.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use tw_loopback::{Recording, Twilio, room_sid};
use tw_tests::environment::Environment;

use crate::common::*;

/// A tool that gets no more than so many kB of memory, its stdout in a file.
fn within(place: &Environment, tool: &str, kilobytes: u64) -> Command {
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

fn lines_of_output(place: &Environment) -> usize {
    fs::read(place.folder().join("output")).unwrap().split(|&byte| byte == b'\n').count() - 1
}

/// Writes 100 MB of one letter with something before and after.
fn around_100_mb(path: &Path, before: &str, after: &str) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(before.as_bytes()).unwrap();
    let megabyte = vec![b'x'; 1_000_000];
    (0..100).for_each(|_| file.write_all(&megabyte).unwrap());
    file.write_all(after.as_bytes()).unwrap();
    file.flush().unwrap();
}

#[test]
fn a_line_of_100_mb_is_a_line() {
    let place = place();
    let twilio = Twilio::builder().start().unwrap();
    let path = place.folder().join("long.jsonl");
    around_100_mb(
        &path,
        "{\"type\":\"data\",\"sid\":\"RT1\",\"x\":\"",
        "\"}\n{\"type\":\"data\",\"sid\":\"RT2\"}\n",
    );
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

#[test]
fn a_field_of_100_mb_and_a_million_rows_are_a_table() {
    let place = place();
    let path = place.folder().join("table.csv");
    around_100_mb(&path, "track_name,offset,start_time\na,1,2\n", ",1,2\n");
    let run = |status: i32| {
        let mut command = within(&place, "tw-offsets", 1_500_000);
        let output = command.args(["--from", "csv"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.len() < 2000, "{} bytes of messages", said.len());
        lines_of_output(&place)
    };
    assert_eq!(run(0), 2);
    let header = "track_name,offset,start_time\n".to_owned();
    fs::write(&path, header + &"a,1,2\n".repeat(1_000_000)).unwrap();
    assert_eq!(run(0), 1_000_000);
}

#[test]
fn a_layout_of_100_mb_is_read() {
    let place = place();
    let path = place.folder().join("layout.json");
    around_100_mb(&path, "{\"a\":{\"video_sources\":[\"", "\"]}}");
    fs::write(place.folder().join("room.jsonl"), records(ROOM, &[("video", "a.mkv")])).unwrap();
    let mut command = within(&place, "tw-ffcmd", 1_500_000);
    let output = command.args(["--layout", "@layout.json", "room.jsonl"]).output().unwrap();
    // Nobody has that name, and so nobody is seen.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)) && said.len() < 4000, "{said:.4000}");
}

#[test]
fn an_ffprobe_that_never_stops_talking_is_heard_out() {
    let place = place();
    fs::write(place.folder().join("a.mka"), "x").unwrap();
    for (says, marked) in [
        ("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo 'format|start_time=1'", false),
        ("yes 'packet|stream_index=0|pts_time=1.5' | head -n 1000000; echo 'format|start_time=1'", false),
        ("yes '[matroska @ 0x1] babble' | head -c 100000000 >&2; exit 1", true),
    ] {
        let ffprobe = script(&place, "ffprobe", says);
        let mut command = within(&place, "tw-probe", 1_500_000);
        let output = command.env("TW_FFPROBE", ffprobe).args(["--files", "a.mka"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(marked.into()), "{says}: {said}");
        assert_eq!(lines_of_output(&place), 1, "{says}");
        assert!(fs::metadata(place.folder().join("output")).unwrap().len() < 100_000, "{says}");
    }
}

#[test]
fn a_page_that_is_too_long_is_refused() {
    let place = place();
    let room = room_sid("a room");
    // 64 MiB are more than a page of 1000 recordings can have.
    for (megabytes, status) in [(20, 0), (70, 1)] {
        let name = format!("\"{}\"", "x".repeat(megabytes << 20));
        let recording = Recording::audio(&room, "alice").written_as("track_name", &name);
        let twilio = Twilio::builder().recording(recording).start().unwrap();
        let mut command = within(&place, "tw-list", 1_500_000);
        let output = command.envs(twilio.env()).args(["--room", &room]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{megabytes} MiB: {said:.2000}");
        assert_eq!(status == 1, said.contains("more than 67108864 bytes"), "{said:.2000}");
        assert_eq!(lines_of_output(&place), 1);
    }
}
