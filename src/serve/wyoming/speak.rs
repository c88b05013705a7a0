//! Text to speech: whole texts, and texts that arrive in pieces.

use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Event, Gone, Peer, State, error, failure};
use crate::asr::written_language;
use crate::audio::to_s16le;
use crate::session::VoiceInfo;
use crate::tts::Clauses;

/// Samples in a chunk: 85 ms of the slower voices.
const CHUNK: usize = 2048;
/// The longest text in bytes; longer ones come in pieces.
const LONGEST_TEXT: usize = 64 * 1024;

/// A text that is arriving.
pub(super) struct Speaking {
    wanted: Wanted,
    clauses: Clauses,
    bytes: usize,
    /// The voice, once it is known, and the silence that belongs before its next clause.
    voice: Option<VoiceInfo>,
    pause_ms: u32,
    /// An error was told: the rest is read and not spoken.
    failed: bool,
}

/// The voice as a client asks for it.
#[derive(Debug, Default)]
struct Wanted {
    name: Option<String>,
    language: Option<String>,
    format: Option<String>,
}

impl Wanted {
    fn new(event: &Event) -> Self {
        let voice = event.data.get("voice").and_then(Value::as_object);
        let text = |key: &str| Some(voice?.get(key)?.as_str()?.to_owned());
        Self {
            name: text("name").filter(|name| !name.is_empty()),
            language: text("language"),
            format: event.text("text_format").map(str::to_owned),
        }
    }
}

impl Speaking {
    pub(super) fn new(event: &Event) -> Self {
        Self {
            wanted: Wanted::new(event),
            clauses: Clauses::default(),
            bytes: 0,
            voice: None,
            pause_ms: 0,
            failed: false,
        }
    }
}

impl State {
    /// The text that is arriving, while it is to be spoken.
    fn wanted(&mut self) -> Option<&mut Speaking> {
        self.speaking.as_mut().filter(|speaking| !speaking.failed)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Peer<S> {
    pub(super) async fn synthesize(&mut self, event: &Event) -> Result<(), Gone> {
        let text = event.text("text").unwrap_or_default().to_owned();
        let voice = match self.voice(&Wanted::new(event), &text) {
            Ok(voice) => voice,
            Err(wrong) => return self.send(&wrong).await,
        };
        if text.len() > LONGEST_TEXT {
            let text = format!(
                "a text of {} bytes; give it in pieces of at most {LONGEST_TEXT}",
                text.len()
            );
            return self.send(&error(&text, "too-long")).await;
        }
        self.send(&form("audio-start", &voice)).await?;
        let spoken = self.say(&voice, &text, 0).await?;
        if let Err(failed) = spoken {
            self.send(&failed).await?;
        }
        self.send(&Event::new("audio-stop")).await
    }

    pub(super) async fn synthesize_chunk(
        &mut self,
        event: &Event,
        state: &mut State,
    ) -> Result<(), Gone> {
        let Some(speaking) = state.wanted() else { return Ok(()) };
        let text = event.text("text").unwrap_or_default();
        speaking.bytes += text.len();
        if speaking.bytes > 16 * LONGEST_TEXT {
            speaking.failed = true;
            return self
                .send(&error("more text than is spoken in one go; begin anew", "too-long"))
                .await;
        }
        speaking.clauses.push(text);
        self.say_clauses(state).await
    }

    pub(super) async fn synthesize_stop(&mut self, state: &mut State) -> Result<(), Gone> {
        if let Some(speaking) = state.wanted() {
            speaking.clauses.finish();
        }
        self.say_clauses(state).await?;
        if let Some(speaking) = state.speaking.take()
            && speaking.voice.is_some()
        {
            self.send(&Event::new("audio-stop")).await?;
        }
        self.send(&Event::new("synthesize-stopped")).await
    }

    /// Speaks the clauses that are whole.
    async fn say_clauses(&mut self, state: &mut State) -> Result<(), Gone> {
        while let Some(speaking) = state.wanted() {
            let Some(clause) = speaking.clauses.pull() else { return Ok(()) };
            let voice = match &speaking.voice {
                Some(voice) => voice.clone(),
                None => match self.voice(&speaking.wanted, &clause.text) {
                    Ok(voice) => {
                        speaking.voice = Some(voice.clone());
                        self.send(&form("audio-start", &voice)).await?;
                        voice
                    }
                    Err(wrong) => {
                        speaking.failed = true;
                        return self.send(&wrong).await;
                    }
                },
            };
            let pause = std::mem::replace(&mut speaking.pause_ms, clause.pause_ms);
            if let Err(failed) = self.say(&voice, &clause.text, pause).await? {
                speaking.failed = true;
                return self.send(&failed).await;
            }
        }
        Ok(())
    }

    /// Speaks a text after a pause; an error of the voice is an event for the client.
    async fn say(
        &mut self,
        voice: &VoiceInfo,
        text: &str,
        pause_ms: u32,
    ) -> Result<Result<(), Event>, Gone> {
        if text.trim().is_empty() {
            return Ok(Ok(()));
        }
        let began = Instant::now();
        let mut sound = match self.house.shared.tts().speak(&voice.id, 1.0, text) {
            Ok(sound) => sound,
            Err(failed) => {
                self.house.refused("wyoming", "busy");
                return Ok(Err(failure(&failed)));
            }
        };
        let mut silence = pause_ms as usize * voice.sample_rate as usize / 1000;
        let mut first = true;
        while let Some(chunk) = self.during(sound.next()).await? {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(failed) => return Ok(Err(failure(&failed))),
            };
            let labels = [("door", "wyoming")];
            if std::mem::take(&mut first) {
                let metrics = &self.house.metrics;
                metrics.time("hearken_door_first_audio_seconds", began.elapsed(), &labels);
            }
            let seconds = chunk.samples.len() as f64 / f64::from(chunk.sample_rate.max(1));
            self.house.metrics.add("hearken_audio_seconds_total", seconds, &labels);
            let quiet = vec![0.0; std::mem::take(&mut silence)];
            for samples in quiet.chunks(CHUNK).chain(chunk.samples.chunks(CHUNK)) {
                let mut event = form("audio-chunk", voice);
                event.payload = to_s16le(samples).into();
                self.send(&event).await?;
            }
        }
        Ok(Ok(()))
    }

    /// The installed voice that is meant.
    fn voice(&self, wanted: &Wanted, text: &str) -> Result<VoiceInfo, Box<Event>> {
        let shared = &self.house.shared;
        let spoken = ["text", "ssml"];
        if let Some(format) = wanted.format.as_deref().filter(|format| !spoken.contains(format)) {
            let text = format!("texts in {format:?} are not spoken; send plain text or SSML");
            return Err(Box::new(error(&text, "text-format")));
        }
        match (&wanted.name, &wanted.language) {
            (Some(name), _) => {
                let all = shared.voices();
                let known = all.iter().find(|voice| voice.id == *name || voice.name == *name);
                known.cloned().ok_or_else(|| {
                    let name: String = name.chars().take(60).collect();
                    let text =
                        format!("no voice {name:?} is installed; `describe` tells which are");
                    Box::new(error(&text, "no-voice"))
                })
            }
            (None, language) => {
                let language = language.as_deref().unwrap_or_else(|| written_language(text));
                shared
                    .voice_for(language)
                    .ok_or_else(|| Box::new(error("no voice is installed", "no-voice")))
            }
        }
    }
}

/// An event that says how the audio stands.
fn form(kind: &str, voice: &VoiceInfo) -> Event {
    Event::new(kind).with("rate", voice.sample_rate).with("width", 2).with("channels", 1)
}
