#![no_main]
//! See [`tw_properties::csv_table`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| tw_properties::csv_table(data));
