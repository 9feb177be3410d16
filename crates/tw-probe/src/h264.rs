//! The picture's size in a key frame of H.264: where its NAL units hold a sequence
//! parameter set.
//!
//! A picture changes its size with a new set (ITU-T H.264, 7.4.1.2.1), and sets
//! stand before the slices that they are for (7.4.1.2.3). A key frame without one
//! goes on with the set before it, the first with that of the track's `CodecPrivate`.

use std::iter;

use crate::sizes::KeyFrame;
use crate::sps;

/// So much of a key frame is looked at. What stands before the slices is short: with
/// x264's 0.6 kB about itself, a set of parameters ends within 0.7 kB.
pub const REACH: usize = 4096;

/// What stands before the first byte of a NAL unit (Annex B).
const START_CODE: [u8; 3] = [0, 0, 1];

/// How a byte stream begins.
const STREAM: [u8; 4] = [0, 0, 0, 1];

/// Types of NAL units (table 7-1): parameter sets of a sequence and of pictures.
const SEQUENCE: u8 = 7;
const PICTURES: u8 = 8;

/// Reads a track's key frames, one after the other.
#[derive(Debug)]
pub struct Reader {
    /// The parameter sets of `CodecPrivate`: all that a decoder has that begins at a key frame.
    head: Vec<Vec<u8>>,
    /// What holds from the last set on.
    size: Option<(u16, u16)>,
    /// Whether some key frame brought a set that isn't in the head.
    has_others: bool,
}

impl Reader {
    /// For a track with that `CodecPrivate`; it may be empty.
    pub fn new(codec_private: &[u8]) -> Self {
        let head = configured(codec_private).unwrap_or_default();
        let mut sizes = head.iter().filter(|set| kind(set) == SEQUENCE).map(|set| sps::size(&set[1..]));
        let first = sizes.next().flatten();
        // Of two that differ, the slices tell which one they are for.
        let size = first.filter(|_| sizes.all(|size| size == first));
        Self { head: head.into_iter().map(<[u8]>::to_vec).collect(), size, has_others: false }
    }

    /// What the next key frame says; `None` when it is none, or can't be read.
    pub fn read(&mut self, frame: &[u8]) -> Option<KeyFrame> {
        let Sets { size, list } = sets(frame)?;
        self.size = size.or(self.size);
        self.has_others |= list.iter().any(|set| !self.head.iter().any(|known| known == set));
        let brings = |wanted| list.iter().any(|set| kind(set) == wanted);
        let independent = !self.has_others || brings(SEQUENCE) && brings(PICTURES);
        Some(KeyFrame { size: self.size?, independent })
    }
}

/// The parameter sets in a `CodecPrivate` (ISO/IEC 14496-15, 5.3.3.1.2), or in a byte stream
/// that stands in its place; `None` where it breaks off.
fn configured(codec_private: &[u8]) -> Option<Vec<&[u8]>> {
    if codec_private.starts_with(&STREAM) {
        return Some(units(codec_private).filter(|unit| !unit.is_empty()).collect());
    }
    // A version, three bytes of profile and level, the size of lengths.
    let mut rest = codec_private.get(5..)?;
    let mut sets = Vec::new();
    // The count of sequence parameter sets has 5 bits, that of pictures' 8.
    for mask in [0x1f, 0xff] {
        let (count, behind) = rest.split_first()?;
        rest = behind;
        for _ in 0..count & mask {
            let (length, behind) = rest.split_first_chunk()?;
            rest = behind;
            let set = rest.split_off(..usize::from(u16::from_be_bytes(*length)))?;
            sets.extend((!set.is_empty()).then_some(set));
        }
    }
    Some(sets)
}

/// The type of a NAL unit, which isn't empty.
fn kind(unit: &[u8]) -> u8 {
    unit[0] & 0x1f
}

/// The parameter sets that stand in a key frame.
#[derive(Debug, PartialEq, Eq)]
struct Sets<'a> {
    /// What they say of the picture's size, if there is one that does.
    size: Option<(u16, u16)>,
    list: Vec<&'a [u8]>,
}

