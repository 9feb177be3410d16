//! What ffprobe and ffmpeg make of the recordings.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use serde_json::Value;
use tw_testsignal::code::{Code, grid};
use tw_testsignal::{
    Audio, Content, Ending, Form, Frame, Recording, Room, Video, audio, ffmpeg, gstreamer, video,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn packet_times(recording: &Recording) -> Vec<i64> {
    let answer = ffmpeg::probe(&recording.path, &["-show_packets"]).unwrap();
    let packets = answer["packets"].as_array().unwrap();
    packets.iter().map(|packet| packet["pts"].as_i64().unwrap()).collect()
}

fn probe(recording: &Recording) -> (Value, Value) {
    let answer = ffmpeg::probe(&recording.path, &["-show_format", "-show_streams"]).unwrap();
    (answer["format"].clone(), answer["streams"][0].clone())
}

fn frames(recording: &Recording) -> &[Frame] {
    match &recording.content {
        Content::Video { frames, .. } => frames,
        Content::Audio { .. } => panic!("a voice"),
    }
}

/// Decodes a video of frames of one size and checks each frame's code.
fn check_codes(recording: &Recording, width: usize, height: usize) {
    let mut left = frames(recording).iter();
    let raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray"];
    ffmpeg::decode(&recording.path, &[], &raw, width * height, |luma| {
        let (columns, rows) = grid(width, height);
        let squares: Vec<f64> = (0..columns * rows)
            .map(|i| {
                let x = (2 * (i % columns) + 1) * width / (2 * columns);
                let y = (2 * (i / columns) + 1) * height / (2 * rows);
                f64::from(luma[y * width + x])
            })
            .collect();
        let time_ms = left.next().unwrap().time_ms as u32;
        let number = recording.number;
        assert_eq!(Code::read(&squares, columns), Some(Code { number, time_ms }));
        Ok(())
    })
    .unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn frames_lie_where_they_were_put() {
    let folder = folder();
    for codec in [video::Codec::Vp8, video::Codec::H264] {
        for form in [Form::Tidy, Form::Streamed] {
            let video = Video::new(3, 30.0).codec(codec).form(form).start_ms(1564).lasting_ms(2500);
            let video = video.size(160, 120).jitter(5, 0.4).without(1000..2000).key_every(20);
            let video = video.write(folder.path().join("video.mkv")).unwrap();
            let times: Vec<i64> = frames(&video).iter().map(|frame| frame.time_ms).collect();
            assert_eq!(packet_times(&video), times);
            assert!(times.windows(2).any(|pair| pair[1] - pair[0] > 900));
            let (format, stream) = probe(&video);
            assert_eq!(format["start_time"], "1.564000");
            assert_eq!(format["duration"].is_null(), form == Form::Streamed);
            assert_eq!((&stream["width"], &stream["height"]), (&160.into(), &120.into()));
            check_codes(&video, 160, 120);
        }
    }
}

#[test]
fn only_sizes_and_intervals_make_key_frames() {
    let folder = folder();
    let key_times = |video: Video| {
        let video = video.write(folder.path().join("keys.mkv")).unwrap();
        let answer = ffmpeg::probe(&video.path, &["-show_packets"]).unwrap();
        let packets = answer["packets"].as_array().unwrap().clone();
        let keys = packets.iter().filter(|packet| packet["flags"].as_str().unwrap().starts_with('K'));
        keys.map(|packet| packet["pts"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let video = Video::new(3, 10.0).size(160, 120);
    assert_eq!(key_times(video.clone()), [0]);
    assert_eq!(key_times(video.clone().resized(1000, 121, 161).resized(3000, 64, 48)), [0, 1000, 3000]);
    assert_eq!(key_times(video.key_every(15)), [0, 1500, 3000]);
}

#[test]
fn a_tidy_file_can_be_sought_in() {
    let folder = folder();
    let video = Video::new(3, 10.0).size(160, 120).key_every(10).start_ms(500);
    let video = video.write(folder.path().join("video.mkv")).unwrap();
    let answer = ffmpeg::probe(&video.path, &["-show_packets", "-read_intervals", "2.7%+#1"]).unwrap();
    assert_eq!(answer["packets"][0]["pts"], 2500);
    assert_eq!(probe(&video).0["duration"], "4.400000");
}

#[test]
fn a_file_cut_off_keeps_what_is_whole() {
    let folder = folder();
    let video = Video::new(3, 10.0).form(Form::Streamed).ending(Ending::InPacket(25));
    let video = video.write(folder.path().join("cut.mkv")).unwrap();
    assert_eq!(packet_times(&video).len(), 25);
    assert_eq!((frames(&video).len(), video.span.unwrap().end_ms), (25, 2400));
}

#[test]
fn a_file_without_packets_has_no_place() {
    let folder = folder();
    let write = |form, ending| {
        let video = Video::new(3, 10.0).form(form).ending(ending);
        video.write(folder.path().join("none.mkv")).unwrap()
    };
    for form in [Form::Tidy, Form::Streamed] {
        let empty = write(form, Ending::EmptyCluster);
        let (format, stream) = probe(&empty);
        assert!(format["start_time"].is_null() && stream["codec_name"] == "vp8");
        assert_eq!((packet_times(&empty), frames(&empty), empty.span), (vec![], &[][..], None));

        let none = write(form, Ending::NoPacket);
        let refused = ffmpeg::probe(&none.path, &["-show_format"]).unwrap_err();
        assert!(refused.to_string().ends_with("End of file"), "{refused}");
        let mut room = Room::new(1);
        let id = room.add("alice", 5, none);
        assert!(room.record(id)["relative_offset_ms"].is_null());
    }
}

#[test]
fn gstreamer_writes_the_same_packets_and_the_same_kind_of_file() {
    if !gstreamer::is_installed() {
        eprintln!("passed over: there is no gst-launch-1.0");
        return;
    }
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let video = Video::new(3, 24.0).start_ms(1564).without(1000..2000);
    let ours = video.clone().form(Form::Streamed).write(at("ours.mkv")).unwrap();
    let theirs = gstreamer::restream(&video.write(at("tidy.mkv")).unwrap(), at("gst.mkv")).unwrap();
    assert_eq!(packet_times(&theirs), packet_times(&ours));
    assert_eq!(top_elements(&ours), top_elements(&theirs));
    assert!(probe(&theirs).0["duration"].is_null());
    check_codes(&theirs, 320, 240);

    let voice = Audio::new(3).start_ms(300).without(1000..2000).write(at("voice.mka")).unwrap();
    let theirs = gstreamer::restream(&voice, at("gst.mka")).unwrap();
    assert_eq!(packet_times(&theirs), packet_times(&voice));
    assert!(onset_errors(&theirs).iter().all(|error| error.abs() < 0.2));
}

/// Ids and sizes (`None`: unknown) of the segment and what is in it, other than
/// tags, up to the first cluster.
fn top_elements(recording: &Recording) -> Vec<(u32, Option<u64>)> {
    let bytes = std::fs::read(&recording.path).unwrap();
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte))
    };
    let (mut at, mut elements) = (0, Vec::new());
    loop {
        let id_length = bytes[at].leading_zeros() as usize + 1;
        let id = number(at, id_length) as u32;
        let size_length = bytes[at + id_length].leading_zeros() as usize + 1;
        let mask = (1 << (7 * size_length)) - 1;
        let size = number(at + id_length, size_length) & mask;
        at += id_length + size_length;
        let known = (size != mask).then_some(size);
        // Sizes of the segment and its clusters are what streaming leaves open.
        let is_open = matches!(id, 0x1853_8067 | 0x1F43_B675);
        if id != 0x1254_C367 {
            elements.push((id, known.filter(|_| is_open)));
        }
        match id {
            0x1853_8067 => {}
            0x1F43_B675 => return elements,
            _ => at += size as usize,
        }
    }
}

#[test]
fn a_single_frame_and_pixels_that_are_not_square() {
    let folder = folder();
    let frame = Frame { time_ms: 700, width: 180, height: 120 };
    let video = Video::new(9, 30.0).frames(vec![frame]).pixel_aspect(4, 3);
    let video = video.write(folder.path().join("one.mkv")).unwrap();
    assert_eq!(packet_times(&video), [700]);
    assert_eq!(probe(&video).1["sample_aspect_ratio"], "4:3");
    check_codes(&video, 180, 120);
}

#[test]
fn a_voice_has_packets_where_they_were_put() {
    let folder = folder();
    let write = |voice: Audio| voice.write(folder.path().join("voice.mka")).unwrap();

    let plain = write(Audio::new(3).start_ms(1520).lasting_ms(1000).without(400..500));
    let expected: Vec<i64> = (0..50).map(|k| 1520 + 20 * k).filter(|t| !(1920..2020).contains(t)).collect();
    assert_eq!(packet_times(&plain), expected);
    assert_eq!(probe(&plain).0["start_time"], "1.520000");
    assert_eq!(plain.span.unwrap().duration_ms(), 980);

    let early = write(Audio::new(3).start_ms(-7).codec_delay().lasting_ms(200));
    assert_eq!(probe(&early).0["start_time"], "-0.007000");
    assert_eq!((packet_times(&early)[0], early.span.unwrap().end_ms), (-7, 173));

    let slow = write(Audio::new(3).lasting_ms(30_000).drift_ppm(100.0));
    assert_eq!(slow.span.unwrap().end_ms, 29_983);
    assert_eq!(packet_times(&slow).last(), Some(&29_983));
}

/// Bursts of a recording as they are heard when it is decoded by itself, less
/// their places.
fn onset_errors(voice: &Recording) -> Vec<f64> {
    use tw_testsignal::measure::voice::Voice;
    let Content::Audio { bursts_ms, amplitude, .. } = &voice.content else { panic!("a picture") };
    let mut ear = Voice::new(voice.number, 0.35 * amplitude);
    let fill = "aresample=48000:async=1:min_hard_comp=0.01:first_pts=0";
    let raw = ["-af", fill, "-ac", "1", "-f", "f32le"];
    ffmpeg::decode(&voice.path, &["-copyts"], &raw, 1920, |bytes| {
        let samples = bytes.chunks_exact(4);
        let samples = samples.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        ear.push(&samples.collect::<Vec<_>>());
        Ok(())
    })
    .unwrap();
    let onsets = ear.finish();
    assert_eq!(onsets.len(), bursts_ms.len(), "{onsets:?}, expected {bursts_ms:?}");
    onsets.iter().zip(bursts_ms).map(|(onset, place)| onset.at_ms - place).collect()
}

#[test]
fn bursts_sound_where_they_were_put() {
    let folder = folder();
    let voices = [
        ("mono", Audio::new(0)),
        ("stereo", Audio::new(40).codec(audio::Codec::OpusStereo).start_ms(300)),
        ("highest", Audio::new(63)),
        ("pcmu", Audio::new(28).codec(audio::Codec::Pcmu).start_ms(100)),
        ("delay", Audio::new(5).start_ms(-7).codec_delay()),
        ("gaps", Audio::new(6).without(400..420).without(1000..1600).without(2500..2560)),
        ("drift", Audio::new(7).drift_ppm(-100.0).lasting_ms(8000)),
        ("own", Audio::new(8).bursts([333.3, 1234.5, 3000.25]).form(Form::Streamed)),
    ];
    for (name, voice) in voices {
        let voice = voice.write(folder.path().join("voice.mka")).unwrap();
        let errors = onset_errors(&voice);
        eprintln!("{name}: {errors:.2?}");
        assert!(errors.len() >= 3, "{name}");
        // A resampler takes up drift in steps.
        let allowed = if name == "drift" { 10.0 } else { 0.2 };
        assert!(errors.iter().all(|error| error.abs() < allowed), "{name}: {errors:?}");
    }
}

#[test]
fn what_cannot_be_made_is_refused() {
    let folder = folder();
    let path = folder.path().join("none");
    assert!(Video::new(64, 30.0).write(&path).is_err());
    assert!(Video::new(1, 30.0).start_ms(-1).write(&path).is_err());
    assert!(Video::new(1, 30.0).frames(vec![]).write(&path).is_err());
    assert!(Audio::new(40).codec(audio::Codec::Pcmu).write(&path).is_err());
    assert!(Audio::new(1).start_ms(-7).write(&path).is_err());
    assert!(!path.exists());
}
