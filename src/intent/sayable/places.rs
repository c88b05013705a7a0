//! Places within the templates, and the ways between them.

use std::collections::HashSet;

use super::super::context::{excludes_nothing, fits};
use super::super::grammar::{Chunk, Node, NodeId};
use super::super::lists::{List, Said as ListSaid};
use super::keys::{SkipPlace, Source};
use super::{Map, Said, Sayable, Word};

/// Ways followed from one place without reading a character, at most; more are only reached in
/// grammars made to be large.
const MAX_WAYS: usize = 400_000;

/// Where a template goes on when a part of it has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    pub kind: FrameKind,
    /// Which engine's templates.
    pub part: u16,
    /// The block of sentences, which says what can be named.
    pub block: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FrameKind {
    /// The sentence begins.
    Begin,
    /// The sentence is over.
    End,
    /// The items of a sequence from `next` on, then the parent.
    Rest { node: NodeId, next: u32, parent: u32 },
    /// What is behind the words of a fixed text that were said in another spelling.
    Tail { chunk: u32, at: u32, parent: u32 },
    /// The items of a permutation that are left, then the parent.
    Left { node: NodeId, mask: u32, parent: u32 },
}

/// A place where a character may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// Before a character of a fixed text.
    Text { chunk: u32, at: u32, frame: u32 },
    /// Within keys: those from `low` to `high` begin alike and have `depth` characters behind them.
    Keys { set: u32, low: u32, high: u32, depth: u32, frame: u32 },
    /// Within free words.
    Free { frame: u32 },
    /// The sentence is over.
    End,
}

/// Places that were reached, each with the words said on the way.
pub(super) type Places = Vec<(Place, u32)>;

/// No words were said yet.
pub(super) const SILENT: u32 = u32::MAX;

/// What is found from one state to the next.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The character that was just read is a blank, or there was none yet.
    blank: bool,
    /// The words that were said, where somebody wants to know.
    words: Option<Vec<Word>>,
    seen: HashSet<Place>,
    out: Places,
}

impl Walk {
    pub(super) fn new(blank: bool) -> Self {
        Self { blank, ..Self::default() }
    }

    /// A walk that goes on where another one has come to and keeps what was said.
    pub(super) fn telling(blank: bool, words: Vec<Word>) -> Self {
        Self { blank, words: Some(words), ..Self::default() }
    }

    /// Where it led, and the words said.
    pub(super) fn finish(self) -> (Places, Vec<Word>) {
        (self.out, self.words.unwrap_or_default())
    }

    fn say(&mut self, before: u32, text: impl FnOnce() -> Said) -> u32 {
        let Some(words) = &mut self.words else { return SILENT };
        words.push(Word { text: text(), before });
        words.len() as u32 - 1
    }

    fn arrive(&mut self, place: Place, said: u32) {
        if self.seen.len() < MAX_WAYS && self.seen.insert(place) {
            self.out.push((place, said));
        }
    }
}

impl Sayable {
    /// The places before anything was said.
    pub(super) fn beginnings(&mut self) -> Vec<Place> {
        let mut walk = Walk::new(true);
        for part in 0..self.engines.len() {
            self.begin_part(part as u16, SILENT, &mut walk);
        }
        let places = walk.finish().0.into_iter().map(|(place, _)| place);
        // A sentence that begins with free words could be anything.
        places.filter(|place| !matches!(place, Place::Free { .. } | Place::End)).collect()
    }

    fn begin_part(&mut self, part: u16, said: u32, walk: &mut Walk) {
        let engine = self.engines[part as usize].clone();
        let grammar = &engine.language().grammar;
        let nothing = Map::new();
        for sentence in &grammar.sentences {
            let block = &grammar.blocks[sentence.block as usize];
            // A requirement that only the satellite's place can meet may be met when it is said.
            if excludes_nothing(&block.excludes, |key| nothing.get(key)) {
                let end = self.frame(Frame { kind: FrameKind::End, part, block: sentence.block });
                self.enter(sentence.root, end, said, walk);
            }
        }
        if let Some(set) = self.keys.skip_words(part, &engine, SkipPlace::Before) {
            let frame = self.frame(Frame { kind: FrameKind::Begin, part, block: 0 });
            self.enter_keys(set, frame, said, walk);
        }
    }

