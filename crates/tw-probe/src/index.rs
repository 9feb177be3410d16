//! Whether a recording can be sought in: whether its Matroska file has Cues.
//!
//! ffprobe doesn't tell. What a recorder streams has neither a SeekHead nor
//! Cues, and a file that was cut off may point to Cues that it no longer holds
//! (RFC 9559, sections 5.1.1 and 5.1.5; element IDs in section 27.1).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::matroska::{CLUSTER, element, enter_segment, number, skip};

const SEEK_HEAD: u64 = 0x114D_9B74;
const SEEK: u64 = 0x4DBB;
const SEEK_ID: u64 = 0x53AB;
const SEEK_POSITION: u64 = 0x53AC;
const CUES: u64 = 0x1C53_BB6B;

/// A SeekHead lists a handful of elements; a longer one is not read.
const LONGEST_SEEK_HEAD: u64 = 64 * 1024;

/// Whether the file has Cues. What can't be read has none.
pub fn has_cues(path: &Path) -> bool {
    File::open(path).and_then(|file| find_cues(&mut BufReader::new(file))).unwrap_or(false)
}

fn find_cues(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let segment = enter_segment(file)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matroska::made::{file, with};
    use proptest::prelude::*;

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
