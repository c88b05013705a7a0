//! cargo run --release --example eval_false_accepts -- DIR [--json] [--limit N] [--rows FILE] [--plot FILE.png]
//! Speech that is no command, and speech that is: what the recogniser takes for a sentence of a grammar,
//! and how sure it is. DIR (or HEARKEN_EVAL_DATA) holds orders_en, home_en, speech_en, speech_zh and
//! harvard_720.txt, of which N sentences (60) are spoken by two voices. Counts at the default
//! threshold, and misses against false accepts at others; --plot draws them (--font FILE.ttf letters it).
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod synthesis;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hearken::asr::{Hypothesis, Recognizer, Transcript};
use hearken::audio::{SAMPLE_RATE, read_mono_16k, resampled};
use hearken::config::Config;
use hearken::dialogue::Dialogue;
use hearken::intent::{Engine, Language, Names, Sayable};
use hearken::models::ModelStore;
use hearken::session::{Engines, grammar_of};
use serde::Serialize;
use serde_json::{Map, Value, json};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const VOICES: [&str; 2] = ["kokoro-af-heart", "kokoro-am-michael"];

const GRAMMARS: [&str; 3] = ["orders", "home", "home-zh"];

/// What letters a plot where no other font is named: Debian's fonts-dejavu-core.
const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/// One recording against one grammar.
#[derive(Serialize)]
struct Row {
    grammar: &'static str,
    set: &'static str,
    /// It is a command of this grammar.
    command: bool,
    /// The command that was taken is the one that was said.
    right: bool,
    confidence: f32,
    margin: f32,
    tokens: u32,
    no_speech_prob: f32,
    avg_logprob: f32,
    heard: String,
    taken: String,
    file: String,
}

/// What a sentence of a grammar means, for comparing.
type Means<'a> = Box<dyn Fn(&str) -> Option<(String, Map<String, Value>)> + 'a>;

/// Whether an intent with its slots is the one that was said.
type Wanted<'a> = &'a dyn Fn(&str, &Map<String, Value>) -> bool;

struct Listener<'a> {
    name: &'static str,
    recognizer: Box<dyn Recognizer>,
    means: Means<'a>,
}

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    let folder = args.first().filter(|a| !a.starts_with("--")).cloned();
    let folder: PathBuf = folder
        .or_else(|| std::env::var("HEARKEN_EVAL_DATA").ok())
        .ok_or("name the folder of the evaluation data, or set HEARKEN_EVAL_DATA")?
        .into();
    let limit: usize = option("--limit").map_or(Ok(60), |n| n.parse())?;
    let (mut config, _) = Config::load(None)?;
    let store = ModelStore::open(None)?;
    let mut rows = Vec::new();

    config.asr.language = "en".into();
    let orders = folder.join("orders_en");
    let text = std::fs::read_to_string(orders.join("grammar.yaml"))?;
    let engine =
        Engine::new(&Language::from_grammar(&text, "en", "grammar.yaml")?, &Names::default())?;
    let mut coffee = Listener {
        name: "orders",
        recognizer: config.engines(&store).recognizer()?,
        means: Box::new(|text| {
            engine.recognize(text, &Map::new()).map(|meaning| (meaning.intent, meaning.slots))
        }),
    };
    coffee.recognizer.constrain("en", Some(grammar_of(Sayable::new(&[&engine]))));
    let labels: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(orders.join("labels.json"))?)?;
    for (file, label) in labels.iter().take(limit) {
        let audio = read_mono_16k(orders.join("wav").join(file))?;
        let wanted = |intent: &str, slots: &Map<String, Value>| {
            let trim = |v: &Value| v.as_str().unwrap_or_default().trim().to_owned();
            let all = label["slots"].as_object().is_some_and(|wanted| {
                wanted.iter().all(|(k, v)| slots.get(k).is_some_and(|got| trim(got) == trim(v)))
            });
            label["intent"] == intent && all
        };
        rows.push(coffee.hear("orders", file, &audio, Some(&wanted))?);
    }
    config.home.file = Some(folder.join("home_en/home.yaml"));
    let mut english = home(&config.engines(&store), "home", "en")?;
    for path in recordings(&folder.join("home_en/wav"))? {
        let words = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let audio = read_mono_16k(&path)?;
        let meant = (english.means)(&words);
        let wanted = |intent: &str, slots: &Map<String, Value>| {
            meant.as_ref().is_some_and(|(i, s)| i == intent && s == slots)
        };
        let command = !words.starts_with("oov_");
        rows.push(english.hear("home", &words, &audio, command.then_some(&wanted))?);
    }
    let mut spoken: Vec<(&'static str, String, Vec<f32>)> = Vec::new();
    for line in std::fs::read_to_string(folder.join("speech_en/references.tsv"))?.lines().skip(1) {
        let path = line.split('\t').next().unwrap_or_default();
        spoken.push(("speech", line.into(), read_mono_16k(folder.join("speech_en").join(path))?));
    }
    let sentences = std::fs::read_to_string(folder.join("harvard_720.txt"))?;
    for voice in VOICES {
        let mut voice = config.engines(&store).voice(voice)?;
        for text in sentences.lines().filter(|l| !l.trim().is_empty()).take(limit) {
            let sound = synthesis::spoken(&mut *voice, text)?;
            let speech = resampled(&sound, voice.sample_rate(), SAMPLE_RATE)?;
            spoken.push(("harvard", text.into(), speech));
        }
    }
    for (set, file, audio) in &spoken {
        rows.push(coffee.hear(set, file, audio, None)?);
        rows.push(english.hear(set, file, audio, None)?);
    }
    drop((coffee, english));
    config.home.file = None;
    config.asr.language = "zh".into();
    let mut chinese = home(&config.engines(&store), "home-zh", "zh")?;
    for line in std::fs::read_to_string(folder.join("speech_zh/references.tsv"))?.lines().skip(1) {
        let path = line.split('\t').next().unwrap_or_default();
        let audio = read_mono_16k(folder.join("speech_zh").join(path))?;
        rows.push(chinese.hear("speech", line, &audio, None)?);
    }
    report(&rows, &args)
}

