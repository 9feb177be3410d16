//! What was measured.

use std::collections::BTreeMap;
use std::fmt;

use super::expected::Wrong;

/// Violations of one cell or voice that are told one by one; the others are counted.
const TOLD: usize = 5;

/// Everything that was measured in a composition.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Number of output frames.
    pub frames: usize,
    /// Each cell, in the order of the composition's.
    pub cells: Vec<CellReport>,
    /// Each voice, by number.
    pub voices: Vec<VoiceReport>,
    /// The delay that all voices have in common (the median of all onsets'
    /// errors), in milliseconds.
    pub common_delay_ms: f64,
    /// Greatest absolute sample of the mix, in dBFS.
    pub peak_db: f64,
    /// What is not as it should be, in words.
    pub violations: Vec<String>,
}

/// What a cell shows.
#[derive(Clone, Debug, Default)]
pub struct CellReport {
    /// The names of its tracks.
    pub name: String,
    /// Output frames in which a code was read.
    pub readable: usize,
    /// Output frames in which there is only background.
    pub background: usize,
    /// Output frames with a picture but no code.
    pub unreadable: usize,
    /// Output frames that are not as they should be, in words, by what is wrong.
    pub wrong: BTreeMap<Wrong, Vec<String>>,
    /// Output time - place of the frame shown.
    pub errors: Errors,
}

impl CellReport {
    /// Number of output frames that are wrong in that way.
    #[must_use]
    pub fn count(&self, wrong: Wrong) -> usize {
        self.wrong.get(&wrong).map_or(0, Vec::len)
    }
}

/// What is heard of a voice.
#[derive(Clone, Debug, Default)]
pub struct VoiceReport {
    /// The name of its first track.
    pub name: String,
    /// Bursts that should be heard.
    pub expected: usize,
    /// Bursts that should be heard and aren't.
    pub missing: usize,
    /// Bursts that are heard and shouldn't be.
    pub spurious: usize,
    /// Onset heard - place, less the common delay.
    pub errors: Errors,
    /// Median level of its bursts less the level at which they were made, in dB.
    pub gain_db: f64,
}

/// Least, middle and greatest of some errors, in milliseconds; NaN of none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// The least.
    pub min_ms: f64,
    /// The middle one.
    pub median_ms: f64,
    /// The greatest.
    pub max_ms: f64,
}

impl Errors {
    /// Of these.
    #[must_use]
    pub fn of(mut errors: Vec<f64>) -> Self {
        errors.sort_by(f64::total_cmp);
        let (Some(&min_ms), Some(&max_ms)) = (errors.first(), errors.last()) else {
            return Self::default();
        };
        Self { min_ms, median_ms: errors[errors.len() / 2], max_ms }
    }
}

impl Default for Errors {
    fn default() -> Self {
        Self { min_ms: f64::NAN, median_ms: f64::NAN, max_ms: f64::NAN }
    }
}

impl Report {
    /// Adds violations of one kind: the first few, and how many more there are.
    pub(crate) fn add_violations(&mut self, mut violations: Vec<String>) {
        let more = violations.len().saturating_sub(TOLD);
        violations.truncate(TOLD);
        if more > 0 {
            violations.push(format!("… and {more} more like it"));
        }
        self.violations.extend(violations);
    }
}

impl fmt::Display for Report {
    /// A table of cells, one of voices, and the violations.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.cells.is_empty() {
            writeln!(
                f,
                "{:<28} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8}",
                "cell", "read", "empty", "unread", "wrong", "min ms", "med ms", "max ms"
            )?;
        }
        for cell in &self.cells {
            let Errors { min_ms, median_ms, max_ms } = cell.errors;
            writeln!(
                f,
                "{:<28} {:>6} {:>6} {:>6} {:>6} {min_ms:>8.1} {median_ms:>8.1} {max_ms:>8.1}",
                cell.name,
                cell.readable,
                cell.background,
                cell.unreadable,
                cell.wrong.values().map(Vec::len).sum::<usize>()
            )?;
        }
        if !self.voices.is_empty() {
            writeln!(
                f,
                "{:<28} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8}",
                "voice", "bursts", "lost", "extra", "dB", "min ms", "med ms", "max ms"
            )?;
        }
        for voice in &self.voices {
            let Errors { min_ms, median_ms, max_ms } = voice.errors;
            writeln!(
                f,
                "{:<28} {:>6} {:>6} {:>6} {:>6.1} {min_ms:>8.2} {median_ms:>8.2} {max_ms:>8.2}",
                voice.name, voice.expected, voice.missing, voice.spurious, voice.gain_db
            )?;
        }
        writeln!(
            f,
            "{} frames, common delay of sound {:.2} ms, peak {:.1} dBFS",
            self.frames, self.common_delay_ms, self.peak_db
        )?;
        self.violations.iter().try_for_each(|violation| writeln!(f, "! {violation}"))
    }
}
