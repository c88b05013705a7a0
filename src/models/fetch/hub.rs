//! Files of the hub, through its own client.
//!
//! The client has no time limits of its own, so each call runs on a thread of its own that is
//! given up when nothing comes for too long. A hub that could not be reached once is not tried
//! again by this process.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};

use super::{FetchError, OnBytes};
use crate::models::source::HubFile;

/// How long the hub may take to answer at all.
const ANSWER: Duration = Duration::from_secs(8);
/// How long a running download may bring nothing.
const STALL: Duration = Duration::from_secs(45);
/// How often a broken download is resumed.
const RETRIES: usize = 3;

/// The hub, and whether it can be reached.
#[derive(Debug, Default)]
pub(super) struct Hub {
    /// Why the hub could not be reached.
    unreachable: Mutex<Option<String>>,
    /// Another address than the client's own, for tests.
    endpoint: Option<String>,
}

enum News {
    Total(u64),
    Came(u64),
    Done(Result<PathBuf, ApiError>),
}

/// Sends the client's news to the thread that waits.
struct Reporter {
    to: SyncSender<News>,
    at: u64,
    told: u64,
}

impl Progress for Reporter {
    fn init(&mut self, size: usize, _filename: &str) {
        self.at = 0;
        let _ = self.to.send(News::Total(size as u64));
    }

    fn update(&mut self, size: usize) {
        self.at += size as u64;
        if self.at - self.told >= 64 * 1024 {
            self.told = self.at;
            let _ = self.to.send(News::Came(self.at));
        }
    }

    fn finish(&mut self) {
        let _ = self.to.send(News::Came(self.at));
    }
}

impl Hub {
    /// Fetches a file into a folder of the client's own under `work`.
    pub(super) fn fetch(
        &self,
        file: &HubFile,
        work: &Path,
        bytes: OnBytes<'_>,
    ) -> Result<PathBuf, FetchError> {
        // One caller finds out for all whether the hub answers.
        {
            let mut unreachable =
                self.unreachable.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(reason) = &*unreachable {
                return Err(FetchError(reason.clone()));
            }
            if let Err(reason) = self.probe(file, work) {
                let reason = reason.0;
                if reason.starts_with("the hub cannot be reached") {
                    *unreachable = Some(reason.clone());
                }
                return Err(FetchError(reason));
            }
        }
        let api = self.api(work)?;
        let (to, news) = mpsc::sync_channel(64);
        let repo = repo(file);
        let path = file.path.clone();
        thread::Builder::new()
            .name("hub".into())
            .spawn(move || {
                let reporter = Reporter { to: to.clone(), at: 0, told: 0 };
                let done = api.repo(repo).download_with_progress(&path, reporter);
                let _ = to.send(News::Done(done));
            })
            .map_err(FetchError::from_io("start a thread"))?;
        let mut total = None;
        loop {
            match news.recv_timeout(STALL) {
                Ok(News::Total(size)) => {
                    total = Some(size);
                    bytes(0, total);
                }
                Ok(News::Came(at)) => bytes(at, total),
                Ok(News::Done(Ok(pointer))) => {
                    // The client hands out a link into its store.
                    return pointer
                        .canonicalize()
                        .map_err(FetchError::from_io("find the downloaded file"));
                }
                Ok(News::Done(Err(e))) => return Err(FetchError(words(&e))),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(FetchError(format!(
                        "the hub brought nothing for {} s; the next pull goes on from there",
                        STALL.as_secs()
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(FetchError("the hub's client broke off".into()));
                }
            }
        }
    }

    /// Asks for the file's description; says whether the hub or only the file is at fault.
    fn probe(&self, file: &HubFile, work: &Path) -> Result<(), FetchError> {
        let api = self.api(work)?;
        let url = api.repo(repo(file)).url(&file.path);
        let (to, answer) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("hub".into())
            .spawn(move || {
                let _ = to.send(api.metadata(&url).map(|_| ()));
            })
            .map_err(FetchError::from_io("start a thread"))?;
        match answer.recv_timeout(ANSWER) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) if is_about_the_file(&e) => Err(FetchError(words(&e))),
            Ok(Err(e)) => Err(FetchError(format!("the hub cannot be reached: {}", words(&e)))),
            Err(_) => Err(FetchError(format!(
                "the hub cannot be reached: no answer within {} s",
                ANSWER.as_secs()
            ))),
        }
    }

    fn api(&self, work: &Path) -> Result<Api, FetchError> {
        let mut builder = ApiBuilder::from_env();
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.clone()).with_token(None);
        }
        builder
            .with_cache_dir(work.to_owned())
            .with_progress(false)
            .with_retries(RETRIES)
            .with_user_agent("hearken", env!("CARGO_PKG_VERSION"))
            .build()
            .map_err(|e| FetchError(words(&e)))
    }
}

/// The file in the store that the hub's own tools share on this machine, if it is there.
pub(in crate::models) fn in_shared_store(file: &HubFile) -> Option<PathBuf> {
    Cache::from_env().repo(repo(file)).get(&file.path)?.canonicalize().ok()
}

fn repo(file: &HubFile) -> Repo {
    Repo::with_revision(file.repo.clone(), RepoType::Model, file.revision.clone())
}

/// The hub answered; this file or repository is not to be had.
fn is_about_the_file(e: &ApiError) -> bool {
    // The request's error type belongs to the client's own HTTP library; its words are stable.
    matches!(e, ApiError::RequestError(_)) && e.to_string().contains("http status: 4")
}

fn words(e: &ApiError) -> String {
    let text = e.to_string();
    let text = text.strip_prefix("request error: ").unwrap_or(&text);
    match text {
        "http status: 401" | "http status: 403" | "http status: 404" => format!(
            "there is no such file, or it needs an access token (HF_TOKEN_PATH, or the token that the hub's own tools keep): {text}"
        ),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
