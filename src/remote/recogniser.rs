//! A recogniser on another machine.

use super::{Address, Event, Line, RemoteError};
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Segment;
use crate::asr::Task;
use crate::asr::Transcript;
use crate::asr::written_language;
use crate::audio::SAMPLE_RATE;
use crate::audio::to_s16le;

/// Samples of an event: 100 ms.
const CHUNK: usize = SAMPLE_RATE as usize / 10;

/// A Wyoming server that recognises.
#[derive(Debug)]
pub struct RemoteRecogniser {
    address: Address,
    /// What is spoken, where the settings say one language.
    language: Option<String>,
    task: Task,
}

impl RemoteRecogniser {
    /// Asks a server what it can do. `language` is `auto` or what is spoken.
    ///
    /// # Errors
    /// When it cannot be reached, or does not recognise.
    pub fn open(address: &str, language: &str) -> Result<Self, RemoteError> {
        let address = Address::parse(address)?;
        address.must_have("asr", "recogniser", ("models", "model"))?;
        let language = Some(language.to_owned()).filter(|language| language != "auto");
        Ok(Self { address, language, task: Task::default() })
    }

    fn listen(
        &self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), RemoteError> {
        let mut line = Line::dial(&self.address)?;
        let language = self.task.language.as_ref().or(self.language.as_ref());
        let mut transcribe = Event::new("transcribe");
        if let Some(name) = &self.address.name {
            transcribe = transcribe.with("name", name.as_str());
        }
        if let Some(language) = language {
            transcribe = transcribe.with("language", language.as_str());
        }
        line.send(&transcribe)?;
        let form = |kind: &str| {
            Event::new(kind).with("rate", SAMPLE_RATE).with("width", 2).with("channels", 1)
        };
        line.send(&form("audio-start"))?;
        for chunk in audio.chunks(CHUNK) {
            line.send(&Event { payload: to_s16le(chunk).into(), ..form("audio-chunk") })?;
        }
        line.send(&Event::new("audio-stop"))?;
        let seconds = audio.len() as f64 / f64::from(SAMPLE_RATE);
        let transcript = |text: &str, event: &Event| {
            let text = text.trim().to_owned();
            let said = event.text("language").or(language.map(String::as_str));
            let language = said.unwrap_or_else(|| written_language(&text));
            let language = language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
            let segments = match text.is_empty() {
                true => Vec::new(),
                false => vec![Segment { start: 0.0, end: seconds, text: text.clone() }],
            };
            Transcript { text, language, segments, ..Transcript::default() }
        };
        let mut so_far = String::new();
        while let Some(event) = line.receive(stop)? {
            let text = event.text("text").unwrap_or_default();
            match event.kind.as_str() {
                "transcript-chunk" => {
                    so_far.push_str(text);
                    out(Hypothesis::Partial(transcript(&so_far, &event)));
                }
                "transcript" => {
                    out(Hypothesis::Final(transcript(text, &event)));
                    break;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Recognizer for RemoteRecogniser {
    fn set_task(&mut self, task: &Task) -> Result<(), AsrError> {
        if task.translate {
            let reason = format!("{} transcribes and does not translate", self.address.host);
            return Err(AsrError::Remote { reason });
        }
        self.task = task.clone();
        Ok(())
    }

    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        self.listen(audio, stop, out)
            .map_err(|error| AsrError::Remote { reason: error.to_string() })
    }
}
