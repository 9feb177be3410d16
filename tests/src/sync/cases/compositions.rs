//! Layouts as Twilio's Compositions take them.

use anyhow::Result;
use serde_json::json;
use tw_testsignal::{Audio, Cell, Rect, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case { name: "regions", about: "a picture in a picture, and a strip beside it", make: regions },
    Case {
        name: "regions_twice",
        about: "one track in two regions, the sound of who isn't shown",
        make: twice,
    },
    Case { name: "regions_later", about: "a request whose first source joins 2 s late", make: later },
];

/// Writes the layout and names it.
fn layout(scene: &mut Scene, layout: &serde_json::Value) -> Result<()> {
    std::fs::write(scene.path("layout.json"), layout.to_string())?;
    scene.flag("--layout=@layout.json");
    Ok(())
}

fn cell(x: u32, y: u32, width: u32, height: u32, id: tw_testsignal::TrackId) -> Cell {
    Cell::new(Rect { x, y, width, height }, [id])
}

fn regions(scene: &mut Scene) -> Result<()> {
    scene.audio("alice", 0, &Audio::new(1).start_ms(13))?;
    scene.video("alice", 100, &Video::new(1, 24.0).start_ms(40).lasting_ms(3800))?;
    // Bob lies upon alice for as long as she is there: the order of the regions
    // says nothing, z does.
    scene.audio("bob", 0, &Audio::new(2).start_ms(13))?;
    let bob = scene.video("bob", 0, &Video::new(2, 30.0).start_ms(40))?;
    let carol = scene.video("carol", 900, &Video::new(3, 15.0).start_ms(40).lasting_ms(2000))?;
    layout(
        scene,
        &json!({
            "a_small": {"x_pos": 200, "y_pos": 120, "width": 120, "height": 90, "z_pos": 3, "video_sources": ["bob*"]},
            "b_main": {"x_pos": 120, "width": 200, "z_pos": 1, "video_sources": ["alice*"]},
            "c_strip": {"width": 120, "height": 90, "z_pos": 2, "video_sources": ["*"],
                "video_sources_excluded": ["alice*", "bob*"]},
        }),
    )?;
    scene.expect(|c| c.cell(cell(200, 120, 120, 90, bob)).cell(cell(0, 0, 120, 90, carol)));
    Ok(())
}

fn twice(scene: &mut Scene) -> Result<()> {
    scene.audio("alice", 0, &Audio::new(1).start_ms(13))?;
    let alice = scene.video("alice", 0, &Video::new(1, 24.0).start_ms(40))?;
    scene.audio("bob", 410, &Audio::new(2).start_ms(13))?;
    layout(
        scene,
        &json!({
            "left": {"width": 160, "video_sources": ["*"]},
            "right": {"x_pos": 160, "video_sources": ["alice*"]},
        }),
    )?;
    scene.expect(|c| c.cell(cell(0, 0, 160, 240, alice)).cell(cell(160, 0, 160, 240, alice)));
    Ok(())
}

/// The gap before the first source is always cut.
fn later(scene: &mut Scene) -> Result<()> {
    const LATE_MS: i64 = 2000;
    scene.audio("alice", 0, &Audio::new(1).start_ms(13).lasting_ms(1000).bursts([]))?;
    let bob = scene.video("bob", LATE_MS, &Video::new(2, 30.0).start_ms(13))?;
    layout(scene, &json!({"VideoLayout": {"all": {"video_sources": ["*"]}}, "Trim": false}))?;
    scene.expect(|c| c.silent().start_ms(2000.0).frames(120).cell(cell(0, 0, 320, 240, bob)));
    Ok(())
}
