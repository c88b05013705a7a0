//! Whisper, by way of whisper.cpp.
//!
//! The decoding loop is ours and not `whisper_full`'s, for three reasons: one encoder pass serves
//! telling the language *and* the text (`whisper_full` encodes twice), the language can be held to
//! those that are spoken in this house, and a loop is stopped at the token where it shows.

#![allow(unsafe_code, reason = "the door to whisper.cpp; each block says why it is sound")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    WhisperSysContext, WhisperSysState, WhisperTokenId,
};

use super::constrain::{self, Constraint, Free, Logits};
use super::guards::{
    Evidence, FULL_CONTEXT, audio_context, doubled, invented, looping_tail, token_limit,
};
use super::spelling::{Allowed, Tokens};
use super::{
    AsrError, Config, Grammar, Hypothesis, Reading, Recognizer, Segment, Task, Transcript,
};
use crate::audio::SAMPLE_RATE;

/// Whisper looks at 30 seconds at a time.
const WINDOW: usize = 30 * SAMPLE_RATE as usize;

/// whisper.cpp leaves audio of less than a tenth of a second alone; a second costs nothing more.
const SHORTEST: usize = SAMPLE_RATE as usize;

/// A sentence of the grammar that is as sure as this settles what was said.
const SURE: f32 = 0.5;

/// The decoder makes many small steps, between which threads wait for each other: more than two gain
/// nothing.
const MOST_DECODER_THREADS: usize = 2;

/// A Whisper model with one decoding state.
pub struct Whisper {
    state: WhisperState,
    model: Arc<Model>,
    config: Config,
    threads: usize,
    /// The grammars by language.
    constraints: BTreeMap<String, Constraint>,
    /// Prompt tokens of the languages that may be chosen, with their codes; empty for English-only
    /// models.
    languages: Vec<(WhisperTokenId, String)>,
    task: Task,
}

/// What the states of one model share.
struct Model {
    context: WhisperContext,
    path: String,
    /// Tokens that are never text: brackets, musical notes, quotes (OpenAI's default list).
    suppressed: Vec<WhisperTokenId>,
    /// A lone space, which must not come first.
    blank: Option<WhisperTokenId>,
    /// The tokens that may stand in a text; made when the first grammar comes.
    tokens: OnceLock<Tokens>,
}

/// One pass of the decoder.
struct Decoded {
    tokens: Vec<WhisperTokenId>,
    language: String,
    evidence: Evidence,
    /// Why the result is not to be trusted, if so.
    doubt: Option<Doubt>,
    /// The logits of each step, where a grammar will want them, and the log-probability of all.
    rows: Vec<Vec<f32>>,
    logprob: f64,
    /// Tokens of the prompt.
    prompt: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Looped,
    Doubled,
    RanToTheLimit,
    Improbable,
}

/// Tells how long the steps of a work take.
struct Lap(Instant);

impl Lap {
    fn new() -> Self {
        Self(Instant::now())
    }

