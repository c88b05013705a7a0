//! The models of this machine: `make models` fetches them before the tests run.

use hearken::models::{ModelStore, runtime};
use ort::environment::Environment;

/// The store, once its defaults are there.
pub(crate) fn store() -> ModelStore {
    let store = ModelStore::open(None).unwrap();
    for id in store.catalogue().defaults() {
        assert!(store.is_installed(id), "{id} is missing; `make models` fetches it");
    }
    store
}

/// The runtime of the networks.
pub(crate) fn environment() -> Environment {
    runtime::init(&store()).unwrap()
}
