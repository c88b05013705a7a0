//! Words in the symbols of Piper's Chinese voices: an initial, a final and a tone for every syllable, spelled as in
//! pinyin, and marks. English words are said with the nearest syllables of Mandarin.

use super::super::Word;

/// What stands where a syllable has no initial.
const NONE: &str = "Ø";

/// The initials and, of each, the finals that make a syllable which people say.
const SYLLABLES: [(&str, &str); 24] = [
    ("zh", "a e ai ei ao ou an en ang eng ong i u ua uo uai ui uan un uang"),
    ("ch", "a e ai ao ou an en ang eng ong i u ua uo uai ui uan un uang"),
    ("sh", "a e ai ei ao ou an en ang eng i u ua uo uai ui uan un uang"),
    ("b", "a o ai ei ao an en ang eng i ie iao ian in ing u"),
    ("p", "a o ai ei ao ou an en ang eng i ie iao ian in ing u"),
    ("m", "a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u"),
    ("f", "a o ei ou an en ang eng u"),
    ("d", "a e ai ei ao ou an ang eng ong i ie iao iu ian ing u uo ui uan un"),
    ("t", "a e ai ao ou an ang eng ong i ie iao ian ing u uo ui uan un"),
    ("n", "a e ai ei ao ou an en ang eng ong i ie iao iu ian in iang ing u uo uan v ve"),
    ("l", "a e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve"),
    ("g", "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang"),
    ("k", "a e ai ao ou an en ang eng ong u ua uo uai ui uan un uang"),
    ("h", "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang"),
    ("j", "i ia ie iao iu ian in iang ing iong u ue uan un"),
    ("q", "i ia ie iao iu ian in iang ing iong u ue uan un"),
    ("x", "i ia ie iao iu ian in iang ing iong u ue uan un"),
    ("r", "e ao ou an en ang eng ong i u uo ui uan un"),
    ("z", "a e ai ao ou an en ang eng ong i u uo ui uan un"),
    ("c", "a e ai ao ou an en ang eng ong i u uo ui uan un"),
    ("s", "a e ai ao ou an en ang eng ong i u uo ui uan un"),
    ("y", "a e ao ou an ang ong i in ing u ue uan un"),
    ("w", "a o ai ei an en ang eng u"),
    (NONE, "a o e ai ei ao ou an en ang eng er"),
];

/// Every final that the voices know.
const FINALS: [&str; 37] = [
    "a", "o", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "ong", "i", "ia", "ie", "iao",
    "iu", "ian", "in", "iang", "ing", "iong", "u", "ua", "uo", "uai", "ui", "uan", "un", "uang",
    "ueng", "v", "ve", "van", "vn", "er", "ue",
];

const TONES: [&str; 5] = ["1", "2", "3", "4", "5"];

/// The marks that the voices know. Spaces are among them and sound like a comma, so none is given.
const MARKS: [&str; 14] =
    [".", "?", "!", ",", ":", ";", "—", "…", "。", "？", "！", "，", "：", "；"];

/// A few symbols that no voice of this kind is without.
pub(super) const NEEDED: [&str; 5] = [NONE, "zh", "uan", "1", "5"];

/// A syllable or a mark: the symbols that one pad follows.
pub(super) type Group = Vec<&'static str>;

/// The symbols of some words.
pub(super) fn groups(words: &[Word]) -> Vec<Group> {
    let mut all = Vec::new();
    for word in words {
        if let Some(pinyin) = &word.citation {
            for syllable in pinyin.split(' ') {
                match split(syllable) {
                    Some(symbols) => all.push(symbols.to_vec()),
                    None => tracing::debug!(syllable, "no syllable of this voice; left out"),
                }
            }
        } else if word.phonemes.chars().any(char::is_alphabetic) {
            all.extend(english(&word.phonemes).into_iter().map(|s| s.to_vec()));
        } else {
            let mark = |c: char| MARKS.into_iter().find(|mark| mark.starts_with(c));
            all.extend(word.phonemes.chars().filter_map(mark).map(|mark| vec![mark]));
        }
    }
    all
}