    /// Whole milliseconds since the last time that it was asked.
    fn ms(&mut self) -> u64 {
        let began = std::mem::replace(&mut self.0, Instant::now());
        u64::try_from((self.0 - began).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Whether whisper.cpp has a token for the language code.
pub(super) fn knows_language(code: &str) -> bool {
    whisper_rs::get_lang_id(code).is_some()
}

impl Whisper {
    /// Loads a model in whisper.cpp's ggml format.
    ///
    /// # Errors
    /// [`AsrError::Load`] when the file is not such a model, [`AsrError::Language`] when the model
    /// cannot do the configured languages.
    pub fn open(path: &Path, config: &Config) -> Result<Self, AsrError> {
        // Without this whisper.cpp writes pages to standard error.
        whisper_rs::install_logging_hooks();
        let shown = path.display().to_string();
        let load_error = |reason: String| AsrError::Load { path: shown.clone(), reason };
        check_header(path).map_err(load_error)?;

        let mut parameters = WhisperContextParameters::default();
        // Flash attention looped on short clips and was slower on the CPU.
        parameters.use_gpu(false).flash_attn(false);
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|e| load_error(e.to_string()))?;
        let state = context.create_state().map_err(|e| load_error(e.to_string()))?;

        let languages = prompts(&context, config, &shown, None)?;
        let eot = context.token_eot();
        let mut suppressed = Vec::new();
        let mut blank = None;
        for id in 0..eot {
            let Ok(text) = context.token_to_bytes(id) else { continue };
            let bare = text.strip_prefix(b" ").unwrap_or(text);
            if std::str::from_utf8(bare).is_ok_and(|t| NON_SPEECH.contains(&t))
                || matches!(text, b" -" | b" '")
            {
                suppressed.push(id);
            }
            if text == b" " {
                blank = Some(id);
            }
        }
        let tokens = OnceLock::new();
        let model = Model { context, path: shown, suppressed, blank, tokens };
        let (threads, config, task) = (config.thread_count(), config.clone(), Task::default());
        let (model, constraints) = (Arc::new(model), BTreeMap::new());
        Ok(Self { state, model, config, threads, constraints, languages, task })
    }

    /// The file the model came from.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.model.path
    }

    /// Transcribes at most one window, with the ladder of contexts.
    fn transcribe_window(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Transcript>, AsrError> {
        let mut padded;
        let audio = if audio.len() < SHORTEST {
            padded = audio.to_vec();
            padded.resize(SHORTEST, 0.0);
            &padded[..]
        } else {
            audio
        };
        let limit = token_limit(audio.len());
        let narrow = audio_context(audio.len(), self.config.context_margin);
        // A wider window cures nearly every loop; the full one is what Whisper was trained on.
        let mut ladder =
            vec![narrow, audio_context(audio.len(), 2 * self.config.context_margin + 128)];
        ladder.push(FULL_CONTEXT);
        ladder.dedup();

        let mut best: Option<Decoded> = None;
        let mut readings = Vec::new();
        for context in ladder {
            if stop() {
                return Ok(None);
            }
            let mut lap = Lap::new();
            self.encode(audio, context)?;
            let encoded_ms = lap.ms();
            let Some(mut decoded) = self.decode(limit, stop)? else { return Ok(None) };
            let (tokens, decoded_ms) = (decoded.tokens.len(), lap.ms());
            self.say_once(&mut decoded);
            readings = self.readings(&mut decoded, limit, stop)?;
            let searched_ms = lap.ms();
            tracing::debug!(context, encoded_ms, tokens, decoded_ms, searched_ms, "heard");
            let doubt = decoded.doubt;
            if doubt.is_some() {
                tracing::debug!(context, ?doubt, "doubtful decode, widening the context");
            }
            let better = best.as_ref().is_none_or(|b| {
                (decoded.doubt.is_none(), decoded.evidence.avg_logprob)
                    > (b.doubt.is_none(), b.evidence.avg_logprob)
            });
            let improbable = doubt == Some(Doubt::Improbable);
            // Low probability on what is surely not speech will not become better.
            let hopeless = improbable && decoded.evidence.no_speech_prob > 0.6;
            // Odd names make a command improbable as a text, however surely it was said.
            let settled = improbable && readings.iter().any(|r| r.confidence >= SURE);
            if better {
                best = Some(decoded);
            }
            // The full window takes ten times as long as the narrow one. It cures loops; what is still improbable in
            // the middle one mumbles there, too.
            let enough = improbable && context > narrow;
            if doubt.is_none() || hopeless || settled || enough {
                break;
            }
        }
        Ok(best.map(|decoded| {
            let transcript = self.transcript(&decoded, audio.len());
            let readings = if transcript.text.is_empty() { Vec::new() } else { readings };
            Transcript { readings, ..transcript }
        }))
    }

    fn transcript(&self, decoded: &Decoded, samples: usize) -> Transcript {
        let mut text = self.model.text(&decoded.tokens);
        if invented(&text, decoded.evidence) {
            tracing::debug!(text, ?decoded.evidence, "thrown away as invented");
            text.clear();
        }
        if decoded.language == "zh" && !self.task.translate {
            text = self.config.script.apply(&text);
        }
        let segments = if text.is_empty() {
            Vec::new()
        } else {
            let end = samples as f64 / f64::from(SAMPLE_RATE);
            vec![Segment { start: 0.0, end, text: text.clone() }]
        };
        Transcript {
            text,
            heard: None,
            language: decoded.language.clone(),
            segments,
            avg_logprob: decoded.evidence.avg_logprob,
            no_speech_prob: decoded.evidence.no_speech_prob,
            readings: Vec::new(),
        }
    }

    /// Where a sentence of the grammar was heard twice over, as a narrow window makes of a short command,
    /// it was said once: a wider window would only say so later.
    fn say_once(&mut self, decoded: &mut Decoded) {
        if !matches!(decoded.doubt, Some(Doubt::Looped | Doubt::Doubled)) || decoded.rows.is_empty()
        {
            return;
        }
        let text = |part: &[WhisperTokenId]| self.model.text(part);
        let Some(half) = first_round(&decoded.tokens, &text) else { return };
        let once = self.model.text(&decoded.tokens[..half]);
        let Some(constraint) = self.constraints.get_mut(&decoded.language) else { return };
        if super::spelling::spoken(&once, constraint.grammar.as_mut()).is_none() {
            return;
        }
        let end = index(self.model.context.token_eot());
        decoded.tokens.truncate(half);
        decoded.rows.truncate(half + 1);
        if let Some(row) = decoded.rows.get_mut(half) {
            // What follows is known not to have been said, so this is where it ended.
            row[end] = most(row) + 20.0;
        }
        let choices = decoded.tokens.iter().zip(&decoded.rows).enumerate();
        decoded.logprob =
            choices.map(|(at, (token, row))| self.model.logprob(row, *token, at == 0)).sum();
        decoded.evidence.avg_logprob = (decoded.logprob / (half + 1) as f64) as f32;
        decoded.doubt = (decoded.evidence.avg_logprob < -1.0).then_some(Doubt::Improbable);
    }

    /// The sentences of the language's grammar that fit what was just decoded.
    fn readings(
        &mut self,
        decoded: &mut Decoded,
        limit: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Reading>, AsrError> {
        let threads = self.decoder_threads();
        let constraint = self.constraints.get_mut(&decoded.language);
        let Some(constraint) = constraint.filter(|_| !self.task.free) else {
            return Ok(Vec::new());
        };
        let free = Free {
            tokens: decoded.tokens.clone(),
            rows: std::mem::take(&mut decoded.rows),
            logprob: decoded.logprob,
        };
        let mut steps = Steps {
            state: &mut self.state,
            model: &self.model,
            threads,
            prompt: decoded.prompt,
            decoded: decoded.tokens.clone(),
        };
        let tokens = self.model.tokens();
        let heard = super::Script::Simplified.apply(&self.model.text(&free.tokens));
        let found = constrain::search(&mut steps, tokens, constraint, &free, &heard, limit, stop)?;
        let mut readings: Vec<Reading> = Vec::new();
        for candidate in found {
            let written = self.model.text(&candidate.tokens);
            let text = super::spelling::spoken(&written, constraint.grammar.as_mut());
            let Some(text) = text.filter(|text| readings.iter().all(|r| r.text != *text)) else {
                continue;
            };
            let margin = (free.logprob - candidate.logprob) as f32;
            let confidence =
                constrain::confidence(&candidate, &free, decoded.evidence.no_speech_prob);
            tracing::debug!(written, margin, confidence, "a sentence of the grammar");
            readings.push(Reading {
                text,
                avg_logprob: candidate.mean() as f32,
                tokens: candidate.tokens.len() as u32,
                margin,
                confidence,
            });
        }
        Ok(readings)
    }

    fn decoder_threads(&self) -> usize {
        self.threads.min(MOST_DECODER_THREADS)
    }

    /// Computes the spectrogram and runs the encoder on `context` positions.
    fn encode(&mut self, audio: &[f32], context: usize) -> Result<(), AsrError> {
        // The number of encoder positions of a state can only be set by `whisper_full`. Told not to
        // begin encoding, it computes the spectrogram, sets the number and returns.
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        params.set_audio_ctx(i32::try_from(context).unwrap_or(0));
        params.set_n_threads(i32::try_from(self.threads).unwrap_or(1));
        params.set_language(Some("en"));
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        // SAFETY: the callback has the type whisper.cpp declares for it, reads none of its
        // arguments, and needs no user data.
        unsafe { params.set_start_encoder_callback(Some(do_not_encode)) };
        self.state.full(params, audio).map_err(|e| engine("prepare the audio", &e))?;
        self.state.encode(0, self.threads).map_err(|e| engine("encode", &e))
    }

    /// Decodes greedily what was encoded. `None` when stopped.
    fn decode(
        &mut self,
        limit: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Decoded>, AsrError> {
        let model = Arc::clone(&self.model);
        let context = &model.context;
        let eot = context.token_eot();
        let failed = |e| engine("decode", &e);
        let threads = self.decoder_threads();

        // After the start token alone Whisper tells the language and whether anybody speaks.
        self.state.decode(&[context.token_sot()], 0, threads).map_err(failed)?;
        let logits = self.state.get_logits().map_err(failed)?;
        let no_speech_prob = probability(logits, context.token_nosp());
        let mut prompt = Vec::with_capacity(2);
        let mut language = "en".to_owned();
        let spoken = self
            .languages
            .iter()
            .max_by(|(a, _), (b, _)| logit(logits, *a).total_cmp(&logit(logits, *b)));
        if let Some((token, code)) = spoken {
            let task = match self.task.translate {
                true => context.token_translate(),
                false => context.token_transcribe(),
            };
            prompt.extend([*token, task]);
            language.clone_from(code);
        }
        // `get_logits` shows the first row of a batch while the logits of the last token lie in the
        // last row, so the token whose logits are wanted goes alone.
        let mut position = 1;
        if !prompt.is_empty() {
            self.state.decode(&prompt, position, threads).map_err(failed)?;
            position += prompt.len();
        }
        self.state.decode(&[context.token_not()], position, threads).map_err(failed)?;
        position += 1;

        let before = position;
        // Also where free text is wanted: what the grammar knows as one command was not said twice.
        let constrained = self.constraints.contains_key(&language);
        let mut rows = Vec::new();
        let mut tokens: Vec<WhisperTokenId> = Vec::new();
        let mut sum_logprob = 0.0;
        let mut doubt = None;
        loop {
            if stop() {
                return Ok(None);
            }
            let logits = self.state.get_logits().map_err(failed)?;
            let (token, logprob) = model.choose(logits, tokens.is_empty());
            if constrained {
                rows.push(logits[..=index(eot).min(logits.len() - 1)].to_vec());
            }
            sum_logprob += logprob;
            if token == eot {
                break;
            }
            tokens.push(token);
            if let Some(excess) = looping_tail(&tokens) {
                tokens.truncate(tokens.len() - excess);
                doubt = Some(Doubt::Looped);
                break;
            }
            let (first, second) = tokens.split_at(tokens.len() / 2);
            if constrained && first == second && doubled(&model.text(&tokens)) {
                // Twice is enough to see it by.
                doubt = Some(Doubt::Doubled);
                break;
            }
            if tokens.len() >= limit {
                doubt = Some(Doubt::RanToTheLimit);
                break;
            }
            self.state.decode(&[token], position, threads).map_err(failed)?;
            position += 1;
        }
        let avg_logprob = (sum_logprob / (tokens.len() + 1) as f64) as f32;
        if doubt.is_none() && avg_logprob < -1.0 {
            doubt = Some(Doubt::Improbable);
        } else if doubt.is_none() && doubled(&model.text(&tokens)) {
            doubt = Some(Doubt::Doubled);
        }
        let evidence = Evidence { no_speech_prob, avg_logprob };
        let logprob = sum_logprob;
        Ok(Some(Decoded { tokens, language, evidence, doubt, rows, logprob, prompt: before }))
    }
}

/// The prompt tokens of the languages that may be spoken: the one asked for, or the configured ones.
fn prompts(
    context: &WhisperContext,
    config: &Config,
    path: &str,
    asked: Option<&str>,
) -> Result<Vec<(WhisperTokenId, String)>, AsrError> {
    let wanted: Vec<&str> = match asked.unwrap_or(&config.language) {
        "auto" => config.languages.iter().map(String::as_str).collect(),
        one => vec![one],
    };
    let error = |language: &str, reason: &str| AsrError::Language {
        language: language.to_owned(),
        model: path.to_owned(),
        reason: reason.to_owned(),
    };
    if !context.is_multilingual() {
        return match wanted.contains(&"en") {
            true => Ok(Vec::new()),
            false => {
                let asked = wanted.first().copied().unwrap_or("auto");
                Err(error(asked, "the model knows English only"))
            }
        };
    }
    let prompt = |code: &&str| {
        let id =
            whisper_rs::get_lang_id(code).ok_or_else(|| error(code, "no such language code"))?;
        Ok((context.token_lang(id), (*code).to_owned()))
    };
    wanted.iter().map(prompt).collect()
}

impl Model {
    /// The words of `tokens`.
    fn text(&self, tokens: &[WhisperTokenId]) -> String {
        let mut bytes = Vec::new();
        for &token in tokens {
            if let Ok(piece) = self.context.token_to_bytes(token) {
                bytes.extend_from_slice(piece);
            }
        }
        // A loop that was cut can end inside a character.
        String::from_utf8_lossy(&bytes).replace('\u{fffd}', "").trim().to_owned()
    }

    /// The tokens that may stand in a text.
    fn tokens(&self) -> &Tokens {
        self.tokens.get_or_init(|| {
            let ids = (0..self.context.token_eot()).filter(|id| !self.suppressed.contains(id));
            Tokens::new(
                ids.filter_map(|id| Some((id, self.context.token_to_bytes(id).ok()?.to_vec()))),
            )
        })
    }

    /// The logits of the tokens that may be chosen; those of the others are minus infinity.
    fn choices(&self, logits: &[f32], first: bool) -> Vec<f32> {
        let eot = self.context.token_eot();
        // Tokens above the end token are prompts and timestamps, never text.
        let mut allowed = logits[..=index(eot).min(logits.len() - 1)].to_vec();
        let mut forbid = |id: WhisperTokenId| {
            if let Some(value) = allowed.get_mut(index(id)) {
                *value = f32::NEG_INFINITY;
            }
        };
        self.suppressed.iter().copied().for_each(&mut forbid);
        if first {
            self.blank.into_iter().chain([eot]).for_each(&mut forbid);
        }
        allowed
    }

    /// The log-probability of a token among the allowed ones.
    fn logprob(&self, logits: &[f32], token: WhisperTokenId, first: bool) -> f64 {
        let allowed = self.choices(logits, first);
        let max = most(&allowed);
        f64::from(logit(&allowed, token) - max) - log_sum(&allowed, max)
    }

    /// The most probable allowed token and its log-probability among the allowed ones.
    fn choose(&self, logits: &[f32], first: bool) -> (WhisperTokenId, f64) {
        let eot = self.context.token_eot();
        let allowed = self.choices(logits, first);
        let (best, max) = allowed
            .iter()
            .copied()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .unwrap_or((index(eot), 0.0));
        (WhisperTokenId::try_from(best).unwrap_or(eot), -log_sum(&allowed, max))
    }
}

/// Steps of the decoder for a search, which goes back and forth between beginnings of sentences.
struct Steps<'a> {
    state: &'a mut WhisperState,
    model: &'a Model,
    threads: usize,
    prompt: usize,
    /// The tokens behind the prompt that the decoder has seen.
    decoded: Vec<WhisperTokenId>,
}

impl Logits for Steps<'_> {
    type Error = AsrError;

    fn after(&mut self, tokens: &[WhisperTokenId]) -> Result<Vec<f32>, AsrError> {
        let failed = |e| engine("decode", &e);
        let shared = self.decoded.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let Some((last, before)) = tokens.split_last() else {
            return Err(AsrError::Engine {
                step: "decode",
                reason: "no token was given to go on from".into(),
            });
        };
        let from = shared.min(before.len());
        // Only the logits of a batch's first row can be seen, so the last token goes alone.
        if from < before.len() {
            self.state.decode(&before[from..], self.prompt + from, self.threads).map_err(failed)?;
        }
        self.state.decode(&[*last], self.prompt + before.len(), self.threads).map_err(failed)?;
        self.decoded = tokens.to_vec();
        let logits = self.state.get_logits().map_err(failed)?;
        Ok(logits[..=index(self.end()).min(logits.len() - 1)].to_vec())
    }

    fn normalised(&self, logits: &[f32], first: bool) -> Vec<f32> {
        let mut row = self.model.choices(logits, first);
        let max = most(&row);
        let total = max + log_sum(&row, max) as f32;
        row.iter_mut().for_each(|logit| *logit -= total);
        row
    }

    fn end(&self) -> WhisperTokenId {
        self.model.context.token_eot()
    }
}

impl Recognizer for Whisper {
    fn constrain(&mut self, language: &str, grammar: Option<Box<dyn Grammar>>) {
        let base = language.split(['-', '_']).next().unwrap_or(language).to_owned();
        match grammar {
            Some(grammar) => {
                let constraint = Constraint { grammar, allowed: Allowed::default() };
                self.constraints.insert(base, constraint);
            }
            None => {
                self.constraints.remove(&base);
            }
        }
    }

    fn set_task(&mut self, task: &Task) -> Result<(), AsrError> {
        if self.task.language != task.language {
            let Model { context, path, .. } = &*self.model;
            self.languages = prompts(context, &self.config, path, task.language.as_deref())?;
        }
        self.task = task.clone();
        Ok(())
    }

    fn set_free(&mut self, free: bool) {
        self.task.free = free;
    }

    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        let mut whole = Transcript { no_speech_prob: 1.0, ..Transcript::default() };
        let mut at = 0;
        while at < audio.len() {
            let rest = &audio[at..];
            let window = if rest.len() <= WINDOW { rest.len() } else { quiet_cut(rest) };
            let Some(mut part) = self.transcribe_window(&rest[..window], stop)? else {
                return Ok(());
            };
            let offset = at as f64 / f64::from(SAMPLE_RATE);
            let end = (at + window) as f64 / f64::from(SAMPLE_RATE);
            for segment in &mut part.segments {
                segment.start += offset;
                segment.end = (segment.end + offset).min(end);
            }
            append(&mut whole, part);
            at += window;
            if at < audio.len() {
                out(Hypothesis::Partial(whole.clone()));
            }
        }
        out(Hypothesis::Final(whole));
        Ok(())
    }
}

/// Adds the transcript of the next window.
fn append(whole: &mut Transcript, part: Transcript) {
    if part.text.is_empty() && !whole.text.is_empty() {
        return;
    }
    if whole.text.is_empty() {
        *whole = part;
        return;
    }
    if part.language != "zh" {
        whole.text.push(' ');
    }
    whole.text.push_str(&part.text);
    whole.segments.extend(part.segments);
    // A command is not longer than a window.
    whole.readings.clear();
    // The weaker evidence speaks for the whole.
    whole.avg_logprob = whole.avg_logprob.min(part.avg_logprob);
    whole.no_speech_prob = whole.no_speech_prob.min(part.no_speech_prob);
}

/// How many tokens the first round has, with its stop, of what was said twice over.
fn first_round<T>(tokens: &[T], text: &dyn Fn(&[T]) -> String) -> Option<usize> {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let whole = text(tokens);
    if !doubled(&whole) {
        return None;
    }
    let half = (1..tokens.len()).find(|&n| 2 * letters(&text(&tokens[..n])) >= letters(&whole))?;
    let stop = tokens.get(half..=half).is_some_and(|token| {
        let mark = text(token);
        // A part of a character has no text.
        !mark.is_empty() && letters(&mark) == 0
    });
    Some(half + usize::from(stop))
}

/// Where to cut audio that is longer than a window: the quietest 50 ms of its last ten seconds.
fn quiet_cut(audio: &[f32]) -> usize {
    let block = SAMPLE_RATE as usize / 20;
    let first = (WINDOW - WINDOW / 3) / block;
    let last = WINDOW / block;
    let energy =
        |b: usize| -> f32 { audio[b * block..(b + 1) * block].iter().map(|s| s * s).sum() };
    let quietest = (first..last).min_by(|a, b| energy(*a).total_cmp(&energy(*b)));
    quietest.unwrap_or(last - 1) * block + block / 2
}

extern "C" fn do_not_encode(
    _context: *mut WhisperSysContext,
    _state: *mut WhisperSysState,
    _user_data: *mut c_void,
) -> bool {
    false
}

/// whisper.cpp trusts a model file's numbers; so look at them before it does.
fn check_header(path: &Path) -> Result<(), String> {
    use std::io::Read;
    let mut file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let mut head = [0u8; 48];
    file.read_exact(&mut head).map_err(|_| {
        "the file is too short to be a model; fetch it again with `hearken models pull`".to_owned()
    })?;
    let mut words = head.chunks_exact(4).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]));
    if words.next() != Some(0x6767_6d6c) {
        return Err(
            "the file is not in whisper.cpp's ggml format; `hearken models import` converts others"
                .into(),
        );
    }
    let h: Vec<u32> = words.collect();
    let plausible = (50_000..60_000).contains(&h[0])
        && h[1] as usize == FULL_CONTEXT
        && (64..=2048).contains(&h[2])
        && (1..=64).contains(&h[3])
        && (1..=64).contains(&h[4])
        && (1..=2048).contains(&h[5])
        && (64..=2048).contains(&h[6])
        && (1..=64).contains(&h[7])
        && (1..=64).contains(&h[8])
        && (80..=128).contains(&h[9]);
    if plausible { Ok(()) } else { Err(format!("the header holds impossible sizes: {h:?}")) }
}

