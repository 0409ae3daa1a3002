//! libFuzzer's way into `cordboard_fuzz::shard`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordboard_fuzz::shard(data));
