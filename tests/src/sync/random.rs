//! Rooms that nobody thought of: everything that the cases have, thrown together by chance.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use serde_json::Value;
use tw_testsignal::video::Codec;
use tw_testsignal::{Audio, Cell, Composition, Form, Rect, TrackId, Video};

use super::run::{self, Measured};
use super::scene::Scene;
use crate::environment::Environment;

/// Sizes of pictures: even, for H.264.
const SIZES: [(u32, u32); 5] = [(320, 240), (240, 320), (160, 120), (640, 480), (322, 182)];
/// Frames a second of cameras.
const CAMERAS: [f64; 5] = [5.0, 10.0, 15.0, 24.0, 30.0];
/// Frames a second of the output, as they are said.
const OUTPUTS: [(&str, f64); 6] =
    [("30", 30.0), ("10", 10.0), ("25", 25.0), ("29.97", 30000.0 / 1001.0), ("50", 50.0), ("12.5", 12.5)];
/// The least size of a cell: the code in a picture has to be told apart.
const CELL: (u32, u32) = (120, 90);

/// Makes the room with that number, the same each time, composes and measures it.
///
/// # Errors
/// If anything fails on the way. What is wrong with the result is in the report.
pub fn run(seed: u64) -> Result<Measured> {
    let mut rng = Rng::with_seed(seed);
    let environment = Environment::new()?;
    let mut scene = Scene::new(environment.folder(), 1);
    people(&mut rng, &mut scene)?;
    let columns = (1..).find(|n| n * n >= scene.room.tracks().count()).and_then(|n| u32::try_from(n).ok());
    let columns = columns.unwrap_or(1);
    output(&mut rng, &mut scene, columns);
    let placed = run::places(&environment, scene.fetched().as_bytes())?.stdout;
    cells(&environment, &mut scene, &placed)?;
    let composed = run::compose(&environment, &scene, &placed)?;
    if !composed.status.success() {
        bail!("{:?}: {}", scene.flags, String::from_utf8_lossy(&composed.stderr));
    }
    let left = std::fs::read_dir(environment.folder())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let left: Vec<String> = left.filter(|name| name.starts_with('.')).collect();
    ensure!(left.is_empty(), "{left:?} were left behind");
    let report = run::check(&scene)?;
    Ok(Measured { scene, report, environment })
}

/// Who comes when, and with what.
fn people(rng: &mut Rng, scene: &mut Scene) -> Result<()> {
    let count = if rng.u8(..8) == 0 { rng.u8(7..=10) } else { rng.u8(1..=6) };
    // Long ones are divided among the cores.
    let longest = if rng.bool() { 16_000 } else { 7000 };
    for number in 1..=count {
        let who = format!("p{number}");
        let offset = rng.i64(0..4000);
        let lasting = if number == 1 { longest } else { rng.i64(400..longest) };
        if number == 1 || rng.u8(..10) != 0 {
            scene.audio(&who, offset, &voice(rng, number, lasting))?;
        }
        if number == 1 || rng.u8(..8) != 0 {
            scene.video(&who, offset, &camera(rng, number, lasting))?;
        }
        if rng.u8(..6) == 0 {
            // She comes back with new tracks.
            let offset = offset + lasting + rng.i64(3000..6000);
            scene.video(&who, offset, &camera(rng, number + 20, 3000))?;
        }
    }
    Ok(())
}

fn voice(rng: &mut Rng, number: u8, lasting: i64) -> Audio {
    let mut voice = Audio::new(number).start_ms(rng.i64(0..3000)).lasting_ms(lasting).form(form(rng));
    if lasting > 3000 && rng.u8(..3) == 0 {
        let from = rng.i64(600..lasting - 1500) / 20 * 20;
        voice = voice.without(from..from + 20 * rng.i64(1..40));
    }
    voice
}

