//! The catalogue of models, how they come here, and the runtime that executes them.
//!
//! [`ModelStore`] is the room's door: it knows what there is ([`Catalogue`], one TOML file for each
//! model), what is installed and where, and it pulls, checks, imports and removes. [`runtime`]
//! loads the library that runs ONNX networks.

mod catalogue;
mod error;
mod fetch;
mod import;
mod lock;
mod observe;
mod pull;
pub mod runtime;
mod source;
mod store;

pub use catalogue::{
    Catalogue, CheckpointFormat, Convert, Entry, FileSpec, Kind, Quantize, VoiceEngine, VoiceSpec,
    platform,
};
pub use error::{ModelError, SourcesFailed};
pub use fetch::{Clients, FetchError, Fetcher, OnBytes};
pub use import::Imported;
pub use observe::{Observer, Step};
pub use pull::Pulled;
pub use source::{Archive, HubFile, Part, Registry, Source};
pub use store::{FOLDER_VARIABLE, ModelStore, Verdict};
