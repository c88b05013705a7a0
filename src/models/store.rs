//! The folder in which models lie.
//!
//! `<models>/<id>/` holds the files of one model; `<models>/catalogue/*.toml` holds entries that a
//! user or an import added; `<models>/.work/` holds what is being fetched, and the locks.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::{FileSpec, platform};
use super::{Catalogue, Entry, ModelError};

/// The environment variable that names the folder.
pub const FOLDER_VARIABLE: &str = "HEARKEN_MODELS";

/// The models on this machine, and the catalogue of those that could be.
#[derive(Debug, Clone)]
pub struct ModelStore {
    root: PathBuf,
    catalogue: Catalogue,
}

/// What a check of an installed file found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The checksum is the catalogue's.
    Good,
    /// The catalogue knows no checksum; the size was compared if it is known. Holds what was found.
    NoChecksumKnown {
        /// The file's checksum.
        sha256: String,
    },
    /// There is no such file.
    Missing,
    /// The file differs; what was expected and found.
    Wrong {
        /// In words.
        reason: String,
    },
}

impl Verdict {
    /// Whether the file can be used.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Good | Self::NoChecksumKnown { .. })
    }
}

impl ModelStore {
    /// Opens the store in `folder`; without one, in the folder of `HEARKEN_MODELS`, else in
    /// `hearken/models` of the user's data folder. The folder need not exist.
    ///
    /// # Errors
    /// When no folder can be named, or an added catalogue file cannot be used.
    pub fn open(folder: Option<&Path>) -> Result<Self, ModelError> {
        let root = match folder {
            Some(folder) => folder.to_owned(),
            None => default_folder()?,
        };
        let root = std::path::absolute(&root).map_err(ModelError::io("find", &root))?;
        let mut catalogue = Catalogue::shipped()?;
        catalogue.add_folder(&root.join("catalogue"))?;
        Ok(Self { root, catalogue })
    }

    /// A store with a catalogue of one's own.
    #[must_use]
    pub fn with_catalogue(root: &Path, catalogue: Catalogue) -> Self {
        Self { root: root.to_owned(), catalogue }
    }

    /// The folder of the store.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All models that are known.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// One model of the catalogue.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the ids that look like it.
    pub fn entry(&self, id: &str) -> Result<&Entry, ModelError> {
        self.catalogue.entry(id)
    }

    /// The main file of an installed model.
    ///
    /// # Errors
    /// When the id is not known or the model is not installed.
    pub fn path_of(&self, id: &str) -> Result<PathBuf, ModelError> {
        let entry = self.entry(id)?;
        let files = entry.installed_files();
        let main = files.first().ok_or_else(|| not_for_here(entry))?;
        self.present(entry, main)
    }

