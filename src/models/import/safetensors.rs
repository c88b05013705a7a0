//! Reads a Hugging Face folder: `config.json`, one or several `.safetensors`, a vocabulary.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype as Written, Metadata};
use serde::Deserialize;

use super::checkpoint::{Checkpoint, Dtype, Shape, Stored};
use super::{names, vocabulary};
use crate::models::ModelError;

/// No header or JSON file of a Whisper is larger.
const LARGEST_TEXT: u64 = 32 << 20;

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    model_type: String,
    d_model: u64,
    encoder_layers: u64,
    decoder_layers: u64,
    encoder_attention_heads: u64,
    #[serde(default = "bands")]
    num_mel_bins: u64,
    vocab_size: u64,
    #[serde(default = "audio_positions")]
    max_source_positions: u64,
    #[serde(default = "text_positions")]
    max_target_positions: u64,
}

fn bands() -> u64 {
    80
}

fn audio_positions() -> u64 {
    1_500
}

fn text_positions() -> u64 {
    448
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn fail(path: &Path, reason: impl Into<String>) -> ModelError {
    ModelError::Import { path: path.to_owned(), reason: reason.into() }
}

/// Opens the model in a folder.
///
/// # Errors
/// When a file is missing, not a Whisper, cut short or damaged.
pub(super) fn open(folder: &Path) -> Result<Checkpoint, ModelError> {
    let config_path = folder.join("config.json");
    let config: Config = json(&config_path, "the settings of a Whisper")?;
    if config.model_type != "whisper" {
        return Err(fail(
            &config_path,
            format!("model_type is {:?}; only \"whisper\" can be imported", config.model_type),
        ));
    }
    let shape = Shape {
        vocabulary: config.vocab_size,
        audio_positions: config.max_source_positions,
        width: config.d_model,
        heads: config.encoder_attention_heads,
        audio_layers: config.encoder_layers,
        text_positions: config.max_target_positions,
        text_layers: config.decoder_layers,
        mels: config.num_mel_bins,
    };
    if let Some(reason) = shape.problem() {
        return Err(fail(&config_path, reason));
    }
    let mut files = Vec::new();
    let mut found = HashMap::new();
    for path in shards(folder)? {
        let (file, tensors) = shard(&path, files.len())?;
        files.push((path, file));
        for (name, tensor) in tensors {
            let name = name.strip_prefix("model.").unwrap_or(&name).to_owned();
            found.insert(name, tensor);
        }
    }
    let mut tensors = HashMap::new();
    for wanted in names::wanted(&shape) {
        let name = &wanted.transformers;
        let Some((stored, written)) = found.remove(name) else {
            return Err(fail(folder, format!("has no tensor {name}; it is not a whole Whisper")));
        };
        let path = files.get(stored.file).map_or(folder, |(path, _)| path.as_path());
        let Some(dtype) = written else {
            return Err(fail(
                path,
                format!(
                    "the tensor {name} is not stored as f32, f16 or bf16; save the model in one of these"
                ),
            ));
        };
        let flat = wanted.shape.iter().filter(|&&n| n != 1);
        if !flat.eq(stored.shape.iter().filter(|&&n| n != 1)) {
            return Err(fail(
                path,
                format!(
                    "the tensor {name} has the shape {:?}; by config.json it must be {:?}",
                    stored.shape, wanted.shape
                ),
            ));
        }
        tensors.insert(wanted.name, Stored { dtype, shape: wanted.shape, ..stored });
    }
    let tokens = vocabulary::read(folder, shape.vocabulary)?;
    Ok(Checkpoint { files, shape, tokens, tensors })
}

/// The files that hold the weights.
fn shards(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let index = folder.join("model.safetensors.index.json");
    if !index.is_file() {
        return Ok(vec![folder.join("model.safetensors")]);
    }
    let read: Index = json(&index, "an index of shards")?;
    let names: BTreeSet<&String> = read.weight_map.values().collect();
    if names.len() > 256 {
        return Err(fail(&index, format!("names {} files; at most 256 can be", names.len())));
    }
    for name in &names {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(fail(&index, format!("names {name:?}, which leads out of the folder")));
        }
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

type Found = HashMap<String, (Stored, Option<Dtype>)>;

/// Lists the tensors of one file after checking that all of them lie inside it.
fn shard(path: &Path, number: usize) -> Result<(File, Found), ModelError> {
    let mut file = File::open(path).map_err(ModelError::io("open", path))?;
    let length = file.metadata().map_err(ModelError::io("read", path))?.len();
    let mut raw = [0; 8];
    if length < 8 {
        return Err(fail(path, format!("ends too early: {length} bytes are no safetensors file")));
    }
    file.read_exact(&mut raw).map_err(ModelError::io("read", path))?;
    let header = u64::from_le_bytes(raw);
    if header > length - 8 {
        return Err(fail(
            path,
            format!(
                "ends too early, or is no safetensors file: its header claims {header} bytes and the file has {length}"
            ),
        ));
    }
    if header > LARGEST_TEXT {
        return Err(fail(
            path,
            format!("its header claims {header} bytes; at most {LARGEST_TEXT} can be"),
        ));
    }
    let mut text = vec![0; header as usize];
    file.read_exact(&mut text).map_err(ModelError::io("read", path))?;
    let metadata: Metadata = serde_json::from_slice(&text)
        .map_err(|e| fail(path, format!("its header is damaged: {e}")))?;
    let start = 8 + header;
    let mut found = HashMap::new();
    for (name, info) in metadata.tensors() {
        let (from, to) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        if from > to || to > length - start {
            return Err(fail(
                path,
                format!(
                    "ends too early: the tensor {name} reaches to byte {to} of the data and there are {}",
                    length - start
                ),
            ));
        }
        let dtype = match info.dtype {
            Written::F32 => Some(Dtype::F32),
            Written::F16 => Some(Dtype::F16),
            Written::BF16 => Some(Dtype::Bf16),
            _ => None,
        };
        let shape: Vec<u64> = info.shape.iter().map(|&n| n as u64).collect();
        if let Some(dtype) = dtype {
            let elements = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
            if elements.and_then(|n| n.checked_mul(dtype.bytes())) != Some(to - from) {
                return Err(fail(
                    path,
                    format!("the tensor {name} of shape {shape:?} claims {} bytes", to - from),
                ));
            }
        }
        let stored = Stored {
            file: number,
            offset: start + from,
            dtype: dtype.unwrap_or(Dtype::F32),
            shape,
        };
        found.insert(name, (stored, dtype));
    }
    Ok((file, found))
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path, what: &str) -> Result<T, ModelError> {
    let length = fs::metadata(path).map_err(ModelError::io("read", path))?.len();
    if length > LARGEST_TEXT {
        return Err(fail(path, format!("has {length} bytes; at most {LARGEST_TEXT} can be")));
    }
    let text = fs::read(path).map_err(ModelError::io("read", path))?;
    serde_json::from_slice(&text).map_err(|e| fail(path, format!("is not {what}: {e}")))
}
