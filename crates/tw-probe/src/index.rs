//! Whether a recording can be sought in: whether its Matroska file has Cues.
//!
//! ffprobe doesn't tell. What a recorder streams has neither a SeekHead nor
//! Cues, and a file that was cut off may point to Cues that it no longer holds
//! (RFC 9559, sections 5.1.1 and 5.1.5; element IDs in section 27.1).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

const EBML: u64 = 0x1A45_DFA3;
const SEGMENT: u64 = 0x1853_8067;
const SEEK_HEAD: u64 = 0x114D_9B74;
const SEEK: u64 = 0x4DBB;
const SEEK_ID: u64 = 0x53AB;
const SEEK_POSITION: u64 = 0x53AC;
const CUES: u64 = 0x1C53_BB6B;
const CLUSTER: u64 = 0x1F43_B675;

/// A SeekHead lists a handful of elements; a longer one is not read.
const LONGEST_SEEK_HEAD: u64 = 64 * 1024;

/// Whether the file has Cues. What can't be read has none.
pub fn has_cues(path: &Path) -> bool {
    File::open(path).and_then(|file| find_cues(&mut BufReader::new(file))).unwrap_or(false)
}

fn find_cues(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let (id, size) = element(file)?;
    if id != EBML {
        return Ok(false);
    }
    skip(file, size)?;
    if element(file)?.0 != SEGMENT {
        return Ok(false);
    }
    let segment = file.stream_position()?;
    loop {
        let (id, size) = element(file)?;
        match id {
            CUES => return Ok(true),
            // Cues behind the clusters are found through a SeekHead before them.
            CLUSTER => return Ok(false),
            SEEK_HEAD => {
                let next = file.stream_position()? + size.unwrap_or(0);
                if let Some(position) = position_of_cues(file, size)? {
                    file.seek(SeekFrom::Start(segment.saturating_add(position)))?;
                    return Ok(element(file).is_ok_and(|(id, _)| id == CUES));
                }
                file.seek(SeekFrom::Start(next))?;
            }
            _ => skip(file, size)?,
        }
    }
}

/// Where a SeekHead says that the Cues are, from the beginning of the segment's data.
fn position_of_cues(file: &mut impl Read, size: Option<u64>) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    file.take(size.unwrap_or(0).min(LONGEST_SEEK_HEAD)).read_to_end(&mut head)?;
    let mut head = head.as_slice();
    let (mut cues, mut position) = (false, None);
    while let Ok((id, size)) = element(&mut head) {
        let size = usize::try_from(size.unwrap_or(0)).unwrap_or(usize::MAX).min(head.len());
        match id {
            // A master element: its children follow.
            SEEK => {
                (cues, position) = (false, None);
                continue;
            }
            SEEK_ID => cues = number(&head[..size]) == CUES,
            SEEK_POSITION => position = Some(number(&head[..size])),
            _ => {}
        }
        head = &head[size..];
        if cues && position.is_some() {
            return Ok(position);
        }
    }
    Ok(None)
}

/// The ID and the size of the next element; no size where it is unknown.
fn element(file: &mut impl Read) -> io::Result<(u64, Option<u64>)> {
    let (id, _) = variable(file)?;
    let (size, length) = variable(file)?;
    // Without the marker bit; all ones stand for "unknown" (RFC 8794, section 6.2).
    let value = size & !(1 << (7 * length));
    let unknown = value == (1 << (7 * length)) - 1;
    Ok((id, (!unknown).then_some(value)))
}

/// A number of variable length, its marker bit included, and how many bytes it has.
fn variable(file: &mut impl Read) -> io::Result<(u64, u32)> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes[..1])?;
    let length = bytes[0].leading_zeros() + 1;
    if length > 8 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let length_bytes = length as usize;
    file.read_exact(&mut bytes[1..length_bytes])?;
    Ok((number(&bytes[..length_bytes]), length))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte))
}

fn skip(file: &mut impl Seek, size: Option<u64>) -> io::Result<()> {
    let size = size.and_then(|size| i64::try_from(size).ok()).ok_or(io::ErrorKind::InvalidData)?;
    file.seek_relative(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An element whose size is less than 127.
    fn with(id: &[u8], data: &[u8]) -> Vec<u8> {
        [id, &[0x80 | u8::try_from(data.len()).unwrap()], data].concat()
    }

    fn file(children: &[Vec<u8>]) -> Vec<u8> {
        let header = with(&[0x1A, 0x45, 0xDF, 0xA3], &[1, 2, 3]);
        // The segment's size is unknown, as in a stream.
        [header, vec![0x18, 0x53, 0x80, 0x67, 0xFF], children.concat()].concat()
    }

    fn found(bytes: Vec<u8>) -> bool {
        find_cues(&mut io::Cursor::new(bytes)).unwrap_or(false)
    }

    const CLUSTER_ID: [u8; 4] = [0x1F, 0x43, 0xB6, 0x75];
    const CUES_ID: [u8; 4] = [0x1C, 0x53, 0xBB, 0x6B];

    fn seek_head(position: u8) -> Vec<u8> {
        let entry = [with(&[0x53, 0xAB], &CUES_ID), with(&[0x53, 0xAC], &[position])].concat();
        with(&[0x11, 0x4D, 0x9B, 0x74], &with(&[0x4D, 0xBB], &entry))
    }

    #[test]
    fn cues_that_are_listed_and_there() {
        let cluster = with(&CLUSTER_ID, b"frames");
        let before = u8::try_from(seek_head(0).len() + cluster.len()).unwrap();
        let whole = file(&[seek_head(before), cluster, with(&CUES_ID, b"x")]);
        assert!(found(whole.clone()));
        assert!(!found(whole[..whole.len() - 4].to_vec()), "cut off before the cues");
    }

    #[test]
    fn a_stream_has_none() {
        assert!(!found(file(&[with(&CLUSTER_ID, b"frames")])));
        assert!(!found(Vec::new()));
        assert!(!found(b"#EXTM3U\n".to_vec()));
    }

    #[test]
    fn cues_in_front_need_no_list() {
        assert!(found(file(&[with(&CUES_ID, b"x"), with(&CLUSTER_ID, b"frames")])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let header = file(&[]);
            let _ = found([header, bytes].concat());
        }
    }
}
