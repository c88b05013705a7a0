//! Text to clauses, all at once or as it arrives: the pieces that are spoken one after the other.
//!
//! A clause ends where a speaker may breathe. The first one is cut early, so that speech begins early;
//! the later ones are longer, because a voice says a whole phrase better than its parts.

use std::collections::VecDeque;

/// A piece of text to speak in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The words with the mark that ends them; never blank.
    pub text: String,
    /// The silence that belongs behind it, in milliseconds at normal speed.
    pub pause_ms: u32,
}

/// Weights of a clause: a Han character counts three, because it is a syllable where a Latin letter is
/// a third of one. A comma ends the first clause from here on, …
const FIRST: usize = 9;
/// Without a comma the first clause ends before a word that joins another to it, from here on.
const JOINED: usize = 20;
/// … and the others from here.
const LATER: usize = 42;
/// Without any mark the text is cut before it grows beyond this.
const LONGEST: usize = 210;
/// … and before it has so many characters of whatever kind.
const MOST: usize = 400;

/// Cuts text into clauses while it arrives.
///
/// ```
/// use hearken::tts::Clauses;
///
/// let mut clauses = Clauses::default();
/// let mut spoken = Vec::new();
/// for token in ["It is 21", ".5 degrees. The ", "door is locked"] {
///     clauses.push(token);
///     spoken.extend(std::iter::from_fn(|| clauses.pull()));
/// }
/// clauses.finish();
/// spoken.extend(std::iter::from_fn(|| clauses.pull()));
/// let texts: Vec<&str> = spoken.iter().map(|c| c.text.as_str()).collect();
/// assert_eq!(texts, ["It is 21.5 degrees.", "The door is locked"]);
/// ```
#[derive(Debug, Default)]
pub struct Clauses {
    pending: Vec<char>,
    /// How much of `pending` has been looked at.
    seen: usize,
    weight: usize,
    started: bool,
    ready: VecDeque<Clause>,
}

impl Clauses {
    /// Adds text. What is complete can be pulled then.
    pub fn push(&mut self, text: &str) {
        self.pending.extend(text.chars());
        self.cut(false);
    }

    /// Says that no more text comes: what is left becomes the last clause.
    pub fn finish(&mut self) {
        self.cut(true);
        let rest = self.pending.len();
        self.emit(rest, 0);
        self.started = false;
    }

    /// The next complete clause.
    pub fn pull(&mut self) -> Option<Clause> {
        self.ready.pop_front()
    }

    fn cut(&mut self, last: bool) {
        while self.seen < self.pending.len() {
            let i = self.seen;
            let c = self.pending[i];
            // A mark may be followed by others of its kind and by closing quotes; what it means can
            // also depend on the character after. Wait for that one.
            let end = (i + 1..self.pending.len())
                .find(|j| !trails(self.pending[*j]))
                .unwrap_or(self.pending.len());
            let pause = self.pause(i, end);
            // Whether a full stop ends a sentence shows in the next word.
            let known = if c == '.' {
                self.pending[end..].iter().any(|c| !c.is_whitespace() && !trails(*c))
            } else {
                end < self.pending.len()
            };
            if pause.is_some() && !known && !last {
                return;
            }
            let joins =
                if self.started || self.weight < JOINED { Some(false) } else { self.joins(i) };
            let Some(joins) = joins.or(last.then_some(false)) else { return };
            match pause {
                Some(pause) if self.ends(c) => self.emit(end, pause),
                _ if joins => self.emit(i, 60),
                _ => {
                    self.weight += weight(c);
                    self.seen += 1;
                    if self.weight >= LONGEST || self.seen >= MOST {
                        self.break_anywhere();
                    }
                }
            }
        }
    }

    /// Whether a word that joins two clauses begins at `i` or behind the space there; none when that shows only in what
    /// has not arrived yet.
    fn joins(&self, i: usize) -> Option<bool> {
        const ENGLISH: &[&str] = &[
            "and", "but", "because", "while", "although", "though", "unless", "until", "which",
            "where",
        ];
        const CHINESE: &[[char; 2]] = &[
            ['而', '且'],
            ['并', '且'],
            ['但', '是'],
            ['不', '过'],
            ['所', '以'],
            ['因', '为'],
            ['然', '后'],
            ['如', '果'],
        ];
        let c = self.pending[i];
        if c == ' ' {
            let next: Vec<char> = self.pending[i + 1..].iter().copied().take(12).collect();
            let Some(length) = next.iter().position(|c| c.is_whitespace()) else {
                return (next.len() == 12 || next.iter().any(|c| !c.is_alphabetic()))
                    .then_some(false);
            };
            let word: String = next[..length].iter().collect::<String>().to_lowercase();
            let start = self.pending[..i].iter().rposition(|c| *c == ' ').map_or(0, |at| at + 1);
            let before: String = self.pending[start..i].iter().collect::<String>().to_lowercase();
            // One hundred and two is one number.
            let number = matches!(before.as_str(), "hundred" | "thousand" | "million" | "billion");
            return Some(ENGLISH.contains(&word.as_str()) && !number);
        }
        if !CHINESE.iter().any(|[first, _]| *first == c) {
            return Some(false);
        }
        let next = self.pending.get(i + 1)?;
        Some(CHINESE.contains(&[c, *next]))
    }

