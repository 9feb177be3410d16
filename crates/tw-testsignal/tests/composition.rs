//! Checks the checker: a composition made by a plain ffmpeg command is measured
//! to be right, and each way of spoiling it is noticed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::Path;

use tw_testsignal::{
    Audio, Cell, Composition, Rect, Report, Room, Tolerance, TrackId, Video, ffmpeg, measure,
};

/// What is done wrong on purpose.
#[derive(Default)]
struct Spoil {
    picture_ms: f64,
    sound_ms: i64,
    swapped: bool,
    flash: bool,
    quiet_db: f64,
    frames_lost: bool,
    mute: &'static str,
}

struct Pair {
    folder: tempfile::TempDir,
    room: Room,
    videos: [TrackId; 2],
    audios: [TrackId; 2],
}

const LEFT: Rect = Rect { x: 0, y: 0, width: 160, height: 120 };
const RIGHT: Rect = Rect { x: 160, y: 0, width: 160, height: 120 };

impl Pair {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut room = Room::new(7);
        let alice = Video::new(1, 24.0).start_ms(1564).lasting_ms(3000);
        let alice = alice.write(at("alice.mkv")).unwrap();
        let bob = Video::new(2, 15.0).start_ms(2301).lasting_ms(2000).jitter(1, 0.4);
        let bob = bob.size(180, 320).resized(1000, 320, 180).write(at("bob.mkv")).unwrap();
        let alice_voice = Audio::new(1).start_ms(1520).lasting_ms(3100).without(900..960);
        let alice_voice = alice_voice.write(at("alice.mka")).unwrap();
        let bob_voice = Audio::new(2).start_ms(2250).lasting_ms(2100).drift_ppm(100.0);
        let bob_voice = bob_voice.write(at("bob.mka")).unwrap();
        let videos = [room.add("alice", 16_000, alice), room.add("bob", 16_000, bob)];
        let audios = [room.add("alice", 16_000, alice_voice), room.add("bob", 16_000, bob_voice)];
        Self { folder, room, videos, audios }
    }

    fn relative_ms(&self, id: TrackId) -> i64 {
        self.room.track(id).addition_ms().unwrap() - self.room.reference_ms()
    }

    fn path(&self, id: TrackId) -> &str {
        self.room.track(id).recording.path.to_str().unwrap()
    }

    /// Composes with a command of our own and measures the outcome.
    fn measure(&self, name: &str, spoil: &Spoil) -> Report {
        let output = self.folder.path().join(name);
        self.compose(&output, spoil);
        let composition = Composition::new(output, 30.0)
            .size(320, 120)
            .frames(96)
            .cell(Cell::new(LEFT, [self.videos[0]]))
            .cell(Cell::new(RIGHT, [self.videos[1]]));
        // In webm, ffmpeg up to 5.1 has Opus 7 ms before the picture.
        let tolerance = Tolerance { common_delay_ms: 10.0, ..Tolerance::default() };
        let report = measure(&self.room, &composition, &tolerance).unwrap();
        eprintln!("{name}\n{report}");
        report
    }

    fn compose(&self, output: &Path, spoil: &Spoil) {
        let mut graph = "color=c=black:s=320x120:r=30:d=3.2[c0]".to_owned();
        let mut arguments: Vec<String> = Vec::new();
        for (i, &id) in self.videos.iter().enumerate() {
            arguments.extend(["-reinit_filter", "0", "-i", self.path(id)].map(str::to_owned));
            let mut shift = self.relative_ms(id) as f64;
            if i == 0 {
                shift += spoil.picture_ms;
            }
            let column = if spoil.swapped { 1 - i } else { i };
            graph += &format!(
                ";[{i}:v]setpts=PTS-STARTPTS+{shift}/1000/TB,\
                 scale=160:120:force_original_aspect_ratio=decrease:eval=frame,setsar=1[v{i}];\
                 [c{i}][v{i}]overlay=x={}+(160-w)/2:y=(120-h)/2:eval=frame:eof_action=pass[c{}]",
                column * 160,
                i + 1
            );
        }
        if spoil.flash {
            graph += ";[c2]drawbox=w=160:h=120:color=black:t=fill:enable='eq(n,50)'[c]";
        } else if spoil.frames_lost {
            graph += ";[c2]select='not(eq(n,40))'[c]";
        } else {
            graph += ";[c2]null[c]";
        }
        for (i, &id) in self.audios.iter().enumerate() {
            arguments.extend(["-i", self.path(id)].map(str::to_owned));
            let mut delay = self.relative_ms(id);
            if i == 1 {
                delay += spoil.sound_ms;
            }
            graph += &format!(
                ";[{}:a]aresample=async=1:min_hard_comp=0.01:first_pts=0,\
                 aformat=sample_rates=48000:channel_layouts=mono,adelay={delay}[a{i}]",
                i + 2
            );
        }
        let (quiet, mute) = (spoil.quiet_db, spoil.mute);
        graph +=
            &format!(";[a0][a1]amix=normalize=0,volume={quiet}dB{mute},apad=whole_dur=3.2,atrim=0:3.2[a]");
        arguments.extend(["-filter_complex", &graph, "-map", "[c]", "-map", "[a]"].map(str::to_owned));
        let codecs = match output.extension().and_then(|ending| ending.to_str()) {
            Some("mp4") => "-c:v libx264 -preset ultrafast -c:a aac -b:a 128k",
            _ => "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M -c:a libopus -b:a 64k",
        };
        let codecs = codecs.split(' ').chain(["-fps_mode", "passthrough", "-pix_fmt", "yuv420p"]);
        arguments.extend(codecs.map(str::to_owned));
        arguments.extend(["-y".to_owned(), output.to_str().unwrap().to_owned()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ffmpeg::pipe(&arguments, |_| Ok(())).unwrap();
    }
}

fn told(report: &Report, words: &str) -> bool {
    report.violations.iter().any(|violation| violation.contains(words))
}

#[test]
fn a_right_composition_passes_and_spoilt_ones_do_not() {
    let pair = Pair::make();

    let right = pair.measure("right.webm", &Spoil::default());
    assert_eq!(right.violations, [""; 0]);
    assert_eq!(right.frames, 96);
    assert!(right.cells.iter().all(|cell| cell.readable > 55 && cell.unreadable == 0));
    assert!(right.voices.iter().all(|voice| voice.expected >= 4 && voice.errors.max_ms < 1.0));

    let late = pair.measure("late.webm", &Spoil { picture_ms: 40.0, ..Spoil::default() });
    assert!(told(&late, "cell 0 (alice-video)") && !told(&late, "cell 1"));
    let moved = late.cells[0].errors.median_ms - right.cells[0].errors.median_ms;
    assert!((moved - 40.0).abs() < 5.0, "{moved}");

    let early = pair.measure("early.webm", &Spoil { picture_ms: -40.0, ..Spoil::default() });
    assert!(told(&early, "cell 0 (alice-video)") && !told(&early, "cell 1"));

    let sound = pair.measure("sound.webm", &Spoil { sound_ms: 3, ..Spoil::default() });
    assert!(told(&sound, "ms off"));
    let apart = sound.voices[1].errors.median_ms - sound.voices[0].errors.median_ms;
    let before = right.voices[1].errors.median_ms - right.voices[0].errors.median_ms;
    assert!((apart - before - 3.0).abs() < 0.3, "{apart} {before}");

    let swapped = pair.measure("swapped.webm", &Spoil { swapped: true, ..Spoil::default() });
    assert!(told(&swapped, "cell 0 (alice-video), frame") && told(&swapped, "wrong picture (number 2"));
    assert!(told(&swapped, "wrong picture (number 1"));

    let flash = pair.measure("flash.webm", &Spoil { flash: true, ..Spoil::default() });
    assert_eq!(flash.violations.len(), 1);
    assert!(told(&flash, "frame 50") && told(&flash, "background, expected number 1"));

    let quiet = pair.measure("quiet.webm", &Spoil { quiet_db: -6.0, ..Spoil::default() });
    assert_eq!(quiet.violations.len(), 2);
    assert!(told(&quiet, "dB off its level"));

    let lost = pair.measure("lost.webm", &Spoil { frames_lost: true, ..Spoil::default() });
    assert!(told(&lost, "95 frames, expected 96") && told(&lost, "isn't constant"));

    let mute = ",volume=0:enable='between(t,1.2,1.3)'";
    let mute = pair.measure("mute.webm", &Spoil { mute, ..Spoil::default() });
    assert!(told(&mute, "is missing"));
}

#[test]
fn mp4_is_measured_too() {
    let pair = Pair::make();
    let report = pair.measure("right.mp4", &Spoil::default());
    assert_eq!(report.violations, [""; 0]);
}
