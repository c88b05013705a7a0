//! What there is: one TOML file for each model.
//!
//! The files under `voices/` are part of the binary; files that a user puts into
//! `<models>/catalogue/` are read beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::source::{RawSource, Source};

/// The catalogue files that are part of the binary: name and text.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Speech to text.
    Recogniser,
    /// A voice that speaks.
    Voice,
    /// What voices share: the network behind the styles.
    Synthesiser,
    /// Tells speech from other sound, or the end of a turn.
    Detector,
    /// Finds a wake word.
    WakeWord,
    /// Turns sound into numbers that other models judge.
    Embedding,
    /// Takes noise out of sound.
    Denoiser,
    /// A library that runs models.
    Runtime,
    /// Sentence templates of intents.
    Sentences,
}

impl Kind {
    /// The word that the catalogue and the command line use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recogniser => "recogniser",
            Self::Voice => "voice",
            Self::Synthesiser => "synthesiser",
            Self::Detector => "detector",
            Self::WakeWord => "wake-word",
            Self::Embedding => "embedding",
            Self::Denoiser => "denoiser",
            Self::Runtime => "runtime",
            Self::Sentences => "sentences",
        }
    }
}

/// How a voice is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceSpec {
    /// Which synthesizer speaks it.
    pub engine: VoiceEngine,
    /// Hz.
    pub sample_rate: u32,
    /// `female`, `male`, or absent where nobody said.
    #[serde(default)]
    pub gender: Option<String>,
    /// The file that holds the voice: the network for `vits`, the style for `kokoro`.
    pub file: String,
    /// The file with the settings of a `vits` voice (phoneme ids, scales).
    #[serde(default)]
    pub settings: Option<String>,
    /// Whether a `vits` voice takes pinyin instead of eSpeak's phonemes.
    #[serde(default)]
    pub pinyin: bool,
}

/// Which synthesizer speaks a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VoiceEngine {
    /// A Piper voice: one VITS network and its settings.
    Vits,
    /// A style of Kokoro; the network is the entry that the voice requires.
    Kokoro,
}

/// A file as it is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSpec {
    /// Its name in the model's folder.
    pub name: String,
    /// Bytes, when they are known.
    pub size: Option<u64>,
    /// In hexadecimal, when it is known.
    pub sha256: Option<String>,
    /// Operating system and processor that it is for, such as `linux-x86_64`; absent for all.
    pub platform: Option<String>,
    /// Where it comes from, in the order in which to try.
    #[serde(skip)]
    pub from: Vec<Source>,
}

/// What becomes of the fetched files before the model is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convert {
    /// The format of the fetched files.
    pub from: CheckpointFormat,
    /// The number format of the large tensors; absent keeps 16-bit floats.
    #[serde(default)]
    pub quantize: Option<Quantize>,
    /// The name of the file that results; it is all that stays.
    pub name: String,
    /// Its bytes, when they are known.
    #[serde(default)]
    pub size: Option<u64>,
    /// Its checksum, when it is known.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// Formats that the importer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CheckpointFormat {
    /// A folder of faster-whisper.
    Ctranslate2,
    /// A folder of Hugging Face transformers.
    Safetensors,
}

/// Number formats of the large tensors of an imported model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Quantize {
    /// 8 bits and a scale for each 32 values.
    #[serde(rename = "q8_0")]
    Q8_0,
    /// 5 bits, a scale and an offset for each 32 values.
    #[serde(rename = "q5_1")]
    Q5_1,
}

/// One model of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// What commands and settings call it.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// What a person calls it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// BCP-47 tags; empty when it does not depend on a language, `["*"]` for very many.
    pub languages: Vec<String>,
    /// An SPDX expression, or free text for what a user imported.
    pub licence: String,
    /// Whether a bare `hearken models pull` fetches it.
    pub default: bool,
    /// Ids of the entries that it needs beside itself.
    pub requires: Vec<String>,
    /// What is fetched, for every platform; see [`files`](Self::files).
    pub all_files: Vec<FileSpec>,
    /// What becomes of the fetched files.
    pub convert: Option<Convert>,
    /// How it is spoken, for voices.
    pub voice: Option<VoiceSpec>,
    /// Whether it is part of the binary; the others a user added.
    pub shipped: bool,
}

/// The file as it is written in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: String,
    kind: Kind,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    languages: Vec<String>,
    licence: String,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    from: Vec<RawSource>,
    files: Vec<RawFile>,
    convert: Option<Convert>,
    voice: Option<VoiceSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: String,
    size: Option<u64>,
    sha256: Option<String>,
    platform: Option<String>,
    #[serde(default)]
    from: Vec<RawSource>,
}

