//! A recording that was made, and the truth about it.

use std::path::PathBuf;

/// A file on disk and what is really in it. All times are those of the file's
/// own clock, as ffprobe shows them.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is: the number in each frame, or the voice's pitch.
    pub number: u8,
    /// First and last timestamp; `None` in a file without packets.
    pub span: Option<Span>,
    /// What is seen or heard.
    pub content: Content,
}

/// First and last timestamp of the packets, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// ffprobe's `start_time`.
    pub start_ms: i64,
    /// Timestamp of the last packet.
    pub end_ms: i64,
}

/// What is in a recording.
#[derive(Clone, Debug)]
pub enum Content {
    /// A picture.
    Video {
        /// Every frame that is whole, in order.
        frames: Vec<Frame>,
        /// The normal time from one frame to the next, in milliseconds.
        interval_ms: f64,
        /// Shape of a pixel: its width to its height.
        pixel_aspect: (u32, u32),
        /// ffprobe's name of the codec.
        codec: &'static str,
    },
    /// A voice.
    Audio {
        /// Onset of each burst, in milliseconds.
        bursts_ms: Vec<f64>,
        /// Peak amplitude of a burst, 0 to 1.
        amplitude: f64,
        /// Samples a second.
        rate: u32,
        /// Number of channels.
        channels: u32,
        /// ffprobe's name of the codec.
        codec: &'static str,
    },
}

/// A frame of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its timestamp, which its code shows too, in milliseconds.
    pub time_ms: i64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}