    /// The pause behind the mark at `i`, when it is one that separates; `end` is behind all its followers.
    fn pause(&self, i: usize, end: usize) -> Option<u32> {
        let next = self.pending.get(end).copied();
        let spaced = next.is_none_or(char::is_whitespace);
        match self.pending[i] {
            '。' | '！' | '？' | '｡' => Some(380),
            '!' | '?' | '…' => Some(380),
            '；' => Some(260),
            '，' | '：' => Some(180),
            '、' => Some(120),
            '\n' => Some(450),
            ';' if spaced => Some(260),
            ',' | ':' if spaced => Some(180),
            ',' if next.is_some_and(super::phonemes::pinyin::is_hanzi) => Some(180),
            '—' | '–' if spaced || self.pending[i] == '—' => Some(200),
            '.' if next.is_some_and(super::phonemes::pinyin::is_hanzi) => Some(380),
            '.' if spaced && !self.abbreviated(i) => Some(380),
            _ => None,
        }
    }

    /// Whether the mark `c` ends the clause that has gathered so far.
    fn ends(&self, c: char) -> bool {
        let strong =
            matches!(c, '。' | '！' | '？' | '｡' | '!' | '?' | '.' | '…' | '\n' | '；' | ';');
        // "Yes." alone is a clause, a lone mark is not.
        strong && self.weight > 0 || self.weight >= if self.started { LATER } else { FIRST }
    }

    fn abbreviated(&self, dot: usize) -> bool {
        const TITLES: &[&str] = &[
            "mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "mt", "no", "vs", "etc", "e.g",
            "i.e", "approx", "fig", "inc", "ltd", "co", "corp", "dept", "est", "gen", "gov", "rev",
            "sen", "rep", "capt", "lt", "col", "sgt", "vol", "ch", "sec", "min", "max", "tel",
            "ext", "ave", "blvd", "rd", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
            "sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu", "fri",
        ];
        /// Abbreviations that often stand at the end of a sentence.
        const FINAL: &[&str] = &["etc", "inc", "ltd", "co", "jr", "min", "max"];
        let start = self.pending[..dot]
            .iter()
            .rposition(|c| !(c.is_alphanumeric() || *c == '.'))
            .map_or(0, |p| p + 1);
        let word: String = self.pending[start..dot].iter().collect::<String>().to_lowercase();
        let next = self.pending[dot + 1..].iter().find(|c| !c.is_whitespace() && !trails(**c));
        let sentence_follows = next.is_none_or(|c| c.is_uppercase() || !c.is_alphabetic());
        // "No." is an answer, "no. 5" is not.
        if word == "no" {
            return next.is_some_and(char::is_ascii_digit);
        }
        if matches!(
            word.as_str(),
            "mon" | "tue" | "wed" | "thu" | "fri" | "mar" | "sec" | "rep" | "col" | "ch"
        ) {
            return !sentence_follows || next.is_some_and(char::is_ascii_digit);
        }
        if TITLES.contains(&word.as_str()) {
            return !(FINAL.contains(&word.as_str()) && sentence_follows);
        }
        // Initials: "J. Smith", "U.S. troops"; "p.m." ends a sentence when one follows.
        let mut letters = word.split('.');
        let initials =
            letters.all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic));
        if !initials {
            return false;
        }
        if matches!(word.as_str(), "a.m" | "p.m") || word == "i" {
            return !sentence_follows;
        }
        word.contains('.') && !sentence_follows
            || !word.contains('.')
                && self.pending.get(start).is_some_and(|c| c.is_uppercase())
                && next.is_some()
    }

    /// No mark for a long time: cut at the last space, or right here when there is none.
    fn break_anywhere(&mut self) {
        let space = self.pending[..self.seen].iter().rposition(|c| c.is_whitespace() || trails(*c));
        let at = space.filter(|s| *s > self.seen / 3).map_or(self.seen, |s| s + 1);
        self.emit(at, 60);
    }

    fn emit(&mut self, end: usize, pause_ms: u32) {
        let text: String = self.pending.drain(..end).collect();
        self.seen = 0;
        self.weight = 0;
        let text = text.trim();
        if !text.is_empty() {
            self.started = true;
            self.ready.push_back(Clause { text: text.to_owned(), pause_ms });
        }
    }
}