/// Initial, final and tone of a syllable with its tone digit; none when it is no syllable.
fn split(pinyin: &str) -> Option<[&'static str; 3]> {
    let known = |all: &[&'static str], wanted: &str| all.iter().find(|s| **s == wanted).copied();
    let (body, tone) = match TONES.iter().find(|tone| pinyin.ends_with(**tone)) {
        Some(tone) => (&pinyin[..pinyin.len() - 1], *tone),
        None => (pinyin, "5"),
    };
    // Interjections, and the r at the end of a word, in the nearest syllable.
    let body = match body {
        "r" => "er",
        "ê" => "ei",
        "m" => "mu",
        "n" => "en",
        "ng" | "hng" => "eng",
        "hm" => "hen",
        _ => body,
    };
    let (initial, rest) = SYLLABLES
        .iter()
        .find_map(|(initial, _)| Some((*initial, body.strip_prefix(initial)?)))
        .unwrap_or((NONE, body));
    let rest = match rest {
        "uei" => "ui",
        "uen" => "un",
        "iou" => "iu",
        _ => rest,
    };
    Some([initial, known(&FINALS, rest)?, tone])
}

/// A syllable of Mandarin, if it is one.
fn syllable(initial: &str, wanted: &str, tone: &'static str) -> Option<[&'static str; 3]> {
    let (initial, finals) = SYLLABLES.iter().find(|(known, _)| *known == initial)?;
    let rest = finals.split(' ').find(|known| *known == wanted)?;
    Some([initial, rest, tone])
}

/// A sound of English.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sound {
    Consonant(char),
    /// And whether it is stressed.
    Vowel(char, bool),
}

/// The syllables of an English word in misaki's symbols. Stressed ones are high, the others light.
fn english(phonemes: &str) -> Vec<[&'static str; 3]> {
    let mut sounds = Vec::new();
    let mut stressed = false;
    for symbol in phonemes.chars() {
        match symbol {
            'ˈ' | 'ˌ' => stressed = true,
            'A' | 'I' | 'O' | 'Q' | 'W' | 'Y' | 'a' | 'e' | 'i' | 'o' | 'u' | 'æ' | 'ɐ' | 'ɑ'
            | 'ɒ' | 'ɔ' | 'ə' | 'ɛ' | 'ɜ' | 'ɪ' | 'ʊ' | 'ʌ' | 'ᵊ' | 'ᵻ' | 'ɚ' | 'ɝ' =>
            {
                sounds.push(Sound::Vowel(symbol, std::mem::take(&mut stressed)));
            }
            'T' | 'ɾ' => sounds.push(Sound::Consonant('d')),
            'ʔ' => sounds.push(Sound::Consonant('t')),
            'ɡ' => sounds.push(Sound::Consonant('g')),
            'r' => sounds.push(Sound::Consonant('ɹ')),
            _ if "bdfghjklmnpstvwzðŋɹʃʒʤʧθ".contains(symbol) => {
                sounds.push(Sound::Consonant(symbol));
            }
            _ => {}
        }
    }
    let mut said = Vec::new();
    let mut onset = None;
    let mut at = 0;
    while let Some(sound) = sounds.get(at).copied() {
        let rest = sounds.get(at + 1..).unwrap_or_default();
        at += 1;
        match sound {
            Sound::Vowel(vowel, stressed) => {
                // In "car", "door" and "bird" it is part of the vowel.
                let with_r = swallows_r(vowel) && closes_with_r(rest);
                at += usize::from(with_r);
                let coda = coda(sounds.get(at..).unwrap_or_default());
                at += usize::from(coda.is_some());
                let vowel = if with_r && vowel == 'ə' { 'ɜ' } else { vowel };
                let tone = if stressed { "1" } else { "5" };
                rhyme(onset.take(), vowel, coda, tone, &mut said);
            }
            // "ŋ" begins no syllable.
            Sound::Consonant(c) if matches!(rest.first(), Some(Sound::Vowel(..))) && c != 'ŋ' => {
                onset = Some(c);
            }
            // "music": the glide and its vowel are one rhyme.
            Sound::Consonant(c)
                if let [Sound::Consonant('j'), Sound::Vowel('u' | 'ʊ', stressed), behind @ ..] =
                    rest
                    && coda(behind).is_none()
                    && let Some(syllable) =
                        syllable(front(initial(c)), "iu", if *stressed { "1" } else { "5" }) =>
            {
                said.push(syllable);
                at += 2;
            }
            // "lights": t and s are one sound.
            Sound::Consonant('t') if rest.first() == Some(&Sound::Consonant('s')) => {
                let alone = !matches!(rest.get(1), Some(Sound::Vowel(..)));
                said.extend(syllable(
                    if alone { "c" } else { "t" },
                    if alone { "i" } else { "e" },
                    "5",
                ));
                at += usize::from(alone);
            }
            Sound::Consonant(c) => {
                let before_glide = match rest.first() {
                    Some(Sound::Consonant('w')) => syllable(initial(c), "u", "5"),
                    Some(Sound::Consonant('j')) => syllable(front(initial(c)), "i", "5"),
                    _ => None,
                };
                let (initial, vowel) = alone(c);
                said.extend(before_glide.or_else(|| syllable(initial, vowel, "5")));
            }
        }
    }
    said
}

