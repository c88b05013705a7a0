//! The choice among all readings of a sentence, and what the chosen one means.

use std::cmp::{Ordering, Reverse};

use serde_json::{Map, Number, Value};

use super::Meaning;
use super::context::{excludes_nothing, required_slots};
use super::engine::Lost;
use super::grammar::Grammar;
use super::lists::{List, TextValue};
use super::matcher::{Entity, Found, Home, Links, Matcher, NONE, State};
use super::text::Text;
use super::words::is_punctuation;

/// The slot whose longest match is preferred, as in Home Assistant.
const BEST_SLOT: &str = "name";

/// A complete reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    sentence: usize,
    text: usize,
    state: State,
    /// The rest that an open wildcard takes.
    tail: Option<(u32, u32)>,
    intent: u32,
    custom: bool,
    wildcards: usize,
    wildcard_chars: usize,
    slot: BestSlot,
}

/// What a reading has for the slot `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BestSlot {
    /// Nothing, or only a wildcard.
    None,
    /// A text, read from so many characters.
    Text(usize),
    /// A value that is no text.
    Other,
}

impl Reading {
    /// The user's own sentences first, then those with the longest name.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (Reverse(self.custom), Reverse(self.slot))
    }

    /// What made this reading lose against a better one.
    pub(super) fn lost_to(&self, best: &Self) -> Lost {
        if self.custom != best.custom {
            Lost::NotOwn
        } else if self.slot != best.slot {
            Lost::ShorterName
        } else if self.wildcards != best.wildcards {
            Lost::MoreWildcards
        } else if self.state.literal != best.state.literal {
            Lost::FewerFixedWords
        } else if self.wildcard_chars != best.wildcard_chars {
            Lost::LongerWildcards
        } else if self.intent != best.intent {
            Lost::LaterIntent
        } else {
            Lost::LaterTemplate
        }
    }

    /// Fewer wildcards, more fixed words, shorter wildcards, and the intent's name.
    pub(super) fn compare(&self, other: &Self, grammar: &Grammar) -> Ordering {
        let score = |r: &Self| (r.wildcards, Reverse(r.state.literal), r.wildcard_chars);
        score(self).cmp(&score(other)).then_with(|| {
            grammar.intents[self.intent as usize].cmp(&grammar.intents[other.intent as usize])
        })
    }
}

/// Keeps the best reading of those offered in hassil's order.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub best: Option<Reading>,
    custom_found: bool,
    slot_found: bool,
    longest: Option<usize>,
}

impl Choice {
    pub(super) fn offer(&mut self, grammar: &Grammar, reading: Reading) {
        if self.custom_found && !reading.custom {
            return;
        }
        if reading.custom && !self.custom_found {
            *self = Self { custom_found: true, ..Self::default() };
        }
        let has_slot = reading.slot != BestSlot::None;
        if self.slot_found && !has_slot {
            return;
        }
        if has_slot && !self.slot_found {
            self.slot_found = true;
            self.best = None;
        }
        if let BestSlot::Text(length) = reading.slot {
            match self.longest {
                Some(longest) if length < longest => return,
                Some(longest) if length == longest => {}
                _ => {
                    self.longest = Some(length);
                    self.best = None;
                }
            }
        }
        if self.best.is_none_or(|best| reading.compare(&best, grammar).is_lt()) {
            self.best = Some(reading);
        }
    }
}

/// Completes readings while templates are matched.
pub(super) struct Reader<'a> {
    pub grammar: &'a Grammar,
    pub home: &'a Home,
    pub texts: &'a [Text],
    pub context: &'a Map<String, Value>,
}