fn engine(step: &'static str, error: &whisper_rs::WhisperError) -> AsrError {
    AsrError::Engine { step, reason: error.to_string() }
}

fn index(token: WhisperTokenId) -> usize {
    usize::try_from(token).unwrap_or(0)
}

fn logit(logits: &[f32], token: WhisperTokenId) -> f32 {
    logits.get(index(token)).copied().unwrap_or(f32::NEG_INFINITY)
}

/// The greatest logit.
fn most(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The logarithm of the sum of all exponentials, less `max`, the greatest logit.
fn log_sum(logits: &[f32], max: f32) -> f64 {
    logits.iter().map(|&l| f64::from(l - max).exp()).sum::<f64>().ln()
}

fn probability(logits: &[f32], token: WhisperTokenId) -> f32 {
    let max = most(logits);
    let sum: f32 = logits.iter().map(|l| (l - max).exp()).sum();
    (logit(logits, token) - max).exp() / sum
}

/// OpenAI's list of tokens that mark sounds rather than words. The colon is left out of it: times
/// are written with one.
const NON_SPEECH: &[&str] = &[
    "\"",
    "#",
    "(",
    ")",
    "*",
    "+",
    "/",
    ";",
    "<",
    "=",
    ">",
    "@",
    "[",
    "\\",
    "]",
    "^",
    "_",
    "`",
    "{",
    "|",
    "}",
    "~",
    "「",
    "」",
    "『",
    "』",
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    "(\"",
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
    "♪♪",
    "♪♪♪",
    "♩",
    "♪",
    "♫",
    "♬",
    "♭",
    "♮",
    "♯",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_recording_is_cut_where_it_is_quiet() {
        let mut audio = vec![0.5; WINDOW + 1000];
        let quiet = 25 * SAMPLE_RATE as usize;
        audio[quiet..quiet + 1600].fill(0.0);
        let cut = quiet_cut(&audio);
        assert!((quiet..quiet + 1600).contains(&cut), "{cut}");
    }

    #[test]
    fn what_was_said_twice_was_said_once() {
        let text = |tokens: &[&str]| tokens.concat();
        for (tokens, once) in [
            (vec![" Lock", " the", " door", ".", " Lock", " the", " door", "."], Some(4)),
            (vec![" Lock", " the", " door", " Lock", " the", " door", "."], Some(3)),
            (vec!["打开", "书房", "灯", "打开", "书房", "灯"], Some(3)),
            (vec![" Lock", " the", " door", "."], None),
            (vec![], None),
        ] {
            assert_eq!(first_round(&tokens, &text), once, "{tokens:?}");
        }
    }

    #[test]
    fn files_that_are_no_models_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes, want) in [
            ("empty.bin", vec![], "too short"),
            ("text.bin", vec![b'x'; 100], "not in whisper.cpp's"),
            ("zeros.bin", [&0x6767_6d6cu32.to_le_bytes()[..], &[0; 100]].concat(), "impossible"),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let error = Whisper::open(&path, &Config::default()).err().unwrap().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn an_unknown_language_is_a_problem_of_the_configuration() {
        let config = Config { languages: vec!["en".into(), "klingon".into()], ..Config::default() };
        assert_eq!(config.problems().len(), 1);
        assert!(config.problems()[0].contains("klingon"));
        assert!(Config::default().problems().is_empty());
    }
}
