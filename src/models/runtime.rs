//! ONNX Runtime, which runs the networks of detectors and voices: one library, loaded once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::{ModelError, ModelStore};

/// The environment variable that names another library than the store's.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The id of the store's library in the catalogue.
pub const RUNTIME_ID: &str = "onnxruntime";

static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Loads ONNX Runtime and gives the environment in which sessions are made.
///
/// The library is the one that `ORT_DYLIB_PATH` names, else the store's. The first call that
/// succeeds decides for the whole process; later ones give the same environment. May be called
/// from any thread.
///
/// # Errors
/// When there is no library, or it is too old or cannot be loaded; a later call tries again.
pub fn init(store: &ModelStore) -> Result<Environment, ModelError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, environment)) = &*loaded {
        return Ok(environment.clone());
    }
    let (path, named) = match std::env::var_os(LIBRARY_VARIABLE).filter(|p| !p.is_empty()) {
        Some(path) => (PathBuf::from(path), true),
        None => (store.path_of(RUNTIME_ID)?, false),
    };
    let environment = load(&path, named)?;
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

/// The library that is loaded, if one is.
#[must_use]
pub fn library() -> Option<PathBuf> {
    let loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    loaded.as_ref().map(|(path, _)| path.clone())
}

fn load(path: &Path, named: bool) -> Result<Environment, ModelError> {
    let cure = if named {
        format!(
            "point {LIBRARY_VARIABLE} at ONNX Runtime 1.22 or newer, or unset it and use `hearken models pull {RUNTIME_ID}`"
        )
    } else {
        format!(
            "fetch it again: `hearken models remove {RUNTIME_ID}`, then `hearken models pull {RUNTIME_ID}`"
        )
    };
    let fail = |reason: String| ModelError::Runtime {
        path: path.to_owned(),
        reason: format!("{reason}; {cure}"),
    };
    // A relative name would be looked up beside the program first.
    let path = std::path::absolute(path).map_err(ModelError::io("find", path))?;
    if !path.is_file() {
        return Err(fail("there is no such file".into()));
    }
    ort::init_from(&path)
        .map_err(|e| fail(e.to_string()))?
        .with_name("hearken")
        .with_telemetry(false)
        .build()
        .map_err(|e| fail(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::load;

    #[test]
    fn what_is_no_library_is_refused_with_a_cure() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so");
        std::fs::write(&text, "not a library").unwrap();
        let missing = folder.path().join("nothing.so");
        for (path, named, parts) in [
            (&text, false, ["hearken models pull onnxruntime", "libonnxruntime.so"]),
            (&text, true, ["ORT_DYLIB_PATH", "1.22"]),
            (&missing, true, ["no such file", "nothing.so"]),
        ] {
            let error = load(path, named).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{error}");
            }
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_library_is_refused_without_a_panic() {
        let Some(libc) = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"]
            .map(std::path::Path::new)
            .into_iter()
            .find(|p| p.exists())
        else {
            return;
        };
        let error = load(libc, true).unwrap_err().to_string();
        assert!(error.contains("OrtGetApiBase") && error.contains("ORT_DYLIB_PATH"), "{error}");
    }
}
