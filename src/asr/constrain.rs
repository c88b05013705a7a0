//! The grammar in the decoder: among the sentences that can be said, those that the model holds for
//! most probable.
//!
//! The search is best-first with greedy descents: from the most promising unfinished sentence the
//! most probable allowed tokens are followed to the end, what was passed by is kept, and the search
//! ends when nothing kept can become better than what is complete, or when its budget is spent. It
//! begins among the few sentences that sound like the free text, where a model that heard badly
//! still finds what was said. Where the freely decoded text keeps to the grammar its logits are used again, so that a command
//! which was heard well costs no further step of the decoder.

use std::collections::{BinaryHeap, HashMap};

use super::Grammar;
use super::few::Few;
use super::hanzi::Variants;
use super::spelling::{Allowed, Spot, Tokens};

/// Steps of the decoder that a search may take.
const BUDGET: usize = 48;
/// Steps of them that go to the sentences that sound like the free text.
const NEAR_BUDGET: usize = 32;
/// A sentence that is as sure as this by the model alone, in the logarithm of the odds, ends the search.
const SETTLED: f64 = 1.5;
/// Tokens that are followed from one place.
const BREADTH: usize = 8;
/// Tokens looked at where free words are said.
const OPEN_BREADTH: usize = 24;
/// A token less probable than this (log-probability) is not followed.
const LEAST: f64 = -14.0;
/// A sentence that is less sure than this in the logarithm of the odds, by the model alone, is given up: not
/// even one that sounds just like the free text would count any more (see `session::sure_of`).
const UNSURE: f64 = -4.0;
/// How much a token further a sentence may be behind and still be followed first, in nats: so that the
/// search gets to an end.
const HOPE: f64 = 2.0;
/// What a further token is worth when a complete sentence is held against an unfinished one, in nats.
const WORTH: f64 = 0.8;
/// How much worse than the best complete sentence an unfinished one may be to be followed, in nats.
const SLACK: f64 = 3.0;
/// How much the end token counts, more than others: an improbable end says that speech goes on, which
/// a short sentence of the grammar would leave unexplained.
const END_WEIGHT: f64 = 2.5;
/// The logarithm of the odds of a sentence that is as probable as the free text.
const CERTAIN: f64 = 3.0;
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
    /// How many of the tokens are free words, of which the grammar knows nothing.
    pub open: usize,
}

impl Candidate {
    /// The mean log-probability of a token.
    pub(super) fn mean(&self) -> f64 {
        self.logprob / (self.tokens.len() + 1) as f64
    }

    fn worth(&self, length: usize) -> f64 {
        worth(self.logprob, self.tokens.len(), WORTH, length)
    }
}

/// What a sentence is worth whose tokens are `each` worth, in nats. More tokens than `length`, that of
/// the free text, are no merit: a model that says everything twice finds that probable.
fn worth(logprob: f64, tokens: usize, each: f64, length: usize) -> f64 {
    logprob + each * tokens.min(length) as f64
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
    /// Tokens that are free words.
    open: usize,
    /// What decides when it is followed.
    promise: f64,
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
        self.promise.total_cmp(&other.promise).then_with(|| self.tokens.cmp(&other.tokens))
    }
}

