//! XiaoZhi: the protocol of the ESP32 voice devices of that family, over a WebSocket.
//!
//! A device says hello, then sends Opus packets of 60 ms while it listens; it hears what was understood
//! (`stt`), a face (`llm`), and the answer sentence by sentence (`tts`) with Opus packets at the speed of
//! their sound. Versions 2 and 3 put a header before each packet.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use opusic_c::{Application, Channels, Decoder, Encoder, SampleRate};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::http::{ApiError, Place};
use super::live::{Live, Manner, Step};
use super::mcp::{self, Came, Tool};
use super::pace::{Pace, Packet};
use super::satellites::plain_name;
use super::{Guest, House, WRITE_LIMIT};
use crate::asr::written_language;
use crate::audio::Resampler;
use crate::session::Event;
use crate::session::Order;
use crate::session::Playback;
use crate::session::Speech;
use crate::session::TurnId;

/// Calls of its tools that may wait for a device.
const CALLS: usize = 8;
/// How long a device may take to say hello.
const HELLO: Duration = Duration::from_secs(10);
/// The rate of what goes out, in Hz.
const RATE: u32 = 24_000;
/// A packet.
const PACKET: Duration = Duration::from_millis(60);
const PACKET_SAMPLES: usize = RATE as usize * 60 / 1000;
/// The most samples that one packet may decode to: 120 ms at 16 kHz.
const MOST_SAMPLES: usize = 1920;
/// The longest typed command in bytes.
const LONGEST_TYPED: usize = 1024;
/// The largest message in bytes.
const LARGEST: usize = 64 * 1024;
/// Silence after which the longest-waiting endpoint ends an utterance that a button ended.
const BUTTON_SILENCE: usize = 16_000 * 2;

pub(super) async fn xiaozhi(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade?;
    let version = headers.get("protocol-version").and_then(|v| v.to_str().ok()?.parse().ok());
    let framing = Framing::of(version.unwrap_or(1))?;
    let name = headers.get("device-id").and_then(|id| plain_name(id.to_str().ok()?));
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _guest = Guest::new(&house, "xiaozhi");
        if let Err(reason) = serve(socket, &house, framing, name).await {
            tracing::debug!(reason, "a device leaves");
        }
        drop(place);
    }))
}

/// What the address of a start may hold.
#[derive(Debug, Deserialize)]
pub(super) struct StartUp {
    token: Option<String>,
}

/// The longest that a device tells of itself, in bytes.
const LONGEST_ABOUT: usize = 64 * 1024;

/// Where a device asks when it starts: the time, whether there is newer firmware (never), and where to
/// talk. Devices have no other way to a token than this answer, so whoever sets one up writes the address with
/// `?token=…`; what is shown there is handed back, if it opens this door.
pub(super) async fn start_up(
    State(house): State<Arc<House>>,
    Query(asked): Query<StartUp>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, ApiError> {
    if house.tokens.is_open() {
        super::http::known(&house, &headers)?;
    } else if let Some(token) = &asked.token
        && !house.tokens.is_lasting(token)
    {
        house.refused("http", "token");
        return Err(ApiError::token());
    }
    let about = match body.len() {
        0..LONGEST_ABOUT => serde_json::from_slice(&body).unwrap_or(Value::Null),
        _ => Value::Null,
    };
    let version = about.pointer("/application/version").and_then(Value::as_str).unwrap_or("0.0.0");
    let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or(&house.config.http);
    let scheme = if house.config.tls.covers("http") { "wss" } else { "ws" };
    let now = jiff::ZonedDateTime::now();
    let mut websocket = json!({ "url": format!("{scheme}://{host}/xiaozhi/v1/"), "version": 1 });
    if let Some(token) = asked.token.filter(|token| !token.is_empty()) {
        websocket["token"] = token.into();
    }
    Ok(Json(json!({
        "server_time": {
            "timestamp": now.timestamp().as_millisecond(), "timezone_offset": now.offset().seconds() / 60,
        },
        "firmware": { "version": version, "url": "" },
        "websocket": websocket,
    })))
}

/// What stands before a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Bare,
    /// Version, type, reserved, time, size: 2, 2, 4, 4, 4 bytes, the highest first.
    Long,
    /// Type, reserved, size: 1, 1, 2 bytes.
    Short,
}

