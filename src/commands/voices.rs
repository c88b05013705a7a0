//! `hearken voices`: which voices there are.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use hearken::models::{Entry, Kind, VoiceEngine};
use hearken::tts::{self, Alphabet};

use super::House;
use crate::cli::{PreviewArgs, SayArgs, VoicesArgs, VoicesCommand};

/// What a voice says of itself in a preview.
const SAMPLES: [(&str, &str); 2] = [
    ("en", "Good evening. It is nineteen degrees in the kitchen, and the front door is locked."),
    ("zh", "晚上好。厨房现在是十九度，大门已经锁好了。"),
];

pub(crate) fn run(house: &House, args: &VoicesArgs) -> anyhow::Result<ExitCode> {
    if let Some(VoicesCommand::Preview(preview)) = &args.command {
        return self::preview(house, preview);
    }
    let mut rows = Vec::new();
    for entry in house.store.catalogue().entries().filter(|e| e.kind == Kind::Voice) {
        let speaks = |wanted: &str| {
            let wanted = wanted.split('-').next().unwrap_or(wanted);
            entry.languages.iter().any(|l| l.split('-').next() == Some(wanted))
        };
        if args.language.as_deref().is_some_and(|wanted| !speaks(wanted)) {
            continue;
        }
        let used_for: Vec<&str> = house
            .config
            .tts
            .voices
            .iter()
            .filter(|(_, id)| **id == entry.id)
            .map(|(language, _)| language.as_str())
            .collect();
        rows.push(serde_json::json!({
            "id": entry.id,
            "name": entry.name,
            "languages": entry.languages,
            "gender": entry.voice.as_ref().and_then(|v| v.gender.clone()),
            "sample_rate": entry.voice.as_ref().map(|v| v.sample_rate),
            "licence": entry.licence,
            "installed": house.store.is_installed(&entry.id),
            "unspeakable": unspeakable(entry),
            "default_for": used_for,
        }));
    }
    if args.json {
        println!("{}", serde_json::json!({ "voices": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "id",
        "languages",
        "gender",
        "Hz",
        "licence",
        "",
    ]);
    for row in &rows {
        let list = |key: &str| -> String {
            let items = row[key].as_array().into_iter().flatten();
            items.filter_map(|v| v.as_str()).collect::<Vec<_>>().join(" ")
        };
        let note = match (list("default_for"), row["installed"] == true) {
            _ if row["unspeakable"].is_string() => super::turns::plain(&row["unspeakable"]),
            (languages, true) if !languages.is_empty() => format!("speaks {languages}"),
            (_, true) => "installed".into(),
            _ => "hearken models pull".into(),
        };
        table.add_row([
            super::turns::plain(&row["id"]),
            list("languages"),
            row["gender"].as_str().unwrap_or_default().to_owned(),
            row["sample_rate"].to_string(),
            super::turns::plain(&row["licence"]),
            note,
        ]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

/// Why no voice of this entry can be opened, however it is installed: it has none of the phonemes that are made.
fn unspeakable(entry: &Entry) -> Option<String> {
    let alphabet = match entry.voice.as_ref()? {
        voice if voice.engine == VoiceEngine::Kokoro => Alphabet::Common,
        voice if voice.pinyin => Alphabet::Pinyin,
        _ => Alphabet::Espeak,
    };
    entry.languages.first().and_then(|language| alphabet.front_end(language).err())
}

fn preview(house: &House, args: &PreviewArgs) -> anyhow::Result<ExitCode> {
    let name = tts::parse_voice(&args.voice).map_err(anyhow::Error::msg)?;
    let id = name.mix.first().map_or("", |(id, _)| id);
    let own = format!("kokoro-{}", id.replace('_', "-"));
    let entry =
        house.store.entry(id).or_else(|error| house.store.entry(&own).map_err(|_| error))?;
    let speaks = |language: &str| entry.languages.iter().any(|l| l.starts_with(language));
    let (language, text) = SAMPLES.into_iter().find(|(l, _)| speaks(l)).unwrap_or(SAMPLES[0]);
    let say = SayArgs {
        text: vec![text.to_owned()],
        voice: Some(args.voice.clone()),
        language: Some(language.to_owned()),
        speed: None,
        volume: None,
        output: args.output.clone(),
        phonemes: false,
    };
    super::say::run(house, &say)
}
