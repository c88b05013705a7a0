//! Where state lives that must survive a restart: one SQLite file with values as JSON by their keys.
//!
//! Everything in one [`Store::save`] is written or nothing is, and a power cut loses at most what
//! was saved last. The file carries a schema version; one of a newer program is not touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// The version of the schema that this program writes.
const SCHEMA: i64 = 1;
/// The longest value that is kept, in bytes of JSON.
const LONGEST: usize = 4 << 20;
/// How long a save waits for another program that has the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why state cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder cannot be made: check its permissions.
    #[error("cannot make the folder {}: {source}; check its permissions", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no database, or cannot be used: move it away, and a new one is made.
    #[error("cannot use the state file {}: {source}; move it away to begin anew", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A newer program has written the file: use that one, or move the file away.
    #[error(
        "the state file {} has version {found}, and this program knows up to {known}; use a newer program or move the file away",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// A value is too long to be kept.
    #[error("the value of {key:?} has {bytes} bytes; at most {LONGEST} are kept")]
    TooLong {
        /// Its key.
        key: String,
        /// Its length.
        bytes: usize,
    },
}

/// A file of values.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("state.db");
/// use hearken::store::Store;
/// let mut store = Store::open(&path)?;
/// store.save(&[("lamp".into(), serde_json::json!({ "state": "on" }))])?;
/// drop(store);
/// assert_eq!(Store::open(&path)?.load()?["lamp"]["state"], "on");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens a file, after making it and its folder where they are not there yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file is no database or that of a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::Folder { path: folder.into(), source })?;
        }
        let wrong = |source| StoreError::Database { path: path.into(), source };
        let mut connection = Connection::open(path).map_err(wrong)?;
        let found = prepare(&mut connection).map_err(wrong)?;
        if found > SCHEMA {
            return Err(StoreError::Newer { path: path.into(), found, known: SCHEMA });
        }
        Ok(Self { connection, path: path.into() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every value by its key. One that cannot be read is left out with a warning.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(&self) -> Result<BTreeMap<String, Value>, StoreError> {
        let wrong = |source| StoreError::Database { path: self.path.clone(), source };
        let mut statement =
            self.connection.prepare_cached("SELECT key, value FROM state").map_err(wrong)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .map_err(wrong)?;
        let mut values = BTreeMap::new();
        for row in rows {
            let (key, text) = row.map_err(wrong)?;
            match serde_json::from_str(&text) {
                Ok(value) => drop(values.insert(key, value)),
                Err(error) => tracing::warn!(key, %error, "a kept value is left out"),
            }
        }
        Ok(values)
    }

    /// Keeps all of these values or, on an error, none; null forgets a key.
    ///
    /// # Errors
    /// When a value is too long or the file cannot be written.
    pub fn save(&mut self, values: &[(String, Value)]) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(values.len());
        for (key, value) in values {
            let text = (!value.is_null()).then(|| value.to_string());
            if let Some(bytes) = text.as_ref().map(String::len).filter(|bytes| *bytes > LONGEST) {
                return Err(StoreError::TooLong { key: key.clone(), bytes });
            }
            rows.push((key, text));
        }
        let path = self.path.clone();
        write(&mut self.connection, &rows).map_err(|source| StoreError::Database { path, source })
    }
}

/// Makes the connection safe and the schema present; gives the file's version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(PATIENCE)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > SCHEMA {
        return Ok(found);
    }
    // Readers and a writer do not wait for each other, and a commit is one append.
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))
        .optional()?;
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let change = connection.transaction()?;
    change.execute_batch(
        "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    )?;
    change.pragma_update(None, "user_version", SCHEMA)?;
    change.commit()?;
    Ok(SCHEMA)
}

fn write(connection: &mut Connection, rows: &[(&String, Option<String>)]) -> rusqlite::Result<()> {
    let change = connection.transaction()?;
    {
        let mut put = change.prepare_cached(
            "INSERT INTO state (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?;
        let mut forget = change.prepare_cached("DELETE FROM state WHERE key = ?1")?;
        for (key, text) in rows {
            match text {
                Some(text) => put.execute(params![key, text])?,
                None => forget.execute(params![key])?,
            };
        }
    }
    change.commit()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_survive_and_null_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/state.db");
        let mut store = Store::open(&path).unwrap();
        let rows = [("a".to_owned(), json!({"灯": [1, 2.5]})), ("b".to_owned(), json!("x"))];
        store.save(&rows).unwrap();
        store.save(&[("b".into(), Value::Null), ("a".into(), json!(2))]).unwrap();
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.load().unwrap(), BTreeMap::from([("a".to_owned(), json!(2))]));
        let mode: String =
            store.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn a_save_is_whole_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.db")).unwrap();
        let long = "x".repeat(LONGEST);
        let rows = [("a".to_owned(), json!(1)), ("b".to_owned(), json!(long))];
        let error = store.save(&rows).unwrap_err().to_string();
        assert!(error.contains("\"b\""), "{error}");
        assert!(store.load().unwrap().is_empty());
    }

    #[test]
    fn files_that_are_none_of_ours_are_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "a shopping list, no database at all, and long enough ".repeat(40))
            .unwrap();
        let error = Store::open(&text).unwrap_err().to_string();
        assert!(error.contains("notes.txt") && error.contains("move it away"), "{error}");
        assert!(std::fs::read_to_string(&text).unwrap().starts_with("a shopping list"));

        let newer = folder.path().join("newer.db");
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = Store::open(&newer).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");

        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Store::open(&folder.path().join("file/state.db")).unwrap_err();
        assert!(matches!(error, StoreError::Folder { .. }), "{error}");
    }

    #[test]
    fn a_value_that_is_damaged_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.db")).unwrap();
        store.save(&[("good".into(), json!(1))]).unwrap();
        store.connection.execute("INSERT INTO state VALUES ('bad', '{')", []).unwrap();
        assert_eq!(store.load().unwrap().len(), 1);
    }
}
