//! Whisper checkpoints of other programs become whisper.cpp's ggml files.
//!
//! A reader ([`ctranslate2`] or [`safetensors`]) lists the tensors of a checkpoint without reading
//! them; [`ggml`] writes them in one fixed order, a piece at a time, so that the same weights give
//! the same file from either format and memory stays small.

mod checkpoint;
mod ctranslate2;
mod ggml;
mod mel;
mod names;
mod quantize;
mod safetensors;
mod vocabulary;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::catalogue::{CheckpointFormat, Quantize, id_problem};
use super::lock::Lock;
use super::pull::{new_file, put};
use super::store::{Verdict, judge, sha256_of};
use super::{ModelError, ModelStore};

/// What an import made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The model's id.
    pub id: String,
    /// The file that was made.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// Its checksum.
    pub sha256: String,
    /// Whether it knows more languages than English.
    pub multilingual: bool,
}

/// An entry as it is written for an imported model.
#[derive(Serialize)]
struct NewEntry<'a> {
    id: &'a str,
    kind: &'a str,
    name: &'a str,
    description: String,
    languages: Vec<&'a str>,
    licence: &'a str,
    files: Vec<NewFile<'a>>,
}

#[derive(Serialize)]
struct NewFile<'a> {
    name: &'a str,
    size: u64,
    sha256: &'a str,
}

impl ModelStore {
    /// Makes a recogniser of a checkpoint: a folder of faster-whisper or of Hugging Face
    /// transformers, a `model.bin` or `.safetensors` file in such a folder, or a ready ggml file.
    ///
    /// Under an id of the shipped catalogue the result must be exactly that model; under a new id
    /// it gets a catalogue entry of its own.
    ///
    /// # Errors
    /// When the id cannot be used, or the checkpoint is truncated, foreign or not a Whisper; the
    /// reason names file, tensor and numbers. Nothing is installed then.
    pub fn import(
        &self,
        path: &Path,
        id: &str,
        quantize: Option<Quantize>,
    ) -> Result<Imported, ModelError> {
        let no = |reason: String| ModelError::Id { id: id.to_owned(), reason };
        if let Some(reason) = id_problem(id) {
            return Err(no(format!("it {reason}")));
        }
        let known = self.entry(id).ok().filter(|e| e.shipped);
        let name = match known {
            None => format!("ggml-{id}.bin"),
            Some(entry) if entry.kind == super::Kind::Recogniser => {
                entry.installed_files().first().map(|f| f.name.clone()).unwrap_or_default()
            }
            Some(entry) => {
                return Err(no(format!(
                    "it is a {} of the catalogue; choose another --id",
                    entry.kind.as_str()
                )));
            }
        };
        let quantize = quantize.or(known.and_then(|e| e.convert.as_ref()).and_then(|c| c.quantize));
        let _lock = Lock::take(&self.work(), id, || {})?;
        let folder = self.folder(id);
        let made_here = !folder.exists();
        let result = self.import_locked(path, id, &name, quantize);
        if result.is_err() && made_here {
            // Only an empty folder goes.
            let _ = fs::remove_dir(&folder);
        }
        result
    }

    fn import_locked(
        &self,
        path: &Path,
        id: &str,
        name: &str,
        quantize: Option<Quantize>,
    ) -> Result<Imported, ModelError> {
        let target = self.folder(id).join(name);
        let new = new_file(&self.folder(id))?;
        let multilingual = convert(path, None, quantize, new.as_file(), new.path())?;
        let known = self.entry(id).ok().filter(|e| e.shipped);
        if let Some(spec) = known.and_then(|e| e.installed_files().into_iter().next())
            && let Verdict::Wrong { reason } = judge(new.path(), &spec)?
        {
            return Err(ModelError::Id {
                id: id.to_owned(),
                reason: format!(
                    "{} gives another model than the catalogue's ({reason}); choose another --id",
                    path.display()
                ),
            });
        }
        let size = fs::metadata(new.path()).map_err(ModelError::io("read", &target))?.len();
        let sha256 = sha256_of(new.path())?;
        put(new, &target)?;
        if known.is_none() {
            self.write_entry(path, id, NewFile { name, size, sha256: &sha256 }, multilingual)?;
        }
        Ok(Imported { id: id.to_owned(), path: target, size, sha256, multilingual })
    }

