//! What lists match: named values, numbers, and the beginning of wildcards.

use super::context::fits;
use super::lists::{Fractions, List, RangeList, Said, TextList};
use super::matcher::{ContextLink, Entity, Found, Matcher, State};
use super::words::is_word;

impl<'a> Matcher<'a> {
    pub(super) fn list(&mut self, reference: u32, state: State, out: &mut Vec<State>) {
        let text = self.text;
        let length = text.form(state.broken).chars.len();
        if state.pos as usize >= length {
            return;
        }
        let home = self.home;
        match home.list(self.grammar, reference) {
            None => {}
            Some(List::Wildcard) => {
                let target = &self.grammar.references[reference as usize];
                let entity = Entity {
                    slot: target.slot,
                    found: Found::Open { ends_word: target.ends_word },
                    broken: state.broken,
                    start: state.pos,
                    end: state.pos,
                    previous: state.entities,
                };
                let entities = self.push(entity);
                out.push(State { entities, ..state });
            }
            Some(List::Range(range)) => self.range(reference, range, state, out),
            Some(List::Text(list)) => self.values(reference, list, state, out),
        }
    }

    fn values(&mut self, reference: u32, list: &'a TextList, state: State, out: &mut Vec<State>) {
        let text = self.text;
        // Hits as (value, state behind it); values that are templates are matched in their turn.
        let mut hits: Vec<(u32, State)> = Vec::new();
        let open = self.open_wildcard(&state);
        if let Some((slot, ends_word)) = open {
            self.values_after_wildcard(list, (slot, ends_word), state, &mut hits);
        } else {
            let start = self.begin(&state);
            let form = text.form(state.broken);
            list.trie.prefixes(&form.folded[start..], |value, length| {
                hits.push((value, State { pos: (start + length) as u32, ..state }));
            });
            if let Some(at) = text.broken(start, state.broken) {
                let direct = hits.len();
                list.trie.prefixes(&text.form(true).folded[at..], |value, length| {
                    if !hits[..direct].iter().any(|(known, _)| *known == value) {
                        let pos = (at + length) as u32;
                        hits.push((value, State { pos, broken: true, ..state }));
                    }
                });
            }
        }
        let in_order = open.is_some() || self.grammar.ignore_whitespace || !state.word_start;
        let mut others = list.others.iter().copied().peekable();
        if in_order {
            hits.sort_by_key(|(value, _)| *value);
            for (value, after) in hits {
                while let Some(other) = others.next_if(|other| *other < value) {
                    self.other_value(reference, list, other, state, out);
                }
                self.take(reference, list, value, state, after, out);
            }
        } else {
            for (value, after) in hits {
                self.take(reference, list, value, state, after, out);
            }
        }
        for other in others {
            self.other_value(reference, list, other, state, out);
        }
    }

    /// A value that has to be tried by itself.
    fn other_value(
        &mut self,
        reference: u32,
        list: &'a TextList,
        value: u32,
        state: State,
        out: &mut Vec<State>,
    ) {
        let mut states = self.spare.pop().unwrap_or_default();
        match &list.values[value as usize].said {
            Said::Words(chunk) => self.chunk(chunk, state, &mut states),
            Said::Template(node) => self.run(*node, state, &mut states),
        }
        for after in states.drain(..) {
            self.take(reference, list, value, state, after, out);
        }
        self.spare.push(states);
    }

    /// Every place where a value stands behind an open wildcard.
    fn values_after_wildcard(
        &mut self,
        list: &'a TextList,
        (slot, ends_word): (u32, bool),
        state: State,
        hits: &mut Vec<(u32, State)>,
    ) {
        let text = self.text;
        let form = text.form(state.broken);
        let start = self.begin(&state);
        let bounded = ends_word && !self.grammar.ignore_whitespace;
        let mut places: Vec<(u32, usize, usize)> = Vec::new();
        for at in start..form.folded.len() {
            list.trie.prefixes(&form.folded[at..], |value, length| {
                places.push((value, at, length));
            });
        }
        self.steps += (form.folded.len() - start) as u32;
        places.sort_by_key(|(value, at, _)| (*value, *at));
        let bound = |from: usize, at: usize| {
            let before = at > from && is_word(form.folded[at - 1]);
            before != is_word(form.folded[at])
        };
        for group in places.chunk_by(|a, b| a.0 == b.0) {
            let first = |from: usize| {
                group.iter().position(|(_, at, _)| *at >= from && (!bounded || bound(from, *at)))
            };
            let mut begin = first(start);
            if begin.is_some_and(|index| group[index].1 == start) {
                begin = first(start + 1);
            }
            let Some(begin) = begin else { continue };
            for (value, at, length) in &group[begin..] {
                self.steps += 1;
                if self.is_exhausted() {
                    return;
                }
                let entities = self.close(slot, &state, start, *at);
                hits.push((*value, State { pos: (at + length) as u32, entities, ..state }));
            }
        }
    }

