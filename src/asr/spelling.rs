//! From characters that may be said to tokens that may be decoded: a grammar knows sentences in one
//! letter case and without punctuation, Whisper writes them as in a book, in pieces of bytes.

use std::collections::HashMap;
use std::sync::Arc;

use super::Grammar;
use super::hanzi::Variants;

/// What may stand between words without meaning anything.
const PUNCTUATION: &[char] = &[',', '.', '!', '?', '，', '。', '！', '？', '、'];

/// All text tokens of a model in the order of their bytes, so that those with one beginning stand
/// together.
#[derive(Debug)]
pub(super) struct Tokens {
    sorted: Vec<(Box<[u8]>, i32)>,
    by_id: HashMap<i32, u32>,
}

/// How far a sentence has come, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    /// The grammar's state.
    pub state: u32,
    case: Case,
    /// Punctuation was just written.
    paused: bool,
    /// Bytes of a character that is not complete.
    partial: [u8; 3],
    partial_len: u8,
}

/// Which letters may follow: Whisper writes words small, with a capital, or in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Case {
    /// Nothing was written yet.
    Begin,
    /// A word begins.
    Word,
    /// One capital was written.
    Capital,
    Small,
    Capitals,
    /// A capital within a word, as in "EcoBee".
    Hump,
    /// Behind one.
    SmallAgain,
}

impl Spot {
    pub(super) fn start(state: u32) -> Self {
        Self { state, case: Case::Begin, paused: false, partial: [0; 3], partial_len: 0 }
    }

    /// Whether the last character is complete.
    pub(super) fn is_whole(&self) -> bool {
        self.partial_len == 0
    }

    /// After a whole character; `None` when it cannot follow.
    fn write(self, c: char, grammar: &mut dyn Grammar, variants: &Variants) -> Option<Self> {
        let at = |state: u32, case: Case| {
            Some(Self { state, case, paused: false, partial: [0; 3], partial_len: 0 })
        };
        if self.case == Case::Begin && c == ' ' {
            return at(self.state, Case::Word);
        }
        if c == ' ' || c == '-' {
            let next = grammar.step(self.state, c);
            let next = next.or_else(|| (c == '-').then(|| grammar.step(self.state, ' ')).flatten());
            return at(next?, Case::Word);
        }
        if self.paused && c.is_ascii() {
            // It was the point in a number.
            if c.is_ascii_digit() {
                let point = grammar.step(self.state, '.')?;
                return at(grammar.step(point, c)?, Case::Word);
            }
            // Behind punctuation a word begins, and where words have blanks, with one.
            return None;
        }
        let plain = variants.simplified(c);
        let case = match (self.case, c.is_uppercase()) {
            (Case::Begin | Case::Word, true) => Case::Capital,
            (Case::Capital | Case::Capitals, true) => Case::Capitals,
            (Case::Capitals, false) if c.is_lowercase() => return None,
            (Case::Small, true) => Case::Hump,
            (Case::Hump | Case::SmallAgain, true) => return None,
            (Case::Hump | Case::SmallAgain, false) if c.is_lowercase() => Case::SmallAgain,
            _ if c.is_alphabetic() => Case::Small,
            // A word may begin behind a sign or a digit.
            _ => Case::Word,
        };
        // Free words would take it for one of theirs, and what else can be said would end there.
        let next = grammar.step(self.state, plain);
        match next.filter(|next| !PUNCTUATION.contains(&c) || !grammar.is_open(*next)) {
            Some(next) => at(next, case),
            None if PUNCTUATION.contains(&c) && !self.paused && self.case != Case::Begin => {
                // Never within a word.
                let bound = !c.is_ascii()
                    || grammar.accepts(self.state)
                    || grammar.step(self.state, ' ').is_some();
                bound.then_some(Self { paused: true, ..self })
            }
            None => None,
        }
    }

    /// After the bytes of a token.
    fn follow(
        mut self,
        bytes: &[u8],
        grammar: &mut dyn Grammar,
        variants: &Variants,
    ) -> Option<Self> {
        let mut pending: Vec<u8> = self.partial[..usize::from(self.partial_len)].to_vec();
        self.partial_len = 0;
        for &byte in bytes {
            pending.push(byte);
            match std::str::from_utf8(&pending) {
                Ok(text) => {
                    let c = text.chars().next()?;
                    self = self.write(c, grammar, variants)?;
                    pending.clear();
                }
                Err(error) if error.error_len().is_some() || pending.len() > 3 => return None,
                Err(_) => {}
            }
        }
        self.partial_len = u8::try_from(pending.len()).ok()?;
        self.partial = [0; 3];
        self.partial[..pending.len()].copy_from_slice(&pending);
        Some(self)
    }
}

