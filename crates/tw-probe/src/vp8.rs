//! The picture's size in a key frame of VP8 (RFC 6386, section 9.1).

use crate::sizes::KeyFrame;

/// A key frame says its size in its first ten bytes.
pub const REACH: usize = 10;

/// What the frame says; `None` when it is no key frame.
pub fn read(frame: &[u8]) -> Option<KeyFrame> {
    match *frame {
        // A frame tag whose last bit is 0, a start code, two numbers of 14 bits with a scale.
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 => {
            let pixels = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
            Some(KeyFrame { size: (pixels(w0, w1), pixels(h0, h1)), independent: true })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 12] = [0x90, 0xbb, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x41, 0x01, 0xc7];

    const VGA: KeyFrame = KeyFrame { size: (640, 480), independent: true };

    #[test]
    fn a_key_frames_size() {
        // Of a scaled frame, only the size counts.
        assert_eq!(read(&FRAME), Some(VGA));
        assert_eq!(read(&FRAME[..REACH]), Some(VGA));
    }

    #[test]
    fn what_is_no_key_frame_has_no_size() {
        let changed = |at: usize, byte| {
            let mut frame = FRAME;
            frame[at] = byte;
            read(&frame)
        };
        assert_eq!([changed(0, 0x91), changed(3, 0)], [None; 2]);
        assert_eq!(read(&FRAME[..REACH - 1]), None);
    }
}
