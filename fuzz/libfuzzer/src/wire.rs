//! libFuzzer's way into `cordboard_fuzz::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordboard_fuzz::wire(data));