    /// The places after `c`, each with the words said.
    pub(super) fn advance(
        &mut self,
        places: &[(Place, u32)],
        blank: bool,
        c: char,
        walk: &mut Walk,
    ) {
        for &(place, said) in places {
            match place {
                Place::Text { chunk, at, frame } => {
                    let glued = self.glued(frame);
                    let full = &self.chunk(frame, chunk).full;
                    let Some(found) = reads(full, at as usize, blank, c, glued) else { continue };
                    let said = walk.say(said, || Said::Char(c));
                    self.arrive_text(chunk, found as u32 + 1, frame, said, walk);
                }
                Place::Keys { set, low, high, depth, frame } => {
                    let (low, high) = self.keys.narrow(set, (low, high), depth, c);
                    if low < high {
                        self.arrive_keys((set, low, high, depth + 1), frame, said, walk);
                    }
                }
                Place::Free { frame } => {
                    let said = walk.say(said, || Said::Char(c));
                    walk.arrive(Place::Free { frame }, said);
                    self.leave(frame, said, walk);
                }
                Place::End => {}
            }
        }
    }

    /// The words said when the sentence may be over here.
    pub(super) fn ending(&mut self, places: &[(Place, u32)]) -> Option<u32> {
        // As if the sentence ended with a blank.
        let mut walk = Walk::new(true);
        for &(place, said) in places {
            match place {
                Place::End => return Some(said),
                Place::Text { chunk, at, frame } => {
                    self.arrive_text(chunk, at, frame, said, &mut walk);
                    if walk.out.iter().any(|(place, _)| *place == Place::End) {
                        return Some(said);
                    }
                }
                // Free words and keys have gone on to what may follow them already.
                Place::Free { .. } | Place::Keys { .. } => {}
            }
        }
        None
    }

    /// Adds the characters that a place can read.
    pub(super) fn heads(&self, place: Place, blank: bool, out: &mut Vec<char>) {
        match place {
            Place::Text { chunk, at, frame } => {
                let full = &self.chunk(frame, chunk).full[at as usize..];
                let behind = full.iter().find(|c| **c != ' ');
                match full.first() {
                    Some(' ') if blank => out.extend(behind),
                    Some(' ') if self.glued(frame) => out.extend([' '].iter().chain(behind)),
                    first => out.extend(first),
                }
            }
            Place::Keys { set, low, high, depth, .. } => {
                self.keys.heads(set, (low, high), depth, out);
            }
            Place::Free { .. } | Place::End => {}
        }
    }

    fn chunk(&self, frame: u32, chunk: u32) -> &Chunk {
        let engine = &self.engines[self.frames[frame as usize].part as usize];
        let own = &engine.language().grammar.chunks;
        match (chunk as usize).checked_sub(own.len()) {
            None => &own[chunk as usize],
            Some(index) => &engine.home().chunks[index],
        }
    }

    fn glued(&self, frame: u32) -> bool {
        let engine = &self.engines[self.frames[frame as usize].part as usize];
        engine.language().grammar.ignore_whitespace
    }

    fn arrive_text(&mut self, chunk: u32, at: u32, frame: u32, said: u32, walk: &mut Walk) {
        let glued = self.glued(frame);
        let rest = &self.chunk(frame, chunk).full[at as usize..];
        if !rest.is_empty() {
            walk.arrive(Place::Text { chunk, at, frame }, said);
        }
        // Two blanks are one, and one at the end is none.
        let rest = &self.chunk(frame, chunk).full[at as usize..];
        if rest.is_empty() || ((glued || walk.blank) && rest.iter().all(|c| *c == ' ')) {
            self.leave(frame, said, walk);
            return;
        }
        let lead = rest.iter().take_while(|c| **c == ' ').count();
        let Chunk { lead: behind, literal, .. } = *self.chunk(frame, chunk);
        if at as usize + lead == behind && (lead == 0 || walk.blank || glued) {
            let Frame { part, block, .. } = self.frames[frame as usize];
            let engine = self.engines[part as usize].clone();
            if let Some(set) = self.keys.spellings(part, &engine, chunk) {
                let kind = FrameKind::Tail { chunk, at: behind as u32 + literal, parent: frame };
                let tail = self.frame(Frame { kind, part, block });
                self.enter_keys(set, tail, said, walk);
            }
        }
    }

    fn enter_keys(&mut self, set: u32, frame: u32, said: u32, walk: &mut Walk) {
        let (low, high) = self.keys.all(set);
        self.arrive_keys((set, low, high, 0), frame, said, walk);
    }

    fn arrive_keys(
        &mut self,
        (set, mut low, high, depth): (u32, u32, u32, u32),
        frame: u32,
        said: u32,
        walk: &mut Walk,
    ) {
        if let Some((behind, text)) = self.keys.complete(set, (low, high), depth) {
            low = behind;
            let said = walk.say(said, || Said::Text(text));
            self.leave(frame, said, walk);
        }
        if low < high {
            walk.arrive(Place::Keys { set, low, high, depth, frame }, said);
        }
    }

