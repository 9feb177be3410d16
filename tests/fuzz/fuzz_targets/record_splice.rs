#![no_main]
//! See [`tw_properties::record_splice`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::record_splice(data));
