//! Speech to text: audio in, transcripts out.
//!
//! The audio is cut at pauses while it arrives, and each utterance is recognised at once; when the
//! client says that the audio is over only the last one is still to be heard. Each becomes a
//! `transcript-chunk`; the whole is the `transcript` that every client waits for.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::heavy;
use super::{Event, Gone, Peer, State, error, failure};
use crate::asr::Hypothesis;
use crate::asr::Task;
use crate::asr::Transcript;
use crate::audio::PcmIntake;
use crate::session::AsrHandle;
use crate::session::HandleError;
use crate::session::Listened;
use crate::session::Listener;
use crate::session::Recognition;

/// What clients send that do not say what they send: 16 kHz, 16 bit, mono.
const USUAL: (u32, usize, usize) = (16_000, 2, 1);

/// Utterances of one connection that may be at the recogniser; more are read once one is recognised.
const MOST_JOBS: usize = 3;

/// Audio that is being listened to.
pub(super) struct Hearing {
    language: Option<String>,
    asr: AsrHandle,
    /// Whether an utterance was accepted: then the rest is, too.
    accepted: bool,
    listener: Listener,
    intake: Option<PcmIntake>,
    samples: Vec<f32>,
    /// Utterances at the recogniser, in order.
    jobs: VecDeque<Recognition>,
    text: String,
    /// The language of the first utterance.
    spoken: Option<String>,
    began: bool,
}

impl Hearing {
    /// What the recogniser makes of the first utterance that is at it; never, when there is none.
    pub(super) async fn next(
        hearing: Option<&mut Self>,
    ) -> Option<Result<Hypothesis, HandleError>> {
        match hearing.and_then(|hearing| hearing.jobs.front_mut()) {
            Some(job) => job.next().await,
            None => std::future::pending().await,
        }
    }

