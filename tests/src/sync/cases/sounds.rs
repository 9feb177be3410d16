//! Voices with holes, of other codecs, and by other clocks.

use anyhow::Result;
use tw_testsignal::audio::Codec;
use tw_testsignal::{Audio, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case { name: "one_packet_lost", about: "20 ms of sound missing", make: one_packet_lost },
    Case { name: "many_small_losses", about: "17 holes of 60 ms in the sound", make: many_small_losses },
    Case { name: "sound_off", about: "no sound for 2.5 s", make: sound_off },
    Case { name: "muted_for_minutes", about: "no sound for two minutes", make: muted_for_minutes },
    Case {
        name: "silent_microphone",
        about: "DTX: one packet every 400 ms while nobody speaks",
        make: silent_microphone,
    },
    Case {
        name: "drifting_clocks",
        about: "senders' clocks that are 100 ppm slow and fast, for 150 s",
        make: drifting_clocks,
    },
    Case { name: "stereo", about: "two channels beside one", make: stereo },
    Case { name: "pcmu", about: "G.711 at 8 kHz", make: pcmu },
    Case { name: "before_zero", about: "a first packet at -7 ms", make: before_zero },
    Case { name: "all_speak", about: "four voices at 0.8 of full scale at the same times", make: all_speak },
];

/// Alice with that voice, and bob.
fn alice_and_bob(scene: &mut Scene, voice: &Audio) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 15.0).start_ms(20))?;
    scene.audio("alice", 0, voice)?;
    let bob = scene.bob(457)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn one_packet_lost(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Audio::new(1).without(1400..1420))
}

fn many_small_losses(scene: &mut Scene) -> Result<()> {
    let voice = (0..17).fold(Audio::new(1).lasting_ms(6000), |voice, i| {
        let from = 400 + 300 * i;
        voice.without(from..from + 60)
    });
    // Between two losses there is just time for a burst.
    alice_and_bob(scene, &voice.bursts((0..18).map(|i| f64::from(220 + 300 * i))))
}

fn sound_off(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Audio::new(1).lasting_ms(6000).without(1500..4000))
}

fn muted_for_minutes(scene: &mut Scene) -> Result<()> {
    scene.fps("5", 5.0);
    let bursts = [200.0, 3000.0, 126_000.0, 127_000.0];
    alice_and_bob(scene, &Audio::new(1).lasting_ms(128_000).bursts(bursts).without(5000..125_000))
}

fn silent_microphone(scene: &mut Scene) -> Result<()> {
    let voice = (0..8).fold(Audio::new(1).lasting_ms(6000), |voice, i| {
        let from = 1020 + 400 * i;
        voice.without(from..from + 380)
    });
    alice_and_bob(scene, &voice)
}

fn drifting_clocks(scene: &mut Scene) -> Result<()> {
    scene.fps("5", 5.0);
    scene.tolerance.sound_ms = 10.0;
    let bursts = |every: i32| (0..150_000 / every).map(move |i| f64::from(200 + every * i));
    for (who, number, drift_ppm) in [("slow", 1, 100.0), ("fast", 3, -100.0)] {
        let voice = Audio::new(number).lasting_ms(150_000).drift_ppm(drift_ppm).bursts(bursts(5000));
        scene.audio(who, 0, &voice)?;
    }
    // What all have in common is told by him, who speaks most.
    scene.audio("right", 0, &Audio::new(5).lasting_ms(150_000).bursts(bursts(1000)))?;
    let bob = scene.bob(457)?;
    scene.grid([[bob]]);
    Ok(())
}

fn stereo(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Audio::new(1).codec(Codec::OpusStereo))
}

fn pcmu(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Audio::new(1).codec(Codec::Pcmu).without(1900..2000))
}

fn before_zero(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Audio::new(1).codec_delay().start_ms(-7))
}

fn all_speak(scene: &mut Scene) -> Result<()> {
    let mut cells = Vec::new();
    for number in 1..=4 {
        let who = format!("p{number}");
        cells.push([scene.video(&who, 0, &Video::new(number, 15.0))?]);
        scene.audio(&who, 0, &Audio::new(number).amplitude(0.8))?;
    }
    scene.grid(cells);
    // Four of them don't fit: the limiter has to lower all, by up to 4 x 0.8 / 0.95.
    scene.tolerance.level_db = 10.6;
    Ok(())
}
