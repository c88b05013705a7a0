#![no_main]

use hearken::audio::{G711, PcmIntake};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [rate, width, channels, sound @ ..] = bytes else { return };
    for form in [G711::Mu, G711::A] {
        assert_eq!(form.decode(sound).len(), sound.len());
    }
    let rate = u32::from(*rate) * 1000;
    let Ok(mut intake) = PcmIntake::new("x", rate, usize::from(*width), usize::from(*channels)) else {
        return;
    };
    let mut out = Vec::new();
    for part in sound.chunks(7) {
        let _ = intake.push(part, &mut out);
    }
    let _ = intake.finish(&mut out);
});
