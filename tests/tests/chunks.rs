//! The frames of chunks are those of one run, bit for bit, before encoding: over gaps,
//! changes of size, and key frames that are minutes apart.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::process::Command;

use serde_json::Value;
use tw_tests::environment::Environment;
use tw_tests::sync::{Scene, run};
use tw_testsignal::video::Codec;
use tw_testsignal::{Form, Video};

/// A room, and where its parts are made.
struct Bench {
    environment: Environment,
    /// The records as tw-offsets writes them.
    placed: Vec<u8>,
}

impl Bench {
    fn new(environment: Environment, scene: &Scene) -> Self {
        let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap().stdout;
        Self { environment, placed }
    }

    /// The hashes of all frames of the picture, from one run or from chunks.
    fn frames(&self, args: &[&str]) -> Vec<String> {
        let args: Vec<String> = args.iter().map(|&word| word.to_owned()).collect();
        let printed = self.environment.filter("tw-ffcmd", &args, &self.placed).unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        String::from_utf8(printed.stdout).unwrap().lines().flat_map(|job| self.frames_of(job)).collect()
    }

    /// Those that one command makes: none when it makes a copy, sound, or joins.
    fn frames_of(&self, job: &str) -> Vec<String> {
        let job: Value = serde_json::from_str(job).unwrap();
        let words = job["argv"].as_array().unwrap().iter();
        let mut argv: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
        if let Some(map) = argv.iter().position(|&word| word == "[picture]") {
            argv.truncate(map + 1);
            argv.extend(["-f", "framemd5", "-"]);
            return hashes(&self.ffmpeg(&argv));
        }
        if !argv.contains(&"concat") {
            // A copy that can be sought in; its folder is the runner's to make.
            let copy = self.environment.folder().join(argv.last().unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            self.ffmpeg(&argv);
        }
        Vec::new()
    }

    /// Whether the graph of one run has such a filter.
    fn draws_with(&self, filter: &str) -> bool {
        let printed = self.environment.filter("tw-ffcmd", &[], &self.placed).unwrap();
        String::from_utf8(printed.stdout).unwrap().contains(filter)
    }

    fn ffmpeg(&self, argv: &[&str]) -> Vec<u8> {
        let mut command = Command::new(argv[0]);
        let output = command.args(&argv[1..]).current_dir(self.environment.folder()).output().unwrap();
        assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// How many of the recordings a command reads from their middle.
    fn sought(&self, args: &[&str]) -> usize {
        let args: Vec<String> = args.iter().map(|&word| word.to_owned()).collect();
        let printed = self.environment.filter("tw-ffcmd", &args, &self.placed).unwrap();
        let job: Value = serde_json::from_slice(&printed.stdout).unwrap();
        job["argv"].as_array().unwrap().iter().filter(|word| *word == "-ss").count()
    }

    /// Windows of so many seconds show what the whole does.
    fn same_in_windows(&self, fps: usize, windows: &[(usize, usize)], args: &[&str]) {
        let whole = self.frames(args);
        for &(start, end) in windows {
            let (from, to) = (start.to_string(), end.to_string());
            let seen = self.frames(&[args, &["--start", &from, "--end", &to]].concat());
            assert!(seen[..] == whole[start * fps..end * fps], "from {start} s to {end} s");
        }
    }

    fn same_frames(&self, expected: usize, chunks: &[&str], args: &[&str]) {
        let whole = self.frames(args);
        assert_eq!(whole.len(), expected);
        // A room in which nothing moves would prove nothing.
        let mut different = whole.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > expected / 4, "{} of {expected} frames differ", different.len());
        for chunk in chunks {
            let parts = self.frames(&[args, &["--chunk", chunk]].concat());
            let wrong: Vec<usize> = (0..expected).filter(|&i| parts.get(i) != whole.get(i)).collect();
            assert!(wrong.is_empty() && parts.len() == expected, "--chunk {chunk}: frames {wrong:?} differ");
        }
    }
}

/// The last column of a `framemd5` listing.
fn hashes(listing: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(listing).unwrap().lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn over_gaps_and_changes_of_size() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    // Gaps and changes of size lie across the cuts, at 3, 4, 6, 8 and 9 s.
    let alice = Video::new(1, 24.0)
        .start_ms(1584)
        .lasting_ms(10_000)
        .resized(2900, 240, 320)
        .resized(6100, 160, 120)
        .without(3700..4800)
        .jitter(7, 0.4);
    scene.video("alice", 5000, &alice).unwrap();
    // Streamed: it can't be sought in until it is copied.
    let bob = Video::new(2, 15.0)
        .start_ms(3121)
        .lasting_ms(8000)
        .resized(5000, 320, 180)
        .without(5500..7000)
        .form(Form::Streamed);
    scene.video("bob", 5013, &bob).unwrap();
    let bench = Bench::new(environment, &scene);
    let args = ["--size", "320x160", "--fps", "20", "-o", "room.webm", "-y"];
    bench.same_frames(201, &["3", "4"], &args);
    bench.same_frames(201, &["3"], &[&args[..], &["--gap", "black"]].concat());
    // Without a copy: an index is no need for a single place.
    assert_eq!(bench.sought(&[&args[..], &["--start", "7"]].concat()), 2);
    bench.same_in_windows(20, &[(1, 2), (4, 6), (7, 9), (9, 10)], &args);
}

#[test]
fn from_key_frames_that_are_minutes_apart() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 2);
    let slow = |number| Video::new(number, 3.0).lasting_ms(190_000).size(160, 120);
    scene.video("alice", 0, &slow(1).start_ms(1000)).unwrap();
    let bob = slow(2).start_ms(31_017).key_every(270).without(60_000..63_000);
    scene.video("bob", 0, &bob).unwrap();
    let bench = Bench::new(environment, &scene);
    // What is decoded before a part, to come to its first frame, must be dropped there.
    let args = ["--size", "320x120", "--fps", "5", "-o", "room.webm", "--start", "100", "--end", "200", "-y"];
    bench.same_frames(500, &["35"], &args);
    let steps = bench.environment.filter("tw-ffcmd", &["--chunk=35".into()], &bench.placed).unwrap().stdout;
    assert!(String::from_utf8_lossy(&steps).contains("trim=start_pts=-"), "nothing is dropped");
}

