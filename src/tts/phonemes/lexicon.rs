//! The user's own pronunciations.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::ipa;
use super::pinyin::Reading;
use super::pinyin::is_hanzi;

/// How names are said that no dictionary knows: a Latin word in IPA, Chinese characters in pinyin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lexicon {
    english: HashMap<String, String>,
    chinese: Vec<(Vec<char>, Vec<String>)>,
}

impl Lexicon {
    /// Takes `[tts.lexicon]`: word → IPA (`Hearken = "ˈhɑːɹkən"`) or pinyin (`"朝阳" = "zhao1 yang2"`).
    /// What cannot be used is left out and told, each with its cure.
    #[must_use]
    pub fn new(entries: &BTreeMap<String, String>) -> (Self, Vec<String>) {
        let mut lexicon = Self::default();
        let mut problems = Vec::new();
        for (word, said) in entries {
            let result = if word.chars().any(is_hanzi) {
                pinyin_of(word, said).map(|entry| lexicon.chinese.push(entry))
            } else {
                misaki_of(said).and_then(|symbols| {
                    if word.trim().is_empty() || word.contains(char::is_whitespace) {
                        return Err("a word without spaces is needed".to_owned());
                    }
                    lexicon.english.insert(word.to_lowercase(), symbols);
                    Ok(())
                })
            };
            if let Err(reason) = result {
                problems.push(format!("tts.lexicon: {word:?} = {said:?} cannot be used: {reason}"));
            }
        }
        // The longest word wins.
        lexicon.chinese.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        (lexicon, problems)
    }

    /// This lexicon with other entries, which count more; what cannot be used of them is left out.
    #[must_use]
    pub(in super::super) fn with(&self, entries: &BTreeMap<String, String>) -> Self {
        let more = Self::new(entries).0;
        let mut both = self.clone();
        both.english.extend(more.english);
        both.chinese.splice(0..0, more.chinese);
        both
    }

    pub(super) fn english(&self, word: &str) -> Option<&str> {
        self.english.get(&word.to_lowercase()).map(String::as_str)
    }

    pub(super) fn override_readings(&self, sentence: &[char], words: &mut [Reading]) {
        if self.chinese.is_empty() {
            return;
        }
        let mut i = 0;
        while i < sentence.len() {
            let entry = self.chinese.iter().find(|(word, _)| sentence[i..].starts_with(word));
            let Some((word, syllables)) = entry else {
                i += 1;
                continue;
            };
            for (at, syllable) in (i..).zip(syllables) {
                if let Some(reading) = words.iter_mut().find(|r| r.at.contains(&at)) {
                    let place = at - reading.at.start;
                    if let Some(slot) = reading.syllables.get_mut(place) {
                        slot.clone_from(syllable);
                    }
                }
            }
            i += word.len();
        }
    }
}

fn pinyin_of(word: &str, said: &str) -> Result<(Vec<char>, Vec<String>), String> {
    let chars: Vec<char> = word.trim().chars().collect();
    let syllables: Vec<String> = said
        .split_whitespace()
        .map(|s| s.to_lowercase().replace("u:", "v").replace('ü', "v"))
        .collect();
    if !chars.iter().all(|c| is_hanzi(*c)) {
        return Err("Chinese characters and others are mixed; give them their own entries".into());
    }
    if syllables.len() != chars.len() {
        return Err(format!(
            "{} characters need {} syllables of pinyin, as in \"zhong1 guo2\"",
            chars.len(),
            chars.len()
        ));
    }
    match syllables
        .iter()
        .find(|s| !s.ends_with(|c: char| matches!(c, '1'..='5')) || ipa::syllable(s).is_none())
    {
        Some(wrong) => {
            Err(format!("{wrong:?} is no pinyin syllable with a tone digit from 1 to 5"))
        }
        None => Ok((chars, syllables)),
    }
}

/// IPA as people write it, in misaki's symbols.
fn misaki_of(said: &str) -> Result<String, String> {
    let mut symbols = said.trim().trim_matches(['/', '[', ']']).to_owned();
    for (ipa, misaki) in [
        ("'", "ˈ"),
        ("t͡ʃ", "ʧ"),
        ("d͡ʒ", "ʤ"),
        ("tʃ", "ʧ"),
        ("dʒ", "ʤ"),
        ("eɪ", "A"),
        ("aɪ", "I"),
        ("aʊ", "W"),
        ("ɔɪ", "Y"),
        ("oʊ", "O"),
        ("əʊ", "O"),
        ("ɝ", "ɜɹ"),
        ("ɚ", "əɹ"),
        ("ː", ""),
        (":", ""),
        (".", ""),
        ("g", "ɡ"),
        ("r", "ɹ"),
        ("e", "ɛ"),
        ("o", "O"),
    ] {
        symbols = symbols.replace(ipa, misaki);
    }
    const KNOWN: &str = "AIOQTWYabdfhijklmnpstuvwzæðŋɐɑɒɔəɛɜɡɪɹɾʃʊʌʒʔʤʧθᵊᵻˈˌ ";
    match symbols.chars().find(|c| !KNOWN.contains(*c)) {
        Some(wrong) => Err(format!("{wrong:?} is no sound of English in IPA, as in \"ˈhɑːɹkən\"")),
        None if symbols.trim().is_empty() => Err("it says nothing".into()),
        None => Ok(symbols),
    }
}

#[cfg(test)]
mod tests {
    use super::super::phonemize_with;
    use super::*;

    fn lexicon(entries: &[(&str, &str)]) -> (Lexicon, Vec<String>) {
        Lexicon::new(&entries.iter().map(|(a, b)| (String::from(*a), String::from(*b))).collect())
    }

    #[test]
    fn entries_are_obeyed() {
        let (own, problems) = lexicon(&[
            ("Hearken", "ˈhɑːrkən"),
            ("朝阳", "zhao1 yang2"),
            ("单雄信", "shan4 xiong2 xin4"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let words = phonemize_with("hearken 单雄信和朝阳", "zh", &own);
        assert_eq!(words[0].phonemes, "ˈhɑɹkən");
        let all: Vec<_> = words.iter().filter_map(|w| w.pinyin.clone()).collect();
        let all = all.join(" ");
        assert!(all.starts_with("shan4 xiong2 xin4") && all.ends_with("zhao1 yang2"), "{all}");
    }

    #[test]
    fn wrong_entries_are_told() {
        let cases = [
            ("重庆", "chong2"),
            ("重庆", "chong2 qing9"),
            ("重庆", "chong2 qxng4"),
            ("重庆x", "chong2 qing4 x"),
            ("word", "日"),
            ("two words", "tuː"),
            ("word", "//"),
        ];
        for (word, said) in cases {
            let (_, problems) = lexicon(&[(word, said)]);
            assert_eq!(problems.len(), 1, "{word} {said}");
            assert!(problems[0].contains(word) && problems[0].contains(said), "{problems:?}");
        }
    }
}
