//! Takes the frames out of an IVF file, the form in which ffmpeg hands out VP8.
//!
//! A header of 32 bytes (its own length at byte 6), then for each frame 4 bytes
//! of length, 8 of timestamp and the data; all little-endian.

use anyhow::{Context, Result, ensure};

/// The frames of an IVF file, in order.
///
/// # Errors
/// If the bytes are no IVF file or end within a frame.
pub fn frames(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    ensure!(bytes.starts_with(b"DKIF"), "no IVF file");
    let header = bytes.get(6..8).context("IVF header cut off")?;
    let mut at = usize::from(u16::from_le_bytes([header[0], header[1]]));
    let mut frames = Vec::new();
    while at < bytes.len() {
        let length = bytes.get(at..at + 4).context("IVF frame header cut off")?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let start = at + 12;
        let data = bytes.get(start..start + length).context("IVF frame cut off")?;
        frames.push(data.to_vec());
        at = start + length;
    }
    Ok(frames)
}

/// Whether a VP8 frame is a key frame: the lowest bit of its first byte is 0
/// (RFC 6386, section 9.1).
#[must_use]
pub fn is_vp8_key_frame(frame: &[u8]) -> bool {
    frame.first().is_some_and(|byte| byte & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_out_and_a_short_file_is_refused() {
        let mut file = b"DKIF\0\0\x20\0VP80".to_vec();
        file.resize(32, 0);
        for frame in [&b"\x10abc"[..], b"\x11d"] {
            file.extend((frame.len() as u32).to_le_bytes());
            file.extend(0u64.to_le_bytes());
            file.extend(frame);
        }
        let read = frames(&file).unwrap();
        assert_eq!(read, [b"\x10abc".to_vec(), b"\x11d".to_vec()]);
        assert!(is_vp8_key_frame(&read[0]) && !is_vp8_key_frame(&read[1]));
        assert!(frames(&file[..file.len() - 1]).is_err());
        assert!(frames(b"RIFF").is_err());
    }
}
