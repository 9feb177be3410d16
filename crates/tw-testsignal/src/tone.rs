//! The tone burst that a voice is made of: 40 ms under a Hann window, at a pitch
//! that belongs to the speaker's number.

use std::f64::consts::TAU;

/// Length of a burst in milliseconds.
pub const BURST_MS: f64 = 40.0;

/// The pitch of a number, in Hz: 500, 600, … 6800. Neighbours are four times
/// 1/[`BURST_MS`] apart, where the window's spectrum has died away, so that
/// voices that sound at the same time can be told apart. PCMU at 8 kHz carries
/// those below 3.4 kHz: numbers 0 to 28.
#[must_use]
pub fn pitch_hz(number: u8) -> f64 {
    500.0 + 100.0 * f64::from(number)
}

/// The window (0 to 1) at `ms` after a burst's onset; 0 outside.
#[must_use]
pub fn window(ms: f64) -> f64 {
    if (0.0..=BURST_MS).contains(&ms) { 0.5 - 0.5 * (TAU * ms / BURST_MS).cos() } else { 0.0 }
}

/// A burst of amplitude 1 at `ms` after its onset.
#[must_use]
pub fn burst(number: u8, ms: f64) -> f64 {
    window(ms) * (TAU * pitch_hz(number) * ms / 1000.0).sin()
}
