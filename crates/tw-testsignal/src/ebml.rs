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
        assert_eq!(
            unknown_size(0x1F43_B675)[4..],
            [1, 255, 255, 255, 255, 255, 255, 255]
        );
    }
}
