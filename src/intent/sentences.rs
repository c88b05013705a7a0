//! A language's sentences: the package home-assistant-intents and a user's own files.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::grammar::{Grammar, Sentence};
use super::{IntentError, compile, expressions};

/// The metadata key that marks a user's own sentences, as in Home Assistant.
pub(super) const CUSTOM_KEY: &str = "hass_custom_sentence";
/// The metadata key that names the file of a user's own sentence, as in Home Assistant.
const CUSTOM_FILE_KEY: &str = "hass_custom_file";
/// Larger files are refused: the biggest language of the package has a quarter of a megabyte.
const MAX_BYTES: usize = 16 << 20;

/// So many problems of a file are told.
const MOST_PROBLEMS: usize = 50;

/// All sentences of one language, compiled.
///
/// Cheap to clone: the compiled form is shared.
#[derive(Debug, Clone)]
pub struct Language {
    /// Everything that was loaded, merged, in the layout of the files.
    data: Arc<Map<String, Value>>,
    pub(super) grammar: Arc<Grammar>,
}

impl Language {
    /// Loads a language of the package, `data/LANG.json` of home-assistant-intents.
    ///
    /// # Errors
    ///
    /// [`IntentError`] naming the file, and for a template also the intent, the sentence and the
    /// column.
    pub fn from_file(path: &Path) -> Result<Self, IntentError> {
        let file = path.display().to_string();
        let text = read(path, &file)?;
        Self::from_json(&text, &file)
    }

    /// Loads a language of the package from the text of its file. `file` is named in errors.
    ///
    /// # Errors
    ///
    /// See [`Language::from_file`].
    pub fn from_json(text: &str, file: &str) -> Result<Self, IntentError> {
        let data: Value = serde_json::from_str(text)
            .map_err(|error| IntentError::File { file: file.into(), reason: error.to_string() })?;
        Self::new(object(data, file)?, file)
    }

    /// Loads sentences in Home Assistant's YAML layout on their own, without the package.
    ///
    /// # Errors
    ///
    /// See [`Language::from_file`].
    pub fn from_yaml(text: &str, file: &str) -> Result<Self, IntentError> {
        Self::new(parse_yaml(text, file)?, file)
    }

    /// Loads a grammar of one's own: sentences in Home Assistant's YAML layout, or a context in
    /// Picovoice's (`context:` with `expressions:`, `slots:` and `macros:`). `language` is that of a
    /// file that does not name its own.
    ///
    /// # Errors
    ///
    /// See [`Language::from_file`].
    pub fn from_grammar(text: &str, language: &str, file: &str) -> Result<Self, IntentError> {
        let mut data = parse_yaml(text, file)?;
        if expressions::is_context(&data) {
            data = expressions::sentences(&data, language, file)?;
        }
        data.entry("language").or_insert_with(|| language.into());
        Self::new(data, file)
    }

    /// Adds a user's sentence file (`custom_sentences/LANG/*.yaml`). Its sentences win over the
    /// package's; its lists and rules may also be used by, and change, those of the package.
    ///
    /// # Errors
    ///
    /// [`IntentError`] when the file is for another language, is no YAML of that layout, or holds
    /// a template that is wrong.
    pub fn with_yaml(&self, text: &str, file: &str) -> Result<Self, IntentError> {
        self.with(parse_yaml(text, file)?, file)
    }

    fn with(&self, mut added: Map<String, Value>, file: &str) -> Result<Self, IntentError> {
        if let Some(Value::String(language)) = added.get("language")
            && !language.eq_ignore_ascii_case(self.code())
        {
            return Err(IntentError::File {
                file: file.into(),
                reason: format!(
                    "the sentences are for {language:?}, not for {:?}: load them with that language",
                    self.code()
                ),
            });
        }
        added.shift_remove("language");
        mark_custom(&mut added, file);
        let mut data = (*self.data).clone();
        merge(&mut data, added, file)?;
        Self::new(data, file)
    }

    /// Adds a user's sentence file from disk; see [`Language::with_yaml`].
    ///
    /// # Errors
    ///
    /// See [`Language::with_yaml`].
    pub fn with_file(&self, path: &Path) -> Result<Self, IntentError> {
        let file = path.display().to_string();
        let text = read(path, &file)?;
        self.with_yaml(&text, &file)
    }

    /// Everything that is wrong with a user's sentence file, and the language with what is right in
    /// it. Wrong sentences are found all at once; of wrong lists and rules, the first.
    ///
    /// # Errors
    ///
    /// When the file cannot be read at all; see [`Language::with_file`].
    pub fn check_file(&self, path: &Path) -> Result<(Self, Vec<IntentError>), IntentError> {
        let file = path.display().to_string();
        let mut added = parse_yaml(&read(path, &file)?, &file)?;
        let mut problems = Vec::new();
        loop {
            let error = match self.with(added.clone(), &file) {
                Ok(language) => return Ok((language, problems)),
                Err(error) => error,
            };
            let left_out = match &error {
                IntentError::Template { sentence, .. } => without(&mut added, sentence),
                _ => false,
            };
            problems.push(error);
            if !left_out || problems.len() >= MOST_PROBLEMS {
                return Ok((self.clone(), problems));
            }
        }
    }

    /// The language that a sentence file says it is for.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or does not say.
    pub fn of_file(path: &Path) -> Result<String, IntentError> {
        let file = path.display().to_string();
        match parse_yaml(&read(path, &file)?, &file)?.get("language").and_then(Value::as_str) {
            Some(language) => Ok(language.to_owned()),
            None => {
                let reason =
                    "does not say its language: begin it with a line such as `language: en`";
                Err(IntentError::File { file, reason: reason.into() })
            }
        }
    }