fn camera(rng: &mut Rng, number: u8, lasting: i64) -> Video {
    let size = |rng: &mut Rng| SIZES[rng.usize(..SIZES.len())];
    let (width, height) = size(rng);
    let mut video = Video::new(number, CAMERAS[rng.usize(..CAMERAS.len())])
        .start_ms(rng.i64(0..3000))
        .lasting_ms(lasting)
        .size(width, height)
        .form(form(rng));
    if rng.u8(..3) == 0 {
        video = video.key_every(rng.usize(3..60));
    }
    // How long the last frame lasts is an estimate then: not of few frames, nor of who may be the
    // last to go.
    if number > 1 && (1500..2500).contains(&lasting) && rng.bool() {
        video = video.jitter(rng.u64(..), 0.45);
    }
    if rng.u8(..4) == 0 {
        video = video.codec(Codec::H264);
        if rng.bool() {
            video = video.sparse_sets();
        }
    }
    if lasting > 2000 && rng.u8(..3) == 0 {
        // Soon, while ffprobe still looks for what the stream is, or any time.
        let latest = if rng.bool() { 600 } else { lasting - 500 };
        let (width, height) = size(rng);
        video = video.resized(rng.i64(50..latest), width, height);
    }
    if lasting > 3000 && rng.u8(..3) == 0 {
        let from = rng.i64(500..lasting - 1500);
        video = video.without(from..from + rng.i64(500..lasting - from));
    }
    video
}

fn form(rng: &mut Rng) -> Form {
    if rng.bool() { Form::Streamed } else { Form::Tidy }
}

/// How it is composed.
fn output(rng: &mut Rng, scene: &mut Scene, columns: u32) {
    let size = (columns * (CELL.0 + 2 * rng.u32(..10)), columns * (CELL.1 + 2 * rng.u32(..10)));
    let (said, fps) = OUTPUTS[rng.usize(..OUTPUTS.len())];
    let ending = ["webm", "mkv", "mp4"][rng.usize(..3)];
    let path = scene.path(&format!("room.{ending}"));
    scene.expect(|composition| Composition { path, ..composition }.size(size.0, size.1));
    scene.fps(said, fps);
    // Of who goes, a starved encoder leaves a shadow for a frame or two.
    scene.flag("--crf=12");
    match rng.u8(..4) {
        0 => scene.flag("--chunk=0"),
        1 => scene.flag(&format!("--chunk={}.{}", rng.u8(1..4), rng.u8(..10))),
        _ => {}
    }
    if rng.u8(..4) == 0 {
        scene.flag("--jobs=1");
    }
    if rng.u8(..5) == 0 {
        // The first participant lasts longer than this; her voice may come later, so that there is none.
        let (start, lasts) = (rng.u32(1..3000), rng.u32(600..4000));
        scene.flag(&format!("--start={:.3}", f64::from(start) / 1000.0));
        scene.flag(&format!("--end={:.3}", f64::from(start + lasts) / 1000.0));
        let frames = (f64::from(lasts) * fps / 1000.0 - 1e-6).ceil() as usize;
        scene.expect(|composition| composition.start_ms(start.into()).frames(frames));
    }
}

/// Where everybody is to be seen, as `--emit plan` says: what is measured here is when.
fn cells(environment: &Environment, scene: &mut Scene, placed: &[u8]) -> Result<()> {
    let flags: Vec<String> = run::arguments(scene).into_iter().filter(|flag| flag != "--run").collect();
    let printed = environment.filter("tw-ffcmd", &[flags, vec!["--emit=plan".into()]].concat(), placed)?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let by_sid: BTreeMap<String, TrackId> = scene
        .room
        .tracks()
        .filter_map(|(id, _)| Some((scene.room.record(id)["sid"].as_str()?.to_owned(), id)))
        .collect();
    let mut is_heard = false;
    let mut cells: BTreeMap<[u32; 4], Vec<TrackId>> = BTreeMap::new();
    for line in str::from_utf8(&printed.stdout)?.lines() {
        let placement: Value = serde_json::from_str(line)?;
        let side = |name: &str| placement[name].as_u64().and_then(|side| u32::try_from(side).ok());
        let (Some(x), Some(y), Some(width), Some(height)) =
            (side("x"), side("y"), side("width"), side("height"))
        else {
            is_heard = true;
            continue;
        };
        let track =
            placement["sid"].as_str().and_then(|sid| by_sid.get(sid)).context("nobody's placement")?;
        cells.entry([x, y, width, height]).or_default().push(*track);
    }
    let cells = cells
        .into_iter()
        .map(|([x, y, width, height], tracks)| Cell::new(Rect { x, y, width, height }, tracks));
    scene.composition.cells = cells.collect();
    scene.composition.sound = is_heard;
    Ok(())
}
