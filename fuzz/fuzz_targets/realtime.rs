#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hearken::serve::fuzzing::realtime(bytes));
