//! From settings and model files to engines that are ready.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ort::environment::Environment;
use serde_json::Value;

use super::Stages;
use super::Voices;
use super::grammar;
use crate::asr;
use crate::asr::AsrError;
use crate::asr::Recognizer;
use crate::asr::Whisper;
use crate::audio::AudioError;
use crate::detect;
use crate::detect::DetectError;
use crate::detect::Endpointer;
use crate::detect::Silero;
use crate::detect::SmartTurn;
use crate::detect::TurnDetector;
use crate::detect::VoiceDetector;
use crate::dialogue;
use crate::dialogue::Dialogue;
use crate::dialogue::DialogueError;
use crate::dialogue::Learned;
use crate::dialogue::SentenceFileError;
use crate::home;
use crate::home::HomeError;
use crate::home::Memory;
use crate::home::MemoryError;
use crate::intent::IntentError;
use crate::intent::Language;
use crate::intent::closest_tag;
use crate::models::ModelError;
use crate::models::ModelStore;
use crate::models::VoiceEngine;
use crate::models::runtime;
use crate::remote;
use crate::remote::RemoteError;
use crate::remote::RemoteRecogniser;
use crate::remote::RemoteVoice;
use crate::store::Store;
use crate::store::StoreError;
use crate::tts;
use crate::tts::Cached;
use crate::tts::Kokoro;
use crate::tts::Piper;
use crate::tts::Style;
use crate::tts::Synthesizer;
use crate::tts::TtsError;

/// The catalogue's id of the sentence templates.
const SENTENCES: &str = "home-assistant-intents";

/// A home's memory in a file.
struct StateFile(Store);

impl Memory for StateFile {
    fn load(&mut self) -> Result<BTreeMap<String, Value>, MemoryError> {
        Ok(self.0.load()?)
    }

    fn save(&mut self, values: &[(String, Value)]) -> Result<(), MemoryError> {
        Ok(self.0.save(values)?)
    }
}

/// Opens engines as the settings say, with the models of a store.
#[derive(Debug, Clone, Copy)]
pub struct Engines<'a> {
    /// Where utterances begin and end.
    pub detect: &'a detect::Config,
    /// Recognition.
    pub asr: &'a asr::Config,
    /// Voices.
    pub tts: &'a tts::Config,
    /// The home that is acted on.
    pub home: &'a home::Config,
    /// What is understood.
    pub dialogue: &'a dialogue::Config,
    /// Whether the home's state is kept between runs, where [`home::Config::state_file`] says.
    pub remember: bool,
    /// The models.
    pub store: &'a ModelStore,
}