/// Those before the slices; `None` when it is no frame, or can't be read.
fn sets(frame: &[u8]) -> Option<Sets<'_>> {
    let mut sets = Sets { size: None, list: Vec::new() };
    for unit in units(frame) {
        let (head, payload) = unit.split_first()?;
        // Types as in table 7-1; the first bit is 0.
        match head & 0b1001_1111 {
            // A slice: of an IDR picture, or where decoding may begin as well.
            1 | 2 | 5 => return Some(sets),
            SEQUENCE => {
                let size = sps::size(payload)?;
                // Of two that differ, the slices tell which one they are for.
                if sets.size.is_some_and(|other| other != size) {
                    return None;
                }
                sets.size = Some(size);
                sets.list.push(unit);
            }
            PICTURES => sets.list.push(unit),
            // Messages, delimiters, and what may come one day.
            6 | 9..=18 => {}
            _ => return None,
        }
    }
    // The slices lie farther behind.
    sets.size.is_some().then_some(sets)
}

/// A frame's NAL units. As Matroska has them (ISO/IEC 14496-15), a length of 4 bytes
/// stands before each. Where a start code of 4 bytes stands instead, as before the
/// first one it must, it is a byte stream: no unit that begins a frame has 1 byte.
/// The last unit is cut off where the frame is.
fn units(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_stream = frame.starts_with(&STREAM);
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

    fn stream(units: &[&[u8]]) -> Vec<u8> {
        let codes = [&[0, 0, 0, 1][..], &[0, 0, 1]].into_iter().cycle();
        units.iter().zip(codes).flat_map(|(unit, code)| [code, unit].concat()).collect()
    }

    /// As Matroska's `CodecPrivate` has them.
    fn configuration(sequence: &[&[u8]], pictures: &[&[u8]]) -> Vec<u8> {
        let of = |mask: u8, sets: &[&[u8]]| {
            let each = sets.iter().flat_map(|set| [&[0, set.len() as u8][..], set].concat());
            [mask | sets.len() as u8].into_iter().chain(each).collect::<Vec<_>>()
        };
        [vec![1, 0x42, 0xc0, 0x1e, 0xff], of(0xe0, sequence), of(0, pictures)].concat()
    }

    /// The size in a frame's sets, and how many sets there are.
    fn read(frame: &[u8]) -> Option<(Option<(u16, u16)>, usize)> {
        sets(frame).map(|sets| (sets.size, sets.list.len()))
    }

    #[test]
    fn the_set_before_the_slices_counts() {
        let size = Some((640, 360));
        assert_eq!(read(&frame(&[W640, PPS, SLICE])), Some((size, 2)));
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE, W640, PPS, MESSAGE, SLICE, W480])), Some((size, 2)));
        assert_eq!(read(&frame(&[W480, W480, SLICE])), Some((Some((480, 270)), 2)));
        assert_eq!(read(&frame(&[W480, W640, SLICE])), None);
    }

    #[test]
    fn a_key_frame_may_do_without() {
        assert_eq!(read(&frame(&[SLICE])), Some((None, 0)));
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE, PPS, SLICE])), Some((None, 1)));
    }

    #[test]
    fn a_byte_stream() {
        assert_eq!(read(&stream(&[DELIMITER, W640, PPS, SLICE])), Some((Some((640, 360)), 2)));
        assert_eq!(read(&stream(&[DELIMITER, MESSAGE, SLICE])), Some((None, 0)));
        assert_eq!(read(&stream(&[DELIMITER])), None);
        // A length of 0x167: three bytes that are no start code.
        let long = [&[0x06; 0x167][..], &[]].concat();
        assert_eq!(read(&frame(&[&long, W640, SLICE])), Some((Some((640, 360)), 1)));
    }

    #[test]
    fn what_is_cut_off_or_no_frame_says_nothing_of_a_size() {
        let whole = frame(&[DELIMITER, W640, PPS, SLICE]);
        assert_eq!(read(&whole[..6 + 4 + W640.len()]), Some((Some((640, 360)), 1)));
        assert_eq!(read(&whole[..6 + 4 + 9]), None);
        assert_eq!(read(&frame(&[DELIMITER, MESSAGE])), None);
        assert_eq!(read(&frame(&[&[], W640])), None);
        // Lengths of 2 bytes; a first bit that is set; types that come later or mean nothing.
        assert_eq!(read(&[0, 2, 0x09, 0x10, 0, 3, 0x65, 0xb8, 0x00]), None);
        for head in [0xe5, 0xe7, 0x60, 0x64, 0x74, 0x7f] {
            assert_eq!(read(&frame(&[&[head, 0x42, 0xc0], SLICE])), None, "{head:#x}");
        }
    }

    #[test]
    fn the_sets_of_a_track() {
        let both = vec![W640, PPS];
        assert_eq!(configured(&configuration(&[W640], &[PPS])), Some(both.clone()));
        assert_eq!(configured(&stream(&[W640, PPS])), Some(both));
        assert_eq!(configured(&configuration(&[], &[])), Some(vec![]));
        let whole = configuration(&[W640, W480], &[PPS]);
        assert_eq!(configured(&whole), Some(vec![W640, W480, PPS]));
        // What newer profiles add behind is no set.
        assert_eq!(configured(&[&whole[..], &[0xfd, 0xf8, 0xf8, 0]].concat()), Some(vec![W640, W480, PPS]));
        for length in 0..whole.len() {
            assert_eq!(configured(&whole[..length]), None, "{length}");
        }
    }

    /// What key frames with those sets say in a track that begins with a set for 640x360.
    fn said(key_frames: &[&[&[u8]]]) -> Vec<((u16, u16), bool)> {
        let mut reader = Reader::new(&configuration(&[W640], &[PPS]));
        let of = |sets: &&[&[u8]]| reader.read(&frame(&[sets, &[SLICE][..]].concat())).unwrap();
        key_frames.iter().map(of).map(|KeyFrame { size, independent }| (size, independent)).collect()
    }

    const LARGE: (u16, u16) = (640, 360);
    const SMALL: (u16, u16) = (480, 270);

    #[test]
    fn until_a_key_frame_brings_a_set_that_of_the_track_holds() {
        assert_eq!(said(&[&[], &[W480, PPS]]), [(LARGE, true), (SMALL, true)]);
        assert_eq!(said(&[&[W480, PPS]]), [(SMALL, true)]);
        assert_eq!(Reader::new(&[]).read(&frame(&[SLICE])), None);
    }

    #[test]
    fn one_without_sets_needs_those_before_it() {
        let both: &[&[u8]] = &[W640, PPS];
        let others: &[&[u8]] = &[W480, PPS];
        // The track's own sets are no others.
        assert_eq!(said(&[&[], both, &[]]), [(LARGE, true); 3]);
        assert_eq!(said(&[&[], others, &[]]), [(LARGE, true), (SMALL, true), (SMALL, false)]);
        assert_eq!(said(&[others, &[]]), [(SMALL, true), (SMALL, false)]);
        // Back at the first size, but maybe with other parameters.
        assert_eq!(said(&[others, both, &[]])[2], (LARGE, false));
        // Half of what is needed.
        assert_eq!(said(&[others, &[W480], &[PPS]])[1..], [(SMALL, false); 2]);
    }

    #[test]
    fn of_two_sets_that_differ_neither_counts() {
        let said = |head: &[&[u8]]| Reader::new(&configuration(head, &[PPS])).read(&frame(&[SLICE]));
        assert_eq!(said(&[W640, W480]), None);
        assert_eq!(said(&[W640, W640]).map(|frame| frame.size), Some(LARGE));
    }

    #[test]
    fn other_parameters_of_the_same_size_are_others() {
        let other_pps: &[u8] = &[0x68, 0xce, 0x3c, 0xb0];
        assert_eq!(said(&[&[W640, other_pps], &[]]), [(LARGE, true), (LARGE, false)]);
    }
}
