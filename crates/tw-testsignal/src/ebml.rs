//! The elements that Matroska is made of (EBML, RFC 8794): an id, a size, a body.

/// An element with its body.
pub(crate) fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = header(id, body.len());
    bytes.extend(body);
    bytes
}

/// What stands before a body of `length` bytes. The size always takes 8 bytes,
/// so that no length depends on a value.
pub(crate) fn header(id: u32, length: usize) -> Vec<u8> {
    let mut bytes = name(id);
    bytes.extend((length as u64 | 1 << 56).to_be_bytes());
    bytes
}

/// What stands before a body that goes on until it ends: all bits of the size set.
pub(crate) fn unknown_size(id: u32) -> Vec<u8> {
    let mut bytes = name(id);
    bytes.extend([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    bytes
}

pub(crate) fn integer(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

pub(crate) fn float(id: u32, value: f64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

pub(crate) fn text(id: u32, value: &str) -> Vec<u8> {
    element(id, value.as_bytes())
}

/// What stands before a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: u32,
    /// Bytes of the body; `None`: it goes on until it ends.
    pub(crate) size: Option<usize>,
    /// Bytes of the header itself.
    pub(crate) length: usize,
}

/// Reads the header at the start of some bytes; `None` if it is cut off.
pub(crate) fn parse_header(bytes: &[u8]) -> Option<Header> {
    let id_length = bytes.first()?.leading_zeros() as usize + 1;
    let size_length = bytes.get(id_length)?.leading_zeros() as usize + 1;
    let length = id_length + size_length;
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
    let mask = u64::MAX >> (64 - 7 * size_length.min(8));
    let size = number(bytes.get(id_length..length)?) & mask;
    Some(Header {
        id: number(&bytes[..id_length]) as u32,
        size: (size != mask).then_some(size as usize),
        length,
    })
}

/// An id carries its own length, so its leading zero bytes are left out.
fn name(id: u32) -> Vec<u8> {
    let skipped = (id.leading_zeros() / 8) as usize;
    id.to_be_bytes()[skipped..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_id_size_and_body() {
        assert_eq!(element(0xA3, b"x"), [0xA3, 1, 0, 0, 0, 0, 0, 0, 1, b'x']);
        assert_eq!(integer(0x4287, 2)[..3], [0x42, 0x87, 1]);
        let header = |id, size, length| Some(Header { id, size, length });
        assert_eq!(parse_header(&element(0xA3, b"x")), header(0xA3, Some(1), 9));
        assert_eq!(parse_header(&[0x42, 0x87, 0x81, 2]), header(0x4287, Some(1), 3));
        assert_eq!(parse_header(&unknown_size(0x1F43_B675)), header(0x1F43_B675, None, 12));
        assert_eq!(parse_header(&[0x42, 0x87]), None);
        assert_eq!(unknown_size(0x1F43_B675)[4..], [1, 255, 255, 255, 255, 255, 255, 255]);
    }
}
