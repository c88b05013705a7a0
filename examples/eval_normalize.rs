//! cargo run --release --example eval_normalize -- DIR [--json]
//!
//! Scores the normaliser on pairs "written TAB spoken" in the files `{en,zh}_*.tsv` under DIR (or HEARKEN_EVAL_DATA):
//! exact, and folded (equal but for case, punctuation, spaces). `--misses` shows what was read otherwise.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use hearken::tts::normalize::normalize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Pairs, exact, folded.
type Score = [usize; 3];

fn fold(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The file's language and kind: `en_tn_nemo_test_cases_date.tsv` → en, date.
fn language_and_kind(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".tsv")?;
    let (language, rest) = name.split_once('_')?;
    let kind = rest.rsplit_once("cases_").map_or(rest.rsplit('_').next()?, |(_, kind)| kind);
    Some((language.to_owned(), kind.to_owned()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let directory = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .cloned()
        .or_else(|| std::env::var("HEARKEN_EVAL_DATA").ok())
        .ok_or("name the folder of pairs, or set HEARKEN_EVAL_DATA")?;
    let all = PathBuf::from(directory);
    let directory = Some(all.join("text_normalization")).filter(|d| d.is_dir()).unwrap_or(all);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&directory)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut kinds: BTreeMap<(String, String), Score> = BTreeMap::new();
    let mut totals: BTreeMap<String, Score> = BTreeMap::new();
    for path in &files {
        let Some((language, kind)) = language_and_kind(path) else { continue };
        for line in std::fs::read_to_string(path)?.lines() {
            let Some((written, spoken)) = line.split_once('\t') else { continue };
            let got = normalize(written, &language);
            let (exact, folded) = (got == spoken.trim(), fold(&got) == fold(spoken));
            for score in [
                kinds.entry((language.clone(), kind.clone())).or_default(),
                totals.entry(language.clone()).or_default(),
            ] {
                score[0] += 1;
                score[1] += usize::from(exact);
                score[2] += usize::from(folded);
            }
            if has("--misses") && !exact {
                println!("{language} {kind}\t{written}\t{got}\tnot {spoken}");
            }
        }
    }
    println!("{:<4}{:<28}{:>6}{:>9}{:>9}", "", "kind", "pairs", "exact %", "folded %");
    let all = totals.iter().map(|(language, score)| (language, "all", score));
    for (language, kind, [pairs, exact, folded]) in
        kinds.iter().map(|((language, kind), score)| (language, kind.as_str(), score)).chain(all)
    {
        let [exact, folded] = [exact, folded].map(|part| 100.0 * *part as f64 / *pairs as f64);
        println!("{language:<4}{kind:<28}{pairs:>6}{exact:>9.1}{folded:>9.1}");
    }
    if has("--json") {
        let score = |[pairs, exact, folded]: &Score| serde_json::json!({"pairs": pairs, "exact": exact, "folded": folded});
        let kinds: BTreeMap<String, _> = kinds
            .iter()
            .map(|((language, kind), s)| (format!("{language}/{kind}"), score(s)))
            .collect();
        let totals: BTreeMap<_, _> = totals.iter().map(|(key, s)| (key, score(s))).collect();
        println!("{}", serde_json::json!({"kinds": kinds, "totals": totals}));
    }
    Ok(())
}
