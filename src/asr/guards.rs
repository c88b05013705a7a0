//! What keeps Whisper honest, as pure functions: how much it may look at, how much it may say, and
//! when what it says is not to be believed.
//!
//! Whisper was trained on 30-second windows. Giving its encoder only as many positions as the audio
//! needs makes it several times faster, but with too narrow a window the decoder can fall into a
//! loop, and on audio without speech it invents sentences that were frequent in its training data.
//! Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 4.5,
//! is the source of the no-speech and log-probability gates.

use crate::audio::SAMPLE_RATE;

/// Encoder positions of a full 30 s window.
pub(crate) const FULL_CONTEXT: usize = 1500;

/// Encoder positions a second of audio takes.
const POSITIONS_PER_SECOND: usize = 50;

/// Encoder positions for `samples` of audio and `margin` positions of silence behind them, rounded
/// up to a multiple of 64 (the matrix kernels like it) and never more than the full window.
pub(crate) fn audio_context(samples: usize, margin: usize) -> usize {
    let needed = (samples * POSITIONS_PER_SECOND).div_ceil(SAMPLE_RATE as usize) + margin;
    needed.next_multiple_of(64).min(FULL_CONTEXT)
}

/// The most tokens an utterance of `samples` can hold: twelve a second is more than the fastest
/// Mandarin speaker makes (about 6 characters a second, one to two tokens each), and a few on top
/// for punctuation and very short words.
pub(crate) fn token_limit(samples: usize) -> usize {
    (12 + samples * 12 / SAMPLE_RATE as usize).min(220)
}

/// How many tokens at the end of `tokens` only repeat what stands before them, if the tail loops.
///
/// A phrase of n tokens counts as a loop once it stands there often enough that nobody would say
/// it: single tokens eight times (phone numbers repeat digits), pairs five times, longer phrases
/// four times. The first two rounds are kept as possibly said.
pub(crate) fn looping_tail(tokens: &[i32]) -> Option<usize> {
    let rounds_allowed = |n: usize| match n {
        1 => 8,
        2 => 5,
        _ => 4,
    };
    (1..=16).find_map(|n| {
        let rounds = rounds_allowed(n);
        let span = n * rounds;
        let tail = tokens.get(tokens.len().checked_sub(span)?..)?;
        let phrase = &tail[..n];
        tail.chunks_exact(n).all(|c| c == phrase).then_some(span - 2 * n)
    })
}

/// Whether `text` is one phrase said twice over and nothing else, as a narrow window can make of a
/// short command. Two or three syllables ("knock knock") may well be meant.
pub(crate) fn doubled(text: &str) -> bool {
    let bare: Vec<char> =
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (first, second) = bare.split_at(bare.len() / 2);
    let least = if bare.iter().all(char::is_ascii) { 8 } else { 3 };
    first == second && first.len() >= least
}

/// What a decode left as evidence that somebody spoke.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// Probability of Whisper's no-speech token, 0 to 1.
    pub no_speech_prob: f32,
    /// Mean log-probability of the decoded tokens, the end token included.
    pub avg_logprob: f32,
}

/// Whether a text with this evidence is to be thrown away as invented.
pub(crate) fn invented(text: &str, evidence: Evidence) -> bool {
    let Evidence { no_speech_prob, avg_logprob } = evidence;
    // Two weak signals together, as the paper has it; and each alone when it is strong.
    if (no_speech_prob > 0.6 && avg_logprob < -0.8) || avg_logprob < -1.6 {
        return true;
    }
    // A phantom sentence needs clean evidence, since a person may well say "thank you".
    phantom(text) && (no_speech_prob > 0.2 || avg_logprob < -0.5)
}

/// Sentences that Whisper is known to produce on audio without speech, in lower case and without
/// punctuation or spaces.
const PHANTOMS: &[&str] = &[
    "you",
    "thankyou",
    "thankyouforwatching",
    "thanksforwatching",
    "thankyousomuch",
    "thankyouverymuch",
    "pleasesubscribe",
    "subscribe",
    "bye",
    "byebye",
    "so",
    "okay",
    "oh",
    "music",
    "applause",
    "silence",
    "blankaudio",
    "字幕",
    "字幕志愿者",
    "字幕由amaraorg社区提供",
    "谢谢观看",
    "谢谢大家",
    "谢谢",
    "感谢观看",
    "感谢收看",
    "请不吝点赞订阅转发打赏支持明镜与点点栏目",
    "点赞订阅",
    "多谢您的观看",
    "下次再见",
    "我们下期再见",
    "嗯",
    "啊",
];

fn phantom(text: &str) -> bool {
    let bare: String =
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    PHANTOMS.contains(&bare.as_str())
        || ["字幕", "点赞订阅", "點贊訂閱", "明镜与点点"].iter().any(|p| bare.contains(p))
        // Nothing but signs (music notes, dots) is nothing said.
        || bare.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_covers_the_audio_and_the_margin() {
        for (ms, margin, want) in [
            (0, 128, 128),
            (1000, 128, 192),
            (2900, 128, 320),
            (2900, 64, 256),
            (3000, 0, 192),
            (29_000, 128, 1500),
            (60_000, 128, 1500),
        ] {
            assert_eq!(audio_context(ms * 16, margin), want, "{ms} ms, margin {margin}");
        }
    }

    #[test]
    fn the_token_limit_grows_with_the_audio() {
        assert_eq!(token_limit(0), 12);
        assert_eq!(token_limit(16_000), 24);
        assert_eq!(token_limit(16_000 * 600), 220);
    }

    #[test]
    fn loops_are_seen_and_speech_is_not() {
        let table: &[(&[i32], Option<usize>)] = &[
            (&[], None),
            (&[1, 2, 3, 4], None),
            (&[7, 7, 7, 7, 7, 7, 7], None),
            (&[7, 7, 7, 7, 7, 7, 7, 7], Some(6)),
            (&[9, 1, 2, 1, 2, 1, 2, 1, 2], None),
            (&[9, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], Some(6)),
            (&[1, 2, 3, 1, 2, 3, 1, 2, 3], None),
            (&[1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], Some(6)),
            (&[1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4], None),
        ];
        for (tokens, want) in table {
            assert_eq!(looping_tail(tokens), *want, "{tokens:?}");
        }
    }

    #[test]
    fn a_phrase_twice_over_is_doubted() {
        for (text, want) in [
            ("Open the bedroom blinds. Open the bedroom blinds.", true),
            ("打开书房灯。打开书房灯", true),
            ("Open the bedroom blinds.", false),
            ("Knock, knock!", false),
            ("谢谢谢谢", false),
            ("Open the blinds. Open the bedroom blinds.", false),
            ("", false),
        ] {
            assert_eq!(doubled(text), want, "{text}");
        }
    }

    #[test]
    fn phantoms_need_clean_evidence() {
        let ev = |no_speech_prob, avg_logprob| Evidence { no_speech_prob, avg_logprob };
        for (text, evidence, want) in [
            ("Turn on the light.", ev(0.01, -0.2), false),
            ("Turn on the light.", ev(0.9, -1.2), true),
            ("Turn on the light.", ev(0.9, -0.2), false),
            ("mumble", ev(0.0, -1.7), true),
            ("Thank you.", ev(0.01, -0.1), false),
            ("Thank you.", ev(0.5, -0.1), true),
            ("谢谢观看！", ev(0.3, -0.2), true),
            ("♪ ♪", ev(0.3, -0.2), true),
            ("字幕由 Amara.org 社区提供", ev(0.1, -0.6), true),
        ] {
            assert_eq!(invented(text, evidence), want, "{text}");
        }
    }
}
