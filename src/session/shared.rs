//! What all sessions of a process share: one recogniser, one set of voices, one home.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::{CancellationToken, DropGuard};

use super::AsrHandle;
use super::DialogueHandle;
use super::EngineError;
use super::Engines;
use super::Listener;
use super::OpenVoice;
use super::Stages;
use super::TtsHandle;
use super::Voices;
use super::ahead;
use super::grammar;
use super::handles;
use crate::asr;
use crate::asr::Task;
use crate::asr::written_language;
use crate::detect;
use crate::dialogue;
use crate::home;
use crate::models::Kind;
use crate::models::ModelStore;
use crate::remote;
use crate::remote::RemoteVoice;
use crate::tts;

/// Settings and models that an engine's thread can keep.
#[derive(Debug, Clone)]
struct Settings {
    detect: detect::Config,
    asr: asr::Config,
    tts: tts::Config,
    home: home::Config,
    dialogue: dialogue::Config,
    store: ModelStore,
}

impl Settings {
    fn engines(&self) -> Engines<'_> {
        Engines {
            detect: &self.detect,
            asr: &self.asr,
            tts: &self.tts,
            home: &self.home,
            dialogue: &self.dialogue,
            remember: false,
            store: &self.store,
        }
    }
}

/// A voice that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceInfo {
    /// Its id in the catalogue.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// BCP-47 tags of what it speaks.
    pub languages: Vec<String>,
    /// Hz.
    pub sample_rate: u32,
}

/// The engines of a process that holds many conversations. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Shared {
    settings: Arc<Settings>,
    asr: AsrHandle,
    tts: TtsHandle,
    dialogue: Arc<DialogueHandle>,
    /// Those that are installed, as they were when it was last looked.
    voices: Arc<RwLock<Arc<[VoiceInfo]>>>,
    attention: ahead::Attention,
}

impl Shared {
    /// Opens the engines and gives them threads. `queue` utterances, and as many texts, may wait.
    ///
    /// # Errors
    /// When a model is missing or damaged, or the system gives no thread.
    pub fn open(engines: &Engines<'_>, queue: usize) -> Result<Self, EngineError> {
        let settings = Arc::new(Settings {
            detect: engines.detect.clone(),
            asr: engines.asr.clone(),
            tts: engines.tts.clone(),
            home: engines.home.clone(),
            dialogue: engines.dialogue.clone(),
            store: engines.store.clone(),
        });
        // Opened once here: what is missing is to be told before anybody calls.
        drop(engines.detector()?);
        let dialogue = engines.dialogue()?;
        dialogue.warm_up();
        let dialogue = DialogueHandle::from(dialogue);
        let mut recognizer = engines.recognizer()?;
        grammar::listen_for(&mut *recognizer, &dialogue);
        let asr = AsrHandle::spawn(recognizer, queue)?;
        let of_voices = Arc::clone(&settings);
        let open: OpenVoice = Box::new(move |id| of_voices.engines().voice(id));
        let tts = TtsHandle::spawn(open, queue)?;
        let dialogue = Arc::new(dialogue);
        let voices = Arc::new(RwLock::new(voices(&settings)));
        Ok(Self { settings, asr, tts, dialogue, voices, attention: ahead::Attention::default() })
    }

