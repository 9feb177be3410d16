//! From records to a measured file, by the tools that users run.

use std::process::Output;

use anyhow::{Result, bail, ensure};
use tw_testsignal::{Report, measure};

use super::{Case, Scene};
use crate::environment::Environment;

/// A case that has been composed and measured.
#[derive(Debug)]
pub struct Measured {
    /// Its room.
    pub scene: Scene,
    /// What was measured.
    pub report: Report,
    /// The composed file lies in here.
    pub environment: Environment,
}

/// Makes the recordings of a case, composes and measures it.
///
/// # Errors
/// If anything fails on the way. What is wrong with the result is in the report.
pub fn run(case: &Case) -> Result<Measured> {
    let environment = Environment::new()?;
    let mut scene = Scene::new(environment.folder(), 1);
    (case.make)(&mut scene)?;
    let placed = places(&environment, scene.fetched().as_bytes())?;
    let composed = compose(&environment, &scene, &placed.stdout)?;
    succeeded("tw-ffcmd", &composed)?;
    let said = [placed.stderr, composed.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    for words in &scene.told {
        ensure!(said.matches(words).count() == 1, "{words:?} should be said once:\n{said}");
    }
    let report = check(&scene)?;
    Ok(Measured { scene, report, environment })
}

/// `tw-probe | tw-offsets`: what tw-offsets writes, and what both said.
///
/// # Errors
/// If one of them fails.
pub fn places(environment: &Environment, fetched: &[u8]) -> Result<Output> {
    let probed = environment.filter("tw-probe", &[], fetched)?;
    succeeded("tw-probe", &probed)?;
    let mut placed = environment.filter("tw-offsets", &[], &probed.stdout)?;
    succeeded("tw-offsets", &placed)?;
    placed.stderr = [probed.stderr, placed.stderr].concat();
    Ok(placed)
}

/// `tw-ffcmd --run`, with the flags of a scene.
///
/// # Errors
/// If it can't be started. How it ended is in the result.
pub fn compose(environment: &Environment, scene: &Scene, placed: &[u8]) -> Result<Output> {
    environment.filter("tw-ffcmd", &arguments(scene), placed)
}

/// tw-ffcmd's flags for a scene.
#[must_use]
pub fn arguments(scene: &Scene) -> Vec<String> {
    let mut arguments = vec!["--run".to_owned(), "--speed=fast".to_owned()];
    if let Some((width, height)) = scene.composition.size {
        arguments.push(format!("--size={width}x{height}"));
    }
    arguments.push(format!("--output={}", scene.composition.path.display()));
    arguments.extend(scene.flags.iter().cloned());
    arguments
}

/// Measures what was composed.
///
/// # Errors
/// If it can't be read or decoded.
pub fn check(scene: &Scene) -> Result<Report> {
    measure(&scene.room, &scene.expected(), &scene.tolerance)
}

fn succeeded(tool: &str, output: &Output) -> Result<()> {
    if !output.status.success() {
        bail!("{tool} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
