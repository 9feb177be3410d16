//! Files as they are left behind.

use anyhow::Result;
use serde_json::json;
use tw_testsignal::recording::Frame;
use tw_testsignal::video::Codec;
use tw_testsignal::{Audio, Ending, Form, Video, gstreamer};

use crate::sync::{Case, Scene};

pub const CASES: &[Case] = &[
    Case {
        name: "streamed",
        about: "no Duration, Cues or SeekHead, clusters of unknown size",
        make: streamed,
    },
    Case {
        name: "streamed_by_gstreamer",
        about: "written by GStreamer's matroskamux streamable=true, where it is installed",
        make: streamed_by_gstreamer,
    },
    Case { name: "cut_off", about: "files that break off in mid-packet", make: cut_off },
    Case { name: "damaged", about: "ten frames from a key frame on that can't be decoded", make: damaged },
    Case { name: "damaged_across_a_cut", about: "the same, --chunk 2", make: damaged_across_a_cut },
    Case {
        name: "damaged_throughout",
        about: "a picture of which nothing can be decoded, --allow-incomplete",
        make: damaged_throughout,
    },
    Case { name: "no_packet", about: "a cluster without a packet, and headers alone", make: no_packet },
    Case { name: "one_frame", about: "a video of one frame", make: one_frame },
    Case { name: "h264", about: "H.264 in mkv, and another size in mid-stream", make: h264 },
    Case {
        name: "strange_names",
        about: "names with spaces, quotes, : , [ ; \\ %d, a line break, a - in front",
        make: strange_names,
    },
];

fn streamed(scene: &mut Scene) -> Result<()> {
    let picture = Video::new(1, 24.0).form(Form::Streamed).start_ms(1564).resized(2000, 160, 120);
    let alice = scene.video("alice", 0, &picture)?;
    let voice = Audio::new(1).form(Form::Streamed).start_ms(1520).without(1800..1900);
    scene.audio("alice", 0, &voice)?;
    let bob = scene.bob(2100)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn streamed_by_gstreamer(scene: &mut Scene) -> Result<()> {
    let mut picture = Video::new(1, 24.0).start_ms(1564).write(scene.path("picture.mkv"))?;
    let mut voice = Audio::new(1).start_ms(1520).write(scene.path("voice.mka"))?;
    if gstreamer::is_installed() {
        picture = gstreamer::restream(&picture, scene.path("streamed.mkv"))?;
        voice = gstreamer::restream(&voice, scene.path("streamed.mka"))?;
    }
    let alice = scene.room.add("alice", 0, picture);
    scene.room.add("alice", 0, voice);
    let bob = scene.bob(2100)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn cut_off(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 24.0).ending(Ending::InPacket(70)))?;
    scene.audio("alice", 0, &Audio::new(1).ending(Ending::InPacket(160)))?;
    let bob = scene.bob(600)?;
    scene.grid([[alice], [bob]]);
    scene.told.extend(["the 70 packets that can be read count", "the 160 packets that can be read count"]);
    Ok(())
}

fn damaged(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 24.0).key_every(10).damaged(40..50))?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(600)?;
    scene.grid([[alice], [bob]]);
    scene.told.push(": 10 packets of ");
    Ok(())
}

fn damaged_across_a_cut(scene: &mut Scene) -> Result<()> {
    // They lie from 1.67 s to 2.08 s.
    damaged(scene)?;
    scene.flags.push("--chunk=2".into());
    Ok(())
}

fn damaged_throughout(scene: &mut Scene) -> Result<()> {
    let alice = scene.video("alice", 0, &Video::new(1, 24.0).damaged(0..96))?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(600)?;
    scene.grid([[alice], [bob]]);
    scene.flags.push("--allow-incomplete".into());
    scene.told.push("which can't be decoded (96 packets)");
    Ok(())
}

fn no_packet(scene: &mut Scene) -> Result<()> {
    scene.video("alice", 0, &Video::new(1, 24.0).ending(Ending::EmptyCluster))?;
    scene.audio("alice", 0, &Audio::new(1).ending(Ending::NoPacket))?;
    let bob = scene.bob(600)?;
    scene.grid([[bob]]);
    scene.told.push("passed over 2 files without a packet");
    Ok(())
}

fn one_frame(scene: &mut Scene) -> Result<()> {
    let frame = Frame { time_ms: 1000, width: 320, height: 240 };
    // Of one frame nothing tells how long it lasts: that of 30 a second is taken.
    let alice = scene.video("alice", 0, &Video::new(1, 30.0).frames(vec![frame]))?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(300)?;
    scene.grid([[bob], [alice]]);
    Ok(())
}

fn h264(scene: &mut Scene) -> Result<()> {
    let picture = Video::new(1, 24.0).codec(Codec::H264).size(480, 360).resized(1800, 240, 320);
    let alice = scene.video("alice", 0, &picture)?;
    scene.audio("alice", 0, &Audio::new(1))?;
    let bob = scene.bob(600)?;
    scene.grid([[alice], [bob]]);
    Ok(())
}

fn strange_names(scene: &mut Scene) -> Result<()> {
    let names =
        ["it's \"a b\"", "a:b,c", "[x];y\\z$(w)", "100%d%03d", "-y", "two\nlines", "file:{x}", "|é*?"];
    let mut cells = Vec::new();
    for (number, name) in (1..).zip(names) {
        let (path, offset_ms) = (scene.path(&format!("{name}.mkv")), 100 * i64::from(number));
        let video = Video::new(number, 15.0).lasting_ms(2000).size(160, 120).write(path)?;
        cells.push([scene.room.add(name, offset_ms, video)]);
        let voice = Audio::new(number).lasting_ms(2000).write(scene.path(&format!("{name}.mka")))?;
        scene.room.add(name, offset_ms, voice);
    }
    scene.grid(cells);
    scene.composition.path = scene.path("-it's [the] room; %d, a:b\\.webm");
    scene.add_record(
        json!({"sid": "RTdata", "type": "data", "grouping_sids": {"room_sid": scene.room.sid()}}),
    );
    Ok(())
}
