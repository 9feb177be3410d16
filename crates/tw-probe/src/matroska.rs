//! Walking through a Matroska file's elements (RFC 8794, RFC 9559; IDs in its section 27.1).

use std::io::{self, Read, Seek};

const EBML: u64 = 0x1A45_DFA3;
const SEGMENT: u64 = 0x1853_8067;
/// What holds frames, behind everything that describes them.
pub const CLUSTER: u64 = 0x1F43_B675;

/// Goes to the first child of the segment, and says where that is, in bytes from the file's
/// beginning.
///
/// # Errors
/// Those of the reader, and where the file is something else.
pub fn enter_segment(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let (id, size) = element(file)?;
    if id != EBML {
        return Err(io::ErrorKind::InvalidData.into());
    }
    skip(file, size)?;
    if element(file)?.0 != SEGMENT {
        return Err(io::ErrorKind::InvalidData.into());
    }
    file.stream_position()
}

/// The ID and the size of the next element, in bytes; no size where it is unknown.
///
/// # Errors
/// Those of the reader, and where there is none.
pub fn element(file: &mut impl Read) -> io::Result<(u64, Option<u64>)> {
    let (id, length) = variable(file)?;
    // The marker bit is a part of the ID (RFC 8794, section 5).
    let id = id | 1 << (7 * length);
    let (size, length) = variable(file)?;
    // All ones stand for "unknown" (section 6.2).
    let unknown = size == (1 << (7 * length)) - 1;
    Ok((id, (!unknown).then_some(size)))
}

/// A number of variable length (RFC 8794, section 4), and how many bytes it has.
///
/// # Errors
/// Those of the reader, and where there is none.
pub fn variable(file: &mut impl Read) -> io::Result<(u64, u32)> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes[..1])?;
    let length = bytes[0].leading_zeros() + 1;
    if length > 8 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let length_bytes = length as usize;
    file.read_exact(&mut bytes[1..length_bytes])?;
    let with_marker = number(&bytes[..length_bytes]);
    Ok((with_marker & !(1 << (7 * length)), length))
}

/// An unsigned integer, the highest byte first; of more than 8 bytes, the last 8.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte))
}

/// Goes over an element's data.
///
/// # Errors
/// Those of the reader, and where the size is unknown.
pub fn skip(file: &mut impl Seek, size: Option<u64>) -> io::Result<()> {
    let size = size.and_then(|size| i64::try_from(size).ok()).ok_or(io::ErrorKind::InvalidData)?;
    file.seek_relative(size)
}

/// Files for the tests of other modules.
#[cfg(test)]
pub mod made {
    /// An element whose size is less than 127.
    pub fn with(id: &[u8], data: &[u8]) -> Vec<u8> {
        [id, &[0x80 | u8::try_from(data.len()).unwrap()], data].concat()
    }

    /// A segment of unknown size, as in a stream.
    pub fn file(children: &[Vec<u8>]) -> Vec<u8> {
        let header = with(&[0x1A, 0x45, 0xDF, 0xA3], &[1, 2, 3]);
        [header, vec![0x18, 0x53, 0x80, 0x67, 0xFF], children.concat()].concat()
    }
}
