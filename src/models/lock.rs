//! One fetcher at a time for one thing, among all processes of the machine.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::ModelError;

/// Held while something is fetched; given back when it is dropped, or by the system when the
/// process ends in any way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `name`, waiting for its holder; `waiting` is called once before that.
    pub(super) fn take(
        work: &Path,
        name: &str,
        waiting: impl FnOnce(),
    ) -> Result<Self, ModelError> {
        let folder = work.join("locks");
        fs::create_dir_all(&folder).map_err(ModelError::io("make the folder", &folder))?;
        // The file stays: removing it would let two holders lock two files of one name.
        let path = folder.join(format!("{name}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(ModelError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(ModelError::io("lock", &path))?;
            }
            Err(TryLockError::Error(e)) => return Err(ModelError::io("lock", &path)(e)),
        }
        Ok(Self { _file: file })
    }
}