    /// The numbers of an intent's templates.
    #[must_use]
    pub fn templates_of(&self, intent: &str) -> Vec<usize> {
        let of = |sentence: &Sentence| {
            let block = &self.grammar.blocks[sentence.block as usize];
            self.grammar.intents[block.intent as usize] == intent
        };
        let all = self.grammar.sentences.iter().enumerate();
        all.filter(|(_, sentence)| of(sentence)).map(|(index, _)| index).collect()
    }

    /// The numbers of the templates that a user's own files brought.
    #[must_use]
    pub fn own_templates(&self) -> Vec<usize> {
        let all = self.grammar.sentences.iter().enumerate();
        let own = all.filter(|(_, own)| self.grammar.blocks[own.block as usize].custom);
        own.map(|(index, _)| index).collect()
    }

    fn new(data: Map<String, Value>, file: &str) -> Result<Self, IntentError> {
        let grammar = compile::compile(&data, file)?;
        Ok(Self { data: Arc::new(data), grammar: Arc::new(grammar) })
    }

    /// The language's tag, such as `en` or `zh-CN`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.data.get("language").and_then(Value::as_str).unwrap_or_default()
    }

    /// The intents in the order of the files.
    pub fn intents(&self) -> impl Iterator<Item = &str> {
        self.grammar.intents.iter().map(String::as_str)
    }

    /// How many sentence templates there are.
    #[must_use]
    pub fn sentence_count(&self) -> usize {
        self.grammar.sentences.len()
    }

    /// The Jinja source of an intent's response, if the language has one.
    #[must_use]
    pub fn response(&self, intent: &str, key: &str) -> Option<&str> {
        self.data.get("responses")?.get("intents")?.get(intent)?.get(key)?.as_str()
    }

    /// The Jinja source of what is said when something is wrong, such as `no_intent`.
    #[must_use]
    pub fn error_response(&self, key: &str) -> Option<&str> {
        self.data.get("responses")?.get("errors")?.get(key)?.as_str()
    }

    /// The merged data in the layout of the files.
    #[must_use]
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }
}

fn read(path: &Path, file: &str) -> Result<String, IntentError> {
    let failed = |reason: String| IntentError::File { file: file.into(), reason };
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > MAX_BYTES as u64 {
        return Err(failed(format!("{size} bytes are more than the {MAX_BYTES} allowed")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

fn parse_yaml(text: &str, file: &str) -> Result<Map<String, Value>, IntentError> {
    if text.len() > MAX_BYTES {
        let reason = format!("{} bytes are more than the {MAX_BYTES} allowed", text.len());
        return Err(IntentError::File { file: file.into(), reason });
    }
    let data: Value = serde_saphyr::from_str(text)
        .map_err(|error| IntentError::File { file: file.into(), reason: error.to_string() })?;
    object(data, file)
}

fn object(data: Value, file: &str) -> Result<Map<String, Value>, IntentError> {
    match data {
        Value::Object(map) => Ok(map),
        _ => Err(IntentError::File {
            file: file.into(),
            reason: "this is no mapping: a sentence file begins with `language:` and `intents:`"
                .into(),
        }),
    }
}

/// Takes a sentence out of a file's intents; false when it is not there.
fn without(data: &mut Map<String, Value>, sentence: &str) -> bool {
    let mut found = false;
    let intents = data.get_mut("intents").and_then(Value::as_object_mut);
    for intent in intents.into_iter().flat_map(|intents| intents.values_mut()) {
        let blocks = intent.get_mut("data").and_then(Value::as_array_mut);
        for block in blocks.into_iter().flatten() {
            if let Some(Value::Array(sentences)) = block.get_mut("sentences") {
                let before = sentences.len();
                sentences.retain(|own| own.as_str() != Some(sentence));
                found |= sentences.len() < before;
            }
        }
    }
    found
}

/// Marks every block of a user's file, so that its parses are preferred.
fn mark_custom(data: &mut Map<String, Value>, file: &str) {
    let Some(Value::Object(intents)) = data.get_mut("intents") else { return };
    for intent in intents.values_mut() {
        let Some(Value::Array(blocks)) = intent.get_mut("data") else { continue };
        for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
            let metadata = block.entry("metadata").or_insert_with(|| Map::new().into());
            if metadata.is_null() {
                *metadata = Map::new().into();
            }
            if let Value::Object(metadata) = metadata {
                metadata.insert(CUSTOM_KEY.into(), Value::Bool(true));
                metadata.insert(CUSTOM_FILE_KEY.into(), Value::String(file.into()));
            }
        }
    }
}

/// Merges a file into what is loaded: mappings key by key, sequences one behind the other, and
/// other values replaced.
fn merge(
    base: &mut Map<String, Value>,
    added: Map<String, Value>,
    file: &str,
) -> Result<(), IntentError> {
    for (key, value) in added {
        match (base.get_mut(&key), value) {
            (_, Value::Null) => {}
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new, file)?,
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (Some(old @ (Value::Object(_) | Value::Array(_))), new) => {
                let (old, new) = (kind(old), kind(&new));
                return Err(IntentError::File {
                    file: file.into(),
                    reason: format!("`{key}` is a {new}, but must be a {old}"),
                });
            }
            (Some(old), new) => *old = new,
            (None, new) => {
                base.insert(key, new);
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "mapping",
        Value::Array(_) => "sequence",
        _ => "single value",
    }
}