    fn add(&mut self, heard: &Transcript) -> Option<String> {
        if heard.text.is_empty() {
            return None;
        }
        // Chinese is written without spaces between sentences.
        let gap = if self.text.is_empty() || heard.language == "zh" { "" } else { " " };
        let chunk = format!("{gap}{}", heard.text);
        self.text.push_str(&chunk);
        self.spoken.get_or_insert_with(|| heard.language.clone());
        Some(chunk)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Peer<S> {
    pub(super) async fn audio(&mut self, event: &Event, state: &mut State) -> Result<(), Gone> {
        if state.hearing.is_none() {
            state.given_up = false;
            let settings = self.house.shared.detect_settings();
            let listener = match self.house.shared.listener(settings) {
                Ok(listener) => listener,
                Err(failed) => return self.give_up(&failure(&failed.into()), state).await,
            };
            state.hearing = Some(Hearing {
                language: state.language.clone(),
                asr: self.asr.clone(),
                accepted: false,
                listener,
                intake: None,
                samples: Vec::new(),
                jobs: VecDeque::new(),
                text: String::new(),
                spoken: None,
                began: false,
            });
        }
        let Some(hearing) = &mut state.hearing else { return Ok(()) };
        let number = |key: &str, usual: u64| event.number(key).unwrap_or(usual);
        let form = (
            u32::try_from(number("rate", USUAL.0.into())).unwrap_or(0),
            usize::try_from(number("width", USUAL.1 as u64)).unwrap_or(0),
            usize::try_from(number("channels", USUAL.2 as u64)).unwrap_or(0),
        );
        if hearing.intake.as_ref().is_none_or(|intake| !intake.takes(form.0, form.1, form.2)) {
            match PcmIntake::new("audio", form.0, form.1, form.2) {
                // What another form left in its resampler is less than a frame.
                Ok(intake) => hearing.intake = Some(intake),
                Err(wrong) => {
                    return self.give_up(&error(&wrong.to_string(), "audio-format"), state).await;
                }
            }
        }
        hearing.samples.clear();
        if let Some(intake) = &mut hearing.intake
            && let Err(failed) = intake.push(&event.payload, &mut hearing.samples)
        {
            return self.give_up(&error(&failed.to_string(), "audio-format"), state).await;
        }
        let mut heard = Vec::new();
        let Hearing { listener, samples, .. } = hearing;
        heavy(event.payload.len(), || listener.push(samples, &mut |what| heard.push(what)));
        self.note(heard, state).await
    }

    pub(super) async fn audio_stop(&mut self, state: &mut State) -> Result<(), Gone> {
        let Some(hearing) = &mut state.hearing else {
            // Who asked and then sent nothing waits for an answer all the same.
            return match std::mem::take(&mut state.asked) {
                true => self.send(&Event::new("transcript").with("text", "")).await,
                false => Ok(()),
            };
        };
        let began = Instant::now();
        hearing.samples.clear();
        if let Some(intake) = &mut hearing.intake
            && let Err(failed) = intake.finish(&mut hearing.samples)
        {
            return self.give_up(&error(&failed.to_string(), "audio-format"), state).await;
        }
        let mut heard = Vec::new();
        let Hearing { listener, samples, .. } = hearing;
        listener.push(samples, &mut |what| heard.push(what));
        listener.finish(&mut |what| heard.push(what));
        self.note(heard, state).await?;
        while let Some(hearing) = state.hearing.as_mut().filter(|hearing| !hearing.jobs.is_empty())
        {
            let next = self.during(Hearing::next(Some(hearing))).await?;
            self.heard(next, state).await?;
        }
        let Some(hearing) = state.hearing.take() else {
            return match state.given_up && state.pipeline.is_none() {
                true => Err(Gone::Unheard),
                false => Ok(()),
            };
        };
        state.asked = false;
        let labels = [("door", "wyoming")];
        self.house.metrics.time("hearken_door_recognition_seconds", began.elapsed(), &labels);
        self.house.metrics.add(
            "hearken_audio_seconds_total",
            hearing.listener.now().seconds(),
            &labels,
        );
        if state.pipeline.is_some() {
            // What was said in a pipeline was carried on; this is the end of one in which nothing was.
            return self.send(&error("nothing was said", "stt-no-text-recognized")).await;
        }
        let mut transcript = Event::new("transcript").with("text", hearing.text);
        if let Some(language) = hearing.spoken.or(hearing.language) {
            transcript = transcript.with("language", language);
        }
        self.send(&transcript).await?;
        if hearing.began {
            self.send(&Event::new("transcript-stop")).await?;
        }
        Ok(())
    }

    /// Tells where speech begins and ends, and has what was said recognised.
    async fn note(&mut self, heard: Vec<Listened>, state: &mut State) -> Result<(), Gone> {
        for heard in heard {
            match heard {
                Listened::Started(at) => {
                    self.send(&Event::new("voice-started").with("timestamp", at.ms())).await?;
                }
                Listened::Utterance { stopped, audio, .. } => {
                    self.send(&Event::new("voice-stopped").with("timestamp", stopped.ms())).await?;
                    while let Some(hearing) =
                        state.hearing.as_mut().filter(|hearing| hearing.jobs.len() >= MOST_JOBS)
                    {
                        let next = self.during(Hearing::next(Some(hearing))).await?;
                        Box::pin(self.heard(next, state)).await?;
                    }
                    let Some(hearing) = &mut state.hearing else { return Ok(()) };
                    let task =
                        Task { language: hearing.language.clone(), free: true, ..Task::default() };
                    match hearing.asr.transcribe_next(audio, task, &mut hearing.accepted) {
                        Ok(job) => hearing.jobs.push_back(job),
                        Err(failed) => return self.not_heard(&failed, state).await,
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what the recogniser says.
    pub(super) async fn heard(
        &mut self,
        heard: Option<Result<Hypothesis, HandleError>>,
        state: &mut State,
    ) -> Result<(), Gone> {
        let Some(hearing) = &mut state.hearing else { return Ok(()) };
        match heard {
            Some(Ok(Hypothesis::Partial(_))) => Ok(()),
            Some(Ok(Hypothesis::Final(transcript))) => {
                hearing.jobs.pop_front();
                if state.pipeline.is_some() {
                    // An utterance is a turn; what was no speech is none.
                    return match transcript.text.is_empty() {
                        true => Ok(()),
                        false => self.carry_on(&transcript, state).await,
                    };
                }
                let Some(chunk) = hearing.add(&transcript) else { return Ok(()) };
                if !std::mem::replace(&mut hearing.began, true) {
                    let start = Event::new("transcript-start");
                    self.send(&start.with("language", transcript.language)).await?;
                }
                self.send(&Event::new("transcript-chunk").with("text", chunk)).await
            }
            Some(Err(failed)) => self.not_heard(&failed, state).await,
            None => {
                hearing.jobs.pop_front();
                Ok(())
            }
        }
    }

    async fn not_heard(&mut self, failed: &HandleError, state: &mut State) -> Result<(), Gone> {
        if failed.is_retryable() {
            self.house.refused("wyoming", "busy");
        }
        self.give_up(&failure(failed), state).await
    }

    /// Tells why what is being said is not heard; the rest of it is passed over.
    async fn give_up(&mut self, why: &Event, state: &mut State) -> Result<(), Gone> {
        state.hearing = None;
        state.given_up = true;
        self.send(why).await
    }
}
