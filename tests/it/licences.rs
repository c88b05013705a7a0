//! Every crate that is built into Hearken has a licence that deny.toml allows.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

struct Policy {
    allow: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
    /// What crates without a licence field are under, as somebody read it in their files.
    clarified: BTreeMap<String, String>,
}

fn policy() -> Policy {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    let deny: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let strings = |v: &toml::Value| -> BTreeSet<String> {
        v.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
    };
    let licenses = &deny["licenses"];
    let exceptions = licenses["exceptions"].as_array().unwrap();
    Policy {
        allow: strings(&licenses["allow"]),
        exceptions: exceptions
            .iter()
            .map(|e| (e["crate"].as_str().unwrap().to_owned(), strings(&e["allow"])))
            .collect(),
        clarified: licenses["clarify"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| ["crate", "expression"].map(|key| c[key].as_str().unwrap().to_owned()).into())
            .collect(),
    }
}

impl Policy {
    fn permits(&self, name: &str, expression: &str) -> bool {
        // Some old crates write `MIT/Apache-2.0` for `OR`.
        let Ok(parsed) = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX) else {
            return false;
        };
        let more = self.exceptions.get(name);
        parsed.evaluate(|one| {
            let one = one.to_string();
            self.allow.contains(&one) || more.is_some_and(|m| m.contains(&one))
        })
    }
}

#[test]
fn every_licence_is_allowed() {
    let policy = policy();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "only {} packages: is this the real list?", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .filter_map(|p| {
            let name = p["name"].as_str().unwrap();
            let clarified = policy.clarified.get(name).map(String::as_str);
            let licence = p["license"].as_str().or(clarified).unwrap_or("(none given)");
            (!policy.permits(name, licence)).then(|| format!("{name}: {licence}"))
        })
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml:\n{}", refused.join("\n"));
}

#[test]
fn the_policy_refuses_copyleft() {
    let policy = policy();
    for (name, expression, want) in [
        ("a", "MIT OR GPL-3.0-only", true),
        ("a", "GPL-3.0-only", false),
        ("a", "MIT AND GPL-3.0-only", false),
        ("a", "MIT/Apache-2.0", true),
        ("a", "MPL-2.0", false),
        ("symphonia-core", "MPL-2.0", true),
        ("a", "(none given)", false),
    ] {
        assert_eq!(policy.permits(name, expression), want, "{name}: {expression}");
    }
}
