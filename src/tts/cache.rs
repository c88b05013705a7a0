//! Replies that were spoken before, kept as sound: they start in less than a millisecond.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::Synthesizer;
use super::TtsError;

/// A voice that remembers what it said.
///
/// The memory belongs to one voice that was opened with one model and one volume, and neither can change behind it; so
/// a reply is found by its text and its speed. It holds at most so many bytes of sound, 16 bits a
/// sample; what was asked for longest ago goes first. Only replies that were spoken to the end are kept, and none that
/// would fill more than a quarter of the memory.
pub struct Cached {
    voice: Box<dyn Synthesizer>,
    replies: HashMap<String, Reply>,
    limit: usize,
    bytes: usize,
    speed: f32,
    /// Counts the requests, to know which is the oldest.
    now: u64,
}

struct Reply {
    samples: Vec<i16>,
    used: u64,
}

impl Reply {
    fn bytes(&self, text: &str) -> usize {
        self.samples.len() * 2 + text.len()
    }
}

impl Cached {
    /// `voice` with a memory of `limit` bytes.
    #[must_use]
    pub fn new(voice: Box<dyn Synthesizer>, limit: usize) -> Self {
        Self { voice, replies: HashMap::new(), limit, bytes: 0, speed: 1.0, now: 0 }
    }

    /// How many replies are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replies.len()
    }

    /// Whether no reply is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// How many bytes of sound are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn keep(&mut self, text: &str, samples: Vec<i16>) {
        let reply = Reply { samples, used: self.now };
        let bytes = reply.bytes(text);
        if bytes > self.limit / 4 {
            return;
        }
        self.bytes += bytes;
        if let Some(before) = self.replies.insert(text.to_owned(), reply) {
            self.bytes -= before.bytes(text);
        }
        while self.bytes > self.limit {
            let oldest = self.replies.iter().min_by_key(|(_, reply)| reply.used);
            let Some(oldest) = oldest.map(|(text, _)| text.clone()) else { break };
            if let Some(reply) = self.replies.remove(&oldest) {
                self.bytes -= reply.bytes(&oldest);
            }
        }
    }
}

impl Synthesizer for Cached {
    fn set_speed(&mut self, speed: f32) {
        self.speed = speed;
        self.voice.set_speed(speed);
    }

