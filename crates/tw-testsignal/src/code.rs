//! The block code that a test frame shows: who it is and when it was taken.
//!
//! A frame is 8 by 6 squares (6 by 8 where it is taller than wide), black or
//! white. The four corners are fixed (three white, the bottom right one black)
//! and tell white from black after any change of contrast; the other 44 squares
//! hold, row by row, 6 bits of number, 24 bits of time in milliseconds (4 h 39
//! min) and 14 bits of checksum. Squares are read at their centres only, so
//! scaling, blurred edges and compression down to squares of about 5 pixels do
//! no harm, while a blend of two frames fails the checksum.

/// The greatest number that a frame can show.
pub const MAX_NUMBER: u8 = 63;
/// The greatest time that a frame can show, in milliseconds.
pub const MAX_TIME_MS: u32 = (1 << 24) - 1;

const LONG: usize = 8;
const SHORT: usize = 6;
/// Least difference of luma (0-255) between white and black corners.
const MIN_CONTRAST: f64 = 60.0;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Which recording it belongs to, 0 to [`MAX_NUMBER`].
    pub number: u8,
    /// Its timestamp in its own file, in milliseconds, 0 to [`MAX_TIME_MS`].
    pub time_ms: u32,
}

impl Code {
    /// The frame as `width` x `height` bytes of full-range luma, row by row.
    #[must_use]
    pub fn draw(self, width: usize, height: usize) -> Vec<u8> {
        let (columns, rows) = grid(width, height);
        let squares = self.squares(columns, rows);
        let lines: Vec<Vec<u8>> = (0..rows)
            .map(|row| {
                (0..width)
                    .map(|x| squares[row * columns + x * columns / width])
                    .map(|white| if white { 255 } else { 0 })
                    .collect()
            })
            .collect();
        (0..height).flat_map(|y| lines[y * rows / height].iter().copied()).collect()
    }

    /// Reads a code from the mean luma (0-255) of each square, row by row, of a
    /// frame that is `columns` squares wide. `None` where there is none.
    #[must_use]
    pub fn read(luma: &[f64], columns: usize) -> Option<Self> {
        let rows = luma.len() / columns.max(1);
        if rows * columns != LONG * SHORT {
            return None;
        }
        let [a, b, c, black] = corners(columns, rows).map(|i| luma[i]);
        let white = a.min(b).min(c);
        if white - black < MIN_CONTRAST {
            return None;
        }
        let middle = f64::midpoint(white, black);
        let payload = (0..luma.len())
            .filter(|i| !corners(columns, rows).contains(i))
            .fold(0u64, |bits, i| bits << 1 | u64::from(luma[i] > middle));
        let content = payload >> 14;
        let code = Self { number: (content >> 24) as u8, time_ms: (content & u64::from(MAX_TIME_MS)) as u32 };
        (payload & 0x3fff == checksum(content)).then_some(code)
    }

    fn squares(self, columns: usize, rows: usize) -> Vec<bool> {
        let content = u64::from(self.number & MAX_NUMBER) << 24 | u64::from(self.time_ms & MAX_TIME_MS);
        let payload = content << 14 | checksum(content);
        let corners = corners(columns, rows);
        let mut left = 44;
        (0..columns * rows)
            .map(|i| match corners.iter().position(|&corner| corner == i) {
                Some(corner) => corner < 3,
                None => {
                    left -= 1;
                    payload >> left & 1 == 1
                }
            })
            .collect()
    }
}

/// Columns and rows of squares of a frame of that size in pixels.
#[must_use]
pub fn grid(width: usize, height: usize) -> (usize, usize) {
    if width < height { (SHORT, LONG) } else { (LONG, SHORT) }
}

fn corners(columns: usize, rows: usize) -> [usize; 4] {
    let last = columns * rows - 1;
    [0, columns - 1, last + 1 - columns, last]
}

/// 14 bits in which every bit of `content` has a part (Knuth's multiplicative hash).
fn checksum(content: u64) -> u64 {
    (content ^ 0x2a5a_5a5a).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centres(pixels: &[u8], width: usize, height: usize) -> (Vec<f64>, usize) {
        let (columns, rows) = grid(width, height);
        let luma = (0..rows * columns)
            .map(|i| {
                let x = (2 * (i % columns) + 1) * width / (2 * columns);
                let y = (2 * (i / columns) + 1) * height / (2 * rows);
                f64::from(pixels[y * width + x])
            })
            .collect();
        (luma, columns)
    }

    #[test]
    fn what_is_drawn_is_read() {
        for (width, height) in [(320, 240), (360, 640), (101, 75), (48, 48)] {
            for number in [0, 1, 42, MAX_NUMBER] {
                for time_ms in [0, 33, 1_000_000, MAX_TIME_MS] {
                    let code = Code { number, time_ms };
                    let (luma, columns) = centres(&code.draw(width, height), width, height);
                    assert_eq!(Code::read(&luma, columns), Some(code));
                }
            }
        }
    }

    #[test]
    fn one_wrong_square_is_noticed() {
        let code = Code { number: 5, time_ms: 123_456 };
        let (luma, columns) = centres(&code.draw(320, 240), 320, 240);
        for i in 0..luma.len() {
            let mut wrong = luma.clone();
            wrong[i] = 255.0 - wrong[i];
            assert_eq!(Code::read(&wrong, columns), None, "square {i}");
        }
    }

    #[test]
    fn a_plain_picture_is_no_code() {
        for luma in [0.0, 128.0, 255.0] {
            assert_eq!(Code::read(&[luma; 48], 8), None);
        }
    }
}
