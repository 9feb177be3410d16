//! tw-probe as a user meets it, with real ffmpeg and ffprobe.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command as Plain;

use assert_cmd::Command;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;
use tw_testsignal::video::Codec;
use tw_testsignal::{Ending, Form, Video, gstreamer};

fn tool(folder: &TempDir) -> Command {
    let mut command = Command::cargo_bin("tw-probe").unwrap();
    command.current_dir(folder.path()).env_remove("TW_FFPROBE");
    command
}

/// Makes a recording with ffmpeg's own test sources.
fn ffmpeg(folder: &TempDir, args: &str, name: &str) {
    let status = Plain::new("ffmpeg")
        .current_dir(folder.path())
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args.split_whitespace())
        .arg(format!("file:{name}"))
        .status()
        .expect("ffmpeg is needed for this test");
    assert!(status.success(), "ffmpeg {args}");
}

const VIDEO: &str =
    "-f lavfi -i testsrc=size=64x48:rate=10:duration=2 -c:v libvpx -f matroska -output_ts_offset 1.564";
const AUDIO: &str = "-f lavfi -i sine=duration=1:sample_rate=48000 -c:a pcm_mulaw -ar 8000 -f matroska";

/// Runs, and gives the records and what was said; the status must be this.
fn run(command: &mut Command, status: i32) -> (Vec<Value>, String) {
    let output = command.assert().code(status).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (records, String::from_utf8(output.stderr).unwrap())
}

/// A program that stands in for ffprobe.
fn fake(folder: &TempDir, script: &str) -> std::path::PathBuf {
    let path = folder.path().join("fake-ffprobe");
    tw_testsignal::stand_in(&path, script).unwrap();
    path
}

#[test]
fn a_copy_that_broke_off_is_not_what_was_recorded() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, AUDIO, "alice.mka");
    let whole = fs::read(folder.path().join("alice.mka")).unwrap();
    // So little that it looks as if nothing had been recorded.
    fs::write(folder.path().join("bob.mka"), &whole[..300]).unwrap();
    let record = |name: &str| json!({"sid": name, "path": name, "bytes": whole.len()}).to_string() + "\n";
    let input = record("alice.mka") + &record("bob.mka");
    let (records, _) = run(tool(&folder).write_stdin(input), 1);
    assert!(records[0].get("error").is_none());
    assert_eq!(records[1]["error"]["kind"], "media");
    let message = records[1]["error"]["message"].as_str().unwrap();
    assert_eq!(message, format!("bob.mka has 300 bytes of {}: fetch it again", whole.len()));
}

#[test]
fn times_and_streams_of_a_recording() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, &format!("{VIDEO} -metadata creation_time=2017-06-30T09:03:44Z"), "alice.mkv");
    let (records, said) = run(tool(&folder).args(["--files", "alice.mkv"]), 0);
    assert_eq!(said, "");
    assert_eq!(
        records,
        [json!({
            "path": "alice.mkv",
            "start_time_ms": 1564, "end_time_ms": 3464, "duration_ms": 1900,
            "creation_time": "2017-06-30T09:03:44.000000Z",
            "streams": [{
                "index": 0, "codec_type": "video", "codec_name": "vp8", "width": 64, "height": 48,
                "sample_aspect_ratio": "1:1",
                "sizes": [{ "at_ms": 1564, "width": 64, "height": 48 }], "packets": 20, "start_time_ms": 1564, "end_time_ms": 3464,
                "frame_interval_ms": 100, "frame_interval_max_ms": 100,
                "key_frame_interval_max_ms": 1900, "seekable": true, "gaps": [],
            }],
        })]
    );
}

fn size(at_ms: u64, width: u64, height: u64) -> Value {
    json!({ "at_ms": at_ms, "width": width, "height": height })
}

