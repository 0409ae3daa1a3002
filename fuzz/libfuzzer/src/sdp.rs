//! libFuzzer's way into `cordboard_fuzz::sdp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordboard_fuzz::sdp(data));
