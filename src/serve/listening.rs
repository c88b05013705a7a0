//! Sockets that only transcribe, in the shapes of two servers that many clients know: Vosk's (`/vosk`)
//! and Deepgram's (`/v1/listen`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::http::{ApiError, Place};
use super::stream::PROTOCOL;
use super::{Guest, House, WRITE_LIMIT};
use crate::asr::Hypothesis;
use crate::asr::Segment;
use crate::asr::Task;
use crate::asr::Transcript;
use crate::audio::PcmIntake;
use crate::session::AsrHandle;
use crate::session::FileTranscript;
use crate::session::HandleError;
use crate::session::Listened;
use crate::session::Listener;
use crate::session::Recognition;
use crate::session::chain;

/// The largest message of a client in bytes.
const LARGEST: usize = 2 * 1024 * 1024;

/// Utterances of one connection that may be at the recogniser; more are read once one is recognised.
const MOST_JOBS: usize = 3;
/// How much more must be said before it is recognised anew, in samples: a second.
const INTERIM_EVERY: usize = 16_000;

/// Sound that is transcribed as it arrives.
struct Ears {
    house: Arc<House>,
    asr: AsrHandle,
    listener: Listener,
    intake: PcmIntake,
    task: Task,
    samples: Vec<f32>,
    /// At the recogniser, with where each begins and ends in seconds.
    jobs: VecDeque<(f64, f64, Recognition)>,
    /// What was said so far, at the recogniser too, where that is asked for.
    interim: Option<(f64, f64, Recognition)>,
    interim_asked: bool,
    /// How many samples of the utterance the last one had.
    interim_at: usize,
}

/// An utterance that was recognised.
struct Said {
    start: f64,
    end: f64,
    transcript: Transcript,
    /// Whether the utterance is over.
    is_final: bool,
}

/// Why a socket closes, as its client is told.
struct End {
    code: u16,
    reason: String,
}

impl Default for End {
    fn default() -> Self {
        Self { code: 1000, reason: String::new() }
    }
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self { reason, ..Self::default() }
    }
}

impl From<&str> for End {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl From<HandleError> for End {
    fn from(error: HandleError) -> Self {
        // The registered codes for "try again later" and for a failure.
        let code = if error.is_retryable() { 1013 } else { 1011 };
        Self { code, reason: chain(&error) }
    }
}

impl Said {
    /// The words with their times.
    fn words(&self) -> Vec<Segment> {
        let text = self.transcript.text.clone();
        let segments = vec![Segment { start: self.start, end: self.end, text }];
        FileTranscript { segments, ..FileTranscript::default() }.words()
    }

    fn confidence(&self) -> f32 {
        self.transcript.avg_logprob.min(0.0).exp()
    }
}

impl Ears {
    fn new(
        house: &Arc<House>,
        intake: PcmIntake,
        language: Option<&str>,
    ) -> Result<Self, HandleError> {
        let language = language.map(|tag| tag.split('-').next().unwrap_or(tag).to_lowercase());
        Ok(Self {
            listener: house.shared.listener(house.shared.detect_settings())?,
            asr: house.shared.asr().fork(),
            house: Arc::clone(house),
            intake,
            task: Task { language, free: true, ..Task::default() },
            samples: Vec::new(),
            jobs: VecDeque::new(),
            interim: None,
            interim_asked: false,
            interim_at: 0,
        })
    }

    /// Takes sound; `end` when it is the last. Tells where speech began, in seconds.
    fn push(&mut self, bytes: &[u8], end: bool) -> Result<Vec<f64>, HandleError> {
        let failed = |error: crate::audio::AudioError| crate::session::EngineError::from(error);
        self.samples.clear();
        self.intake.push(bytes, &mut self.samples).map_err(failed)?;
        let mut heard = Vec::new();
        if end {
            self.intake.finish(&mut self.samples).map_err(failed)?;
        }
        self.listener.push(&self.samples, &mut |what| heard.push(what));
        if end {
            self.listener.finish(&mut |what| heard.push(what));
        }
        let mut began = Vec::new();
        for heard in heard {
            match heard {
                Listened::Started(at) => {
                    self.interim_at = 0;
                    began.push(at.seconds());
                }
                Listened::Utterance { start, stopped, audio } => {
                    self.interim = None;
                    let job = self.asr.transcribe(audio, self.task.clone());
                    let job = job.inspect_err(|_| self.house.refused("listen", "busy"))?;
                    self.jobs.push_back((start.seconds(), stopped.seconds(), job));
                }
            }
        }
        self.ask_so_far();
        Ok(began)
    }