    /// A value was found: `after` is the state behind it.
    fn take(
        &mut self,
        reference: u32,
        list: &TextList,
        value: u32,
        state: State,
        after: State,
        out: &mut Vec<State>,
    ) {
        self.steps += 1;
        let known = &list.values[value as usize];
        if list.has_context && !fits(self.block, known.context.as_ref()) {
            return;
        }
        let text = self.text;
        let chars = text.chars(state.broken);
        let mut start = state.pos as usize;
        let last = self.links.entities.get(after.entities as usize);
        if let Some(wildcard) = last.filter(|entity| matches!(entity.found, Found::Wildcard)) {
            let taken =
                &text.chars(wildcard.broken)[wildcard.start as usize..wildcard.end as usize];
            if chars[start..].starts_with(taken) {
                start += taken.len();
            }
        }
        let end = if after.broken == state.broken {
            after.pos as usize
        } else {
            text.unbroken(after.pos as usize).min(chars.len())
        };
        let target = &self.grammar.references[reference as usize];
        let mut entity = Entity {
            slot: target.slot,
            found: Found::Value { reference, value },
            broken: state.broken,
            start: start as u32,
            end: end.max(start) as u32,
            previous: after.entities,
        };
        let mut result = State { word_start: state.word_start, literal: state.literal, ..after };
        if target.capture {
            entity.previous = after.captures;
            self.links.captures.push(entity);
            result.captures = self.links.captures.len() as u32 - 1;
        } else {
            result.entities = self.push(entity);
        }
        if known.context.is_some() {
            self.links.contexts.push(ContextLink { reference, value, previous: state.context });
            result.context = self.links.contexts.len() as u32 - 1;
        }
        out.push(result);
    }

    fn range(&mut self, reference: u32, range: &'a RangeList, state: State, out: &mut Vec<State>) {
        let text = self.text;
        let form = text.form(state.broken);
        let slot = self.grammar.references[reference as usize].slot;
        let from = state.pos as usize;
        let fraction = range.fractions != Fractions::None;
        let open = self.open_wildcard(&state);
        let number = |matcher: &mut Self, value: f64, start: usize, end: usize| {
            let previous = match open {
                None => state.entities,
                Some((slot, _)) => matcher.close(slot, &state, from, start),
            };
            let found = Found::Number(range.output(value));
            let (start, end) = (start as u32, end as u32);
            matcher.push(Entity { slot, found, broken: state.broken, start, end, previous })
        };
        let mut digits_seen = false;
        let mut at = from;
        while at < form.chars.len() {
            let Some((value, end)) = digits_at(&form.chars, at, fraction) else {
                if open.is_none() {
                    break;
                }
                at += 1;
                continue;
            };
            digits_seen = true;
            self.steps += 1;
            if range.digits && range.holds(value) && (open.is_none() || at > from) {
                let entities = number(self, value, at, end);
                out.push(State { pos: end as u32, entities, ..state });
            }
            if open.is_none() || self.is_exhausted() {
                break;
            }
            at = end;
        }
        if digits_seen || !range.words {
            return;
        }
        let mut seen: Vec<u32> = Vec::new();
        let starts = if open.is_none() { from..from + 1 } else { from..form.folded.len() };
        for start in starts {
            let mut hits = Vec::new();
            range.spelled.trie.prefixes(&form.folded[start..], |value, length| {
                hits.push((value, length));
            });
            self.steps += 1;
            for (value, length) in hits {
                // A spelling counts where it stands first.
                if open.is_some() && (seen.contains(&value) || start == from) {
                    seen.push(value);
                    continue;
                }
                seen.push(value);
                let end = start + length;
                let entities = number(self, range.spelled.numbers[value as usize], start, end);
                let said = &form.folded[start..end];
                let lead = said.iter().take_while(|c| c.is_whitespace()).count();
                let tail = said.iter().rev().take_while(|c| c.is_whitespace()).count();
                out.push(State {
                    pos: end as u32,
                    word_start: matches!(said.last(), Some(' ' | '\'')),
                    literal: state.literal + length.saturating_sub(lead + tail) as u32,
                    entities,
                    ..state
                });
            }
        }
    }
}

/// A number in digits at a place, blanks and a minus in front allowed, and where it ends.
fn digits_at(text: &[char], at: usize, fraction: bool) -> Option<(f64, usize)> {
    let mut i = at;
    while text.get(i).is_some_and(|c| c.is_whitespace()) {
        i += 1;
    }
    let mut digits = String::new();
    if text.get(i) == Some(&'-') {
        digits.push('-');
        i += 1;
    }
    let count = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = count(i);
    if whole == 0 {
        return None;
    }
    digits.extend(&text[i..i + whole]);
    i += whole;
    if fraction && matches!(text.get(i), Some('.' | ',')) {
        let decimals = count(i + 1);
        if decimals > 0 {
            digits.push('.');
            digits.extend(&text[i + 1..i + 1 + decimals]);
            i += 1 + decimals;
        }
    }
    Some((digits.parse().ok()?, i))
}
