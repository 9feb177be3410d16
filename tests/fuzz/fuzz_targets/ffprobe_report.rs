#![no_main]
//! See [`tw_properties::ffprobe_report`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::ffprobe_report(data));