/// The clauses of a whole text.
#[must_use]
pub fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Clauses::default();
    clauses.push(text);
    clauses.finish();
    clauses.ready.into()
}

fn trails(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | '!'
            | '?'
            | ';'
            | ':'
            | '。'
            | '！'
            | '？'
            | '，'
            | '；'
            | '…'
            | '"'
            | '\''
            | '”'
            | '’'
            | ')'
            | '）'
            | '」'
            | '』'
            | '》'
            | '】'
            | ']'
    )
}

fn weight(c: char) -> usize {
    if super::phonemes::pinyin::is_hanzi(c) { 3 } else { usize::from(c.is_alphanumeric()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        clauses(text).into_iter().map(|c| c.text).collect()
    }

    #[test]
    fn text_is_cut_where_one_breathes() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  \n ", &[]),
            ("Yes.", &["Yes."]),
            (
                "Turned on the light, and the door is locked.",
                &["Turned on the light,", "and the door is locked."],
            ),
            ("Well, the light is on.", &["Well, the light is on."]),
            (
                "The front door is locked and the heating is set to twenty degrees.",
                &["The front door is locked", "and the heating is set to twenty degrees."],
            ),
            ("I added milk and eggs to the list.", &["I added milk and eggs to the list."]),
            (
                "That is three thousand one hundred and two steps.",
                &["That is three thousand one hundred and two steps."],
            ),
            ("客厅的灯已经打开但是窗帘没有拉上", &["客厅的灯已经打开", "但是窗帘没有拉上"]),
            (
                "It is 21.5 degrees. Dr. Smith called at 5 p.m. from the U.S. office.",
                &["It is 21.5 degrees.", "Dr. Smith called at 5 p.m. from the U.S. office."],
            ),
            ("He said \"Stop!\" Then he left.", &["He said \"Stop!\"", "Then he left."]),
            ("Really?! Yes...", &["Really?!", "Yes..."]),
            ("No. That is no. 5.", &["No.", "That is no. 5."]),
            ("1,000 lamps", &["1,000 lamps"]),
            ("好的，客厅的灯已经打开了。还有什么？", &["好的，客厅的灯已经打开了。", "还有什么？"]),
            (
                "客厅的灯打开了，卧室的灯也打开了，厨房的灯还关着，空调是二十六度，窗帘也拉上了。",
                &[
                    "客厅的灯打开了，",
                    "卧室的灯也打开了，厨房的灯还关着，",
                    "空调是二十六度，窗帘也拉上了。",
                ],
            ),
            ("他说：“你好！”然后走了。", &["他说：“你好！”", "然后走了。"]),
            ("First line\nSecond line", &["First line", "Second line"]),
            ("!!!", &["!!!"]),
        ];
        for (text, expected) in cases {
            assert_eq!(&texts(text), expected, "{text}");
        }
    }

    #[test]
    fn pauses_follow_the_marks() {
        let pauses: Vec<u32> = clauses("Done with that, all is well in here. Bye")
            .iter()
            .map(|c| c.pause_ms)
            .collect();
        assert_eq!(pauses, [180, 380, 0]);
    }

    #[test]
    fn long_text_without_marks_is_cut() {
        for text in ["word ".repeat(500), "灯".repeat(1000), "x".repeat(5000), "$%".repeat(1000)] {
            let all = clauses(&text);
            assert!(all.len() > 3);
            assert!(all.iter().all(|c| c.text.chars().count() <= MOST), "{all:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_arrival_does_not_matter(
            tokens in proptest::collection::vec("( and | but |但是|[a-zA-Z 0-9,.!?。，；：、\"”你好的灯\\n]{0,8})", 0..12),
        ) {
            let whole = tokens.concat();
            let kept = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let mut arriving = Clauses::default();
            for token in &tokens {
                arriving.push(token);
            }
            arriving.finish();
            let arrived: Vec<Clause> = std::iter::from_fn(|| arriving.pull()).collect();
            prop_assert_eq!(kept(&arrived.iter().map(|c| c.text.as_str()).collect::<String>()), kept(&whole));
            prop_assert_eq!(arrived, clauses(&whole));
        }
    }
}
