//! An hour with ten participants: how much memory a run takes.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tw_testsignal::audio::Codec;
use tw_testsignal::{Audio, Report, Video};

use super::{Scene, memory, run};
use crate::environment::Environment;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What came of it.
#[derive(Debug)]
pub struct Long {
    /// Greatest sum of what tw-ffcmd and ffmpeg had in memory, in bytes.
    pub peak: u64,
    /// What was measured.
    pub report: Report,
}

/// Composes an hour of ten participants, all of them there all the time. One was
/// mute for half of it. Small pictures, and one Opus voice beside nine of PCMU,
/// since making them takes as long as composing them.
///
/// # Errors
/// If anything fails on the way. What is wrong with the result is in the report.
pub fn run() -> Result<Long> {
    let environment = Environment::new()?;
    let mut scene = Scene::new(environment.folder(), 1);
    scene.fps("5", 5.0);
    let mut cells = Vec::new();
    for number in 1..=10 {
        let (who, offset_ms) = (format!("p{number}"), 150 * i64::from(number));
        let bursts = (0..360).map(|i| f64::from(200 + 10_000 * i));
        let voice = Audio::new(number).lasting_ms(HOUR_MS).bursts(bursts);
        let voice = match number {
            1 => voice.without(900_000..2_700_000),
            _ => voice.codec(Codec::Pcmu),
        };
        scene.audio(&who, offset_ms, &voice)?;
        let picture = Video::new(number, 4.0).size(64, 48).lasting_ms(HOUR_MS).key_every(1200);
        cells.push([scene.video(&who, offset_ms, &picture)?]);
    }
    scene.grid(cells);
    let placed = run::places(&environment, scene.fetched().as_bytes())?;
    let records = environment.folder().join("records.jsonl");
    std::fs::write(&records, &placed.stdout)?;
    let mut tool = environment.tool("tw-ffcmd")?;
    tool.args(run::arguments(&scene)).arg(records).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = tool.spawn().context("can't start tw-ffcmd")?;
    let peak = memory::peak_until_end(&mut child)?;
    ensure!(child.wait()?.success(), "tw-ffcmd failed");
    Ok(Long { peak, report: run::check(&scene)? })
}
