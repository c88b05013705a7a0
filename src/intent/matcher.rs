//! All readings of a text by one template, in hassil's order.

use std::collections::HashMap;

use super::context::fits;
use super::grammar::{Block, Chunk, Grammar, Node, NodeId, Target};
use super::lists::{Fractions, List, RangeList, Said, TextList};
use super::words::{cut_blanks, fold, is_word};

/// How many steps one sentence may take before what was found so far must do. Everyday sentences
/// take a few hundred.
pub(super) const MAX_STEPS: u32 = 200_000;
/// No link: the end of a chain of entities, captures or contexts.
pub(super) const NONE: u32 = u32::MAX;

/// A text in the forms that are matched: as it is, and with blanks for `-` and `_`.
#[derive(Debug)]
pub(super) struct Text {
    forms: [Form; 2],
    /// For each character the same place in the form without hyphens.
    broken_at: Vec<u32>,
    /// Behind the last `-` or `_`.
    breaks_until: usize,
}

#[derive(Debug, Default)]
struct Form {
    chars: Vec<char>,
    folded: Vec<char>,
    /// Behind the last character that is no blank.
    blank_from: usize,
}

impl Form {
    fn new(chars: Vec<char>) -> Self {
        let folded = chars.iter().copied().map(fold).collect();
        let blank_from = chars.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
        Self { chars, folded, blank_from }
    }
}

impl Text {
    pub(super) fn new(chars: Vec<char>, ignore_whitespace: bool) -> Self {
        let is_break = |c: &char| matches!(c, '-' | '_');
        let breaks_until = chars.iter().rposition(is_break).map_or(0, |last| last + 1);
        if breaks_until == 0 {
            return Self {
                forms: [Form::new(chars), Form::default()],
                broken_at: Vec::new(),
                breaks_until,
            };
        }
        let broken: Vec<char> = chars.iter().map(|c| if is_break(c) { ' ' } else { *c }).collect();
        let kept = if ignore_whitespace { cut_blanks(&broken) } else { broken.clone() };
        let mut broken_at = Vec::with_capacity(broken.len() + 1);
        let mut at = 0;
        for c in &broken {
            broken_at.push(at as u32);
            at += usize::from(kept.get(at) == Some(c));
        }
        broken_at.push(at as u32);
        Self { forms: [Form::new(chars), Form::new(kept)], broken_at, breaks_until }
    }

    /// The characters of one form.
    pub(super) fn chars(&self, broken: bool) -> &[char] {
        &self.forms[usize::from(broken)].chars
    }

    /// The letters without case, as fragments are searched in them.
    pub(super) fn folded(&self) -> &[char] {
        &self.forms[0].folded
    }

    fn form(&self, broken: bool) -> &Form {
        &self.forms[usize::from(broken)]
    }

    /// The place in the form without hyphens, if a hyphen is still to come.
    fn broken(&self, pos: usize, broken: bool) -> Option<usize> {
        let at = self.broken_at.get(pos).filter(|_| !broken && pos < self.breaks_until);
        at.map(|at| *at as usize)
    }

    /// The first place of the whole form that stands for a place of the form without hyphens.
    fn unbroken(&self, pos: usize) -> usize {
        self.broken_at.partition_point(|at| (*at as usize) < pos)
    }
}

/// How far a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub pos: u32,
    /// Whether hyphens are read as blanks from here on.
    pub broken: bool,
    pub word_start: bool,
    pub literal: u32,
    pub entities: u32,
    pub captures: u32,
    pub context: u32,
}

/// What was found for a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity {
    pub slot: u32,
    pub found: Found,
    pub broken: bool,
    pub start: u32,
    pub end: u32,
    pub previous: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// A wildcard whose text is not known yet.
    Open {
        ends_word: bool,
    },
    Wildcard,
    Value {
        reference: u32,
        value: u32,
    },
    Number(f64),
}

/// The context that a list value brings.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContextLink {
    pub reference: u32,
    pub value: u32,
    pub previous: u32,
}

/// Chains of what was found; a chain is named by its last link.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub entities: Vec<Entity>,
    pub captures: Vec<Entity>,
    pub contexts: Vec<ContextLink>,
}

/// The home's names, compiled beside a grammar.
#[derive(Debug, Default)]
pub(super) struct Home {
    /// By the index of the list's name in the grammar.
    pub lists: Vec<Option<List>>,
    /// Nodes and chunks of names that are templates, numbered behind the grammar's.
    pub nodes: Vec<Node>,
    pub chunks: Vec<Chunk>,
}

impl Home {
    /// The list that a reference means.
    pub(super) fn list<'a>(&'a self, grammar: &'a Grammar, reference: u32) -> Option<&'a List> {
        match grammar.references[reference as usize].target {
            Target::Local(id) => grammar.local_lists.get(id as usize),
            Target::Named(id) => self.named(grammar, id),
        }
    }

    /// The list of a name: the home's, else the language's.
    pub(super) fn named<'a>(&'a self, grammar: &'a Grammar, id: u32) -> Option<&'a List> {
        let own = self.lists.get(id as usize).and_then(Option::as_ref);
        own.or_else(|| grammar.named_lists.get(id as usize).and_then(|(_, list)| list.as_ref()))
    }
}

