//! Brings models into the store: each source in turn, checked, then moved into place at once.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::catalogue::{Convert, FileSpec};
use super::error::SourcesFailed;
use super::fetch::{FetchError, Fetcher, copy_member, shared_copy};
use super::lock::Lock;
use super::source::{Archive, Part, Source};
use super::store::{Verdict, judge, not_for_here};
use super::{Entry, ModelError, ModelStore, Observer, Step, import};

/// Downloads that run at once.
const AT_ONCE: usize = 3;

/// What a pull did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// Ids of the models that came.
    pub installed: Vec<String>,
    /// Ids of the models that were there before.
    pub already_there: Vec<String>,
}

impl ModelStore {
    /// Installs the models of `ids` and all that they require, some at once. Models that are there
    /// are left alone, so that this needs no network when all are.
    ///
    /// What one process or thread fetches, another waits for instead of fetching it again. An
    /// interrupted pull is called again and goes on with the files and packages that were whole,
    /// and with files of the hub in the middle.
    ///
    /// # Errors
    /// When an id is not known (nothing is fetched then), or for the models that could not be had;
    /// the others are installed all the same.
    pub fn pull<S: AsRef<str>>(
        &self,
        ids: &[S],
        fetcher: &dyn Fetcher,
        observer: &dyn Observer,
    ) -> Result<Pulled, ModelError> {
        let entries = self.catalogue().with_requirements(ids)?;
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let pull = Pull { store: self, fetcher, observer, uses: uses(&entries) };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(entries.len()) {
                scope.spawn(|| {
                    while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = pull.entry(entry);
                        match &result {
                            Ok(true) => observer.step(&entry.id, Step::Installed),
                            Ok(false) => observer.step(&entry.id, Step::AlreadyThere),
                            Err(e) => {
                                observer.step(&entry.id, Step::Failed { reason: &e.to_string() });
                            }
                        }
                        pull.done_with(entry);
                        let mut all =
                            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        all.push((entry.id.clone(), result));
                    }
                });
            }
        });
        let mut pulled = Pulled::default();
        let mut errors = Vec::new();
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (id, result) in results {
            match result {
                Ok(true) => pulled.installed.push(id),
                Ok(false) => pulled.already_there.push(id),
                Err(e) => errors.push(e),
            }
        }
        pulled.installed.sort();
        pulled.already_there.sort();
        match errors.len() {
            0 => Ok(pulled),
            1 => Err(errors.swap_remove(0)),
            _ => Err(ModelError::Several(errors)),
        }
    }
}

/// How many of the entries use each package.
fn uses(entries: &[&Entry]) -> Mutex<HashMap<String, usize>> {
    let mut uses = HashMap::new();
    for entry in entries {
        for slug in packages(entry) {
            *uses.entry(slug).or_insert(0) += 1;
        }
    }
    Mutex::new(uses)
}

/// The packages that an entry may use, each once.
fn packages(entry: &Entry) -> Vec<String> {
    let mut slugs: Vec<String> = entry
        .files()
        .flat_map(|f| &f.from)
        .flat_map(Source::parts)
        .filter_map(|p| p.archive().map(Archive::slug))
        .collect();
    slugs.sort();
    slugs.dedup();
    slugs
}

struct Pull<'a> {
    store: &'a ModelStore,
    fetcher: &'a dyn Fetcher,
    observer: &'a dyn Observer,
    /// Entries of this pull that still may use a package.
    uses: Mutex<HashMap<String, usize>>,
}

