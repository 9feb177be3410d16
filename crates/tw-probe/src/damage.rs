//! Whether a file in which ffprobe finds no packet is more than a head.
//!
//! A recorder that never got a packet leaves a file that ends behind its head, or in it. What
//! lost its bytes to a crash or a bad copy goes on, with zeros mostly. ffprobe looks for a
//! head in either, and complains of both in the same words.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use crate::matroska::{CLUSTER, element, enter_segment, skip};

/// From which byte on something stands there that is no Matroska. What can't be read is left
/// to whoever reads it to explain.
pub fn from(path: &Path) -> Option<u64> {
    let mut file = BufReader::new(File::open(path).ok()?);
    garbage(&mut file).unwrap_or_default()
}

fn garbage(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let mut place = 0;
    let wrong = loop {
        let next = match place {
            0 => enter_segment(file).map(drop),
            _ => element(file).and_then(|(id, size)| if id == CLUSTER { Ok(()) } else { skip(file, size) }),
        };
        match next {
            Ok(()) => place = file.stream_position()?,
            Err(error) => break error,
        }
    };
    Ok((wrong.kind() == io::ErrorKind::InvalidData).then_some(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matroska::made::{file, with};
    use proptest::prelude::*;

    fn found(bytes: &[u8]) -> Option<u64> {
        garbage(&mut io::Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn a_head_that_ends_anywhere_is_no_damage() {
        let cluster = [&[0x1F, 0x43, 0xB6, 0x75, 0xFF], with(&[0xE7], &[0]).as_slice()].concat();
        let whole = file(&[with(&[0x15, 0x49, 0xA9, 0x66], &[0; 9]), with(&[0xEC], &[0; 20]), cluster]);
        for end in 0..=whole.len() {
            assert_eq!(found(&whole[..end]), None, "{end}");
        }
        for more in [&[0][..], &[0; 99], &[0xFF; 99]] {
            let longer = [whole.as_slice(), more].concat();
            assert_eq!(found(&longer), Some(whole.len() as u64), "{more:?}");
        }
        // In an element of the head: it ends where that does.
        let zeros = [&whole[..20], &vec![0; 500]].concat();
        assert!(found(&zeros).is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = found(&[file(&[]), bytes].concat());
        }
    }
}