/// The most probable sentences of the grammar, best first. `heard` is the free text, `limit` the most
/// tokens that a sentence may have.
pub(super) fn search<L: Logits>(
    model: &mut L,
    tokens: &Tokens,
    constraint: &mut Constraint,
    free: &Free,
    heard: &str,
    limit: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Candidate>, L::Error> {
    let Constraint { grammar, allowed } = constraint;
    let grammar = grammar.as_mut();
    if grammar.tidy() {
        allowed.clear();
    }
    let length = free.tokens.len() + 2;
    let limit = limit.min(2 * length + 6);
    let mut hunt = Hunt {
        model,
        tokens,
        free,
        length,
        limit,
        stop,
        steps: 0,
        most: 0,
        best: f64::NEG_INFINITY,
        complete: Vec::new(),
    };
    // Along what was heard freely, whose logits are known.
    let mut left = Waiting::from(grammar.start());
    if hunt.follow(&mut left, grammar, allowed)? {
        return Ok(hunt.complete.pop().into_iter().collect());
    }
    let near = grammar.near(heard);
    if !near.is_empty() {
        let mut few = Few::new(near.iter().map(String::as_str));
        hunt.most = NEAR_BUDGET;
        hunt.follow(&mut Waiting::from(few.start()), &mut few, &mut Allowed::default())?;
    }
    if !hunt.is_settled() {
        hunt.most = BUDGET;
        hunt.follow(&mut left, grammar, allowed)?;
    }
    let (steps, found) = (hunt.steps, hunt.complete.len());
    tracing::debug!(near = near.len(), steps, found, "searched the grammar");
    let mut complete = hunt.complete;
    complete.sort_by(|a, b| b.worth(length).total_cmp(&a.worth(length)));
    complete.dedup_by(|a, b| a.tokens == b.tokens);
    complete.truncate(KEPT);
    Ok(complete)
}

/// Unfinished sentences, and what is known about the places that were come to.
struct Waiting {
    left: BinaryHeap<Partial>,
    best_at: HashMap<Spot, f64>,
}

impl From<u32> for Waiting {
    fn from(start: u32) -> Self {
        let spot = Spot::start(start);
        let first = Partial { tokens: Vec::new(), spot, logprob: 0.0, open: 0, promise: 0.0 };
        Self { left: BinaryHeap::from([first]), best_at: HashMap::new() }
    }
}

/// A search for sentences with what it has found.
struct Hunt<'a, L> {
    model: &'a mut L,
    tokens: &'a Tokens,
    free: &'a Free,
    /// More tokens are no merit.
    length: usize,
    /// The most tokens that a sentence may have.
    limit: usize,
    stop: &'a dyn Fn() -> bool,
    /// Steps of the decoder that were taken.
    steps: usize,
    /// How many may be.
    most: usize,
    /// What the best complete sentence is worth.
    best: f64,
    complete: Vec<Candidate>,
}

