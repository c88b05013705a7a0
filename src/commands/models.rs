//! `hearken models`: what there is, and bringing it here.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line talks to people")]

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use hearken::models::{Clients, Entry, ModelStore, Observer, Quantize, Step, Verdict};
use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

/// Arguments of `hearken models`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelsArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

/// What `hearken models` can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Show the models of the catalogue and which are installed.
    #[command(
        after_help = "Examples:\n  hearken models list\n  hearken models list --installed --json"
    )]
    List(ListArgs),
    /// Fetch models and all that they need; without an ID, the ones that Hearken uses by default.
    #[command(
        after_help = "Examples:\n  hearken models pull\n  hearken models pull whisper-small kokoro-zm-yunxi"
    )]
    Pull(PullArgs),
    /// Read the files of installed models and compare them with the catalogue's checksums.
    #[command(
        after_help = "Examples:\n  hearken models verify\n  hearken models verify whisper-base"
    )]
    Verify(VerifyArgs),
    /// Make a recogniser of a Whisper checkpoint (faster-whisper, Hugging Face or ggml).
    #[command(
        after_help = "Examples:\n  hearken models import ./my-whisper --id my-whisper --quantize q8_0\n  hearken transcribe talk.wav --model my-whisper"
    )]
    Import(ImportArgs),
    /// Delete the files of models.
    #[command(after_help = "Example:\n  hearken models remove whisper-small")]
    Remove(RemoveArgs),
}

/// Arguments of `hearken models list`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// Only what is installed.
    #[arg(long)]
    pub(crate) installed: bool,
    /// Only models of this kind: recogniser, voice, detector, runtime, sentences, …
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only models for this language, such as en or zh-CN.
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `hearken models pull`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PullArgs {
    /// Models of the catalogue.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

/// Arguments of `hearken models verify`.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// Models of the catalogue; without one, all that are installed.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

/// Arguments of `hearken models import`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImportArgs {
    /// The model's folder, or a model.bin, .safetensors or ggml file.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// What the model is called from now on.
    #[arg(long, value_name = "NAME")]
    pub(crate) id: String,
    /// Store the large tensors in fewer bits.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) quantize: Option<QuantizeArg>,
}

/// The formats that `--quantize` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QuantizeArg {
    /// 8 bits: half the size, as fast, hardly any loss.
    #[value(name = "q8_0")]
    Q8_0,
    /// 5 bits: two fifths of the size.
    #[value(name = "q5_1")]
    Q5_1,
}

/// Arguments of `hearken models remove`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RemoveArgs {
    /// Models of the catalogue.
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

/// Runs `hearken models`.
///
/// # Errors
/// When a model cannot be had, read or removed.
pub(crate) fn run(args: &ModelsArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    match &args.command {
        ModelsCommand::List(args) => list(args, store),
        ModelsCommand::Pull(args) => pull(args, store),
        ModelsCommand::Verify(args) => verify(args, store),
        ModelsCommand::Import(args) => import(args, store),
        ModelsCommand::Remove(args) => remove(args, store),
    }
}

