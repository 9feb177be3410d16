//! Composes and measures every case, and prints the table.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use tw_tests::sync::run::Measured;
use tw_tests::sync::table::{self, Row};
use tw_tests::sync::{Case, cases, long, random, run, sheet};
use tw_testsignal::{Report, ffmpeg};

/// An hour with ten participants may take that much, in bytes.
const MEMORY: u64 = 300_000_000;

/// Compose and measure the cases of docs/sync.md on the ffmpeg at hand
#[derive(Parser)]
#[command(name = "tw-sync")]
struct Cli {
    /// Only cases whose names contain one of these
    names: Vec<String>,
    /// Put the table into this Markdown page, in the place of this ffmpeg's last one
    #[arg(long, value_name = "PAGE")]
    write: Option<PathBuf>,
    /// Leave a contact sheet of each case in this folder
    #[arg(long, value_name = "DIR")]
    sheets: Option<PathBuf>,
    /// Instead of the cases: an hour with ten participants, and the memory it takes
    #[arg(long)]
    long: bool,
    /// Instead of the cases: so many rooms made by chance
    #[arg(long, value_name = "N")]
    random: Option<u64>,
    /// The first one's number: the same room each time
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    if let Some(folder) = &cli.sheets {
        std::fs::create_dir_all(folder)?;
    }
    let version = version()?;
    writeln!(out, "ffmpeg {version}\n")?;
    if cli.long {
        let long = long::run()?;
        writeln!(out, "{}\npeak of memory: {} MB", long.report, long.peak / 1_000_000)?;
        let holds = long.report.violations.is_empty() && long.peak < MEMORY;
        return Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(count) = cli.random {
        return random(&mut out, cli.seed..cli.seed.saturating_add(count));
    }
    let wanted = |case: &&Case| cli.names.is_empty() || cli.names.iter().any(|n| case.name.contains(n));
    let mut rows = Vec::new();
    for case in cases::all().filter(wanted) {
        let result = measure(case, cli.sheets.as_deref()).map_err(|error| format!("{error:#}"));
        writeln!(out, "# {}: {}", case.name, case.about)?;
        match &result {
            Ok(report) => writeln!(out, "{report}")?,
            Err(error) => writeln!(out, "! {error}\n")?,
        }
        out.flush()?;
        rows.push(Row::new(case, result));
    }
    let failed: Vec<&str> = rows.iter().filter(|row| !row.holds()).map(|row| row.name).collect();
    writeln!(out, "{} cases, not as they should be: {failed:?}", rows.len())?;
    if let Some(page) = &cli.write {
        let text = std::fs::read_to_string(page).with_context(|| format!("can't read {}", page.display()))?;
        std::fs::write(page, table::replace(&text, &version, &table::section(&version, &rows)))?;
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rooms made by chance. What is wrong with one is said, and where its files are.
fn random(out: &mut impl Write, seeds: Range<u64>) -> Result<ExitCode> {
    let mut wrong = Vec::new();
    for seed in seeds.clone() {
        match random::run(seed) {
            Ok(measured) if measured.report.violations.is_empty() => {
                writeln!(out, "{seed}: {} frames, {:?}", measured.report.frames, measured.scene.flags)?;
            }
            Ok(Measured { report, scene, environment }) => {
                let folder = environment.keep();
                writeln!(out, "# {seed}: {:?}, in {}\n{report}", scene.flags, folder.display())?;
                wrong.push(seed);
            }
            Err(error) => {
                writeln!(out, "# {seed}\n! {error:#}\n")?;
                wrong.push(seed);
            }
        }
        out.flush()?;
    }
    writeln!(out, "{} rooms, not as they should be: {wrong:?}", seeds.count())?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(case: &Case, sheets: Option<&Path>) -> Result<Report> {
    let measured = run::run(case)?;
    if let Some(folder) = sheets {
        let sheet = folder.join(format!("{}.png", case.name));
        sheet::write(&measured.scene.composition, measured.report.frames, &sheet)?;
    }
    Ok(measured.report)
}

/// The version of the ffmpeg at hand, as it says itself.
fn version() -> Result<String> {
    let program = ffmpeg::ffmpeg();
    let output = Command::new(&program).arg("-version").output();
    let output = output.with_context(|| format!("can't start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().nth(2).map(str::to_owned).context("ffmpeg doesn't say its version")
}
