#![no_main]
//! See [`tw_properties::file_name`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::file_name(data));
