//! Who is in the room, and when.

use anyhow::Result;
use serde_json::json;
use tw_testsignal::{Audio, TrackId, Video};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case {
        name: "late_and_early",
        about: "one joins 2.3 s late, another leaves 2.3 s early",
        make: late_and_early,
    },
    Case { name: "rejoin", about: "leaves and comes back with new tracks: the same cell", make: rejoin },
    Case {
        name: "rejoin_by_identity",
        about: "comes back as another participant of the same identity: the same cell",
        make: rejoin_by_identity,
    },
    Case {
        name: "camera_and_screen",
        about: "two pictures of one participant at once: two cells",
        make: camera_and_screen,
    },
    Case {
        name: "room_recovery",
        about: "another offset on later tracks, offsets beyond 32 bits",
        make: room_recovery,
    },
    Case { name: "nobody_seen", about: "sound only", make: nobody_seen },
    Case { name: "nobody_heard", about: "picture only", make: nobody_heard },
    Case { name: "alone", about: "one participant", make: alone },
    Case { name: "sixteen", about: "16 participants", make: sixteen },
    Case { name: "fifty", about: "50 participants with short stays, three at once", make: fifty },
    Case {
        name: "ten_minutes_of_nobody",
        about: "nobody for ten minutes in the middle",
        make: ten_minutes_of_nobody,
    },
    Case { name: "data_tracks", about: "two data tracks, passed over", make: data_tracks },
];

/// A participant with a picture and a voice for that long.
fn join(scene: &mut Scene, who: &str, number: u8, offset_ms: i64, lasting_ms: i64) -> Result<TrackId> {
    let voice = Audio::new(number).start_ms(13).lasting_ms(lasting_ms);
    scene.audio(who, offset_ms, &voice)?;
    scene.video(who, offset_ms, &Video::new(number, 24.0).start_ms(40).lasting_ms(lasting_ms))
}

fn late_and_early(scene: &mut Scene) -> Result<()> {
    let alice = join(scene, "alice", 1, 0, 2700)?;
    let bob = join(scene, "bob", 2, 0, 5000)?;
    let carol = join(scene, "carol", 3, 2300, 2700)?;
    // Alice has gone when carol comes only by 0.4 s: three at once.
    scene.grid([[alice], [bob], [carol]]);
    Ok(())
}

fn rejoin(scene: &mut Scene) -> Result<()> {
    let alice = join(scene, "alice", 1, 0, 5500)?;
    let bob = join(scene, "bob", 2, 300, 1500)?;
    let again = join(scene, "bob", 3, 3200, 1500)?;
    scene.grid([vec![alice], vec![bob, again]]);
    Ok(())
}

fn rejoin_by_identity(scene: &mut Scene) -> Result<()> {
    let alice = join(scene, "alice", 1, 0, 5500)?;
    let bob = join(scene, "bob", 2, 300, 1500)?;
    let again = join(scene, "bob on his phone", 3, 3200, 1500)?;
    scene.identify(alice, "alice@example.org");
    scene.identify(bob, "bob@example.org");
    scene.identify(again, "bob@example.org");
    scene.grid([vec![alice], vec![bob, again]]);
    Ok(())
}

fn camera_and_screen(scene: &mut Scene) -> Result<()> {
    let camera = join(scene, "alice", 1, 0, 4500)?;
    let screen = Video::new(2, 5.0).size(480, 270).lasting_ms(2500);
    let screen = scene.video("alice", 1200, &screen)?;
    let bob = join(scene, "bob", 3, 500, 3000)?;
    scene.grid([[camera], [bob], [screen]]);
    Ok(())
}

fn room_recovery(scene: &mut Scene) -> Result<()> {
    let base = 163_481_005_731;
    let alice = scene.video("alice", base, &Video::new(1, 24.0).start_ms(1564).lasting_ms(2000))?;
    scene.audio("alice", base, &Audio::new(1).start_ms(1544).lasting_ms(2000))?;
    // After the recovery the tracks' clocks begin anew, and their offset is another.
    let again = scene.video("alice", base + 4700, &Video::new(2, 24.0).start_ms(20).lasting_ms(2000))?;
    scene.audio("alice", base + 4700, &Audio::new(2).lasting_ms(2000))?;
    let bob = scene.video("bob", base, &Video::new(3, 15.0).start_ms(2309).lasting_ms(4000))?;
    scene.audio("bob", base, &Audio::new(3).start_ms(2309).lasting_ms(4000))?;
    scene.grid([vec![alice, again], vec![bob]]);
    Ok(())
}

fn nobody_seen(scene: &mut Scene) -> Result<()> {
    scene.audio("alice", 0, &Audio::new(1))?;
    scene.audio("bob", 777, &Audio::new(2))?;
    scene.cells(1, 1, 0, [[]]);
    Ok(())
}

fn nobody_heard(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 30.0))?;
    let bob = scene.video("bob", 777, &Video::new(2, 15.0))?;
    scene.grid([[alice], [bob]]);
    scene.expect(tw_testsignal::Composition::silent);
    Ok(())
}

fn alone(scene: &mut Scene) -> Result<()> {
    let alice = join(scene, "alice", 1, 0, 4000)?;
    scene.grid([[alice]]);
    Ok(())
}

fn sixteen(scene: &mut Scene) -> Result<()> {
    let mut cells = Vec::new();
    for number in 1..=16 {
        let (who, offset_ms) = (format!("p{number}"), 37 * i64::from(number));
        scene.audio(&who, offset_ms, &Audio::new(number).lasting_ms(2500))?;
        let picture = Video::new(number, 15.0).size(160, 120).lasting_ms(2500);
        cells.push([scene.video(&who, offset_ms, &picture)?]);
    }
    scene.grid(cells);
    Ok(())
}

fn fifty(scene: &mut Scene) -> Result<()> {
    let mut cells = vec![Vec::new(); 3];
    for number in 0..50_u8 {
        let (who, offset_ms) = (format!("p{number}"), 300 * i64::from(number));
        scene.audio(&who, offset_ms, &Audio::new(number).lasting_ms(800))?;
        let picture = Video::new(number, 15.0).size(160, 120).lasting_ms(800);
        cells[usize::from(number) % 3].push(scene.video(&who, offset_ms, &picture)?);
    }
    scene.grid(cells);
    Ok(())
}

fn ten_minutes_of_nobody(scene: &mut Scene) -> Result<()> {
    scene.fps("5", 5.0);
    let alice = join(scene, "alice", 1, 0, 3000)?;
    let bob = join(scene, "bob", 2, 500, 3000)?;
    let again = join(scene, "bob", 3, 604_000, 3000)?;
    scene.grid([vec![alice], vec![bob, again]]);
    Ok(())
}

fn data_tracks(scene: &mut Scene) -> Result<()> {
    alone(scene)?;
    for sid in ["RT00", "RT01"] {
        scene.add_record(json!({
            "sid": sid, "type": "data", "container_format": "mka", "offset": 5, "track_name": "chat",
            "grouping_sids": {"room_sid": scene.room.sid()}, "path": "chat.mka",
        }));
    }
    scene.told.push("passed over 2 data tracks");
    Ok(())
}