/// A listener for the sentences of the configured home.
fn home(
    engines: &Engines<'_>,
    name: &'static str,
    language: &'static str,
) -> AnyResult<Listener<'static>> {
    let dialogue: Dialogue = engines.dialogue()?;
    let mut recognizer = engines.recognizer()?;
    recognizer.constrain(language, dialogue.sayable(language).map(grammar_of));
    let means = move |text: &str| {
        if !dialogue.is_command(text, language, None) {
            return None;
        }
        let meaning = dialogue.engine(language).recognize(text, &Map::new());
        Some(meaning.map_or_else(Default::default, |m| (m.intent, m.slots)))
    };
    Ok(Listener { name, recognizer, means: Box::new(means) })
}

impl Listener<'_> {
    /// What is taken from a recording. `wanted` tells the command that it is; without it, it is none.
    fn hear(
        &mut self,
        set: &'static str,
        file: &str,
        audio: &[f32],
        wanted: Option<Wanted<'_>>,
    ) -> AnyResult<Row> {
        let mut heard = Transcript::default();
        self.recognizer.transcribe(audio, &|| false, &mut |hypothesis| {
            if let Hypothesis::Final(transcript) = hypothesis {
                heard = transcript;
            }
        })?;
        for reading in &mut heard.readings {
            // As a session does it.
            reading.confidence = hearken::session::sure_of(reading, &heard.text, &heard.language);
        }
        let taken = heard
            .readings
            .iter()
            .find_map(|reading| (self.means)(&reading.text).map(|meaning| (reading, meaning)));
        let right = taken
            .as_ref()
            .is_some_and(|(_, (intent, slots))| wanted.is_some_and(|wanted| wanted(intent, slots)));
        let reading = taken.map(|(reading, _)| reading);
        Ok(Row {
            grammar: self.name,
            set,
            command: wanted.is_some(),
            right,
            confidence: reading.map_or(0.0, |r| r.confidence),
            margin: reading.map_or(f32::NAN, |r| r.margin),
            tokens: reading.map_or(0, |r| r.tokens),
            no_speech_prob: heard.no_speech_prob,
            avg_logprob: heard.avg_logprob,
            taken: reading.map_or(String::new(), |r| r.text.clone()),
            heard: heard.text,
            file: file.to_owned(),
        })
    }
}

fn recordings(folder: &Path) -> AnyResult<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}

/// Misses and false accepts at a threshold.
fn at(rows: &[&Row], threshold: f32) -> (usize, usize, usize, usize) {
    let taken = |row: &&&Row| row.confidence >= threshold && !row.taken.is_empty();
    let commands: Vec<&&Row> = rows.iter().filter(|row| row.command).collect();
    let others: Vec<&&Row> = rows.iter().filter(|row| !row.command).collect();
    let accepted = commands.iter().copied().filter(taken).filter(|row| row.right).count();
    let wrong = others.iter().copied().filter(taken).count();
    (commands.len() - accepted, commands.len(), wrong, others.len())
}

