//! Who is seen where, and when: a layout turns a room into placements.
//!
//! Arithmetic alone: values in, values out. Every layout, whether one of the
//! named ones or an object of regions, ends in the same list of [`Placement`]s,
//! and nothing after it knows which layout it was.

mod cells;
pub mod compositions;
mod focus;
mod seats;

use std::fmt;
use std::str::FromStr;

use tw_core::failure::Failure;

use crate::room::{Room, Span};

/// A size in pixels; both sides even, as 4:2:0 sampling wants them, but for a size that is asked for
/// in a Compositions request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_any_parity(text)
            .filter(|&size| size == size.even())
            .ok_or_else(|| format!("'{text}' is no size: write WIDTHxHEIGHT, both even, from 16 to 8192"))
    }
}

impl Size {
    /// Reads one whose sides may be odd.
    pub fn of_any_parity(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(['x', 'X'])?;
        let side = |text: &str| text.parse().ok().filter(|side| (16..=8192).contains(side));
        Some(Self { width: side(width)?, height: side(height)? })
    }

    /// The largest one in it with even sides.
    pub fn even(self) -> Self {
        Self { width: self.width & !1, height: self.height & !1 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of the canvas, in pixels from its top left corner; all even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Downwards.
    pub height: u32,
}

impl Rect {
    /// Whether both have a pixel in common.
    pub fn overlaps(self, other: Self) -> bool {
        let meet = |a: u32, long: u32, b: u32, wide: u32| a < b + wide && b < a + long;
        meet(self.x, self.width, other.x, other.width) && meet(self.y, self.height, other.y, other.height)
    }
}

/// One track in one cell for one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Which of the room's tracks.
    pub track: usize,
    /// The cell; the picture is fitted into it.
    pub cell: Rect,
    /// When it is shown, on the room's timeline.
    pub span: Span,
    /// What has the greater z lies on top.
    pub z: i32,
}

/// The canvas that a layout fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    /// Its size.
    pub size: Size,
    /// Pixels left free between two cells.
    pub spacing: u32,
}

/// A layout by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// As square as it gets: a cell for each participant.
    #[default]
    Grid,
    /// Side by side.
    Row,
    /// One below the other.
    Column,
    /// One large, the others in a strip below.
    Focus(String),
}

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "grid" => Ok(Self::Grid),
            None if text == "row" => Ok(Self::Row),
            None if text == "column" => Ok(Self::Column),
            Some(("focus", who)) if !who.is_empty() => Ok(Self::Focus(who.to_owned())),
            _ => Err(format!("'{text}' is no layout: write grid, row, column, focus=NAME-OR-SID or @FILE")),
        }
    }
}

impl Layout {
    /// Where and when each of the room's pictures is shown.
    ///
    /// # Errors
    /// When the layout asks for somebody who isn't there, or for more cells than
    /// the canvas has room for.
    pub fn place(&self, room: &Room, canvas: Canvas) -> Result<Vec<Placement>, Failure> {
        match self {
            Self::Grid => cells::place(room, canvas, cells::columns_and_rows),
            Self::Row => cells::place(room, canvas, |n| (n, 1)),
            Self::Column => cells::place(room, canvas, |n| (1, n)),
            Self::Focus(who) => focus::place(room, canvas, who),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_even_numbers() {
        assert_eq!("1024x768".parse(), Ok(Size { width: 1024, height: 768 }));
        for text in ["", "1024", "1024x", "1023x768", "0x0", "99999x2", "-2x2", "a x b"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_layout_is_called_by_its_exact_name() {
        assert_eq!("focus=alice".parse(), Ok(Layout::Focus("alice".into())));
        for text in ["", "focus", "focus=", "grid=2", "Grid"] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
