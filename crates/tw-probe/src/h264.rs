//! The picture's size in a key frame of H.264: where its NAL units hold a sequence
//! parameter set.
//!
//! A picture changes its size with a new set (ITU-T H.264, 7.4.1.2.1), and sets
//! stand before the slices that they are for (7.4.1.2.3). A key frame without one
//! goes on with the set before it, the first with that of the track's
//! `CodecPrivate`, whose size ffprobe tells.

use std::iter;

use crate::sizes::Said;
use crate::sps;

/// So much of a key frame is looked at. What stands before the slices is short: with
/// x264's 0.6 kB about itself, a set of parameters ends within 0.7 kB.
pub const REACH: usize = 4096;

/// What stands before the first byte of a NAL unit (Annex B).
const START_CODE: [u8; 3] = [0, 0, 1];

/// What the frame says; `None` when it is none, or can't be read.
pub fn read(frame: &[u8]) -> Option<Said> {
    let mut size = None;
    for unit in units(frame) {
        let (head, payload) = unit.split_first()?;
        // Types as in table 7-1; the first bit is 0.
        match head & 0b1001_1111 {
            // A slice: of an IDR picture, or where decoding may begin as well.
            1 | 2 | 5 => return Some(size.unwrap_or(Said::Nothing)),
            7 => {
                let (width, height) = sps::size(payload)?;
                let this = Said::Size(width, height);
                // Of two that differ, the slices tell which one they are for.
                if size.is_some_and(|other| other != this) {
                    return None;
                }
                size = Some(this);
            }
            // Pictures' parameters, messages, delimiters, and what may come one day.
            6 | 8..=18 => {}
            _ => return None,
        }
    }
    // The slices lie farther behind.
    size
}

/// A frame's NAL units. As Matroska has them (ISO/IEC 14496-15), a length of 4 bytes
/// stands before each. Where a start code of 4 bytes stands instead, as before the
/// first one it must, it is a byte stream: no unit that begins a frame has 1 byte.
/// The last unit is cut off where the frame is.
fn units(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_stream = frame.starts_with(&[0, 0, 0, 1]);
    let mut rest = frame;
    iter::from_fn(move || {
        if is_stream {
            rest = rest.get(start_code(rest)? + START_CODE.len()..)?;
            return rest.get(..start_code(rest).unwrap_or(rest.len()));
        }
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (unit, behind) = behind.split_at(length.min(behind.len()));
        rest = behind;
        Some(unit)
    })
}

fn start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(START_CODE.len()).position(|three| three == START_CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELIMITER: &[u8] = &[0x09, 0x10];
    const MESSAGE: &[u8] = &[0x06, 0x05, 0x01, 0x00, 0x80];
    const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
    const SLICE: &[u8] = &[0x65, 0xb8, 0x00, 0x04, 0x00, 0x00];

    // From OpenH264, as WebRTC has it, and from x264.
    const W640: &[u8] =
        &[0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a];
    const W480: &[u8] =
        &[0x67, 0x42, 0xc0, 0x15, 0x8c, 0x8d, 0x40, 0xf0, 0x46, 0xf5, 0x00, 0xf0, 0x88, 0x46, 0xa0];

    fn frame(units: &[&[u8]]) -> Vec<u8> {
        let length = |unit: &[u8]| u32::try_from(unit.len()).unwrap().to_be_bytes();
        units.iter().flat_map(|unit| [&length(unit)[..], unit].concat()).collect()
    }

    #[test]
    fn the_set_before_the_slices_counts() {
        let size = Some(Said::Size(640, 360));
        assert_eq!(read(&frame(&[W640, PPS, SLICE])), size);
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE, W640, PPS, MESSAGE, SLICE, W480])), size);
        assert_eq!(read(&frame(&[W480, W480, SLICE])), Some(Said::Size(480, 270)));
        assert_eq!(read(&frame(&[W480, W640, SLICE])), None);
    }

    #[test]
    fn a_key_frame_may_do_without() {
        assert_eq!(read(&frame(&[SLICE])), Some(Said::Nothing));
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE, PPS, SLICE])), Some(Said::Nothing));
    }

    #[test]
    fn a_byte_stream() {
        let stream = |units: &[&[u8]]| -> Vec<u8> {
            let codes = [&[0, 0, 0, 1][..], &[0, 0, 1]].into_iter().cycle();
            units.iter().zip(codes).flat_map(|(unit, code)| [code, unit].concat()).collect()
        };
        assert_eq!(read(&stream(&[DELIMITER, W640, PPS, SLICE])), Some(Said::Size(640, 360)));
        assert_eq!(read(&stream(&[DELIMITER, MESSAGE, SLICE])), Some(Said::Nothing));
        assert_eq!(read(&stream(&[DELIMITER])), None);
        // A length of 0x167: three bytes that are no start code.
        let long = [&[0x06; 0x167][..], &[]].concat();
        assert_eq!(read(&frame(&[&long, W640, SLICE])), Some(Said::Size(640, 360)));
    }

    #[test]
    fn what_is_cut_off_or_no_frame_says_nothing_of_a_size() {
        let whole = frame(&[DELIMITER, W640, PPS, SLICE]);
        assert_eq!(read(&whole[..6 + 4 + W640.len()]), Some(Said::Size(640, 360)));
        assert_eq!(read(&whole[..6 + 4 + 9]), None);
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE])), None);
        assert_eq!(read(&frame(&[&[], W640])), None);
        // Lengths of 2 bytes; a first bit that is set; types that come later or mean nothing.
        assert_eq!(read(&[0, 2, 0x09, 0x10, 0, 3, 0x65, 0xb8, 0x00]), None);
        for head in [0xe5, 0xe7, 0x60, 0x64, 0x74, 0x7f] {
            assert_eq!(read(&frame(&[&[head, 0x42, 0xc0], SLICE])), None, "{head:#x}");
        }
    }
}