fn report(rows: &[Row], args: &[String]) -> AnyResult<()> {
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    if let Some(path) = option("--rows") {
        let mut file = std::fs::File::create(path)?;
        for row in rows {
            writeln!(file, "{}", serde_json::to_string(row)?)?;
        }
    }
    let mut found = Vec::new();
    println!("grammar  threshold   misses  false accepts");
    for grammar in GRAMMARS {
        let own: Vec<&Row> = rows.iter().filter(|row| row.grammar == grammar).collect();
        for threshold in [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
            let (missed, commands, wrong, others) = at(&own, threshold);
            println!(
                "{grammar:<8} {threshold:>9}  {missed:>3} of {commands:<4} {wrong:>3} of {others}"
            );
            found.push(json!({ "grammar": grammar, "threshold": threshold, "missed": missed,
                "commands": commands, "false_accepts": wrong, "others": others }));
        }
        for row in own.iter().filter(|row| !row.command && row.confidence >= 0.5) {
            println!("   taken {:.2} {:?}, heard {:?}", row.confidence, row.taken, row.heard);
        }
    }
    if let Some(path) = option("--plot") {
        let font = option("--font").map_or(FONT, String::as_str);
        plot(rows, Path::new(path), Path::new(font))?;
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", json!({ "rows": found }));
    }
    Ok(())
}

/// Draws misses against false accepts (left) and both by the threshold (right), in per cent.
fn plot(rows: &[Row], path: &Path, font: &Path) -> AnyResult<()> {
    use plotters::prelude::*;
    use plotters::style::{FontStyle, register_font};

    let named = |e| format!("{}: {e}; name another font with --font", font.display());
    // The library keeps fonts for ever.
    let letters: &'static [u8] = std::fs::read(font).map_err(named)?.leak();
    register_font("sans-serif", FontStyle::Normal, letters).map_err(|_| "this is no font")?;
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    let curves: Vec<(&str, Vec<[f64; 3]>)> = GRAMMARS
        .iter()
        .map(|grammar| {
            let own: Vec<&Row> = rows.iter().filter(|row| row.grammar == *grammar).collect();
            let point = |step: u16| {
                let threshold = f64::from(step) / 100.0;
                let (missed, commands, wrong, others) = at(&own, threshold as f32);
                [threshold, share(missed, commands), share(wrong, others)]
            };
            (*grammar, (1..100).map(point).collect())
        })
        .collect();
    let commands = |name: &str| rows.iter().any(|row| row.grammar == name && row.command);
    let most = |at: usize| {
        let all = curves.iter().flat_map(|(_, points)| points.iter().map(move |p| p[at]));
        all.fold(1.0, f64::max) * 1.1
    };
    let root = BitMapBackend::new(path, (1200, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((1, 2));
    let text = ("sans-serif", 16);
    let title = ("sans-serif", 20);

    let mut left = ChartBuilder::on(&panels[0])
        .caption("Misses against false accepts (dot: threshold 0.5)", title)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..most(2), 0.0..most(1))?;
    let mut mesh = left.configure_mesh();
    mesh.x_desc("false accepts, %").y_desc("misses, %").label_style(text).draw()?;
    for (n, (name, points)) in curves.iter().enumerate().filter(|(_, (name, _))| commands(name)) {
        let colour = Palette99::pick(n).to_rgba();
        let line = LineSeries::new(points.iter().map(|p| (p[2], p[1])), colour.stroke_width(2));
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
        left.draw_series(line)?.label(*name).legend(legend);
        let middle = points.iter().filter(|p| (p[0] - 0.5).abs() < 1e-6);
        left.draw_series(middle.map(|p| Circle::new((p[2], p[1]), 5, colour.filled())))?;
    }
    left.configure_series_labels().background_style(WHITE).label_font(text).draw()?;

    let mut right = ChartBuilder::on(&panels[1])
        .caption("By the threshold", title)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, 0.0..most(1).max(most(2)))?;
    right.configure_mesh().x_desc("threshold").y_desc("%").label_style(text).draw()?;
    for (n, (name, points)) in curves.iter().enumerate() {
        for (column, what, width) in [(1, "misses", 2), (2, "false accepts", 1)] {
            if column == 1 && !commands(name) {
                continue;
            }
            let colour = Palette99::pick(n).to_rgba();
            let style = colour.stroke_width(width);
            let line = LineSeries::new(points.iter().map(|p| (p[0], p[column])), style);
            let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style);
            right.draw_series(line)?.label(format!("{name}, {what}")).legend(legend);
        }
    }
    right
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .label_font(text)
        .draw()?;
    root.present()?;
    println!("drawn: {}", path.display());
    Ok(())
}