    /// Goes on behind a part.
    fn leave(&mut self, frame: u32, said: u32, walk: &mut Walk) {
        let Frame { kind, part, block } = self.frames[frame as usize];
        match kind {
            FrameKind::End => {
                walk.arrive(Place::End, said);
                let engine = self.engines[part as usize].clone();
                let place = if walk.blank { SkipPlace::BehindBlank } else { SkipPlace::Behind };
                if let Some(set) = self.keys.skip_words(part, &engine, place) {
                    self.enter_keys(set, frame, said, walk);
                }
            }
            FrameKind::Begin => self.begin_part(part, said, walk),
            FrameKind::Tail { chunk, at, parent } => {
                self.arrive_text(chunk, at, parent, said, walk);
            }
            FrameKind::Rest { node, next, parent } => {
                let engine = self.engines[part as usize].clone();
                let Some(Node::Sequence(items)) = node_of(&engine, node) else { return };
                let Some(item) = items.get(next as usize) else { return };
                let behind = if next as usize + 1 < items.len() {
                    let kind = FrameKind::Rest { node, next: next + 1, parent };
                    self.frame(Frame { kind, part, block })
                } else {
                    parent
                };
                self.enter(*item, behind, said, walk);
            }
            FrameKind::Left { node, mask, parent } => {
                let engine = self.engines[part as usize].clone();
                let Some(Node::Permutation(items)) = node_of(&engine, node) else { return };
                self.permute(items, node, mask, (parent, part, block), said, walk);
            }
        }
    }

    fn permute(
        &mut self,
        items: &[NodeId],
        node: NodeId,
        mask: u32,
        (parent, part, block): (u32, u16, u32),
        said: u32,
        walk: &mut Walk,
    ) {
        for (index, item) in items.iter().enumerate() {
            let rest = mask & !(1 << index);
            if rest == mask {
                continue;
            }
            let behind = if rest == 0 {
                parent
            } else {
                self.frame(Frame {
                    kind: FrameKind::Left { node, mask: rest, parent },
                    part,
                    block,
                })
            };
            self.enter(*item, behind, said, walk);
        }
    }

    /// Goes into a part, to be followed by what the frame says.
    pub(super) fn enter(&mut self, node: NodeId, frame: u32, said: u32, walk: &mut Walk) {
        if walk.seen.len() >= MAX_WAYS {
            return;
        }
        let Frame { part, block, .. } = self.frames[frame as usize];
        let engine = self.engines[part as usize].clone();
        let Some(found) = node_of(&engine, node) else { return };
        match found {
            Node::Text(chunk) => self.arrive_text(*chunk, 0, frame, said, walk),
            Node::Sequence(items) => {
                let Some(first) = items.first() else { return };
                let behind = if items.len() > 1 {
                    let kind = FrameKind::Rest { node, next: 1, parent: frame };
                    self.frame(Frame { kind, part, block })
                } else {
                    frame
                };
                self.enter(*first, behind, said, walk);
            }
            Node::Alternative(items) => {
                for item in items {
                    self.enter(*item, frame, said, walk);
                }
            }
            Node::Permutation(items) => {
                let mask = (1_u32 << items.len().min(31)) - 1;
                self.permute(items, node, mask, (frame, part, block), said, walk);
            }
            Node::List(reference) => {
                let grammar = &engine.language().grammar;
                match engine.home().list(grammar, *reference) {
                    Some(List::Wildcard) => {
                        walk.arrive(Place::Free { frame }, said);
                    }
                    Some(List::Text(list)) => {
                        let meant = &grammar.blocks[block as usize];
                        let source = Source { part, engine: &engine, reference: *reference, block };
                        let set = self.keys.values(source, list, meant);
                        self.enter_keys(set, frame, said, walk);
                        for index in &list.others {
                            let value = &list.values[*index as usize];
                            if let ListSaid::Template(node) = &value.said
                                && fits(meant, value.context.as_ref())
                            {
                                self.enter(*node, frame, said, walk);
                            }
                        }
                    }
                    Some(List::Range(range)) => {
                        let source = Source { part, engine: &engine, reference: *reference, block };
                        let set = self.keys.numbers(source, range);
                        self.enter_keys(set, frame, said, walk);
                    }
                    None => {}
                }
            }
        }
    }
}

/// Where in a text `c` is read, at `at` or, when blanks may be left out, behind them.
fn reads(full: &[char], at: usize, blank: bool, c: char, glued: bool) -> Option<usize> {
    let first = *full.get(at)?;
    if first == c && !(c == ' ' && blank) {
        return Some(at);
    }
    if first != ' ' || !(blank || glued) {
        return None;
    }
    let behind = at + full[at..].iter().take_while(|c| **c == ' ').count();
    (full.get(behind) == Some(&c)).then_some(behind)
}

fn node_of(engine: &super::Engine, node: NodeId) -> Option<&Node> {
    let known = &engine.language().grammar.nodes;
    match (node as usize).checked_sub(known.len()) {
        None => known.get(node as usize),
        Some(own) => engine.home().nodes.get(own),
    }
}
