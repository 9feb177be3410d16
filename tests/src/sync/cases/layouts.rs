//! Who is seen where, and which part of the room.

use anyhow::Result;
use tw_testsignal::{Audio, Cell, Composition, Rect, TrackId, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case { name: "row", about: "--layout row", make: row },
    Case { name: "column", about: "--layout column", make: column },
    Case { name: "focus", about: "--layout focus=bob-video", make: focus },
    Case {
        name: "background_and_cell_gap",
        about: "--background #606060 --cell-gap 8",
        make: background_and_cell_gap,
    },
    Case { name: "window", about: "--start 1.5 --end 3.75", make: window },
    Case {
        name: "window_off_the_grid",
        about: "--start 1.517, within a pause of the camera and of the sound",
        make: window_off_the_grid,
    },
    Case { name: "audio_only", about: "--audio-only", make: audio_only },
    Case { name: "mp4", about: "H.264 and AAC in mp4", make: mp4 },
    Case { name: "mkv", about: "VP8 and Opus in mkv", make: mkv },
];

/// Alice, bob 0.41 s later, and carol 1.3 s later, who has gone when it ends.
fn three(scene: &mut Scene) -> Result<[TrackId; 3]> {
    let mut videos = Vec::new();
    for (who, number, offset_ms, lasting_ms) in
        [("alice", 1, 0, 5000), ("bob", 2, 410, 4000), ("carol", 3, 1300, 2000)]
    {
        scene.audio(who, offset_ms, &Audio::new(number).start_ms(13).lasting_ms(lasting_ms))?;
        let picture = Video::new(number, 24.0).start_ms(40).lasting_ms(lasting_ms);
        videos.push(scene.video(who, offset_ms, &picture)?);
    }
    Ok([videos[0], videos[1], videos[2]])
}

fn row(scene: &mut Scene) -> Result<()> {
    let three = three(scene)?;
    scene.flag("--layout=row");
    scene.cells(3, 1, 0, three.map(|id| [id]));
    Ok(())
}

fn column(scene: &mut Scene) -> Result<()> {
    let three = three(scene)?;
    scene.flag("--layout=column");
    scene.cells(1, 3, 0, three.map(|id| [id]));
    Ok(())
}

fn focus(scene: &mut Scene) -> Result<()> {
    let [alice, bob, carol] = three(scene)?;
    scene.flag("--layout=focus=bob-video");
    let cell = |x, y, width, height, id| Cell::new(Rect { x, y, width, height }, [id]);
    scene.expect(|composition| {
        composition
            .cell(cell(0, 0, 320, 192, bob))
            .cell(cell(0, 192, 160, 48, alice))
            .cell(cell(160, 192, 160, 48, carol))
    });
    Ok(())
}

fn background_and_cell_gap(scene: &mut Scene) -> Result<()> {
    let three = three(scene)?;
    scene.flags.extend(["--background=#606060".to_owned(), "--cell-gap=8".to_owned()]);
    scene.expect(|composition| composition.background(0x60));
    scene.cells(2, 2, 8, three.map(|id| [id]));
    Ok(())
}

fn window(scene: &mut Scene) -> Result<()> {
    let three = three(scene)?;
    scene.grid(three.map(|id| [id]));
    scene.flags.extend(["--start=1.5".to_owned(), "--end=3.75".to_owned()]);
    scene.expect(|composition| composition.start_ms(1500.0).frames(68));
    Ok(())
}

fn window_off_the_grid(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 30.0).without(1000..2500))?;
    scene.audio("alice", 0, &Audio::new(1).without(1100..2400))?;
    let bob = scene.bob(500)?;
    scene.grid([[alice], [bob]]);
    scene.flag("--start=1.517");
    // The room lasts until 4540 ms.
    scene.expect(|composition| composition.start_ms(1517.0).frames(91));
    Ok(())
}

fn audio_only(scene: &mut Scene) -> Result<()> {
    three(scene)?;
    scene.flag("--audio-only");
    scene.composition.size = None;
    Ok(())
}

fn in_format(scene: &mut Scene, ending: &str) -> Result<()> {
    let three = three(scene)?;
    scene.grid(three.map(|id| [id]));
    let path = scene.path(&format!("room.{ending}"));
    scene.expect(|composition| Composition { path, ..composition });
    Ok(())
}

fn mp4(scene: &mut Scene) -> Result<()> {
    in_format(scene, "mp4")
}

fn mkv(scene: &mut Scene) -> Result<()> {
    in_format(scene, "mkv")
}
