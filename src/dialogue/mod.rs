//! The turn of talk: from what was meant to what is done and answered.
//!
//! [`Dialogue`] understands a sentence with the intents of its language and the names of its home,
//! does what was meant, and answers in the speaker's language.

mod act;
mod answer;
mod complete;
mod direct;
mod learned;
mod likely;
mod more;
mod pending;
mod refusal;
mod rehearsal;
mod render;
mod reply;
mod ring;
mod risk;
mod several;
mod slots;
mod targets;
mod timers;
mod turn;
mod wording;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::home::Action;
use crate::home::Call;
use crate::home::Clock;
use crate::home::Home;
use crate::home::SystemClock;
use crate::intent::Engine;
use crate::intent::Language;
use crate::intent::Meaning;
use crate::intent::Name;
use crate::intent::Names;
use crate::intent::Sayable;
use crate::intent::SoundsLike;
use crate::intent::is_template;

use answer::Facts;
use more::Unknown;
use pending::Pending;
use refusal::Refusal;
use risk::Rule;
use targets::Where;
use turn::Last;

pub use complete::Completeness;
pub use direct::TimerChange;
pub use learned::{Considered, Learned, Lesson, LessonError};
pub use reply::{Alternative, Command, Reply, Understood};
pub use ring::Ring;
pub use wording::Wording;

/// Settings of this room, `[dialogue]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The languages that are understood, as tags of the package's sentences: `en`, `zh-CN`. The
    /// first is spoken where another one is asked for.
    pub languages: Vec<String>,
    /// The name or the id of the area where one speaks, for "turn on the light"; empty for nowhere
    /// in particular.
    pub area: String,
    /// What is asked before it is done: services such as `lock.unlock`, perhaps of one class of
    /// device (`cover.open_cover:garage`) or of one device (`valve.open_valve:valve.gas`). At first
    /// whatever lets somebody in; an empty list asks about nothing.
    pub confirm: Vec<String>,
    /// Sentences of one's own, in Home Assistant's layout (`language:`, `intents:`): YAML files, or
    /// folders of them, also with a folder for each language. They win over the package's.
    pub sentences: Vec<PathBuf>,
}

/// What lets somebody in: a voice can be anybody's, also that of the television.
const RISKY: [&str; 8] = [
    "lock.unlock",
    "lock.open",
    "cover.open_cover:garage",
    "cover.open_cover:gate",
    "cover.open_cover:door",
    "cover.set_cover_position:garage",
    "cover.set_cover_position:gate",
    "alarm_control_panel.alarm_disarm",
];

