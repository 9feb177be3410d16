//! Pictures of any size and shape, and of changing ones: WebRTC adapts them to
//! the bandwidth, and a phone is turned.

use anyhow::Result;
use tw_testsignal::{Audio, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case { name: "smaller", about: "640x480 becomes 320x240 in mid-stream", make: smaller },
    Case { name: "larger", about: "160x120 becomes 640x480 in mid-stream", make: larger },
    Case { name: "size_every_two_seconds", about: "another size every 2 s", make: size_every_two_seconds },
    Case { name: "phone_is_turned", about: "portrait to landscape and back", make: phone_is_turned },
    Case {
        name: "portrait_in_a_flat_cell",
        about: "360x640 in a cell of 320x120",
        make: portrait_in_a_flat_cell,
    },
    Case { name: "odd_sizes", about: "321x241, then 175x143", make: odd_sizes },
    Case { name: "pixel_aspect", about: "pixels of 4:3", make: pixel_aspect },
];

/// Alice with that picture, and bob.
fn alice_and_bob(scene: &mut Scene, picture: &Video) -> Result<()> {
    let alice = scene.video("alice", 5000, picture)?;
    scene.audio("alice", 4990, &Audio::new(1))?;
    let bob = scene.bob(5700)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn smaller(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Video::new(1, 24.0).size(640, 480).resized(1500, 320, 240))
}

fn larger(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Video::new(1, 24.0).size(160, 120).resized(2100, 640, 480))
}

fn size_every_two_seconds(scene: &mut Scene) -> Result<()> {
    let picture = Video::new(1, 30.0).lasting_ms(7000).size(320, 240);
    alice_and_bob(scene, &picture.resized(2000, 480, 360).resized(4000, 240, 180).resized(6000, 480, 270))
}

fn phone_is_turned(scene: &mut Scene) -> Result<()> {
    let picture = Video::new(1, 30.0).size(180, 320);
    alice_and_bob(scene, &picture.resized(1300, 320, 180).resized(2600, 180, 320))
}

fn portrait_in_a_flat_cell(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 30.0).size(360, 640))?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(700)?;
    scene.flag("--layout=column");
    scene.cells(1, 2, 0, [[alice], [bob]]);
    Ok(())
}

fn odd_sizes(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Video::new(1, 30.0).size(321, 241).resized(2000, 175, 143))
}

fn pixel_aspect(scene: &mut Scene) -> Result<()> {
    alice_and_bob(scene, &Video::new(1, 30.0).size(240, 240).pixel_aspect(4, 3))
}
