//! All five tools at once, killed at any moment: the next run picks up what is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tw_loopback::{Fault, On, Recording, Twilio, room_sid};
use tw_tests::environment::Environment;

use crate::common::*;

/// As in the README, but small, and in parts.
const PIPELINE: &str = "tw-list --room \"$ROOM\" | tw-fetch -j 2 --dir media | tee fetched | tw-probe | tw-offsets | \
    tw-ffcmd --run --size 64x48 --fps 10 --speed fast --chunk 2 --jobs 2 $MORE \
    -o out/room.webm > record";

/// Their bytes, by their names.
type Recordings = BTreeMap<String, Vec<u8>>;

/// The pipeline in a folder, and all of it in one group of processes.
fn pipeline(place: &Environment, twilio: &Twilio, room: &str) -> Child {
    pipeline_with(place, twilio, room, "")
}

/// With one more argument for tw-ffcmd.
fn pipeline_with(place: &Environment, twilio: &Twilio, room: &str, more: &str) -> Child {
    let tool = place.tool("tw-list").unwrap();
    let tools = Path::new(tool.get_program()).parent().unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.env_clear().envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.args(["-c", PIPELINE]).env("PATH", path).env("ROOM", room).env("MORE", more).envs(twilio.env());
    shell.current_dir(place.folder()).stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    shell.spawn().unwrap()
}

/// A run that nobody disturbs: the composed file's packets, and the recordings' bytes.
fn quiet_run(place: &Environment, twilio: &Twilio, room: &str) -> (String, Recordings) {
    let output = pipeline(place, twilio, room).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let record = fs::read(place.folder().join("record")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&record).unwrap()["status"], "completed", "{said}");
    assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
    (content(&place.folder().join("out/room.webm")), recordings(place))
}

/// What has its final name among the recordings.
fn recordings(place: &Environment) -> Recordings {
    let media = place.folder().join("media");
    let whole = names(&media).into_iter().filter(|name| !name.starts_with('.'));
    whole.map(|name| (name.clone(), fs::read(media.join(name)).unwrap())).collect()
}

/// Whoever works in a folder: tools, and what they have started, with their commands.
/// A zombie works nowhere.
fn at_work_in(place: &Environment) -> Vec<(i32, String)> {
    let folder = place.folder().canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes
        .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&folder)))
        .filter_map(|process| {
            let command = fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ");
            Some((process.file_name()?.to_str()?.parse().ok()?, command))
        })
        .collect()
}

/// Sees all of them go, which takes the system a moment.
fn all_are_gone(place: &Environment, when: &str) {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let left = at_work_in(place);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < patience, "{when}: still at work: {left:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_pipeline_killed_twenty_times_then_left_alone() {
    let fresh = place();
    let place = place();
    room(&fresh);
    let room = room_sid("a room");
    let (picture, sound) = (fresh.folder().join("alice.mkv"), fresh.folder().join("alice.mka"));
    let alice = Recording::video(&room, "alice").offset(1000).file(&picture);
    let twilio = Twilio::builder()
        // A byte at a time, half a second in all: there is something to break off.
        .fault(On::storage(&format!("*/{}", alice.rt())), Fault::Drip(Duration::from_micros(1)))
        .recording(alice)
        .recording(Recording::audio(&room, "alice").offset(1000).file(&sound))
        .recording(Recording::audio(&room, "bob").offset(1500).file(&sound))
        .start()
        .unwrap();
    let begun = Instant::now();
    let (composed, media) = quiet_run(&fresh, &twilio, &room);
    let quiet = begun.elapsed();
    assert_eq!(media.len(), 3);

    // Another one by hand: TW_SEED=7 cargo test …
    let seed = std::env::var("TW_SEED").map_or(1013, |seed| seed.parse().unwrap());
    let mut seeded = Seeded(seed);
    let made = place.folder().join("out/room.webm");
    for run in 0..20 {
        let (signal, _) = SIGNALS[run % 3];
        // More often early than late: what comes first is over soonest.
        let (one, other) = (seeded.below(1000), seeded.below(1000));
        let thousandths = u32::try_from(one * other / 1000).unwrap();
        let when = format!("seed {seed}, run {run}, {signal:?} after {thousandths}/1000 of {quiet:?}");
        let mut child = pipeline(&place, &twilio, &room);
        // Chance is the point here: whatever they are doing then, they are killed.
        std::thread::sleep(quiet * thousandths / 1000);
        if child.try_wait().unwrap().is_none() {
            kill_process_group(Pid::from_child(&child), signal).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{when}: {said}");
        all_are_gone(&place, &when);
        for (name, bytes) in recordings(&place) {
            assert!(media.get(&name) == Some(&bytes), "{when}: {name} is not what it was");
            // Now and then one is fetched anew, so that later runs have something to lose, too.
            if seeded.below(3) == 0 {
                fs::remove_file(place.folder().join("media").join(name)).unwrap();
            }
        }
        if made.exists() {
            assert_eq!(content(&made), composed, "{when}");
            fs::remove_file(&made).unwrap();
        }
    }
    assert!(quiet_run(&place, &twilio, &room) == (composed, media), "seed {seed}: not the same files");
    assert!(names(&place.folder().join("media")).iter().all(|name| !name.starts_with('.')));
    all_are_gone(&place, "at the end");
}

#[test]
fn a_pipeline_of_which_one_tool_is_killed_is_not_taken_for_whole() {
    let media = place();
    room(&media);
    let room = room_sid("a room");
    let alice = |recording: Recording, file: &str| recording.offset(1000).file(media.folder().join(file));
    let last = alice(Recording::audio(&room, "bob"), "alice.mka");
    let twilio = Twilio::builder()
        .recording(alice(Recording::video(&room, "alice"), "alice.mkv"))
        .recording(alice(Recording::audio(&room, "alice"), "alice.mka"))
        .recording(last.clone())
        .fault(On::storage(&format!("*/{}", last.rt())).first(1), Fault::StallInBody(1000))
        .start()
        .unwrap();
    let place = place();
    let mut child = pipeline(&place, &twilio, &room);
    let fetched = || fs::read_to_string(place.folder().join("fetched")).unwrap_or_default().lines().count();
    wait(&mut child, || fetched() == 2);
    // The last one never comes: it is killed over that, by a lack of memory, say.
    let at_work = at_work_in(&place);
    let fetch = at_work.iter().find(|(_, command)| command.starts_with("tw-fetch "));
    let (fetch, _) = fetch.unwrap_or_else(|| panic!("{at_work:?}"));
    kill_process(Pid::from_raw(*fetch).unwrap(), Signal::KILL).unwrap();
    // The others can't know, and compose what they were given.
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let whole = content(&place.folder().join("out/room.webm"));

    // Bob comes with the next run, and what is there isn't taken for a room with bob.
    let record =
        || serde_json::from_slice::<Value>(&fs::read(place.folder().join("record")).unwrap()).unwrap();
    let output = pipeline(&place, &twilio, &room).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = record()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("made from other recordings"), "{message}");
    let output = pipeline_with(&place, &twilio, &room, "--overwrite").wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(content(&place.folder().join("out/room.webm")) != whole);
    assert_eq!(recordings(&place).len(), 3);
    assert_eq!(record()["status"], "completed");
}
