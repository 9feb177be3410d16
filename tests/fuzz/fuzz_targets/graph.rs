#![no_main]
//! See [`tw_properties::graph`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::graph(data));