    /// Has what was said so far recognised, when a second has come since the last time and nobody's
    /// whole utterance waits.
    fn ask_so_far(&mut self) {
        if !self.interim_asked || self.interim.is_some() || !self.jobs.is_empty() {
            return;
        }
        let Some((start, audio)) = self.listener.so_far() else { return };
        if audio.len() < self.interim_at + INTERIM_EVERY {
            return;
        }
        self.interim_at = audio.len();
        let (start, end) = (start.seconds(), self.listener.now().seconds());
        // Who is busy does without.
        let job = self.asr.transcribe(audio.to_vec(), self.task.clone());
        self.interim = job.ok().map(|job| (start, end, job));
    }

    /// The next utterance that was recognised; never, while none is at the recogniser. May be dropped
    /// while it waits.
    async fn next(&mut self) -> Result<Said, HandleError> {
        loop {
            let Some((start, end, job)) = self.jobs.front_mut() else {
                let Some((start, end, job)) = &mut self.interim else {
                    return std::future::pending().await;
                };
                let (start, end) = (*start, *end);
                match job.next().await {
                    Some(Ok(Hypothesis::Partial(_))) => {}
                    Some(Ok(Hypothesis::Final(transcript))) => {
                        self.interim = None;
                        return Ok(Said { start, end, transcript, is_final: false });
                    }
                    Some(Err(_)) | None => self.interim = None,
                }
                continue;
            };
            let (start, end) = (*start, *end);
            match job.next().await {
                Some(Ok(Hypothesis::Partial(_))) => {}
                Some(Ok(Hypothesis::Final(transcript))) => {
                    self.jobs.pop_front();
                    return Ok(Said { start, end, transcript, is_final: true });
                }
                Some(Err(error)) => {
                    self.jobs.pop_front();
                    return Err(error);
                }
                None => drop(self.jobs.pop_front()),
            }
        }
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match tokio::time::timeout(WRITE_LIMIT, socket.send(message)).await {
        Ok(sent) => Ok(sent.map_err(|error| error.to_string())?),
        Err(_) => Err("the client takes nothing".into()),
    }
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), End> {
    write(socket, Message::Text(value.to_string().into())).await
}

async fn close(mut socket: WebSocket, end: &End) {
    let reason: String = end.reason.chars().take(100).collect();
    let frame = CloseFrame { code: end.code, reason: reason.into() };
    let _ = write(&mut socket, Message::Close(Some(frame))).await;
}

/// `/vosk`: each message with sound is answered by one message, as Vosk's clients expect.
pub(super) async fn vosk(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _guest = Guest::new(&house, "vosk");
        let ended = vosk_talk(&mut socket, &house).await;
        close(socket, &ended.err().unwrap_or_default()).await;
        drop(place);
    }))
}

async fn vosk_talk(socket: &mut WebSocket, house: &Arc<House>) -> Result<(), End> {
    let (mut rate, mut words) = (16_000, false);
    let mut ears: Option<Ears> = None;
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    loop {
        let idle = (Instant::now() + house.idle()).min(end);
        let message = tokio::select! {
            message = socket.recv() => message,
            () = tokio::time::sleep_until(idle) => return Err("nothing came for too long".into()),
            () = house.stop.cancelled() => return Err("the server closes".into()),
        };
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let ears = match &mut ears {
                    Some(ears) => ears,
                    none => none.insert(vosk_ears(house, rate)?),
                };
                ears.push(&bytes, false)?;
                let answer = vosk_answer(ears, words, false).await?;
                send(socket, &answer).await?;
            }
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                if let Some(config) = message.get("config") {
                    let wanted = config.get("sample_rate").and_then(Value::as_f64);
                    rate = wanted.map_or(rate, |rate| rate as u32);
                    words = config.get("words").is_some_and(|words| words == true || *words == 1);
                } else if message.get("reset").is_some() {
                    ears = None;
                } else if message.get("eof").is_some() {
                    let mut last = match ears.take() {
                        Some(ears) => ears,
                        None => vosk_ears(house, rate)?,
                    };
                    last.push(&[], true)?;
                    let answer = vosk_answer(&mut last, words, true).await?;
                    send(socket, &answer).await?;
                    return Ok(());
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
            Some(Ok(_)) => {}
        }
    }
}

fn vosk_ears(house: &Arc<House>, rate: u32) -> Result<Ears, End> {
    let intake = PcmIntake::new("sample_rate", rate, 2, 1).map_err(|e| e.to_string())?;
    Ok(Ears::new(house, intake, None)?)
}

async fn vosk_answer(ears: &mut Ears, words: bool, last: bool) -> Result<Value, End> {
    let (mut text, mut result) = (String::new(), Vec::new());
    let any = !ears.jobs.is_empty();
    while !ears.jobs.is_empty() {
        let said = ears.next().await?;
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&said.transcript.text);
        let conf = said.confidence();
        let word = |word: Segment| json!({ "word": word.text, "start": word.start, "end": word.end, "conf": conf });
        result.extend(said.words().into_iter().map(word));
    }
    Ok(match (any || last, words && !result.is_empty()) {
        (false, _) => json!({ "partial": "" }),
        (true, false) => json!({ "text": text }),
        (true, true) => json!({ "result": result, "text": text }),
    })
}

