//! Words that the package does not have: states and kinds of things as people call them, and what
//! to say when a device does not answer or a value is out of its limits.

/// How an answer is worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wording {
    /// As a person would say it: states and kinds of devices by their names in the language.
    #[default]
    Natural,
    /// Exactly as Home Assistant's tests render it.
    AsTested,
}

/// A row of words: English, Chinese, German.
type Row = (&'static str, [&'static str; 3]);

/// The column of a language in tables of words.
pub(super) fn column(language: &str) -> Option<usize> {
    match language.split(['-', '_']).next().unwrap_or_default() {
        "en" => Some(0),
        "zh" => Some(1),
        "de" => Some(2),
        _ => None,
    }
}

fn look_up(rows: &[Row], key: &str, language: &str) -> Option<&'static str> {
    let column = column(language)?;
    rows.iter().find(|(own, _)| *own == key).map(|(_, words)| words[column])
}

/// What a state is called, as in "the door is …".
pub(super) fn state(
    language: &str,
    device_class: Option<&str>,
    state: &str,
) -> Option<&'static str> {
    let sensed = device_class.and_then(|class| {
        let rows = match class {
            "door" | "garage_door" | "window" | "opening" => OPENINGS,
            "lock" => LOCKS,
            "motion" | "occupancy" | "presence" | "smoke" | "gas" | "carbon_monoxide"
            | "moisture" | "vibration" | "sound" => FINDINGS,
            _ => return None,
        };
        look_up(rows, state, language)
    });
    sensed.or_else(|| look_up(STATES, state, language))
}

/// The place where one is at home.
pub(super) fn home(language: &str) -> Option<&'static str> {
    column(language).map(|column| ["home", "家", "zu Hause"][column])
}

/// What a kind of cover or sensor is called.
pub(super) fn device_class(language: &str, class: &str) -> Option<&'static str> {
    look_up(CLASSES, class, language)
}

/// What a domain is called.
pub(super) fn domain(language: &str, domain: &str) -> Option<&'static str> {
    look_up(DOMAINS, domain, language)
}

/// A phrase with its Jinja holes; English for a language that has none of its own.
pub(super) fn phrase(language: &str, key: &str) -> &'static str {
    look_up(PHRASES, key, language).or_else(|| look_up(PHRASES, key, "en")).unwrap_or_default()
}

/// Answers of the package that speak about Home Assistant, said about Hearken.
pub(super) fn answer(language: &str, intent: &str, key: &str) -> Option<&'static str> {
    if intent != "HassRespond" {
        return None;
    }
    look_up(ANSWERS, key, language)
}

const STATES: &[Row] = &[
    ("on", ["on", "开着", "an"]),
    ("off", ["off", "关着", "aus"]),
    ("open", ["open", "开着", "offen"]),
    ("closed", ["closed", "关着", "geschlossen"]),
    ("opening", ["opening", "正在打开", "am Öffnen"]),
    ("closing", ["closing", "正在关闭", "am Schließen"]),
    ("locked", ["locked", "已上锁", "abgeschlossen"]),
    ("unlocked", ["unlocked", "没上锁", "aufgeschlossen"]),
    ("home", ["home", "在家", "zu Hause"]),
    ("not_home", ["away", "不在家", "unterwegs"]),
    ("playing", ["playing", "正在播放", "am Spielen"]),
    ("paused", ["paused", "已暂停", "pausiert"]),
    ("idle", ["idle", "空闲", "bereit"]),
    ("standby", ["on standby", "待机", "in Bereitschaft"]),
    ("cleaning", ["cleaning", "正在清扫", "am Reinigen"]),
    ("docked", ["docked", "在充电座上", "an der Basis"]),
    ("returning", ["returning", "正在返回", "auf dem Rückweg"]),
    ("mowing", ["mowing", "正在割草", "am Mähen"]),
    ("heat", ["heating", "制热", "am Heizen"]),
    ("cool", ["cooling", "制冷", "am Kühlen"]),
    ("auto", ["on automatic", "自动", "auf Automatik"]),
    ("armed_away", ["armed", "已布防", "scharf"]),
    ("armed_home", ["armed", "已布防", "scharf"]),
    ("disarmed", ["disarmed", "已撤防", "unscharf"]),
    ("unavailable", ["not answering", "没有响应", "nicht erreichbar"]),
    ("unknown", ["unknown", "未知", "unbekannt"]),
];

const OPENINGS: &[Row] =
    &[("on", ["open", "开着", "offen"]), ("off", ["closed", "关着", "geschlossen"])];

const LOCKS: &[Row] = &[
    ("on", ["unlocked", "没上锁", "aufgeschlossen"]),
    ("off", ["locked", "已上锁", "abgeschlossen"]),
];

const FINDINGS: &[Row] =
    &[("on", ["triggered", "已触发", "ausgelöst"]), ("off", ["clear", "正常", "in Ordnung"])];