#[test]
fn a_picture_that_changes_its_size() {
    let folder = TempDir::new().unwrap();
    for (size, file) in [("64x48", "large.mkv"), ("32x24", "small.mkv")] {
        let picture = format!("-f lavfi -i testsrc=size={size}:rate=10:duration=1 -c:v libvpx -g 4");
        ffmpeg(&folder, &picture, file);
    }
    fs::write(folder.path().join("list"), "file large.mkv\nfile small.mkv\nfile large.mkv\n").unwrap();
    ffmpeg(&folder, "-f concat -i list -c copy", "joined.mkv");
    // As a recorder streams it: clusters of unknown size, no index.
    ffmpeg(&folder, "-i joined.mkv -c copy -live 1", "streamed.mkv");
    ffmpeg(&folder, "-f lavfi -i testsrc=size=64x48:rate=10:duration=1 -c:v libvpx-vp9", "vp9.mkv");
    let (records, _) = run(tool(&folder).args(["--files", "joined.mkv", "streamed.mkv", "vp9.mkv"]), 0);
    for record in &records[..2] {
        let sizes = &record["streams"][0]["sizes"];
        assert_eq!(*sizes, json!([size(0, 64, 48), size(1000, 32, 24), size(2000, 64, 48)]), "{record}");
    }
    assert_eq!(records[2]["streams"][0].get("sizes"), None);
}

#[test]
fn a_picture_of_h264_that_changes_its_size() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A telephone that is turned, and turned back. No side is a multiple of 16.
    let video = Video::new(1, 10.0).codec(Codec::H264).start_ms(1564).key_every(4);
    let video = video.size(168, 90).resized(1000, 90, 168).resized(3000, 168, 90);
    let made = video.write(at("tidy.mkv")).unwrap();
    video.clone().sparse_sets().form(Form::Streamed).write(at("sparse.mkv")).unwrap();
    let cut = video.clone().sparse_sets().form(Form::Streamed).ending(Ending::InPacket(25));
    cut.write(at("cut.mkv")).unwrap();
    let mut names = vec!["tidy.mkv", "sparse.mkv", "cut.mkv"];
    if gstreamer::is_installed() {
        gstreamer::restream(&made, at("gstreamer.mkv")).unwrap();
        names.push("gstreamer.mkv");
    }
    let (records, _) = run(tool(&folder).arg("--files").args(&names), 0);
    let sizes = [size(1564, 168, 90), size(2564, 90, 168), size(4564, 168, 90)];
    for (name, record) in names.iter().zip(&records) {
        let expected = if *name == "cut.mkv" { &sizes[..2] } else { &sizes };
        let stream = &record["streams"][0];
        assert_eq!(stream["sizes"], json!(expected), "{name}: {record}");
        assert_eq!((&stream["width"], &stream["height"]), (&json!(168), &json!(90)), "{name}");
    }
    assert_eq!(records.len(), names.len());
}

#[test]
fn a_picture_of_h264_that_changes_its_size_at_once() {
    let folder = TempDir::new().unwrap();
    // ffprobe decodes some frames, and describes the stream as it is behind them.
    let video = Video::new(1, 10.0).codec(Codec::H264).start_ms(1564).key_every(10);
    let video = video.size(168, 90).resized(300, 90, 168);
    video.write(folder.path().join("every.mkv")).unwrap();
    video.sparse_sets().form(Form::Streamed).write(folder.path().join("sparse.mkv")).unwrap();
    let (records, _) = run(tool(&folder).args(["--files", "every.mkv", "sparse.mkv"]), 0);
    let streams: Vec<&Value> = records.iter().map(|record| &record["streams"][0]).collect();
    for stream in &streams {
        assert_eq!(stream["sizes"], json!([size(1564, 168, 90), size(1864, 90, 168)]), "{stream}");
    }
    assert_eq!(streams[0].get("independent_key_frames"), None);
    assert_eq!(streams[1]["independent_key_frames"], false);
}

