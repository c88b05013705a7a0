//! Recordings of any length to text, cut at pauses.

use std::fmt::Write;
use std::time::Instant;

use serde::Serialize;

use super::EngineError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Segment;
use crate::audio::Framer;
use crate::audio::SAMPLE_RATE;
use crate::audio::Source;
use crate::detect::Endpointer;
use crate::detect::Heard;
use crate::detect::VoiceDetector;

/// What was said in a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FileTranscript {
    /// All the words.
    pub text: String,
    /// The language that most of the speech was in (`en`, `zh`); empty when nothing was said.
    pub language: String,
    /// Length of the recording in seconds.
    pub duration_s: f64,
    /// Time that detection and recognition took, in seconds.
    pub compute_s: f64,
    /// The utterances, with times in seconds from the beginning of the recording.
    pub segments: Vec<Segment>,
    /// How sure the recogniser is of each of them.
    #[serde(skip)]
    pub scores: Vec<Score>,
}

/// How sure the recogniser is of an utterance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Mean log-probability of a token; 0 is certain.
    pub avg_logprob: f32,
    /// Probability that the audio holds no speech, 0 to 1.
    pub no_speech_prob: f32,
}

impl FileTranscript {
    /// The utterances as SubRip subtitles.
    #[must_use]
    pub fn srt(&self) -> String {
        let mut out = String::new();
        for (number, s) in self.segments.iter().enumerate() {
            let (start, end) = (timestamp(s.start, ','), timestamp(s.end, ','));
            // Writing to a string cannot fail.
            let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", number + 1, s.text);
        }
        out
    }

    /// The words with times. The times are an estimate: an utterance's time is shared out among its
    /// words by their length. Chinese counts every character as a word.
    #[must_use]
    pub fn words(&self) -> Vec<Segment> {
        self.segments.iter().flat_map(words).collect()
    }

    /// The utterances as WebVTT subtitles.
    #[must_use]
    pub fn vtt(&self) -> String {
        let mut out = String::from("WEBVTT\n\n");
        for s in &self.segments {
            let text = s.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let (start, end) = (timestamp(s.start, '.'), timestamp(s.end, '.'));
            let _ = write!(out, "{start} --> {end}\n{text}\n\n");
        }
        out
    }
}

fn words(segment: &Segment) -> Vec<Segment> {
    let han = |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in segment.text.chars() {
        if c.is_whitespace() {
            open = false;
        } else if han(c) {
            words.push(c.to_string());
            open = false;
        } else if c.is_alphanumeric() && !open {
            words.push(c.to_string());
            open = true;
        } else if let Some(word) = words.last_mut() {
            // A mark belongs to the word before it.
            word.push(c);
            open |= c.is_alphanumeric();
        }
    }
    let weight = |word: &str| word.chars().map(|c| if han(c) { 3 } else { 1 }).sum::<usize>() + 1;
    let all: usize = words.iter().map(|word| weight(word)).sum();
    let (mut at, span) = (0, segment.end - segment.start);
    let time = |at: usize| segment.start + span * at as f64 / all.max(1) as f64;
    let times = |text: String| {
        let start = time(at);
        at += weight(&text);
        Segment { start, end: time(at), text }
    };
    words.into_iter().map(times).collect()
}

