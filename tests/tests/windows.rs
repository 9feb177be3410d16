//! Windows of a room, as they are made to be joined again.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use tw_tests::environment::Environment;
use tw_tests::sync::{Scene, run};
use tw_testsignal::{Audio, Video, ffmpeg};

/// The samples of one channel of the sound, at 48 kHz.
fn sound(scene: &Scene) -> Vec<i16> {
    let mut decode = Command::new(ffmpeg::ffmpeg());
    decode.args(["-v", "error", "-nostdin", "-i"]).arg(&scene.composition.path);
    decode.args(["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]);
    let decoded = decode.output().unwrap();
    assert!(decoded.status.success(), "{}", String::from_utf8_lossy(&decoded.stderr));
    decoded.stdout.chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect()
}

/// What joins files takes the first one's streams for those of all.
#[test]
fn one_in_which_nobody_speaks_yet_is_silent() {
    let environment = Environment::new().unwrap();
    let mut scene = Scene::new(environment.folder(), 1);
    scene.video("alice", 0, &Video::new(1, 24.0).lasting_ms(4000)).unwrap();
    scene.audio("alice", 2000, &Audio::new(1).lasting_ms(2000)).unwrap();
    let placed = run::places(&environment, scene.fetched().as_bytes()).unwrap().stdout;
    for (window, is_silent) in [(["--start=0", "--end=1.5"], true), (["--start=1.5", "--end=3"], false)] {
        for chunk in ["--chunk=0", "--chunk=0.5"] {
            let mut windowed = Scene::new(environment.folder(), 1);
            window.into_iter().chain([chunk, "-y"]).for_each(|flag| windowed.flag(flag));
            let composed = run::compose(&environment, &windowed, &placed).unwrap();
            assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
            let heard = sound(&windowed);
            assert!(heard.len().abs_diff(72_000) < 480, "{window:?}: {} samples", heard.len());
            assert_eq!(heard.iter().all(|sample| sample.abs() < 3), is_silent, "{window:?}");
        }
    }
}