    /// Has the voices speak what the home is likely to answer, to nobody and while the engines are idle, so
    /// that it starts at once when it is needed. This happens in a thread of its own, until the guard
    /// is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn speak_ahead(&self) -> Result<DropGuard, EngineError> {
        let stop = CancellationToken::new();
        let (shared, stopped) = (self.clone(), stop.clone());
        if self.settings.tts.cache_mb > 0 {
            handles::spawn("answers ahead", move || {
                let languages = shared.settings.tts.voices.keys().map(String::as_str);
                let texts = ahead::likely(&shared.dialogue, languages);
                ahead::speak(&shared, texts, &|| stopped.is_cancelled());
            })?;
        }
        Ok(stop.drop_guard())
    }

    pub(super) fn attention(&self) -> &ahead::Attention {
        &self.attention
    }

    /// The recogniser.
    #[must_use]
    pub fn asr(&self) -> &AsrHandle {
        &self.asr
    }

    /// The id of the recogniser's model.
    #[must_use]
    pub fn asr_model(&self) -> &str {
        &self.settings.asr.model
    }

    /// The languages that the recogniser chooses among, or the one it is set to.
    #[must_use]
    pub fn recognised_languages(&self) -> Vec<String> {
        match self.settings.asr.language.as_str() {
            "auto" => self.settings.asr.languages.clone(),
            one => vec![one.to_owned()],
        }
    }

    /// The voices.
    #[must_use]
    pub fn tts(&self) -> &TtsHandle {
        &self.tts
    }

    /// A new conversation with the home.
    #[must_use]
    pub fn dialogue(&self) -> DialogueHandle {
        self.dialogue.fork()
    }

    /// The voices that are installed.
    #[must_use]
    pub fn voices(&self) -> Arc<[VoiceInfo]> {
        Arc::clone(&self.voices.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks again which voices are installed: one that was fetched meanwhile speaks from now on.
    pub fn look_for_voices(&self) {
        let found = voices(&self.settings);
        *self.voices.write().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// An installed voice by its id.
    #[must_use]
    pub fn voice(&self, id: &str) -> Option<VoiceInfo> {
        self.voices().iter().find(|voice| voice.id == id).cloned()
    }

    /// The configured voice for a language tag; for one without a voice, that of the first language.
    #[must_use]
    pub fn voice_for(&self, language: &str) -> Option<VoiceInfo> {
        let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let configured = &self.settings.tts.voices;
        let exact = configured.get(language);
        let near = || configured.iter().find(|(tag, _)| base(tag) == base(language));
        let id = exact.or_else(|| near().map(|(_, id)| id)).or_else(|| configured.values().next());
        self.voice(id?)
    }

    /// The voice that shall speak a text: the configured one of its script.
    #[must_use]
    pub fn voice_for_text(&self, text: &str) -> Option<VoiceInfo> {
        self.voice_for(written_language(text))
    }

    /// Where one speaks, if anywhere in particular.
    #[must_use]
    pub fn area(&self) -> Option<&str> {
        Some(self.settings.dialogue.area.as_str()).filter(|area| !area.is_empty())
    }

    /// The languages that are understood, as tags.
    #[must_use]
    pub fn languages(&self) -> &[String] {
        &self.settings.dialogue.languages
    }

    /// Where utterances begin and end, as configured.
    #[must_use]
    pub fn detect_settings(&self) -> &detect::Config {
        &self.settings.detect
    }

    /// A machine that cuts utterances, as configured.
    #[must_use]
    pub fn endpointer(&self) -> detect::Endpointer {
        detect::Endpointer::new(&self.settings.detect)
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> &ModelStore {
        &self.settings.store
    }

    /// The ids of the models that are in use: the recogniser, the detector, the configured voices.
    pub fn models_in_use(&self) -> impl Iterator<Item = &str> {
        let Settings { asr, detect, tts, .. } = &*self.settings;
        let voices = tts.voices.values().map(String::as_str);
        voices.chain([asr.model.as_str(), detect.model.as_str()])
    }

    /// The configured voices, but with this one for what it speaks. `None` when it is not installed.
    #[must_use]
    pub fn voices_led_by(&self, id: &str) -> Option<Voices> {
        let lead = self.voice(id)?;
        let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let speaks = |language: &str| lead.languages.iter().any(|own| base(own) == base(language));
        let mut voices = Voices::none();
        for language in &lead.languages {
            let voice = self.tts.voice(id, lead.sample_rate);
            voices = voices.with(&base(language), Box::new(voice));
        }
        for (language, id) in self.settings.tts.voices.iter().filter(|(own, _)| !speaks(own)) {
            if let Some(info) = self.voice(id) {
                voices = voices.with(language, Box::new(self.tts.voice(id, info.sample_rate)));
            }
        }
        Some(voices)
    }

    /// A voice detector of one's own.
    ///
    /// # Errors
    /// When the model went missing meanwhile.
    pub fn detector(&self) -> Result<Box<dyn detect::VoiceDetector>, EngineError> {
        Ok(self.attention.of(self.settings.engines().detector()?))
    }

    /// Cuts a stream into utterances, as `detect` says.
    ///
    /// # Errors
    /// When the voice detector's model went missing meanwhile.
    pub fn listener(&self, detect: &detect::Config) -> Result<Listener, EngineError> {
        Ok(Listener::new(self.detector()?, detect::Endpointer::new(detect)))
    }

    /// The stages of a new session. `language` is what is spoken, if that is known, and `detect` how
    /// utterances are cut.
    ///
    /// # Errors
    /// When the voice detector's model went missing meanwhile.
    pub fn stages(
        &self,
        language: Option<&str>,
        detect: &detect::Config,
    ) -> Result<Stages, EngineError> {
        let task = Task { language: language.map(str::to_owned), ..Task::default() };
        let mut voices = Voices::none();
        for (language, id) in &self.settings.tts.voices {
            if let Some(info) = self.voice(id) {
                let voice = self.tts.voice(id, info.sample_rate);
                voices = voices.with(language, Box::new(voice));
            }
        }
        Ok(Stages {
            detector: self.detector()?,
            endpointer: detect::Endpointer::new(detect),
            // A network of its own for every session would cost more than it gains.
            turns: None,
            recognizer: Box::new(self.asr.fork().with_task(task)),
            dialogue: self.dialogue(),
            voices,
        })
    }
}

fn voices(settings: &Settings) -> Arc<[VoiceInfo]> {
    let store = &settings.store;
    let elsewhere = settings.tts.voices.iter().filter(|(_, id)| remote::is_address(id));
    let elsewhere = elsewhere.map(|(language, id)| VoiceInfo {
        id: id.clone(),
        name: id.clone(),
        description: "A voice on another machine.".into(),
        languages: vec![language.clone()],
        sample_rate: RemoteVoice::RATE,
    });
    let ready = |id: &String| store.is_installed(id);
    let entries = store.catalogue().entries().filter(|entry| entry.kind == Kind::Voice);
    let entries = entries.filter(|entry| ready(&entry.id) && entry.requires.iter().all(ready));
    let info = |entry: &crate::models::Entry| {
        Some(VoiceInfo {
            id: entry.id.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            languages: entry.languages.clone(),
            sample_rate: entry.voice.as_ref()?.sample_rate,
        })
    };
    entries.filter_map(info).chain(elsewhere).collect()
}