#[test]
fn from_a_key_frame_before_zero() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    let alice = Video::new(1, 24.0).start_ms(200).lasting_ms(9000).size(160, 120);
    let path = scene.next_path("mkv");
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 300, &Video::new(2, 15.0).start_ms(13).lasting_ms(8000).size(160, 120)).unwrap();
    let moved = environment.folder().join("moved.mkv");
    let move_it = ["-output_ts_offset", "-0.4", "-avoid_negative_ts", "disabled"];
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-copyts", "-i"])
        .arg(&path)
        .args(["-c", "copy"])
        .args(move_it)
        .arg(&moved)
        .status();
    assert!(status.unwrap().success());
    fs::rename(moved, path).unwrap();
    let bench = Bench::new(environment, &scene);
    let placed = String::from_utf8_lossy(&bench.placed);
    assert!(placed.contains("\"start_time_ms\":-"), "{placed}");
    bench.same_frames(270, &["2"], &["--size", "320x120", "-o", "room.webm", "-y"]);
}

#[test]
fn from_key_frames_that_need_an_earlier_one() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    // A new size's parameters stand before its first key frame alone, not in the file's head.
    let alice = Video::new(1, 24.0).lasting_ms(9000).size(160, 120).resized(2100, 240, 180);
    let alice = alice.codec(Codec::H264).sparse_sets().key_every(24);
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 0, &Video::new(2, 15.0).lasting_ms(9000).size(160, 120)).unwrap();
    // As early as this, ffprobe describes the stream by its second size.
    let carol = Video::new(3, 15.0).lasting_ms(9000).size(160, 120).resized(300, 240, 180);
    scene.video("carol", 0, &carol.codec(Codec::H264).sparse_sets().key_every(15)).unwrap();
    let bench = Bench::new(environment, &scene);
    let placed = String::from_utf8_lossy(&bench.placed);
    assert_eq!(placed.matches("\"independent_key_frames\":false").count(), 2, "{placed}");
    bench.same_frames(180, &["2", "4"], &["--size", "320x240", "--fps", "20", "-o", "room.webm", "-y"]);
}

#[test]
fn of_a_recording_with_a_hole_in_its_middle() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    let path = scene.next_path("mkv");
    let alice = Video::new(1, 10.0).lasting_ms(9000).size(160, 120).key_every(10);
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 0, &Video::new(2, 10.0).lasting_ms(9000).size(160, 120)).unwrap();
    // From the third second to the sixth or so; the index, behind that, leads into it.
    let mut bytes = fs::read(&path).unwrap();
    let (from, to) = (bytes.len() / 3, bytes.len() * 2 / 3);
    bytes[from..to].fill(0);
    fs::write(&path, bytes).unwrap();
    let bench = Bench::new(environment, &scene);
    let placed = String::from_utf8_lossy(&bench.placed);
    assert_eq!(placed.matches("\"independent_key_frames\":false").count(), 1, "{placed}");
    assert!(placed.contains("\"seekable\":true"), "{placed}");
    let args = ["--size", "320x120", "--fps", "10", "-o", "room.webm", "-y"];
    bench.same_frames(90, &["2", "4.5"], &args);
    bench.same_in_windows(10, &[(4, 5), (5, 7)], &args);
}