#[test]
fn h264_of_one_size_as_ffmpeg_stores_it() {
    let folder = TempDir::new().unwrap();
    // The set stands in the file's head alone; before the first frame, 0.6 kB of x264's own.
    let picture = "-f lavfi -i testsrc=size=1920x1080:rate=10:duration=1 -c:v libx264 -preset ultrafast -g 4";
    ffmpeg(&folder, picture, "x264.mkv");
    // What joins files puts sets before key frames, behind those 0.6 kB.
    fs::write(folder.path().join("list"), "file x264.mkv\nfile x264.mkv\n").unwrap();
    ffmpeg(&folder, "-f concat -i list -c copy", "joined.mkv");
    let (records, _) = run(tool(&folder).args(["--files", "x264.mkv", "joined.mkv"]), 0);
    for record in &records {
        assert_eq!(record["streams"][0]["sizes"], json!([size(0, 1920, 1080)]), "{record}");
    }
}

#[test]
fn sound_and_what_it_starts_with() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, AUDIO, "mono.mka");
    ffmpeg(&folder, "-f lavfi -i sine=duration=1:sample_rate=48000 -c:a libopus", "opus.mka");
    let (records, _) = run(tool(&folder).args(["--files", "mono.mka", "opus.mka"]), 0);
    let stream = &records[0]["streams"][0];
    assert_eq!(
        (&stream["codec_name"], &stream["sample_rate"], &stream["channels"]),
        (&json!("pcm_mulaw"), &json!(8000), &json!(1))
    );
    assert_eq!(stream.get("width"), None);
    // Opus from ffmpeg starts before zero, by its encoder's delay.
    assert_eq!(records[1]["start_time_ms"], -7);
    assert_eq!(records[1]["streams"][0]["frame_interval_ms"], 20);
}

#[test]
fn gaps_are_listed_from_a_length_on() {
    let folder = TempDir::new().unwrap();
    let frames = "-f lavfi -i testsrc=size=64x48:rate=10:duration=6 -vf select='lt(t,2)+gte(t,5)' -fps_mode passthrough -c:v libvpx";
    ffmpeg(&folder, frames, "camera-off.mkv");
    let (records, _) = run(tool(&folder).args(["--files", "camera-off.mkv"]), 0);
    assert_eq!(records[0]["streams"][0]["gaps"], json!([{"start_ms": 1900, "end_ms": 5000}]));
    let (records, _) = run(tool(&folder).args(["--gaps", "3100", "--files", "camera-off.mkv"]), 0);
    assert_eq!(records[0]["streams"][0]["gaps"], json!([]));
}

#[test]
fn records_keep_their_bytes_and_their_order() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, AUDIO, "a.mka");
    ffmpeg(&folder, "-f lavfi -i sine=duration=200:sample_rate=48000 -c:a pcm_mulaw -ar 8000", "long.mka");
    let input = "\u{feff}{ \"sid\":\"RT1\",\"offset\":163481005731000000000000,\"path\":\"long.mka\", \"u\":[1.50] }\r\n\r\n\
        oops\n{\"sid\":\"RT2\",\"path\":\"a.mka\",\"start_time_ms\":99}\n";
    let output = tool(&folder).args(["-j", "3"]).write_stdin(input).assert().code(1).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let expected = "{ \"sid\":\"RT1\",\"offset\":163481005731000000000000,\"path\":\"long.mka\", \"u\":[1.50],\"start_time_ms\":0,";
    assert!(lines[0].starts_with(expected) && lines[0].ends_with(" }"), "{}", lines[0]);
    assert!(lines[1].contains("stdin:3: not a JSON object"), "{}", lines[1]);
    assert!(lines[2].starts_with("{\"sid\":\"RT2\",\"path\":\"a.mka\",\"start_time_ms\":0,"), "{}", lines[2]);

    let again = tool(&folder).write_stdin(text.clone()).assert().code(1).get_output().stdout.clone();
    assert_eq!(String::from_utf8(again).unwrap(), text);
}

