//! Pictures that come when they come: WebRTC has no frame rate.

use anyhow::Result;
use tw_testsignal::{Audio, Gaps, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case { name: "camera_off", about: "no frames for 3 s; the last one stays", make: camera_off },
    Case { name: "camera_off_black", about: "no frames for 3 s; --gap black", make: camera_off_black },
    Case {
        name: "irregular_frames",
        about: "every frame up to 45 % of an interval off its time",
        make: irregular_frames,
    },
    Case {
        name: "four_frame_rates",
        about: "5, 15, 24 and 60 frames a second in one room",
        make: four_frame_rates,
    },
    Case { name: "output_at_25", about: "--fps 25", make: output_at_25 },
    Case { name: "output_at_ntsc", about: "--fps 29.97", make: output_at_ntsc },
];

fn camera_off(scene: &mut Scene) -> Result<()> {
    let picture = Video::new(1, 30.0).start_ms(1564).lasting_ms(6000).without(1500..4500);
    let alice = scene.video("alice", 100, &picture)?;
    scene.audio("alice", 100, &Audio::new(1).start_ms(1520).lasting_ms(6000))?;
    let bob = scene.bob(2900)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn camera_off_black(scene: &mut Scene) -> Result<()> {
    camera_off(scene)?;
    scene.flag("--gap=black");
    scene.expect(|composition| composition.gaps(Gaps::Black { longer_than_ms: 1000.0 }));
    Ok(())
}

fn irregular_frames(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 24.0).jitter(1, 0.45))?;
    scene.audio("alice", 0, &Audio::new(1).lasting_ms(5000))?;
    let bob = scene.video("bob", 333, &Video::new(2, 15.0).jitter(2, 0.45))?;
    scene.audio("bob", 333, &Audio::new(2))?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn four_frame_rates(scene: &mut Scene) -> Result<()> {
    let mut cells = Vec::new();
    for (number, fps, offset_ms) in [(1, 5.0, 0), (2, 15.0, 211), (3, 24.0, 477), (4, 60.0, 705)] {
        let who = format!("at {fps}");
        cells.push([scene.video(&who, offset_ms, &Video::new(number, fps))?]);
        scene.audio(&who, offset_ms, &Audio::new(number))?;
    }
    scene.grid(cells);
    Ok(())
}

fn output_at_25(scene: &mut Scene) -> Result<()> {
    tidy(scene)?;
    scene.fps("25", 25.0);
    Ok(())
}

fn output_at_ntsc(scene: &mut Scene) -> Result<()> {
    tidy(scene)?;
    scene.fps("29.97", 30000.0 / 1001.0);
    Ok(())
}

fn tidy(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 30.0))?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(711)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}