impl Reader<'_> {
    /// A reading, if the state has consumed the text and meets the block's conditions.
    pub(super) fn complete(
        &self,
        matcher: &Matcher<'_>,
        sentence: usize,
        text: usize,
        state: State,
    ) -> Option<Reading> {
        let grammar = self.grammar;
        let chars = self.texts[text].chars(state.broken);
        let start = state.pos as usize;
        let rest = &chars[start.min(chars.len())..];
        let lead = rest.iter().take_while(|c| c.is_whitespace()).count();
        let trail = rest[lead..].iter().rev().take_while(|c| c.is_whitespace()).count();
        let links = &matcher.links;
        let last = links.entities.get(state.entities as usize);
        let open = last.is_some_and(|entity| matches!(entity.found, Found::Open { .. }));
        let mut tail = None;
        if open && lead < rest.len() {
            tail = Some(((start + lead) as u32, (chars.len() - trail) as u32));
        } else if rest.iter().any(|c| !c.is_whitespace() && !is_punctuation(*c)) {
            return None;
        }
        let (mut wildcards, mut wildcard_chars) = (0, 0);
        let mut slot = None;
        for entity in chain(&links.entities, state.entities) {
            let length = match entity.found {
                Found::Open { .. } => match tail {
                    Some((from, to)) if wildcards == 0 => (to - from) as usize,
                    _ => return None,
                },
                Found::Wildcard => {
                    let chars = self.texts[text].chars(entity.broken);
                    trimmed(&chars[entity.start as usize..entity.end as usize]).len()
                }
                Found::Value { .. } | Found::Number(_) => {
                    if slot.is_none() && grammar.slots[entity.slot as usize] == BEST_SLOT {
                        slot = Some(self.slot_of(entity));
                    }
                    continue;
                }
            };
            if length == 0 {
                return None;
            }
            wildcards += 1;
            wildcard_chars += length;
            if slot.is_none() && grammar.slots[entity.slot as usize] == BEST_SLOT {
                slot = Some(BestSlot::None);
            }
        }
        let known = &grammar.sentences[sentence];
        let block = &grammar.blocks[known.block as usize];
        let lookup = |key: &str| context_value(grammar, self.home, links, state, self.context, key);
        if !excludes_nothing(&block.excludes, lookup) {
            return None;
        }
        let from_context = required_slots(&block.requires, lookup)?;
        let slot = slot.unwrap_or_else(|| {
            let text = |value: &Value, length: usize| {
                if value.is_string() { BestSlot::Text(length) } else { BestSlot::Other }
            };
            let copied = from_context.iter().rev().find(|(name, ..)| name == BEST_SLOT);
            match (copied, block.slots.get(BEST_SLOT)) {
                (Some((_, value, said)), _) => text(value, said.chars().count()),
                (None, Some(value)) => text(value, 0),
                (None, None) => BestSlot::None,
            }
        });
        Some(Reading {
            sentence,
            text,
            state,
            tail,
            intent: block.intent,
            custom: block.custom,
            wildcards,
            wildcard_chars,
            slot,
        })
    }

    fn slot_of(&self, entity: &Entity) -> BestSlot {
        let length = (entity.end - entity.start) as usize;
        match value_of(self.grammar, self.home, entity.found) {
            Some(TextValue { output: Some(Value::String(_)) | None, .. }) => BestSlot::Text(length),
            _ => BestSlot::Other,
        }
    }
}

/// The links of a chain, the last first.
fn chain(links: &[Entity], last: u32) -> impl Iterator<Item = &Entity> {
    std::iter::successors(links.get(last as usize), |entity| links.get(entity.previous as usize))
}

fn value_of<'a>(grammar: &'a Grammar, home: &'a Home, found: Found) -> Option<&'a TextValue> {
    let Found::Value { reference, value } = found else { return None };
    match home.list(grammar, reference) {
        Some(List::Text(list)) => list.values.get(value as usize),
        _ => None,
    }
}

/// What is known under a key: from the list values found, the later before the earlier, else from
/// the caller.
fn context_value<'a>(
    grammar: &'a Grammar,
    home: &'a Home,
    links: &Links,
    state: State,
    context: &'a Map<String, Value>,
    key: &str,
) -> Option<&'a Value> {
    let mut last = state.context;
    while let Some(link) = links.contexts.get(last as usize) {
        let found = Found::Value { reference: link.reference, value: link.value };
        let value = value_of(grammar, home, found)?;
        if let Some(value) = value.context.as_ref().and_then(|context| context.get(key)) {
            return Some(value);
        }
        last = link.previous;
    }
    context.get(key)
}

