//! What things are called, in each language.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The names of one thing: in each language a main name, then aliases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// Names that hold in every language.
    any: Vec<String>,
    by_language: BTreeMap<String, Vec<String>>,
    templates: bool,
    /// Every name as it is compared, made once: homes of thousands of things are searched.
    folded: Vec<String>,
}

impl Names {
    /// One name for every language.
    #[must_use]
    pub fn plain(name: &str) -> Self {
        Self { any: vec![tidy(name)], ..Self::default() }.ready()
    }

    /// The names of a sentence test, in which groups, optional parts and alternatives
    /// (`[ceiling] lamp`) are ways to say them.
    pub(super) fn tested(name: &str, aliases: &[String]) -> Self {
        let any = std::iter::once(name).chain(aliases.iter().map(String::as_str)).map(tidy);
        let any: Vec<String> = any.filter(|name| !name.is_empty()).collect();
        let templates = any.iter().any(|name| name.contains(['(', '[', '|']));
        Self { any, templates, ..Self::default() }.ready()
    }

    fn ready(mut self) -> Self {
        self.folded = self.all().map(fold).collect();
        self
    }

    /// Whether the names are templates of what is said, and not said as they are.
    #[must_use]
    pub fn are_templates(&self) -> bool {
        self.templates
    }

    /// The names in a language (`en`, `zh-CN`), the main name first. Without one in this language
    /// those of the bare tag (`zh`), of every language, of English, or else of the first language
    /// there is: a device that has a name can always be named.
    #[must_use]
    pub fn spoken(&self, language: &str) -> Vec<&str> {
        let base = language.split(['-', '_']).next().unwrap_or(language);
        let own = self.by_language.get(language).or_else(|| self.by_language.get(base));
        let mut names: Vec<&str> = own.into_iter().flatten().map(String::as_str).collect();
        names.extend(self.any.iter().map(String::as_str));
        if names.is_empty() {
            let other = self.by_language.get("en").or_else(|| self.by_language.values().next());
            names.extend(other.into_iter().flatten().map(String::as_str));
        }
        names
    }

    /// The main name in a language; empty when nothing has a name at all.
    #[must_use]
    pub fn main(&self, language: &str) -> &str {
        self.spoken(language).first().copied().unwrap_or_default()
    }

    /// Whether this is one of the names, in whatever language, case and spacing aside.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.has_folded(&fold(name))
    }

    /// The same for a name that went through [`fold`].
    pub(super) fn has_folded(&self, name: &str) -> bool {
        self.folded.iter().any(|own| own == name)
    }

    /// Every name in every language.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.by_language.values().flatten().chain(&self.any).map(String::as_str)
    }

    pub(super) fn from_rows(name: Option<NameRow>, aliases: Option<AliasRow>) -> Self {
        let mut names = Self::default();
        match name {
            Some(NameRow::Plain(text)) => names.any.push(tidy(&text)),
            Some(NameRow::Languages(rows)) => {
                for (language, text) in rows {
                    names.by_language.entry(language).or_default().push(tidy(&text));
                }
            }
            None => {}
        }
        match aliases {
            Some(AliasRow::Plain(list)) => names.any.extend(list.iter().map(|a| tidy(a))),
            Some(AliasRow::Languages(rows)) => {
                for (language, list) in rows {
                    let own = names.by_language.entry(language).or_default();
                    own.extend(list.iter().map(|a| tidy(a)));
                }
            }
            None => {}
        }
        names.any.retain(|name| !name.is_empty());
        for list in names.by_language.values_mut() {
            list.retain(|name| !name.is_empty());
        }
        names.by_language.retain(|_, list| !list.is_empty());
        names.ready()
    }

    /// Adds a name in a language, behind those that are there, so that the main name stays. False when
    /// it is one already.
    pub(super) fn add(&mut self, language: &str, name: &str) -> bool {
        let name = tidy(name);
        if name.is_empty() || self.spoken(language).iter().any(|own| fold(own) == fold(&name)) {
            return false;
        }
        let base = language.split(['-', '_']).next().unwrap_or(language);
        let key = if self.by_language.contains_key(language) { language } else { base };
        let main = self.main(language).to_owned();
        match self.by_language.get_mut(key) {
            Some(own) => own.push(name),
            None if !self.any.is_empty() => self.any.push(name),
            None => drop(self.by_language.insert(key.to_owned(), vec![main, name])),
        }
        *self = std::mem::take(self).ready();
        true
    }

    /// Takes a name away that is not the main one. False when there is none such.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let (name, before) = (fold(name), self.all().count());
        for list in self.by_language.values_mut().chain([&mut self.any]) {
            let mut at = 0;
            list.retain(|own| {
                at += 1;
                at == 1 || fold(own) != name
            });
        }
        *self = std::mem::take(self).ready();
        self.all().count() != before
    }

    pub(super) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.by_language.is_empty()
    }
}

/// `name = "Lamp"` or `name = { en = "Lamp", zh = "灯" }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum NameRow {
    Plain(String),
    Languages(BTreeMap<String, String>),
}

/// `aliases = ["Lamp"]` or `aliases = { en = ["Lamp"], zh = ["灯"] }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum AliasRow {
    Plain(Vec<String>),
    Languages(BTreeMap<String, Vec<String>>),
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as it is compared: lower case, one space between words.
pub(super) fn fold(text: &str) -> String {
    tidy(text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp() -> Names {
        Names::from_rows(
            Some(NameRow::Languages(BTreeMap::from([
                ("en".into(), "Kitchen  Light".into()),
                ("zh".into(), "厨房灯".into()),
            ]))),
            Some(AliasRow::Languages(BTreeMap::from([("en".into(), vec!["Cook Lamp".into()])]))),
        )
    }

    #[test]
    fn a_language_hears_its_own_names() {
        assert_eq!(lamp().spoken("en"), ["Kitchen Light", "Cook Lamp"]);
        assert_eq!(lamp().spoken("zh-CN"), ["厨房灯"]);
        assert_eq!(lamp().main("de"), "Kitchen Light", "a missing language falls back to English");
        assert_eq!(Names::plain("TV").spoken("zh"), ["TV"]);
    }

    #[test]
    fn names_are_added_and_taken_away_behind_the_main_one() {
        for (mut names, language, main) in [
            (lamp(), "en", "Kitchen Light"),
            (lamp(), "de", "Kitchen Light"),
            (Names::plain("TV"), "zh-CN", "TV"),
        ] {
            assert!(names.add(language, " Big  One "), "{language}");
            assert!(!names.add(language, "big one"), "twice is once");
            assert!(names.has("BIG one") && names.main(language) == main, "{names:?}");
            assert!(names.remove("big one") && !names.has("big one"), "{names:?}");
            assert!(!names.remove(main), "the main name stays");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_spacing() {
        for (name, expected) in
            [("kitchen light", true), (" COOK   lamp ", true), ("厨房灯", true), ("lamp", false)]
        {
            assert_eq!(lamp().has(name), expected, "{name}");
        }
    }
}