const CLASSES: &[Row] = &[
    ("awning", ["awning", "遮阳篷", "Markise"]),
    ("blind", ["blind", "百叶帘", "Jalousie"]),
    ("curtain", ["curtain", "窗帘", "Vorhang"]),
    ("damper", ["damper", "风门", "Klappe"]),
    ("door", ["door", "门", "Tür"]),
    ("garage", ["garage door", "车库门", "Garagentor"]),
    ("gate", ["gate", "大门", "Tor"]),
    ("shade", ["shade", "遮阳帘", "Rollo"]),
    ("shutter", ["shutter", "卷帘", "Rollladen"]),
    ("window", ["window", "窗户", "Fenster"]),
    ("motion", ["motion sensor", "人体感应器", "Bewegungsmelder"]),
    ("smoke", ["smoke detector", "烟雾报警器", "Rauchmelder"]),
    ("temperature", ["temperature sensor", "温度传感器", "Temperatursensor"]),
    ("humidity", ["humidity sensor", "湿度传感器", "Feuchtesensor"]),
    ("battery", ["battery", "电池", "Batterie"]),
];

const DOMAINS: &[Row] = &[
    ("light", ["light", "灯", "Licht"]),
    ("switch", ["switch", "开关", "Schalter"]),
    ("cover", ["cover", "窗帘", "Abdeckung"]),
    ("valve", ["valve", "阀门", "Ventil"]),
    ("lock", ["lock", "门锁", "Schloss"]),
    ("climate", ["thermostat", "空调", "Thermostat"]),
    ("fan", ["fan", "风扇", "Ventilator"]),
    ("media_player", ["media player", "播放器", "Abspielgerät"]),
    ("vacuum", ["vacuum cleaner", "扫地机器人", "Staubsauger"]),
    ("lawn_mower", ["lawn mower", "割草机", "Mähroboter"]),
    ("weather", ["weather forecast", "天气预报", "Wetterdienst"]),
    ("todo", ["list", "清单", "Liste"]),
    ("person", ["person", "成员", "Person"]),
    ("sensor", ["sensor", "传感器", "Sensor"]),
    ("binary_sensor", ["sensor", "传感器", "Sensor"]),
    ("scene", ["scene", "场景", "Szene"]),
    ("script", ["script", "脚本", "Skript"]),
];

const PHRASES: &[Row] = &[
    (
        "not_answering",
        [
            "Sorry, {{ entity }} is not answering",
            "抱歉，{{ entity }}没有响应",
            "{{ entity }} antwortet leider nicht",
        ],
    ),
    (
        "cannot",
        [
            "Sorry, {{ entity }} can't do that",
            "抱歉，{{ entity }}做不到",
            "{{ entity }} kann das leider nicht",
        ],
    ),
    (
        "no_reading",
        [
            "Sorry, {{ entity }} does not report a temperature",
            "抱歉，{{ entity }}没有温度读数",
            "{{ entity }} meldet leider keine Temperatur",
        ],
    ),
    (
        "out_of_range",
        [
            "Sorry, for {{ entity }} that has to be from {{ low }} to {{ high }}",
            "抱歉，{{ entity }}只能设到{{ low }}到{{ high }}之间",
            "Bei {{ entity }} geht das leider nur von {{ low }} bis {{ high }}",
        ],
    ),
    (
        "no_item",
        [
            "Sorry, {{ item }} is not on {{ entity }}",
            "抱歉，{{ entity }}里没有{{ item }}",
            "{{ item }} steht leider nicht auf {{ entity }}",
        ],
    ),
    (
        "timer_length",
        [
            "Sorry, I can't set a timer like that",
            "抱歉，无法设置这样的计时器",
            "So einen Timer kann ich leider nicht stellen",
        ],
    ),
    (
        "too_many",
        [
            "Sorry, there are too many of them already",
            "抱歉，已经太多了",
            "Davon gibt es leider schon zu viele",
        ],
    ),
    (
        "timer_rings",
        [
            "{% if name %}The {{ name }} timer{% else %}Your timer{% endif %} is up",
            "{% if name %}{{ name }}{% endif %}计时器时间到了",
            "Der Timer{% if name %} {{ name }}{% endif %} ist abgelaufen",
        ],
    ),
];

const ANSWERS: &[Row] = &[
    ("hello", ["Hello, I'm listening", "你好，我在呢", "Hallo, ich höre"]),
    (
        "data",
        [
            "Nothing you say leaves this machine",
            "你说的话都留在这台机器上",
            "Nichts, was du sagst, verlässt dieses Gerät",
        ],
    ),
    (
        "commands",
        [
            "You can ask me for the time and the weather, and to control your home",
            "你可以问我时间和天气，也可以让我控制家里的设备",
            "Frag mich nach Zeit und Wetter, oder lass mich dein Zuhause steuern",
        ],
    ),
    (
        "creator",
        [
            "I am Hearken, an open source assistant",
            "我是Hearken，一个开源语音助手",
            "Ich bin Hearken, ein quelloffener Assistent",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_named_by_what_they_are_states_of() {
        let cases = [
            ("en", None, "on", Some("on")),
            ("en", Some("window"), "on", Some("open")),
            ("zh-CN", Some("smoke"), "off", Some("正常")),
            ("zh", None, "not_home", Some("不在家")),
            ("en", None, "21.5", None),
            ("fr", None, "on", None),
        ];
        for (language, class, value, expected) in cases {
            assert_eq!(state(language, class, value), expected, "{language} {class:?} {value}");
        }
    }

    #[test]
    fn every_phrase_is_there_in_every_language() {
        for (key, words) in PHRASES.iter().chain(ANSWERS) {
            assert!(words.iter().all(|text| !text.is_empty()), "{key}");
        }
        assert_eq!(phrase("fr", "timer_length"), phrase("en", "timer_length"));
    }
}
