//! The ordinary tokens of a Whisper, as raw bytes by id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::models::ModelError;

/// No tokenizer file of a Whisper is larger.
const LARGEST_FILE: u64 = 64 << 20;

#[derive(Deserialize)]
struct Tokenizer {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u64>,
}

#[derive(Deserialize)]
struct Added {
    content: String,
}

/// Reads `tokenizer.json`, or else `vocab.json` with `added_tokens.json`, of a model's folder.
///
/// # Errors
/// When no such file is there or it is not a vocabulary whose ids run from 0 without a gap.
pub(super) fn read(folder: &Path, vocabulary: u64) -> Result<Vec<Vec<u8>>, ModelError> {
    let tokenizer = folder.join("tokenizer.json");
    let vocab = folder.join("vocab.json");
    let (path, vocab, added) = if tokenizer.is_file() {
        let t: Tokenizer = json(&tokenizer)?;
        (tokenizer, t.model.vocab, t.added_tokens.into_iter().map(|a| a.content).collect())
    } else if vocab.is_file() {
        let words: HashMap<String, u64> = json(&vocab)?;
        let more = folder.join("added_tokens.json");
        let added: HashMap<String, u64> =
            if more.is_file() { json(&more)? } else { HashMap::new() };
        (vocab, words, added.into_keys().collect::<HashSet<_>>())
    } else {
        return Err(ModelError::Import {
            path: folder.to_owned(),
            reason: "has neither tokenizer.json nor vocab.json; without the vocabulary there are no words. Copy tokenizer.json beside the model".into(),
        });
    };
    let fail = |reason: String| ModelError::Import { path: path.clone(), reason };
    // The end-of-text mark closes the ordinary tokens even where nobody lists it as added.
    let ordinary: BTreeMap<u64, &String> = vocab
        .iter()
        .filter(|(token, _)| !added.contains(*token) && !is_special(token))
        .map(|(token, &id)| (id, token))
        .collect();
    if ordinary.is_empty() {
        return Err(fail("holds no ordinary tokens".into()));
    }
    if ordinary.len() as u64 > vocabulary {
        return Err(fail(format!(
            "holds {} ordinary tokens and the model has room for {vocabulary}; it belongs to another model",
            ordinary.len()
        )));
    }
    let bytes = byte_of_char();
    let mut tokens = Vec::with_capacity(ordinary.len());
    for (next, (id, token)) in ordinary.into_iter().enumerate() {
        if id != next as u64 {
            return Err(fail(format!("has no token for the id {next}; the next one is {id}")));
        }
        let raw = token.chars().map(|c| bytes.get(&c).copied()).collect::<Option<Vec<u8>>>();
        let raw = raw.ok_or_else(|| {
            fail(format!("the token {token:?} (id {id}) is not written in GPT-2's byte alphabet"))
        })?;
        tokens.push(raw);
    }
    Ok(tokens)
}

fn is_special(token: &str) -> bool {
    token.starts_with("<|") && token.ends_with("|>")
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ModelError> {
    let length = fs::metadata(path).map_err(ModelError::io("read", path))?.len();
    if length > LARGEST_FILE {
        return Err(ModelError::Import {
            path: path.to_owned(),
            reason: format!("has {length} bytes; a vocabulary has at most {LARGEST_FILE}"),
        });
    }
    let text = fs::read(path).map_err(ModelError::io("read", path))?;
    serde_json::from_slice(&text).map_err(|e| ModelError::Import {
        path: path.to_owned(),
        reason: format!("is not a vocabulary: {e}"),
    })
}

/// GPT-2 writes each byte as a printable character: itself where it is printable, else the next
/// character from U+0100 on.
fn byte_of_char() -> HashMap<char, u8> {
    let mut next = 0x100_u32;
    (0..=255_u8)
        .filter_map(|byte| {
            let c = if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
                char::from(byte)
            } else {
                next += 1;
                char::from_u32(next - 1)?
            };
            Some((c, byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{byte_of_char, read};

    #[test]
    fn the_byte_alphabet_is_complete() {
        let bytes = byte_of_char();
        assert_eq!(bytes.len(), 256);
        for (c, byte) in [('Ġ', b' '), ('Ċ', b'\n'), ('a', b'a'), ('å', 0xE5), ('Ń', 0xAD)] {
            assert_eq!(bytes.get(&c), Some(&byte), "{c}");
        }
    }

    #[test]
    fn both_kinds_of_file_give_the_same_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("vocab.json"), r#"{"Ġa":1,"b":0,"<|endoftext|>":3,"åľº":2}"#).unwrap();
        std::fs::write(at("added_tokens.json"), r#"{"<|en|>":4}"#).unwrap();
        let plain = read(folder.path(), 10).unwrap();
        assert_eq!(plain, [b"b".to_vec(), b" a".to_vec(), "场".as_bytes().to_vec()]);
        let whole = r#"{"model":{"vocab":{"Ġa":1,"b":0,"åľº":2}},"added_tokens":[{"content":"<|endoftext|>"}]}"#;
        std::fs::write(at("tokenizer.json"), whole).unwrap();
        assert_eq!(read(folder.path(), 10).unwrap(), plain);
    }

    #[test]
    fn vocabularies_that_cannot_be_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (text, part) in [
            (r#"{"a":0,"b":2}"#, "no token for the id 1"),
            ("{}", "no ordinary tokens"),
            (r#"{"a":0,"b":1,"c":2,"d":3,"e":4}"#, "room for 4"),
            (r#"{"a b":0}"#, "byte alphabet"),
            (r#"{"a":-1}"#, "not a vocabulary"),
            ("[", "not a vocabulary"),
        ] {
            std::fs::write(folder.path().join("vocab.json"), text).unwrap();
            let error = read(folder.path(), 4).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("vocab.json"), "{text}: {error}");
        }
    }
}
