//! A disk that is full or not ours, a stdout that is gone, two runs at once.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use tw_loopback::{Recording, Twilio};
use tw_tests::environment::Environment;

use crate::common::*;

#[test]
fn stdout_full_or_closed() {
    let place = place();
    let input = room(&place);
    fs::write(place.folder().join("room.jsonl"), &input).unwrap();
    let composed = ["--run", "--size", "64x48", "--speed", "fast", "-y", "room.jsonl"];
    for (tool, arguments) in [
        ("tw-probe", &["room.jsonl"][..]),
        ("tw-offsets", &["room.jsonl"]),
        ("tw-offsets", &["--to", "csv", "room.jsonl"]),
        ("tw-offsets", &["--to", "table", "room.jsonl"]),
        ("tw-ffcmd", &["room.jsonl"]),
        ("tw-ffcmd", &["--emit", "sh", "room.jsonl"]),
        ("tw-ffcmd", &["--emit", "plan", "room.jsonl"]),
        ("tw-ffcmd", &composed),
    ] {
        let run = |stdout: Stdio| {
            let mut command = place.tool(tool).unwrap();
            let output = command.args(arguments).stdin(Stdio::null()).stdout(stdout).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            (output.status.code(), said.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let (code, said) = run(File::options().write(true).open("/dev/full").unwrap().into());
        assert_eq!(code, Some(1), "{tool} {arguments:?}: {said:?}");
        assert!(said.last().unwrap().contains("cannot write to stdout: No space left"), "{said:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(writer.into()), (Some(0), Vec::new()), "{tool} {arguments:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_is_said() {
    let place = place();
    let input = room(&place);
    fs::write(place.folder().join("file"), "x").unwrap();
    fs::create_dir(place.folder().join("folder.webm")).unwrap();
    for output in ["file/room.webm", "file/below/room.webm", "/proc/nowhere/room.webm", "folder.webm"] {
        let (records, said) = ends(&mut compose_to(&place, &input, output), 1);
        let message = records[0]["error"]["message"].as_str().unwrap();
        assert_eq!(records[0]["room_sid"], ROOM, "{output}");
        assert!(
            message.contains(output.trim_end_matches("/room.webm")) && said.contains(message),
            "{message}"
        );
    }
    // Before anything is composed.
    let (records, said) = ends(compose_to(&place, &input, "folder.webm").args(["-v", "--overwrite"]), 1);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("is a folder: choose another"));
    assert!(!said.contains("-filter_complex"), "{said}");
    assert_eq!(fs::read(place.folder().join("file")).unwrap(), b"x");
    assert!(names(&place.folder().join("folder.webm")).is_empty());
}

#[test]
fn a_full_disk_ends_a_room_and_leaves_nothing() {
    let place = place();
    let input = room(&place);
    for chunk in ["0", "1"] {
        let whole = compose(&place, &input);
        // A limit of 4 blocks for files: writing fails as on a full disk, without a file system of our own.
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\""])
            .arg(whole.get_program())
            .args(whole.get_args())
            .args(["--chunk", chunk])
            .current_dir(place.folder());
        let (records, said) = ends(&mut limited, 1);
        assert_eq!(records[0]["error"]["kind"], "ffmpeg", "{said}");
        let left = names(&place.folder().join("out"));
        assert!(!left.iter().any(|name| name == "room.webm" || name == ".room.webm.part"), "{left:?}");
        ends(compose(&place, &input).args(["--chunk", chunk]), 0);
        assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
        fs::remove_dir_all(place.folder().join("out")).unwrap();
    }
}

/// What a tool that ends well tells the system about files that get their names, as strace(1) shows
/// it; `None` where there is no strace, or nobody may use it.
fn traced(place: &Environment, tool: &Command) -> Option<String> {
    let trace = place.folder().join("trace");
    let strace = |program: &std::ffi::OsStr| {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-s", "999", "-e"]);
        command.args(["trace=fsync,fdatasync,rename,renameat,renameat2", "-o"]).arg(&trace).arg(program);
        command
    };
    if !strace("true".as_ref()).output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut command = strace(tool.get_program());
    command.args(tool.get_args()).current_dir(place.folder()).stdin(Stdio::null());
    command.env_clear().envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ends(&mut command, 0);
    fs::read_to_string(trace).ok()
}

#[test]
fn a_file_is_on_its_disk_before_it_has_its_name() {
    let place = place();
    let input = room(&place);
    let recording = Recording::audio(ROOM, "alice").file(place.folder().join("alice.mka"));
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    fs::write(place.folder().join("sid"), recording.rt()).unwrap();
    let mut fetch = place.tool("tw-fetch").unwrap();
    fetch.envs(twilio.env()).args(["--dir", "media", "sid"]);
    for (tool, name) in
        [(fetch, format!("{}.mka", recording.rt())), (compose(&place, &input), "room.webm".into())]
    {
        let Some(trace) = traced(&place, &tool) else { return };
        let part = format!(".{name}.part");
        let at = |calls: &str, what: String| {
            let is_it = |line: &str| line.contains(calls) && line.contains(&what);
            trace.lines().position(is_it).unwrap_or_else(|| panic!("no {calls} of {what}: {trace}"))
        };
        assert!(at("sync(", format!("{part}>")) < at("rename", format!("/{name}\"")), "{trace}");
    }
}

#[test]
fn a_pipe_is_no_recording() {
    let place = place();
    let input = room(&place).replace("alice.mka", "pipe.mka");
    let pipe = place.folder().join("pipe.mka");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (records, _) = ends(&mut compose(&place, &input), 1);
    let message = records[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("cannot read pipe.mka: it is no regular file"), "{message}");
}

#[test]
fn two_runs_never_write_into_one_file() {
    let place = place();
    let input = room(&place);
    let stand_in = hanging(&place, "ffmpeg", "*room.webm.part*");
    let mut first = compose(&place, &input).env("TW_FFMPEG", stand_in).spawn().unwrap();
    wait_until_it_hangs(&place, &mut first);
    let (records, _) = ends(&mut compose(&place, &input), 1);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("another process is composing it"));
    assert!(place.folder().join("out/.room.webm.part").exists(), "the first one's file stays");
    first.kill().unwrap();
    first.wait().unwrap();
    // And after it has died: no lock outlives its process.
    let (records, _) = ends(&mut compose(&place, &input), 0);
    let elapsed = records[0]["elapsed_ms"].as_u64().unwrap();
    assert!(elapsed > 0);
    // What is whole is kept, and no ffmpeg is started for it.
    let failing = script(&place, "failing", "exit 1");
    let (records, said) = ends(compose(&place, &input).env("TW_FFMPEG", failing), 0);
    assert!(said.contains("is there already and whole: kept"), "{said}");
    assert_eq!(records[0]["elapsed_ms"], 0);
}

#[test]
fn what_is_there_and_is_something_else_stays() {
    let place = place();
    let input = room(&place);
    let path = place.folder().join("out/room.webm");
    fs::create_dir(place.folder().join("out")).unwrap();
    fs::write(&path, "my letters").unwrap();
    let (records, _) = ends(&mut compose(&place, &input), 1);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("take it away, or use --overwrite"));
    assert_eq!(fs::read(&path).unwrap(), b"my letters");
    ends(compose(&place, &input).arg("--overwrite"), 0);
}

#[test]
fn a_result_in_which_somebody_is_missing_is_not_kept() {
    let place = place();
    let input = room(&place);
    let bob = records(ROOM, &[("audio", "alice.mka")]).replace("RT0", "RT9").replace("alice\",", "bob\",");
    let whole = format!("{input}{bob}");
    let turned: String = input.lines().rev().map(|line| format!("{line}\n")).collect();
    for (ending, arguments) in [("webm", &[][..]), ("mp4", &["--chunk", "1"]), ("mkv", &["--audio-only"])] {
        let output = format!("out/room.{ending}");
        let run = |input: &str, more: &[&str], status: i32| {
            let mut command = compose_to(&place, input, &output);
            ends(command.args(arguments).args(more), status).0.remove(0)
        };
        // A reader of a pipe can't tell a writer that was killed from one that has done its
        // work: without bob it is of the same length, too.
        assert!(run(&input, &[], 0)["elapsed_ms"].as_u64().unwrap() > 0);
        assert_eq!(run(&input, &[], 0)["elapsed_ms"], 0, "{ending}");
        assert_eq!(run(&turned, &[], 0)["elapsed_ms"], 0, "{ending}: in another order");
        let refused = run(&whole, &[], 1)["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            refused.contains("made from other recordings, or arranged or encoded otherwise"),
            "{ending}: {refused}"
        );
        assert!(refused.contains("take it away, or use --overwrite"), "{refused}");
        assert_eq!(run(&whole, &["--overwrite"], 0)["status"], "completed", "{ending}");
        assert_eq!(run(&whole, &[], 0)["elapsed_ms"], 0, "{ending}");
        let of_the_picture = [["--background", "navy"], ["--gap", "black"]];
        let of_the_picture = of_the_picture.iter().filter(|_| ending != "mkv");
        for other in [["--crf", "30"], ["--encoder-args", "-metadata title=x"]].iter().chain(of_the_picture) {
            let refused = run(&whole, other, 1)["error"]["message"].as_str().unwrap().to_owned();
            assert!(refused.contains("encoded otherwise"), "{ending}: {refused}");
        }
    }
}

#[test]
fn a_symbolic_link_leads_no_writer_out_of_the_folder() {
    let place = place();
    let input = room(&place);
    let victim = place.folder().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::create_dir(place.folder().join("out")).unwrap();
    symlink(victim.join("new"), place.folder().join("out/.room.webm.part")).unwrap();
    let (records, _) = ends(&mut compose(&place, &input), 1);
    assert_eq!(records[0]["error"]["kind"], "io");
    fs::remove_file(place.folder().join("out/.room.webm.part")).unwrap();
    symlink(&victim, place.folder().join("out/.room.webm.parts")).unwrap();
    let (records, _) = ends(compose(&place, &input).args(["--chunk", "1"]), 1);
    assert_eq!(records[0]["error"]["kind"], "io");
    assert!(names(&victim).is_empty());
    // A link under the final name is replaced, not followed.
    fs::remove_file(place.folder().join("out/.room.webm.parts")).unwrap();
    symlink(victim.join("new"), place.folder().join("out/room.webm")).unwrap();
    ends(compose(&place, &input).arg("--overwrite"), 0);
    assert!(names(&victim).is_empty());
    assert!(fs::symlink_metadata(place.folder().join("out/room.webm")).unwrap().is_file());
}

#[test]
fn files_of_recordings_are_for_their_owner_alone() {
    let place = place();
    let input = room(&place);
    let mode = |path: &str| fs::metadata(place.folder().join(path)).unwrap().permissions().mode() & 0o777;
    let stand_in = hanging(&place, "ffmpeg", "*concat*");
    let mut child =
        compose(&place, &input).args(["--chunk", "1"]).env("TW_FFMPEG", stand_in).spawn().unwrap();
    wait_until_it_hangs(&place, &mut child);
    assert_eq!((mode("out/.room.webm.parts"), mode("out/.room.webm.part")), (0o700, 0o600));
    child.kill().unwrap();
    child.wait().unwrap();
    ends(&mut compose(&place, &input), 0);
    assert_eq!(mode("out/room.webm"), 0o600);

    let recording = Recording::audio(ROOM, "alice").file(place.folder().join("alice.mka"));
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    fs::write(place.folder().join("sid"), recording.rt()).unwrap();
    ends(place.tool("tw-fetch").unwrap().envs(twilio.env()).args(["--dir", "media", "sid"]), 0);
    assert_eq!(mode(&format!("media/{}.mka", recording.rt())), 0o600);
}

#[test]
fn a_still_is_made_as_carefully_as_a_room() {
    let place = place();
    let input = room(&place);
    fs::write(place.folder().join("room.jsonl"), input).unwrap();
    let still = |kind: &str| {
        let mut command = place.tool("tw-ffcmd").unwrap();
        command.args([kind, "out/room.png", "--size", "64x48", "room.jsonl"]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let out = place.folder().join("out");
    let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
    for kind in ["--preview", "--contact-sheet"] {
        // Two runs at once, the first of them killed then.
        for (signal, code) in SIGNALS {
            let stand_in = hanging(&place, "ffmpeg", "*room.png.part");
            // For a sheet, the frames come first.
            let mut first = still(kind).env("TW_FFMPEG", stand_in).spawn().unwrap();
            let ffmpeg = wait_until_it_hangs(&place, &mut first);
            assert_eq!(mode(".room.png.part"), 0o600, "{kind}");
            let (records, _) = ends(&mut still(kind), 1);
            let message = records[0]["error"]["message"].as_str().unwrap();
            assert!(message.contains("another process is composing it"), "{kind}: {message}");
            assert_eq!(send(&mut first, signal).code(), code, "{kind}");
            wait_for_the_end_of(ffmpeg);
            let left = names(&out);
            assert!(code.is_none() || left.is_empty(), "{kind}: {left:?}");
            fs::remove_file(place.folder().join("hanging")).unwrap();
        }
        ends(&mut still(kind), 0);
        assert_eq!(names(&out), ["room.png"], "{kind}");
        assert_eq!(mode("room.png"), 0o600, "{kind}");
        // A link leads nobody out of the folder; one under the final name is replaced.
        let victim = place.folder().join("victim");
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, out.join(".room.png.part")).unwrap();
        let (records, _) = ends(&mut still(kind), 1);
        assert_eq!(records[0]["error"]["kind"], "io", "{kind}");
        fs::remove_file(out.join(".room.png.part")).unwrap();
        fs::remove_file(out.join("room.png")).unwrap();
        symlink(&victim, out.join("room.png")).unwrap();
        ends(&mut still(kind), 0);
        assert!(fs::symlink_metadata(out.join("room.png")).unwrap().is_file(), "{kind}");
        assert_eq!(fs::read(&victim).unwrap(), b"mine", "{kind}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
#[ignore = "wants a small file system: just disk-test"]
fn a_small_file_system_that_is_full() {
    let small = std::env::var("TW_SMALL_DISK").expect("TW_SMALL_DISK names a folder on a tmpfs of 64 kB");
    let place = place();
    let input = room(&place);
    let output = Path::new(&small).join("room.webm");
    let (records, _) = ends(
        compose_to(&place, &input, output.to_str().unwrap()).args(["--crf", "4", "--size", "640x480"]),
        1,
    );
    assert_eq!(records[0]["error"]["kind"], "ffmpeg");
    assert!(names(Path::new(&small)).is_empty());

    let bytes = vec![7; 1_000_000];
    let recording = Recording::audio(ROOM, "alice").bytes(bytes);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    fs::write(place.folder().join("sid"), recording.rt()).unwrap();
    let fetch = |dir: &str, status| {
        ends(place.tool("tw-fetch").unwrap().envs(twilio.env()).args(["--dir", dir, "sid"]), status)
    };
    let (records, _) = fetch(&small, 1);
    assert!(records[0]["error"]["message"].as_str().unwrap().contains("No space left"), "{records:?}");
    // Only the part is there, from which the next run would go on.
    assert!(names(Path::new(&small)).iter().all(|name| name.starts_with('.')));
    fetch("media", 0);
}

#[test]
#[ignore = "wants a read-only file system: just disk-test"]
fn a_file_system_that_is_read_only() {
    let folder = std::env::var("TW_READ_ONLY_DISK").expect("TW_READ_ONLY_DISK names a read-only folder");
    let place = place();
    let input = room(&place);
    for output in ["room.webm", "below/room.webm"] {
        let (records, _) = ends(&mut compose_to(&place, &input, &format!("{folder}/{output}")), 1);
        assert_eq!(records[0]["error"]["kind"], "io");
        assert!(records[0]["error"]["message"].as_str().unwrap().contains("Read-only file system"));
    }
    let twilio = Twilio::builder().recording(Recording::audio(ROOM, "alice").bytes("x")).start().unwrap();
    fs::write(place.folder().join("sid"), Recording::audio(ROOM, "alice").rt()).unwrap();
    for (dir, status) in [(folder.clone(), 1), (format!("{folder}/below"), 2)] {
        let mut fetch = place.tool("tw-fetch").unwrap();
        let (_, said) = ends(fetch.envs(twilio.env()).args(["--dir", &dir, "sid"]), status);
        assert!(said.contains("Read-only file system"), "{said}");
    }
    assert!(names(Path::new(&folder)).is_empty());
}
