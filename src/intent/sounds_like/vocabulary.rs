//! The words and names that can be said in a home.

use std::collections::BTreeSet;

use super::super::engine::Engine;
use super::super::grammar::Node;
use super::super::lists::{List, Said, TextList};

/// Sentences that are drawn from each template to find the words in it.
const SAMPLES: usize = 6;
/// Stands for free words, which are nobody's.
const FREE: &str = "\u{1}";
/// Chinese numbers, character by character.
const NUMBERS: &str = "零一二两三四五六七八九十百半";
/// The longest run of Chinese characters that is taken as one.
const LONGEST: usize = 8;

/// Everything that can be said, each once and in order.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    pub phrases: BTreeSet<String>,
}

impl Vocabulary {
    /// Adds what an engine understands. `glued`: the language has no blanks between words.
    pub(super) fn add(&mut self, engine: &Engine, glued: bool) {
        let (grammar, home) = (&engine.language().grammar, engine.home());
        let named = grammar.named_lists.iter().map(|(_, list)| list.as_ref());
        let own = home.lists.iter().map(Option::as_ref);
        let local = grammar.local_lists.iter().map(Some);
        for list in named.chain(own).chain(local).flatten() {
            if let List::Text(list) = list {
                self.values(list, engine);
            }
        }
        for chunk in &grammar.chunks {
            let text = chunk.text.trim();
            // Without blanks, every part of a template may stand by itself.
            if text.contains(' ') || (glued && text.chars().count() <= LONGEST) {
                self.phrase(text);
            }
        }
        if glued {
            NUMBERS.chars().for_each(|c| self.phrase(&c.to_string()));
        } else {
            self.words(engine);
        }
    }

    fn values(&mut self, list: &TextList, engine: &Engine) {
        for value in &list.values {
            match &value.said {
                Said::Words(chunk) => self.phrase(&chunk.text),
                Said::Template(node) => {
                    // Names with brackets are templates of one text.
                    let (grammar, home) = (&engine.language().grammar, engine.home());
                    let own = (*node as usize).checked_sub(grammar.nodes.len());
                    if let Some(Node::Text(chunk)) = own.and_then(|own| home.nodes.get(own)) {
                        let own = (*chunk as usize).checked_sub(grammar.chunks.len());
                        if let Some(chunk) = own.and_then(|own| home.chunks.get(own)) {
                            self.phrase(&chunk.text);
                        }
                    }
                }
            }
        }
    }

    /// The words of sentences, whole as they are said: `light[s]` is "light" and "lights".
    fn words(&mut self, engine: &Engine) {
        let mut sampler = engine.sampler(1).with_free_words(vec![FREE.to_owned()]);
        for index in 0..engine.language().sentence_count() {
            for _ in 0..SAMPLES {
                let Some(sample) = sampler.sentence(index) else { break };
                for word in sample.text.split_whitespace() {
                    self.phrase(word);
                }
            }
        }
    }

    fn phrase(&mut self, text: &str) {
        let text = text.trim().trim_matches([',', '?', '!', '，', '？']);
        let sayable = text.chars().any(char::is_alphabetic)
            && !text.chars().any(|c| c.is_ascii_digit() || c == '\u{1}');
        if sayable {
            self.phrases.insert(text.to_lowercase());
        }
    }
}
