//! Homes as Home Assistant's own sentence tests describe them: names and states, in one language.
//! They say little, so what they leave open is filled in: ids, floors and areas that are only named.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::entity::{DOMAINS, features, resting_state};
use super::layout::MOST_ROWS;
use super::names::{Names, fold};
use super::{Area, Entity, Floor, Home, HomeError, NewTimer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fixture {
    areas: Option<Vec<Row>>,
    floors: Option<Vec<Row>>,
    entities: Option<Vec<Row>>,
    timers: Option<Vec<TimerRow>>,
    media: Option<Vec<MediaRow>>,
}

#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    aliases: Option<Vec<String>>,
    #[serde(alias = "entity_id")]
    id: Option<String>,
    floor: Option<String>,
    area: Option<String>,
    domain: Option<String>,
    state: Option<Value>,
    attributes: Option<Map<String, Value>>,
    light_supports_brightness: Option<bool>,
    light_supports_color: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TimerRow {
    name: Option<String>,
    area: Option<String>,
    is_active: Option<bool>,
    start_hours: Option<i64>,
    start_minutes: Option<i64>,
    start_seconds: Option<i64>,
    total_seconds_left: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct MediaRow {
    title: String,
}

/// Which domains entities may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domains {
    Known,
    Any,
}

impl Home {
    /// Reads a home of a sentence test: an object with `areas`, `floors`, `entities`, `timers` and
    /// `media`, or one that holds all this under `fixtures`. Timers run from `now`.
    ///
    /// # Errors
    /// When the value has another shape, or with every entity of an unknown domain.
    pub fn from_fixture(value: Value, from: &str, now: Timestamp) -> Result<Self, HomeError> {
        Self::fixture(value, from, now, Domains::Known)
    }

    /// The same, but with entities of any domain: a sentence may be about what a home of Hearken's
    /// does not know how to simulate.
    ///
    /// # Errors
    /// When the value has another shape.
    pub fn from_any_fixture(value: Value, from: &str, now: Timestamp) -> Result<Self, HomeError> {
        Self::fixture(value, from, now, Domains::Any)
    }

    fn fixture(
        value: Value,
        from: &str,
        now: Timestamp,
        domains: Domains,
    ) -> Result<Self, HomeError> {
        let wrong = |problems| HomeError::Layout { from: from.into(), problems };
        let value = match value {
            Value::Object(mut map) if map.contains_key("fixtures") => {
                map.remove("fixtures").unwrap_or_default()
            }
            other => other,
        };
        if !value.is_object() {
            return Err(wrong(vec!["this is no object; write areas, floors and entities".into()]));
        }
        let fixture: Fixture =
            serde_json::from_value(value).map_err(|e| wrong(vec![e.to_string()]))?;
        let Fixture { areas, floors, entities, timers, media } = fixture;
        let (areas, floors) = (areas.unwrap_or_default(), floors.unwrap_or_default());
        let entities = entities.unwrap_or_default();
        if areas.len() + floors.len() + entities.len() > MOST_ROWS {
            return Err(HomeError::TooMany { what: "rows in a home's file", limit: MOST_ROWS });
        }
        let mut home = Home::empty();
        for row in &floors {
            let id = home.floor_id(&row.name);
            if let Some(floor) = home.floors.iter_mut().find(|floor| floor.id == id) {
                floor.names = row.names();
            }
        }
        for row in &areas {
            let id = home.area_id(&row.name);
            if let Some(area) = home.areas.iter_mut().find(|area| area.id == id) {
                area.names = row.names();
            }
            let floor = row.floor.as_deref().map(|name| home.floor_id(name));
            if let Some(area) = home.areas.iter_mut().find(|area| area.id == id) {
                area.floor = floor.or(area.floor.take());
            }
        }
        let mut problems = Vec::new();
        for row in entities {
            let of_id = || row.id.as_deref()?.split_once('.').map(|(domain, _)| domain.to_owned());
            let domain = row.domain.clone().or_else(of_id).unwrap_or_default();
            let any = (domains == Domains::Any).then_some("unknown");
            let Some(resting) = resting_state(&domain).or(any) else {
                let known: Vec<&str> = DOMAINS.iter().map(|(name, _)| *name).collect();
                problems.push(format!(
                    "entity {:?}: there is no domain {domain:?}; use one of {}",
                    row.name,
                    known.join(", ")
                ));
                continue;
            };
            let area = row.area.as_deref().map(|name| home.area_id(name));
            let id = home.free_id(&domain, &row.name);
            home.entities.push(row.into_entity(id, domain, area, resting));
        }
        for row in timers.into_iter().flatten() {
            let area = row.area.as_deref().map(|name| home.area_id(name));
            let part =
                |count: Option<i64>, unit: i64| count.unwrap_or_default().saturating_mul(unit);
            let seconds = part(row.start_hours, 3600)
                .saturating_add(part(row.start_minutes, 60))
                .saturating_add(part(row.start_seconds, 1));
            let left = row.total_seconds_left.unwrap_or(seconds);
            let timer = NewTimer { seconds, name: row.name, area, ..NewTimer::default() };
            home.timers.restore(timer, left, row.is_active.unwrap_or(true), now)?;
        }
        home.media = media.into_iter().flatten().map(|row| row.title).collect();
        home.settle();
        if problems.is_empty() { Ok(home) } else { Err(wrong(problems)) }
    }

    /// Reads `home.yaml` of a sentence test; see [`Home::from_fixture`].
    ///
    /// # Errors
    /// When the text is no YAML or has another shape.
    pub fn from_yaml(text: &str, from: &str, now: Timestamp) -> Result<Self, HomeError> {
        let value: Value = serde_saphyr::from_str(text)
            .map_err(|e| HomeError::Layout { from: from.into(), problems: vec![e.to_string()] })?;
        Self::from_fixture(value, from, now)
    }

    /// Reads JSON: one home, or many under their names, of which `part` is taken.
    ///
    /// # Errors
    /// When the text is no JSON or has another shape, or when the part is not there.
    pub fn from_json(
        text: &str,
        part: Option<&str>,
        from: &str,
        now: Timestamp,
    ) -> Result<Self, HomeError> {
        let wrong = |problem| HomeError::Layout { from: from.into(), problems: vec![problem] };
        let value: Value = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let Value::Object(mut map) = value else {
            return Err(wrong("holds no object; write areas, floors and entities".into()));
        };
        let known = ["areas", "floors", "entities", "fixtures", "timers", "media"];
        match part {
            Some(part) => match map.remove(part) {
                Some(value) => Self::from_fixture(value, from, now),
                None => Err(wrong(format!("holds no home {part:?}"))),
            },
            None if map.is_empty() || map.keys().any(|key| known.contains(&key.as_str())) => {
                Self::from_fixture(Value::Object(map), from, now)
            }
            None => {
                let names: Vec<&str> = map.keys().take(5).map(String::as_str).collect();
                Err(wrong(format!(
                    "holds {} homes; name one after a #, such as {}",
                    map.len(),
                    names.join(", ")
                )))
            }
        }
    }

    fn floor_id(&mut self, name: &str) -> String {
        if let Some(floor) = self.floors.iter().find(|floor| floor.names.has(name)) {
            return floor.id.clone();
        }
        let id = slug(name);
        self.floors.push(Floor { id: id.clone(), names: Names::plain(name) });
        id
    }

    fn area_id(&mut self, name: &str) -> String {
        if let Some(area) = self.areas.iter().find(|area| area.names.has(name)) {
            return area.id.clone();
        }
        let id = slug(name);
        self.areas.push(Area { id: id.clone(), names: Names::plain(name), floor: None });
        id
    }

    fn free_id(&self, domain: &str, name: &str) -> String {
        let wish = format!("{domain}.{}", slug(name));
        let taken = |id: &str| self.entities.iter().any(|entity| entity.id == id);
        if !taken(&wish) {
            return wish;
        }
        (2..=MOST_ROWS + 1).map(|n| format!("{wish}_{n}")).find(|id| !taken(id)).unwrap_or(wish)
    }
}

impl Row {
    fn names(&self) -> Names {
        Names::tested(&self.name, self.aliases.as_deref().unwrap_or_default())
    }

    fn into_entity(
        self,
        id: String,
        domain: String,
        area: Option<String>,
        resting: &str,
    ) -> Entity {
        let state = match &self.state {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(truth)) => if *truth { "on" } else { "off" }.into(),
            Some(Value::Null) | None => resting.into(),
            Some(other) => other.to_string(),
        };
        let lacks = |flag: Option<bool>| flag == Some(false);
        let mut supports = None;
        if lacks(self.light_supports_brightness) || lacks(self.light_supports_color) {
            let kept = features(&domain).iter().filter(|feature| match **feature {
                "brightness" => !lacks(self.light_supports_brightness),
                _ => !lacks(self.light_supports_color),
            });
            supports = Some(kept.map(|feature| (*feature).to_owned()).collect());
        }
        Entity {
            id,
            domain,
            names: self.names(),
            area,
            state,
            attributes: self.attributes.unwrap_or_default(),
            supports,
            then: Vec::new(),
            exposed: true,
        }
    }
}