/// What the address of `/v1/listen` asks for. What is not here is passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    encoding: Option<String>,
    sample_rate: Option<u32>,
    channels: Option<usize>,
    language: Option<String>,
    #[serde(default)]
    vad_events: bool,
    #[serde(default)]
    interim_results: bool,
    utterance_end_ms: Option<u32>,
}

/// `/v1/listen`: results as they come.
pub(super) async fn listen(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let Query(asked) = asked?;
    let upgrade = upgrade?;
    if let Some(encoding) = asked.encoding.as_deref().filter(|encoding| *encoding != "linear16") {
        let encoding: String = encoding.chars().take(40).collect();
        return Err(ApiError::invalid(
            "encoding",
            format!("{encoding:?} is not taken; send linear16"),
        ));
    }
    let (rate, channels) = (asked.sample_rate.unwrap_or(16_000), asked.channels.unwrap_or(1));
    let intake = PcmIntake::new("sample_rate", rate, 2, channels)
        .map_err(|wrong| ApiError::invalid("sample_rate", wrong.to_string()))?;
    let mut ears = Ears::new(&house, intake, asked.language.as_deref()).map_err(ApiError::from)?;
    ears.interim_asked = asked.interim_results;
    // For the page, which shows its token among the sub-protocols.
    let upgrade = upgrade.protocols([PROTOCOL]);
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _guest = Guest::new(&house, "listen");
        let ended = listen_talk(&mut socket, &house, ears, &asked).await;
        close(socket, &ended.err().unwrap_or_default()).await;
        drop(place);
    }))
}

async fn listen_talk(
    socket: &mut WebSocket,
    house: &Arc<House>,
    mut ears: Ears,
    asked: &Asked,
) -> Result<(), End> {
    let id = format!("{:032x}", house.next_session());
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    loop {
        let idle = (Instant::now() + house.idle()).min(end);
        tokio::select! {
            message = socket.recv(), if ears.jobs.len() < MOST_JOBS => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let began = ears.push(&bytes, bytes.is_empty())?;
                    for at in began.into_iter().filter(|_| asked.vad_events) {
                        send(socket, &json!({ "type": "SpeechStarted", "channel": [0], "timestamp": at })).await?;
                    }
                    // An empty message is the older way to say that all was sent.
                    if bytes.is_empty() {
                        break;
                    }
                }
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                    match message["type"].as_str() {
                        Some("CloseStream") => {
                            ears.push(&[], true)?;
                            break;
                        }
                        Some("Finalize") => {
                            ears.push(&[], true)?;
                            told(socket, &mut ears, &id, asked, true).await?;
                        }
                        _ => {}
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            said = ears.next() => {
                let said = said?;
                tell(socket, &said, &id, asked, false).await?;
            }
            () = house.stop.cancelled() => {
                ears.push(&[], true)?;
                break;
            }
            () = tokio::time::sleep_until(idle) => return Err("nothing came for too long".into()),
        }
    }
    told(socket, &mut ears, &id, asked, false).await?;
    let duration = ears.listener.now().seconds();
    send(
        socket,
        &json!({ "type": "Metadata", "request_id": id, "duration": duration, "channels": 1 }),
    )
    .await
}

/// Tells everything that is still at the recogniser.
async fn told(
    socket: &mut WebSocket,
    ears: &mut Ears,
    id: &str,
    asked: &Asked,
    finalized: bool,
) -> Result<(), End> {
    while !ears.jobs.is_empty() {
        let said = ears.next().await?;
        tell(socket, &said, id, asked, finalized).await?;
    }
    Ok(())
}

async fn tell(
    socket: &mut WebSocket,
    said: &Said,
    id: &str,
    asked: &Asked,
    finalized: bool,
) -> Result<(), End> {
    let confidence = said.confidence();
    let words = said.words().into_iter().map(|word| {
        let plain = word.text.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase();
        json!({
            "word": plain, "punctuated_word": word.text, "start": word.start, "end": word.end, "confidence": confidence,
        })
    });
    let alternative = json!({
        "transcript": said.transcript.text, "confidence": confidence, "words": words.collect::<Value>(),
    });
    let result = json!({
        "type": "Results", "channel_index": [0, 1], "start": said.start, "duration": said.end - said.start,
        "is_final": said.is_final, "speech_final": said.is_final, "from_finalize": finalized,
        "channel": { "alternatives": [alternative] }, "metadata": { "request_id": id },
    });
    send(socket, &result).await?;
    if said.is_final && asked.utterance_end_ms.is_some() {
        let event = json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": said.end });
        send(socket, &event).await?;
    }
    Ok(())
}
