#![no_main]

use hearken::audio::{FileSource, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(file.path(), bytes).is_err() {
        return;
    }
    let Ok(mut source) = FileSource::open(file.path()) else { return };
    let mut samples = Vec::new();
    // A minute is enough to find what is wrong.
    for _ in 0..3000 {
        samples.clear();
        match source.read(&mut samples) {
            Ok(read) if read > 0 => assert!(samples.iter().all(|sample| sample.is_finite())),
            _ => return,
        }
    }
});
