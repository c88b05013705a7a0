//! How an English word is said that no lexicon has: a network that reads letters, or the names of the
//! letters when the word cannot be read.
//!
//! The network is the encoder and decoder of g2p-en (Park and Kim, 2019), two GRUs over letters and
//! CMUdict phonemes.

use std::sync::LazyLock;

use super::weights::Matrix;
use super::weights::Weights;
use super::weights::argmax;
use super::weights::sigmoid;

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    Network::new(Weights::read(include_bytes!("data/letters.gz")).unwrap_or_default())
});

/// Longer words are read in pieces: the network was taught on words of ordinary length.
const PIECE: usize = 18;

struct Gru {
    embedding: Matrix,
    input: Matrix,
    hidden: Matrix,
    input_bias: Matrix,
    hidden_bias: Matrix,
}

impl Gru {
    fn new(weights: &mut Weights, side: &str) -> Self {
        let mut take = |name: &str| weights.take(&format!("{side}_{name}"));
        Self {
            embedding: take("emb"),
            input: take("w_ih"),
            hidden: take("w_hh"),
            input_bias: take("b_ih"),
            hidden_bias: take("b_hh"),
        }
    }

    fn step(&self, id: usize, h: &mut [f32]) {
        let x = self.input.times(self.embedding.row(id), &self.input_bias);
        let r = self.hidden.times(h, &self.hidden_bias);
        let size = h.len();
        for i in 0..size {
            let reset = sigmoid(x[i] + r[i]);
            let update = sigmoid(x[size + i] + r[size + i]);
            let new = (x[2 * size + i] + reset * r[2 * size + i]).tanh();
            h[i] = (1.0 - update) * new + update * h[i];
        }
    }
}

struct Network {
    encoder: Gru,
    decoder: Gru,
    out: Matrix,
    out_bias: Matrix,
    weights: Weights,
}

impl Network {
    fn new(mut weights: Weights) -> Self {
        Self {
            encoder: Gru::new(&mut weights, "enc"),
            decoder: Gru::new(&mut weights, "dec"),
            out: weights.take("fc_w"),
            out_bias: weights.take("fc_b"),
            weights,
        }
    }

    /// CMUdict phonemes of a word of lower-case letters.
    fn read(&self, word: &str) -> Vec<&str> {
        let mut h = vec![0.0; self.encoder.hidden.row(0).len()];
        let letters = word.chars().map(|c| c.to_string());
        for letter in letters.chain(["</s>".to_owned()]) {
            if let Some(id) = self.weights.inputs.get(&letter) {
                self.encoder.step(*id, &mut h);
            }
        }
        let class = |name: &str| self.weights.classes.iter().position(|c| c == name);
        let (Some(mut last), Some(end)) = (class("<s>"), class("</s>")) else { return Vec::new() };
        let mut phonemes = Vec::new();
        for _ in 0..PIECE + 6 {
            self.decoder.step(last, &mut h);
            last = argmax(&self.out.times(&h, &self.out_bias));
            if last == end {
                break;
            }
            phonemes.extend(self.weights.classes.get(last).map(String::as_str));
        }
        phonemes
    }
}

/// Misaki's symbols for a word that is in no lexicon. Never empty when the word has a letter.
pub(super) fn say(word: &str) -> String {
    let letters: Vec<char> = unaccented(word);
    if letters.is_empty() {
        return String::new();
    }
    let vowels = letters.iter().filter(|c| "aeiouy".contains(**c)).count();
    let shouted = word.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase);
    if vowels == 0 || (shouted && letters.len() <= 4) {
        return spell(&letters);
    }
    let mut said = String::new();
    for piece in letters.chunks(PIECE) {
        let piece: String = piece.iter().collect();
        said.push_str(&from_cmudict(&NETWORK.read(&piece)));
    }
    if said.is_empty() { spell(&letters) } else { said }
}

