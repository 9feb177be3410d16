#![no_main]
//! See [`tw_properties::key_frame`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::key_frame(data));