    fn sample_rate(&self) -> u32 {
        self.voice.sample_rate()
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        self.now += 1;
        // A full stop at the end is heard in nothing else.
        let text = sentence.trim().trim_end_matches(['.', '。']);
        let text = &format!("{}× {text}", self.speed);
        if let Some(reply) = self.replies.get_mut(text.as_str()) {
            reply.used = self.now;
            // A fifth of a second at a time, so that it can be stopped.
            let piece = (self.voice.sample_rate() as usize / 5).max(1);
            for piece in reply.samples.chunks(piece) {
                let samples: Vec<f32> = piece.iter().map(|s| f32::from(*s) / 32767.0).collect();
                if out(&samples).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let most = self.limit / 8;
        let (mut samples, mut whole) = (Vec::new(), true);
        self.voice.speak(sentence, &mut |chunk| {
            if whole && samples.len() + chunk.len() <= most {
                samples.extend(chunk.iter().map(|s| (s.clamp(-1.0, 1.0) * 32767.0).round() as i16));
            } else {
                whole = false;
            }
            let flow = out(chunk);
            whole &= flow.is_continue();
            flow
        })?;
        if whole && !samples.is_empty() {
            self.keep(text, samples);
        }
        Ok(())
    }
}

/// Speaks `texts` to nobody until `stop` says so, so that a [`Cached`] voice knows them; returns how many it spoke.
/// What cannot be spoken is left out.
pub fn warm<'t>(
    voice: &mut dyn Synthesizer,
    texts: impl IntoIterator<Item = &'t str>,
    stop: &dyn Fn() -> bool,
) -> usize {
    let mut spoken = 0;
    for text in texts {
        if stop() {
            break;
        }
        let go_on = |_: &[f32]| {
            if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match voice.speak(text, &mut { go_on }) {
            Ok(()) => spoken += 1,
            Err(error) => tracing::debug!(%error, text, "an answer could not be spoken ahead"),
        }
    }
    spoken
}

/// Speaks while `out` is busy with what came before: the voice works in a thread of its own and is at most `chunks`
/// ahead. So the next clause is made while one plays.
///
/// # Errors
/// Those of the voice.
pub fn speak_ahead(
    voice: &mut dyn Synthesizer,
    sentence: &str,
    chunks: usize,
    out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
) -> Result<(), TtsError> {
    let (give, take) = std::sync::mpsc::sync_channel::<Vec<f32>>(chunks);
    std::thread::scope(|scope| {
        let speaking = scope.spawn(move || {
            voice.speak(sentence, &mut |chunk| match give.send(chunk.to_vec()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        for chunk in &take {
            if out(&chunk).is_break() {
                break;
            }
        }
        // A voice that waits to give more hears that nobody takes it.
        drop(take);
        speaking.join().unwrap_or_else(|_| {
            Err(TtsError::Engine { voice: "thread".into(), reason: "it broke off".into() })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says a tenth of a second for every letter, and counts how often it is asked.
    struct Counting(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl Synthesizer for Counting {
        fn sample_rate(&self) -> u32 {
            1000
        }

        fn speak(
            &mut self,
            sentence: &str,
            out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
        ) -> Result<(), TtsError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for _ in sentence.chars() {
                if out(&[0.5; 100]).is_break() {
                    break;
                }
            }
            Ok(())
        }
    }

    fn cached(limit: usize) -> (Cached, impl Fn() -> usize) {
        let count = std::sync::Arc::default();
        let voice = Counting(std::sync::Arc::clone(&count));
        (Cached::new(Box::new(voice), limit), move || {
            count.load(std::sync::atomic::Ordering::Relaxed)
        })
    }

    fn say(voice: &mut dyn Synthesizer, text: &str) -> Vec<f32> {
        let mut all = Vec::new();
        voice
            .speak(text, &mut |chunk| {
                all.extend_from_slice(chunk);
                ControlFlow::Continue(())
            })
            .unwrap();
        all
    }

    #[test]
    fn what_was_said_is_not_made_again() {
        let (mut voice, asked) = cached(1 << 20);
        assert_eq!(warm(&mut voice, ["done", "yes"], &|| false), 2);
        let again = say(&mut voice, " done. ");
        assert_eq!((again.len(), asked()), (400, 2));
        assert!(again.iter().all(|s| (s - 0.5).abs() < 1e-4));
        assert_eq!(warm(&mut voice, ["no"], &|| true), 0);
    }

    #[test]
    fn the_memory_has_a_bound_and_the_oldest_goes_first() {
        let (mut voice, asked) = cached(4 * 410);
        for text in ["ab", "cd", "ef"] {
            say(&mut voice, text);
        }
        say(&mut voice, "ab");
        for text in ["gh", "ij"] {
            say(&mut voice, text);
        }
        assert!(voice.bytes() <= 4 * 410 && voice.len() == 4);
        say(&mut voice, "ab");
        assert_eq!(asked(), 5, "ab was used lately and is still there");
        say(&mut voice, "cd");
        assert_eq!(asked(), 6);
        say(&mut voice, "much too long to be kept");
        assert!(voice.len() <= 4);
    }

    #[test]
    fn what_was_broken_off_is_not_kept() {
        let (mut voice, _) = cached(1 << 20);
        voice.speak("stop", &mut |_| ControlFlow::Break(())).unwrap();
        assert!(voice.is_empty());
    }

    #[test]
    fn speaking_ahead_gives_the_same_and_can_be_stopped() {
        let (mut voice, _) = cached(0);
        let mut heard = 0;
        speak_ahead(&mut voice, "abcdef", 2, &mut |chunk| {
            heard += chunk.len();
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(heard, 600);
        let mut calls = 0;
        speak_ahead(&mut voice, "abcdef", 2, &mut |_| {
            calls += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(calls, 1);
    }
}
