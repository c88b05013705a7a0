//! Speaking ahead what the home is likely to answer, while nobody wants anything.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

use super::DialogueHandle;
use super::HandleError;
use super::Shared;

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
        let busy = shared.tts().load().0 > 0 || !shared.asr().wait().is_zero();
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