/// Operating system and processor as the catalogue writes them, such as `linux-x86_64`.
#[must_use]
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

impl Entry {
    /// Reads one catalogue file.
    ///
    /// # Errors
    /// Says what is wrong with the text and how it must be.
    pub fn parse(file: &str, text: &str) -> Result<Self, ModelError> {
        let fail = |reason: String| ModelError::Catalogue { file: file.to_owned(), reason };
        let raw: RawEntry = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let mut all_files = Vec::with_capacity(raw.files.len());
        for f in raw.files {
            let written = if f.from.is_empty() { &raw.from } else { &f.from };
            let from = written
                .iter()
                .map(|source| source.resolve(&f.name))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|reason| fail(format!("the file {:?}: {reason}", f.name)))?;
            all_files.push(FileSpec {
                name: f.name,
                size: f.size,
                sha256: f.sha256,
                platform: f.platform,
                from,
            });
        }
        let entry = Self {
            id: raw.id,
            kind: raw.kind,
            name: raw.name,
            description: raw.description,
            languages: raw.languages,
            licence: raw.licence,
            default: raw.default,
            requires: raw.requires,
            all_files,
            convert: raw.convert,
            voice: raw.voice,
            shipped: false,
        };
        match entry.problem() {
            None => Ok(entry),
            Some(reason) => Err(fail(reason)),
        }
    }

    /// The first thing that is wrong, with its cure.
    fn problem(&self) -> Option<String> {
        if let Some(reason) = id_problem(&self.id) {
            return Some(format!("the id {:?} {reason}", self.id));
        }
        if self.all_files.is_empty() {
            return Some("names no files; add a [[files]] table".into());
        }
        let mut seen = BTreeSet::new();
        for f in &self.all_files {
            if !plain_name(&f.name) {
                return Some(format!(
                    "the file name {:?} must be a plain name without a path",
                    f.name
                ));
            }
            if !seen.insert((&f.name, &f.platform)) {
                return Some(format!("the file {:?} is named twice", f.name));
            }
            if let Some(reason) = checksum_problem(f.sha256.as_deref()) {
                return Some(format!("the file {:?}: {reason}", f.name));
            }
        }
        if let Some(c) = &self.convert {
            if !plain_name(&c.name) {
                return Some(format!(
                    "the file name {:?} must be a plain name without a path",
                    c.name
                ));
            }
            if let Some(reason) = checksum_problem(c.sha256.as_deref()) {
                return Some(format!("the file {:?}: {reason}", c.name));
            }
        }
        match (&self.voice, self.kind) {
            (None, Kind::Voice) => return Some("a voice needs a [voice] table".into()),
            (Some(_), kind) if kind != Kind::Voice => {
                return Some(format!("a {} cannot have a [voice] table", kind.as_str()));
            }
            (Some(voice), _) => {
                let names = std::iter::once(&voice.file).chain(&voice.settings);
                for name in names {
                    if !self.all_files.iter().any(|f| f.name == *name) {
                        return Some(format!("[voice] names {name:?}, which is not in [[files]]"));
                    }
                }
            }
            (None, _) => {}
        }
        None
    }

    /// What is fetched for this machine.
    pub fn files(&self) -> impl Iterator<Item = &FileSpec> {
        let here = platform();
        self.all_files.iter().filter(move |f| f.platform.as_ref().is_none_or(|p| *p == here))
    }

    /// What lies in the model's folder once it is installed; the main file comes first.
    #[must_use]
    pub fn installed_files(&self) -> Vec<FileSpec> {
        match &self.convert {
            Some(c) => vec![FileSpec {
                name: c.name.clone(),
                size: c.size,
                sha256: c.sha256.clone(),
                platform: None,
                from: Vec::new(),
            }],
            None => self.files().cloned().collect(),
        }
    }

    /// Bytes on the disk once it is installed, as far as they are known.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.installed_files().iter().filter_map(|f| f.size).sum()
    }

    /// Bytes to fetch from the registries, each package counted once; where a package's size is
    /// not known, the sizes of its files stand for it.
    #[must_use]
    pub fn fetch_bytes(&self) -> u64 {
        let mut packages = BTreeMap::new();
        let mut bytes = 0;
        for f in self.files() {
            let sized = f.from.iter().find_map(|s| {
                s.parts()
                    .map(|p| p.archive().and_then(|a| Some((a, a.bytes?))))
                    .collect::<Option<Vec<_>>>()
            });
            match sized {
                Some(parts) => packages.extend(parts.into_iter().map(|(a, n)| (a.label(), n))),
                None => bytes += f.size.unwrap_or(0),
            }
        }
        bytes + packages.values().sum::<u64>()
    }
}

