#![no_main]
//! See [`tw_properties::flags`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::flags(data));
