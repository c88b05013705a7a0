//! Which devices a meaning is about.

use super::refusal::Refusal;
use super::slots;
use crate::home::{Area, Entity, Home, Missing, Query};
use crate::intent::Meaning;

/// Where and in which language something was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where<'a> {
    pub home: &'a Home,
    /// The id of the area where one speaks.
    pub here: Option<&'a str>,
    pub language: &'a str,
}

/// What an intent works on where its slots leave it open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wish {
    pub domains: &'static [&'static str],
    pub feature: Option<&'static str>,
    /// Of several devices in different states, those in this one are meant.
    pub state: Option<&'static str>,
    /// The area says where to work, and not where the device is.
    pub anywhere: bool,
}

/// What each intent works on.
pub(super) fn wish(intent: &str) -> Wish {
    let (domains, feature, state): (&[&str], _, _) = match intent {
        "HassLightSet" => (&["light"], None, None),
        "HassSetPosition" => (&["cover", "valve"], Some("position"), None),
        "HassClimateGetTemperature" => (&["climate"], None, None),
        "HassClimateSetTemperature" => (&["climate"], Some("temperature"), None),
        "HassClimateSetFanMode" => (&["climate"], Some("fan_mode"), None),
        "HassFanSetSpeed" => (&["fan"], Some("speed"), None),
        "HassMediaPause" | "HassMediaNext" | "HassMediaPrevious" => {
            (&["media_player"], None, Some("playing"))
        }
        "HassMediaUnpause" => (&["media_player"], None, Some("paused")),
        "HassSetVolume"
        | "HassSetVolumeRelative"
        | "HassMediaPlayerMute"
        | "HassMediaPlayerUnmute" => (&["media_player"], Some("volume"), Some("playing")),
        "HassMediaSearchAndPlay" => (&["media_player"], Some("play"), None),
        "HassVacuumStart" | "HassVacuumReturnToBase" | "HassVacuumCleanArea" => {
            (&["vacuum"], None, None)
        }
        "HassLawnMowerStartMowing" | "HassLawnMowerDock" => (&["lawn_mower"], None, None),
        "HassGetWeather" => (&["weather"], None, None),
        "HassListAddItem"
        | "HassListCompleteItem"
        | "HassListRemoveItem"
        | "HassShoppingListAddItem"
        | "HassShoppingListCompleteItem" => (&["todo"], None, None),
        _ => (&[], None, None),
    };
    Wish { domains, feature, state, anywhere: intent == "HassVacuumCleanArea" }
}

impl<'a> Where<'a> {
    /// The devices that are meant, at least one.
    pub(super) fn find(&self, meaning: &Meaning, wish: Wish) -> Result<Vec<&'a Entity>, Refusal> {
        let query = self.query(meaning, wish);
        let found = match self.home.select(&query) {
            Ok(found) => Ok(found),
            Err(missing) => self.wider(&query, meaning, missing).ok_or(missing),
        };
        let mut found = found
            .map_err(|missing| Refusal::missing(missing, meaning, &query.domains, self.language))?;
        if query.name.is_some() && found.len() > 1 {
            self.prefer(&mut found, |e| e.area.is_some() && e.area.as_deref() == self.here);
            if found.len() > 1 {
                return Err(Refusal::duplicate(meaning));
            }
        }
        if let Some(state) = wish.state {
            self.prefer(&mut found, |entity| entity.state == state);
        }
        Ok(found)
    }

    /// The areas that tell devices of one name apart; empty where they do not.
    pub(super) fn namesakes(&self, meaning: &Meaning) -> Vec<&'a Area> {
        let query = self.query(meaning, wish(&meaning.intent));
        let found = self.home.select(&query).unwrap_or_default();
        let areas = found.iter().map(|entity| self.home.area(entity.area.as_deref()?));
        let mut areas: Vec<&Area> = areas.flatten().collect();
        areas.dedup_by_key(|area| &area.id);
        if query.name.is_none() || areas.len() < found.len() { Vec::new() } else { areas }
    }

    /// The same, as far as anything fits: for answers about a home that says little.
    pub(super) fn find_roughly(&self, meaning: &Meaning, wish: Wish) -> Vec<&'a Entity> {
        let whole = self.query(meaning, wish);
        let without_place = Query { area: None, floor: None, ..whole.clone() };
        let only_name = Query { name: whole.name.clone(), ..Query::default() };
        let named = only_name.name.is_some();
        [Some(whole), Some(without_place), named.then_some(only_name)]
            .into_iter()
            .flatten()
            .find_map(|query| self.home.select(&query).ok())
            .unwrap_or_default()
    }

    fn query(&self, meaning: &Meaning, wish: Wish) -> Query {
        let mut query = slots::query(meaning);
        // Of two things with one name, the one that fits the sentence.
        let named = meaning.context.get("domain").and_then(serde_json::Value::as_str);
        if let (true, Some(domain)) = (query.name.is_some() && query.domains.is_empty(), named) {
            query.domains.push(domain.to_owned());
        }
        if query.domains.is_empty() {
            query.domains = wish.domains.iter().map(|&domain| domain.to_owned()).collect();
        }
        query.feature = wish.feature;
        if wish.anywhere {
            query.area = None;
        }
        // The name of a list or a device is enough to find it, wherever one is.
        if query.name.is_some() && !slots::area_was_said(meaning) {
            query.area = None;
        }
        query
    }

    /// Nothing is here, but the area was not said: the only such device of this floor or of the
    /// whole house is what is meant.
    fn wider(&self, query: &Query, meaning: &Meaning, missing: Missing) -> Option<Vec<&'a Entity>> {
        if missing != Missing::Here || query.area.is_none() || slots::area_was_said(meaning) {
            return None;
        }
        let area = self.here.and_then(|id| self.home.area(id));
        let floor = area.and_then(|area| area.floor.clone());
        let on_floor = floor.map(|floor| Query { area: None, floor: Some(floor), ..query.clone() });
        let in_house = Query { area: None, ..query.clone() };
        [on_floor, Some(in_house)]
            .into_iter()
            .flatten()
            .filter_map(|query| self.home.select(&query).ok())
            .find(|found| found.len() == 1)
    }

    fn prefer(&self, found: &mut Vec<&'a Entity>, wanted: impl Fn(&Entity) -> bool) {
        if found.iter().any(|entity| wanted(entity)) {
            found.retain(|entity| wanted(entity));
        }
    }
}
