//! Measures every voice in the mix.

use std::collections::BTreeMap;

use anyhow::Result;

use super::composition::{Composition, Tolerance};
use super::report::{Errors, Report, VoiceReport};
use super::voice::{Onset, RATE, Voice};
use crate::ffmpeg;
use crate::recording::Content;
use crate::room::Room;
use crate::tone::BURST_MS;

/// A burst louder than this part of what was made counts as heard.
const HEARD: f64 = 0.35;
/// An onset belongs to the nearest expected one, if that is not further away.
const FAR_MS: f64 = 200.0;

/// What should be heard of one number.
struct Truth {
    name: String,
    amplitude: f64,
    bursts_ms: Vec<f64>,
}

/// Decodes the sound and compares each voice with the truth. Gives the time at
/// which the sound ends, in milliseconds of the output. The sound has so many
/// `channels`; `zero_ms` is the timestamp of the first picture.
///
/// # Errors
/// If ffmpeg can't decode it.
pub fn measure(
    room: &Room,
    composition: &Composition,
    tolerance: &Tolerance,
    channels: usize,
    zero_ms: f64,
    report: &mut Report,
) -> Result<f64> {
    let truths = truths(room);
    let mut voices: Vec<Voice> =
        truths.iter().map(|(&number, truth)| Voice::new(number, HEARD * truth.amplitude)).collect();
    let (mut peak, mut count) = (0.0f32, 0usize);
    // Timestamps as they are in the file; a late start is filled with silence.
    let after = ["-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"];
    let after = [&after[..], &["-ar", "48000", "-f", "f32le"]].concat();
    let mut mono = Vec::new();
    let mut take = |bytes: &[u8]| {
        mono.clear();
        let samples = bytes.chunks_exact(4);
        let samples = samples.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let samples: Vec<f32> = samples.collect();
        peak = samples.iter().fold(peak, |peak, sample| peak.max(sample.abs()));
        // Channels as they are: a mixer's own idea of loudness has no place here.
        mono.extend(samples.chunks_exact(channels).map(|c| c.iter().sum::<f32>() / channels as f32));
        count += mono.len();
        voices.iter_mut().for_each(|voice| voice.push(&mono));
        Ok(())
    };
    ffmpeg::decode(&composition.path, &["-copyts"], &after, channels * 4 * 480, &mut take)?;
    let end_ms = count as f64 * 1000.0 / RATE as f64 - zero_ms;

    let mut heard = Vec::new();
    for (truth, voice) in truths.values().zip(voices) {
        let places = truth.bursts_ms.iter().map(|place| place - composition.start_ms);
        // One that is cut, at the beginning or the end, may be heard or not.
        let within = 0.0..=end_ms - BURST_MS;
        let (whole, cut): (Vec<f64>, Vec<f64>) = places
            .filter(|place| (-BURST_MS..end_ms).contains(place))
            .partition(|place| within.contains(place));
        let onsets = voice.finish().into_iter();
        let onsets = onsets.map(|onset| Onset { at_ms: onset.at_ms - zero_ms, ..onset });
        let is_cut = |onset: &Onset| cut.iter().any(|place| (onset.at_ms - place).abs() <= BURST_MS);
        heard.push(Heard::new(truth, &whole, &onsets.filter(|onset| !is_cut(onset)).collect::<Vec<_>>()));
    }
    let all = heard.iter().flat_map(|heard| heard.errors.iter().map(|&(_, error)| error));
    let common = Errors::of(all.collect()).median_ms;
    report.common_delay_ms = if common.is_nan() { 0.0 } else { common };
    report.peak_db = decibels(f64::from(peak));
    if report.common_delay_ms.abs() > tolerance.common_delay_ms {
        report.violations.push(format!("the sound is {common:+.2} ms off as a whole"));
    }
    if peak >= 1.0 {
        report.violations.push(format!("the mix clips: {:.1} dBFS", report.peak_db));
    }
    for heard in heard {
        heard.add_to(report, tolerance);
    }
    Ok(end_ms)
}

/// What was heard of one number.
struct Heard<'a> {
    truth: &'a Truth,
    expected: usize,
    /// Place and error of each burst that was found.
    errors: Vec<(f64, f64)>,
    amplitudes: Vec<f64>,
    missing: Vec<f64>,
    spurious: Vec<f64>,
}

impl<'a> Heard<'a> {
    fn new(truth: &'a Truth, places: &[f64], onsets: &[Onset]) -> Self {
        let mut heard = Self {
            truth,
            expected: places.len(),
            errors: Vec::new(),
            amplitudes: Vec::new(),
            missing: Vec::new(),
            spurious: Vec::new(),
        };
        let mut free = onsets.to_vec();
        for &place in places {
            let away = |onset: &Onset| (onset.at_ms - place).abs();
            let nearest = (0..free.len()).min_by(|&a, &b| away(&free[a]).total_cmp(&away(&free[b])));
            match nearest.filter(|&i| away(&free[i]) <= FAR_MS) {
                Some(i) => {
                    let onset = free.remove(i);
                    heard.errors.push((place, onset.at_ms - place));
                    heard.amplitudes.push(onset.amplitude);
                }
                None => heard.missing.push(place),
            }
        }
        heard.spurious = free.iter().map(|onset| onset.at_ms).collect();
        heard
    }

    fn add_to(self, report: &mut Report, tolerance: &Tolerance) {
        let name = &self.truth.name;
        let common = report.common_delay_ms;
        let gains = self.amplitudes.iter().map(|amplitude| decibels(amplitude / self.truth.amplitude));
        let levels = Errors::of(gains.collect());
        let gain_db = levels.median_ms;
        let missing = self.missing.iter().map(|at| format!("{name}: the burst at {at:.1} ms is missing"));
        report.add_violations(missing.collect());
        let spurious =
            self.spurious.iter().map(|at| format!("{name}: a burst at {at:.1} ms that nobody made"));
        report.add_violations(spurious.collect());
        let off = self.errors.iter().map(|(at, error)| (at, error - common));
        let off = off.filter(|(_, error)| error.abs() > tolerance.sound_ms);
        let off = off.map(|(at, error)| format!("{name}: the burst at {at:.1} ms is {error:+.2} ms off"));
        report.add_violations(off.collect());
        if gain_db.abs() > tolerance.level_db {
            report.violations.push(format!("{name}: {gain_db:+.1} dB off its level"));
        }
        report.voices.push(VoiceReport {
            name: name.clone(),
            expected: self.expected,
            missing: self.missing.len(),
            spurious: self.spurious.len(),
            errors: Errors::of(self.errors.iter().map(|(_, error)| error - common).collect()),
            gain_db,
        });
    }
}

fn truths(room: &Room) -> BTreeMap<u8, Truth> {
    let mut truths = BTreeMap::new();
    for (id, track) in room.tracks() {
        if let Content::Audio { bursts_ms, amplitude, .. } = &track.recording.content {
            let places = bursts_ms.iter().map(|&own_ms| room.place_ms(id, own_ms));
            let truth = truths.entry(track.recording.number).or_insert_with(|| Truth {
                name: track.name.clone(),
                amplitude: *amplitude,
                bursts_ms: Vec::new(),
            });
            truth.bursts_ms.extend(places);
        }
    }
    truths
}

fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}
