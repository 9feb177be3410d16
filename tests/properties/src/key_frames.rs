//! Key frames of recordings.

use tw_probe::sizes::Said;
use tw_probe::{h264, sps, vp8};

/// A frame's size can be shown, and is the same when only the first half of the
/// frame is there to tell.
pub fn key_frame(data: &[u8]) {
    let half = &data[..data.len() / 2];
    for read in [h264::read, vp8::read] {
        if let (Some(early), Some(whole)) = (read(half), read(data)) {
            assert_eq!(early, whole);
        }
    }
    if let Some(Said::Size(width, height)) = h264::read(data) {
        assert!(width > 0 && height > 0, "{width}x{height}");
    }
    // As if all of it were one parameter set.
    if let (Some(early), Some(whole)) = (sps::size(half), sps::size(data)) {
        assert_eq!(early, whole);
    }
}
