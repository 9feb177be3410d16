//! The sizes that a picture takes, from its key frames.
//!
//! A frame can change its size only with a key frame, which says so in its first
//! bytes. ffprobe tells where a packet stands in the file: of Matroska, where its
//! block begins (measured with 5.1). So a few bytes for each key frame are all that
//! is read, and nothing is decoded. What looks otherwise, or is another codec,
//! leaves the sizes unknown.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;
use tw_core::time::Micros;

use crate::report::{Description, Report};
use crate::{h264, vp8};

/// With more key frames than a day of video has, they are not looked at. Every
/// packet of sound counts as one; this keeps hours of it out of memory.
const MOST_KEY_FRAMES: usize = 1 << 16;

/// A block's head, at its longest: the track's number, a time, flags.
const BLOCK_HEAD: usize = 8 + 2 + 1;

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

/// What a stream's key frames say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// The first size and every other one.
    pub list: Vec<Size>,
    /// Whether decoding may begin at each of them. Not where one says nothing after a change:
    /// a reader that begins there has only what stands in the file's head.
    pub independent: bool,
}

/// What a key frame says of the picture's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Width and height, in pixels.
    Size(u16, u16),
    /// Nothing: the size before it holds.
    Nothing,
}

/// How a codec's key frames are read.
#[derive(Debug, Clone, Copy)]
struct Codec {
    /// How many bytes of a frame are needed at most.
    reach: usize,
    read: fn(&[u8]) -> Option<Said>,
}

impl Codec {
    fn named(name: &str) -> Option<Self> {
        match name {
            "vp8" => Some(Self { reach: vp8::REACH, read: vp8::read }),
            "h264" => Some(Self { reach: h264::REACH, read: h264::read }),
            _ => None,
        }
    }
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

    /// What they say; `None` when one can't be read. `head` is what holds until one says it.
    fn sizes(&self, codec: Codec, file: &File, head: Option<(u16, u16)>) -> Option<Sizes> {
        let mut sizes: Vec<Size> = Vec::new();
        let (mut size, mut independent) = (head, true);
        let mut block = vec![0; BLOCK_HEAD + codec.reach];
        for place in &self.places {
            let (pts, place) = (*place)?;
            let length = read_at(file, &mut block, place).ok()?;
            match (codec.read)(frame(&block[..length])?)? {
                Said::Size(width, height) => size = Some((width, height)),
                Said::Nothing => independent &= size == head && sizes.len() < 2,
            }
            let (width, height) = size?;
            if sizes.last().is_none_or(|last| (last.width, last.height) != (width, height)) {
                sizes.push(Size { at_ms: pts.millis(), width, height });
            }
        }
        (!sizes.is_empty()).then_some(Sizes { list: sizes, independent })
    }
}

/// Finds the sizes of every stream of the file whose codec is known here.
pub fn find(report: &mut Report, path: &Path) {
    let Report { streams, tracks, .. } = report;
    for stream in streams {
        let track = stream.number("index").and_then(|index| tracks.get_mut(&index));
        let codec = stream.get("codec_name").and_then(Codec::named);
        if let (Some(track), Some(codec), Ok(file)) = (track, codec, File::open(path)) {
            track.sizes = track.key_frames.sizes(codec, &file, in_the_head(stream));
        }
    }
}

/// The size in the file's head, before any frame.
fn in_the_head(stream: &Description) -> Option<(u16, u16)> {
    let pixels = |key| stream.number(key).and_then(|pixels| u16::try_from(pixels).ok());
    pixels("width").zip(pixels("height"))
}

/// As much as there is, up to the buffer's length.
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], place + length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

