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
        let plain = variants.simplified(c);
        let case = match (self.case, c.is_uppercase()) {
            (Case::Begin | Case::Word, true) => Case::Capital,
            (Case::Capital | Case::Capitals, true) => Case::Capitals,
            (Case::Capitals, false) if c.is_lowercase() => return None,
            (Case::Small, true) => return None,
            _ if c.is_alphabetic() => Case::Small,
            // A word may begin behind a sign or a digit.
            _ => Case::Word,
        };
        match grammar.step(self.state, plain) {
            Some(next) => at(next, case),
            None if PUNCTUATION.contains(&c) && !self.paused && self.case != Case::Begin => {
                Some(Self { paused: true, ..self })
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
    }
    for c in next {
        all.push(c);
        if c == ' ' {
            all.push('-');
        }
        if c.is_lowercase() && !matches!(spot.case, Case::Small) {
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
