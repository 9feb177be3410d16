//! Where key frames are too far apart for chunks, several ffmpegs make one piece at once,
//! through pipes: the same frames and the same sound, and nothing left when one of them fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tw_tests::environment::Environment;
use tw_tests::sync::{Scene, run};
use tw_testsignal::{Audio, Form, Video};

/// Without loss, so that a frame's hash is that of the frame before it was encoded.
const ARGS: [&str; 12] = [
    "--size",
    "320x240",
    "--fps",
    "10",
    "--video-codec",
    "h264",
    "--crf",
    "0",
    "--jobs",
    "2",
    "-o",
    "room.mkv",
];

/// What comes through pipes is written into the result at once, without parts.
const AT_ONCE: [&str; 6] = ["--fps", "10", "--jobs", "2", "-o", "room.webm"];

/// So many that two ffmpegs share their cells: one that decodes ahead would be later.
const MANY: [&str; 10] = ["alice", "bob", "carol", "dan", "erin", "frank", "grace", "heidi", "ivan", "judy"];

/// A room, and where it is composed.
struct Bench {
    environment: Environment,
    /// The records as tw-offsets writes them.
    placed: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        Self::of(&MANY)
    }

    /// Twelve seconds of some people, whose pictures have one key frame each, at their
    /// beginning, and one more where they change their size.
    fn of(people: &[&str]) -> Self {
        let environment = Environment::new().unwrap();
        let mut scene = Scene::new(environment.folder(), 4);
        for (number, who) in (1..).zip(people.iter().copied()) {
            let place = 300 * i64::from(number);
            let video = Video::new(number, 10.0).start_ms(1000 + place).lasting_ms(12_000 - place);
            let video = match who {
                "bob" => video.resized(7000, 240, 320).without(4000..5200),
                "carol" => video.form(Form::Streamed),
                _ => video,
            };
            scene.video(who, 0, &video).unwrap();
        }
        scene.audio("alice", 0, &Audio::new(1).start_ms(1000).lasting_ms(12_000)).unwrap();
        scene.audio("bob", 0, &Audio::new(2).start_ms(1500).lasting_ms(11_000)).unwrap();
        let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap().stdout;
        Self { environment, placed }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.environment.folder().join(name)
    }

    /// An ffmpeg that does this before, or instead of, drawing for another one.
    fn feeder_that(&self, does: &str) -> PathBuf {
        let program = self.path("ffmpeg");
        let script =
            format!("for last; do :; done\nif [ \"$last\" = pipe:1 ]; then\n{does}\nfi\nexec ffmpeg \"$@\"");
        tw_testsignal::stand_in(&program, &script).unwrap();
        program
    }

    fn compose(&self, ffmpeg: &PathBuf, args: &[&str]) -> Output {
        self.compose_as(&ARGS, ffmpeg, args)
    }

    fn compose_as(&self, usual: &[&str], ffmpeg: &PathBuf, args: &[&str]) -> Output {
        fs::write(self.path("room.jsonl"), &self.placed).unwrap();
        let mut tool = self.environment.tool("tw-ffcmd").unwrap();
        tool.args(usual).args(args).args(["--run", "room.jsonl"]).env("TW_FFMPEG", ffmpeg);
        tool.output().unwrap()
    }

    /// A listing of all packets of the result: their times and hashes.
    fn packets(&self, result: &str) -> String {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(self.path(result));
        ffmpeg.args(["-map", "0", "-c", "copy", "-f", "framemd5", "-"]);
        String::from_utf8(ffmpeg.output().unwrap().stdout).unwrap()
    }

    /// The hashes of all frames of the result.
    fn frames(&self) -> Vec<String> {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-i"])
            .arg(self.path("room.mkv"))
            .args(["-map", "0:v", "-f", "framemd5", "-"]);
        let listing = String::from_utf8(ffmpeg.output().unwrap().stdout).unwrap();
        let lines = listing.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
    }
}