impl Default for Config {
    fn default() -> Self {
        Self {
            languages: vec!["en".into(), "zh-CN".into()],
            area: String::new(),
            confirm: RISKY.map(str::to_owned).to_vec(),
            sentences: Vec::new(),
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.languages.is_empty() {
            problems.push(
                "dialogue.languages: is empty, so nothing can be understood; name at least one, such as \"en\""
                    .into(),
            );
        }
        let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        for language in self.languages.iter().filter(|own| own.is_empty() || !own.chars().all(tag))
        {
            problems.push(format!(
                "dialogue.languages: {language:?} is no language tag; use one such as \"en\" or \"zh-CN\""
            ));
        }
        if let Err(error) = self.sentence_files() {
            problems.push(format!("dialogue.sentences: {error}"));
        }
        for rule in self.confirm.iter().filter(|rule| Rule::parse(rule).is_none()) {
            problems.push(format!(
                "dialogue.confirm: {rule:?} is no service; write one such as \"lock.unlock\", \"cover.open_cover:garage\" or \"valve.open_valve:valve.gas\""
            ));
        }
        problems
    }

    /// The files of one's own sentences, those in folders among them, in the order of their names.
    ///
    /// # Errors
    /// When a file or a folder cannot be read.
    pub fn sentence_files(&self) -> Result<Vec<PathBuf>, SentenceFileError> {
        let mut files = Vec::new();
        for path in &self.sentences {
            collect(path, 2, &mut files)?;
        }
        Ok(files)
    }

    /// What does not fit this home, each with its cure.
    #[must_use]
    pub fn problems_with(&self, home: &Home) -> Vec<String> {
        if self.area.is_empty() || home.area_named(&self.area).is_some() {
            return Vec::new();
        }
        let areas: Vec<&str> = home.areas().iter().map(|area| area.id.as_str()).take(40).collect();
        let areas = areas.join(", ");
        vec![format!("dialogue.area: the home has no area {:?}; use one of {areas}", self.area)]
    }
}

/// A file or a folder of one's own sentences cannot be read: check the path.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the sentences {}: {source}; check the path", path.display())]
pub struct SentenceFileError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Adds a file, or the YAML files of a folder and of the folders in it, so many deep.
fn collect(path: &Path, deep: usize, files: &mut Vec<PathBuf>) -> Result<(), SentenceFileError> {
    let wrong = |source| SentenceFileError { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(wrong)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let inside = std::fs::read_dir(path).map_err(wrong)?;
    let mut inside: Vec<PathBuf> = inside.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside {
        let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if (path.is_dir() && deep > 1) || (path.is_file() && yaml) {
            collect(&path, deep - 1, files)?;
        }
    }
    Ok(())
}

/// Why a dialogue cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialogueError {
    /// Nothing can be understood without a language: load at least one.
    #[error("no language is loaded: name at least one, such as en or zh")]
    NoLanguage,
    /// The sentences and the names of the home do not go together.
    #[error("cannot prepare the sentences for {language:?}: {source}")]
    Sentences {
        /// The language's tag.
        language: String,
        /// Why.
        source: Box<crate::intent::IntentError>,
    },
}

/// One language that is spoken here.
struct Tongue {
    language: Language,
    engine: Engine,
    /// Sentences of our own, for where the package finds nothing.
    more: Option<Engine>,
    /// How it all sounds; made when a sentence first finds nothing.
    sounds: OnceLock<Option<SoundsLike>>,
}

impl Tongue {
    fn new(language: Language, home: &Home) -> Result<Self, crate::intent::IntentError> {
        let names = names(home, language.code());
        let more = more::sentences(language.code()).transpose()?;
        let more = more.map(|more| Engine::new(&more, &names)).transpose()?;
        let engine = Engine::new(&language, &names)?;
        Ok(Self { engine, language, more, sounds: OnceLock::new() })
    }

    fn sounds(&self) -> Option<&SoundsLike> {
        let engines: Vec<&Engine> = std::iter::once(&self.engine).chain(&self.more).collect();
        self.sounds.get_or_init(|| SoundsLike::new(&engines)).as_ref()
    }

    fn recognize(&self, text: &str, area: Option<&str>) -> Option<Meaning> {
        let recognize = |engine: &Engine, text: &str, area: Option<&str>| {
            let context: Map<String, Value> =
                area.map(|area| ("area".to_owned(), area.into())).into_iter().collect();
            engine.recognize(text, &context)
        };
        // Without a place, what is meant for the place where one is holds for the whole house.
        let both = |engine: &Engine, text: &str| {
            recognize(engine, text, area).or_else(|| match area {
                None => recognize(engine, text, Some(slots::EVERYWHERE)),
                Some(_) => None,
            })
        };
        let plain = more::plainly(text, self.language.code());
        let mut meaning = both(&self.engine, text)
            .or_else(|| both(&self.engine, plain?))
            .or_else(|| both(self.more.as_ref()?, plain.unwrap_or(text)))?;
        if meaning.slots.get("area").is_some_and(|area| area == slots::EVERYWHERE) {
            meaning.slots.remove("area");
        }
        Some(meaning)
    }
}

/// What one conversation remembers: what was asked back, and what was talked about last.
#[derive(Default)]
pub struct Talk {
    pending: Option<Pending>,
    last: Option<Last>,
}

impl Talk {
    /// Whether a question was asked that the next sentence may answer.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.pending.is_some()
    }
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("asked", &self.pending.is_some()).finish_non_exhaustive()
    }
}

