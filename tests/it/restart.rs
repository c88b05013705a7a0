//! What survives a restart, through a real file.

use hearken::config::Config;
use hearken::dialogue::Dialogue;
use hearken::models::ModelStore;
use hearken::session::Engines;

fn open(config: &Config, store: &ModelStore) -> Dialogue {
    Engines { remember: true, ..config.engines(store) }.dialogue().unwrap()
}

#[test]
fn states_timers_and_lists_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.home.state = Some(folder.path().join("state/home.db"));
    let store = crate::installed::store();
    let mut dialogue = open(&config, &store);
    for text in [
        "set the bedside lamp to 30 percent",
        "set a 10 minute pizza timer",
        "set a timer for 1 second",
        "turn on the hall light in 20 minutes",
        "add oat milk to my shopping list",
    ] {
        let reply = dialogue.respond(text, "en", Some("kitchen"));
        assert_eq!(reply.error, None, "{text}: {reply:?}");
    }
    let before = dialogue.home().states();
    assert_eq!(dialogue.home().timers().all().len(), 3);
    drop(dialogue);

    std::thread::sleep(std::time::Duration::from_millis(1100));
    let mut dialogue = open(&config, &store);
    assert_eq!(dialogue.home().states(), before);
    assert_eq!(dialogue.home().entity("light.bedside").unwrap().attributes["brightness"], 77);
    let list = &dialogue.home().entity("todo.shopping_list").unwrap().attributes["items"];
    assert!(list.to_string().contains("oat milk"), "{list}");
    let names: Vec<_> = dialogue.home().timers().all().iter().map(|t| t.name.as_deref()).collect();
    assert!(names.contains(&Some("pizza")), "{names:?}");
    // The one that was up while the program was away rings now.
    let rings = dialogue.ring();
    assert_eq!(rings.len(), 1, "{rings:?}");
    assert_eq!(rings[0].area.as_deref(), Some("kitchen"));
    let left = dialogue.until_ring().unwrap().as_secs();
    assert!((580..600).contains(&left), "{left}");
    drop(dialogue);
    assert_eq!(open(&config, &store).home().timers().all().len(), 2);
}