/// Why an engine is not ready, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A model is missing or the runtime cannot be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The sound.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The voice detector.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The recogniser.
    #[error(transparent)]
    Asr(#[from] AsrError),
    /// A voice.
    #[error(transparent)]
    Tts(#[from] TtsError),
    /// An engine on another machine.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The home's description.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The sentence templates.
    #[error(transparent)]
    Intent(#[from] IntentError),
    /// The file of the home's state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The home's state as it was kept.
    #[error("cannot take up the home's state: {0}")]
    Memory(MemoryError),
    /// The files of one's own sentences.
    #[error(transparent)]
    SentenceFile(#[from] SentenceFileError),
    /// The sentence templates in this home.
    #[error(transparent)]
    Dialogue(#[from] DialogueError),
    /// An entry of the catalogue that is no voice.
    #[error("{id} is no voice; `hearken voices` lists those there are")]
    NoVoice {
        /// The id as it was given.
        id: String,
    },
    /// A language without a voice.
    #[error(
        "no voice is configured for the language {language:?}; name one under [tts.voices], or with --voice"
    )]
    NoVoiceFor {
        /// The language as it was given.
        language: String,
    },
    /// A language that there are no sentences for.
    #[error("there are no sentences for the language {language:?}; there are for {known}")]
    NoSentences {
        /// The language as it was given.
        language: String,
        /// The tags that there are.
        known: String,
    },
    /// The system gives no thread for an engine.
    #[error("cannot start a thread for an engine: {source}")]
    Thread {
        /// The system's words.
        source: std::io::Error,
    },
    /// A thread that opened an engine ended badly.
    #[error("opening the {what} broke off; please report this with the log of -vv")]
    Broke {
        /// What was being opened.
        what: &'static str,
    },
}

impl Engines<'_> {
    /// The stages of a session, all opened at once.
    ///
    /// # Errors
    /// When any of them cannot be opened.
    pub fn stages(&self) -> Result<Stages, EngineError> {
        // Whisper, the voices and the sentences take about as long as each other.
        std::thread::scope(|scope| {
            let recognizer = scope.spawn(|| self.recognizer());
            let dialogue = scope.spawn(|| self.dialogue());
            let detector = self.detector()?;
            let turns = self.turn_detector()?;
            let voices = self.voices()?;
            let joined = |what| move |_| EngineError::Broke { what };
            let dialogue = dialogue.join().map_err(joined("sentences"))??;
            // The first sentence that is misheard is not to wait.
            dialogue.warm_up_aside();
            let dialogue = dialogue.into();
            let mut recognizer = recognizer.join().map_err(joined("recogniser"))??;
            grammar::listen_for(&mut *recognizer, &dialogue);
            Ok(Stages {
                detector,
                endpointer: self.endpointer(),
                turns,
                recognizer,
                dialogue,
                voices,
            })
        })
    }

    /// The recogniser.
    ///
    /// # Errors
    /// When the model is missing or damaged.
    pub fn recognizer(&self) -> Result<Box<dyn Recognizer>, EngineError> {
        if remote::is_address(&self.asr.model) {
            return Ok(Box::new(RemoteRecogniser::open(&self.asr.model, &self.asr.language)?));
        }
        Ok(Box::new(Whisper::open(&self.store.path_of(&self.asr.model)?, self.asr)?))
    }

    /// The voice detector.
    ///
    /// # Errors
    /// When the model or the runtime is missing or damaged.
    pub fn detector(&self) -> Result<Box<dyn VoiceDetector>, EngineError> {
        let path = self.store.path_of(&self.detect.model)?;
        Ok(Box::new(Silero::open(path, &self.environment()?)?))
    }

    /// The turn detector, if one is configured.
    ///
    /// # Errors
    /// When the model or the runtime is missing or damaged.
    pub fn turn_detector(&self) -> Result<Option<Box<dyn TurnDetector>>, EngineError> {
        if self.detect.turn_model.trim().is_empty() {
            return Ok(None);
        }
        let id = &self.detect.turn_model;
        // A name that nobody knows is an error; one that was not fetched yet is done without.
        self.store.entry(id)?;
        let path = match self.store.path_of(id) {
            Ok(path) => path,
            Err(error) => {
                tracing::warn!(%error, "going on without a turn detector");
                return Ok(None);
            }
        };
        Ok(Some(Box::new(SmartTurn::open(path, &self.environment()?)?)))
    }

    /// The endpointing machine.
    #[must_use]
    pub fn endpointer(&self) -> Endpointer {
        Endpointer::new(self.detect)
    }

    /// What understands and answers.
    ///
    /// # Errors
    /// When the sentences are missing or the home is described wrongly.
    pub fn dialogue(&self) -> Result<Dialogue, EngineError> {
        let mut home = self.home.open()?;
        let kept = self.home.state_file().filter(|_| self.remember);
        if let Some(path) = &kept {
            let memory = Box::new(StateFile(Store::open(path)?));
            home = home.with_memory(memory, Timestamp::now()).map_err(EngineError::Memory)?;
        }
        let dialogue = Dialogue::new(home, self.sentences()?)?.with_confirm(&self.dialogue.confirm);
        match kept {
            Some(path) => Ok(dialogue.with_learned(Learned::open(Store::open(&path)?)?)),
            None => Ok(dialogue),
        }
    }

    /// The sentences of the configured languages.
    ///
    /// # Errors
    /// When they are missing or damaged.
    pub fn sentences(&self) -> Result<Vec<Language>, EngineError> {
        self.dialogue.languages.iter().map(|tag| self.sentences_for(tag)).collect()
    }

    /// The sentences of a language, or of the nearest one that there are sentences for; see
    /// [`Engines::sentence_tag`]. The user's own sentences in this language are among them.
    ///
    /// # Errors
    /// When there are none, or they are missing or damaged, or when one's own are wrong.
    pub fn sentences_for(&self, tag: &str) -> Result<Language, EngineError> {
        let mut language = self.package_sentences(tag)?;
        for file in self.dialogue.sentence_files()? {
            if self.sentence_tag(&Language::of_file(&file)?)? == language.code() {
                language = language.with_file(&file)?;
            }
        }
        Ok(language)
    }

    /// The sentences of a language as the package has them.
    ///
    /// # Errors
    /// When there are none, or they are missing or damaged.
    pub fn package_sentences(&self, tag: &str) -> Result<Language, EngineError> {
        let tag = self.sentence_tag(tag)?;
        let path = self.store.file(SENTENCES, &format!("{tag}.json"))?;
        Ok(Language::from_file(&path)?)
    }

    /// The tag that the sentences of a language are filed under: `zh_CN` and `zh` are `zh-CN`,
    /// `en-GB` is `en`.
    ///
    /// # Errors
    /// When there are no sentences for it.
    pub fn sentence_tag(&self, tag: &str) -> Result<&str, EngineError> {
        let files = self.store.entry(SENTENCES)?.files();
        let tags: Vec<&str> = files.filter_map(|file| file.name.strip_suffix(".json")).collect();
        closest_tag(tag, &tags).ok_or_else(|| EngineError::NoSentences {
            language: tag.to_owned(),
            known: tags.join(", "),
        })
    }

    /// The configured voices.
    ///
    /// # Errors
    /// When one is missing or damaged.
    pub fn voices(&self) -> Result<Voices, EngineError> {
        let mut voices = Voices::none();
        for (language, id) in &self.tts.voices {
            voices = voices.with(language, self.voice(id)?);
        }
        Ok(voices)
    }

    /// The voice configured for a language.
    ///
    /// # Errors
    /// When there is none, or it is missing or damaged.
    pub fn voice_for(&self, language: &str) -> Result<Box<dyn Synthesizer>, EngineError> {
        let base = language.split(['-', '_']).next().unwrap_or(language);
        let voices = &self.tts.voices;
        let id = voices.get(language).or_else(|| voices.get(base));
        let id = id.ok_or_else(|| EngineError::NoVoiceFor { language: language.to_owned() })?;
        self.voice(id)
    }

    /// A voice by its name: an id in the catalogue, one speaker of it or a mix, as [`tts::parse_voice`] reads it.
    /// It keeps what it said, as [`tts::Config::cache_mb`] says.
    ///
    /// # Errors
    /// When it is no voice, or missing or damaged.
    pub fn voice(&self, id: &str) -> Result<Box<dyn Synthesizer>, EngineError> {
        if remote::is_address(id) {
            return Ok(Box::new(RemoteVoice::open(id)?));
        }
        let no_voice = || EngineError::NoVoice { id: id.to_owned() };
        let name = tts::parse_voice(id).map_err(|_| no_voice())?;
        let mut entries = Vec::new();
        for (part, weight) in &name.mix {
            // Kokoro's own names are as good as ours: af_heart is kokoro-af-heart.
            let own = format!("kokoro-{}", part.replace('_', "-"));
            let entry = match self.store.entry(part) {
                Err(_) if self.store.entry(&own).is_ok() => self.store.entry(&own)?,
                entry => entry?,
            };
            entries.push((entry, *weight));
        }
        let Some((entry, _)) = entries.first() else { return Err(no_voice()) };
        let Some(spec) = &entry.voice else { return Err(no_voice()) };
        let environment = self.environment()?;
        let settings = tts::VoiceConfig { speaker: name.speaker, ..self.tts.voice() };
        let voice: Box<dyn Synthesizer> = match spec.engine {
            VoiceEngine::Vits => {
                if entries.len() > 1 {
                    return Err(no_voice());
                }
                let model = self.store.file(&entry.id, &spec.file)?;
                let about = match &spec.settings {
                    Some(name) => self.store.file(&entry.id, name)?,
                    None => model.with_extension("onnx.json"),
                };
                Box::new(Piper::open(&environment, &model, &about, &settings)?)
            }
            VoiceEngine::Kokoro => {
                let network = entry.requires.first().map_or("kokoro-82m", String::as_str);
                let model = self.store.path_of(network)?;
                let vocabulary = self.store.file(network, "vocab.json")?;
                let mut styles = Vec::new();
                for (entry, weight) in &entries {
                    let spec = entry.voice.as_ref().ok_or_else(no_voice)?;
                    if spec.engine != VoiceEngine::Kokoro {
                        return Err(no_voice());
                    }
                    let path = self.store.file(&entry.id, &spec.file)?;
                    styles.push(Style { path, weight: *weight });
                }
                let taught = entry.languages.first().map_or("en", String::as_str);
                Box::new(Kokoro::open(
                    &environment,
                    &model,
                    &vocabulary,
                    &styles,
                    taught,
                    &settings,
                )?)
            }
        };
        Ok(match self.tts.cache_mb {
            0 => voice,
            megabytes => Box::new(Cached::new(voice, megabytes << 20)),
        })
    }

    fn environment(&self) -> Result<Environment, EngineError> {
        Ok(runtime::init(self.store)?)
    }
}