impl Framing {
    fn of(version: u64) -> Result<Self, ApiError> {
        match version {
            1 => Ok(Self::Bare),
            2 => Ok(Self::Long),
            3 => Ok(Self::Short),
            other => {
                Err(ApiError::invalid("", format!("protocol version {other} is none of 1, 2, 3")))
            }
        }
    }

    /// The Opus packet of a message; none where it is another thing or not whole.
    fn unwrap(self, message: &[u8]) -> Option<&[u8]> {
        let (kind, size, rest) = match self {
            Self::Bare => return Some(message),
            Self::Long => {
                let (head, rest) = message.split_at_checked(16)?;
                let size = u32::from_be_bytes(head[12..16].try_into().ok()?);
                (u16::from_be_bytes([head[2], head[3]]), size as usize, rest)
            }
            Self::Short => {
                let (head, rest) = message.split_at_checked(4)?;
                (u16::from(head[0]), usize::from(u16::from_be_bytes([head[2], head[3]])), rest)
            }
        };
        (kind == 0 && size <= rest.len()).then(|| &rest[..size])
    }

    fn wrap(self, packet: &[u8], ms: u32) -> Vec<u8> {
        let mut message = Vec::with_capacity(packet.len() + 16);
        match self {
            Self::Bare => {}
            Self::Long => {
                message.extend_from_slice(&[0, 2, 0, 0, 0, 0, 0, 0]);
                message.extend_from_slice(&ms.to_be_bytes());
                message.extend_from_slice(&(packet.len() as u32).to_be_bytes());
            }
            Self::Short => {
                message.extend_from_slice(&[0, 0]);
                message.extend_from_slice(&(packet.len() as u16).to_be_bytes());
            }
        }
        message.extend_from_slice(packet);
        message
    }
}

/// Does with a message what a session does with it.
#[cfg(feature = "fuzzing")]
pub(super) fn unwrap_and_decode(version: u64, message: &[u8]) {
    let (Ok(framing), Ok(mut decoder)) =
        (Framing::of(version), Decoder::new(Channels::Mono, SampleRate::Hz16000))
    else {
        return;
    };
    if let Some(packet) = framing.unwrap(message) {
        let mut samples = [0.0; MOST_SAMPLES];
        let _ = decoder.decode_float_to_slice(packet, &mut samples, false);
    }
}

struct Device {
    socket: WebSocket,
    id: String,
    framing: Framing,
    decoder: Decoder,
    encoder: Encoder,
    resampler: Option<Resampler>,
    /// What does not fill a packet yet.
    samples: Vec<f32>,
    pace: Pace,
    listening: bool,
    /// The turn that the device plays.
    speaking: Option<TurnId>,
    /// Turns up to this one are not wanted any more.
    silenced: TurnId,
    began: Instant,
    /// Its name among the satellites.
    name: Option<Arc<str>>,
    /// What the device itself can do.
    tools: mcp::Client,
}

async fn serve(
    mut socket: WebSocket,
    house: &Arc<House>,
    framing: Framing,
    name: Option<Arc<str>>,
) -> Result<(), String> {
    let hello = tokio::time::timeout(HELLO, hello(&mut socket)).await;
    let hello = hello.map_err(|_| "no hello came".to_owned())??;
    let opus = |error: opusic_c::ErrorCode| format!("opus: {error:?}");
    let mut device = Device {
        socket,
        id: format!("{:08x}", house.next_session()),
        framing: match hello["version"].as_u64() {
            Some(2) => Framing::Long,
            Some(3) => Framing::Short,
            _ => framing,
        },
        decoder: Decoder::new(Channels::Mono, SampleRate::Hz16000).map_err(opus)?,
        encoder: Encoder::new(Channels::Mono, SampleRate::Hz24000, Application::Voip)
            .map_err(opus)?,
        resampler: None,
        samples: Vec::new(),
        pace: Pace::default(),
        listening: false,
        speaking: None,
        silenced: TurnId(0),
        began: Instant::now(),
        name,
        tools: mcp::Client::default(),
    };
    let id = device.id.clone();
    device
        .send(&json!({
            "type": "hello", "transport": "websocket", "session_id": id,
            "audio_params": { "format": "opus", "sample_rate": RATE, "channels": 1, "frame_duration": 60 },
        }))
        .await?;
    if hello.pointer("/features/mcp").and_then(Value::as_bool) == Some(true) {
        let begin = device.tools.begin();
        device.about(json!({ "type": "mcp", "payload": begin })).await?;
    }
    device.talk(house).await
}

