//! Which entities are meant.

use super::names::fold;
use super::{Area, Entity, Floor, Home};

/// A description of entities: all that is given must agree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// One of the entity's names.
    pub name: Option<String>,
    /// One of the names of its area.
    pub area: Option<String>,
    /// One of the names of its area's floor.
    pub floor: Option<String>,
    /// One of these domains; empty is any.
    pub domains: Vec<String>,
    /// One of these device classes; empty is any.
    pub device_classes: Vec<String>,
    /// Something that it can do, such as `brightness`.
    pub feature: Option<&'static str>,
}

/// What a query asks for that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No area has this name.
    Area,
    /// No floor has this name.
    Floor,
    /// No entity has this name.
    Name,
    /// No entity is of such a domain.
    Domain,
    /// No entity is of such a device class.
    DeviceClass,
    /// What is asked for exists, but not in this area or on this floor.
    Here,
    /// None of the entities can do it.
    Feature,
}

impl Home {
    /// The entities that a query means, in the order of the home. The reason, when there is none,
    /// is the first of its conditions that leaves nothing.
    ///
    /// # Errors
    /// What is missing.
    pub fn select(&self, query: &Query) -> Result<Vec<&Entity>, Missing> {
        let area = match &query.area {
            Some(name) => Some(self.area_named(name).ok_or(Missing::Area)?),
            None => None,
        };
        let floor = match &query.floor {
            Some(name) => Some(self.floor_named(name).ok_or(Missing::Floor)?),
            None => None,
        };
        let mut found: Vec<&Entity> = self.entities.iter().filter(|e| e.exposed).collect();
        let mut narrow = |missing: Missing, keep: &dyn Fn(&Entity) -> bool| {
            found.retain(|entity| keep(entity));
            if found.is_empty() { Err(missing) } else { Ok(()) }
        };
        if let Some(name) = &query.name {
            let folded = fold(name);
            narrow(Missing::Name, &|e| e.names.has_folded(&folded) || e.id == *name)?;
        }
        if !query.domains.is_empty() {
            narrow(Missing::Domain, &|e| query.domains.contains(&e.domain))?;
        }
        if !query.device_classes.is_empty() {
            narrow(Missing::DeviceClass, &|e| {
                e.device_class().is_some_and(|own| query.device_classes.iter().any(|c| c == own))
            })?;
        }
        if let Some(area) = area {
            narrow(Missing::Here, &|e| e.area.as_deref() == Some(&area.id))?;
        }
        if let Some(floor) = floor {
            narrow(Missing::Here, &|e| {
                let area = e.area.as_deref().and_then(|id| self.area(id));
                area.is_some_and(|area| area.floor.as_deref() == Some(&floor.id))
            })?;
        }
        if let Some(feature) = query.feature {
            narrow(Missing::Feature, &|e| e.can(feature))?;
        }
        if found.is_empty() {
            return Err(Missing::Domain);
        }
        Ok(found)
    }

    /// The area with this id.
    #[must_use]
    pub fn area(&self, id: &str) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// The area with this name, in whatever language, or this id.
    #[must_use]
    pub fn area_named(&self, name: &str) -> Option<&Area> {
        let folded = fold(name);
        let by_name = self.areas.iter().find(|area| area.names.has_folded(&folded));
        by_name.or_else(|| self.area(name))
    }

    /// The floor with this name, in whatever language, or this id.
    #[must_use]
    pub fn floor_named(&self, name: &str) -> Option<&Floor> {
        let by_name = self.floors.iter().find(|floor| floor.names.has(name));
        by_name.or_else(|| self.floors.iter().find(|floor| floor.id == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &Query) -> Result<Vec<String>, Missing> {
        let home = Home::demo();
        Ok(home.select(query)?.into_iter().map(|e| e.id.clone()).collect())
    }

    #[test]
    fn conditions_narrow_one_another() {
        let text = |s: &str| Some(s.to_owned());
        let in_kitchen =
            Query { area: text("厨房"), domains: vec!["light".into()], ..Default::default() };
        assert_eq!(ids(&in_kitchen).unwrap(), ["light.kitchen", "light.kitchen_counter"]);
        let named = Query { name: text("front door"), ..Default::default() };
        assert_eq!(ids(&named).unwrap(), ["lock.front_door"]);
        let upstairs = Query {
            floor: text("first floor"),
            domains: vec!["cover".into()],
            ..Default::default()
        };
        assert_eq!(ids(&upstairs).unwrap(), ["cover.bedroom_blinds"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = |s: &str| Some(s.to_owned());
        let cases = [
            (Query { area: text("cellar"), ..Default::default() }, Missing::Area),
            (Query { floor: text("roof"), ..Default::default() }, Missing::Floor),
            (Query { name: text("moon"), ..Default::default() }, Missing::Name),
            (Query { domains: vec!["siren".into()], ..Default::default() }, Missing::Domain),
            (
                Query { device_classes: vec!["awning".into()], ..Default::default() },
                Missing::DeviceClass,
            ),
            (
                Query { area: text("hall"), domains: vec!["vacuum".into()], ..Default::default() },
                Missing::Here,
            ),
            (
                Query { name: text("hall light"), feature: Some("color"), ..Default::default() },
                Missing::Feature,
            ),
        ];
        for (query, missing) in cases {
            assert_eq!(ids(&query).unwrap_err(), missing, "{query:?}");
        }
    }
}
