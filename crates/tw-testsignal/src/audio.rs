//! Makes an audio recording: bursts of a speaker's own pitch at known times,
//! and silence between them.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::container::{self, Ending};
use crate::matroska::{Form, Kind, Packet, Track};
use crate::recording::{Content, Recording, Span};
use crate::tone::{self, BURST_MS};
use crate::{ffmpeg, ogg};

/// Milliseconds of sound in a packet.
const PACKET_MS: i64 = 20;
/// An Opus decoder puts out each sample that many samples (at 48 kHz) later than
/// the encoder took it in: libopus' look-ahead of 6.5 ms.
const LOOK_AHEAD: u32 = 312;
/// A burst keeps that distance from lost packets, since an Opus decoder needs a
/// moment to find its loudness again.
const MARGIN_MS: f64 = 40.0;

/// Codec of a voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// Opus at 48 kHz, one channel.
    #[default]
    OpusMono,
    /// Opus at 48 kHz, the same on two channels.
    OpusStereo,
    /// G.711 µ-law at 8 kHz; speaks with numbers 0 to 28.
    Pcmu,
}

/// A voice to be made. Times given to the builder are milliseconds since the
/// recording's first sample; [`Audio::start_ms`] says where that lies on the
/// file's own clock.
#[derive(Clone, Debug)]
pub struct Audio {
    number: u8,
    codec: Codec,
    start_ms: i64,
    lasting_ms: i64,
    bursts: Vec<f64>,
    amplitude: f64,
    lost: Vec<Range<i64>>,
    codec_delay: bool,
    drift_ppm: f64,
    form: Form,
    ending: Ending,
}

impl Audio {
    /// A voice with the pitch of that number: Opus, 4 s from 0, a burst every
    /// 500 ms from 200 ms on, with a peak of 0.1 (-20 dBFS).
    #[must_use]
    pub fn new(number: u8) -> Self {
        Self {
            number,
            codec: Codec::OpusMono,
            start_ms: 0,
            lasting_ms: 4000,
            bursts: Vec::new(),
            amplitude: 0.1,
            lost: Vec::new(),
            codec_delay: false,
            drift_ppm: 0.0,
            form: Form::Tidy,
            ending: Ending::Whole,
        }
    }

    /// The codec.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// The file's start time as ffprobe shows it; with a codec delay, -7 or more.
    #[must_use]
    pub fn start_ms(mut self, start_ms: i64) -> Self {
        self.start_ms = start_ms;
        self
    }

    /// For how long packets come.
    #[must_use]
    pub fn lasting_ms(mut self, lasting_ms: i64) -> Self {
        self.lasting_ms = lasting_ms;
        self
    }

    /// Bursts at these times instead of every 500 ms. Those that touch lost
    /// packets are left out, of the sound and of the truth.
    #[must_use]
    pub fn bursts(mut self, onsets_ms: impl IntoIterator<Item = f64>) -> Self {
        self.bursts = onsets_ms.into_iter().collect();
        self
    }

    /// Peak amplitude of the bursts, 0 to 1.
    #[must_use]
    pub fn amplitude(mut self, amplitude: f64) -> Self {
        self.amplitude = amplitude;
        self
    }

    /// Packets that begin in that time are missing: lost, silent (DTX) or muted.
    #[must_use]
    pub fn without(mut self, lost_ms: Range<i64>) -> Self {
        self.lost.push(lost_ms);
        self
    }

    /// The file has a `CodecDelay` of 6.5 ms, as ffmpeg writes it: it may start at -7 ms.
    #[must_use]
    pub fn codec_delay(mut self) -> Self {
        self.codec_delay = true;
        self
    }

    /// The sender's clock is slow by so many millionths (fast if negative): its
    /// packets' timestamps lie that much further apart than their samples.
    #[must_use]
    pub fn drift_ppm(mut self, drift_ppm: f64) -> Self {
        self.drift_ppm = drift_ppm;
        self
    }

    /// What the file says of itself.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Where the file ends.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Encodes the voice and writes the file.
    ///
    /// # Errors
    /// If a block would have a negative timestamp, the pitch is too high for the
    /// codec, ffmpeg fails, or the file can't be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Recording> {
        let path = path.as_ref();
        let delay = self.codec_delay && self.codec != Codec::Pcmu;
        // ffprobe rounds 6.5 ms to 7.
        let (delay_ms, delay_exact_ms) = if delay { (7, 6.5) } else { (0, 0.0) };
        let first_block_ms = self.start_ms + delay_ms;
        ensure!(first_block_ms >= 0, "a block can't begin before 0");
        let too_high = self.codec == Codec::Pcmu && tone::pitch_hz(self.number) > 3400.0;
        ensure!(!too_high, "PCMU can't carry the pitch of number {}", self.number);

        let stretch = 1.0 + self.drift_ppm * 1e-6;
        let placed = |packet: i64| ((packet * PACKET_MS) as f64 * stretch).round() as i64;
        let count = self.lasting_ms / PACKET_MS;
        let is_lost = |packet: &i64| self.lost.iter().any(|lost| lost.contains(&(packet * PACKET_MS)));
        let onsets = self.onsets();
        let packets: Vec<Packet> = self
            .encode(&onsets, stretch)?
            .into_iter()
            .zip(0..count)
            .filter(|(_, packet)| !is_lost(packet))
            .map(|(data, packet)| Packet { time_ms: first_block_ms + placed(packet), key: true, data })
            .collect();
        ensure!(!packets.is_empty(), "a voice needs a packet; see Ending::NoPacket");
        ensure!(packets[0].time_ms == first_block_ms, "the first packet can't be lost");