async fn hello(socket: &mut WebSocket) -> Result<Value, String> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                if message["type"] == "hello" {
                    return Ok(message);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err("gone before hello".into()),
        }
    }
}

impl Device {
    async fn talk(&mut self, house: &Arc<House>) -> Result<(), String> {
        // The device sends nothing while it plays unless it cancels its own echo, so the frames tell no
        // time; what it does not want to hear it says.
        let manner = Manner { satellite: self.name.clone(), ..Manner::default() };
        let (sender, mut calls) = mpsc::channel(CALLS);
        let begun = Live::begin(house, manner, Playback::Unknown).await;
        let mut live = begun.map_err(|error| error.to_string())?;
        let end = Instant::now() + Duration::from_secs(house.config.session_s);
        loop {
            let idle = (Instant::now() + house.idle()).min(end);
            tokio::select! {
                message = self.socket.recv(), if !live.is_behind() => match message {
                    Some(Ok(Message::Binary(bytes))) => self.hear(&bytes, &mut live),
                    Some(Ok(Message::Text(text))) => {
                        if let Some(tools) = self.obey(&text, &mut live, house).await?
                            && let Some(name) = &self.name
                        {
                            house.satellites.equip(name, tools, sender.clone());
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                },
                step = live.next() => match step.map_err(|e| e.to_string())? {
                    Step::Event(event) => self.tell(event).await?,
                    Step::CaughtUp => {}
                    Step::Over => return Err("the conversation broke off".into()),
                },
                packet = self.pace.next() => self.play(packet).await?,
                Some(call) = calls.recv() => {
                    if let Some(request) = self.tools.call(call) {
                        self.about(json!({ "type": "mcp", "payload": request })).await?;
                    }
                }
                () = house.stop.cancelled(), if self.speaking.is_none() => return Ok(()),
                () = tokio::time::sleep_until(idle), if self.speaking.is_none() => {
                    return Err("nothing came for too long".into());
                }
            }
        }
    }

    fn hear(&mut self, message: &[u8], live: &mut Live) {
        let Some(packet) = self.framing.unwrap(message).filter(|_| self.listening) else { return };
        let mut samples = [0.0; MOST_SAMPLES];
        match self.decoder.decode_float_to_slice(packet, &mut samples, false) {
            Ok(length) => live.push(&samples[..length.min(MOST_SAMPLES)]),
            // A packet that was damaged on its way is a gap in the sound and no more.
            Err(error) => tracing::debug!(?error, "a packet that is no Opus"),
        }
    }

    /// Does what a message says; returns the device's tools once they are known.
    async fn obey(
        &mut self,
        text: &str,
        live: &mut Live,
        house: &House,
    ) -> Result<Option<Vec<Tool>>, String> {
        let message: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        match (message["type"].as_str(), message["state"].as_str()) {
            (Some("listen"), Some("start")) => self.listening = true,
            (Some("listen"), Some("stop")) => {
                self.listening = false;
                // The button says that all is said; the session hears it as silence.
                live.push(&vec![0.0; BUTTON_SILENCE]);
            }
            // The wake word was heard on the device, which is no command; but some devices and test pages send
            // what was typed in the same way.
            (Some("listen"), Some("detect")) => {
                let text = message["text"].as_str().unwrap_or_default();
                let language = written_language(text);
                let talk = house.shared.dialogue();
                if text.len() <= LONGEST_TYPED
                    && talk.lock().understand(text, language, house.shared.area()).is_some()
                {
                    let (text, language) = (text.to_owned(), language.to_owned());
                    live.order(Order::Ask { text, language });
                }
            }
            (Some("abort"), _) => {
                live.order(Order::Interrupt);
                self.silence().await?;
            }
            (Some("mcp"), _) => match self.tools.take(&message["payload"]) {
                Came::Send(request) => {
                    self.about(json!({ "type": "mcp", "payload": request })).await?;
                }
                Came::Tools(tools) => return Ok(Some(tools)),
                Came::Nothing => {}
            },
            _ => {}
        }
        Ok(None)
    }

    /// Ends what the device plays.
    async fn silence(&mut self) -> Result<(), String> {
        self.pace.clear();
        self.samples.clear();
        if let Some(turn) = self.speaking.take() {
            self.silenced = self.silenced.max(turn);
            self.state("stop").await?;
        }
        Ok(())
    }

    async fn tell(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Final { transcript, .. } if !transcript.text.is_empty() => {
                self.about(json!({ "type": "stt", "text": transcript.text })).await
            }
            Event::ReplyText { reply, turn } if !reply.text.is_empty() => {
                let emotion =
                    if reply.error.is_some() { ("thinking", "🤔") } else { ("happy", "🙂") };
                self.about(json!({ "type": "llm", "emotion": emotion.0, "text": emotion.1 }))
                    .await?;
                self.speaking = Some(turn);
                self.state("start").await?;
                self.about(json!({ "type": "tts", "state": "sentence_start", "text": reply.text }))
                    .await
            }
            Event::Speech(speech) if speech.turn > self.silenced => {
                if self.speaking.is_none() && !speech.last {
                    // Said without having been asked, such as a timer.
                    self.speaking = Some(speech.turn);
                    self.state("start").await?;
                }
                self.queue(&speech)
            }
            Event::PlaybackStopped { .. } => self.silence().await,
            Event::Failed { error, .. } => {
                self.about(json!({ "type": "alert", "status": "error", "message": error, "emotion": "sad" })).await?;
                // A device that waits for the end of an answer would wait for ever.
                match self.pace.is_empty() {
                    true => self.silence().await,
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Encodes a piece of the answer.
    fn queue(&mut self, speech: &Speech) -> Result<(), String> {
        let failed = |error: crate::audio::AudioError| error.to_string();
        if self.resampler.as_ref().is_none_or(|own| own.input_rate() != speech.sample_rate) {
            self.resampler = Some(Resampler::new(speech.sample_rate, RATE).map_err(failed)?);
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&speech.samples, &mut self.samples).map_err(failed)?;
            if speech.last {
                resampler.finish(&mut self.samples).map_err(failed)?;
            }
        }
        let mut samples = std::mem::take(&mut self.samples);
        if speech.last {
            samples.resize(samples.len().next_multiple_of(PACKET_SAMPLES), 0.0);
        }
        let mut packets = samples.chunks_exact(PACKET_SAMPLES);
        for block in &mut packets {
            let mut packet = vec![0; 1275];
            let length = self.encoder.encode_float_to_slice(block, &mut packet);
            packet.truncate(length.map_err(|error| format!("opus: {error:?}"))?);
            self.pace.push(speech.turn, packet, PACKET, false);
        }
        self.samples = packets.remainder().to_vec();
        if speech.last {
            self.pace.push(speech.turn, Vec::new(), Duration::ZERO, true);
        }
        Ok(())
    }

    async fn play(&mut self, packet: Packet) -> Result<(), String> {
        if packet.last {
            self.speaking = None;
            return self.state("stop").await;
        }
        let ms = u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let message = self.framing.wrap(&packet.bytes, ms);
        self.write(Message::Binary(message.into())).await
    }

    async fn state(&mut self, state: &str) -> Result<(), String> {
        self.about(json!({ "type": "tts", "state": state })).await
    }

    async fn about(&mut self, mut message: Value) -> Result<(), String> {
        message["session_id"] = self.id.as_str().into();
        self.send(&message).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), String> {
        self.write(Message::Text(message.to_string().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), String> {
        match tokio::time::timeout(WRITE_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the device takes nothing".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_stand_as_the_devices_write_them() {
        let packet = [0xfc, 1, 2];
        assert_eq!(Framing::Bare.wrap(&packet, 7), packet);
        assert_eq!(
            Framing::Long.wrap(&packet, 0x0102),
            [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 0xfc, 1, 2]
        );
        assert_eq!(Framing::Short.wrap(&packet, 7), [0, 0, 0, 3, 0xfc, 1, 2]);
        assert!(Framing::of(4).is_err());
    }

    proptest! {
        #[test]
        fn packets_come_back_and_nonsense_is_passed_over(
            packet in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0..200usize,
        ) {
            for framing in [Framing::Bare, Framing::Long, Framing::Short] {
                let message = framing.wrap(&packet, 1);
                prop_assert_eq!(framing.unwrap(&message), Some(&packet[..]));
                let _ = framing.unwrap(&packet);
                if framing != Framing::Bare && cut < message.len() {
                    prop_assert_eq!(framing.unwrap(&message[..cut]), None);
                }
            }
        }
    }
}
