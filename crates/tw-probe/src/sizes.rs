//! The sizes that a VP8 picture takes, from its key frames' headers.
//!
//! A VP8 frame can change its size only with a key frame, whose first ten bytes
//! say it (RFC 6386, section 9.1). ffprobe tells where a packet stands in the
//! file: of Matroska, where its block begins (measured with 5.1). So a
//! few bytes for each key frame are all that is read, and nothing is decoded.
//! What looks otherwise, or is another codec, leaves the sizes unknown.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;

use crate::report::Report;
use crate::time::Micros;

/// With more key frames than a day of video has, they are not looked at. Every
/// packet of sound counts as one; this keeps hours of it out of memory.
const MOST_KEY_FRAMES: usize = 1 << 16;

/// The picture's size from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The first frame's timestamp, on the recording's own clock, in milliseconds.
    pub at_ms: i64,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

/// Where a stream's key frames stand.
#[derive(Debug, Default)]
pub struct KeyFrames {
    /// When, and how far from the file's beginning; `None` says that ffprobe doesn't know.
    places: Vec<Option<(Micros, u64)>>,
    count: usize,
}

impl KeyFrames {
    /// One more.
    pub fn add(&mut self, pts: Option<Micros>, place: Option<u64>) {
        self.count += 1;
        if self.count <= MOST_KEY_FRAMES {
            self.places.push(pts.zip(place));
        } else {
            self.places = Vec::new();
        }
    }

    /// The first size and every other one; `None` when a key frame can't be read.
    fn sizes(&self, file: &File) -> Option<Vec<Size>> {
        let mut sizes: Vec<Size> = Vec::new();
        for place in &self.places {
            let (pts, place) = (*place)?;
            let mut start = [0; 16];
            file.read_exact_at(&mut start, place).ok()?;
            let (width, height) = size_in_block(&start)?;
            if sizes.last().is_none_or(|last| (last.width, last.height) != (width, height)) {
                sizes.push(Size { at_ms: pts.millis(), width, height });
            }
        }
        (!sizes.is_empty()).then_some(sizes)
    }
}

/// Finds the sizes of every VP8 stream of the file.
pub fn find(report: &mut Report, path: &Path) {
    let Report { streams, tracks, .. } = report;
    for stream in streams.iter().filter(|stream| stream.get("codec_name") == Some("vp8")) {
        let track = stream.number("index").and_then(|index| tracks.get_mut(&index));
        if let (Some(track), Ok(file)) = (track, File::open(path)) {
            track.sizes = track.key_frames.sizes(&file);
        }
    }
}

/// The size in a key frame at the beginning of a Matroska block (RFC 9559,
/// sections 10.1 and 10.2): the track's number, two bytes of time, flags, the frame.
fn size_in_block(block: &[u8]) -> Option<(u16, u16)> {
    let number = usize::try_from(block.first()?.leading_zeros()).ok()? + 1;
    let (flags, frame) = block.get(number + 2..)?.split_first()?;
    let laced = flags & 0b110 != 0;
    match *frame {
        // A frame tag whose last bit is 0, a start code, two numbers of 14 bits with a scale.
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 && !laced => {
            let pixels = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
            Some((pixels(w0, w1), pixels(h0, h1)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const BLOCK: [u8; 16] =
        [0x81, 0, 0, 0x80, 0x90, 0xbb, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x41, 0x01, 0xc7];

    #[test]
    fn a_key_frames_size() {
        assert_eq!(size_in_block(&BLOCK), Some((640, 480)));
        // A track's number of two bytes; of a scaled frame, only the size counts.
        let longer = [&[0x40, 0x81], &BLOCK[1..]].concat();
        assert_eq!(size_in_block(&longer), Some((640, 480)));
    }

    #[test]
    fn what_is_no_key_frame_has_no_size() {
        let changed = |at: usize, byte| {
            let mut block = BLOCK;
            block[at] = byte;
            size_in_block(&block)
        };
        assert_eq!([changed(3, 0x82), changed(4, 0x91), changed(7, 0), changed(0, 0)], [None; 4]);
        assert_eq!(size_in_block(&BLOCK[..12]), None);
    }

    #[test]
    fn a_size_counts_where_it_changes() {
        let mut smaller = BLOCK;
        smaller[10..14].copy_from_slice(&[0x40, 0x01, 0xf0, 0]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[BLOCK, BLOCK, smaller].concat()).unwrap();
        let mut keys = KeyFrames::default();
        for n in 0..3 {
            keys.add(Some(Micros(1_000_000 * n)), u64::try_from(16 * n).ok());
        }
        let size = |at_ms, width, height| Size { at_ms, width, height };
        assert_eq!(keys.sizes(&file), Some(vec![size(0, 640, 480), size(2000, 320, 240)]));
        // Behind the end, and at a place that isn't known.
        keys.add(Some(Micros(4_000_000)), Some(48));
        assert_eq!(keys.sizes(&file), None);
        let mut keys = KeyFrames::default();
        keys.add(Some(Micros(0)), None);
        assert_eq!(keys.sizes(&file), None);
    }

    #[test]
    fn memory_has_a_bound() {
        let mut keys = KeyFrames::default();
        (0..=MOST_KEY_FRAMES).for_each(|_| keys.add(Some(Micros(0)), Some(0)));
        assert!(keys.places.is_empty());
    }
}
