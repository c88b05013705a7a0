//! `/v1/audio/transcriptions` and `/v1/audio/translations`.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::multipart::Form;
use super::{ApiError, House, models, sse};
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Task;
use crate::audio::FileSource;
use crate::session::AsrHandle;
use crate::session::EngineError;
use crate::session::FileTranscript;
use crate::session::HandleError;
use crate::session::transcribe_source;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
    Srt,
    Vtt,
    Verbose,
}

/// What is asked for.
struct Asked {
    file: tempfile::NamedTempFile,
    format: Format,
    task: Task,
    stream: bool,
    words: bool,
    segments: bool,
}

pub(super) async fn transcriptions(
    State(house): State<Arc<House>>,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    answer(house, body, false).await
}

pub(super) async fn translations(
    State(house): State<Arc<House>>,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    answer(house, body, true).await
}

async fn answer(
    house: Arc<House>,
    body: Result<Multipart, MultipartRejection>,
    translate: bool,
) -> Result<Response, ApiError> {
    let kind = if translate { "translate" } else { "transcribe" };
    house.metrics.add("hearken_requests_total", 1.0, &[("door", "http"), ("kind", kind)]);
    let body = body.map_err(|wrong| {
        ApiError::invalid(
            "",
            format!("send the recording as multipart/form-data: {}", wrong.body_text()),
        )
    })?;
    // Before the recording is sent, not after it.
    house.shared.asr().check().inspect_err(|_| house.refused("http", "busy"))?;
    let asked = asked(&house, Form::read(body).await?, translate)?;
    match asked.stream {
        true => stream(house, asked).await,
        false => whole(house, asked).await,
    }
}

fn asked(house: &House, mut form: Form, translate: bool) -> Result<Asked, ApiError> {
    let file = form
        .file
        .take()
        .ok_or_else(|| ApiError::invalid("file", "no recording: send one as `file`"))?;
    let model = form
        .get("model")
        .ok_or_else(|| ApiError::invalid("model", "no model: send `model`, such as whisper-1"))?;
    if !models::is_recogniser(&house.shared, model) {
        return Err(ApiError::no_model(model));
    }
    let format = match form.get("response_format").unwrap_or("json") {
        "json" => Format::Json,
        "text" => Format::Text,
        "srt" => Format::Srt,
        "vtt" => Format::Vtt,
        "verbose_json" => Format::Verbose,
        other => {
            let other: String = other.chars().take(40).collect();
            let message = format!("{other:?} is none of json, text, srt, verbose_json, vtt");
            return Err(ApiError::invalid("response_format", message));
        }
    };
    if let Some(temperature) = form.get("temperature") {
        let number: Option<f32> = temperature.parse().ok().filter(|t| (0.0..=1.0).contains(t));
        if number.is_none() {
            let shown: String = temperature.chars().take(20).collect();
            return Err(ApiError::invalid(
                "temperature",
                format!("{shown:?} is not between 0 and 1"),
            ));
        }
    }
    let (mut words, mut segments) = (false, false);
    for what in form.all("timestamp_granularities") {
        match what {
            "word" => words = true,
            "segment" => segments = true,
            other => {
                let other: String = other.chars().take(40).collect();
                let message = format!("{other:?} is neither word nor segment");
                return Err(ApiError::invalid("timestamp_granularities", message));
            }
        }
    }
    if words && format != Format::Verbose {
        let message = "times of words come with response_format verbose_json only";
        return Err(ApiError::invalid("timestamp_granularities", message));
    }
    let stream = match form.get("stream").unwrap_or("false") {
        "true" | "True" | "1" => true,
        "false" | "False" | "0" => false,
        other => {
            let other: String = other.chars().take(20).collect();
            return Err(ApiError::invalid(
                "stream",
                format!("{other:?} is neither true nor false"),
            ));
        }
    };
    if stream && !matches!(format, Format::Json | Format::Text) {
        return Err(ApiError::invalid("stream", "a stream has the response_format json or text"));
    }
    let language =
        form.get("language").map(|tag| tag.split('-').next().unwrap_or(tag).to_lowercase());
    let task = Task { language, translate, free: true };
    Ok(Asked { file, format, task, stream, words, segments: segments || !words })
}

