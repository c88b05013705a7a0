//! Mandarin words with their phonemes.

use super::Lexicon;
use super::Word;
use super::ipa;
use super::pinyin;
use super::pinyin::Reading;
use super::sandhi;

/// The Chinese words of a sentence: where each stands, and how it is said.
pub(super) fn words(sentence: &[char], lexicon: &Lexicon) -> Vec<(Reading, Word)> {
    let mut readings = pinyin::readings(sentence, lexicon);
    let citation: Vec<Vec<String>> = readings.iter().map(|r| r.syllables.clone()).collect();
    sandhi::apply(sentence, &mut readings, &pinyin::is_word);
    readings
        .into_iter()
        .zip(citation)
        .map(|(reading, mut citation)| {
            let text: String = sentence.get(reading.at.clone()).into_iter().flatten().collect();
            let mut word = say(text, &reading.syllables);
            // Whether 儿 is a syllable of its own is no question of tone.
            if let (Some(own), Some(said)) = (citation.last_mut(), reading.syllables.last())
                && said == "er5"
            {
                said.clone_into(own);
            }
            word.citation = Some(citation.join(" "));
            (reading, word)
        })
        .collect()
}

fn say(text: String, syllables: &[String]) -> Word {
    let mut phonemes = String::new();
    for syllable in syllables {
        match ipa::syllable(syllable) {
            Some(symbols) => phonemes.push_str(&symbols),
            None => tracing::debug!(%text, syllable, "a syllable without phonemes was left out"),
        }
    }
    Word { text, phonemes, pinyin: Some(syllables.join(" ")), citation: None, space: false }
}