/// The nasal that closes a syllable before `rest`.
fn coda(rest: &[Sound]) -> Option<char> {
    match rest {
        [Sound::Consonant('ŋ'), ..] => Some('ŋ'),
        [Sound::Consonant('n'), Sound::Vowel(..), ..] => None,
        [Sound::Consonant('n'), Sound::Consonant('j'), Sound::Vowel('u' | 'ʊ', _), ..] => None,
        [Sound::Consonant('n'), ..] => Some('n'),
        _ => None,
    }
}

fn swallows_r(vowel: char) -> bool {
    matches!(vowel, 'ɑ' | 'ɒ' | 'ɔ' | 'ə' | 'ɜ' | 'ʌ' | 'a')
}

fn closes_with_r(rest: &[Sound]) -> bool {
    match rest {
        [Sound::Consonant('ɹ'), Sound::Vowel(..), ..] => false,
        [first, ..] => *first == Sound::Consonant('ɹ'),
        [] => false,
    }
}

/// The initial that is nearest to a consonant before a vowel.
fn initial(consonant: char) -> &'static str {
    match consonant {
        'b' => "b",
        'p' => "p",
        'm' => "m",
        'f' => "f",
        'd' | 'ð' => "d",
        't' => "t",
        'n' => "n",
        'l' => "l",
        'g' => "g",
        'k' => "k",
        'h' => "h",
        'ʃ' => "sh",
        'ʧ' => "ch",
        'ʤ' => "zh",
        'ʒ' | 'ɹ' => "r",
        'z' => "z",
        's' | 'θ' => "s",
        'v' | 'w' => "w",
        'j' => "y",
        _ => NONE,
    }
}