impl Tokens {
    /// `tokens` are the ids and bytes of all tokens that may stand in a text.
    pub(super) fn new(tokens: impl Iterator<Item = (i32, Vec<u8>)>) -> Self {
        let mut sorted: Vec<(Box<[u8]>, i32)> = tokens
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(id, bytes)| (bytes.into_boxed_slice(), id))
            .collect();
        sorted.sort();
        let by_id = (0..).zip(&sorted).map(|(index, (_, id))| (*id, index)).collect();
        Self { sorted, by_id }
    }

    /// Where a token leads; `None` when it cannot follow.
    pub(super) fn follow(
        &self,
        spot: Spot,
        token: i32,
        grammar: &mut dyn Grammar,
        variants: &Variants,
    ) -> Option<Spot> {
        let (bytes, _) = self.sorted.get(*self.by_id.get(&token)? as usize)?;
        spot.follow(bytes, grammar, variants)
    }

    /// All tokens that can follow, and where they lead.
    pub(super) fn allowed(
        &self,
        spot: Spot,
        grammar: &mut dyn Grammar,
        variants: &Variants,
    ) -> Vec<(i32, Spot)> {
        let mut found = Vec::new();
        let range = &self.sorted[..];
        if spot.is_whole() {
            self.descend(range, 0, spot, grammar, variants, &mut found);
        } else {
            let partial = spot.partial;
            let begun = &partial[..usize::from(spot.partial_len)];
            let whole = Spot { partial: [0; 3], partial_len: 0, ..spot };
            for c in written(whole, grammar, variants) {
                let mut buffer = [0; 4];
                let bytes = c.encode_utf8(&mut buffer).as_bytes();
                let Some(rest) = bytes.strip_prefix(begun) else { continue };
                self.character(range, (0, rest), whole, c, grammar, variants, &mut found);
            }
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        found.dedup_by_key(|(id, _)| *id);
        found
    }

    /// Follows every character that may be written from `spot` within the tokens of a range, whose
    /// first `depth` bytes were written already.
    fn descend(
        &self,
        range: &[(Box<[u8]>, i32)],
        depth: usize,
        spot: Spot,
        grammar: &mut dyn Grammar,
        variants: &Variants,
        found: &mut Vec<(i32, Spot)>,
    ) {
        let ended = range.iter().take_while(|(bytes, _)| bytes.len() == depth).count();
        found.extend(range[..ended].iter().filter(|_| depth > 0).map(|(_, id)| (*id, spot)));
        let range = &range[ended..];
        if range.is_empty() {
            return;
        }
        for c in written(spot, grammar, variants) {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            self.character(range, (depth, bytes), spot, c, grammar, variants, found);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one step of the walk, with all it carries")]
    fn character(
        &self,
        mut range: &[(Box<[u8]>, i32)],
        (depth, bytes): (usize, &[u8]),
        spot: Spot,
        c: char,
        grammar: &mut dyn Grammar,
        variants: &Variants,
        found: &mut Vec<(i32, Spot)>,
    ) {
        let mut at = depth;
        let mut next = None;
        let written = c.len_utf8() - bytes.len();
        for (index, byte) in bytes.iter().enumerate() {
            let low = range.partition_point(|(token, _)| token.get(at).is_none_or(|b| b < byte));
            range = &range[low..];
            range = &range[..range.partition_point(|(token, _)| token.get(at) == Some(byte))];
            if range.is_empty() {
                return;
            }
            at += 1;
            if index + 1 < bytes.len() {
                // Tokens may end within a character.
                let ended = range.iter().take_while(|(token, _)| token.len() == at).count();
                if ended > 0 {
                    if next.is_none() {
                        next = Some(spot.write(c, grammar, variants));
                    }
                    if next.flatten().is_none() {
                        return;
                    }
                    let mut buffer = [0; 4];
                    let whole = c.encode_utf8(&mut buffer).as_bytes();
                    let count = written + index + 1;
                    let mut partial = [0; 3];
                    partial[..count].copy_from_slice(&whole[..count]);
                    let part = Spot { partial, partial_len: count as u8, ..spot };
                    found.extend(range[..ended].iter().map(|(_, id)| (*id, part)));
                }
            }
        }
        if let Some(next) = next.unwrap_or_else(|| spot.write(c, grammar, variants)) {
            self.descend(range, at, next, grammar, variants, found);
        }
    }
}

/// The characters that may be written next.
fn written(spot: Spot, grammar: &mut dyn Grammar, variants: &Variants) -> Vec<char> {
    let next = grammar.next(spot.state);
    let mut all = Vec::with_capacity(next.len() * 2 + 8);
    if spot.case == Case::Begin {
        all.push(' ');
    } else if !spot.paused {
        all.extend(PUNCTUATION);
    } else {
        all.extend('0'..='9');
    }
    for c in next {
        all.push(c);
        if c == ' ' {
            all.push('-');
        }
        if c.is_lowercase() && !matches!(spot.case, Case::Hump | Case::SmallAgain) {
            all.extend(c.to_uppercase());
        }
        all.extend(variants.traditional(c));
    }
    all
}

/// A sentence as it was written, in the grammar's own words.
pub(super) fn spoken(written: &str, grammar: &mut dyn Grammar) -> Option<String> {
    let variants = Variants::all();
    let chars: Vec<char> = written.trim().chars().map(|c| variants.simplified(c)).collect();
    let whole: String = chars.iter().collect();
    let digit = |index: Option<usize>| {
        index.and_then(|index| chars.get(index)).is_some_and(char::is_ascii_digit)
    };
    let bare: String = (0..chars.len())
        .filter(|&i| {
            let between = digit(i.checked_sub(1)) && digit(Some(i + 1));
            !PUNCTUATION.contains(&chars[i]) || between
        })
        .map(|i| chars[i])
        .collect();
    let broken = bare.replace('-', " ");
    [whole, bare, broken].iter().find_map(|text| grammar.spoken(text))
}

/// The tokens that are allowed at each spot, remembered from sentence to sentence.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    known: HashMap<Spot, Arc<[(i32, Spot)]>>,
}

impl Allowed {
    /// Forgets everything: the grammar's states have new meanings.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    pub(super) fn at(
        &mut self,
        spot: Spot,
        tokens: &Tokens,
        grammar: &mut dyn Grammar,
        variants: &Variants,
    ) -> Arc<[(i32, Spot)]> {
        if let Some(known) = self.known.get(&spot) {
            return Arc::clone(known);
        }
        let found: Arc<[(i32, Spot)]> = tokens.allowed(spot, grammar, variants).into();
        self.known.insert(spot, Arc::clone(&found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::few::Few;
    use super::*;

    fn tokens(texts: &[&[u8]]) -> Tokens {
        Tokens::new((0..).zip(texts.iter().map(|text| text.to_vec())))
    }

    fn allowed(texts: &[&[u8]], grammar: &mut Few, before: &[i32]) -> Vec<i32> {
        let tokens = tokens(texts);
        let mut spot = Spot::start(grammar.start());
        for token in before {
            spot = tokens.follow(spot, *token, grammar, Variants::all()).unwrap();
        }
        tokens.allowed(spot, grammar, Variants::all()).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn words_are_written_as_in_a_book() {
        let mut grammar = Few::new(["turn on tv", "turn off"]);
        let texts: [&[u8]; 8] =
            [b" Turn", b" turn", b"TURN", b" tUrN", b" on", b"-off", b".", b" TV"];
        assert_eq!(allowed(&texts, &mut grammar, &[]), [0, 1, 2]);
        assert_eq!(allowed(&texts, &mut grammar, &[0]), [4, 5, 6]);
        assert_eq!(allowed(&texts, &mut grammar, &[0, 6]), [4, 5]);
        assert_eq!(allowed(&texts, &mut grammar, &[0, 4]), [6, 7]);
    }

    #[test]
    fn punctuation_stays_out_of_words() {
        let mut grammar = Few::new(["iced tea"]);
        let texts: [&[u8]; 4] = [b" ice", b",", b"d", b" tea"];
        assert_eq!(allowed(&texts, &mut grammar, &[0]), [2]);
        assert_eq!(allowed(&texts, &mut grammar, &[0, 2]), [1, 3]);
    }

    #[test]
    fn a_character_may_come_in_pieces_and_in_either_script() {
        let mut grammar = Few::new(["开灯"]);
        let open = "開".as_bytes();
        let texts: [&[u8]; 5] =
            ["开".as_bytes(), &open[..2], &open[2..], "灯".as_bytes(), "关".as_bytes()];
        assert_eq!(allowed(&texts, &mut grammar, &[]), [0, 1]);
        assert_eq!(allowed(&texts, &mut grammar, &[1]), [2]);
        assert_eq!(allowed(&texts, &mut grammar, &[1, 2]), [3]);
    }

    /// The same where any words may be said instead, punctuation and all.
    struct Open(Few);

    const FREE: u32 = 999_999;

    impl Grammar for Open {
        fn start(&self) -> u32 {
            0
        }
        fn step(&mut self, state: u32, c: char) -> Option<u32> {
            if state == FREE {
                return Some(FREE);
            }
            Some(self.0.step(state, c).unwrap_or(FREE))
        }
        fn next(&mut self, state: u32) -> Vec<char> {
            self.0.next(state)
        }
        fn accepts(&mut self, state: u32) -> bool {
            state != FREE && self.0.accepts(state)
        }
        fn is_open(&self, _: u32) -> bool {
            true
        }
        fn spoken(&mut self, text: &str) -> Option<String> {
            self.0.spoken(text)
        }
    }

    #[test]
    fn free_words_do_not_take_a_sentences_punctuation() {
        let mut grammar = Open(Few::new(["to 30%", "to 21.5", "to 21"]));
        for written in ["To 30%.", "To 21.5.", "To 21!", "To, 30%"] {
            let mut spot = Spot::start(grammar.start());
            for c in written.chars() {
                spot = spot.write(c, &mut grammar, Variants::all()).unwrap();
            }
            assert!(grammar.accepts(spot.state), "{written}");
        }
    }

    #[test]
    fn a_written_sentence_is_told_in_the_grammars_words() {
        let mut grammar = Few::new(["turn off", "开灯"]);
        assert_eq!(spoken(" Turn-off!", &mut grammar).as_deref(), Some("turn off"));
        assert_eq!(spoken("開燈。", &mut grammar).as_deref(), Some("开灯"));
        assert_eq!(spoken("turn", &mut grammar), None);
    }
}
