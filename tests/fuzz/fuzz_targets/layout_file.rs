#![no_main]
//! See [`tw_properties::layout_file`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::layout_file(data));