/// A home that can be talked to.
pub struct Dialogue {
    home: Home,
    tongues: Vec<Arc<Tongue>>,
    clock: Box<dyn Clock>,
    wording: Wording,
    confirm: Vec<Rule>,
    pending: Option<Pending>,
    last: Option<Last>,
    /// When the last sentence was answered.
    spoke: Option<Timestamp>,
    /// The version of the home's names that the engines know.
    names_version: u64,
    learned: Learned,
}

impl std::fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let languages: Vec<&str> = self.tongues.iter().map(|t| t.language.code()).collect();
        f.debug_struct("Dialogue").field("languages", &languages).field("home", &self.home).finish()
    }
}

impl Dialogue {
    /// Prepares a home to be talked to in these languages; the first is spoken when another one is
    /// asked for.
    ///
    /// # Errors
    /// When there is no language, or its sentences do not go with the names of the home.
    pub fn new(home: Home, languages: Vec<Language>) -> Result<Self, DialogueError> {
        if languages.is_empty() {
            return Err(DialogueError::NoLanguage);
        }
        let tongues = languages.into_iter().map(|language| {
            let code = language.code().to_owned();
            Tongue::new(language, &home).map(Arc::new).map_err(|source| DialogueError::Sentences {
                language: code,
                source: source.into(),
            })
        });
        let tongues = tongues.collect::<Result<_, DialogueError>>()?;
        let wording = Wording::Natural;
        Ok(Self {
            names_version: home.names_version(),
            home,
            tongues,
            clock: Box::new(SystemClock),
            wording,
            confirm: Vec::new(),
            pending: None,
            last: None,
            spoke: None,
            learned: Learned::default(),
        })
    }

    /// The same, but asking before these services are called; see [`Config::confirm`]. What is no
    /// service is left out, as [`Config::problems`] has told.
    #[must_use]
    pub fn with_confirm(mut self, services: &[String]) -> Self {
        self.confirm = services.iter().filter_map(|service| Rule::parse(service)).collect();
        self
    }

    /// Takes in what happened to the home since: states that changed, devices that came or went.
    pub fn refresh(&mut self) {
        self.home.refresh();
        if self.home.names_version() == self.names_version {
            return;
        }
        // A device that came back brings only the names that it has by itself.
        self.learned.call_by_name(&mut self.home);
        self.names_version = self.home.names_version();
        for tongue in &mut self.tongues {
            match Tongue::new(tongue.language.clone(), &self.home).map(Arc::new) {
                Ok(new) => {
                    // What was ready is to be ready again.
                    if tongue.sounds.get().is_some() {
                        learn_sounds(vec![Arc::clone(&new)]);
                    }
                    *tongue = new;
                }
                // The old names still do for what has not changed.
                Err(error) => tracing::warn!(%error, "the home's new names cannot be understood"),
            }
        }
    }

    /// Exchanges what the conversation remembers for what another one does, so that several people
    /// can talk to one home.
    pub fn swap_talk(&mut self, talk: &mut Talk) {
        std::mem::swap(&mut self.pending, &mut talk.pending);
        std::mem::swap(&mut self.last, &mut talk.last);
    }

    /// Learns how everything sounds now, so that the first sentence that finds nothing does not
    /// wait for it.
    pub fn warm_up(&self) {
        for tongue in &self.tongues {
            tongue.sounds();
        }
    }

