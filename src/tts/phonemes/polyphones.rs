//! Which of its readings a Chinese character has in this sentence.
//!
//! The network is g2pM's (Park and Lee, 2020): embeddings of characters, one bidirectional LSTM, two
//! dense layers over the state at the character.

use std::sync::LazyLock;

use super::weights::Matrix;
use super::weights::Weights;
use super::weights::sigmoid;

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    Network::new(Weights::read(include_bytes!("data/polyphones.gz")).unwrap_or_default())
});

/// The characters that the network was taught, those of Park and Lee's data set (Apache-2.0). About any
/// other its opinion is noise.
const TAUGHT: &str = include_str!("data/polyphones.txt");

/// The sentence around a character that the network sees, each way. Its state forgets sooner.
const REACH: usize = 64;

struct Direction {
    input: Matrix,
    hidden: Matrix,
    input_bias: Matrix,
    hidden_bias: Matrix,
}

impl Direction {
    fn new(weights: &mut Weights, suffix: &str) -> Self {
        let mut take = |name: &str| weights.take(&format!("lstm.{name}_l0{suffix}"));
        Self {
            input: take("weight_ih"),
            hidden: take("weight_hh"),
            input_bias: take("bias_ih"),
            hidden_bias: take("bias_hh"),
        }
    }

    /// The hidden state after the last of `ids`.
    fn last_state(&self, embedding: &Matrix, ids: impl Iterator<Item = usize>) -> Vec<f32> {
        let size = self.hidden.row(0).len();
        let (mut h, mut c) = (vec![0.0; size], vec![0.0; size]);
        for id in ids {
            let x = self.input.times(embedding.row(id), &self.input_bias);
            let r = self.hidden.times(&h, &self.hidden_bias);
            for i in 0..size {
                let gate = |part: usize| x[part * size + i] + r[part * size + i];
                c[i] = sigmoid(gate(1)) * c[i] + sigmoid(gate(0)) * gate(2).tanh();
                h[i] = sigmoid(gate(3)) * c[i].tanh();
            }
        }
        h
    }
}

struct Network {
    embedding: Matrix,
    forward: Direction,
    backward: Direction,
    dense: [(Matrix, Matrix); 2],
    weights: Weights,
}

impl Network {
    fn new(mut weights: Weights) -> Self {
        Self {
            embedding: weights.take("embedding.weight"),
            forward: Direction::new(&mut weights, ""),
            backward: Direction::new(&mut weights, "_reverse"),
            dense: [0, 2].map(|layer| {
                (
                    weights.take(&format!("logit_layer.{layer}.weight")),
                    weights.take(&format!("logit_layer.{layer}.bias")),
                )
            }),
            weights,
        }
    }

    fn id(&self, symbol: &str) -> usize {
        let unknown = || self.weights.inputs.get("<UNK>").copied().unwrap_or_default();
        self.weights.inputs.get(symbol).copied().unwrap_or_else(unknown)
    }
}

/// The most likely of `candidates` (pinyin with a tone digit) for the character at `index`, with how far
/// it is ahead of the next in the network's scores; `None` when the network knows fewer than two of them.
pub(super) fn choose<'a>(
    sentence: &[char],
    index: usize,
    candidates: &[&'a str],
) -> Option<(&'a str, f32)> {
    if !TAUGHT.contains(*sentence.get(index)?) {
        return None;
    }
    let network = &*NETWORK;
    let known: Vec<(usize, &str)> = candidates
        .iter()
        .filter_map(|c| network.weights.classes.iter().position(|k| k == c).map(|i| (i, *c)))
        .collect();
    if known.len() < 2 {
        return None;
    }
    let from = index.saturating_sub(REACH);
    let to = (index + REACH + 1).min(sentence.len());
    let id = |c: &char| network.id(c.encode_utf8(&mut [0; 4]));
    // g2pM's marks of a sentence's beginning and end.
    let begin = std::iter::once(network.id("시"));
    let end = std::iter::once(network.id("끝"));
    let forward = begin.chain(sentence[from..=index].iter().map(id));
    let backward = end.chain(sentence[index..to].iter().rev().map(id));
    let mut x = network.forward.last_state(&network.embedding, forward);
    x.extend(network.backward.last_state(&network.embedding, backward));
    let [(first, first_bias), (second, second_bias)] = &network.dense;
    let mut x = first.times(&x, first_bias);
    x.iter_mut().for_each(|v| *v = v.max(0.0));
    let scores = second.times(&x, second_bias);
    let mut ranked: Vec<(f32, &str)> =
        known.iter().filter_map(|(i, c)| scores.get(*i).map(|s| (*s, *c))).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    match ranked.as_slice() {
        [best, next, ..] => Some((best.1, best.0 - next.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_decides() {
        let cases = [
            ("他在银行工作", 3, "hang2"),
            ("这样行不行", 2, "xing2"),
            ("我长大了", 1, "zhang3"),
            ("这条路很长", 4, "chang2"),
        ];
        for (sentence, index, reading) in cases {
            let sentence: Vec<char> = sentence.chars().collect();
            let candidates = ["hang2", "xing2", "zhang3", "chang2"];
            let (best, margin) = choose(&sentence, index, &candidates).unwrap();
            assert_eq!(best, reading, "{sentence:?}");
            assert!(margin > 0.0);
        }
        assert!(choose(&['行'], 0, &["xing2"]).is_none());
        assert!(choose(&['行'], 5, &["xing2", "hang2"]).is_none());
    }
}