/// The names of the letters, the last one stressed most.
fn spell(letters: &[char]) -> String {
    const NAMES: [&str; 26] = [
        "A",
        "bi",
        "si",
        "di",
        "i",
        "ɛf",
        "ʤi",
        "Aʧ",
        "I",
        "ʤA",
        "kA",
        "ɛl",
        "ɛm",
        "ɛn",
        "O",
        "pi",
        "kju",
        "ɑɹ",
        "ɛs",
        "ti",
        "ju",
        "vi",
        "dˈʌbᵊlju",
        "ɛks",
        "wI",
        "zi",
    ];
    let mut said = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let Some(name) = (*letter as usize).checked_sub('a' as usize).and_then(|n| NAMES.get(n))
        else {
            continue;
        };
        let mark = if i + 1 == letters.len() { 'ˈ' } else { 'ˌ' };
        if name.contains('ˈ') {
            said.push_str(name);
        } else {
            said.push_str(&stressed(name, mark));
        }
    }
    said
}

fn stressed(name: &str, mark: char) -> String {
    let at = name.find(is_vowel).unwrap_or(0);
    format!("{}{mark}{}", &name[..at], &name[at..])
}

fn is_vowel(c: char) -> bool {
    "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵊᵻ".contains(c)
}

/// Lower-case ASCII letters of a word, accents taken off.
fn unaccented(word: &str) -> Vec<char> {
    use unicode_normalization::UnicodeNormalization;
    word.nfkd()
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            'a'..='z' => vec![c],
            'ß' => vec!['s', 's'],
            'æ' => vec!['a', 'e'],
            'œ' => vec!['o', 'e'],
            'ø' => vec!['o'],
            'ł' => vec!['l'],
            'đ' | 'ð' => vec!['d'],
            'þ' => vec!['t', 'h'],
            'ı' => vec!['i'],
            _ => Vec::new(),
        })
        .collect()
}

fn from_cmudict(phonemes: &[&str]) -> String {
    let mut said = String::new();
    for phoneme in phonemes {
        let (name, digit) = match phoneme.strip_suffix(['0', '1', '2']) {
            Some(name) => (name, phoneme.chars().last()),
            None => (*phoneme, None),
        };
        match digit {
            Some('1') => said.push('ˈ'),
            Some('2') => said.push('ˌ'),
            _ => {}
        }
        said.push_str(match (name, digit) {
            ("AA", _) => "ɑ",
            ("AE", _) => "æ",
            ("AH", Some('0')) => "ə",
            ("AH", _) => "ʌ",
            ("AO", _) => "ɔ",
            ("AW", _) => "W",
            ("AY", _) => "I",
            ("EH", _) => "ɛ",
            ("ER", Some('0')) => "əɹ",
            ("ER", _) => "ɜɹ",
            ("EY", _) => "A",
            ("IH", _) => "ɪ",
            ("IY", _) => "i",
            ("OW", _) => "O",
            ("OY", _) => "Y",
            ("UH", _) => "ʊ",
            ("UW", _) => "u",
            ("CH", _) => "ʧ",
            ("DH", _) => "ð",
            ("G", _) => "ɡ",
            ("HH", _) => "h",
            ("JH", _) => "ʤ",
            ("NG", _) => "ŋ",
            ("R", _) => "ɹ",
            ("SH", _) => "ʃ",
            ("TH", _) => "θ",
            ("Y", _) => "j",
            ("ZH", _) => "ʒ",
            ("B", _) => "b",
            ("D", _) => "d",
            ("F", _) => "f",
            ("K", _) => "k",
            ("L", _) => "l",
            ("M", _) => "m",
            ("N", _) => "n",
            ("P", _) => "p",
            ("S", _) => "s",
            ("T", _) => "t",
            ("V", _) => "v",
            ("W", _) => "w",
            ("Z", _) => "z",
            _ => "",
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_read_or_spelled() {
        let cases = [("xkcd", "ˌɛkskˌAsˌidˈi"), ("TTS", "tˌitˌiˈɛs"), ("", ""), ("123", "")];
        for (word, said) in cases {
            assert_eq!(say(word), said, "{word}");
        }
        for word in
            ["Hearken", "Zigbee", "blorft", "Škoda", "Llanfairpwllgwyngyllgogerychwyrndrobwll"]
        {
            let said = say(word);
            assert!(said.chars().any(is_vowel) && said.contains('ˈ'), "{word} {said}");
        }
    }
}
