//! Brings files and packages here, by means of the hub's and the registries' own clients.

mod archive;
mod clients;
mod hub;

use std::path::{Path, PathBuf};

use super::source::{Archive, HubFile};

pub(super) use archive::copy_member;
pub use clients::Clients;
pub(super) use hub::in_shared_store as shared_copy;

/// Why something could not be fetched, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

impl FetchError {
    /// For `map_err`: what was tried, and why it failed.
    pub(super) fn from_io(step: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |e| Self(format!("cannot {step}: {e}"))
    }
}

/// Is told about bytes: how many came so far, and how many will come when that is known.
pub type OnBytes<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

/// Brings files here. [`Clients`] is the one for real; tests have their own.
///
/// ```
/// use std::path::{Path, PathBuf};
/// use hearken::models::{Archive, FetchError, Fetcher, HubFile, OnBytes};
///
/// /// A machine without a network.
/// struct Offline;
///
/// impl Fetcher for Offline {
///     fn hub(&self, _: &HubFile, _: &Path, _: OnBytes<'_>) -> Result<PathBuf, FetchError> {
///         Err(FetchError("there is no network".into()))
///     }
///     fn package(&self, _: &Archive, _: &Path, _: OnBytes<'_>) -> Result<PathBuf, FetchError> {
///         Err(FetchError("there is no network".into()))
///     }
/// }
/// let _: &dyn Fetcher = &Offline;
/// ```
pub trait Fetcher: Sync {
    /// Fetches a file of the hub; the result lies under `work` and belongs to the caller. What an
    /// earlier call left in `work` may be used to go on where it stopped.
    ///
    /// # Errors
    /// Why not, in words for a person.
    fn hub(&self, file: &HubFile, work: &Path, bytes: OnBytes<'_>) -> Result<PathBuf, FetchError>;

    /// Fetches a package into the empty folder `work`; the result is its archive.
    ///
    /// # Errors
    /// Why not, in words for a person.
    fn package(
        &self,
        package: &Archive,
        work: &Path,
        bytes: OnBytes<'_>,
    ) -> Result<PathBuf, FetchError>;
}