impl Pull<'_> {
    /// Installs one entry; false when it was there.
    fn entry(&self, entry: &Entry) -> Result<bool, ModelError> {
        if self.store.has(entry) {
            return Ok(false);
        }
        if entry.files().next().is_none() {
            return Err(not_for_here(entry));
        }
        let _lock = Lock::take(&self.store.work(), &entry.id, || {
            self.observer.step(&entry.id, Step::Waiting { what: &entry.id });
        })?;
        if self.store.has(entry) {
            return Ok(false);
        }
        let folder = self.store.folder(&entry.id);
        // Whole files of an entry that will be converted wait outside its folder.
        let landing = match &entry.convert {
            Some(_) => self.store.work().join("whole").join(&entry.id),
            None => folder.clone(),
        };
        for dir in [&folder, &landing] {
            fs::create_dir_all(dir).map_err(ModelError::io("make the folder", dir))?;
            sweep(dir);
        }
        for spec in entry.files() {
            let path = landing.join(&spec.name);
            if !self.is_whole(&path, spec)? {
                self.file(entry, spec, &path)?;
            }
        }
        if let Some(convert) = &entry.convert {
            self.observer.step(&entry.id, Step::Converting);
            convert_into(&landing, convert, &folder.join(&convert.name))?;
            fs::remove_dir_all(&landing).map_err(ModelError::io("remove", &landing))?;
        }
        let hub = self.store.work().join(format!("hub-{}", entry.id));
        if hub.is_dir() {
            fs::remove_dir_all(&hub).map_err(ModelError::io("remove", &hub))?;
        }
        Ok(true)
    }

    /// Whether a file from an earlier pull, or one put there by hand, can stay.
    fn is_whole(&self, path: &Path, spec: &FileSpec) -> Result<bool, ModelError> {
        Ok(judge(path, spec)?.is_usable())
    }

    /// Gets one file from the first source that gives it.
    fn file(&self, entry: &Entry, spec: &FileSpec, path: &Path) -> Result<(), ModelError> {
        let mut tried = Vec::new();
        for source in &spec.from {
            let words = source.to_string();
            match self.try_source(entry, spec, source, &words, path) {
                Ok(()) => return Ok(()),
                Err(Problem::Here(e)) => return Err(e),
                Err(Problem::Source(e)) => {
                    let reason = e.0;
                    self.observer
                        .step(&entry.id, Step::SourceFailed { source: &words, reason: &reason });
                    tried.push((words, reason));
                }
            }
        }
        let then = match &entry.convert {
            Some(_) => format!(
                " and pull again; or import a checkpoint that you have: `hearken models import FOLDER --id {}`",
                entry.id
            ),
            None => String::new(),
        };
        Err(ModelError::Sources(Box::new(SourcesFailed {
            id: entry.id.clone(),
            file: spec.name.clone(),
            tried,
            path: path.to_owned(),
            sha256: spec.sha256.clone(),
            then,
        })))
    }

    fn try_source(
        &self,
        entry: &Entry,
        spec: &FileSpec,
        source: &Source,
        words: &str,
        path: &Path,
    ) -> Result<(), Problem> {
        let told = |total| {
            self.observer
                .step(&entry.id, Step::Fetching { file: &spec.name, source: words, total });
        };
        let here = |step| move |e| Problem::Here(ModelError::io(step, path)(e));
        let new = new_file(path.parent().unwrap_or(path)).map_err(Problem::Here)?;
        let mut out = BufWriter::with_capacity(1 << 20, new);
        for part in source.parts() {
            match part {
                Part::Hub(file) => {
                    told(spec.size);
                    let work = self.store.work().join(format!("hub-{}", entry.id));
                    let from = match shared_copy(file) {
                        Some(path) => path,
                        None => self.fetcher.hub(file, &work, &|at, total| {
                            if let (0, Some(total)) = (at, total) {
                                told(Some(total));
                            }
                            self.observer.step(&entry.id, Step::Bytes(at));
                        })?,
                    };
                    let mut from =
                        File::open(&from).map_err(FetchError::from_io("open the download"))?;
                    io::copy(&mut from, &mut out).map_err(here("write"))?;
                }
                Part::Member(package, member) => {
                    let (archive, _lock) = self.package(entry, package, &told)?;
                    let limit = spec.size;
                    let copied = copy_member(package.registry, &archive, member, limit, &mut out);
                    if let Err(e) = copied {
                        // A damaged package must not be used again.
                        let _ = fs::remove_file(&archive);
                        return Err(e.into());
                    }
                }
            }
        }
        out.flush().map_err(here("write"))?;
        let new = out.into_inner().map_err(|e| here("write")(e.into_error()))?;
        match judge(new.path(), spec).map_err(Problem::Here)? {
            Verdict::Good | Verdict::NoChecksumKnown { .. } => {}
            Verdict::Missing => {
                return Err(FetchError("the file vanished while it was checked".into()).into());
            }
            Verdict::Wrong { reason } => {
                return Err(FetchError(format!(
                    "it gave a file that is not the right one: {reason}"
                ))
                .into());
            }
        }
        put(new, path).map_err(Problem::Here)
    }

    /// The archive of a package: fetched by whoever comes first, kept until no entry needs it. It
    /// stays while the lock is held.
    fn package(
        &self,
        entry: &Entry,
        package: &Archive,
        told: &(dyn Fn(Option<u64>) + Sync),
    ) -> Result<(PathBuf, Lock), Problem> {
        let slug = package.slug();
        let packages = self.store.work().join("packages");
        let kept = packages.join(&slug);
        let work = self.store.work();
        let lock = Lock::take(&work, &slug, || {
            self.observer.step(&entry.id, Step::Waiting { what: &package.label() });
        })
        .map_err(Problem::Here)?;
        if kept.is_file() {
            return Ok((kept, lock));
        }
        told(package.bytes);
        let fetching = work.join(format!("fetch-{slug}"));
        let here = |step| {
            let fetching = fetching.clone();
            move |e| Problem::Here(ModelError::io(step, fetching)(e))
        };
        // An interrupted client leaves pieces that it cannot go on with.
        if fetching.is_dir() {
            fs::remove_dir_all(&fetching).map_err(here("remove"))?;
        }
        fs::create_dir_all(&fetching).map_err(here("make the folder"))?;
        fs::create_dir_all(&packages).map_err(here("make the folder"))?;
        let fetched = self.fetcher.package(package, &fetching, &|at, _| {
            self.observer.step(&entry.id, Step::Bytes(at));
        });
        let result = match fetched {
            Ok(archive) => fs::rename(&archive, &kept).map_err(here("move")).map(|()| (kept, lock)),
            Err(e) => Err(e.into()),
        };
        fs::remove_dir_all(&fetching).map_err(here("remove"))?;
        result
    }

    /// Forgets the packages that no other entry of this pull needs.
    fn done_with(&self, entry: &Entry) {
        let mut uses = self.uses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for slug in packages(entry) {
            let Some(n) = uses.get_mut(&slug) else { continue };
            *n -= 1;
            let kept = self.store.work().join("packages").join(&slug);
            if *n == 0 && self.store.has(entry) && kept.is_file() {
                // Nothing depends on its going; the next pull would use it.
                if let Ok(_lock) = Lock::take(&self.store.work(), &slug, || {}) {
                    let _ = fs::remove_file(&kept);
                }
            }
        }
    }
}