/// Where a part without lists can end: place, form, word start, literal characters.
type End = (u32, bool, bool, u32);

/// Matches templates against texts; chains of what was found live as long as it does.
pub(super) struct Matcher<'a> {
    grammar: &'a Grammar,
    home: &'a Home,
    text: &'a Text,
    text_index: u32,
    block: &'a Block,
    pub links: Links,
    pub steps: u32,
    ends: HashMap<(NodeId, u32, u32), (u32, u32), super::hash::Quick>,
    end_pool: Vec<End>,
    spare: Vec<Vec<State>>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(
        grammar: &'a Grammar,
        home: &'a Home,
        text: &'a Text,
        block: &'a Block,
    ) -> Self {
        Self {
            grammar,
            home,
            text,
            text_index: 0,
            block,
            links: Links::default(),
            steps: 0,
            ends: HashMap::default(),
            end_pool: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// The chains of what was found, when matching is over.
    pub(super) fn into_links(self) -> Links {
        self.links
    }

    /// Whether the sentence took all its steps.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    /// Appends the states in which the template has been gone through, in order.
    pub(super) fn matches(
        &mut self,
        root: NodeId,
        block: &'a Block,
        (text_index, text): (u32, &'a Text),
        out: &mut Vec<State>,
    ) {
        (self.text, self.text_index, self.block) = (text, text_index, block);
        let start = State {
            pos: 0,
            broken: false,
            word_start: true,
            literal: 0,
            entities: NONE,
            captures: NONE,
            context: NONE,
        };
        self.run(root, start, out);
    }

    fn open_wildcard(&self, state: &State) -> Option<(u32, bool)> {
        let entity = self.links.entities.get(state.entities as usize)?;
        match entity.found {
            Found::Open { ends_word } => Some((entity.slot, ends_word)),
            _ => None,
        }
    }

    fn node(&self, node: NodeId) -> &'a Node {
        let known = self.grammar.nodes.len();
        match (node as usize).checked_sub(known) {
            None => &self.grammar.nodes[node as usize],
            Some(own) => &self.home.nodes[own],
        }
    }

    fn run(&mut self, node: NodeId, state: State, out: &mut Vec<State>) {
        if self.is_exhausted() {
            return;
        }
        self.steps += 1;
        match self.node(node) {
            Node::Text(chunk) => {
                let chunk = *chunk as usize;
                let known = self.grammar.chunks.len();
                let chunk = match chunk.checked_sub(known) {
                    None => &self.grammar.chunks[chunk],
                    Some(own) => &self.home.chunks[own],
                };
                self.chunk(chunk, state, out);
            }
            Node::List(reference) => self.list(*reference, state, out),
            group => {
                let literal = self.grammar.literal.get(node as usize).copied().unwrap_or(false);
                if literal && self.open_wildcard(&state).is_none() {
                    self.remembered(node, group, state, out);
                } else {
                    self.group(group, state, out);
                }
            }
        }
    }

    /// A group without lists matches the same at the same place, whatever was found before.
    fn remembered(&mut self, node: NodeId, group: &'a Node, state: State, out: &mut Vec<State>) {
        let flags = u32::from(state.broken) * 2 + u32::from(state.word_start);
        let key = (node, state.pos, self.text_index * 4 + flags);
        if let Some(&(from, to)) = self.ends.get(&key) {
            for &(pos, broken, word_start, literal) in &self.end_pool[from as usize..to as usize] {
                let literal = state.literal + literal;
                out.push(State { pos, broken, word_start, literal, ..state });
            }
            return;
        }
        let before = out.len();
        self.group(group, state, out);
        let from = self.end_pool.len() as u32;
        self.end_pool.extend(
            out[before..]
                .iter()
                .map(|s| (s.pos, s.broken, s.word_start, s.literal - state.literal)),
        );
        self.ends.insert(key, (from, self.end_pool.len() as u32));
    }

    fn group(&mut self, group: &'a Node, state: State, out: &mut Vec<State>) {
        match group {
            Node::Sequence(items) => {
                let Some((first, rest)) = items.split_first() else { return };
                let mut states = self.spare.pop().unwrap_or_default();
                let mut next = self.spare.pop().unwrap_or_default();
                self.run(*first, state, &mut states);
                for item in rest {
                    for state in states.drain(..) {
                        self.run(*item, state, &mut next);
                    }
                    drop_doubles(&mut next, 0);
                    std::mem::swap(&mut states, &mut next);
                    if states.is_empty() {
                        break;
                    }
                }
                out.append(&mut states);
                self.spare.push(states);
                next.clear();
                self.spare.push(next);
            }
            Node::Alternative(items) => {
                let before = out.len();
                for item in items {
                    self.run(*item, state, out);
                }
                drop_doubles(out, before);
            }
            Node::Permutation(items) => {
                let all = (1_u32 << items.len().min(31)) - 1;
                let before = out.len();
                self.permutation(items, all, state, out);
                drop_doubles(out, before);
            }
            Node::Text(_) | Node::List(_) => {}
        }
    }

    /// Every order of the items in `left`, the first item first.
    fn permutation(&mut self, items: &'a [NodeId], left: u32, state: State, out: &mut Vec<State>) {
        if self.is_exhausted() {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            let rest = left & !(1 << index);
            if rest == left {
                continue;
            }
            if rest == 0 {
                self.run(*item, state, out);
                continue;
            }
            let mut states = self.spare.pop().unwrap_or_default();
            self.run(*item, state, &mut states);
            for state in states.drain(..) {
                self.permutation(items, rest, state, out);
            }
            self.spare.push(states);
        }
    }

    /// Where matching begins: behind blanks when a word begins here.
    fn begin(&self, state: &State) -> usize {
        let pos = state.pos as usize;
        if self.grammar.ignore_whitespace || !state.word_start {
            return pos;
        }
        let folded = &self.text.form(state.broken).folded;
        pos + folded[pos..].iter().take_while(|c| c.is_whitespace()).count()
    }

    fn chunk(&mut self, chunk: &Chunk, state: State, out: &mut Vec<State>) {
        if chunk.is_empty() {
            out.push(state);
            return;
        }
        let start = self.begin(&state);
        let strip = !self.grammar.ignore_whitespace && state.word_start;
        let needle = if strip { &chunk.full[chunk.lead..] } else { &chunk.full[..] };
        let text = self.text;
        let form = text.form(state.broken);
        if let Some((slot, ends_word)) = self.open_wildcard(&state) {
            if chunk.is_blank() {
                out.push(State { pos: start as u32, word_start: true, ..state });
                return;
            }
            let bounded = ends_word && !self.grammar.ignore_whitespace;
            self.after_wildcard(form, start, needle, bounded, |matcher, at| {
                // Behind the words that the wildcard takes, the chunk begins a word.
                let lead = if matcher.grammar.ignore_whitespace { 0 } else { chunk.lead };
                let blanks = if needle.len() == chunk.full.len() { lead } else { 0 };
                let end = at + blanks + chunk.full.len() - lead;
                let entities = matcher.close(slot, &state, start, at);
                out.push(State {
                    pos: end as u32,
                    word_start: chunk.ends_word,
                    literal: state.literal + chunk.literal,
                    entities,
                    ..state
                });
            });
            return;
        }
        if form.folded[start..].starts_with(needle) {
            out.push(State {
                pos: (start + needle.len()) as u32,
                word_start: chunk.ends_word,
                literal: state.literal + chunk.literal,
                ..state
            });
        } else if start >= form.blank_from && chunk.is_blank() {
            out.push(state);
        } else if let Some(at) = self.text.broken(start, state.broken)
            && self.text.form(true).folded[at..].starts_with(needle)
        {
            out.push(State { pos: (at + needle.len()) as u32, broken: true, ..state });
        }
    }

    /// Replaces the open wildcard by one that holds the text from `start` to `end`.
    fn close(&mut self, slot: u32, state: &State, start: usize, end: usize) -> u32 {
        let previous = self.links.entities[state.entities as usize].previous;
        self.push(Entity {
            slot,
            found: Found::Wildcard,
            broken: state.broken,
            start: start as u32,
            end: end as u32,
            previous,
        })
    }

    fn push(&mut self, entity: Entity) -> u32 {
        self.links.entities.push(entity);
        self.links.entities.len() as u32 - 1
    }

    /// Every place behind `start` where the words that follow a wildcard stand.
    fn after_wildcard(
        &mut self,
        form: &Form,
        start: usize,
        needle: &[char],
        bounded: bool,
        mut found: impl FnMut(&mut Self, usize),
    ) {
        let text = &form.folded;
        let bound = |from: usize, at: usize| {
            let before = at > from && is_word(text[at - 1]);
            before != text.get(at).copied().is_some_and(is_word)
        };
        let find = |from: usize, bounded: bool| {
            (from..text.len())
                .find(|at| text[*at..].starts_with(needle) && (!bounded || bound(from, *at)))
        };
        let mut next = find(start, bounded);
        if next == Some(start) {
            next = find(start + 1, bounded);
        }
        while let Some(at) = next {
            self.steps += 1;
            if self.is_exhausted() {
                return;
            }
            found(self, at);
            next = find(at + 1, false);
        }
        // Searching costs steps too: hostile texts are long.
        self.steps += (text.len() / 64) as u32;
    }

    fn list(&mut self, reference: u32, state: State, out: &mut Vec<State>) {
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

/// Removes states that stand in the list twice, from `from` on. Long lists are left alone: there
/// doubles are rarer than the comparisons are dear.
fn drop_doubles(states: &mut Vec<State>, from: usize) {
    let count = states.len() - from;
    if !(2..=64).contains(&count) {
        return;
    }
    let mut kept = from;
    for index in from..states.len() {
        let state = states[index];
        if !states[from..kept].contains(&state) {
            states[kept] = state;
            kept += 1;
        }
    }
    states.truncate(kept);
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
