//! Takes the packets out of an Ogg file with one stream (RFC 3533).

use anyhow::{Context, Result, ensure};

/// The packets of an Ogg file, in order; with Opus the first is `OpusHead` and
/// the second `OpusTags` (RFC 7845).
///
/// # Errors
/// If the bytes are no Ogg file or end within a page.
pub fn packets(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let header = bytes.get(at..at + 27).context("Ogg page header cut off")?;
        ensure!(header.starts_with(b"OggS"), "no Ogg page at byte {at}");
        let segments = usize::from(header[26]);
        let table = bytes.get(at + 27..at + 27 + segments).context("Ogg page cut off")?;
        at += 27 + segments;
        for &length in table {
            let end = at + usize::from(length);
            packet.extend(bytes.get(at..end).context("Ogg page cut off")?);
            at = end;
            // A segment of 255 bytes goes on in the next one.
            if length < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
    }
    Ok(packets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(table: &[u8], data: &[u8]) -> Vec<u8> {
        let mut page = b"OggS".to_vec();
        page.resize(26, 0);
        page.push(table.len() as u8);
        page.extend(table);
        page.extend(data);
        page
    }

    #[test]
    fn packets_go_on_over_segments_and_pages() {
        let mut file = page(&[3, 255], &[&b"abc"[..], &[7; 255]].concat());
        file.extend(page(&[2, 0], &[7, 7]));
        assert_eq!(packets(&file).unwrap(), [b"abc".to_vec(), vec![7; 257], vec![]]);
        assert!(packets(&file[..file.len() - 1]).is_err());
    }
}