    /// A file of an installed model, by its name in the catalogue.
    ///
    /// # Errors
    /// When the id or the file is not known, or the file is not installed.
    pub fn file(&self, id: &str, name: &str) -> Result<PathBuf, ModelError> {
        let entry = self.entry(id)?;
        let files = entry.installed_files();
        let Some(spec) = files.iter().find(|f| f.name == name) else {
            return Err(ModelError::NoSuchFile {
                id: id.to_owned(),
                name: name.to_owned(),
                has: files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", "),
            });
        };
        self.present(entry, spec)
    }

    /// The folder of an installed model.
    ///
    /// # Errors
    /// When the id is not known or a file is missing.
    pub fn folder_of(&self, id: &str) -> Result<PathBuf, ModelError> {
        let entry = self.entry(id)?;
        for spec in entry.installed_files() {
            self.present(entry, &spec)?;
        }
        Ok(self.folder(id))
    }

    /// Whether all files of the model are there with the right sizes; what it requires is not
    /// looked at. False for ids that are not known.
    #[must_use]
    pub fn is_installed(&self, id: &str) -> bool {
        self.entry(id).is_ok_and(|entry| self.has(entry))
    }

    pub(super) fn has(&self, entry: &Entry) -> bool {
        let files = entry.installed_files();
        !files.is_empty() && files.iter().all(|f| self.present(entry, f).is_ok())
    }

    fn present(&self, entry: &Entry, spec: &FileSpec) -> Result<PathBuf, ModelError> {
        let path = self.folder(&entry.id).join(&spec.name);
        let there = fs::metadata(&path)
            .is_ok_and(|m| m.is_file() && spec.size.is_none_or(|size| size == m.len()));
        if there { Ok(path) } else { Err(ModelError::NotInstalled { id: entry.id.clone(), path }) }
    }

    pub(super) fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    pub(super) fn work(&self) -> PathBuf {
        self.root.join(".work")
    }

    /// Reads every file of a model and compares it with the catalogue.
    ///
    /// # Errors
    /// When the id is not known or a file cannot be read; a difference is a [`Verdict`].
    pub fn verify(&self, id: &str) -> Result<Vec<(PathBuf, Verdict)>, ModelError> {
        let entry = self.entry(id)?;
        let files = entry.installed_files();
        if files.is_empty() {
            return Err(not_for_here(entry));
        }
        files
            .iter()
            .map(|spec| {
                let path = self.folder(id).join(&spec.name);
                let verdict = judge(&path, spec)?;
                Ok((path, verdict))
            })
            .collect()
    }

    /// Removes a model's files; for a model that was imported, its catalogue entry too. True when
    /// there was something to remove.
    ///
    /// # Errors
    /// When the id is not known or the system refuses.
    pub fn remove(&self, id: &str) -> Result<bool, ModelError> {
        let entry = self.entry(id)?;
        let _lock = super::lock::Lock::take(&self.work(), id, || {})?;
        let folder = self.folder(id);
        let there = folder.is_dir();
        if there {
            fs::remove_dir_all(&folder).map_err(ModelError::io("remove", &folder))?;
        }
        if !entry.shipped && entry.all_files.iter().all(|f| f.from.is_empty()) {
            let file = self.root.join("catalogue").join(format!("{id}.toml"));
            if file.is_file() {
                fs::remove_file(&file).map_err(ModelError::io("remove", &file))?;
            }
        }
        Ok(there)
    }
}

pub(super) fn not_for_here(entry: &Entry) -> ModelError {
    let cure = if entry.kind == super::Kind::Runtime {
        "; install ONNX Runtime in another way and set ORT_DYLIB_PATH to its library"
    } else {
        ""
    };
    ModelError::Platform { id: entry.id.clone(), platform: platform(), cure: cure.into() }
}

/// Compares a file with what the catalogue says of it.
pub(super) fn judge(path: &Path, spec: &FileSpec) -> Result<Verdict, ModelError> {
    let length = match fs::metadata(path) {
        Ok(m) => m.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Verdict::Missing),
        Err(e) => return Err(ModelError::io("read", path)(e)),
    };
    if let Some(size) = spec.size
        && size != length
    {
        return Ok(Verdict::Wrong {
            reason: format!("it has {length} bytes and must have {size}"),
        });
    }
    let found = sha256_of(path)?;
    Ok(match &spec.sha256 {
        None => Verdict::NoChecksumKnown { sha256: found },
        Some(wanted) if *wanted == found => Verdict::Good,
        Some(wanted) => {
            Verdict::Wrong { reason: format!("its sha256 is {found} and must be {wanted}") }
        }
    })
}

/// The checksum of a file, in hexadecimal.
pub(super) fn sha256_of(path: &Path) -> Result<String, ModelError> {
    let mut file = File::open(path).map_err(ModelError::io("open", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n = file.read(&mut buffer).map_err(ModelError::io("read", path))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn default_folder() -> Result<PathBuf, ModelError> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|f| !f.is_empty()) {
        return Ok(folder.into());
    }
    dirs::data_dir().map(|data| data.join("hearken").join("models")).ok_or_else(|| ModelError::Io {
        step: "find the user's data folder for",
        path: "hearken/models".into(),
        source: std::io::Error::other(format!("set {FOLDER_VARIABLE} to a folder for models")),
    })
}
