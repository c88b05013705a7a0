//! Speaking ahead what the home is likely to answer, while nobody wants anything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use super::DialogueHandle;
use super::HandleError;
use super::Shared;
use crate::audio::Frame;
use crate::detect::VoiceDetector;

/// Texts of one language that are spoken ahead.
const MOST: usize = 64;
/// How long nobody must have wanted anything.
pub(super) const QUIET: Duration = Duration::from_secs(3);
/// How often one looks whether that is so.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Tells when nobody has wanted anything for a while.
pub(super) struct Idle {
    wanted: Instant,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self { wanted: Instant::now() }
    }

    /// Somebody wanted something until now.
    pub(super) fn disturbed(&mut self) {
        self.wanted = Instant::now();
    }

    /// Whether it is so now; to be asked often. `busy` is true while somebody wants something.
    pub(super) fn long_enough(&mut self, busy: bool) -> bool {
        if busy {
            self.disturbed();
        }
        self.wanted.elapsed() >= QUIET
    }
}

/// When somebody was last heard, in whichever conversation. A text that is begun while a command is still being said
/// would take the cores that its recognition needs a moment later.
#[derive(Debug, Clone, Default)]
pub(super) struct Attention(Arc<Mutex<Option<Instant>>>);

impl Attention {
    /// A detector that notices for all conversations.
    pub(super) fn of(&self, detector: Box<dyn VoiceDetector>) -> Box<dyn VoiceDetector> {
        Box::new(Noticing { detector, attention: self.clone() })
    }

    fn notice(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_wanted(&self) -> bool {
        let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.is_some_and(|heard| heard.elapsed() < QUIET)
    }
}

struct Noticing {
    detector: Box<dyn VoiceDetector>,
    attention: Attention,
}

impl VoiceDetector for Noticing {
    fn push(&mut self, frame: &Frame) -> f32 {
        let probability = self.detector.push(frame);
        if probability > 0.5 {
            self.attention.notice();
        }
        probability
    }

    fn reset(&mut self) {
        self.detector.reset();
    }
}

/// Answers that are likely in a home, with their languages, which take turns: one language's voice may be slow.
pub(super) fn likely<'l>(
    dialogue: &DialogueHandle,
    languages: impl Iterator<Item = &'l str>,
) -> VecDeque<(String, String)> {
    let home = dialogue.lock();
    let mut all: Vec<(&str, _)> = languages
        .map(|language| (language, home.likely_answers(language, MOST).into_iter()))
        .collect();
    let mut turns = VecDeque::new();
    while !all.is_empty() {
        all.retain_mut(|(language, answers)| match answers.next() {
            Some(answer) => {
                turns.push_back(((*language).to_owned(), answer));
                true
            }
            None => false,
        });
    }
    turns
}

/// Has the shared voices speak all of `texts`, one whenever the engines have been idle for a while.
/// Ends early when `stop` says so or the voices are gone.
pub(super) fn speak(
    shared: &Shared,
    mut texts: VecDeque<(String, String)>,
    stop: &dyn Fn() -> bool,
) {
    let mut idle = Idle::new();
    while !texts.is_empty() && !stop() && shared.tts().is_alive() {
        let busy = shared.tts().load().0 > 0
            || !shared.asr().wait().is_zero()
            || shared.attention().is_wanted();
        if !idle.long_enough(busy) {
            std::thread::sleep(LOOK_EVERY);
            continue;
        }
        let Some((language, text)) = texts.pop_front() else { break };
        let Some(voice) = shared.voice_for(&language) else { continue };
        match shared.tts().speak(&voice.id, 1.0, &text) {
            Ok(mut sound) => while sound.wait().is_some() {},
            // Somebody was faster.
            Err(HandleError::Busy { .. }) => texts.push_front((language, text)),
            Err(error) => tracing::debug!(%error, text, "an answer could not be spoken ahead"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME_SAMPLES;
    use crate::audio::SampleTime;

    /// As likely as the first sample says.
    struct Sure;
    impl VoiceDetector for Sure {
        fn push(&mut self, frame: &Frame) -> f32 {
            frame.samples[0]
        }
        fn reset(&mut self) {}
    }

    #[test]
    fn who_speaks_in_any_conversation_is_noticed() {
        let attention = Attention::default();
        let (mut one, mut other) = (attention.of(Box::new(Sure)), attention.of(Box::new(Sure)));
        let frame = |probability: f32| Frame {
            at: SampleTime::default(),
            samples: vec![probability; FRAME_SAMPLES].into(),
        };
        assert!(!attention.is_wanted(), "nobody spoke yet");
        assert_eq!((one.push(&frame(0.2)), attention.is_wanted()), (0.2, false));
        assert_eq!((other.push(&frame(0.9)), attention.is_wanted()), (0.9, true));
    }
}