fn trimmed(chars: &[char]) -> &[char] {
    let lead = chars.iter().take_while(|c| c.is_whitespace()).count();
    let chars = &chars[lead..];
    let trail = chars.iter().rev().take_while(|c| c.is_whitespace()).count();
    &chars[..chars.len() - trail]
}

/// A sentence that was matched: all that readings refer to.
pub(super) struct Session<'a> {
    pub grammar: &'a Grammar,
    pub home: &'a Home,
    pub context: &'a Map<String, Value>,
    pub links: Links,
    pub texts: Vec<Text>,
}

impl Session<'_> {
    /// What a reading means.
    pub(super) fn meaning(&self, reading: &Reading) -> Meaning {
        let grammar = self.grammar;
        let sentence = &grammar.sentences[reading.sentence];
        let block = &grammar.blocks[sentence.block as usize];
        let text = &self.texts[reading.text];
        let mut slots = Map::new();
        let mut texts = Map::new();
        let mut found: Vec<&Entity> = chain(&self.links.entities, reading.state.entities).collect();
        found.reverse();
        for entity in found {
            let chars = text.chars(entity.broken);
            let (from, to) = match (entity.found, reading.tail) {
                (Found::Open { .. }, Some(tail)) => tail,
                _ => (entity.start, entity.end),
            };
            let chars = match entity.found {
                Found::Open { .. } => text.chars(reading.state.broken),
                _ => chars,
            };
            let said: String = trimmed(&chars[from as usize..to as usize]).iter().collect();
            let value = match entity.found {
                Found::Number(number) => number_value(number),
                found => value_of(grammar, self.home, found)
                    .and_then(|value| value.output.clone())
                    .unwrap_or_else(|| Value::String(said.clone())),
            };
            let name = &grammar.slots[entity.slot as usize];
            slots.insert(name.clone(), value);
            texts.insert(name.clone(), Value::String(said));
        }
        let matched: Vec<String> = slots.keys().cloned().collect();
        let is_new = |name: &str| !matched.iter().any(|known| known == name);
        for (name, value) in block.slots.iter().filter(|(name, _)| is_new(name)) {
            slots.insert(name.clone(), value.clone());
        }
        let lookup = |key: &str| {
            context_value(grammar, self.home, &self.links, reading.state, self.context, key)
        };
        let copied = required_slots(&block.requires, lookup).unwrap_or_default();
        for (name, value, said) in copied.into_iter().filter(|(name, ..)| is_new(name)) {
            slots.insert(name.clone(), value);
            if !said.is_empty() {
                texts.insert(name, Value::String(said));
            }
        }
        Meaning {
            intent: grammar.intents[block.intent as usize].clone(),
            slots,
            texts,
            response_key: block.response.clone(),
            literal_chars: reading.state.literal as usize,
            wildcards: reading.wildcards,
            wildcard_chars: reading.wildcard_chars,
            captures: self.captures(text, reading.state.captures),
            context: self.merged_context(reading.state.context),
            metadata: block.metadata.clone(),
            custom: block.custom,
            template: sentence.text.clone(),
        }
    }

    fn captures(&self, text: &Text, last: u32) -> Map<String, Value> {
        let mut found: Vec<&Entity> = chain(&self.links.captures, last).collect();
        found.reverse();
        let said = |entity: &Entity| {
            let chars = &text.chars(entity.broken)[entity.start as usize..entity.end as usize];
            Value::String(trimmed(chars).iter().collect())
        };
        found
            .into_iter()
            .map(|entity| (self.grammar.slots[entity.slot as usize].clone(), said(entity)))
            .collect()
    }

    fn merged_context(&self, last: u32) -> Map<String, Value> {
        let mut links = Vec::new();
        let mut next = last;
        while next != NONE
            && let Some(link) = self.links.contexts.get(next as usize)
        {
            links.push(link);
            next = link.previous;
        }
        let mut context = self.context.clone();
        for link in links.into_iter().rev() {
            let found = Found::Value { reference: link.reference, value: link.value };
            let value = value_of(self.grammar, self.home, found);
            for (key, value) in value.and_then(|value| value.context.as_ref()).into_iter().flatten()
            {
                context.insert(key.clone(), value.clone());
            }
        }
        context
    }
}

/// A whole number where it is one.
fn number_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