#[test]
fn a_streamed_file_without_duration_or_cues() {
    let folder = TempDir::new().unwrap();
    let pipeline = "audiotestsrc num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 \
        ! opusenc ! matroskamux streamable=true ! filesink location=streamed.mka";
    let made = Plain::new("gst-launch-1.0")
        .current_dir(folder.path())
        .arg("-q")
        .args(pipeline.split_whitespace())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no gst-launch-1.0 with opusenc and matroskamux here");
        return;
    }
    let (records, said) = run(tool(&folder).args(["--files", "streamed.mka"]), 0);
    assert_eq!(said, "");
    let stream = &records[0]["streams"][0];
    let length = records[0]["duration_ms"].as_i64().unwrap();
    assert!((980..=1020).contains(&length), "{records:?}");
    assert_eq!((&stream["codec_name"], &stream["frame_interval_ms"]), (&json!("opus"), &json!(20)));
}

#[test]
fn of_a_file_that_breaks_off_what_is_whole_counts() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, VIDEO, "whole.mkv");
    let bytes = fs::read(folder.path().join("whole.mkv")).unwrap();
    fs::write(folder.path().join("cut.mkv"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    let (records, said) = run(tool(&folder).args(["--files", "cut.mkv"]), 0);
    assert!(said.contains("cut.mkv: File ended prematurely"), "{said}");
    let packets = records[0]["streams"][0]["packets"].as_i64().unwrap();
    assert!((5..20).contains(&packets), "{packets}");
    assert_eq!(records[0]["end_time_ms"], 1564 + 100 * (packets - 1));
}

#[test]
fn in_a_file_without_a_packet_nothing_was_recorded() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, "-f lavfi -i testsrc=size=64x48:rate=10 -frames:v 0 -c:v libvpx -f matroska", "none.mkv");
    let (records, said) = run(tool(&folder).args(["--files", "none.mkv"]), 0);
    assert_eq!((&records[0]["start_time_ms"], &records[0]["duration_ms"]), (&json!(null), &json!(0)));
    assert!(said.contains("none.mkv: no packet in it"), "{said}");
}

#[test]
fn what_lost_its_packets_is_no_recording_of_nothing() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, VIDEO, "whole.mkv");
    let bytes = fs::read(folder.path().join("whole.mkv")).unwrap();
    // In its head, and where the first frames would be.
    let cluster = bytes.windows(4).position(|four| four == [0x1f, 0x43, 0xb6, 0x75]).unwrap();
    for kept in [cluster / 2, cluster, cluster + 4] {
        let mut zeroed = bytes.clone();
        zeroed[kept..].fill(0);
        fs::write(folder.path().join("zeroed.mkv"), zeroed).unwrap();
        let (records, said) = run(tool(&folder).args(["--files", "zeroed.mkv"]), 1);
        let message = records[0]["error"]["message"].as_str().unwrap();
        assert_eq!(records[0]["error"]["kind"], "media", "{kept}");
        assert!(message.starts_with("zeroed.mkv holds no packet, but garbage from byte "), "{message}");
        assert!(said.contains("take it away and fetch it again"), "{said}");
        assert_eq!(records[0]["start_time_ms"], json!(null));
    }
    fs::write(folder.path().join("cut.mkv"), &bytes[..cluster / 2]).unwrap();
    let (_, said) = run(tool(&folder).args(["--files", "cut.mkv"]), 0);
    assert!(said.contains("cut.mkv: no packet in it"), "{said}");
}

#[test]
fn a_picture_without_a_key_frame_is_told() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.mkv"), "x").unwrap();
    for (flags, told) in [("__", true), ("K_", false)] {
        let says = format!(
            "echo 'packet|stream_index=0|pts_time=1.5|flags={flags}'\n\
             echo 'packet|stream_index=0|pts_time=1.6|flags=__'\necho 'format|start_time=1.5'"
        );
        let program = fake(&folder, &says);
        let (_, said) = run(tool(&folder).env("TW_FFPROBE", program).args(["--files", "a.mkv"]), 0);
        assert_eq!(said.contains("a.mkv: no key frame in it"), told, "{said}");
    }
}

