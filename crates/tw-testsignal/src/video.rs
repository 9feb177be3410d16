//! Makes a video recording: frames that show their own time, at any times.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::code::{Code, MAX_NUMBER, MAX_TIME_MS};
use crate::container::{self, Ending};
use crate::matroska::{Form, Kind, Packet, Track};
use crate::recording::{Content, Frame, Recording, Span};
use crate::{annexb, ffmpeg, ivf};

/// Codec of a video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// VP8, which carries the picture's size in its key frames.
    #[default]
    Vp8,
    /// H.264; sides have to be even.
    H264,
}

/// A video to be made. Times given to the builder are milliseconds since the
/// recording's first frame; [`Video::start_ms`] says where that lies on the
/// file's own clock.
#[derive(Clone, Debug)]
pub struct Video {
    number: u8,
    interval_ms: f64,
    start_ms: i64,
    lasting_ms: i64,
    sizes: Vec<(i64, (u32, u32))>,
    gaps: Vec<Range<i64>>,
    jitter: Option<(u64, f64)>,
    frames: Option<Vec<Frame>>,
    key_every: Option<usize>,
    pixel_aspect: (u32, u32),
    codec: Codec,
    is_sparse: bool,
    damaged: Range<usize>,
    form: Form,
    ending: Ending,
}

impl Video {
    /// A video of `fps` frames a second with that number (0 to 63) in its frames:
    /// 320x240, VP8, 4 s from 0, one key frame, as WebRTC sends it.
    #[must_use]
    pub fn new(number: u8, fps: f64) -> Self {
        Self {
            number,
            interval_ms: 1000.0 / fps,
            start_ms: 0,
            lasting_ms: 4000,
            sizes: vec![(0, (320, 240))],
            gaps: Vec::new(),
            jitter: None,
            frames: None,
            key_every: None,
            pixel_aspect: (1, 1),
            codec: Codec::Vp8,
            is_sparse: false,
            damaged: 0..0,
            form: Form::Tidy,
            ending: Ending::Whole,
        }
    }

    /// The timestamp of the first frame.
    #[must_use]
    pub fn start_ms(mut self, start_ms: i64) -> Self {
        self.start_ms = start_ms;
        self
    }

    /// For how long frames come.
    #[must_use]
    pub fn lasting_ms(mut self, lasting_ms: i64) -> Self {
        self.lasting_ms = lasting_ms;
        self
    }

