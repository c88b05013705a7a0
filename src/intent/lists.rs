//! Slot lists: named values, ranges of numbers, and wildcards.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::grammar::{Chunk, NodeId, plain};
use super::spellout;
use super::template::is_template;
use super::trie::Trie;
use super::words::fold;

/// Ranges with more numbers are understood in digits only.
const MAX_SPELLED: usize = 100_000;

/// A slot list.
#[derive(Debug)]
pub(super) enum List {
    Text(TextList),
    Range(RangeList),
    Wildcard,
}

/// A value of a list as it is written in a file.
#[derive(Debug, Clone, Default)]
pub(super) struct ValueSource {
    pub input: String,
    /// A plain text that only looks like a template.
    pub verbatim: bool,
    pub output: Option<Value>,
    pub context: Option<Map<String, Value>>,
}

impl ValueSource {
    pub(super) fn from_json(value: &Value) -> Result<Self, String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        if let Some(input) = text(value) {
            let output = (!is_template(&input)).then(|| Value::String(input.clone()));
            return Ok(Self { input, output, ..Self::default() });
        }
        let input = value
            .get("in")
            .and_then(text)
            .ok_or_else(|| format!("the value {value} has no text `in:`"))?;
        let map = |key: &str| value.get(key).and_then(Value::as_object).cloned();
        Ok(Self {
            input,
            verbatim: false,
            output: value.get("out").filter(|out| !out.is_null()).cloned(),
            context: map("context"),
        })
    }

    pub(super) fn is_template(&self) -> bool {
        !self.verbatim && is_template(&self.input)
    }
}

/// A value of a text list.
#[derive(Debug)]
pub(super) struct TextValue {
    /// What is said: fixed words, or a template.
    pub said: Said,
    /// What the slot gets; the matched text when none.
    pub output: Option<Value>,
    pub context: Option<Map<String, Value>>,
}

#[derive(Debug)]
pub(super) enum Said {
    Words(Chunk),
    Template(NodeId),
}

/// Named values.
#[derive(Debug, Default)]
pub(super) struct TextList {
    pub values: Vec<TextValue>,
    /// Values that are fixed words and begin with no blank.
    pub trie: Trie,
    /// The others, which are tried one by one.
    pub others: Vec<u32>,
    /// Whether any value has a context, so that what fits depends on the block.
    pub has_context: bool,
}

impl TextList {
    pub(super) fn new(
        sources: Vec<(ValueSource, Option<NodeId>)>,
        ignore_whitespace: bool,
    ) -> Self {
        let mut values = Vec::with_capacity(sources.len());
        let mut keys = Vec::with_capacity(sources.len());
        let mut others = Vec::new();
        for (index, (source, node)) in sources.into_iter().enumerate() {
            let index = index as u32;
            let said = match node {
                Some(node) => {
                    others.push(index);
                    Said::Template(node)
                }
                None => {
                    let chunk = plain(&source.input, ignore_whitespace);
                    if chunk.lead > 0 {
                        others.push(index);
                    } else if !chunk.is_blank() {
                        keys.push((chunk.full.clone(), index));
                    }
                    Said::Words(chunk)
                }
            };
            values.push(TextValue {
                said,
                output: source.output,
                context: source.context.filter(|context| !context.is_empty()),
            });
        }
        let has_context = values.iter().any(|value| value.context.is_some());
        Self { values, trie: Trie::new(keys), others, has_context }
    }
}

/// Bounds, step, fractions and language of a range.
pub(super) type SpellingKey = (i64, i64, i64, Fractions, Option<String>);

/// Fractions that a range allows between its whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fractions {
    None,
    Halves,
    Tenths,
}

/// A range of numbers, in digits and words.
#[derive(Debug)]
pub(super) struct RangeList {
    pub from: i64,
    pub to: i64,
    pub step: i64,
    pub fractions: Fractions,
    pub multiplier: Option<f64>,
    pub digits: bool,
    pub words: bool,
    pub language: Option<String>,
    /// The numbers in words; set when the whole language is compiled.
    pub spelled: Arc<Spelled>,
}

impl RangeList {
    pub(super) fn inline(from: i64, to: i64, step: i64) -> Result<Self, String> {
        let range = Self {
            from,
            to,
            step,
            fractions: Fractions::None,
            multiplier: None,
            digits: true,
            words: true,
            language: None,
            spelled: Arc::default(),
        };
        range.checked()
    }

