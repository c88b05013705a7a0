//! The clients for real: the hub's, and `pip` and `npm` as child processes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::hub::Hub;
use super::{FetchError, Fetcher, OnBytes};
use crate::models::source::{Archive, HubFile, Registry};

/// A client that brings nothing for so long is taken to hang.
const STALL: Duration = Duration::from_secs(240);
/// How often the growing download is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Fetches through the hub's client, `pip download` and `npm pack`.
#[derive(Debug, Default)]
pub struct Clients {
    hub: Hub,
}

impl Clients {
    /// Nothing is started or reached before the first fetch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Fetcher for Clients {
    fn hub(&self, file: &HubFile, work: &Path, bytes: OnBytes<'_>) -> Result<PathBuf, FetchError> {
        self.hub.fetch(file, work, bytes)
    }

    fn package(
        &self,
        package: &Archive,
        work: &Path,
        bytes: OnBytes<'_>,
    ) -> Result<PathBuf, FetchError> {
        match package.registry {
            Registry::Pip => pip(package, work, bytes),
            Registry::Npm => npm(package, work, bytes),
        }
    }
}

fn pip(package: &Archive, work: &Path, bytes: OnBytes<'_>) -> Result<PathBuf, FetchError> {
    let wanted = format!("{}=={}", package.name, package.version);
    // The wheel is chosen for the platform that the catalogue names and not for the Python that
    // happens to run pip, so that an old Python can fetch what it could not install.
    let (implementation, abi, platform) = match &package.tag {
        Some(tag) => ("cp", "cp312", tag.as_str()),
        None => ("py", "none", "any"),
    };
    let arguments = [
        "download",
        "--quiet",
        "--no-deps",
        "--no-input",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--progress-bar=off",
        "--timeout=20",
        "--retries=2",
        "--only-binary=:all:",
        "--python-version=3.12",
        "--implementation",
        implementation,
        "--abi",
        abi,
        "--platform",
        platform,
        "--dest",
    ];
    let mut missing = Vec::new();
    for (program, before) in
        [("python3", &["-m", "pip"][..]), ("python", &["-m", "pip"]), ("pip3", &[]), ("pip", &[])]
    {
        let mut command = Command::new(program);
        command.args(before).args(arguments).arg(work).arg(&wanted);
        // pip collects in a folder of its own first; inside `work` its growth can be seen.
        command.env("TMPDIR", work).env("TMP", work).env("TEMP", work);
        match run(&mut command, work, package.bytes, bytes) {
            Ok(()) => return the_file(work, "whl"),
            Err(Failure::Missing) => missing.push(program),
            Err(Failure::Other(e)) if e.0.contains("No module named pip") => missing.push(program),
            Err(Failure::Other(e)) => return Err(e),
        }
    }
    Err(FetchError(
        "pip is not installed; install python3-pip (Debian: apt-get install python3-pip) and try again"
            .into(),
    ))
}

fn npm(package: &Archive, work: &Path, bytes: OnBytes<'_>) -> Result<PathBuf, FetchError> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(program);
    command
        .args(["pack", "--loglevel=error", "--no-progress", "--ignore-scripts"])
        .args(["--fetch-retries=2", "--fetch-timeout=60000", "--pack-destination"])
        .arg(work)
        .arg(format!("{}@{}", package.name, package.version))
        .env("npm_config_cache", work.join("cache"))
        .current_dir(work);
    match run(&mut command, work, package.bytes, bytes) {
        Ok(()) => the_file(work, "tgz"),
        Err(Failure::Other(e)) => Err(e),
        Err(Failure::Missing) => Err(FetchError(
            "npm is not installed; install it (Debian: apt-get install npm) and try again".into(),
        )),
    }
}

enum Failure {
    Missing,
    Other(FetchError),
}

/// Kills the child if its owner leaves early.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(
    command: &mut Command,
    work: &Path,
    total: Option<u64>,
    bytes: OnBytes<'_>,
) -> Result<(), Failure> {
    let other = |step| move |e| Failure::Other(FetchError::from_io(step)(e));
    let program = command.get_program().to_string_lossy().into_owned();
    let log_path = work.join("client.log");
    let log = File::create(&log_path).map_err(other("write into the model folder"))?;
    let again = log.try_clone().map_err(other("write into the model folder"))?;
    let child = command.stdin(Stdio::null()).stdout(log).stderr(again).spawn();
    let mut child = match child {
        Ok(child) => Running(child),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Failure::Missing),
        Err(e) => return Err(Failure::Other(FetchError(format!("cannot start {program}: {e}")))),
    };
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        if let Some(status) = child.0.try_wait().map_err(other("wait for the client"))? {
            if status.success() {
                return Ok(());
            }
            let said = last_words(&log_path);
            return Err(Failure::Other(FetchError(format!(
                "{program} ended with {status}: {said}"
            ))));
        }
        let grown = folder_bytes(work, 4);
        if grown != seen {
            (seen, since) = (grown, Instant::now());
            // Clients copy the finished file once more; the bar stays at its end meanwhile.
            bytes(total.map_or(grown, |t| grown.min(t)), total);
        } else if since.elapsed() > STALL {
            return Err(Failure::Other(FetchError(format!(
                "{program} brought nothing for {} s and was stopped: {}",
                STALL.as_secs(),
                last_words(&log_path)
            ))));
        }
        std::thread::sleep(LOOK);
    }
}

/// The end of what a client said, on one line.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.contains("A complete log of this run"))
        .collect();
    let from = lines.len().saturating_sub(3);
    let lines: Vec<&str> = lines.drain(from..).collect();
    let mut said = lines.join("; ");
    if said.is_empty() {
        said = "it gave no reason".into();
    }
    said.chars().take(500).collect()
}

/// Bytes of all files in a folder that is changing meanwhile.
fn folder_bytes(folder: &Path, depth: u32) -> u64 {
    let Ok(listing) = fs::read_dir(folder) else { return 0 };
    listing
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(m) if m.is_dir() && depth > 0 => folder_bytes(&entry.path(), depth - 1),
            Ok(m) if m.is_file() => m.len(),
            _ => 0,
        })
        .sum()
}

fn the_file(work: &Path, extension: &str) -> Result<PathBuf, FetchError> {
    fs::read_dir(work)
        .map_err(FetchError::from_io("read the model folder"))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension() == Some(OsStr::new(extension)))
        .ok_or_else(|| FetchError(format!("the client ended well and left no .{extension} file")))
}
