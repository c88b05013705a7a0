//! How English words sound, and how near two sounds are.

use std::sync::LazyLock;

use misaki_rs::Language;
use misaki_rs::Lexicon;

/// misaki's symbols; a sound is its place here.
const PHONES: &str = "pbtdkɡfvθðszʃʒʧʤmnŋlɹwjhiɪAɛæəɜʌɑɔOʊuIWY";
/// How many of them are consonants.
const CONSONANTS: usize = 24;

/// misaki's dictionary of pronunciations. It is large, so it is read when first asked for.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(Language::EnglishUS));

static COSTS: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| {
    let phones: Vec<char> = PHONES.chars().collect();
    phones.iter().map(|a| phones.iter().map(|b| cost(*a, *b)).collect()).collect()
});

/// Pairs that are easily taken for each other.
const NEAR: &[(&str, f32)] = &[
    ("pb", 0.15),
    ("td", 0.15),
    ("kɡ", 0.15),
    ("fv", 0.15),
    ("θð", 0.15),
    ("sz", 0.12),
    ("ʃʒ", 0.15),
    ("ʧʤ", 0.15),
    ("mn", 0.25),
    ("nŋ", 0.2),
    ("mŋ", 0.3),
    ("fθ", 0.2),
    ("sθ", 0.25),
    ("sʃ", 0.25),
    ("zð", 0.25),
    ("vð", 0.25),
    ("zʒ", 0.25),
    ("ʧʃ", 0.25),
    ("ʤʒ", 0.2),
    ("ʧt", 0.35),
    ("ʤd", 0.35),
    ("bv", 0.3),
    ("pf", 0.35),
    ("mb", 0.4),
    ("nd", 0.4),
    ("ln", 0.45),
    ("lɹ", 0.4),
    ("wɹ", 0.4),
    ("lw", 0.4),
    ("vw", 0.35),
    ("tθ", 0.35),
    ("dð", 0.3),
    ("kt", 0.45),
    ("pt", 0.45),
    ("pk", 0.45),
    ("bd", 0.45),
    ("dɡ", 0.45),
    ("bɡ", 0.45),
    ("ts", 0.45),
    ("dz", 0.45),
    ("hf", 0.4),
    ("jʤ", 0.4),
    ("ʧk", 0.55),
    ("ij", 0.3),
    ("ɪj", 0.4),
    ("uw", 0.3),
    ("ʊw", 0.4),
    ("ɜɹ", 0.35),
    ("əɹ", 0.5),
    ("ʊl", 0.6),
    ("Ol", 0.6),
];

/// Openness and place of a vowel, each from 0 to 3.
fn place(vowel: char) -> (f32, f32) {
    match vowel {
        'i' => (0.0, 0.0),
        'ɪ' => (0.9, 0.4),
        'A' => (1.4, 0.1),
        'ɛ' => (2.0, 0.2),
        'æ' => (2.8, 0.3),
        'ə' => (1.8, 1.1),
        'ɜ' => (1.7, 1.2),
        'ʌ' => (2.2, 1.3),
        'ɑ' => (3.0, 1.9),
        'ɔ' => (2.3, 2.1),
        'O' => (1.5, 2.2),
        'ʊ' => (0.9, 1.8),
        'u' => (0.0, 2.0),
        'I' => (2.6, 0.8),
        'W' => (2.7, 1.6),
        _ => (1.7, 1.6),
    }
}

fn cost(a: char, b: char) -> f32 {
    if a == b {
        return 0.0;
    }
    let pair = |(pair, _): &&(&str, f32)| pair.contains(a) && pair.contains(b);
    if let Some((_, cost)) = NEAR.iter().find(pair) {
        return *cost;
    }
    let vowel = |c: char| PHONES.chars().position(|own| own == c).is_some_and(|n| n >= CONSONANTS);
    match (vowel(a), vowel(b)) {
        (true, true) => {
            let ((open_a, place_a), (open_b, place_b)) = (place(a), place(b));
            (0.12 + 0.17 * (open_a - open_b).hypot(place_a - place_b)).min(0.7)
        }
        (false, false) => 0.8,
        _ => 1.0,
    }
}

/// What it costs to hear one sound for another, from 0 to 1.
pub(super) fn between(a: u16, b: u16) -> f32 {
    let row = COSTS.get(usize::from(a));
    row.and_then(|row| row.get(usize::from(b))).copied().unwrap_or(1.0)
}

/// What it costs to hear a sound that was not said, or to miss one.
pub(super) fn gap(sound: u16) -> f32 {
    GAPS.get(usize::from(sound)).copied().unwrap_or(0.7)
}

static GAPS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let gap = |c: char| match c {
        'ə' | 'h' => 0.35,
        't' | 'd' | 'ɹ' | 'ɪ' | 'j' => 0.5,
        'l' | 'n' | 's' | 'z' | 'w' => 0.6,
        _ => 0.7,
    };
    PHONES.chars().map(gap).collect()
});

