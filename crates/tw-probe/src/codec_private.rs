//! What a track's description holds for its decoder: Matroska's `CodecPrivate`
//! (RFC 9559, section 5.1.4.1).
//!
//! ffprobe tells it only together with every packet's bytes, and the picture's size only as
//! it is after the first frames.

use std::io::{self, Read, Seek};

use crate::matroska::{CLUSTER, element, enter_segment, number, skip};

const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_NUMBER: u64 = 0xD7;
const CODEC_PRIVATE: u64 = 0x63A2;

/// Descriptions take some hundred bytes; longer ones are read so far.
const LONGEST: u64 = 1 << 20;

/// That of the track with that number; `None` where it has none.
///
/// # Errors
/// Those of the reader, and where the file is no Matroska, or ends before it describes its
/// tracks.
pub fn of_track(file: &mut (impl Read + Seek), track: u64) -> io::Result<Option<Vec<u8>>> {
    enter_segment(file)?;
    loop {
        match element(file)? {
            (TRACKS, size) => return in_tracks(file, size, track),
            (CLUSTER, _) => return Ok(None),
            (_, size) => skip(file, size)?,
        }
    }
}

fn in_tracks(file: &mut impl Read, size: Option<u64>, track: u64) -> io::Result<Option<Vec<u8>>> {
    let mut tracks = Vec::new();
    file.take(size.unwrap_or(LONGEST).min(LONGEST)).read_to_end(&mut tracks)?;
    let entry = children(&tracks)
        .filter(|&(id, _)| id == TRACK_ENTRY)
        .map(|(_, entry)| entry)
        .find(|entry| children(entry).any(|(id, data)| id == TRACK_NUMBER && number(data) == track));
    let private = entry.and_then(|entry| children(entry).find(|&(id, _)| id == CODEC_PRIVATE));
    Ok(private.map(|(_, data)| data.to_vec()))
}

/// The elements in a master element, as far as it reaches: ID and data.
fn children(mut rest: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size) = element(&mut rest).ok()?;
        let size = usize::try_from(size?).ok()?;
        let data = rest.split_off(..size)?;
        Some((id, data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matroska::made::{file, with};
    use proptest::prelude::*;
    use std::io::Cursor;

    /// A track's description, with something else in front.
    fn track(number: u8, private: Option<&[u8]>) -> Vec<u8> {
        let private = private.map(|private| with(&[0x63, 0xA2], private)).unwrap_or_default();
        with(&[0xAE], &[with(&[0x86], b"V_VP8"), with(&[0xD7], &[number]), private].concat())
    }

    fn found(bytes: &[u8], track: u64) -> Option<Vec<u8>> {
        of_track(&mut Cursor::new(bytes), track).ok().flatten()
    }

    #[test]
    fn of_the_track_that_is_asked_for() {
        let tracks = [track(1, Some(b"one")), track(2, None), track(3, Some(b"three"))].concat();
        let info = with(&[0x15, 0x49, 0xA9, 0x66], &[9; 5]);
        let whole =
            file(&[info, with(&[0x16, 0x54, 0xAE, 0x6B], &tracks), with(&[0x1F, 0x43, 0xB6, 0x75], &[])]);
        assert_eq!(found(&whole, 1), Some(b"one".to_vec()));
        assert_eq!(found(&whole, 3), Some(b"three".to_vec()));
        assert_eq!([found(&whole, 2), found(&whole, 4)], [const { None }; 2]);
        // Broken off in the third track's description.
        assert_eq!(found(&whole[..whole.len() - 6], 1), Some(b"one".to_vec()));
        assert_eq!(found(&whole[..whole.len() - 6], 3), None);
    }

    #[test]
    fn what_describes_no_tracks_has_none() {
        assert_eq!(found(&file(&[with(&[0x1F, 0x43, 0xB6, 0x75], &[])]), 1), None);
        assert_eq!([found(&file(&[]), 1), found(b"#EXTM3U\n", 1), found(b"", 1)], [const { None }; 3]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = found(&[file(&[]), bytes.clone()].concat(), 1);
            let tracks = [vec![0x16, 0x54, 0xAE, 0x6B, 0xFF], bytes].concat();
            let _ = found(&file(&[tracks]), 1);
        }
    }
}
