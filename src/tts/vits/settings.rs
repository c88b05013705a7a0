//! What the JSON file beside a Piper voice says.

use std::collections::HashMap;

use serde::Deserialize;

use super::super::Alphabet;
use super::super::Word;
use super::super::phonemes::english;
use super::super::phonemes::join;
use super::pinyin;

#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    pub(super) audio: Audio,
    #[serde(default)]
    espeak: Espeak,
    #[serde(default)]
    phoneme_type: Option<String>,
    #[serde(default)]
    pub(super) inference: Inference,
    #[serde(default = "one")]
    pub(super) num_speakers: u32,
    phoneme_id_map: HashMap<String, Vec<i64>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Audio {
    pub(super) sample_rate: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Espeak {
    #[serde(default)]
    voice: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Inference {
    pub(super) noise_scale: f32,
    pub(super) length_scale: f32,
    pub(super) noise_w: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self { noise_scale: 0.667, length_scale: 1.0, noise_w: 0.8 }
    }
}

fn one() -> u32 {
    1
}

impl Settings {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let settings: Self = serde_json::from_slice(bytes)
            .map_err(|e| format!("not a Piper voice's settings: {e}"))?;
        let Inference { noise_scale, length_scale, noise_w } = settings.inference;
        if !(8_000..=48_000).contains(&settings.audio.sample_rate) {
            return Err(format!(
                "audio.sample_rate is {}, not 8000 to 48000",
                settings.audio.sample_rate
            ));
        }
        if !(0.1..=10.0).contains(&length_scale) {
            return Err(format!("inference.length_scale is {length_scale}, not 0.1 to 10"));
        }
        for (name, value) in [("noise_scale", noise_scale), ("noise_w", noise_w)] {
            if !(0.0..=2.0).contains(&value) {
                return Err(format!("inference.{name} is {value}, not 0 to 2"));
            }
        }
        for mark in ["^", "$", "_"] {
            if settings.phoneme_id_map.get(mark).is_none_or(Vec::is_empty) {
                return Err(format!("phoneme_id_map has no {mark:?}, which every sentence needs"));
            }
        }
        let wrong = settings
            .phoneme_id_map
            .iter()
            .find(|(_, ids)| ids.len() > 8 || ids.iter().any(|i| !(0..4096).contains(i)));
        if let Some((symbol, ids)) = wrong {
            return Err(format!(
                "phoneme_id_map gives {symbol:?} the ids {ids:?}, which no voice has"
            ));
        }
        settings.language()?;
        if settings.alphabet()? == Alphabet::Pinyin
            && let Some(missing) =
                pinyin::NEEDED.iter().find(|s| !settings.phoneme_id_map.contains_key(**s))
        {
            return Err(format!(
                "its phoneme_type is \"pinyin\", and phoneme_id_map has no {missing:?}, which such voices have"
            ));
        }
        Ok(settings)
    }

    fn alphabet(&self) -> Result<Alphabet, String> {
        match self.phoneme_type.as_deref() {
            None | Some("espeak") => Ok(Alphabet::Espeak),
            Some("pinyin") => Ok(Alphabet::Pinyin),
            Some(other) => Err(format!(
                "it wants phonemes of the type {other:?}; \"espeak\" (English) and \"pinyin\" (Chinese) are known, and `hearken voices` shows which voices can be spoken"
            )),
        }
    }

    /// What the front end is asked for.
    pub(super) fn language(&self) -> Result<&'static str, String> {
        let alphabet = self.alphabet()?;
        // What such a voice says of eSpeak has no meaning.
        let language = match alphabet {
            Alphabet::Pinyin => "zh",
            _ => &self.espeak.voice,
        };
        alphabet.front_end(language).map_err(|reason| {
            format!(
                "it speaks {language:?}, and there are {reason}; for Chinese take a Piper voice with phoneme_type \"pinyin\" (piper-zh-cn-chaowen-medium, piper-zh-cn-xiao-ya-medium) or a Kokoro voice, for English any Piper voice; `hearken voices` shows which can be spoken"
            )
        })
    }

    /// The numbers of some words for the network.
    pub(super) fn ids(&self, words: &[Word]) -> Vec<i64> {
        match self.alphabet() {
            Ok(Alphabet::Pinyin) => self.of_groups(&pinyin::groups(words)),
            _ => self.of_phonemes(&english::espeak(&join(words))),
        }
    }

    fn id(&self, symbol: &str) -> &[i64] {
        let known = self.phoneme_id_map.get(symbol).map(Vec::as_slice);
        known.unwrap_or_else(|| {
            tracing::debug!(symbol, "the voice does not know this symbol; left out");
            &[]
        })
    }

    /// `^`, then every phoneme with a pad behind it, then `$`.
    fn of_phonemes(&self, phonemes: &str) -> Vec<i64> {
        let mut ids = Vec::new();
        let mut add = |symbol: &str| {
            let known = self.id(symbol);
            ids.extend_from_slice(known);
            if !known.is_empty() {
                ids.extend_from_slice(self.id("_"));
            }
        };
        add("^");
        let mut buffer = [0; 4];
        for symbol in phonemes.chars() {
            add(symbol.encode_utf8(&mut buffer));
        }
        ids.extend_from_slice(self.id("$"));
        ids
    }

    /// `^`, then the syllables and marks, each with a pad behind it, then `$`.
    fn of_groups(&self, groups: &[pinyin::Group]) -> Vec<i64> {
        let mut ids = self.id("^").to_vec();
        for group in groups {
            let before = ids.len();
            group.iter().for_each(|symbol| ids.extend_from_slice(self.id(symbol)));
            if ids.len() > before {
                ids.extend_from_slice(self.id("_"));
            }
        }
        ids.extend_from_slice(self.id("$"));
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl Fn(&mut serde_json::Value)) -> Result<Settings, String> {
        let mut json = serde_json::json!({
            "audio": {"sample_rate": 22050},
            "espeak": {"voice": "en-us"},
            "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
            "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "h": [20], "a": [21]},
            "num_speakers": 1,
        });
        change(&mut json);
        Settings::read(json.to_string().as_bytes())
    }

    #[test]
    fn phonemes_become_ids_with_pads() {
        let voice = settings(|_| {}).unwrap();
        assert_eq!(voice.of_phonemes("ha"), [1, 0, 20, 0, 21, 0, 2]);
        assert_eq!(voice.of_phonemes("h€a"), [1, 0, 20, 0, 21, 0, 2]);
        assert_eq!(voice.language(), Ok("en"));
    }

    #[test]
    fn syllables_become_ids_with_a_pad_behind_each() {
        let voice = settings(|json| {
            json["phoneme_type"] = "pinyin".into();
            json["espeak"] = serde_json::json!({});
            let map = [
                ("_", 0),
                ("^", 1),
                ("$", 2),
                ("Ø", 3),
                ("d", 8),
                ("k", 13),
                ("zh", 18),
                ("a", 27),
                ("ai", 30),
                ("uan", 54),
                ("1", 64),
                ("3", 66),
                ("4", 67),
                ("5", 68),
                (".", 69),
            ];
            json["phoneme_id_map"] = map.iter().map(|(s, id)| (*s, vec![*id])).collect();
        })
        .unwrap();
        assert_eq!(voice.language(), Ok("zh"));
        let words = crate::tts::phonemize("打开爱。", "zh");
        assert_eq!(voice.ids(&words), [1, 8, 27, 66, 0, 13, 30, 64, 0, 3, 30, 67, 0, 69, 0, 2]);
    }

    #[test]
    fn wrong_settings_are_refused_with_a_reason() {
        let cases: Vec<(&str, serde_json::Value, &str)> = vec![
            ("audio", serde_json::json!({"sample_rate": 4_000_000_000u32}), "4000000000"),
            ("audio", serde_json::json!({}), "sample_rate"),
            ("inference", serde_json::json!({"length_scale": 0}), "length_scale"),
            ("inference", serde_json::json!({"noise_w": -1}), "noise_w"),
            ("phoneme_id_map", serde_json::json!({"_": [0], "^": [1]}), "\"$\""),
            ("phoneme_id_map", serde_json::json!({"_": [0], "^": [1], "$": [-5]}), "-5"),
            ("espeak", serde_json::json!({"voice": "de"}), "\"de\""),
            ("espeak", serde_json::json!({"voice": "cmn"}), "piper-zh-cn-chaowen-medium"),
            ("phoneme_type", serde_json::json!("pinyin"), "\"Ø\""),
            ("phoneme_type", serde_json::json!("text"), "\"text\""),
            ("num_speakers", serde_json::json!("many"), "many"),
        ];
        for (key, value, told) in cases {
            let error = settings(|json| json[key] = value.clone()).unwrap_err();
            assert!(error.contains(told), "{key}: {error}");
        }
        assert!(Settings::read(b"not json").is_err());
        assert!(Settings::read(&[]).is_err());
    }
}