/// The sounds of one word.
pub(super) fn sounds(word: &str) -> Vec<u16> {
    let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '\'').collect();
    let word = word.trim_matches('\'').to_ascii_lowercase();
    let known = word.chars().all(|c| c.is_ascii_alphabetic() || c == '\'') && !word.is_empty();
    let read = |word: &str| LEXICON.get_word(word, "", None, None);
    // Short ones may be initials: TV.
    let initials = || (word.len() <= 3).then(|| read(&word.to_ascii_uppercase())).flatten();
    let spoken = known.then(|| read(&word).or_else(initials)).flatten();
    let symbols = spoken.map_or_else(|| by_letters(&word), |(symbols, _)| symbols);
    phones(&symbols)
}

fn phones(symbols: &str) -> Vec<u16> {
    let mut phones = Vec::with_capacity(symbols.len());
    for c in symbols.chars() {
        let c = match c {
            'ɾ' | 'T' => 't',
            'ᵊ' | 'ɐ' => 'ə',
            'ᵻ' => 'ɪ',
            'a' => 'æ',
            'ɒ' => 'ɑ',
            'Q' => 'O',
            'g' => 'ɡ',
            other => other,
        };
        if let Some(index) = PHONES.chars().position(|own| own == c) {
            phones.push(index as u16);
        }
    }
    phones
}

/// What letters usually sound like, the longest group first: for names that no dictionary has.
const LETTERS: &[(&str, &str)] = &[
    ("tion", "ʃən"),
    ("sion", "ʒən"),
    ("igh", "I"),
    ("tch", "ʧ"),
    ("sch", "sk"),
    ("ough", "O"),
    ("ee", "i"),
    ("ea", "i"),
    ("oo", "u"),
    ("ou", "W"),
    ("ow", "O"),
    ("ai", "A"),
    ("ay", "A"),
    ("oa", "O"),
    ("oi", "Y"),
    ("oy", "Y"),
    ("au", "ɔ"),
    ("aw", "ɔ"),
    ("ew", "u"),
    ("ie", "i"),
    ("ei", "A"),
    ("ey", "i"),
    ("er", "əɹ"),
    ("ir", "ɜɹ"),
    ("ur", "ɜɹ"),
    ("ar", "ɑɹ"),
    ("or", "ɔɹ"),
    ("ch", "ʧ"),
    ("sh", "ʃ"),
    ("th", "θ"),
    ("ph", "f"),
    ("wh", "w"),
    ("ck", "k"),
    ("ng", "ŋ"),
    ("qu", "kw"),
    ("kn", "n"),
    ("wr", "ɹ"),
    ("ce", "sɛ"),
    ("ci", "sɪ"),
    ("cy", "sI"),
    ("x", "ks"),
    ("a", "æ"),
    ("b", "b"),
    ("c", "k"),
    ("d", "d"),
    ("e", "ɛ"),
    ("f", "f"),
    ("g", "ɡ"),
    ("h", "h"),
    ("i", "ɪ"),
    ("j", "ʤ"),
    ("k", "k"),
    ("l", "l"),
    ("m", "m"),
    ("n", "n"),
    ("o", "O"),
    ("p", "p"),
    ("q", "k"),
    ("r", "ɹ"),
    ("s", "s"),
    ("t", "t"),
    ("u", "u"),
    ("v", "v"),
    ("w", "w"),
    ("y", "i"),
    ("z", "z"),
];

fn by_letters(word: &str) -> String {
    let mut rest = word;
    let mut symbols = String::new();
    while let Some(first) = rest.chars().next() {
        let double = rest[first.len_utf8()..].starts_with(first) && !"aeiou".contains(first);
        let silent = first == 'e' && rest.len() == 1 && word.len() > 3;
        match LETTERS.iter().find(|(letters, _)| rest.starts_with(letters)) {
            Some(_) if double || silent => rest = &rest[first.len_utf8()..],
            Some((letters, said)) => {
                symbols.push_str(said);
                rest = &rest[letters.len()..];
            }
            None => rest = &rest[first.len_utf8()..],
        }
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_from_the_dictionary_and_names_by_their_letters() {
        let written = |word: &str| -> String {
            let phones: Vec<char> = PHONES.chars().collect();
            sounds(word).iter().map(|sound| phones[usize::from(*sound)]).collect()
        };
        let cases = [
            ("light", "lIt"),
            ("lights", "lIts"),
            ("ecobeex", "ɛkObiks"),
            ("tv", "tivi"),
            ("", ""),
        ];
        for (word, expected) in cases {
            assert_eq!(written(word), expected, "{word}");
        }
    }

    #[test]
    fn near_sounds_cost_less_than_far_ones_and_costs_are_even() {
        let id = |c: char| PHONES.chars().position(|own| own == c).unwrap() as u16;
        let near = |a: char, b: char| between(id(a), id(b));
        assert!(near('s', 'z') < near('s', 't') && near('s', 't') < near('s', 'm'));
        assert!(near('i', 'ɪ') < near('i', 'ɑ') && near('i', 'ɑ') < near('i', 'k'));
        for a in 0..PHONES.chars().count() as u16 {
            for b in 0..PHONES.chars().count() as u16 {
                assert_eq!(between(a, b), between(b, a), "{a} {b}");
                assert_eq!(between(a, b) == 0.0, a == b, "{a} {b}");
            }
        }
    }
}