impl<L: Logits> Hunt<'_, L> {
    /// Whether a sentence was found that is sure enough by the model alone.
    fn is_settled(&self) -> bool {
        self.complete.iter().any(|candidate| {
            let closed = candidate.tokens.len() - candidate.open;
            odds(self.free.logprob - candidate.logprob, closed) >= SETTLED
        })
    }

    /// Follows what waits until nothing can become better or no step is left; whether what was heard
    /// freely is a sentence of the grammar, which is then the last one found: none fits better.
    fn follow(
        &mut self,
        waiting: &mut Waiting,
        grammar: &mut dyn Grammar,
        allowed: &mut Allowed,
    ) -> Result<bool, L::Error> {
        let Waiting { left, best_at } = waiting;
        let (free, length, variants) = (self.free, self.length, Variants::all());
        while let Some(partial) = left.pop() {
            let mut at = Some(partial);
            while let Some(here) = at.take() {
                if (self.stop)() {
                    return Ok(false);
                }
                if worth(here.logprob, here.tokens.len(), WORTH, length) < self.best - SLACK {
                    break;
                }
                let shared = free.tokens.starts_with(&here.tokens);
                let known = free.rows.get(here.tokens.len()).filter(|_| shared);
                if known.is_none() && self.steps >= self.most {
                    left.push(here);
                    return Ok(false);
                }
                // Two ways to the same place have the same future; the worse one need not be followed.
                // Where any words may be said they are not at the same place of the sound.
                if here.spot.is_whole() && !grammar.is_open(here.spot.state) {
                    let best = best_at.entry(here.spot).or_insert(f64::NEG_INFINITY);
                    if !shared && *best >= here.logprob {
                        break;
                    }
                    *best = best.max(here.logprob);
                }
                let row = match known {
                    Some(row) => self.model.normalised(row, here.tokens.is_empty()),
                    None => {
                        self.steps += 1;
                        let row = self.model.after(&here.tokens)?;
                        self.model.normalised(&row, false)
                    }
                };
                let of = |token: i32| {
                    usize::try_from(token)
                        .ok()
                        .and_then(|t| row.get(t))
                        .map_or(f64::NEG_INFINITY, |p| f64::from(*p))
                };
                let ends = here.spot.is_whole()
                    && !here.tokens.is_empty()
                    && grammar.accepts(here.spot.state);
                let end = if ends {
                    here.logprob + END_WEIGHT * of(self.model.end())
                } else {
                    f64::NEG_INFINITY
                };
                if ends {
                    let candidate =
                        Candidate { tokens: here.tokens.clone(), logprob: end, open: here.open };
                    let heard = shared && candidate.tokens.len() == free.tokens.len();
                    self.best = self.best.max(candidate.worth(length));
                    self.complete.push(candidate);
                    if heard {
                        return Ok(true);
                    }
                }
                if here.tokens.len() >= self.limit {
                    continue;
                }
                let listed = allowed.at(here.spot, self.tokens, grammar, variants);
                let mut options: Vec<(f64, i32, Spot)> =
                    listed.iter().map(|(token, spot)| (of(*token), *token, *spot)).collect();
                if grammar.is_open(here.spot.state) {
                    for token in most_probable(&row, OPEN_BREADTH) {
                        let known = options.iter().any(|(_, known, _)| *known == token);
                        if let Some(spot) = self.tokens.follow(here.spot, token, grammar, variants)
                            && !known
                        {
                            options.push((of(token), token, spot));
                        }
                    }
                }
                options.retain(|(logprob, ..)| *logprob > LEAST);
                options.sort_by(|a, b| b.0.total_cmp(&a.0));
                options.truncate(BREADTH);
                let open = here.open + usize::from(grammar.is_open(here.spot.state));
                let closed = (here.tokens.len() + 1).max(length) - open;
                for (rank, (logprob, token, spot)) in options.into_iter().enumerate() {
                    let logprob = here.logprob + logprob;
                    if odds(free.logprob - logprob, closed) < UNSURE {
                        continue;
                    }
                    let mut tokens = here.tokens.clone();
                    tokens.push(token);
                    let promise = worth(logprob, tokens.len(), HOPE, length);
                    let next = Partial { tokens, spot, logprob, open, promise };
                    if rank == 0 && logprob > end {
                        at = Some(next);
                    } else {
                        left.push(next);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// How sure it is that a sentence of the grammar was said, 0 to 1: by how much less probable it is
/// than what was heard freely, a token and in all, and by whether anybody spoke.
pub(super) fn confidence(candidate: &Candidate, free: &Free, no_speech_prob: f32) -> f32 {
    let closed = candidate.tokens.len() - candidate.open;
    let sure = |odds: f64| 1.0 / (1.0 + (-odds).exp());
    let silence = f64::from(no_speech_prob).powi(4);
    let odds = odds(free.logprob - candidate.logprob, closed);
    (sure(odds) / sure(CERTAIN) * (1.0 - silence)) as f32
}

/// The logarithm of the odds that a sentence was said which is `margin` nats less probable than the free
/// text and of which the grammar gives `closed` tokens. Free words fit whatever was said, so they do not
/// speak for the words around them.
fn odds(margin: f64, closed: usize) -> f64 {
    let margin = margin.max(0.0);
    CERTAIN - 2.0 * margin / (closed + 1) as f64 - 0.1 * margin
}

fn most_probable(row: &[f32], count: usize) -> Vec<i32> {
    let mut ids: Vec<i32> = (0..).take(row.len()).collect();
    let value = |id: &i32| row[usize::try_from(*id).unwrap_or(0)];
    let count = count.min(ids.len().saturating_sub(1));
    ids.select_nth_unstable_by(count, |a, b| value(b).total_cmp(&value(a)));
    ids.truncate(count);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters a, b and c, and an end; the model has a fixed opinion of every beginning.
    struct Opinion(Vec<(&'static [i32], [f32; 4])>, usize);

    impl Logits for Opinion {
        type Error = std::convert::Infallible;
        fn after(&mut self, tokens: &[i32]) -> Result<Vec<f32>, Self::Error> {
            self.1 += 1;
            let known = self.0.iter().find(|(beginning, _)| *beginning == tokens);
            Ok(known.map_or(vec![-3.0, -3.0, -3.0, -3.0], |(_, row)| row.to_vec()))
        }
        fn normalised(&self, logits: &[f32], _: bool) -> Vec<f32> {
            logits.to_vec()
        }
        fn end(&self) -> i32 {
            3
        }
    }

    fn found(opinion: &mut Opinion, free: &Free) -> Vec<Vec<i32>> {
        let tokens = Tokens::new((0..3).zip([b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]));
        let mut constraint =
            Constraint { grammar: Box::new(Few::new(["ab", "acc"])), allowed: Allowed::default() };
        let Ok(found) = search(opinion, &tokens, &mut constraint, free, "", 10, &|| false);
        found.into_iter().map(|candidate| candidate.tokens).collect()
    }

    #[test]
    fn what_was_heard_well_costs_no_step() {
        let rows = vec![
            vec![-0.1, -9.0, -9.0, -9.0],
            vec![-9.0, -0.1, -9.0, -9.0],
            vec![-9.0, -9.0, -9.0, -0.1],
        ];
        let free = Free { tokens: vec![0, 1], rows, logprob: -0.3 };
        let mut opinion = Opinion(Vec::new(), 0);
        assert_eq!(found(&mut opinion, &free), [vec![0, 1]]);
        assert_eq!(opinion.1, 0);
    }

    #[test]
    fn the_grammar_overrules_the_ear_and_an_early_end_is_no_sentence() {
        // Heard freely: "b b"; the grammar wants an a first, and speech goes on behind "ab".
        let free = Free {
            tokens: vec![1, 1],
            rows: vec![vec![-2.0, -0.2, -9.0, -9.0], vec![-9.0, -0.2, -9.0, -9.0]],
            logprob: -1.0,
        };
        let mut opinion = Opinion(
            vec![
                (&[0], [-9.0, -1.0, -1.2, -9.0]),
                (&[0, 1], [-0.1, -9.0, -9.0, -5.0]),
                (&[0, 2], [-9.0, -9.0, -0.1, -9.0]),
                (&[0, 2, 2], [-9.0, -9.0, -9.0, -0.1]),
            ],
            0,
        );
        assert_eq!(found(&mut opinion, &free), [vec![0, 2, 2], vec![0, 1]]);
    }

    #[test]
    fn what_is_far_from_every_sentence_finds_none() {
        let row = vec![-40.0, -0.1, -0.1, -0.1];
        let free = Free { tokens: vec![1], rows: vec![row], logprob: -0.2 };
        assert!(found(&mut Opinion(Vec::new(), 0), &free).is_empty());
    }

    #[test]
    fn confidence_falls_with_the_margin() {
        let free = Free { tokens: vec![0; 8], rows: Vec::new(), logprob: -2.0 };
        let at = |margin: f64, silence| {
            let candidate = Candidate { tokens: vec![0; 8], logprob: -2.0 - margin, open: 0 };
            confidence(&candidate, &free, silence)
        };
        assert!((at(0.0, 0.0) - 1.0).abs() < 1e-3);
        assert!(at(4.0, 0.0) > 0.7 && at(20.0, 0.0) < 0.2);
        assert!(at(0.0, 0.95) < 0.3);
        // Where all but one token are free words, the one must be right.
        let candidate = Candidate { tokens: vec![0; 8], logprob: -12.0, open: 7 };
        assert!(at(10.0, 0.0) > 0.4 && confidence(&candidate, &free, 0.0) < 0.01);
    }
}