#[test]
fn two_make_the_same_frames_as_one() {
    let bench = Bench::new();
    let fed = bench.path("fed");
    let ffmpeg = bench.feeder_that(&format!("echo >>'{}'", fed.display()));
    let apart = ["--layout", "row", "--cell-gap", "8", "--background", "#336699"];
    for layout in [&[][..], &["--layout", "focus=carol-video"], &apart] {
        let frames = |args: &[&str]| {
            let done = bench.compose(&ffmpeg, &[layout, args, &["--overwrite"]].concat());
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            bench.frames()
        };
        let whole = frames(&["--chunk", "0"]);
        assert!(!fed.exists());
        let by_two = frames(&[]);
        assert!(fed.exists(), "{layout:?}: one ffmpeg made it alone");
        fs::remove_file(&fed).unwrap();
        let mut different = whole.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > 100, "{} of {} frames differ", different.len(), whole.len());
        let wrong: Vec<usize> = (0..whole.len()).filter(|&i| by_two.get(i) != whole.get(i)).collect();
        assert!(wrong.is_empty() && by_two.len() == whole.len(), "{layout:?}: frames {wrong:?} differ");
    }
}

/// What is said of a room that isn't made, when drawing for another one goes so.
fn failure(does: &str, stall: &str) -> String {
    let bench = Bench::new();
    let done = bench.compose(&bench.feeder_that(does), &["--stall", stall]);
    assert_eq!(done.status.code(), Some(1));
    assert!(!bench.path("room.mkv").exists());
    let parts = fs::read_dir(bench.path(".room.mkv.parts")).unwrap();
    let mut parts = parts.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(parts.all(|name| !name.starts_with("picture")), "a part was kept");
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn one_that_ends_early_fails_the_room() {
    // Some of its pictures came: the other one goes on with the last.
    let said =
        failure(r#"ffmpeg "$@" 2>/dev/null | head -c 2000000; echo "the disk is on fire" >&2; exit 3"#, "60");
    assert!(said.contains("the disk is on fire") && said.contains("exit status 3"), "{said}");
    let said = failure("kill -9 $$", "60");
    assert!(said.contains("killed by signal 9"), "{said}");
}

#[test]
fn one_that_hangs_is_ended() {
    let said = failure("exec sleep 1000", "2");
    assert!(said.contains("no sign of life") || said.contains("no progress"), "{said}");
}

#[test]
fn an_ffmpeg_that_has_opus_early_is_given_it_later() {
    let bench = Bench::of(&["alice", "bob"]);
    let said = bench.path("said");
    for (libavformat, is_early) in [("58. 76.100", true), ("59. 27.100", true), ("60.  3.100", false)] {
        let version = format!("libavformat    {libavformat} / {libavformat}");
        let script = format!(
            "case \"$*\" in *-version*) echo 'ffmpeg version 0.1'; echo '{version}'; exit;; esac\n\
             echo \"$*\" >>'{}'; exec ffmpeg \"$@\"",
            said.display()
        );
        let ffmpeg = bench.path("ffmpeg");
        tw_testsignal::stand_in(&ffmpeg, &script).unwrap();
        // One that encodes both; one that takes the sound from a pipe; one that joins parts, which
        // are the same for all ffmpegs.
        let ways: [(&[&str], [bool; 2]); 4] = [
            (&["--chunk", "0"], [false, true]),
            (&["--size", "768x512"], [true, true]),
            (&["--chunk", "6"], [true, false]),
            (&["--chunk", "6", "--video-codec", "h264", "-o", "room.mkv"], [true, false]),
        ];
        for (args, delays) in ways {
            let done = bench.compose_as(&AT_ONCE, &ffmpeg, &[args, &["--overwrite"]].concat());
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let said = fs::read_to_string(&said).unwrap();
            let found = ["-itsoffset 0.0065", "[delayed]"].map(|delay| said.contains(delay));
            assert_eq!(found, delays.map(|delay| is_early && delay), "{libavformat}, {args:?}: {said}");
            // What is said of it may be run by another one.
            assert!(!String::from_utf8(done.stdout).unwrap().contains("[delayed]"));
            fs::remove_file(bench.path("said")).unwrap();
        }
    }
}

/// A stand-in that writes down which ffmpegs make something for another one: `sound`, `picture`.
fn telling(bench: &Bench) -> (PathBuf, PathBuf) {
    let fed = bench.path("fed");
    let tell = |what| format!("echo {what} >>'{}'", fed.display());
    let does = format!("case \"$*\" in *'[sound]'*) {};; *) {};; esac", tell("sound"), tell("picture"));
    (bench.feeder_that(&does), fed)
}

#[test]
fn what_comes_through_pipes_is_what_one_makes() {
    for (people, size, pipes) in
        [(&["alice", "bob"][..], "768x512", &["sound"][..]), (&MANY, "320x240", &["picture", "sound"])]
    {
        let bench = Bench::of(people);
        let (ffmpeg, fed) = telling(&bench);
        let packets = |args: &[&str]| {
            let done =
                bench.compose_as(&AT_ONCE, &ffmpeg, &[args, &["--size", size, "--overwrite"]].concat());
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            bench.packets("room.webm")
        };
        let whole = packets(&["--chunk", "0"]);
        assert!(!fed.exists());
        let at_once = packets(&[]);
        let mut used: Vec<String> = fs::read_to_string(&fed).unwrap().lines().map(Into::into).collect();
        used.sort();
        assert_eq!(used, pipes, "{people:?}");
        let (pictures, sounds) = (whole.matches("\n0, ").count(), whole.matches("\n1, ").count());
        assert!(pictures > 110 && sounds > 500, "{pictures} pictures, {sounds} sounds");
        assert_eq!(at_once, whole, "{people:?}");
        assert!(!bench.path(".room.webm.parts").exists());
    }
}

#[test]
fn sound_that_fails_fails_the_room() {
    let bench = Bench::of(&["alice", "bob"]);
    for (does, why, stall) in [
        (
            r#"ffmpeg "$@" 2>/dev/null | head -c 20000; echo "the disk is on fire" >&2; exit 3"#,
            "on fire",
            "60",
        ),
        (r#"exec 1>&-; echo "the disk is on fire" >&2; exit 3"#, "on fire", "60"),
        ("exec sleep 1000", "no sign of life", "2"),
        // All of it came: the other one has ended well.
        (r#"ffmpeg "$@"; exec 1>&-; exec sleep 1000"#, "no sign of life", "2"),
    ] {
        let ffmpeg = bench.feeder_that(does);
        let done = bench.compose_as(&AT_ONCE, &ffmpeg, &["--size", "768x512", "--stall", stall]);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains(why), "{said}");
        assert_eq!(done.status.code(), Some(1));
        let names = fs::read_dir(bench.environment.folder()).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.all(|name| !name.contains("room.webm")), "something is left");
    }
}

#[test]
fn the_one_that_encodes_is_blamed_for_itself() {
    let bench = Bench::of(&["alice", "bob"]);
    let program = bench.path("failing");
    // Those that feed it lose their reader, and say so too.
    let script = "case \"$*\" in *room.webm.part*) head -c 100000 <&3 >/dev/null; echo 'no such encoder' >&2; exit 3;; esac\n\
                  exec ffmpeg \"$@\"";
    tw_testsignal::stand_in(&program, script).unwrap();
    let done = bench.compose_as(&AT_ONCE, &program, &["--size", "768x512"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("ffmpeg failed with exit status 3: no such encoder"), "{said}");
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn sound_that_begins_before_zero_keeps_its_place_when_it_is_joined() {
    let bench = Bench::of(&["alice", "bob"]);
    for result in ["aac.mkv", "aac.mp4"] {
        let packets = |args: &[&str]| {
            let all = ["--video-codec", "vp9", "--audio-codec", "aac", "--size", "160x120", "--fps", "10"];
            let usual = [&all[..], &["--jobs", "2", "--overwrite", "-o", result]].concat();
            let done = bench.compose_as(&usual, &"ffmpeg".into(), args);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            bench.packets(result)
        };
        // Frames of the picture differ: each part begins with a key frame.
        let times = |listing: &str| -> Vec<String> {
            let line = |line: &str| line.split(',').take(3).map(str::trim).collect::<Vec<_>>().join(" ");
            listing.lines().filter(|text| !text.starts_with('#')).map(line).collect()
        };
        let whole = times(&packets(&["--chunk", "0"]));
        assert!(whole.len() > 600, "{} packets", whole.len());
        assert_eq!(times(&packets(&["--chunk", "5"])), whole, "{result}");
    }
}