/// Transcribes in a thread that may wait; `heard` is told what was heard so far, and returns whether to
/// go on.
async fn transcribe(
    house: &Arc<House>,
    asked: &mut Asked,
    mut heard: impl FnMut(&FileTranscript) -> bool + Send + 'static,
) -> Result<FileTranscript, ApiError> {
    let (house, task, path) = (Arc::clone(house), asked.task.clone(), asked.file.path().to_owned());
    let stop = CancellationToken::new();
    // A client that leaves takes its request's future along, and this guard with it.
    let _guard = stop.clone().drop_guard();
    let work = tokio::task::spawn_blocking(move || -> Result<FileTranscript, ApiError> {
        let began = Instant::now();
        let shared = &house.shared;
        let most = house.config.max_audio_s as f64;
        let mut source =
            FileSource::open(&path).map_err(|error| wrong_file(&error.to_string(), &path))?;
        let mut detector = shared.detector().map_err(HandleError::from)?;
        let mut endpointer = shared.endpointer();
        let mut recogniser = Reader { asr: shared.asr().fork().with_task(task), begun: false };
        let mut too_long = false;
        let done = transcribe_source(
            &mut source,
            &mut *detector,
            &mut endpointer,
            &mut recogniser,
            &mut |seconds, so_far| {
                too_long = seconds > most;
                !too_long && !stop.is_cancelled() && heard(so_far)
            },
        );
        if too_long {
            return Err(ApiError::invalid(
                "file",
                format!("the recording is longer than {most} seconds"),
            ));
        }
        let transcript = done.map_err(|error| match error {
            EngineError::Audio(error) => wrong_file(&error.to_string(), &path),
            EngineError::Asr(error) => {
                if matches!(error, AsrError::Busy { .. }) {
                    house.refused("http", "busy");
                }
                HandleError::Asr(error).into()
            }
            other => HandleError::Engine(other).into(),
        })?;
        let labels = [("door", "http")];
        house.metrics.time("hearken_door_recognition_seconds", began.elapsed(), &labels);
        house.metrics.add("hearken_audio_seconds_total", transcript.duration_s, &labels);
        Ok(transcript)
    });
    work.await.map_err(|_| ApiError::internal("recognition broke off; the log says why"))?
}

/// The recogniser for a recording: the first utterance is refused where it would wait too long, and once
/// that was accepted the others wait.
struct Reader {
    asr: AsrHandle,
    begun: bool,
}

impl Recognizer for Reader {
    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        Recognizer::transcribe(&mut self.asr, audio, stop, out)?;
        if !std::mem::replace(&mut self.begun, true) {
            self.asr = self.asr.clone().patient();
        }
        Ok(())
    }
}

/// A recording that cannot be read; the client knows nothing of our file's name.
fn wrong_file(message: &str, path: &std::path::Path) -> ApiError {
    ApiError::invalid("file", message.replace(&path.display().to_string(), "the recording"))
}

async fn whole(house: Arc<House>, mut asked: Asked) -> Result<Response, ApiError> {
    let transcript = transcribe(&house, &mut asked, |_| true).await?;
    let text =
        |kind: &'static str, text: String| ([(header::CONTENT_TYPE, kind)], text).into_response();
    Ok(match asked.format {
        Format::Text => text("text/plain; charset=utf-8", format!("{}\n", transcript.text)),
        Format::Srt => text("application/x-subrip; charset=utf-8", transcript.srt()),
        Format::Vtt => text("text/vtt; charset=utf-8", transcript.vtt()),
        Format::Json => {
            Json(json!({ "text": transcript.text, "usage": usage(&transcript) })).into_response()
        }
        Format::Verbose => Json(verbose(&transcript, &asked)).into_response(),
    })
}

