//! English words with their phonemes, as misaki writes them and as eSpeak would.

use std::sync::LazyLock;

use misaki_rs::Fallback;
use misaki_rs::G2P;
use misaki_rs::Language;
use misaki_rs::fallback::FallbackError;

use super::Lexicon;
use super::Word;
use super::letters;

static AMERICAN: LazyLock<G2P> =
    LazyLock::new(|| G2P::with_fallback(Language::EnglishUS, Some(Box::new(Letters))));
static BRITISH: LazyLock<G2P> =
    LazyLock::new(|| G2P::with_fallback(Language::EnglishGB, Some(Box::new(Letters))));

struct Letters;

impl Fallback for Letters {
    fn phonemize(&self, word: &str) -> Result<String, FallbackError> {
        match letters::say(word) {
            said if said.is_empty() => Err(FallbackError::NoPhonemes { word: word.into() }),
            said => Ok(said),
        }
    }
}

/// The words and marks of a stretch of text without Chinese characters.
pub(super) fn words(text: &str, british: bool, lexicon: &Lexicon) -> Vec<Word> {
    let g2p = if british { &*BRITISH } else { &*AMERICAN };
    let tokens = match g2p.g2p(text) {
        Ok((_, tokens)) => tokens,
        Err(error) => {
            tracing::debug!(%error, text, "the lexicon failed; reading letters");
            return text.split_whitespace().map(|w| by_letters(w, true)).collect();
        }
    };
    tokens
        .into_iter()
        .filter_map(|token| {
            let space = !token.whitespace.is_empty();
            let text = token.text.trim();
            if let Some(said) = lexicon.english(text) {
                return Some(Word {
                    text: text.into(),
                    phonemes: said.into(),
                    pinyin: None,
                    citation: None,
                    space,
                });
            }
            match token.phonemes.map(|p| p.replace('❓', "")) {
                Some(said) if !said.trim().is_empty() => Some(Word {
                    text: text.into(),
                    phonemes: said.trim().into(),
                    pinyin: None,
                    citation: None,
                    space,
                }),
                _ if text.is_empty() => None,
                _ => Some(by_letters(text, space)),
            }
        })
        .collect()
}

fn by_letters(text: &str, space: bool) -> Word {
    Word { text: text.into(), phonemes: letters::say(text), pinyin: None, citation: None, space }
}

/// Misaki's symbols in eSpeak's spelling, which is what Piper's English voices were taught with.
/// Mandarin symbols become the nearest English sounds.
pub(crate) fn espeak(phonemes: &str) -> String {
    let symbols: Vec<char> = phonemes.chars().collect();
    let mut said = String::new();
    let mut i = 0;
    while let Some(&symbol) = symbols.get(i) {
        let next = symbols.get(i + 1).copied();
        let long = if next == Some('ː') { "" } else { "ː" };
        let aspirated = next == Some('ʰ');
        let mut taken = 1;
        match symbol {
            'A' => said.push_str("eɪ"),
            'I' => said.push_str("aɪ"),
            'W' => said.push_str("aʊ"),
            'Y' => said.push_str("ɔɪ"),
            'O' => said.push_str("oʊ"),
            'Q' => said.push_str("əʊ"),
            'ʤ' => said.push_str("dʒ"),
            'ʧ' => said.push_str("tʃ"),
            'T' => said.push('ɾ'),
            'ᵊ' => said.push('ə'),
            'i' => {
                said.push('i');
                // Light and last, as in "happy", it is short.
                let stressed = i.checked_sub(1).is_some_and(|b| matches!(symbols[b], 'ˈ' | 'ˌ'));
                let last = !next.is_some_and(|c| c.is_alphabetic() && c != 'ː');
                if stressed || !last {
                    said.push_str(long);
                }
            }
            'u' | 'ɑ' | 'ɔ' => {
                said.push(symbol);
                // The second half of a Mandarin diphthong is short.
                let second = symbol == 'u'
                    && i.checked_sub(1).is_some_and(|b| matches!(symbols[b], 'a' | 'o'));
                if !second {
                    said.push_str(long);
                }
            }
            'ɜ' => {
                said.push_str("ɜː");
                // "bird" has no r of its own; "hurry" has.
                let vowel_follows = symbols.get(i + 2).is_some_and(|c| is_vowel(*c));
                if next == Some('ː') || next == Some('ɹ') && !vowel_follows {
                    taken = 2;
                }
            }
            'ə' if next == Some('ɹ') => {
                said.push('ɚ');
                let vowel_follows = symbols.get(i + 2).is_some_and(|c| is_vowel(*c));
                taken = if vowel_follows { 1 } else { 2 };
            }
            '→' | '↗' | '↓' | '↘' | 'ʰ' => {}
            'ꭧ' | 'ʨ' => said.push_str(if aspirated { "tʃ" } else { "dʒ" }),
            'ʦ' => said.push_str(if aspirated { "ts" } else { "dz" }),
            'ʂ' | 'ɕ' => said.push('ʃ'),
            'x' => said.push('h'),
            'ɻ' => said.push('ɹ'),
            'ɤ' => said.push('ə'),
            'ɨ' => said.push_str("ɜː"),
            'y' => said.push_str("juː"),
            'ɥ' => said.push('j'),
            _ => said.push(symbol),
        }
        i += taken;
    }
    said
}

fn is_vowel(c: char) -> bool {
    "AIOQWYaeiouæɐɑɒɔəɛɜɪʊʌᵊᵻˈˌ".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn espeak_spelling() {
        let cases = [
            ("həlˈO", "həlˈoʊ"),
            ("wˈɜɹld", "wˈɜːld"),
            ("tˈɜɹnd", "tˈɜːnd"),
            ("hˈæpi", "hˈæpi"),
            ("lˈit", "lˈiːt"),
            ("bˈɛTəɹ", "bˈɛɾɚ"),
            ("ʤˈɛnəɹəl", "dʒˈɛnɚɹəl"),
            ("kˈɑɹ", "kˈɑːɹ"),
            ("fˈɔɹ", "fˈɔːɹ"),
            ("ʧˈYs", "tʃˈɔɪs"),
            ("ðə", "ðə"),
            ("fˈɑːðə", "fˈɑːðə"),
            ("ni↓xau↓", "nihau"),
        ];
        for (misaki, espeaks) in cases {
            assert_eq!(espeak(misaki), espeaks, "{misaki}");
        }
    }

    #[test]
    fn known_and_unknown_words_are_said() {
        let none = Lexicon::default();
        let said = |text: &str| -> Vec<String> {
            words(text, false, &none).into_iter().map(|w| w.phonemes).collect()
        };
        assert_eq!(said("Hello, world!"), ["həlˈO", ",", "wˈɜɹld", "!"]);
        for word in said("blorfty Zigbee xkcd naïve Škoda iPhone TV") {
            assert!(word.chars().any(is_vowel), "{word}");
        }
        assert!(said("").is_empty());
    }
}
