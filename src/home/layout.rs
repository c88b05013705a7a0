//! The home's description in TOML: floors, areas, devices, and how they are to begin with.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::entity::{DOMAINS, features, resting_state};
use super::names::{AliasRow, NameRow, Names};
use super::{Area, Call, Entity, Floor, Home, HomeError};

/// How many floors, areas and devices together are taken from a file.
pub(super) const MOST_ROWS: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    floor: Vec<FloorRow>,
    #[serde(default)]
    area: Vec<AreaRow>,
    #[serde(default)]
    device: Vec<DeviceRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FloorRow {
    id: String,
    name: NameRow,
    aliases: Option<AliasRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaRow {
    id: String,
    name: NameRow,
    aliases: Option<AliasRow>,
    floor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceRow {
    id: String,
    name: NameRow,
    aliases: Option<AliasRow>,
    area: Option<String>,
    state: Option<StateRow>,
    #[serde(default)]
    attributes: Map<String, Value>,
    supports: Option<BTreeSet<String>>,
    #[serde(default)]
    then: Vec<Call>,
    #[serde(default = "yes")]
    exposed: bool,
}

/// States are words, but a file may write `state = 21.5`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StateRow {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

fn yes() -> bool {
    true
}

impl StateRow {
    fn into_state(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => if truth { "on" } else { "off" }.into(),
        }
    }
}

impl Home {
    /// Reads a home from TOML. `from` names the source in errors.
    ///
    /// # Errors
    /// When the text is no TOML, or with everything that does not fit together, each with its cure.
    pub fn from_toml(text: &str, from: &str) -> Result<Self, HomeError> {
        let wrong = |problems| HomeError::Layout { from: from.into(), problems };
        let file: File = toml::from_str(text).map_err(|e| wrong(vec![e.to_string()]))?;
        let rows = file.floor.len() + file.area.len() + file.device.len();
        if rows > MOST_ROWS {
            return Err(HomeError::TooMany { what: "rows in a home's file", limit: MOST_ROWS });
        }
        let mut home = Home::empty();
        for row in file.floor {
            home.floors
                .push(Floor { id: row.id, names: Names::from_rows(Some(row.name), row.aliases) });
        }
        for row in file.area {
            let names = Names::from_rows(Some(row.name), row.aliases);
            home.areas.push(Area { id: row.id, names, floor: row.floor });
        }
        for row in file.device {
            let domain = row.id.split('.').next().unwrap_or_default().to_owned();
            let resting = resting_state(&domain).unwrap_or("unknown");
            home.entities.push(Entity {
                names: Names::from_rows(Some(row.name), row.aliases),
                area: row.area,
                state: row.state.map_or_else(|| resting.to_owned(), StateRow::into_state),
                attributes: row.attributes,
                supports: row.supports,
                then: row.then,
                exposed: row.exposed,
                domain,
                id: row.id,
            });
        }
        home.settle();
        let problems = problems(&home);
        if problems.is_empty() { Ok(home) } else { Err(wrong(problems)) }
    }
}

/// Everything that does not fit together.
fn problems(home: &Home) -> Vec<String> {
    let mut problems = Vec::new();
    let floors = ids("floor", home.floors.iter().map(|f| (&f.id, &f.names)), &mut problems);
    let areas = ids("area", home.areas.iter().map(|a| (&a.id, &a.names)), &mut problems);
    let devices = ids("device", home.entities.iter().map(|e| (&e.id, &e.names)), &mut problems);
    for area in &home.areas {
        if let Some(floor) = area.floor.as_deref().filter(|floor| !floors.contains_key(floor)) {
            problems.push(format!(
                "area {:?}: there is no floor {floor:?}; add a [[floor]] with this id or use {}",
                area.id,
                one_of(floors.keys().copied())
            ));
        }
    }
    for entity in &home.entities {
        device_problems(entity, &areas, &devices, &mut problems);
    }
    problems
}

fn device_problems(
    entity: &Entity,
    areas: &BTreeMap<&str, usize>,
    devices: &BTreeMap<&str, usize>,
    problems: &mut Vec<String>,
) {
    let mut problem = |text: String| problems.push(format!("device {:?}: {text}", entity.id));
    let object = entity.id.split_once('.').map_or("", |(_, object)| object);
    if object.is_empty() || object.contains(char::is_whitespace) {
        problem("id must be a domain, a dot and a name, such as \"light.kitchen\"".into());
    } else if resting_state(&entity.domain).is_none() {
        problem(format!(
            "there is no domain {:?}; use {}",
            entity.domain,
            one_of(DOMAINS.iter().map(|(name, _)| *name))
        ));
    }
    if let Some(area) = entity.area.as_deref().filter(|area| !areas.contains_key(area)) {
        problem(format!(
            "there is no area {area:?}; add an [[area]] with this id or use {}",
            one_of(areas.keys().copied())
        ));
    }
    let known = features(&entity.domain);
    for feature in entity.supports.iter().flatten() {
        if !known.contains(&feature.as_str()) {
            problem(format!(
                "supports has {feature:?}, which a {} knows nothing of; use {}",
                entity.domain,
                one_of(known.iter().copied())
            ));
        }
    }
    if !entity.then.is_empty() && !matches!(entity.domain.as_str(), "scene" | "script") {
        problem("only scenes and scripts have `then`; remove it".into());
    }
    for call in &entity.then {
        // A scene that starts a scene could start itself.
        if matches!(call.service.split('.').next(), Some("scene" | "script")) {
            problem(format!("then starts {:?}; list what that one does instead", call.entity));
        } else if !devices.contains_key(call.entity.as_str()) {
            problem(format!("then names {:?}, which is no device of this home", call.entity));
        }
    }
    for (key, low, high) in [
        ("brightness", 0.0, 255.0),
        ("current_position", 0.0, 100.0),
        ("percentage", 0.0, 100.0),
        ("volume_level", 0.0, 1.0),
    ] {
        let Some(value) = entity.attributes.get(key) else { continue };
        if !value.as_f64().is_some_and(|number| (low..=high).contains(&number)) {
            problem(format!("attribute {key} is {value}; use a number from {low} to {high}"));
        }
    }
}

/// The ids of one kind, after saying which are empty, there twice, or without a name.
fn ids<'a>(
    kind: &str,
    rows: impl Iterator<Item = (&'a String, &'a Names)>,
    problems: &mut Vec<String>,
) -> BTreeMap<&'a str, usize> {
    let mut seen = BTreeMap::new();
    for (id, names) in rows {
        *seen.entry(id.as_str()).or_insert(0) += 1;
        if id.trim().is_empty() {
            problems.push(format!("a {kind} has an empty id; give it one of its own"));
        }
        if names.is_empty() {
            problems.push(format!(
                "{kind} {id:?}: has no name, so nobody can ask for it; add name = \"…\""
            ));
        }
    }
    for (id, count) in seen.iter().filter(|(_, count)| **count > 1) {
        problems.push(format!("{kind} {id:?} is there {count} times; give each an id of its own"));
    }
    seen
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.take(40).collect();
    if names.is_empty() { "none at all".into() } else { format!("one of {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_home_is_read() {
        let home = Home::from_toml(
            r#"
            [[floor]]
            id = "up"
            name = "Upstairs"
            [[area]]
            id = "den"
            name = { en = "Den", zh = "书房" }
            floor = "up"
            [[device]]
            id = "light.den"
            name = { en = "Den Light", zh = "书房灯" }
            aliases = ["lamp"]
            area = "den"
            supports = ["brightness"]
            [[device]]
            id = "sensor.warmth"
            name = "Warmth"
            state = 21.5
            attributes = { unit_of_measurement = "°C" }
            [[device]]
            id = "todo.shop"
            name = "Shopping"
            attributes = { items = [{ summary = "Tea", status = "needs_action" }] }
            "#,
            "test",
        )
        .unwrap();
        let lamp = home.entity("light.den").unwrap();
        assert_eq!(
            (lamp.state.as_str(), lamp.can("brightness"), lamp.can("color")),
            ("off", true, false)
        );
        assert_eq!(lamp.names.spoken("zh"), ["书房灯", "lamp"]);
        assert_eq!(home.entity("sensor.warmth").unwrap().state, "21.5");
        assert_eq!(home.entity("todo.shop").unwrap().state, "1");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let error = Home::from_toml(
            r#"
            [[area]]
            id = "den"
            name = "Den"
            floor = "roof"
            [[device]]
            id = "light.den"
            name = "Lamp"
            area = "cave"
            supports = ["wings"]
            attributes = { brightness = 300 }
            [[device]]
            id = "light.den"
            name = " "
            [[device]]
            id = "dragon.smaug"
            name = "Smaug"
            then = [{ entity = "light.none", service = "light.turn_on" }]
            [[device]]
            id = "nodot"
            name = "No Dot"
            "#,
            "cave.toml",
        )
        .unwrap_err();
        let text = error.to_string();
        for expected in [
            "cave.toml",
            "\"roof\"",
            "\"cave\"",
            "\"wings\"",
            "300",
            "2 times",
            "no name",
            "\"dragon\"",
            "only scenes",
            "light.none",
            "\"nodot\"",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn broken_toml_says_where() {
        for text in ["[[device]", "[[device]]\nid = 3", "[[device]]\nnane = \"x\"", "\u{0}"] {
            let error = Home::from_toml(text, "home.toml").unwrap_err().to_string();
            assert!(error.contains("home.toml"), "{error}");
        }
    }
}
