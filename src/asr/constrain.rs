//! The grammar in the decoder: among the sentences that can be said, those that the model holds for
//! most probable.
//!
//! The search is best-first with greedy descents: from the most promising unfinished sentence the
//! most probable allowed tokens are followed to the end, what was passed by is kept, and the search
//! ends when nothing kept can become better than what is complete, or when its budget is spent.
//! Where the freely decoded text keeps to the grammar its logits are used again, so that a command
//! which was heard well costs no further step of the decoder.

use std::collections::BinaryHeap;

use super::Grammar;
use super::hanzi::Variants;
use super::spelling::{Allowed, Spot, Tokens};

/// Steps of the decoder that a search may take.
const BUDGET: usize = 40;
/// Tokens that are followed from one place.
const BREADTH: usize = 8;
/// Tokens looked at where free words are said.
const OPEN_BREADTH: usize = 24;
/// A token less probable than this (log-probability) is not followed.
const LEAST: f64 = -14.0;
/// A sentence so much less probable than the free text, in nats, is given up.
const FARTHEST: f64 = 30.0;
/// What a further token is hoped to bring over a shorter sentence, in nats.
const HOPE: f64 = 0.5;
/// How much worse than the best complete sentence an unfinished one may be to be followed, in nats.
const SLACK: f64 = 3.0;
/// How much the end token counts, more than others: an improbable end says that speech goes on, which
/// a short sentence of the grammar would leave unexplained.
const END_WEIGHT: f64 = 2.5;
/// Complete sentences that are kept.
const KEPT: usize = 4;

/// A sentence of the grammar with how well it fits the sound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The tokens, without the end token.
    pub tokens: Vec<i32>,
    /// The log-probability of all tokens and the end token among all text tokens, in nats, with the
    /// end token counted for more.
    pub logprob: f64,
}

impl Candidate {
    /// The mean log-probability of a token.
    pub(super) fn mean(&self) -> f64 {
        self.logprob / (self.tokens.len() + 1) as f64
    }

    fn promise(&self) -> f64 {
        self.logprob + HOPE * self.tokens.len() as f64
    }
}

/// The free decode that a search starts from.
#[derive(Debug, Default)]
pub(super) struct Free {
    pub tokens: Vec<i32>,
    /// The logits before each token, and before the end.
    pub rows: Vec<Vec<f32>>,
    /// The log-probability of all its tokens and the end token.
    pub logprob: f64,
}

/// What a search asks of the model.
pub(super) trait Logits {
    /// The error of the model.
    type Error;
    /// The logits after `tokens`.
    fn after(&mut self, tokens: &[i32]) -> Result<Vec<f32>, Self::Error>;
    /// The log-probabilities of all text tokens and the end token; `first` for the first token.
    fn normalised(&self, logits: &[f32], first: bool) -> Vec<f32>;
    /// The end token.
    fn end(&self) -> i32;
}

/// A grammar with what is remembered about its tokens.
pub(super) struct Constraint {
    pub grammar: Box<dyn Grammar>,
    pub allowed: Allowed,
}

#[derive(Debug, Clone)]
struct Partial {
    tokens: Vec<i32>,
    spot: Spot,
    logprob: f64,
}