/// Prints a line. A reader who has gone, as `head` does, is no reason to fail.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn list(args: &ListArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    let entries: Vec<&Entry> = store
        .catalogue()
        .entries()
        .filter(|e| !args.installed || store.is_installed(&e.id))
        .filter(|e| args.kind.as_deref().is_none_or(|kind| e.kind.as_str() == kind))
        .filter(|e| args.language.as_deref().is_none_or(|wanted| speaks(e, wanted)))
        .collect();
    if args.json {
        let models: Vec<_> = entries.iter().map(|e| describe(e, store)).collect();
        say(json!({ "folder": store.root(), "models": models }));
        return Ok(ExitCode::SUCCESS);
    }
    let rows = entries.iter().map(|e| {
        let state = match (store.is_installed(&e.id), e.default) {
            (true, _) => "installed",
            (false, true) => "default",
            (false, false) => "",
        };
        [
            e.id.clone(),
            e.kind.as_str().to_owned(),
            languages(e),
            size(e.fetch_bytes()),
            size(e.disk_bytes()),
            e.licence.clone(),
            state.to_owned(),
        ]
    });
    let titles = ["id", "kind", "languages", "to fetch", "on disk", "licence", "state"];
    if std::io::stdout().is_terminal() {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(titles).add_rows(rows);
        // A terminal that does not tell its width gets long lines rather than narrow columns.
        if table.width().is_some_and(|w| w >= 60) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        for column in [3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        say(format_args!("{table}\nfolder: {}", store.root().display()));
    } else {
        say(titles.join("\t"));
        for row in rows {
            say(row.join("\t"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(entry: &Entry, store: &ModelStore) -> serde_json::Value {
    json!({
        "id": entry.id,
        "kind": entry.kind,
        "name": entry.name,
        "description": entry.description,
        "languages": entry.languages,
        "licence": entry.licence,
        "default": entry.default,
        "requires": entry.requires,
        "fetch_bytes": known(entry.fetch_bytes()),
        "disk_bytes": known(entry.disk_bytes()),
        "installed": store.is_installed(&entry.id),
        "path": store.path_of(&entry.id).ok(),
        "voice": entry.voice,
    })
}

/// Sizes of 0 are sizes that nobody knows.
fn known(bytes: u64) -> Option<u64> {
    Some(bytes).filter(|&b| b > 0)
}

fn size(bytes: u64) -> String {
    known(bytes).map_or_else(|| "?".into(), |b| DecimalBytes(b).to_string())
}

fn languages(entry: &Entry) -> String {
    match entry.languages.as_slice() {
        [] => "any".into(),
        [one] if one == "*" => "many".into(),
        some => some.join(" "),
    }
}

fn speaks(entry: &Entry, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase().replace('_', "-");
    entry.languages.is_empty()
        || entry.languages.iter().any(|l| {
            let l = l.to_lowercase();
            l == "*"
                || l == wanted
                || l.split('-').next() == Some(&wanted)
                || wanted.starts_with(&format!("{l}-"))
        })
}

fn pull(args: &PullArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    let ids: Vec<String> = if args.ids.is_empty() {
        store.catalogue().defaults().into_iter().map(str::to_owned).collect()
    } else {
        args.ids.clone()
    };
    let bars = Bars::new();
    let result = store.pull(&ids, &Clients::new(), &bars);
    bars.clear();
    let pulled = result?;
    match (pulled.installed.len(), pulled.already_there.len()) {
        (0, there) => say(format_args!("{}, nothing to fetch", models(there, "already installed"))),
        (new, 0) => say(format_args!("{} in {}", models(new, "installed"), store.root().display())),
        (new, there) => say(format_args!(
            "{} in {}, {there} already there",
            models(new, "installed"),
            store.root().display()
        )),
    }
    Ok(ExitCode::SUCCESS)
}

fn models(n: usize, what: &str) -> String {
    format!("{n} model{} {what}", if n == 1 { "" } else { "s" })
}

fn verify(args: &VerifyArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    let ids: Vec<String> = if args.ids.is_empty() {
        let there = store.catalogue().entries().filter(|e| store.root().join(&e.id).is_dir());
        there.map(|e| e.id.clone()).collect()
    } else {
        args.ids.clone()
    };
    if ids.is_empty() {
        say(format_args!(
            "no models in {}; fetch them with `hearken models pull`",
            store.root().display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut bad = 0;
    for id in &ids {
        for (path, verdict) in store.verify(id)? {
            let words = match &verdict {
                Verdict::Good => "good".to_owned(),
                Verdict::NoChecksumKnown { sha256 } => {
                    format!("no checksum known (found sha256 {sha256})")
                }
                Verdict::Missing => format!("MISSING; fetch it with `hearken models pull {id}`"),
                Verdict::Wrong { reason } => {
                    format!("WRONG: {reason}; `hearken models remove {id}` and pull it again")
                }
                other => format!("{other:?}"),
            };
            bad += usize::from(!verdict.is_usable());
            say(format_args!("{}: {words}", path.display()));
        }
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn import(args: &ImportArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    let quantize = args.quantize.map(|q| match q {
        QuantizeArg::Q8_0 => Quantize::Q8_0,
        QuantizeArg::Q5_1 => Quantize::Q5_1,
    });
    let made = store.import(&args.path, &args.id, quantize)?;
    say(format_args!(
        "{}: {} ({}, {})",
        made.id,
        made.path.display(),
        DecimalBytes(made.size),
        if made.multilingual { "multilingual" } else { "English only" }
    ));
    Ok(ExitCode::SUCCESS)
}

fn remove(args: &RemoveArgs, store: &ModelStore) -> anyhow::Result<ExitCode> {
    // An unknown id stops everything before anything is deleted.
    for id in &args.ids {
        store.entry(id)?;
    }
    for id in &args.ids {
        let removed = store.remove(id).with_context(|| format!("cannot remove {id}"))?;
        say(format_args!("{id}: {}", if removed { "removed" } else { "was not installed" }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a pull: bars on a terminal, a line for each step elsewhere.
struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
    terminal: bool,
}

impl Bars {
    fn new() -> Self {
        Self {
            all: MultiProgress::new(),
            bars: Mutex::new(HashMap::new()),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn clear(&self) {
        // A closed terminal is no reason to fail.
        let _ = self.all.clear();
    }

    fn bar(&self, id: &str) -> ProgressBar {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let bar = self.all.add(ProgressBar::new(0));
            bar.set_prefix(id.to_owned());
            bar
        };
        bars.entry(id.to_owned()).or_insert_with(new).clone()
    }

    fn say(&self, line: &str) {
        if self.terminal {
            let _ = self.all.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    fn finish(&self, id: &str) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.remove(id) {
            bar.finish_and_clear();
        }
    }

    fn style(template: &str) -> ProgressStyle {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }

    fn spin(&self, id: &str, message: String) {
        let bar = self.bar(id);
        bar.set_style(Self::style("{prefix:24} {spinner} {wide_msg}"));
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}

impl Observer for Bars {
    fn step(&self, id: &str, step: Step<'_>) {
        match step {
            Step::Fetching { file, source, total } => {
                if !self.terminal {
                    let size = total.map(|t| format!(", {}", DecimalBytes(t))).unwrap_or_default();
                    return self.say(&format!("{id}: fetching {file} from {source}{size}"));
                }
                let bar = self.bar(id);
                bar.set_style(Self::style(if total.is_some() {
                    "{prefix:24} {wide_bar} {decimal_bytes:>9} of {decimal_total_bytes:9} {decimal_bytes_per_sec:>11} {eta:>4} left"
                } else {
                    "{prefix:24} {spinner} {decimal_bytes} {decimal_bytes_per_sec}"
                }));
                bar.set_length(total.unwrap_or(0));
                bar.set_position(0);
                bar.reset_eta();
            }
            Step::Bytes(at) => {
                if self.terminal {
                    self.bar(id).set_position(at);
                }
            }
            Step::Waiting { what } => {
                let line = format!("waiting for another fetch of {what}");
                if self.terminal { self.spin(id, line) } else { self.say(&format!("{id}: {line}")) }
            }
            Step::Converting => {
                if self.terminal {
                    self.spin(id, "converting".into());
                } else {
                    self.say(&format!("{id}: converting"));
                }
            }
            Step::SourceFailed { source, reason } => {
                self.say(&format!("{id}: {source} failed: {reason}"));
            }
            Step::Installed => {
                self.finish(id);
                self.say(&format!("{id}: installed"));
            }
            Step::Failed { .. } => {
                // The reason comes with the command's error.
                self.finish(id);
                self.say(&format!("{id}: failed"));
            }
            _ => self.finish(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use hearken::models::Catalogue;

    use super::{ModelsArgs, ModelsCommand, QuantizeArg, languages, size, speaks};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ModelsArgs,
    }

    #[test]
    fn the_arguments_are_sound_and_every_help_has_an_example() {
        let command = Line::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("hearken models"), "{} has no example", sub.get_name());
        }
        let line = "models import a/b --id mine --quantize q8_0";
        let parsed = Line::try_parse_from(line.split(' ')).unwrap();
        let ModelsCommand::Import(import) = parsed.args.command else { panic!("not an import") };
        assert_eq!((import.id.as_str(), import.quantize), ("mine", Some(QuantizeArg::Q8_0)));
        assert!(Line::try_parse_from(["models", "remove"]).is_err());
        assert!(Line::try_parse_from("models import a --id b --quantize q4".split(' ')).is_err());
    }

    #[test]
    fn languages_are_found_by_their_beginning() {
        let catalogue = Catalogue::shipped().unwrap();
        for (id, wanted, want, shown) in [
            ("kokoro-zf-xiaobei", "zh", true, "zh-CN"),
            ("kokoro-zf-xiaobei", "zh_cn", true, "zh-CN"),
            ("kokoro-zf-xiaobei", "en", false, "zh-CN"),
            ("whisper-tiny-en", "en-GB", true, "en"),
            ("whisper-base", "sv", true, "many"),
            ("silero-vad", "sv", true, "any"),
        ] {
            let entry = catalogue.entry(id).unwrap();
            assert_eq!(speaks(entry, wanted), want, "{id} in {wanted}");
            assert_eq!(languages(entry), shown);
        }
        assert_eq!(size(0), "?");
        assert_eq!(size(147_951_465), "147.95 MB");
    }
}