    pub(super) fn from_json(value: &Value) -> Result<Self, String> {
        let whole = |key: &str, missing: Option<i64>| match value.get(key) {
            None | Some(Value::Null) => missing.ok_or_else(|| format!("the range has no `{key}:`")),
            Some(number) => number
                .as_i64()
                .or_else(|| number.as_f64().map(|number| number as i64))
                .or_else(|| number.as_str().and_then(|text| text.parse().ok()))
                .ok_or_else(|| format!("`{key}: {number}` is no whole number")),
        };
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(true);
        let fractions = match value.get("fractions").and_then(Value::as_str) {
            None => Fractions::None,
            Some("halves") => Fractions::Halves,
            Some("tenths") => Fractions::Tenths,
            Some(other) => {
                return Err(format!("`fractions: {other}` must be `halves` or `tenths`"));
            }
        };
        Self {
            from: whole("from", None)?,
            to: whole("to", None)?,
            step: whole("step", Some(1))?,
            fractions,
            multiplier: value.get("multiplier").and_then(Value::as_f64),
            digits: flag("digits"),
            words: flag("words"),
            language: value.get("words_language").and_then(Value::as_str).map(str::to_owned),
            spelled: Arc::default(),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, String> {
        const LIMIT: i64 = 1_000_000_000_000;
        let Self { from, to, step, digits, words, .. } = self;
        if from > to {
            return Err(format!(
                "the range from {from} to {to} is empty: `from` must not be greater"
            ));
        }
        if step < 1 {
            return Err(format!("`step: {step}` must be at least 1"));
        }
        if from < -LIMIT || to > LIMIT {
            return Err(format!("the range from {from} to {to} is too wide: at most ±{LIMIT}"));
        }
        if !digits && !words {
            return Err("`digits` and `words` are both off: nothing could be said".into());
        }
        Ok(self)
    }

    /// Whether a number is one of the range.
    pub(super) fn holds(&self, number: f64) -> bool {
        let (from, to) = (self.from as f64, self.to as f64);
        let parts = match self.fractions {
            Fractions::None if self.step == 1 => return from <= number && number <= to,
            Fractions::None => 1.0,
            Fractions::Halves => 2.0,
            Fractions::Tenths => 10.0,
        };
        let whole = number.floor();
        let fraction = (number - whole) * parts;
        let even = (fraction - fraction.round()).abs() < 1e-6;
        // 0.99999… counts as the next whole number.
        let whole = if fraction.round() >= parts { whole + 1.0 } else { whole };
        even && whole >= from && whole <= to && (whole - from) % self.step as f64 == 0.0
    }

    /// What the slot gets for a number that was said.
    pub(super) fn output(&self, number: f64) -> f64 {
        self.multiplier.map_or(number, |multiplier| number * multiplier)
    }

    /// The numbers of the range as whole part and decimal digits.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (i64, &'static str)> + '_ {
        let digits: &[&str] = match self.fractions {
            Fractions::None => &[""],
            Fractions::Halves => &["", "5"],
            Fractions::Tenths => &["", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        };
        let count = (self.to - self.from) / self.step;
        (0..=count).flat_map(move |n| digits.iter().map(move |d| (self.from + n * self.step, *d)))
    }

    /// Every spelling of every number, with the numbers.
    pub(super) fn spelled(&self, language: &str) -> Spelled {
        let mut keys = Vec::new();
        let mut numbers = Vec::new();
        let rules = spellout::for_language(self.language.as_deref().unwrap_or(language));
        if let Some(rules) = rules.filter(|_| self.words)
            && self.numbers().take(MAX_SPELLED + 1).count() <= MAX_SPELLED
        {
            for (whole, digits) in self.numbers() {
                let number = value_of(whole, digits);
                for spelling in rules.spellings(whole, digits) {
                    keys.push((spelling.chars().map(fold).collect(), numbers.len() as u32));
                    numbers.push(number);
                }
            }
        }
        Spelled { trie: Trie::new(keys), numbers }
    }

    /// Ranges with the same key have the same spellings.
    pub(super) fn spelling_key(&self) -> SpellingKey {
        (self.from, self.to, self.step, self.fractions, self.language.clone())
    }
}

fn value_of(whole: i64, digits: &str) -> f64 {
    match digits {
        "" => whole as f64,
        digits => whole as f64 + digits.parse::<f64>().unwrap_or(0.0) / 10.0,
    }
}

/// The spelled numbers of a range.
#[derive(Debug, Default)]
pub(super) struct Spelled {
    pub trie: Trie,
    pub numbers: Vec<f64>,
}
