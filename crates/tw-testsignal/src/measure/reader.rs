//! Finds the picture in a cell and reads its code.

use super::composition::Rect;
use crate::code::{Code, grid};

/// What a cell shows in one output frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing but background.
    Background,
    /// A frame with a code.
    Code(Code),
    /// Anything else: a blend of frames, a picture in the wrong place.
    Unreadable,
}

/// A shape that pictures in the room have, from which follows where in a cell
/// they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Width to height, as it is shown.
    pub aspect: f64,
    /// Squares of the code, across and down.
    pub grid: (usize, usize),
}

impl Shape {
    /// The shape of frames of that size, with that pixel aspect.
    #[must_use]
    pub fn new(width: u32, height: u32, pixel_aspect: (u32, u32)) -> Self {
        let pixel = f64::from(pixel_aspect.0) / f64::from(pixel_aspect.1);
        Self {
            aspect: pixel * f64::from(width) / f64::from(height),
            grid: grid(width as usize, height as usize),
        }
    }
}

/// So many of a cell's 576 points may differ from the background: a code that fills the cell
/// has three white corners, of a dozen points each.
const LEFT_BEHIND: usize = 3;

/// A decoded picture: one byte of full-range luma for each pixel.
#[derive(Clone, Copy)]
pub struct Canvas<'a> {
    /// The bytes, row by row.
    pub luma: &'a [u8],
    /// Pixels in a row.
    pub width: usize,
}

impl Canvas<'_> {
    /// Reads a cell: the first of the shapes under which there is a valid code.
    #[must_use]
    pub fn read(&self, cell: Rect, shapes: &[Shape], background: u8) -> Seen {
        if self.is_plain(cell, background) {
            return Seen::Background;
        }
        let read = |shape: &Shape| Code::read(&self.squares(cell, shape), shape.grid.0);
        shapes.iter().find_map(read).map_or(Seen::Unreadable, Seen::Code)
    }

    /// Whether points all over the cell have the background's luma, but for what an encoder
    /// leaves behind of who was there: a dozen pixels of a block, for 60 ms, in VP8.
    fn is_plain(&self, cell: Rect, background: u8) -> bool {
        let at = |start: u32, length: u32, i: u32| (start + (2 * i + 1) * length / 48) as usize;
        let points = (0..24).flat_map(|row| (0..24).map(move |column| (column, row)));
        let other = points.filter(|&(column, row)| {
            let (x, y) = (at(cell.x, cell.width, column), at(cell.y, cell.height, row));
            self.luma[y * self.width + x].abs_diff(background) > 32
        });
        other.count() <= LEFT_BEHIND
    }

    /// Mean luma of the middle of each square of the picture fitted into the cell.
    fn squares(&self, cell: Rect, shape: &Shape) -> Vec<f64> {
        let (cell_width, cell_height) = (f64::from(cell.width), f64::from(cell.height));
        let width = cell_width.min(cell_height * shape.aspect);
        let height = cell_height.min(cell_width / shape.aspect);
        let left = f64::from(cell.x) + (cell_width - width) / 2.0;
        let top = f64::from(cell.y) + (cell_height - height) / 2.0;
        let (columns, rows) = shape.grid;
        let middle = |start: f64, length: f64, i: usize, count: usize| {
            let square = length / count as f64;
            let centre = start + square * (i as f64 + 0.5);
            (centre - square * 0.2) as usize..=(centre + square * 0.2) as usize
        };
        (0..columns * rows)
            .map(|i| {
                let xs = middle(left, width, i % columns, columns);
                let ys = middle(top, height, i / columns, rows);
                let count = xs.clone().count() * ys.clone().count();
                let sum: u64 = ys
                    .flat_map(|y| xs.clone().map(move |x| (x, y)))
                    .map(|(x, y)| u64::from(self.luma[y * self.width + x]))
                    .sum();
                sum as f64 / count as f64
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Rect = Rect { x: 0, y: 0, width: 96, height: 72 };

    fn seen(luma: &[u8]) -> Seen {
        Canvas { luma, width: 96 }.read(CELL, &[Shape::new(96, 72, (1, 1))], 0)
    }

    #[test]
    fn what_an_encoder_leaves_behind_is_no_picture() {
        let mut luma = vec![0; 96 * 72];
        assert_eq!(seen(&luma), Seen::Background);
        let block = |luma: &mut [u8], side: usize| {
            (0..side * side).for_each(|i| luma[(20 + i / side) * 96 + 40 + i % side] = 80);
        };
        block(&mut luma, 4);
        assert_eq!(seen(&luma), Seen::Background);
        block(&mut luma, 12);
        assert_eq!(seen(&luma), Seen::Unreadable);
        let code = Code { number: 0, time_ms: 0 };
        assert_eq!(seen(&code.draw(96, 72)), Seen::Code(code));
    }
}