    fn write_entry(
        &self,
        from: &Path,
        id: &str,
        file: NewFile<'_>,
        multilingual: bool,
    ) -> Result<(), ModelError> {
        let entry = NewEntry {
            id,
            kind: "recogniser",
            name: id,
            description: format!("Imported from {}.", from.display()),
            languages: vec![if multilingual { "*" } else { "en" }],
            licence: "as its source says",
            files: vec![file],
        };
        let path = self.root().join("catalogue").join(format!("{id}.toml"));
        let text = toml::to_string(&entry).map_err(|e| ModelError::Catalogue {
            file: path.display().to_string(),
            reason: e.to_string(),
        })?;
        let mut new = new_file(&self.root().join("catalogue"))?;
        new.write_all(text.as_bytes()).map_err(ModelError::io("write", &path))?;
        put(new, &path)
    }
}

/// Converts the checkpoint at `from` into `to`, whose name `to_path` is for messages, and says
/// whether it is multilingual. Without a format, looks which it is.
pub(super) fn convert(
    from: &Path,
    format: Option<CheckpointFormat>,
    quantize: Option<Quantize>,
    to: &File,
    to_path: &Path,
) -> Result<bool, ModelError> {
    let kind = match format {
        Some(CheckpointFormat::Ctranslate2) => Found::Ctranslate2(from.join("model.bin")),
        Some(CheckpointFormat::Safetensors) => Found::Safetensors(from.to_owned()),
        None => look(from)?,
    };
    let mut out = BufWriter::with_capacity(1 << 20, to);
    let checkpoint = match kind {
        Found::Ctranslate2(file) => ctranslate2::open(&file)?,
        Found::Safetensors(folder) => safetensors::open(&folder)?,
        Found::Ggml(file) => {
            let multilingual = ggml::check(&file)?;
            if quantize.is_some() {
                return Err(ModelError::Import {
                    path: file,
                    reason: "is a ggml file already and cannot be quantised here; import the checkpoint that it was made from, or leave --quantize out".into(),
                });
            }
            let mut input = File::open(&file).map_err(ModelError::io("open", &file))?;
            std::io::copy(&mut input, &mut out).map_err(ModelError::io("write", to_path))?;
            out.flush().map_err(ModelError::io("write", to_path))?;
            return Ok(multilingual);
        }
    };
    ggml::write(&checkpoint, quantize, &mut out, to_path)?;
    out.flush().map_err(ModelError::io("write", to_path))?;
    Ok(checkpoint.shape.multilingual())
}

enum Found {
    Ctranslate2(PathBuf),
    Safetensors(PathBuf),
    Ggml(PathBuf),
}

/// Finds out what lies at a path.
fn look(path: &Path) -> Result<Found, ModelError> {
    let fail = |reason: &str| ModelError::Import { path: path.to_owned(), reason: reason.into() };
    let meta = fs::metadata(path).map_err(ModelError::io("read", path))?;
    if meta.is_dir() {
        let has = |name: &str| path.join(name).is_file();
        return if has("model.safetensors") || has("model.safetensors.index.json") {
            Ok(Found::Safetensors(path.to_owned()))
        } else if has("model.bin") {
            Ok(Found::Ctranslate2(path.join("model.bin")))
        } else if has("pytorch_model.bin") {
            Err(fail(
                "holds only a pickled pytorch_model.bin, which can run any code; save the model with save_pretrained(..., safe_serialization=True) and import that",
            ))
        } else {
            Err(fail(
                "has neither model.bin (faster-whisper) nor model.safetensors (Hugging Face); name the folder that holds the model's files",
            ))
        };
    }
    if !meta.is_file() {
        return Err(fail("is neither a file nor a folder"));
    }
    let mut file = File::open(path).map_err(ModelError::io("open", path))?;
    let mut start = [0; 4];
    std::io::Read::read_exact(&mut file, &mut start).map_err(|_| fail("has fewer than 4 bytes"))?;
    if start == ggml::MAGIC.to_le_bytes() {
        return Ok(Found::Ggml(path.to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    if path.extension().is_some_and(|e| e == "safetensors") {
        return Ok(Found::Safetensors(folder.to_owned()));
    }
    if path.extension().is_some_and(|e| e == "bin") {
        return Ok(Found::Ctranslate2(path.to_owned()));
    }
    Err(fail(
        "is no model that can be imported: not ggml, not a model.bin of faster-whisper, not .safetensors",
    ))
}

#[cfg(test)]
mod tests;