/// The frame in a Matroska block (RFC 9559, sections 10.1 and 10.2), after the track's
/// number, two bytes of time and flags; `None` when it is laced with others.
fn frame(block: &[u8]) -> Option<&[u8]> {
    // A number of variable length has at most 8 bytes.
    let number = block.first()?.leading_zeros() as usize + 1;
    let (flags, frame) = block.get(number + 2..)?.split_first()?;
    (number <= 8 && flags & 0b110 == 0).then_some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A block that holds a frame of a codec in which frames say their size.
    fn block(size: [u8; 2]) -> [u8; 16] {
        let mut block = [0xff; 16];
        block[..6].copy_from_slice(&[0x81, 0, 0, 0x80, size[0], size[1]]);
        block
    }

    const PLAIN: Codec = Codec {
        reach: 2,
        read: |frame| match *frame {
            [0, 0, ..] => Some(Said::Nothing),
            [width, height, ..] => Some(Said::Size(width.into(), height.into())),
            _ => None,
        },
    };

    /// The sizes in those blocks, a second apart, if that size holds before them.
    fn sizes(blocks: &[[u8; 2]], before: Option<(u16, u16)>) -> Option<Vec<Size>> {
        said(blocks, before).map(|sizes| sizes.list)
    }

    fn said(blocks: &[[u8; 2]], before: Option<(u16, u16)>) -> Option<Sizes> {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = blocks.iter().flat_map(|size| block(*size)).collect();
        file.write_all(&bytes).unwrap();
        let mut keys = KeyFrames::default();
        for n in 0..u32::try_from(blocks.len()).unwrap() {
            keys.add(Some(Micros(i64::from(n) * 1_000_000)), Some(u64::from(n) * 16));
        }
        keys.sizes(PLAIN, &file, before)
    }

    const fn size(at_ms: i64, width: u16, height: u16) -> Size {
        Size { at_ms, width, height }
    }

    #[test]
    fn a_blocks_frame() {
        let block = block([7, 8]);
        assert_eq!(frame(&block), Some(&block[4..]));
        // A track's number of two bytes.
        assert_eq!(frame(&[&[0x40], &block[..]].concat()), Some(&block[4..]));
        let mut laced = block;
        laced[3] = 0x82;
        assert_eq!([frame(&laced), frame(&[0; 16]), frame(&block[..3]), frame(&[])], [None; 4]);
    }

    #[test]
    fn a_size_counts_where_it_changes() {
        assert_eq!(
            sizes(&[[64, 48], [64, 48], [32, 24]], None),
            Some(vec![size(0, 64, 48), size(2000, 32, 24)])
        );
        assert_eq!(sizes(&[[64, 48], [0, 0], [0, 0]], None), Some(vec![size(0, 64, 48)]));
    }

    #[test]
    fn until_a_key_frame_says_a_size_that_of_the_head_holds() {
        let before = Some((32, 24));
        assert_eq!(
            sizes(&[[0, 0], [64, 48], [0, 0]], before),
            Some(vec![size(0, 32, 24), size(1000, 64, 48)])
        );
        assert_eq!(sizes(&[[64, 48]], before), Some(vec![size(0, 64, 48)]));
        assert_eq!(sizes(&[[0, 0], [64, 48]], None), None);
        assert_eq!(sizes(&[], before), None);
    }

    #[test]
    fn one_that_says_nothing_after_a_change_needs_those_before_it() {
        let independent = |blocks| said(blocks, Some((64, 48))).unwrap().independent;
        assert!(independent(&[[64, 48], [64, 48], [32, 24]]));
        assert!(independent(&[[64, 48], [0, 0], [32, 24]]));
        assert!(!independent(&[[64, 48], [32, 24], [0, 0]]));
        assert!(!independent(&[[32, 24], [0, 0]]));
        // Back at the first size, but maybe with other parameters.
        assert!(!independent(&[[64, 48], [32, 24], [64, 48], [0, 0]]));
    }

    #[test]
    fn one_that_cannot_be_read_leaves_all_unknown() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&block([64, 48])).unwrap();
        let sizes = |places: &[Option<u64>]| {
            let mut keys = KeyFrames::default();
            places.iter().for_each(|place| keys.add(Some(Micros(0)), *place));
            keys.sizes(PLAIN, &file, None).map(|sizes| sizes.list)
        };
        assert_eq!(sizes(&[Some(0)]), Some(vec![size(0, 64, 48)]));
        // Behind the end, at a place that isn't known, at the end of 64 bits.
        assert_eq!(
            [sizes(&[Some(0), Some(16)]), sizes(&[None]), sizes(&[Some(u64::MAX)])],
            [const { None }; 3]
        );
    }

    #[test]
    fn memory_has_a_bound() {
        let mut keys = KeyFrames::default();
        (0..=MOST_KEY_FRAMES).for_each(|_| keys.add(Some(Micros(0)), Some(0)));
        assert!(keys.places.is_empty());
    }
}