    /// The same in a thread of its own, at once. A sentence that needs it before it is done waits
    /// for the rest only.
    pub fn warm_up_aside(&self) {
        learn_sounds(self.tongues.clone());
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Box<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same with another wording.
    #[must_use]
    pub fn with_wording(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The package's and the user's own sentences of a language, with the names of the home.
    #[must_use]
    pub fn engine(&self, language: &str) -> &Engine {
        &self.tongue(language).engine
    }

    /// The tags of the languages that are understood.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.tongues.iter().map(|tongue| tongue.language.code())
    }

    /// What a sentence means, said in an area or nowhere in particular.
    #[must_use]
    pub fn understand(&self, text: &str, language: &str, area: Option<&str>) -> Option<Meaning> {
        let tongue = self.tongue(language);
        let area = area.map(|area| match self.home.area_named(area) {
            Some(known) => known.names.main(tongue.language.code()),
            None => area,
        });
        tongue.recognize(text, area).filter(|meaning| more::unknown(meaning).is_none())
    }

    /// Everything that can be said in the home in a language, for a recogniser to listen for;
    /// `None` when the language is not spoken here. It holds until the home's names change
    /// ([`Dialogue::names_version`]).
    #[must_use]
    pub fn sayable(&self, language: &str) -> Option<Sayable> {
        let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_owned();
        let tongue = self.tongues.iter().find(|t| base(t.language.code()) == base(language))?;
        let engines: Vec<&Engine> = std::iter::once(&tongue.engine).chain(&tongue.more).collect();
        Some(Sayable::new(&engines))
    }

    /// Changes whenever something in the home is named otherwise.
    #[must_use]
    pub fn names_version(&self) -> u64 {
        self.names_version
    }

    /// Whether a sentence is a command, or several, that this home can carry out, as it stands:
    /// nothing is repaired.
    #[must_use]
    pub fn is_command(&self, text: &str, language: &str, area: Option<&str>) -> bool {
        self.understand(text, language, area)
            .is_some_and(|meaning| self.possible(&meaning, language, area))
    }

    /// Does what is meant and answers; see [`Dialogue::respond`].
    pub fn obey(&mut self, meaning: &Meaning, language: &str, area: Option<&str>) -> Reply {
        let now = self.clock.now();
        let code = self.tongue(language).language.code().to_owned();
        let here = area.and_then(|area| self.home.area_named(area)).map(|area| area.id.clone());
        let (here, stamp) = (here.as_deref(), now.timestamp());
        let mut facts = Facts::default();
        let (mut actions, mut refusal) = (Vec::new(), None);
        match timers::act(&mut self.home, meaning, here, &code, stamp) {
            Some(Ok(done)) => {
                let place = Where { home: &self.home, here, language: &code };
                let query = timers::query(&self.home, meaning, &code).unwrap_or_default();
                facts.canceled = done.canceled;
                facts.timers = answer::timers(&query, place, stamp);
            }
            Some(Err(why)) => refusal = Some(why),
            None => {
                let place = Where { home: &self.home, here, language: &code };
                match act::plan(meaning, place) {
                    Ok(plan) => {
                        facts = Facts::of(&plan);
                        let results = self.home.act_all(&plan.calls, &now);
                        for (call, result) in plan.calls.iter().zip(results) {
                            match result {
                                Ok(done) => actions.extend(done),
                                Err(error) => {
                                    facts.matched.retain(|id| *id != call.entity);
                                    let why = Refusal::home(&error, &self.home, &code);
                                    refusal.get_or_insert(why);
                                }
                            }
                        }
                    }
                    Err(why) => refusal = Some(why),
                }
            }
        }
        if let Some(action) = announcement(meaning) {
            actions.push(action);
        }
        let tongue = self.tongue(language);
        let place = Where { home: &self.home, here, language: &code };
        let mut reply = match (&refusal, actions.is_empty()) {
            // Nothing was done at all: only the apology is said.
            (Some(_), true) => Reply { text: String::new(), ..self.bare(meaning, tongue) },
            _ => self.reply(meaning, tongue, place, &facts),
        };
        if let Some(why) = refusal {
            reply.error = Some(why.key);
            let apology = why.say(&tongue.language);
            let gap = if code.starts_with("zh") { "。" } else { ". " };
            let text = std::mem::take(&mut reply.text);
            reply.text = if text.is_empty() { apology } else { format!("{text}{gap}{apology}") };
        }
        reply.actions = actions;
        reply
    }

    fn tongue(&self, language: &str) -> &Tongue {
        let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let exact = self.tongues.iter().find(|t| t.language.code().eq_ignore_ascii_case(language));
        let near = || self.tongues.iter().find(|t| base(t.language.code()) == base(language));
        exact.or_else(near).unwrap_or(&self.tongues[0])
    }

    fn bare(&self, meaning: &Meaning, tongue: &Tongue) -> Reply {
        let intent = Understood { name: meaning.intent.clone(), slots: meaning.slots.clone() };
        Reply {
            intent: Some(intent),
            response_key: Some(meaning.response_key.clone()),
            area: slots::text(meaning, "area").map(Into::into),
            score: 1.0,
            ..Reply::plain(String::new(), tongue.language.code())
        }
    }

    fn reply(&self, meaning: &Meaning, tongue: &Tongue, place: Where<'_>, facts: &Facts) -> Reply {
        let now = self.clock.now();
        let text = answer::answer(&tongue.language, meaning, place, facts, &now, self.wording);
        let mut reply = self.bare(meaning, tongue);
        match text {
            Ok(text) => reply.text = text,
            Err(error) => {
                let (intent, key) = (&meaning.intent, &meaning.response_key);
                tracing::warn!(%intent, %key, %error, "a response cannot be rendered");
                reply.error = Some("handle_error");
                reply.text = Refusal::new("handle_error").say(&tongue.language);
            }
        }
        reply
    }

    /// Nothing was understood, or only that something is asked for that this home does not have.
    fn lost(&self, text: &str, language: &str) -> Reply {
        let tongue = self.tongue(language);
        let meaning = tongue.recognize(text, None);
        let refusal = match meaning.as_ref().and_then(more::unknown) {
            Some(Unknown::Thing(name)) => Refusal::new("no_entity").with("entity", name),
            _ => Refusal::new("no_intent"),
        };
        let plain = Reply::plain(refusal.say(&tongue.language), tongue.language.code());
        Reply { error: Some(refusal.key), ..plain }
    }
}

/// Learns in a thread of its own how languages sound.
fn learn_sounds(tongues: Vec<Arc<Tongue>>) {
    let learn = move || tongues.iter().for_each(|tongue| _ = tongue.sounds());
    // Without the thread the first sentence that needs it waits.
    if let Err(error) = std::thread::Builder::new().name("sounds".into()).spawn(learn) {
        tracing::warn!(%error, "no thread to learn in how everything sounds");
    }
}

/// What a broadcast says, as an action on everybody.
fn announcement(meaning: &Meaning) -> Option<Action> {
    let message = slots::text(meaning, "message").filter(|_| meaning.intent == "HassBroadcast")?;
    let Call { entity, service, data } = Call::new("all", "broadcast").with("message", message);
    Some(Action { entity, service, data, changes: std::collections::BTreeMap::new() })
}

/// What can be named in a sentence of this language.
fn names(home: &Home, language: &str) -> Names {
    let row = |own: &crate::home::Names| Name {
        value: own.main(language).to_owned(),
        spoken: own.spoken(language).into_iter().map(|name| template(own, name)).collect(),
        context: Map::new(),
    };
    let exposed = home.entities().iter().filter(|entity| entity.exposed);
    Names {
        areas: home.areas().iter().map(|area| row(&area.names)).collect(),
        floors: home.floors().iter().map(|floor| row(&floor.names)).collect(),
        entities: exposed
            .map(|entity| row(&entity.names).with("domain", entity.domain.as_str()))
            .collect(),
        ..Names::default()
    }
}

/// A name as a template: what it says, where it is one, else one that stands for itself.
fn template(own: &crate::home::Names, name: &str) -> String {
    if own.are_templates() && is_template(name) { name.to_owned() } else { verbatim(name) }
}

/// A name as a template that stands for itself.
fn verbatim(name: &str) -> String {
    let mut template = String::with_capacity(name.len());
    for c in name.chars() {
        if "()[]{}<>|;\\".contains(c) {
            template.push('\\');
        }
        template.push(c);
    }
    template
}

#[cfg(test)]
mod tests;
