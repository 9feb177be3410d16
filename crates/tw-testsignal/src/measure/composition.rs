//! What is expected of a composition.

use std::path::PathBuf;

use crate::room::TrackId;

/// A rectangle on the canvas, in pixels from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A place on the canvas and the videos that are shown there.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The cell itself; a picture is fitted into it (CSS `object-fit: contain`).
    pub rect: Rect,
    /// Its videos, which don't overlap in time.
    pub tracks: Vec<TrackId>,
}

impl Cell {
    /// A cell that shows those videos, each for the whole of its span.
    pub fn new(rect: Rect, tracks: impl IntoIterator<Item = TrackId>) -> Self {
        Self { rect, tracks: tracks.into_iter().collect() }
    }
}

/// What a cell shows while a camera is off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gaps {
    /// The last frame stays.
    #[default]
    LastFrame,
    /// Black, once the last frame had its normal time, where frames are further
    /// apart than that many milliseconds.
    Black {
        /// Longest distance of frames that is no gap, in milliseconds.
        longer_than_ms: f64,
    },
}

/// A composed file and what it should be.
#[derive(Clone, Debug)]
pub struct Composition {
    /// The file: webm, mp4 or mkv.
    pub path: PathBuf,
    /// Frames a second.
    pub fps: f64,
    /// Width and height; `None`: without picture.
    pub size: Option<(u32, u32)>,
    /// Where on the room's timeline the file begins, in milliseconds.
    pub start_ms: f64,
    /// Number of frames, if it is to be checked.
    pub frames: Option<usize>,
    /// The cells.
    pub cells: Vec<Cell>,
    /// What is shown while a camera is off.
    pub gaps: Gaps,
    /// Luma (0-255) of the background.
    pub background: u8,
    /// Whether all voices of the room are in it.
    pub sound: bool,
}

impl Composition {
    /// A file at `fps` frames a second that begins with the room and has all
    /// its voices, but no cells yet.
    pub fn new(path: impl Into<PathBuf>, fps: f64) -> Self {
        Self {
            path: path.into(),
            fps,
            size: None,
            start_ms: 0.0,
            frames: None,
            cells: Vec::new(),
            gaps: Gaps::LastFrame,
            background: 0,
            sound: true,
        }
    }

    /// Size of the canvas.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = Some((width, height));
        self
    }

    /// Where on the room's timeline the file begins (a window).
    #[must_use]
    pub fn start_ms(mut self, start_ms: f64) -> Self {
        self.start_ms = start_ms;
        self
    }

    /// The number of frames it should have.
    #[must_use]
    pub fn frames(mut self, frames: usize) -> Self {
        self.frames = Some(frames);
        self
    }

    /// One more cell.
    #[must_use]
    pub fn cell(mut self, cell: Cell) -> Self {
        self.cells.push(cell);
        self
    }

    /// What is shown while a camera is off.
    #[must_use]
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// Luma of the background, 0 to 255.
    #[must_use]
    pub fn background(mut self, luma: u8) -> Self {
        self.background = luma;
        self
    }

    /// Without sound.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.sound = false;
        self
    }

    /// How long an output frame lasts, in milliseconds.
    #[must_use]
    pub fn frame_ms(&self) -> f64 {
        1000.0 / self.fps
    }
}

/// How far a composition may be from the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Added on both sides of what is allowed for a picture: files have whole
    /// milliseconds.
    pub picture_ms: f64,
    /// Of a burst's onset, beyond the constant delay; 10 where a sender's clock drifts.
    pub sound_ms: f64,
    /// Of the delay that all voices have in common.
    pub common_delay_ms: f64,
    /// Of a voice's level.
    pub level_db: f64,
    /// Between the end of the picture and that of the sound.
    pub ends_ms: f64,
}

impl Default for Tolerance {
    /// Picture ±1 ms (beside half an output frame and one source interval),
    /// onsets 1 ms, common delay 2.5 ms (a limiter's; a codec's own is the muxer's to hide), levels 1.5 dB, ends 60 ms.
    fn default() -> Self {
        Self { picture_ms: 1.0, sound_ms: 1.0, common_delay_ms: 2.5, level_db: 1.5, ends_ms: 60.0 }
    }
}