#[test]
fn of_a_recording_whose_first_key_frame_is_lost() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    let alice = Video::new(1, 10.0).start_ms(1000).lasting_ms(8000).size(160, 120).key_every(20);
    let path = scene.next_path("mkv");
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 0, &Video::new(2, 10.0).start_ms(1000).lasting_ms(8000).size(160, 120)).unwrap();
    let whole = environment.folder().join("whole.mkv");
    fs::rename(&path, &whole).unwrap();
    // Into a pipe, so that it has no index either.
    let cut = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-copyts", "-i"])
        .arg(&whole)
        .args(["-c", "copy", "-copyinkf", "-bsf:v", "noise=drop=eq(n\\,0)"])
        .args(["-avoid_negative_ts", "disabled", "-f", "matroska", "pipe:1"])
        .stdout(fs::File::create(path).unwrap())
        .status();
    assert!(cut.unwrap().success());
    let bench = Bench::new(environment, &scene);
    let placed = String::from_utf8_lossy(&bench.placed);
    assert!(placed.contains("\"seekable\":false") && placed.contains("\"start_time_ms\":1100"), "{placed}");
    let args = ["--size", "320x120", "--fps", "10", "-o", "room.webm", "-y"];
    bench.same_frames(80, &["1", "3"], &args);
    // ffmpeg finds no place before the first key frame, and would show nothing.
    bench.same_in_windows(10, &[(1, 4), (2, 3), (5, 8)], &args);
}

#[test]
fn of_who_lies_on_top_of_whom() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    // Bob came later, and lies on top; a chunk begins while alice sends nothing.
    let alice = Video::new(1, 10.0).lasting_ms(6000).size(160, 120).without(2000..3500);
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 1000, &Video::new(2, 10.0).lasting_ms(5000).size(160, 120)).unwrap();
    let layout = environment.folder().join("layout.json");
    let one_cell = r#"{"one":{"max_columns":1,"max_rows":1,"reuse":"show_newest","video_sources":["*"]}}"#;
    fs::write(&layout, one_cell).unwrap();
    let layout = format!("@{}", layout.display());
    let bench = Bench::new(environment, &scene);
    let args =
        ["--layout", &layout, "--gap", "black", "--size", "160x120", "--fps", "10", "-o", "room.webm", "-y"];
    bench.same_frames(60, &["3"], &args);
}

#[test]
fn of_a_recording_whose_last_frame_lies_before_the_cut() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    // So unsteady that ffmpeg takes it for faster than it is, and its end for earlier.
    let alice = Video::new(1, 7.0).lasting_ms(4000).size(160, 120).jitter(7, 0.9);
    scene.video("alice", 0, &alice).unwrap();
    scene.video("bob", 0, &Video::new(2, 15.0).lasting_ms(8000).size(160, 120)).unwrap();
    let bench = Bench::new(environment, &scene);
    let records = String::from_utf8_lossy(&bench.placed).into_owned();
    let alice: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    // Her last frame is seen for some 140 ms, of which these are the last 50.
    let cut = alice["end_time_ms"].as_i64().unwrap() - alice["start_time_ms"].as_i64().unwrap() + 90;
    let cut = format!("{}.{:03}", cut / 1000, cut % 1000);
    bench.same_frames(400, &[&cut], &["--size", "320x120", "--fps", "50", "-o", "room.webm", "-y"]);
}

/// `fps` in place of `overlay`, where a recording has a cell to itself.
#[test]
fn of_a_cell_of_ones_own_as_on_a_canvas() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    let alice = Video::new(1, 24.0).start_ms(1584).lasting_ms(6000).jitter(7, 0.4).without(2700..3800);
    scene.video("alice", 5000, &alice.resized(2900, 120, 160)).unwrap();
    // He joins later, leaves earlier, and sends more frames than are shown.
    scene.video("bob", 5700, &Video::new(2, 60.0).start_ms(13).lasting_ms(2513).size(160, 120)).unwrap();
    scene.video("carol", 6417, &Video::new(3, 7.0).lasting_ms(4000).size(90, 160)).unwrap();
    let mut bench = Bench::new(environment, &scene);
    let all_frames = |bench: &Bench| {
        [&["--fps", "30"][..], &["--fps", "29.97", "--background", "#306090"], &["--fps", "5"]].map(|args| {
            // Area scaling is for known sizes alone.
            bench.frames(&[&["--size", "320x160", "--speed", "best", "-o", "room.webm", "-y"], args].concat())
        })
    };
    let own = all_frames(&bench);
    assert!(bench.draws_with("fps=") && !bench.draws_with("overlay="));
    bench.placed = without_sizes(&bench.placed);
    assert!(bench.draws_with("overlay=") && !bench.draws_with("fps="));
    assert_eq!(own, all_frames(&bench));
    assert!(own.iter().all(|frames| frames.len() > 30), "{own:?}");
}

/// Records from which it can't be told what a recording begins with.
fn without_sizes(records: &[u8]) -> Vec<u8> {
    let lines = std::str::from_utf8(records).unwrap().lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for stream in record["streams"].as_array_mut().unwrap() {
            assert!(stream.as_object_mut().unwrap().remove("sizes").is_some(), "{line}");
        }
        format!("{record}\n")
    });
    lines.collect::<String>().into_bytes()
}
