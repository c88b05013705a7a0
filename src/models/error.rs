//! What can go wrong with models, each with its cure.

use std::fmt;
use std::path::PathBuf;

/// What can go wrong with models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// An id that no catalogue file has.
    #[error("no model {id:?} in the catalogue{}", near(.nearest))]
    Unknown {
        /// The id as it was given.
        id: String,
        /// Ids that look like it, best first.
        nearest: Vec<String>,
    },
    /// The model is in the catalogue and not on this machine.
    #[error("the model {id} is not installed (looked for {path}); fetch it with `hearken models pull {id}`", path = .path.display())]
    NotInstalled {
        /// The model's id.
        id: String,
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The model has no file of that name.
    #[error("the model {id} has no file {name:?}; it has {has}")]
    NoSuchFile {
        /// The model's id.
        id: String,
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        has: String,
    },
    /// Nothing is published for this operating system and processor.
    #[error("the model {id} has no files for {platform}{cure}")]
    Platform {
        /// The model's id.
        id: String,
        /// Operating system and processor, such as `linux-x86_64`.
        platform: String,
        /// What to do instead, beginning with punctuation.
        cure: String,
    },
    /// A catalogue file that cannot be used.
    #[error("{file}: {reason}")]
    Catalogue {
        /// The catalogue file.
        file: String,
        /// What is wrong and how to put it right.
        reason: String,
    },
    /// Every source of a file failed.
    #[error("{0}")]
    Sources(Box<SourcesFailed>),
    /// Some models of a pull could not be had; the others are installed.
    #[error("{} models could not be fetched:\n{}", .0.len(), lines(.0))]
    Several(Vec<ModelError>),
    /// A file is not what the catalogue says.
    #[error("{path} is not what the catalogue says: {reason}", path = .path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Expected and found, and what to do.
        reason: String,
    },
    /// A checkpoint that cannot be imported.
    #[error("cannot import {path}: {reason}", path = .path.display())]
    Import {
        /// The file that is at fault.
        path: PathBuf,
        /// Names the tensor and the numbers.
        reason: String,
    },
    /// An id that cannot be given to an imported model.
    #[error("cannot import under the id {id:?}: {reason}")]
    Id {
        /// The id as it was given.
        id: String,
        /// Why not, and what to choose.
        reason: String,
    },
    /// ONNX Runtime's library cannot be used.
    #[error("cannot use ONNX Runtime from {path}: {reason}", path = .path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The system refused a file operation.
    #[error("cannot {step} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl ModelError {
    /// Whether the same call may succeed later without any change here: the sources could not be
    /// reached.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Sources(_) => true,
            Self::Several(all) => all.iter().all(Self::is_retryable),
            _ => false,
        }
    }

    /// For `map_err`: wraps the system's reason.
    pub(super) fn io<'a>(
        step: &'static str,
        path: impl Into<PathBuf> + 'a,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { step, path: path.into(), source }
    }
}

/// A file that no source gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct SourcesFailed {
    /// The model's id.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// Each source that was tried, with its reason.
    pub tried: Vec<(String, String)>,
    /// Where the file belongs.
    pub path: PathBuf,
    /// The checksum that the file must have, when it is known.
    pub sha256: Option<String>,
    /// What to do with the file once it is there.
    pub then: String,
}

impl fmt::Display for SourcesFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no source gave the file {} of the model {}:", self.file, self.id)?;
        if self.tried.is_empty() {
            writeln!(f, "  - the catalogue names no source for it")?;
        }
        for (source, reason) in &self.tried {
            writeln!(f, "  - {source}: {reason}")?;
        }
        write!(f, "to put it there by hand, save the file as {}", self.path.display())?;
        if let Some(sha256) = &self.sha256 {
            write!(f, " (sha256 {sha256})")?;
        }
        write!(f, "{}", self.then)
    }
}

fn near(nearest: &[String]) -> String {
    if nearest.is_empty() {
        "; `hearken models list` shows what there is".into()
    } else {
        format!("; did you mean {}?", nearest.join(", "))
    }
}

fn lines(errors: &[ModelError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
