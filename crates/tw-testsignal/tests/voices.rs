//! Sixteen voices at once are told apart, after Opus at 64 kb/s too.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use tw_testsignal::{Audio, Composition, Room, Tolerance, ffmpeg, measure};

#[test]
fn sixteen_voices_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut room = Room::new(3);
    let mut arguments = Vec::new();
    let mut graph = String::new();
    for number in 0..16u8 {
        let path = folder.path().join(format!("{number}.mka"));
        // All sound together at 500 ms, and each by itself.
        let bursts = [500.0, 800.0 + 90.0 * f64::from(number)];
        let voice = Audio::new(number).lasting_ms(2500).amplitude(0.05).bursts(bursts);
        room.add(&format!("voice{number}"), 0, voice.write(&path).unwrap());
        arguments.extend(["-i".to_owned(), path.to_str().unwrap().to_owned()]);
        graph += &format!("[{number}:a]");
    }
    graph += "amix=inputs=16:normalize=0";
    // Of AAC, mp4 says how much of its beginning isn't to be played; Matroska doesn't.
    for (name, codec) in [("mix.mkv", "libopus -b:a 64k"), ("mix.mp4", "aac -b:a 64k")] {
        let output = folder.path().join(name);
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["-filter_complex", &graph, "-c:a"]);
        arguments.extend(codec.split(' ').chain(["-y", output.to_str().unwrap()]));
        ffmpeg::pipe(&arguments, |_| Ok(())).unwrap();
        let composition = Composition::new(&output, 30.0);
        let report = measure(&room, &composition, &Tolerance::default()).unwrap();
        eprintln!("{codec}\n{report}");
        assert_eq!(report.violations, [""; 0]);
        assert_eq!(report.voices.len(), 16);
        for voice in &report.voices {
            assert_eq!(voice.expected, 2);
            assert!(voice.errors.max_ms < 0.5 && voice.errors.min_ms > -0.5, "{}", voice.name);
        }
    }
}