#[test]
fn what_cannot_be_read_is_marked() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("empty.mka"), "").unwrap();
    fs::create_dir(folder.path().join("folder.mka")).unwrap();
    let input = r#"{"path":"gone.mka"}
{"path":"empty.mka"}
{"path":"folder.mka"}
{"path":null}
{"sid":"RT1"}
{"path":7}
{"path":"a\u0000b"}
{"path":""}
"#;
    let (records, said) = run(tool(&folder).write_stdin(input), 1);
    let errors: Vec<(&str, &str)> = records
        .iter()
        .map(|record| {
            (record["error"]["kind"].as_str().unwrap(), record["error"]["message"].as_str().unwrap())
        })
        .collect();
    for ((kind, message), (expected, part)) in errors.iter().zip([
        ("io", "cannot read gone.mka: No such file"),
        ("media", "empty.mka is empty"),
        ("io", "it is a folder"),
        ("field", "no path: run tw-fetch first"),
        ("field", "no path: run tw-fetch first"),
        ("field", "path is 7: "),
        ("io", "cannot read a"),
        ("field", "path is empty: run tw-fetch first"),
    ]) {
        assert_eq!(*kind, expected, "{message}");
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(errors.len(), 8);
    assert!(said.starts_with("tw-probe: cannot read gone.mka: "), "{said}");
    assert!(said.contains("tw-probe: stdin:4: no path: run tw-fetch first\n"), "{said}");
    assert!(said.contains("tw-probe: stdin:8: path is empty"), "{said}");
}