fn usage(transcript: &FileTranscript) -> Value {
    json!({ "type": "duration", "seconds": transcript.duration_s.ceil() as u64 })
}

fn verbose(transcript: &FileTranscript, asked: &Asked) -> Value {
    let mut all = json!({
        "task": if asked.task.translate { "translate" } else { "transcribe" },
        "language": language_name(&transcript.language),
        "duration": transcript.duration_s,
        "text": transcript.text,
    });
    // A translation has none in the schema.
    if !asked.task.translate {
        all["usage"] = usage(transcript);
    }
    if asked.segments {
        let segments = transcript.segments.iter().enumerate().map(|(id, segment)| {
            let score = transcript.scores.get(id).copied().unwrap_or_default();
            json!({
                "id": id, "seek": (segment.start * 100.0) as u64,
                "start": segment.start, "end": segment.end, "text": segment.text,
                "tokens": [], "temperature": 0.0, "avg_logprob": score.avg_logprob,
                "compression_ratio": compression(&segment.text),
                "no_speech_prob": score.no_speech_prob,
            })
        });
        all["segments"] = segments.collect();
    }
    if asked.words {
        let words = transcript
            .words()
            .into_iter()
            .map(|word| json!({ "word": word.text, "start": word.start, "end": word.end }));
        all["words"] = words.collect();
    }
    all
}

/// OpenAI writes the language's English name here.
fn language_name(code: &str) -> &str {
    match code {
        "en" => "english",
        "zh" => "chinese",
        "de" => "german",
        "fr" => "french",
        "es" => "spanish",
        "ja" => "japanese",
        "ko" => "korean",
        "it" => "italian",
        "pt" => "portuguese",
        "ru" => "russian",
        other => other,
    }
}

/// How well the text packs, as Whisper measures it: what repeats itself packs well.
fn compression(text: &str) -> f64 {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    text.len() as f64 / packed.map_or(1, |bytes| bytes.len()).max(1) as f64
}

/// Each utterance as soon as it is heard.
async fn stream(house: Arc<House>, mut asked: Asked) -> Result<Response, ApiError> {
    let (sender, mut events) = mpsc::channel::<Result<Value, ApiError>>(64);
    let deltas = sender.clone();
    tokio::spawn(async move {
        let told = Arc::new(AtomicUsize::new(0));
        let delta = |text: &str, told: &AtomicUsize| {
            let before = told.swap(text.len(), Ordering::Relaxed);
            let new = text.get(before..).filter(|new| !new.is_empty())?;
            Some(json!({ "type": "transcript.text.delta", "delta": new }))
        };
        let so_far_told = Arc::clone(&told);
        let tell = move |so_far: &FileTranscript| {
            if let Some(event) = delta(&so_far.text, &so_far_told) {
                // A client that takes nothing holds up its own request only; one that left ends it.
                return deltas.blocking_send(Ok(event)).is_ok();
            }
            !deltas.is_closed()
        };
        let done = transcribe(&house, &mut asked, tell).await;
        // What was said up to the end of the recording.
        if let Some(event) = done.as_ref().ok().and_then(|done| delta(&done.text, &told)) {
            let _ = sender.send(Ok(event)).await;
        }
        let last = done.map(|transcript| {
            // Its `usage` would count tokens, which we do not.
            json!({ "type": "transcript.text.done", "text": transcript.text })
        });
        let _ = sender.send(last).await;
    });
    // What is wrong from the beginning is an error and not a stream.
    let first = match events.recv().await {
        Some(first) => first?,
        None => return Err(ApiError::internal("recognition broke off; the log says why")),
    };
    let rest = futures_util::stream::unfold(events, async |mut events| {
        let event = events.recv().await?;
        Some((event.unwrap_or_else(|error| error.body()), events))
    });
    let all = futures_util::StreamExt::chain(futures_util::stream::iter([first]), rest);
    Ok(sse::response(all))
}
