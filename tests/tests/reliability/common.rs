//! A room on the disk, stand-ins for ffmpeg, and processes under watch.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tw_tests::environment::Environment;

/// How long what has to happen may take: then the test is lost, and doesn't hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// The room of our records.
pub const ROOM: &str = "RM00000000000000000000000000000001";

/// A folder, and the tools.
pub fn place() -> Environment {
    Environment::new().unwrap()
}

/// Makes a recording with ffmpeg.
pub fn make(path: &Path, args: &str) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(args.split_whitespace())
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Three seconds of alice, picture and sound, as records that tw-offsets has seen.
pub fn room(place: &Environment) -> String {
    let picture = "-f lavfi -i testsrc=s=64x48:r=10:d=3 -c:v libvpx -deadline realtime -g 5 -f matroska";
    make(&place.folder().join("alice.mkv"), picture);
    make(&place.folder().join("alice.mka"), "-f lavfi -i sine=d=3 -c:a libopus -f matroska");
    records(ROOM, &[("video", "alice.mkv"), ("audio", "alice.mka")])
}

/// Records of three seconds each, from the room's beginning on.
pub fn records(room: &str, files: &[(&str, &str)]) -> String {
    let record = |(number, (kind, path)): (usize, &(&str, &str))| {
        json!({
            "sid": format!("RT{number:032}"), "type": kind, "track_name": "alice", "path": path, "offset": 0,
            "grouping_sids": {"room_sid": room, "participant_sid": "PA1"},
            "start_time_ms": 0, "end_time_ms": 2900, "relative_offset_ms": 0,
            "streams": [{ "codec_type": kind, "packets": if *kind == "audio" { 150 } else { 30 } }],
        })
    };
    files.iter().enumerate().map(record).map(|record| format!("{record}\n")).collect()
}

/// tw-ffcmd that composes the room, small and fast.
pub fn compose(place: &Environment, input: &str) -> Command {
    compose_to(place, input, "out/room.webm")
}

/// The same into another file.
pub fn compose_to(place: &Environment, input: &str, output: &str) -> Command {
    fs::write(place.folder().join("room.jsonl"), input).unwrap();
    let mut command = place.tool("tw-ffcmd").unwrap();
    command.args(["--run", "--size", "64x48", "--fps", "10", "--speed", "fast", "-o", output]);
    command.arg("room.jsonl").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What is in a folder, hidden files too, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The packets of a file, picture and sound, as a hash: without what a muxer
/// makes up by chance.
pub fn content(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A program of a few lines of shell.
pub fn script(place: &Environment, name: &str, text: &str) -> PathBuf {
    let path = place.folder().join(name);
    tw_testsignal::stand_in(&path, text).unwrap();
    path
}

/// An ffmpeg or ffprobe that hangs when its arguments match the shell pattern,
/// after writing its process ID to `hanging`, and is the real one otherwise.
pub fn hanging(place: &Environment, program: &str, pattern: &str) -> PathBuf {
    let pid = place.folder().join("hanging").display().to_string();
    let text = format!(
        "case \"$*\" in {pattern}) echo $$ > '{pid}.new'; mv '{pid}.new' '{pid}'; exec tail -f /dev/null;; esac\n\
         exec {program} \"$@\""
    );
    script(place, &format!("hanging-{program}"), &text)
}

/// Waits until the stand-in hangs; its process ID.
pub fn wait_until_it_hangs(place: &Environment, child: &mut Child) -> i32 {
    let path = place.folder().join("hanging");
    wait(child, || path.exists());
    fs::read_to_string(&path).unwrap().trim().parse().unwrap()
}

/// Waits for something to become so while `child` runs.
pub fn wait(child: &mut Child, so: impl Fn() -> bool) {
    until("what has to happen", || {
        if so() {
            return true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut said));
            panic!("it has ended already, with {status}: {said}");
        }
        false
    });
}

/// Waits for a process to be gone, which takes the system a moment.
pub fn wait_for_the_end_of(pid: i32) {
    until("the process's end", || !is_alive(pid));
}

/// Waits for something to become so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::yield_now();
    }
}

/// Whether a process is still at work: a zombie isn't.
pub fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Sends a signal once the tool is ready for it, and waits for its end.
pub fn send(child: &mut Child, signal: Signal) -> ExitStatus {
    let status = format!("/proc/{}/status", child.id());
    let bit = 1_u64 << (signal.as_raw() - 1);
    let caught = || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(mask.trim(), 16).unwrap_or(0) & bit != 0
    };
    if signal != Signal::KILL {
        wait(child, caught);
    }
    kill_process(Pid::from_child(child), signal).unwrap();
    child.wait().unwrap()
}

/// The signals, and the status that each leads to.
pub const SIGNALS: [(Signal, Option<i32>); 3] =
    [(Signal::INT, Some(130)), (Signal::TERM, Some(143)), (Signal::KILL, None)];

/// Status, records and messages.
pub fn result(output: &Output) -> (Option<i32>, Vec<Value>, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    (output.status.code(), lines.map(|line| serde_json::from_str(line).unwrap()).collect(), said)
}

/// Runs a command that must end so: its records and messages.
pub fn ends(command: &mut Command, status: i32) -> (Vec<Value>, String) {
    let (code, records, said) = result(&command.output().unwrap());
    assert_eq!(code, Some(status), "{said}");
    (records, said)
}

/// Numbers that look like chance and are the same in every run: Knuth's linear
/// congruential generator (MMIX).
pub struct Seeded(pub u64);

impl Seeded {
    /// One below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
