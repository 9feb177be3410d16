//! Key frames of recordings.

use tw_probe::{h264, sps, vp8};

/// A frame's size can be shown, and is the same when only the first half of the
/// frame is there to tell; the same half serves as the track's `CodecPrivate`.
pub fn key_frame(data: &[u8]) {
    let half = &data[..data.len() / 2];
    let of_h264 = |frame: &[u8]| h264::Reader::new(half).read(frame);
    for read in [&of_h264 as &dyn Fn(&[u8]) -> _, &vp8::read] {
        if let (Some(early), Some(whole)) = (read(half), read(data)) {
            assert_eq!(early.size, whole.size);
        }
    }
    if let Some(frame) = of_h264(data) {
        let (width, height) = frame.size;
        assert!(width > 0 && height > 0, "{width}x{height}");
    }
    // As if all of it were one parameter set.
    if let (Some(early), Some(whole)) = (sps::size(half), sps::size(data)) {
        assert_eq!(early, whole);
    }
}
