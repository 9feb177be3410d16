//! The sizes that a picture takes, from its key frames.
//!
//! A frame can change its size only with a key frame, which says so in its first
//! bytes. ffprobe tells where a packet stands in the file: of Matroska, where its
//! block begins (measured with 5.1). So a few bytes for each key frame are all that
//! is read, and nothing is decoded. What looks otherwise, or is another codec,
//! leaves the sizes unknown.

use std::fs::File;
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;
use tw_core::time::Micros;

use crate::report::Report;
use crate::{codec_private, h264, matroska, vp8};

/// With more key frames than this (18 hours of one a second), they are not looked at. Every
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
    /// Whether decoding may begin at each of them: whether each is [independent](KeyFrame).
    pub independent: bool,
}

/// What a key frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFrame {
    /// The picture's width and height from here on, in pixels.
    pub size: (u16, u16),
    /// Whether a decoder that has only the track's `CodecPrivate` may begin here.
    pub independent: bool,
}

/// Reads a stream's key frames one after the other; `None` for what is none, or can't be read.
type Reader = Box<dyn FnMut(&[u8]) -> Option<KeyFrame>>;

/// How a codec's key frames are read.
#[derive(Debug, Clone, Copy)]
struct Codec {
    /// How many bytes of a frame are needed at most.
    reach: usize,
    /// For a track with that `CodecPrivate`, which may be empty.
    reader: fn(&[u8]) -> Reader,
}

impl Codec {
    fn named(name: &str) -> Option<Self> {
        match name {
            "vp8" => Some(Self { reach: vp8::REACH, reader: |_| Box::new(vp8::read) }),
            "h264" => Some(Self {
                reach: h264::REACH,
                reader: |configuration| {
                    let mut reader = h264::Reader::new(configuration);
                    Box::new(move |frame| reader.read(frame))
                },
            }),
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

    /// What they say; `None` when one can't be read.
    fn sizes(&self, codec: Codec, file: &File) -> Option<Sizes> {
        let mut sizes = Sizes { list: Vec::new(), independent: true };
        let mut reader: Option<Reader> = None;
        let mut block = vec![0; BLOCK_HEAD + codec.reach];
        for place in &self.places {
            let (pts, place) = (*place)?;
            let length = read_at(file, &mut block, place).ok()?;
            let (track, frame) = frame(&block[..length])?;
            let reader = reader.get_or_insert_with(|| (codec.reader)(&codec_private(file, track)));
            let KeyFrame { size: (width, height), independent } = reader(frame)?;
            sizes.independent &= independent;
            if sizes.list.last().is_none_or(|last| (last.width, last.height) != (width, height)) {
                sizes.list.push(Size { at_ms: pts.millis(), width, height });
            }
        }
        (!sizes.list.is_empty()).then_some(sizes)
    }
}

/// Finds the sizes of every stream of the file whose codec is known here.
pub fn find(report: &mut Report, path: &Path) {
    let Report { streams, tracks, .. } = report;
    for stream in streams {
        let track = stream.number("index").and_then(|index| tracks.get_mut(&index));
        let codec = stream.get("codec_name").and_then(Codec::named);
        if let (Some(track), Some(codec), Ok(file)) = (track, codec, File::open(path)) {
            track.sizes = track.key_frames.sizes(codec, &file);
        }
    }
}

/// That of the track with that number; empty where it has none.
fn codec_private(file: &File, track: u64) -> Vec<u8> {
    codec_private::of_track(&mut BufReader::new(file), track).ok().flatten().unwrap_or_default()
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

/// The track's number and the frame in a Matroska block (RFC 9559, sections 10.1 and 10.2),
/// between which stand two bytes of time and flags; `None` when it is laced with others.
fn frame(block: &[u8]) -> Option<(u64, &[u8])> {
    let mut rest = block;
    let (track, _) = matroska::variable(&mut rest).ok()?;
    let (flags, frame) = rest.get(2..)?.split_first()?;
    (flags & 0b110 == 0).then_some((track, frame))
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

    /// A frame is a size; with an odd height, one that needs those before it.
    const PLAIN: Codec = Codec {
        reach: 2,
        reader: |_| {
            Box::new(|frame| match *frame {
                [width, height, ..] => Some(KeyFrame {
                    size: (width.into(), (height & 0xfe).into()),
                    independent: height & 1 == 0,
                }),
                _ => None,
            })
        },
    };

    /// The sizes in those blocks, a second apart.
    fn sizes(blocks: &[[u8; 2]]) -> Option<Sizes> {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = blocks.iter().flat_map(|size| block(*size)).collect();
        file.write_all(&bytes).unwrap();
        let mut keys = KeyFrames::default();
        for n in 0..u32::try_from(blocks.len()).unwrap() {
            keys.add(Some(Micros(i64::from(n) * 1_000_000)), Some(u64::from(n) * 16));
        }
        keys.sizes(PLAIN, &file)
    }

    const fn size(at_ms: i64, width: u16, height: u16) -> Size {
        Size { at_ms, width, height }
    }

    #[test]
    fn a_blocks_frame() {
        let block = block([7, 8]);
        assert_eq!(frame(&block), Some((1, &block[4..])));
        // A track's number of two bytes.
        assert_eq!(frame(&[&[0x41], &block[..]].concat()), Some((0x181, &block[4..])));
        let mut laced = block;
        laced[3] = 0x82;
        assert_eq!([frame(&laced), frame(&[0; 16]), frame(&block[..3]), frame(&[])], [None; 4]);
    }

    #[test]
    fn a_size_counts_where_it_changes() {
        let sizes = |blocks: &[[u8; 2]]| sizes(blocks).map(|sizes| sizes.list);
        assert_eq!(sizes(&[[64, 48], [64, 48], [32, 24]]), Some(vec![size(0, 64, 48), size(2000, 32, 24)]));
        assert_eq!(sizes(&[]), None);
    }

    #[test]
    fn one_key_frame_that_needs_another_counts_for_all() {
        let independent = |blocks: &[[u8; 2]]| sizes(blocks).unwrap().independent;
        assert!(independent(&[[64, 48], [32, 24]]));
        assert!(!independent(&[[64, 48], [64, 49], [32, 24]]));
    }

    #[test]
    fn one_that_cannot_be_read_leaves_all_unknown() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&block([64, 48])).unwrap();
        let sizes = |places: &[Option<u64>]| {
            let mut keys = KeyFrames::default();
            places.iter().for_each(|place| keys.add(Some(Micros(0)), *place));
            keys.sizes(PLAIN, &file).map(|sizes| sizes.list)
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