/// Whose fault it is decides whether the next source is tried.
enum Problem {
    /// This machine's: another source would fail in the same way.
    Here(ModelError),
    Source(FetchError),
}

impl From<FetchError> for Problem {
    fn from(e: FetchError) -> Self {
        Self::Source(e)
    }
}

/// Converts the checkpoint in `from` and moves the result to `to`.
fn convert_into(from: &Path, convert: &Convert, to: &Path) -> Result<(), ModelError> {
    let folder = to.parent().unwrap_or(to);
    let new = new_file(folder)?;
    import::convert(from, Some(convert.from), convert.quantize, new.as_file(), new.path())?;
    let spec = FileSpec {
        name: convert.name.clone(),
        size: convert.size,
        sha256: convert.sha256.clone(),
        platform: None,
        from: Vec::new(),
    };
    if let Verdict::Wrong { reason } = judge(new.path(), &spec)? {
        return Err(ModelError::Mismatch { path: to.to_owned(), reason });
    }
    put(new, to)
}

/// A new file in `folder` that vanishes unless it is [`put`] into its place.
pub(super) fn new_file(folder: &Path) -> Result<tempfile::NamedTempFile, ModelError> {
    fs::create_dir_all(folder).map_err(ModelError::io("make the folder", folder))?;
    tempfile::Builder::new()
        .prefix(".new-")
        .suffix(".partial")
        .tempfile_in(folder)
        .map_err(ModelError::io("write into", folder))
}

/// Removes the unfinished files that an interrupted process left; the caller holds the lock.
fn sweep(folder: &Path) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".new-") && name.ends_with(".partial") {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Moves a finished file to its name, which others see whole or not at all.
pub(super) fn put(new: tempfile::NamedTempFile, path: &Path) -> Result<(), ModelError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        new.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(ModelError::io("set the permissions of", path))?;
    }
    new.as_file().sync_all().map_err(ModelError::io("write", path))?;
    new.persist(path).map_err(|e| ModelError::io("write", path)(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