        let whole = container::write(path, &self.track(delay), &packets, self.form, self.ending)?;
        let kept = &packets[..whole];
        let span = kept.first().zip(kept.last()).map(|(first, last)| Span {
            start_ms: first.time_ms - delay_ms,
            end_ms: last.time_ms - delay_ms,
        });
        let first_sample_ms = first_block_ms as f64 - delay_exact_ms;
        let bursts_ms = onsets
            .iter()
            .map(|onset| first_sample_ms + onset)
            .filter(|onset| span.is_some_and(|span| onset + BURST_MS <= span.end_ms as f64))
            .collect();
        let (rate, channels) = self.shape();
        Ok(Recording {
            path: path.to_path_buf(),
            number: self.number,
            span,
            content: Content::Audio {
                bursts_ms,
                amplitude: self.amplitude,
                rate,
                channels,
                codec: if self.codec == Codec::Pcmu { "pcm_mulaw" } else { "opus" },
            },
        })
    }

    fn shape(&self) -> (u32, u32) {
        match self.codec {
            Codec::OpusMono => (48_000, 1),
            Codec::OpusStereo => (48_000, 2),
            Codec::Pcmu => (8_000, 1),
        }
    }

    fn onsets(&self) -> Vec<f64> {
        let regular = || (0..).map(|k| 200.0 + 500.0 * f64::from(k));
        let end_ms = self.lasting_ms as f64 - BURST_MS - MARGIN_MS;
        let wanted: Vec<f64> = if self.bursts.is_empty() {
            regular().take_while(|&onset| onset <= end_ms).collect()
        } else {
            self.bursts.clone()
        };
        let is_heard = |onset: &f64| {
            let (from, to) = (onset - MARGIN_MS, onset + BURST_MS + MARGIN_MS);
            let lost = |lost: &Range<i64>| from < (lost.end + PACKET_MS) as f64 && to > lost.start as f64;
            *onset <= end_ms && !self.lost.iter().any(lost)
        };
        wanted.into_iter().filter(is_heard).collect()
    }

    /// All packets, the lost ones too: an encoder doesn't know what is lost.
    fn encode(&self, onsets: &[f64], stretch: f64) -> Result<Vec<Vec<u8>>> {
        let (rate, channels) = self.shape();
        let samples = self.lasting_ms as usize * rate as usize / 1000;
        // Decoded sample n is what the encoder took in as sample n - LOOK_AHEAD.
        let ahead = if self.codec == Codec::Pcmu { 0 } else { LOOK_AHEAD };
        let sound = |out: &mut dyn Write| -> std::io::Result<()> {
            let mut next = 0;
            for n in 0..samples {
                let ms = f64::from(n as u32 + ahead) * 1000.0 / f64::from(rate) * stretch;
                while onsets.get(next).is_some_and(|onset| onset + BURST_MS < ms) {
                    next += 1;
                }
                let burst = |onset| tone::burst(self.number, ms - onset);
                let value = self.amplitude * onsets.get(next).map_or(0.0, burst);
                let value = value as f32;
                for _ in 0..channels {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
            Ok(())
        };
        let (rate, channels) = (rate.to_string(), channels.to_string());
        let mut arguments = vec!["-f", "f32le", "-ar", &rate, "-ac", &channels, "-i", "-"];
        if self.codec == Codec::Pcmu {
            arguments.extend(["-f", "mulaw", "-"]);
            let bytes = ffmpeg::pipe(&arguments, sound)?;
            let length = 8 * PACKET_MS as usize;
            return Ok(bytes.chunks_exact(length).map(<[u8]>::to_vec).collect());
        }
        arguments.extend(["-c:a", "libopus", "-b:a", "64k", "-frame_duration", "20", "-f", "ogg", "-"]);
        let mut packets = ogg::packets(&ffmpeg::pipe(&arguments, sound)?)?;
        packets.get(2).context("Opus without a packet")?;
        // OpusHead and OpusTags.
        packets.drain(..2);
        Ok(packets)
    }

    fn track(&self, delay: bool) -> Track {
        let (rate, channels) = self.shape();
        let (codec_id, codec_private) = match self.codec {
            Codec::Pcmu => ("A_MS/ACM", wave_format(rate, channels as u16)),
            _ => ("A_OPUS", opus_head(channels as u8, delay)),
        };
        Track {
            codec_id,
            codec_private,
            codec_delay_ns: if delay { 6_500_000 } else { 0 },
            kind: Kind::Audio { rate, channels },
        }
    }
}

/// RFC 7845, section 5.1. A receiver of WebRTC knows of no samples to skip.
fn opus_head(channels: u8, delay: bool) -> Vec<u8> {
    let pre_skip = if delay { LOOK_AHEAD as u16 } else { 0 };
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend(pre_skip.to_le_bytes());
    head.extend(48_000u32.to_le_bytes());
    head.extend([0; 3]);
    head
}

/// Microsoft's `WAVEFORMATEX` of µ-law (format 7), as GStreamer writes it.
fn wave_format(rate: u32, channels: u16) -> Vec<u8> {
    let mut format = 7u16.to_le_bytes().to_vec();
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(channels)).to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(8u16.to_le_bytes());
    format.extend(0u16.to_le_bytes());
    format
}
