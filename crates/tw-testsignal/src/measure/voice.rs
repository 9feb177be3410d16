//! Finds the bursts of one pitch in a mix: a filter matched to the burst, at the
//! pitch and a quarter of a period off it, so that the phase plays no part.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use crate::tone::{BURST_MS, pitch_hz, window};

/// Samples a second of the sound that is searched.
pub const RATE: usize = 48_000;
/// Samples in a burst.
const LENGTH: usize = RATE * BURST_MS as usize / 1000;
/// The search goes in steps of 5 ms; a burst's peak is 40 ms wide.
const STEP: usize = RATE / 200;
/// Around the best step the peak is looked for in steps of 1 ms.
const FINE: usize = RATE / 1000;

/// A burst that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    /// When it begins, in milliseconds of the sound.
    pub at_ms: f64,
    /// Its peak amplitude, 0 to 1.
    pub amplitude: f64,
}

/// Searches a stream of samples for the bursts of one number.
pub struct Voice {
    template: Vec<(f32, f32)>,
    threshold: f64,
    /// Samples from `first` on that may still be needed.
    samples: VecDeque<f32>,
    first: usize,
    /// Magnitudes at every step, the last few of them, the newest last.
    recent: VecDeque<f64>,
    step: usize,
    onsets: Vec<Onset>,
}

/// A step is a peak if none of so many on both sides is higher: 40 ms.
const NEIGHBOURS: usize = LENGTH / STEP;

impl Voice {
    /// Bursts of that number with at least that peak amplitude.
    #[must_use]
    pub fn new(number: u8, threshold: f64) -> Self {
        let windows = (0..LENGTH).map(|n| window(n as f64 * 1000.0 / RATE as f64));
        // A burst has the same window, so its correlation is amplitude / 2 times this sum.
        let energy: f64 = windows.clone().map(|window| window * window).sum();
        let template = windows
            .enumerate()
            .map(|(n, window)| {
                let phase = TAU * pitch_hz(number) * n as f64 / RATE as f64;
                let scale = 2.0 * window / energy;
                ((scale * phase.cos()) as f32, (scale * phase.sin()) as f32)
            })
            .collect();
        Self {
            template,
            threshold,
            samples: VecDeque::new(),
            first: 0,
            recent: VecDeque::new(),
            step: 0,
            onsets: Vec::new(),
        }
    }

    /// Takes more samples, -1 to 1.
    pub fn push(&mut self, samples: &[f32]) {
        self.samples.extend(samples);
        self.samples.make_contiguous();
        while self.step * STEP + LENGTH + STEP <= self.first + self.samples.len() {
            let magnitude = self.magnitude(self.step * STEP);
            self.recent.push_back(magnitude);
            self.step += 1;
            if self.recent.len() > 2 * NEIGHBOURS + 1 {
                self.recent.pop_front();
            }
            self.look();
        }
        let needed = (self.step.saturating_sub(NEIGHBOURS + 3)) * STEP;
        let drop = needed.saturating_sub(self.first).min(self.samples.len());
        self.samples.drain(..drop);
        self.first += drop;
    }

    /// The bursts, after the last sample. Silence follows it.
    #[must_use]
    pub fn finish(mut self) -> Vec<Onset> {
        self.push(&vec![0.0; LENGTH + (NEIGHBOURS + 2) * STEP]);
        self.onsets
    }

    /// Whether the step in the middle of the recent ones is a peak.
    fn look(&mut self) {
        let Some(middle) = self.recent.len().checked_sub(NEIGHBOURS + 1) else {
            return;
        };
        let value = self.recent[middle];
        let higher = |(i, &other): (usize, &f64)| other > value || (other == value && i < middle);
        if value >= self.threshold && !self.recent.iter().enumerate().any(higher) {
            let step = self.step - 1 - NEIGHBOURS;
            let onset = self.refine(step * STEP);
            self.onsets.push(onset);
        }
    }

    /// The peak near a sample: the best of steps of 1 ms, and the top of the
    /// parabola through it and its neighbours 3 ms away.
    fn refine(&self, near: usize) -> Onset {
        let from = near.saturating_sub(STEP).max(self.first);
        let last = self.first + self.samples.len() - LENGTH;
        let best = (from..=(near + STEP).min(last))
            .step_by(FINE)
            .map(|at| (at, self.magnitude(at)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let (at, peak) = best.unwrap_or((near, 0.0));
        let wide = 3 * FINE;
        let mut offset = 0.0;
        if at >= self.first + wide && at + wide <= last {
            let (before, after) = (self.magnitude(at - wide), self.magnitude(at + wide));
            let bend = before - 2.0 * peak + after;
            if bend < 0.0 {
                offset = (0.5 * (before - after) / bend).clamp(-0.5, 0.5) * wide as f64;
            }
        }
        Onset { at_ms: (at as f64 + offset) * 1000.0 / RATE as f64, amplitude: peak }
    }

    /// How loud a burst is that begins at that sample.
    fn magnitude(&self, at: usize) -> f64 {
        let start = at - self.first;
        let (samples, _) = self.samples.as_slices();
        let window = &samples[start..start + LENGTH];
        let (mut real, mut imaginary) = (0.0f32, 0.0f32);
        for (&sample, &(cos, sin)) in window.iter().zip(&self.template) {
            real += sample * cos;
            imaginary += sample * sin;
        }
        f64::from(real).hypot(f64::from(imaginary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::burst;

    fn mix(bursts: &[(u8, f64, f64)]) -> Vec<f32> {
        (0..RATE)
            .map(|n| {
                let ms = n as f64 * 1000.0 / RATE as f64;
                let at = |&(number, onset, amplitude): &(u8, f64, f64)| amplitude * burst(number, ms - onset);
                bursts.iter().map(at).sum::<f64>() as f32
            })
            .collect()
    }

    fn find(number: u8, samples: &[f32], piece: usize) -> Vec<Onset> {
        let mut voice = Voice::new(number, 0.03);
        samples.chunks(piece).for_each(|chunk| voice.push(chunk));
        voice.finish()
    }

    #[test]
    fn a_burst_is_found_to_a_hundredth_of_a_millisecond() {
        for onset in [0.0, 100.0, 333.37, 501.99, 958.0] {
            for piece in [100, 4096, RATE] {
                let found = find(7, &mix(&[(7, onset, 0.1)]), piece);
                assert_eq!(found.len(), 1, "{onset}: {found:?}");
                let allowed = if onset < 3.0 { 1.0 } else { 0.01 };
                assert!((found[0].at_ms - onset).abs() < allowed, "{onset}: {found:?}");
                assert!((found[0].amplitude - 0.1).abs() < 0.001, "{onset}: {found:?}");
            }
        }
    }

    #[test]
    fn neighbouring_voices_at_the_same_time_are_told_apart() {
        let samples = mix(&[(7, 300.0, 0.1), (8, 310.0, 0.3), (6, 280.0, 0.3), (8, 700.0, 0.3)]);
        let found = find(7, &samples, 4096);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].at_ms - 300.0).abs() < 0.2, "{found:?}");
        assert_eq!(find(8, &samples, 4096).len(), 2);
        assert_eq!(find(9, &samples, 4096), []);
    }
}
