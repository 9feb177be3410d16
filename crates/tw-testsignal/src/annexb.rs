//! Turns the byte stream that an H.264 encoder gives (ITU-T H.264, Annex B)
//! into what Matroska stores (ISO/IEC 14496-15): NAL units with their length in
//! front, and the parameter sets beside the packets.

use anyhow::{Context, Result};

const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;

/// One picture, as Matroska stores it.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// Whether decoding can begin here.
    pub key: bool,
    /// Its parameter sets, each after its length in 4 bytes: they bring a change of
    /// size to the decoder.
    pub sets: Vec<u8>,
    /// Its other NAL units, in the same form.
    pub data: Vec<u8>,
}

/// The pictures of a stream in which each begins with an access unit delimiter
/// (x264's `aud=1`).
#[must_use]
pub fn pictures(stream: &[u8]) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for unit in units(stream) {
        let kind = unit[0] & 0x1f;
        if kind == DELIMITER {
            pictures.push(Picture { key: false, sets: Vec::new(), data: Vec::new() });
        } else if let Some(picture) = pictures.last_mut() {
            picture.key |= kind == IDR;
            let to = if matches!(kind, SPS | PPS) { &mut picture.sets } else { &mut picture.data };
            to.extend((unit.len() as u32).to_be_bytes());
            to.extend(unit);
        }
    }
    pictures
}

/// The `AVCDecoderConfigurationRecord`: Matroska's `CodecPrivate` for H.264.
///
/// # Errors
/// If the stream has no parameter sets.
pub fn configuration(stream: &[u8]) -> Result<Vec<u8>> {
    let units = units(stream);
    let find = |kind| units.iter().find(|unit| unit[0] & 0x1f == kind);
    let sps = find(SPS).filter(|sps| sps.len() > 3).context("H.264 without SPS")?;
    let pps = find(PPS).context("H.264 without PPS")?;
    // Version 1, profile, compatibility, level, lengths of 4 bytes, one SPS.
    let mut record = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
    record.extend((sps.len() as u16).to_be_bytes());
    record.extend(*sps);
    record.push(1);
    record.extend((pps.len() as u16).to_be_bytes());
    record.extend(*pps);
    Ok(record)
}

/// The NAL units between the start codes (00 00 01, with any zeros before it).
fn units(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(2)).filter(|&i| stream[i..i + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let unit = &stream[start + 3..end];
            let length = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            &unit[..length]
        })
        .filter(|unit| !unit.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_configuration() {
        let stream = [
            &[0, 0, 0, 1, 9, 16][..],
            &[0, 0, 0, 1, 0x67, 66, 192, 30, 5],
            &[0, 0, 0, 1, 0x68, 1, 2],
            &[0, 0, 1, 0x65, 3],
            &[0, 0, 0, 1, 9, 16],
            &[0, 0, 1, 0x41, 4],
        ]
        .concat();
        let pictures = pictures(&stream);
        assert_eq!(pictures.len(), 2);
        assert!(pictures[0].key && !pictures[1].key);
        assert_eq!(pictures[0].sets, [0, 0, 0, 5, 0x67, 66, 192, 30, 5, 0, 0, 0, 3, 0x68, 1, 2]);
        assert_eq!(pictures[0].data, [0, 0, 0, 2, 0x65, 3]);
        assert_eq!((&pictures[1].sets, &pictures[1].data), (&vec![], &vec![0, 0, 0, 2, 0x41, 4]));
        let record = configuration(&stream).unwrap();
        assert_eq!(record[..6], [1, 66, 192, 30, 0xff, 0xe1]);
        assert_eq!(record[6..], [0, 5, 0x67, 66, 192, 30, 5, 1, 0, 3, 0x68, 1, 2]);
        assert!(configuration(&[0, 0, 1, 9, 16]).is_err());
    }
}
