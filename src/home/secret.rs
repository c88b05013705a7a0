//! A password or a token: never shown.

use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

/// The longest file that is read as a secret, in bytes.
const LONGEST: u64 = 64 << 10;

/// Something that only the one it is for may read. It shows as stars and is written as nothing.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// The secret itself, or the first line of the file that holds it.
    pub(super) fn choose(own: &Self, file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(own.clone()) };
        if !own.0.is_empty() {
            return Err("is set beside the secret itself; keep only the file".into());
        }
        let cannot = |why: String| format!("cannot read {}: {why}; check the path", file.display());
        let size = std::fs::metadata(file).map_err(|error| cannot(error.to_string()))?.len();
        if size > LONGEST {
            return Err(cannot(format!("it has {size} bytes, which is too long for a secret")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))?;
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return Err(cannot("its first line is empty".into()));
        }
        Ok(Self(line.to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "***" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, " hush \nsecond line\n").unwrap();
        let secret = Secret::choose(&Secret::default(), Some(&file)).unwrap();
        assert_eq!(secret.expose(), "hush");
        assert_eq!(format!("{secret:?} {:?}", Secret::default()), "*** \"\"");
        assert!(Secret::choose(&secret, Some(&file)).unwrap_err().contains("beside"));
        std::fs::write(&file, "\n").unwrap();
        assert!(Secret::choose(&Secret::default(), Some(&file)).unwrap_err().contains("empty"));
    }
}