#[test]
fn only_matroska_is_opened() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, VIDEO, "secret.mkv");
    let wave = "-f lavfi -i sine=duration=1 -f wav";
    ffmpeg(&folder, wave, "sound.mka");
    for (name, text) in [
        ("playlist.mka", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.mkv\n#EXT-X-ENDLIST\n"),
        ("concat.mka", "ffconcat version 1.0\nfile secret.mkv\n"),
        (
            "svg.mka",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><image href=\"secret.mkv\"/></svg>",
        ),
        ("sdp.mka", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    // ffprobe's words for it have a line break in them.
    fs::copy(folder.path().join("playlist.mka"), folder.path().join("play\nlist.mka")).unwrap();
    for name in ["playlist.mka", "concat.mka", "svg.mka", "sdp.mka", "sound.mka", "play\nlist.mka"] {
        let (records, said) = run(tool(&folder).args(["--files", name]), 1);
        assert_eq!(records[0]["error"]["kind"], "media", "{name}");
        assert!(said.contains("is not a Matroska file"), "{name}: {said}");
    }
}

#[test]
fn names_are_only_names() {
    let folder = TempDir::new().unwrap();
    let names = [
        "-v.mka",
        "a:b.mka",
        "http:x.mka",
        "%d.mka",
        "new\nline.mka",
        "tab\t'\"|.mka",
        "file:x.mka",
        "ü 北.mka",
    ];
    for name in names {
        ffmpeg(&folder, AUDIO, name);
    }
    let (records, said) = run(tool(&folder).args(["--files", "--"]).args(names), 0);
    assert_eq!(said, "");
    assert_eq!(records.iter().map(|record| record["path"].as_str().unwrap()).collect::<Vec<_>>(), names);

    let name = std::ffi::OsString::from_vec(b"\xff.mka".to_vec());
    fs::write(folder.path().join(&name), "").unwrap();
    let assert = tool(&folder).arg("--files").arg(&name).assert().code(1);
    assert.stderr(contains("not UTF-8"));
}

#[test]
fn data_tracks_and_marked_records_are_handed_on() {
    let folder = TempDir::new().unwrap();
    let input = "{\"sid\":\"RT1\",\"type\":\"data\",\"path\":\"x\"}\n";
    let assert = tool(&folder).write_stdin(input).assert().code(0);
    assert.stdout(input).stderr(contains("1 record of type data handed on as it was"));
    let input = "{\"sid\":\"RT1\",\"path\":\"x\",\"error\":{\"tool\":\"tw-fetch\"}}\n";
    let assert = tool(&folder).write_stdin(input).assert().code(1);
    assert.stdout(input).stderr(contains("1 record that failed in an earlier step"));
    tool(&folder).write_stdin("").assert().code(0).stdout("");
}

#[test]
fn without_ffprobe_nothing_is_begun() {
    let folder = TempDir::new().unwrap();
    let assert = tool(&folder).env("PATH", folder.path()).write_stdin("{\"path\":\"x\"}").assert().code(2);
    assert.stdout("").stderr(contains("ffprobe not found: install ffmpeg"));
    let assert = tool(&folder).env("TW_FFPROBE", "/no/ffprobe").write_stdin("").assert().code(2);
    assert.stderr(contains("/no/ffprobe not found"));
}

#[test]
fn an_old_ffprobe_is_named_with_what_is_needed() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.mka"), "x").unwrap();
    for (says, expected) in [
        ("ffprobe version 3.4.11-0 Copyright", "is version 3.4.11-0, but 4.4 or newer is needed"),
        ("BusyBox v1.36", "doesn't answer like ffprobe"),
    ] {
        let does = format!("case $1 in -version) echo '{says}';; *) echo no >&2; exit 1;; esac");
        let ffprobe = fake(&folder, &does);
        let assert = tool(&folder).env("TW_FFPROBE", ffprobe).args(["--files", "a.mka"]).assert().code(2);
        assert.stderr(contains(expected));
    }
}

#[test]
fn an_ffprobe_that_hangs_is_ended() {
    let folder = TempDir::new().unwrap();
    // Opening a fifo that nobody writes to waits for ever.
    let hanging = fake(&folder, "mkfifo fifo.$$; read line < fifo.$$");
    fs::write(folder.path().join("a.mka"), "x").unwrap();
    let (records, said) =
        run(tool(&folder).env("TW_FFPROBE", hanging).args(["--stall", "1", "--files", "a.mka"]), 1);
    assert_eq!(records[0]["error"]["kind"], "ffmpeg");
    assert!(said.contains("gave no sign of life"), "{said}");
}

#[test]
fn an_ffprobe_that_fails_says_why_in_the_record_and_sees_no_credentials() {
    let folder = TempDir::new().unwrap();
    let failing =
        fake(&folder, "env > seen; yes babble | head -c 3000000 >&2; echo 'last words' >&2; kill -9 $$");
    fs::write(folder.path().join("a.mka"), "x").unwrap();
    let (records, _) = run(
        tool(&folder).env("TW_FFPROBE", failing).env("TWILIO_AUTH_TOKEN", "hush").args(["--files", "a.mka"]),
        1,
    );
    let message = records[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("killed by signal 9") && message.ends_with("last words"), "{message}");
    assert!(!fs::read_to_string(folder.path().join("seen")).unwrap().contains("hush"));
}

#[test]
fn a_full_disk_and_a_closed_pipe() {
    let folder = TempDir::new().unwrap();
    ffmpeg(&folder, AUDIO, "a.mka");
    let program = Path::new(env!("CARGO_BIN_EXE_tw-probe"));
    let run = |stdout: std::process::Stdio| {
        let mut command = Plain::new(program);
        command
            .current_dir(folder.path())
            .args(["--files", "a.mka", "a.mka"])
            .stdout(stdout)
            .output()
            .unwrap()
    };
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = run(full.into());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to stdout"));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run(writer.into());
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn help_teaches_by_examples_and_progress_can_be_logged() {
    let folder = TempDir::new().unwrap();
    tool(&folder).arg("--help").assert().code(0).stdout(contains("tw-probe --files media/*.mk?"));
    ffmpeg(&folder, AUDIO, "a.mka");
    let (_, said) = run(tool(&folder).args(["--progress", "always", "--files", "a.mka", "a.mka"]), 0);
    assert_eq!(said, "tw-probe: 2 of 2 files\n");
}
