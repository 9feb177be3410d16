#![no_main]
//! See [`tw_properties::lines`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::lines(data));