fn timestamp(seconds: f64, point: char) -> String {
    let ms = (seconds.max(0.0) * 1000.0).round() as u64;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}{point}{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

/// Transcribes a whole source: the detector and the endpointer cut it into utterances, the recogniser
/// hears one at a time, so memory does not grow with the length. `progress` is called with the
/// seconds done and what was heard so far, and returns false to stop early; what was heard until then is returned.
///
/// # Errors
/// When the source cannot be read or the recogniser fails.
pub fn transcribe_source(
    source: &mut dyn Source,
    detector: &mut dyn VoiceDetector,
    endpointer: &mut Endpointer,
    recognizer: &mut dyn Recognizer,
    progress: &mut dyn FnMut(f64, &FileTranscript) -> bool,
) -> Result<FileTranscript, EngineError> {
    let began = Instant::now();
    let mut cutter =
        Cutter { recognizer, utterance: Vec::new(), start: None, by_language: Vec::new() };
    let mut transcript = FileTranscript::default();
    let (mut framer, mut chunk, mut heard) = (Framer::new(), Vec::new(), Vec::new());
    let mut samples = 0u64;
    detector.reset();
    loop {
        chunk.clear();
        let got = source.read(&mut chunk)?;
        samples += got as u64;
        let mut take = |frame| {
            let probability = detector.push(&frame);
            endpointer.push(&frame, probability, &mut |h| heard.push(h));
        };
        if got == 0 {
            framer.finish(&mut take);
            endpointer.finish(&mut |h| heard.push(h));
        } else {
            framer.push(&chunk, &mut take);
        }
        for heard in heard.drain(..) {
            cutter.take(heard, &mut transcript)?;
        }
        let seconds = samples as f64 / f64::from(SAMPLE_RATE);
        if got == 0 || !progress(seconds, &transcript) {
            transcript.duration_s = seconds;
            break;
        }
    }
    transcript.language = cutter.language();
    transcript.compute_s = began.elapsed().as_secs_f64();
    Ok(transcript)
}

/// Collects utterances and has them recognised.
struct Cutter<'a> {
    recognizer: &'a mut dyn Recognizer,
    utterance: Vec<f32>,
    /// Where the utterance's audio begins, in seconds.
    start: Option<f64>,
    /// Seconds of speech by language.
    by_language: Vec<(String, f64)>,
}

impl Cutter<'_> {
    fn take(&mut self, heard: Heard, into: &mut FileTranscript) -> Result<(), EngineError> {
        match heard {
            Heard::Started(_) => {
                self.utterance.clear();
                self.start = None;
            }
            Heard::Audio(frame) => {
                self.start.get_or_insert_with(|| frame.at.seconds());
                self.utterance.extend_from_slice(&frame.samples);
            }
            Heard::Stopped(_) => self.recognise(into)?,
            // A file is in no hurry.
            _ => {}
        }
        Ok(())
    }

    fn recognise(&mut self, into: &mut FileTranscript) -> Result<(), EngineError> {
        let start = self.start.unwrap_or_default();
        let mut heard = None;
        self.recognizer.transcribe(&self.utterance, &|| false, &mut |hypothesis| {
            if let Hypothesis::Final(transcript) = hypothesis {
                heard = Some(transcript);
            }
        })?;
        let Some(heard) = heard.filter(|t| !t.text.is_empty()) else { return Ok(()) };
        // Chinese is written without spaces between sentences.
        if !into.text.is_empty() && heard.language != "zh" {
            into.text.push(' ');
        }
        into.text.push_str(&heard.text);
        let score = Score { avg_logprob: heard.avg_logprob, no_speech_prob: heard.no_speech_prob };
        into.scores.extend(heard.segments.iter().map(|_| score));
        into.segments.extend(heard.segments.into_iter().map(|segment| Segment {
            start: segment.start + start,
            end: segment.end + start,
            ..segment
        }));
        let seconds = self.utterance.len() as f64 / f64::from(SAMPLE_RATE);
        match self.by_language.iter_mut().find(|(language, _)| *language == heard.language) {
            Some((_, sum)) => *sum += seconds,
            None => self.by_language.push((heard.language, seconds)),
        }
        Ok(())
    }

    fn language(self) -> String {
        let most = self.by_language.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
        most.map(|(language, _)| language).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_share_the_time() {
        let segment = Segment { start: 1.0, end: 3.0, text: "Don't open 书房, ok?".into() };
        let words = words(&segment);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["Don't", "open", "书", "房,", "ok?"]);
        assert_eq!((words[0].start, words[4].end), (1.0, 3.0));
        assert!(
            words
                .windows(2)
                .all(|pair| pair[0].end == pair[1].start && pair[0].start < pair[0].end)
        );
    }

    #[test]
    fn subtitles() {
        let segment = |start, end, text: &str| Segment { start, end, text: text.into() };
        let transcript = FileTranscript {
            segments: vec![segment(0.5, 1.25, "Hello."), segment(3661.0, 3662.0004, "a < b")],
            ..FileTranscript::default()
        };
        assert_eq!(
            transcript.srt(),
            "1\n00:00:00,500 --> 00:00:01,250\nHello.\n\n\
             2\n01:01:01,000 --> 01:01:02,000\na < b\n\n"
        );
        assert_eq!(
            transcript.vtt(),
            "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHello.\n\n\
             01:01:01.000 --> 01:01:02.000\na &lt; b\n\n"
        );
    }
}
