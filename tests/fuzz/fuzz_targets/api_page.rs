#![no_main]
//! See [`tw_properties::api_page`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::api_page(data));
