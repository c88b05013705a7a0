//! Sentences drawn from templates: what could be said in this home.

use super::context::fits;
use super::engine::Engine;
use super::grammar::{Block, Node, NodeId};
use super::lists::{Fractions, List, RangeList, Said, TextList};
use super::words::normalise_text;

/// What stands for free words unless the caller gives some.
const FREE_WORDS: [&str; 3] = ["lorem", "ipsum dolor", "sit amet elit"];
/// Values without a context that fits are drawn again this often.
const TRIES: usize = 16;
/// Parts of one sentence; a template that has more, by rules within rules, is not drawn from.
const MAX_PARTS: usize = 20_000;

/// A sentence with the intent that its template means.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What would be said.
    pub text: String,
    /// The template's intent.
    pub intent: String,
    /// The template.
    pub template: String,
    /// The number of the template, from 0 to [`Language::sentence_count`](super::Language).
    pub index: usize,
}

/// Draws sentences by chance, the same ones for the same seed.
#[derive(Debug)]
pub struct Sampler<'a> {
    engine: &'a Engine,
    free_words: Vec<String>,
    state: u64,
    parts: usize,
}

impl Engine {
    /// A sampler of the sentences that this engine understands.
    #[must_use]
    pub fn sampler(&self, seed: u64) -> Sampler<'_> {
        let free_words = FREE_WORDS.iter().map(|words| (*words).to_owned()).collect();
        Sampler { engine: self, free_words, state: seed, parts: 0 }
    }
}

impl<'a> Sampler<'a> {
    /// Uses these words wherever a template allows any.
    #[must_use]
    pub fn with_free_words(mut self, words: Vec<String>) -> Self {
        if !words.is_empty() {
            self.free_words = words;
        }
        self
    }

    /// One sentence of the template with this number. `None` when there is no such template, or
    /// when the home has nothing that could be named in it.
    pub fn sentence(&mut self, index: usize) -> Option<Sample> {
        let grammar = &self.engine.language().grammar;
        let sentence = grammar.sentences.get(index)?;
        let block = &grammar.blocks[sentence.block as usize];
        let mut text = String::new();
        self.parts = 0;
        self.draw(sentence.root, block, &mut text)?;
        let text = normalise_text(&text).trim().to_owned();
        (!text.is_empty()).then(|| Sample {
            text,
            intent: grammar.intents[block.intent as usize].clone(),
            template: sentence.text.clone(),
            index,
        })
    }

    /// One sentence of any of these templates; `None` as in [`Sampler::sentence`].
    pub fn one_of(&mut self, numbers: &[usize]) -> Option<Sample> {
        let index = self.below(numbers.len());
        self.sentence(*numbers.get(index)?)
    }

    /// One sentence of any template; `None` as in [`Sampler::sentence`].
    pub fn any(&mut self) -> Option<Sample> {
        let index = self.below(self.engine.language().sentence_count());
        self.sentence(index)
    }

    /// A number below `count` (0 if that is 0): SplitMix64, Steele et al. 2014.
    fn below(&mut self, count: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count.max(1) as u64) as usize
    }

    fn draw(&mut self, node: NodeId, block: &Block, out: &mut String) -> Option<()> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return None;
        }
        let engine = self.engine;
        let (grammar, home) = (&engine.language().grammar, engine.home());
        let node = match (node as usize).checked_sub(grammar.nodes.len()) {
            None => &grammar.nodes[node as usize],
            Some(own) => home.nodes.get(own)?,
        };
        match node {
            Node::Text(chunk) => {
                let chunk = *chunk as usize;
                out.push_str(match chunk.checked_sub(grammar.chunks.len()) {
                    None => &grammar.chunks[chunk].text,
                    Some(own) => &home.chunks.get(own)?.text,
                });
            }
            Node::Sequence(items) if items.is_empty() => return None,
            Node::Sequence(items) => {
                for item in items {
                    self.draw(*item, block, out)?;
                }
            }
            Node::Alternative(items) => {
                let start = self.below(items.len());
                let length = out.len();
                // A branch may name what the home does not have; another then does.
                (0..items.len()).find_map(|n| {
                    out.truncate(length);
                    self.draw(items[(start + n) % items.len()], block, out)
                })?;
            }
            Node::Permutation(items) => {
                let mut order: Vec<NodeId> = items.to_vec();
                for last in (1..order.len()).rev() {
                    order.swap(last, self.below(last + 1));
                }
                for item in order {
                    self.draw(item, block, out)?;
                }
            }
            Node::List(reference) => match home.list(grammar, *reference)? {
                List::Text(list) => self.value(list, block, out)?,
                List::Range(range) => self.number(range, out),
                List::Wildcard => {
                    let index = self.below(self.free_words.len());
                    out.push_str(&self.free_words[index]);
                }
            },
        }
        Some(())
    }

    fn value(&mut self, list: &TextList, block: &Block, out: &mut String) -> Option<()> {
        if list.values.is_empty() {
            return None;
        }
        let fitting = |index: &usize| fits(block, list.values[*index].context.as_ref());
        let drawn = (0..TRIES).map(|_| self.below(list.values.len())).find(fitting);
        let index = drawn.or_else(|| (0..list.values.len()).find(fitting))?;
        match &list.values[index].said {
            Said::Words(chunk) => out.push_str(&chunk.text),
            Said::Template(node) => self.draw(*node, block, out)?,
        }
        Some(())
    }

    fn number(&mut self, range: &RangeList, out: &mut String) {
        let spelled = &range.spelled;
        if range.words && !spelled.numbers.is_empty() && (!range.digits || self.below(2) == 0) {
            let index = self.below(spelled.numbers.len());
            if let Some(words) = spelled.trie.key(index) {
                out.extend(words);
                return;
            }
        }
        let steps = (range.to - range.from) / range.step + 1;
        let whole =
            range.from + self.below(usize::try_from(steps).unwrap_or(1)) as i64 * range.step;
        out.push_str(&whole.to_string());
        match range.fractions {
            Fractions::Halves if self.below(4) == 0 => out.push_str(".5"),
            Fractions::Tenths if self.below(4) == 0 => {
                out.push_str(&format!(".{}", self.below(9) + 1));
            }
            _ => {}
        }
    }
}