impl Partial {
    fn promise(&self) -> f64 {
        self.logprob + HOPE * self.tokens.len() as f64
    }
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Partial {}

impl PartialOrd for Partial {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Partial {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.promise().total_cmp(&other.promise()).then_with(|| self.tokens.cmp(&other.tokens))
    }
}

/// The most probable sentences of the grammar, best first. `limit` is the most tokens one may have.
pub(super) fn search<L: Logits>(
    model: &mut L,
    tokens: &Tokens,
    constraint: &mut Constraint,
    free: &Free,
    limit: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Candidate>, L::Error> {
    let Constraint { grammar, allowed } = constraint;
    let grammar = grammar.as_mut();
    if grammar.tidy() {
        allowed.clear();
    }
    let variants = Variants::all();
    let mut left = BinaryHeap::new();
    let mut complete: Vec<Candidate> = Vec::new();
    let mut budget = BUDGET;
    left.push(Partial { tokens: Vec::new(), spot: Spot::start(grammar.start()), logprob: 0.0 });
    while let Some(partial) = left.pop() {
        let best = complete.iter().map(Candidate::promise).max_by(f64::total_cmp);
        if best.is_some_and(|best| partial.promise() < best - SLACK) || stop() {
            break;
        }
        let mut at = Some(partial);
        while let Some(here) = at.take() {
            let shared = free.tokens.starts_with(&here.tokens);
            let row = match free.rows.get(here.tokens.len()).filter(|_| shared) {
                Some(row) => model.normalised(row, here.tokens.is_empty()),
                None if budget == 0 => break,
                None => {
                    budget -= 1;
                    let row = model.after(&here.tokens)?;
                    model.normalised(&row, false)
                }
            };
            let of = |token: i32| {
                usize::try_from(token)
                    .ok()
                    .and_then(|t| row.get(t))
                    .map_or(f64::NEG_INFINITY, |p| f64::from(*p))
            };
            let ends =
                here.spot.is_whole() && !here.tokens.is_empty() && grammar.accepts(here.spot.state);
            let end =
                if ends { here.logprob + END_WEIGHT * of(model.end()) } else { f64::NEG_INFINITY };
            if ends {
                complete.push(Candidate { tokens: here.tokens.clone(), logprob: end });
            }
            let listed = allowed.at(here.spot, tokens, grammar, variants);
            let mut options: Vec<(f64, i32, Spot)> =
                listed.iter().map(|(token, spot)| (of(*token), *token, *spot)).collect();
            if grammar.is_open(here.spot.state) {
                for token in most_probable(&row, OPEN_BREADTH) {
                    let known = options.iter().any(|(_, known, _)| *known == token);
                    if let Some(spot) = tokens.follow(here.spot, token, grammar, variants)
                        && !known
                    {
                        options.push((of(token), token, spot));
                    }
                }
            }
            options.retain(|(logprob, ..)| *logprob > LEAST);
            options.sort_by(|a, b| b.0.total_cmp(&a.0));
            options.truncate(BREADTH);
            if here.tokens.len() >= limit {
                continue;
            }
            for (rank, (logprob, token, spot)) in options.into_iter().enumerate() {
                let logprob = here.logprob + logprob;
                if logprob < free.logprob - FARTHEST {
                    continue;
                }
                let mut tokens = here.tokens.clone();
                tokens.push(token);
                let next = Partial { tokens, spot, logprob };
                if rank == 0 && logprob > end {
                    at = Some(next);
                } else {
                    left.push(next);
                }
            }
        }
    }
    complete.sort_by(|a, b| b.mean().total_cmp(&a.mean()));
    complete.truncate(KEPT);
    Ok(complete)
}

/// How sure it is that a sentence of the grammar was said, 0 to 1: by how much less probable it is
/// than what was heard freely, a token and in all, and by whether anybody spoke.
pub(super) fn confidence(candidate: &Candidate, free: &Free, no_speech_prob: f32) -> f32 {
    let margin = (free.logprob - candidate.logprob).max(0.0);
    let each = margin / (candidate.tokens.len() + 1) as f64;
    let doubt = 2.2 * each + 0.12 * margin + 0.6 * (-candidate.mean() - 1.0).max(0.0);
    let sure = 1.0 / (1.0 + (doubt - 3.0).exp());
    (sure / (1.0 / (1.0 + (-3.0_f64).exp())) * f64::from(1.0 - no_speech_prob * no_speech_prob))
        as f32
}

fn most_probable(row: &[f32], count: usize) -> Vec<i32> {
    let mut ids: Vec<i32> = (0..).take(row.len()).collect();
    let value = |id: &i32| row[usize::try_from(*id).unwrap_or(0)];
    let count = count.min(ids.len().saturating_sub(1));
    ids.select_nth_unstable_by(count, |a, b| value(b).total_cmp(&value(a)));
    ids.truncate(count);
    ids
}