    /// The size from the first frame on.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.sizes[0].1 = (width, height);
        self
    }

    /// Another size from then on, which begins with a key frame.
    #[must_use]
    pub fn resized(mut self, at_ms: i64, width: u32, height: u32) -> Self {
        self.sizes.push((at_ms, (width, height)));
        self.sizes.sort_by_key(|&(at_ms, _)| at_ms);
        self
    }

    /// No frames in that time: the camera is off.
    #[must_use]
    pub fn without(mut self, gap_ms: Range<i64>) -> Self {
        self.gaps.push(gap_ms);
        self
    }

    /// Every frame but the first is off its regular time by up to `part` of an
    /// interval (0 to 0.5), the same each time for the same seed.
    #[must_use]
    pub fn jitter(mut self, seed: u64, part: f64) -> Self {
        self.jitter = Some((seed, part));
        self
    }

    /// Exactly these frames (timestamps on the file's clock, rising) instead of
    /// a rate; a single one for a video of one frame.
    #[must_use]
    pub fn frames(mut self, frames: Vec<Frame>) -> Self {
        self.frames = Some(frames);
        self
    }

    /// A key frame at least every so many frames. Without it, only where the
    /// size changes.
    #[must_use]
    pub fn key_every(mut self, frames: usize) -> Self {
        self.key_every = Some(frames.max(1));
        self
    }

    /// Pixels that aren't square: their width to their height.
    #[must_use]
    pub fn pixel_aspect(mut self, width: u32, height: u32) -> Self {
        self.pixel_aspect = (width, height);
        self
    }

    /// The codec.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Of H.264: parameter sets stand only before the first frame of another size,
    /// and those of the first one beside the frames. Without it, before every key frame.
    #[must_use]
    pub fn sparse_sets(mut self) -> Self {
        self.is_sparse = true;
        self
    }

    /// The frames in those places (counted from 0) can't be decoded, and those up to the
    /// next key frame are not to be looked for either.
    #[must_use]
    pub fn damaged(mut self, places: Range<usize>) -> Self {
        self.damaged = places;
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

    /// Encodes the frames and writes the file.
    ///
    /// # Errors
    /// If a number or time doesn't fit into a code, ffmpeg fails, or the file
    /// can't be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Recording> {
        let path = path.as_ref();
        let mut frames = self.schedule();
        let first = *frames.first().context("a video needs a frame; see Ending::NoPacket")?;
        ensure!(self.number <= MAX_NUMBER, "numbers go from 0 to {MAX_NUMBER}");
        let shown = 0..=i64::from(MAX_TIME_MS);
        let fits = frames.iter().all(|frame| shown.contains(&frame.time_ms));
        ensure!(fits, "frame times go from 0 to {MAX_TIME_MS} ms");

        let mut packets = Vec::with_capacity(frames.len());
        let mut codec_private = Vec::new();
        for segment in frames.chunk_by(|a, b| (a.width, a.height) == (b.width, b.height)) {
            let stream = self.encode(segment)?;
            let coded = match self.codec {
                Codec::Vp8 => ivf::frames(&stream)?
                    .into_iter()
                    .map(|data| (ivf::is_vp8_key_frame(&data), data))
                    .collect(),
                Codec::H264 => {
                    let is_first = codec_private.is_empty();
                    if is_first {
                        codec_private = annexb::configuration(&stream)?;
                    }
                    let with_sets = |n| !self.is_sparse || (n == 0 && !is_first);
                    let pictures = annexb::pictures(&stream).into_iter().enumerate();
                    pictures
                        .map(|(n, picture)| {
                            let sets = if with_sets(n) { picture.sets } else { Vec::new() };
                            (picture.key, [sets, picture.data].concat())
                        })
                        .collect::<Vec<_>>()
                }
            };
            ensure!(coded.len() == segment.len(), "the encoder dropped frames");
            packets.extend(segment.iter().zip(coded).map(|(frame, (key, data))| Packet {
                time_ms: frame.time_ms,
                key,
                data,
            }));
        }

        let (codec, codec_id) = match self.codec {
            Codec::Vp8 => ("vp8", "V_VP8"),
            Codec::H264 => ("h264", "V_MPEG4/ISO/AVC"),
        };
        let track = Track {
            codec_id,
            codec_private,
            codec_delay_ns: 0,
            kind: Kind::Video { width: first.width, height: first.height, display: self.display(first) },
        };
        container::damage(&mut packets, &self.damaged);
        let whole = container::write(path, &track, &packets, self.form, self.ending)?;
        frames.truncate(whole);
        let span = frames
            .first()
            .zip(frames.last())
            .map(|(first, last)| Span { start_ms: first.time_ms, end_ms: last.time_ms });
        if !self.damaged.is_empty() {
            let next_key = (self.damaged.end..packets.len()).find(|&place| packets[place].key);
            let end = next_key.unwrap_or(frames.len()).min(frames.len());
            frames.drain(self.damaged.start.min(end)..end);
        }
        Ok(Recording {
            path: path.to_path_buf(),
            number: self.number,
            span,
            content: Content::Video {
                frames,
                interval_ms: self.interval_ms,
                pixel_aspect: self.pixel_aspect,
                codec,
            },
        })
    }

    fn display(&self, frame: Frame) -> Option<(u32, u32)> {
        let (width, height) = self.pixel_aspect;
        (width != height).then_some((frame.width * width / height, frame.height))
    }

    fn schedule(&self) -> Vec<Frame> {
        if let Some(frames) = &self.frames {
            return frames.clone();
        }
        let mut random = self.jitter.map(|(seed, _)| Random(seed));
        let mut frames: Vec<Frame> = Vec::new();
        for k in 0.. {
            let regular = f64::from(k) * self.interval_ms;
            if regular.round() as i64 >= self.lasting_ms {
                break;
            }
            let off = match (&mut random, self.jitter) {
                (Some(random), Some((_, part))) if k > 0 => {
                    (2.0 * random.next() - 1.0) * part * self.interval_ms
                }
                _ => 0.0,
            };
            let into = (regular + off).round() as i64;
            let time_ms = self.start_ms + into;
            let late = frames.last().is_none_or(|last| last.time_ms < time_ms);
            if late && !self.gaps.iter().any(|gap| gap.contains(&into)) {
                let size = self.sizes.iter().rev().find(|&&(at_ms, _)| at_ms <= into);
                let (width, height) = size.unwrap_or(&self.sizes[0]).1;
                frames.push(Frame { time_ms, width, height });
            }
        }
        frames
    }

    /// Frames of one size as one stream of the codec.
    fn encode(&self, frames: &[Frame]) -> Result<Vec<u8>> {
        let (width, height) = (frames[0].width, frames[0].height);
        let size = format!("{width}x{height}");
        let group = self.key_every.unwrap_or(frames.len().max(2)).to_string();
        let mut arguments = vec!["-f", "rawvideo", "-pix_fmt", "gray", "-s", &size, "-r", "30"];
        arguments.extend(["-i", "-", "-pix_fmt", "yuv420p", "-g", &group]);
        // With keyint_min = g the encoder sets no key frames of its own accord.
        arguments.extend(["-keyint_min", &group]);
        match self.codec {
            Codec::Vp8 => arguments.extend([
                "-c:v",
                "libvpx",
                "-deadline",
                "realtime",
                "-cpu-used",
                // Negative: always the same frames. Else a busy machine makes other ones.
                "-8",
                "-b:v",
                "3M",
                "-qmax",
                "40",
                "-f",
                "ivf",
                "-",
            ]),
            Codec::H264 => arguments.extend([
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-crf",
                "20",
                "-x264-params",
                "aud=1:scenecut=0",
                "-f",
                "h264",
                "-",
            ]),
        }
        let draw = |out: &mut dyn Write| {
            frames.iter().try_for_each(|frame| {
                let code = Code { number: self.number, time_ms: frame.time_ms as u32 };
                out.write_all(&code.draw(width as usize, height as usize))
            })
        };
        ffmpeg::pipe(&arguments, draw)
    }
}

/// The same numbers from 0 to 1 for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as f64 / u64::MAX as f64
    }
}
