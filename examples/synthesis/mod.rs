//! Speech from a voice, for the programs that listen to it.

use std::ops::ControlFlow;

use hearken::tts::{Synthesizer, TtsError};

/// All samples of a text, at the voice's own rate.
pub(crate) fn spoken(voice: &mut dyn Synthesizer, text: &str) -> Result<Vec<f32>, TtsError> {
    let mut sound = Vec::new();
    voice.speak(text, &mut |chunk| {
        sound.extend_from_slice(chunk);
        ControlFlow::Continue(())
    })?;
    Ok(sound)
}