/// A name as an id: lower case, letters and digits of every script, `_` for the rest.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in fold(name).chars() {
        if c.is_alphanumeric() {
            id.push(c);
        } else if !id.ends_with('_') {
            id.push('_');
        }
    }
    let id = id.trim_matches('_');
    if id.is_empty() { "unnamed".into() } else { id.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    #[test]
    fn what_a_test_leaves_open_is_filled_in() {
        let home = Home::from_fixture(
            json!({
                "areas": [{"name": "Den", "floor": "First Floor"}],
                "entities": [
                    {"name": "Lamp", "domain": "light", "area": "Den"},
                    {"name": "Lamp", "domain": "light", "area": "Cave"},
                    {"name": "窗帘", "domain": "cover", "state": "open"},
                ],
                "timers": [{"name": "tea", "start_minutes": 5, "total_seconds_left": 90, "is_active": false}],
                "media": [{"title": "The Office"}],
            }),
            "test",
            now(),
        )
        .unwrap();
        let ids: Vec<&str> = home.entities().iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["light.lamp", "light.lamp_2", "cover.窗帘"]);
        assert_eq!(home.area_named("den").unwrap().floor.as_deref(), Some("first_floor"));
        assert!(home.area_named("Cave").is_some());
        let timer = &home.timers().all()[0];
        assert_eq!(
            (timer.start_seconds, timer.seconds_left(now()), timer.is_active()),
            (300, 90, false)
        );
    }

    #[test]
    fn yaml_and_json_are_read() {
        let yaml = "language: en\nfixtures:\n  areas:\n    - name: Office\n  entities:\n    - name: Bed Light\n      domain: light\n      light_supports_brightness: true\n      light_supports_color: false\n";
        let home = Home::from_yaml(yaml, "home.yaml", now()).unwrap();
        let lamp = home.entity("light.bed_light").unwrap();
        assert_eq!((lamp.can("brightness"), lamp.can("color")), (true, false));
        let many = r#"{"a": {"entities": [{"name": "TV", "domain": "media_player"}]}, "b": {}}"#;
        assert_eq!(Home::from_json(many, Some("a"), "x", now()).unwrap().entities().len(), 1);
        assert_eq!(Home::from_json("{}", None, "x", now()).unwrap().entities().len(), 0);
        for (text, part, named) in [
            (many, None, "2 homes"),
            (many, Some("c"), "\"c\""),
            ("[1]", None, "no object"),
            ("{", None, "x"),
            (r#"{"entities": [{"name": "Smaug", "domain": "dragon"}]}"#, None, "dragon"),
        ] {
            let error = Home::from_json(text, part, "x", now()).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