/// Why an id cannot be used, as the end of a sentence that names it.
pub(super) fn id_problem(id: &str) -> Option<&'static str> {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let reserved = ["catalogue"];
    if id.is_empty() || id.len() > 64 {
        Some("must have 1 to 64 characters")
    } else if !id.chars().all(ok) || !id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("may only have a-z, 0-9, '-', '_' and '.', and begins with a letter or digit")
    } else if reserved.contains(&id) {
        Some("is the name of a folder that Hearken needs")
    } else {
        None
    }
}

fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':', '\0'])
        && name.len() <= 200
}

fn checksum_problem(sha256: Option<&str>) -> Option<String> {
    let sum = sha256?;
    let ok = sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (!ok).then(|| format!("the sha256 {sum:?} must be 64 lower-case hexadecimal digits"))
}

/// All models that are known here.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
}

impl Catalogue {
    /// The models that are part of the binary.
    ///
    /// # Errors
    /// When a shipped file cannot be used, which the tests rule out.
    pub fn shipped() -> Result<Self, ModelError> {
        let mut catalogue = Self::default();
        for (file, text) in SHIPPED {
            let mut entry = Entry::parse(&format!("voices/{file}"), text)?;
            entry.shipped = true;
            if let Some(twin) = catalogue.entries.insert(entry.id.clone(), entry) {
                return Err(ModelError::Catalogue {
                    file: format!("voices/{file}"),
                    reason: format!("the id {:?} is taken by another file", twin.id),
                });
            }
        }
        Ok(catalogue)
    }

    /// Reads the `*.toml` files of a folder beside what is there; a folder that does not exist is
    /// empty.
    ///
    /// # Errors
    /// When a file cannot be read or used, or takes an id that is taken.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), ModelError> {
        let listing = match std::fs::read_dir(folder) {
            Ok(listing) => listing,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(ModelError::io("read the folder", folder)(e)),
        };
        let mut files = Vec::new();
        for file in listing {
            let path = file.map_err(ModelError::io("read the folder", folder))?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(ModelError::io("read", &path))?;
            self.add(Entry::parse(&path.display().to_string(), &text)?, &path)?;
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry, path: &Path) -> Result<(), ModelError> {
        if self.entries.contains_key(&entry.id) {
            return Err(ModelError::Catalogue {
                file: path.display().to_string(),
                reason: format!(
                    "the id {:?} is taken by another model; choose another id or remove the file",
                    entry.id
                ),
            });
        }
        self.entries.insert(entry.id.clone(), entry);
        Ok(())
    }

    /// One model.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the ids that look like it.
    pub fn entry(&self, id: &str) -> Result<&Entry, ModelError> {
        self.entries
            .get(id)
            .ok_or_else(|| ModelError::Unknown { id: id.to_owned(), nearest: self.nearest(id) })
    }

    fn nearest(&self, id: &str) -> Vec<String> {
        let wanted = id.to_lowercase().replace([' ', '/'], "-");
        let mut scored: Vec<(f64, &String)> = self
            .entries
            .keys()
            .map(|known| {
                let inside = if known.contains(&wanted) && wanted.len() > 2 { 0.5 } else { 0.0 };
                (strsim::jaro_winkler(&wanted, known) + inside, known)
            })
            .filter(|(score, _)| *score > 0.8)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(3).map(|(_, known)| known.clone()).collect()
    }

    /// Every model, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The ids that a bare pull fetches.
    #[must_use]
    pub fn defaults(&self) -> Vec<&str> {
        self.entries().filter(|e| e.default).map(|e| e.id.as_str()).collect()
    }

    /// The given ids and all that they require, each once, what is required first.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for an id that no file has.
    pub fn with_requirements<S: AsRef<str>>(&self, ids: &[S]) -> Result<Vec<&Entry>, ModelError> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for id in ids {
            self.visit(id.as_ref(), &mut seen, &mut order)?;
        }
        Ok(order)
    }

    fn visit<'a>(
        &'a self,
        id: &str,
        seen: &mut BTreeSet<&'a str>,
        order: &mut Vec<&'a Entry>,
    ) -> Result<(), ModelError> {
        let entry = self.entry(id)?;
        if seen.insert(&entry.id) {
            for needed in &entry.requires {
                self.visit(needed, seen, order)?;
            }
            order.push(entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
