//! The scanner that both languages share: ordered rules, tried where a token may begin.
//!
//! A rule is a pattern and a reader. Patterns look at a window of bounded length, so that the time is linear in the
//! text whatever it holds; readers look around (what stands before and after) and may refuse.

use super::{Kind, Token};
use regex::{Captures, Regex};

/// Longest stretch that one pattern sees, in bytes.
const WINDOW: usize = 160;

/// How far readers look around for words that decide between readings, in characters.
const CONTEXT: usize = 12;

/// Which characters a rule may begin with; saves trying patterns that cannot match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Starts {
    /// A digit, or a sign or point that belongs to a number.
    Number,
    /// A letter that is not Chinese.
    Letter,
    /// Anything else but spaces and Chinese characters.
    Symbol,
    /// All of the above.
    Any,
}

/// One row of a table of rules: kind, first character, pattern, reader.
pub(super) struct Spec(
    pub(super) Kind,
    pub(super) Starts,
    pub(super) &'static str,
    pub(super) fn(&Found<'_>) -> Option<String>,
);

/// A rule with its pattern compiled.
pub(super) struct Rule {
    kind: Kind,
    starts: Starts,
    pattern: Regex,
    read: fn(&Found<'_>) -> Option<String>,
}

/// Compiles tables of rules in order. `%NAME%` in a pattern stands for the part of that name.
pub(super) fn compile(tables: &[&[Spec]], parts: &[(&str, &str)]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for Spec(kind, starts, pattern, read) in tables.iter().copied().flatten() {
        let mut full = (*pattern).to_owned();
        for (name, part) in parts {
            full = full.replace(&format!("%{name}%"), part);
        }
        // Chinese characters may touch a Latin word or number, so word boundaries are those of ASCII.
        full = full.replace(r"\b", r"(?-u:\b)");
        match Regex::new(&format!("^(?:{full})")) {
            Ok(pattern) => rules.push(Rule { kind: *kind, starts: *starts, pattern, read: *read }),
            // The tests count the rules of each language, so a pattern that does not compile cannot pass unseen.
            Err(error) => {
                tracing::error!(%error, pattern = full, "a rule of the normaliser is broken")
            }
        }
    }
    rules
}

/// What a pattern found, and where it stands.
pub(super) struct Found<'t> {
    groups: Captures<'t>,
    text: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Found<'t> {
    /// The text of group `index`, empty when the group took no part.
    pub(super) fn group(&self, index: usize) -> &str {
        self.groups.get(index).map_or("", |group| group.as_str())
    }

    /// All that stands before.
    pub(super) fn before(&self) -> &'t str {
        &self.text[..self.start]
    }

    /// All that stands after.
    pub(super) fn after(&self) -> &'t str {
        &self.text[self.end..]
    }

    /// The last few characters before.
    pub(super) fn left(&self) -> &'t str {
        let before = self.before();
        let at = before.char_indices().rev().take(CONTEXT).last().map_or(0, |(at, _)| at);
        &before[at..]
    }

    /// The first few characters after.
    pub(super) fn right(&self) -> &'t str {
        let after = self.after();
        let at = after.char_indices().nth(CONTEXT).map_or(after.len(), |(at, _)| at);
        &after[..at]
    }

    /// The character before.
    pub(super) fn previous(&self) -> Option<char> {
        self.before().chars().next_back()
    }

    /// The character after.
    pub(super) fn next(&self) -> Option<char> {
        self.after().chars().next()
    }

    /// Whether no letter or digit touches the find on the left.
    pub(super) fn starts_clean(&self) -> bool {
        !self.previous().is_some_and(is_latin_word)
    }

    /// Whether no letter or digit touches the find on the right.
    pub(super) fn ends_clean(&self) -> bool {
        !self.next().is_some_and(is_latin_word)
    }

    /// Whether a number goes on from hours or minutes just before it, as 30 in 1h30min.
    pub(super) fn goes_on_from_time(&self) -> bool {
        ["h", "hr", "min", "m"].iter().any(|unit| {
            self.left()
                .strip_suffix(unit)
                .is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
        })
    }

    /// Whether it stands alone on both sides.
    pub(super) fn is_whole(&self) -> bool {
        self.starts_clean() && self.ends_clean()
    }
}

/// Whether `c` is a Chinese character.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}' | '〇')
}

/// Whether `c` is a letter or digit of a script that writes spaces between words.
pub(super) fn is_latin_word(c: char) -> bool {
    c.is_alphanumeric() && !is_han(c) && !matches!(c, '\u{3040}'..='\u{30FF}')
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_han(c)
}

/// Splits `text` into tokens, each with what is spoken for it.
pub(super) fn scan(text: &str, rules: &[Rule]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some((length, token)) = read(text, at, first, rules) {
            tokens.push(token);
            at += length;
            continue;
        }
        let inside: fn(char) -> bool = if is_letter(first) {
            |c| is_letter(c) || c == '\'' || c == '’'
        } else if is_han(first) {
            is_han
        } else if first.is_whitespace() {
            char::is_whitespace
        } else {
            |_| false
        };
        let length = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| !inside(*c))
            .map_or(rest.len(), |(length, _)| length);
        let kind = if is_letter(first) || is_han(first) {
            Kind::Word
        } else if first.is_whitespace() {
            Kind::Space
        } else {
            Kind::Punctuation
        };
        let written = rest[..length].to_owned();
        tokens.push(Token { spoken: written.clone(), written, kind });
        at += length;
    }
    tokens
}

/// The first rule that reads what stands at `at`.
fn read(text: &str, at: usize, first: char, rules: &[Rule]) -> Option<(usize, Token)> {
    if is_han(first) || first.is_whitespace() {
        return None;
    }
    let window = window(&text[at..]);
    let starts = if first.is_ascii_digit() {
        Starts::Number
    } else if is_letter(first) {
        Starts::Letter
    } else {
        Starts::Symbol
    };
    let signed = matches!(first, '-' | '−' | '+' | '±' | '.');
    rules
        .iter()
        .filter(|rule| {
            rule.starts == Starts::Any
                || rule.starts == starts
                || (signed && rule.starts == Starts::Number)
        })
        .find_map(|rule| {
            let groups = rule.pattern.captures(window)?;
            let written = groups.get(0)?.as_str();
            let length = written.len();
            if length == 0 {
                return None;
            }
            let found = Found { groups, text, start: at, end: at + length };
            let spoken = (rule.read)(&found)?;
            Some((length, Token { written: written.to_owned(), spoken, kind: rule.kind }))
        })
}

fn window(rest: &str) -> &str {
    let mut end = WINDOW.min(rest.len());
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    &rest[..end]
}