/// The initial that stands for `initial` before i, where some cannot stand.
fn front(initial: &'static str) -> &'static str {
    match initial {
        "s" | "sh" | "h" => "x",
        "z" | "zh" | "g" => "j",
        "ch" | "k" => "q",
        "r" => "l",
        NONE => "y",
        other => other,
    }
}

/// The light syllable of a consonant without a vowel.
fn alone(consonant: char) -> (&'static str, &'static str) {
    match consonant {
        'b' => ("b", "u"),
        'p' => ("p", "u"),
        'm' => ("m", "u"),
        'f' | 'v' => ("f", "u"),
        'd' | 'ð' => ("d", "e"),
        't' => ("t", "e"),
        'l' => ("l", "e"),
        'g' => ("g", "e"),
        'k' => ("k", "e"),
        'h' => ("h", "e"),
        's' | 'θ' => ("s", "i"),
        'z' => ("z", "i"),
        'ʃ' => ("sh", "i"),
        'ʒ' => ("r", "i"),
        'ʧ' => ("q", "i"),
        'ʤ' => ("j", "i"),
        'ɹ' => (NONE, "er"),
        'w' => ("w", "u"),
        'j' => ("y", "i"),
        _ => (NONE, "en"),
    }
}

/// Adds the syllable of a vowel with what stands before and behind it, or two where Mandarin has none like it.
fn rhyme(
    onset: Option<char>,
    vowel: char,
    coda: Option<char>,
    tone: &'static str,
    said: &mut Vec<[&'static str; 3]>,
) {
    let initial = match (onset, vowel) {
        // "vision", "casual".
        (Some('ʒ'), 'i' | 'ɪ' | 'ᵻ') => "z",
        (None, 'u' | 'ʊ') => "w",
        (onset, _) => onset.map_or(NONE, initial),
    };
    // What is tried in turn, and what is said in a syllable of its own behind it.
    let (finals, behind): (&[&str], &[(&str, &str)]) = match (vowel, coda) {
        ('i' | 'ɪ' | 'ᵻ' | 'e', None) => (&["i", "ei"], &[]),
        ('i' | 'ɪ' | 'ᵻ' | 'e', Some('n')) => (&["in", "ing", "en"], &[]),
        ('i' | 'ɪ' | 'ᵻ' | 'e', _) => (&["ing", "eng"], &[]),
        ('ɛ', None) => (&["ei", "ai", "e"], &[]),
        ('ɛ', Some('n')) => (&["en", "ian", "an"], &[]),
        ('ɛ', _) => (&["eng", "en"], &[]),
        ('A', None) => (&["ei", "ai", "e"], &[]),
        ('A', _) => (&["ei", "ai", "e"], &[(NONE, "en")]),
        ('I', None) => (&["ai"], &[]),
        ('I', _) => (&["ai"], &[(NONE, "en")]),
        ('W', None) => (&["ao"], &[]),
        ('W', _) => (&["ang"], &[]),
        ('Y', None) => (&["uo", "o", "ao"], &[("y", "i")]),
        ('Y', _) => (&["uo", "o", "ao"], &[("y", "in")]),
        ('O' | 'Q' | 'o', None) => (&["ou", "o", "uo"], &[]),
        // What is spelled "yu" is another vowel.
        ('u' | 'ʊ', None) if initial == "y" => (&["ou"], &[]),
        ('u' | 'ʊ', None) => (&["u"], &[]),
        ('u' | 'ʊ', Some('n')) if initial != "y" => (&["un", "en"], &[]),
        ('ɔ', None) if matches!(initial, NONE | "y") => (&["ao"], &[]),
        ('ɔ', None) => (&["o", "uo"], &[]),
        ('ɔ' | 'O' | 'Q' | 'o', _) if initial == NONE => (&["ang"], &[]),
        ('ɔ' | 'O' | 'Q' | 'o' | 'u' | 'ʊ', _) => (&["ong", "eng"], &[]),
        ('ə' | 'ɜ' | 'ᵊ' | 'ɚ' | 'ɝ', None) if initial == NONE && vowel != 'ᵊ' => {
            (if vowel == 'ə' { &["e"] } else { &["er"] }, &[])
        }
        ('ə' | 'ɜ' | 'ᵊ' | 'ɚ' | 'ɝ', None) => (&["e", "o"], &[]),
        ('ə', Some('n')) if initial == "y" => (&["an"], &[]),
        ('ə' | 'ɜ' | 'ᵊ' | 'ɚ' | 'ɝ', Some('n')) => (&["en", "un"], &[]),
        ('ə' | 'ɜ' | 'ᵊ' | 'ɚ' | 'ɝ', _) => (&["eng"], &[]),
        (_, None) => (&["a"], &[]),
        (_, Some('n')) => (&["an"], &[]),
        (_, _) => (&["ang"], &[]),
    };
    let try_one = |wanted: &&str| {
        let bright = wanted.starts_with('i');
        let with = if bright { front(initial) } else { initial };
        // Where r cannot stand, l is what people say.
        syllable(with, wanted, tone)
            .or_else(|| (with == "r").then(|| syllable("l", wanted, tone)).flatten())
    };
    match finals.iter().find_map(try_one) {
        Some(syllable) => said.push(syllable),
        // "five": fa yi fu.
        None => {
            said.extend(syllable(initial, "a", tone).or_else(|| syllable("l", "a", tone)));
            match vowel {
                'I' => said.extend(syllable("y", "i", "5")),
                'W' if coda.is_none() => said.extend(syllable("w", "u", "5")),
                _ => {}
            }
        }
    }
    said.extend(behind.iter().filter_map(|(initial, rest)| syllable(initial, rest, "5")));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::Lexicon;
    use super::super::super::phonemes::ipa;
    use super::super::super::phonemize_with;
    use super::*;

    fn spelled(symbols: &[[&str; 3]]) -> String {
        symbols.iter().map(|s| s.concat().replace(NONE, "")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn syllables_are_split_as_the_voices_were_taught() {
        let cases = [
            ("zhong1", "zh ong 1"),
            ("yuan2", "y uan 2"),
            ("yue4", "y ue 4"),
            ("wo3", "w o 3"),
            ("nv3", "n v 3"),
            ("lve4", "l ve 4"),
            ("ju2", "j u 2"),
            ("jue2", "j ue 2"),
            ("shi4", "sh i 4"),
            ("ai4", "Ø ai 4"),
            ("er2", "Ø er 2"),
            ("r5", "Ø er 5"),
            ("en5", "Ø en 5"),
            ("ma", "m a 5"),
        ];
        for (pinyin, symbols) in cases {
            assert_eq!(split(pinyin).map(|s| s.join(" ")).as_deref(), Some(symbols), "{pinyin}");
        }
        for wrong in ["", "3", "b3", "hello", "龘"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_syllable_of_the_front_end_has_symbols() {
        let whole = ["er", "r", "o", "ê", "yo", "m", "n", "ng", "hm", "hng"].map(String::from);
        let spelled = ["iou", "uei", "uen", ""].iter().chain(&FINALS);
        let initials = SYLLABLES.iter().map(|(initial, _)| initial.replace(NONE, ""));
        let made = initials.flat_map(|i| spelled.clone().map(move |rest| format!("{i}{rest}")));
        let mut known = 0;
        for body in whole.into_iter().chain(made) {
            if ipa::syllable(&format!("{body}4")).is_some() {
                known += 1;
                assert!(split(&format!("{body}4")).is_some(), "{body}");
            }
        }
        assert!(known > 400, "{known}");
        // And the other way round: what English is said with are syllables of Mandarin.
        for (initial, finals) in SYLLABLES {
            for rest in finals.split(' ') {
                let body = format!("{initial}{rest}4").replace(NONE, "");
                assert!(ipa::syllable(&body).is_some(), "{body}");
                assert_eq!(split(&body), syllable(initial, rest, "4"), "{body}");
            }
        }
    }

    #[test]
    fn english_words_are_said_in_syllables() {
        let cases = [
            ("lˈɪvɪŋ", "li1 weng5"),
            ("ɹˈum", "ru1 mu5"),
            ("tˈAləɹ", "tai1 le5"),
            ("swˈɪft", "su5 wei1 fu5 te5"),
            ("mjˈuzɪk", "miu1 ji5 ke5"),
            ("kjˈut", "qiu1 te5"),
            ("fjˈu", "fu5 you1"),
            ("pjˈʊɹ", "pi5 you1 er5"),
            ("sˈi", "xi1"),
            ("ʃˈip", "xi1 pu5"),
            ("ʧˈip", "qi1 pu5"),
            ("ʤˈim", "ji1 mu5"),
            ("zˈiɹO", "ji1 rou5"),
            ("ʤˈɑn", "zhan1"),
            ("sˈɔŋ", "song1"),
            ("fˈOn", "feng1"),
            ("lˈIts", "lai1 ci5"),
            ("fˈIv", "fa1 yi5 fu5"),
            ("bˈY", "bo1 yi5"),
            ("tˈɜɹn", "tun1"),
            ("kˈɑɹ", "ka1"),
            ("fˈIəɹ", "fa1 yi5 er5"),
            ("ˈæpᵊl", "a1 po5 le5"),
            ("ˈɔfɪs", "ao1 fei5 si5"),
            ("skˈul", "si5 ku1 le5"),
            ("vˈɪʒən", "wei1 ren5"),
            ("jˈu", "you1"),
            ("ˈun", "wen1"),
            ("wˈi", "wei1"),
            ("ˌI", "ai1"),
            ("tˈɛn", "tian1"),
            ("ʌnjən", "an5 yan5"),
            ("ðə", "de5"),
            ("bˈʌʔn", "ba1 te5 en5"),
            ("", ""),
        ];
        for (misaki, syllables) in cases {
            assert_eq!(spelled(&english(misaki)), syllables, "{misaki}");
        }
    }

    #[test]
    fn a_mixed_sentence_is_said_before_sandhi_and_with_its_marks() {
        let said = |text: &str| {
            let words = phonemize_with(text, "zh", &Lexicon::default());
            let all: Vec<String> = groups(&words).iter().map(|g| g.concat()).collect();
            all.join(" ").replace(NONE, "")
        };
        assert_eq!(said("打开 living room 的灯。"), "da3 kai1 li1 weng5 ru1 mu5 de5 deng1 .");
        assert_eq!(said("你好，不是一个。"), "ni3 hao3 , bu4 shi4 yi1 ge4 .");
        assert_eq!(said("花儿"), "hua1 er5");
        assert_eq!(said("女儿（好）"), "nv3 er2 hao3");
    }

    proptest! {
        #[test]
        fn any_symbols_become_syllables_of_mandarin(
            misaki in "[AIOQTWYabdefhijklmnopqrstuvwzæðŋɐɑɒɔəɚɛɜɝɡɪɹɾʃʊʌʒʔʤʧθᵊᵻˈˌː→x ]{0,30}",
        ) {
            let said = english(&misaki);
            for [initial, rest, tone] in &said {
                prop_assert!(syllable(initial, rest, tone).is_some(), "{initial}{rest}");
            }
            let vowels = misaki.chars().filter(|c| "AIOQWYaeiouæɐɑɒɔəɚɛɜɝɪʊʌᵊᵻ".contains(*c)).count();
            prop_assert!(said.len() >= vowels, "{misaki}: {}", spelled(&said));
        }
    }
}
