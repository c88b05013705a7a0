//! What each command does: the library's abilities, shown to people and to programs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what commands are for")]

mod batch;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod intents;
pub(crate) mod models;
pub(crate) mod normalize;
pub(crate) mod pinyin;
pub(crate) mod recognize;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod say;
pub(crate) mod serve;
pub(crate) mod transcribe;
mod turns;
pub(crate) mod understand;
pub(crate) mod voices;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::Engines;

use crate::cli::Global;

/// What every command begins with.
pub(crate) struct House {
    /// The configuration in force.
    pub(crate) config: Config,
    /// The file it came from, if any.
    pub(crate) config_path: Option<PathBuf>,
    /// The models.
    pub(crate) store: ModelStore,
}

impl House {
    pub(crate) fn open(global: &Global) -> anyhow::Result<Self> {
        let (config, config_path) = Config::load(global.config.as_deref())?;
        let store = ModelStore::open(global.models.as_deref())?;
        Ok(Self { config, config_path, store })
    }

    /// This house with what a command line changes in it: the home's file and the area.
    pub(crate) fn with(&self, home: Option<&Path>, area: Option<&str>) -> Self {
        let mut config = self.config.clone();
        if let Some(home) = home {
            config.home.file = Some(home.to_owned());
        }
        if let Some(area) = area {
            area.clone_into(&mut config.dialogue.area);
        }
        Self { config, config_path: self.config_path.clone(), store: self.store.clone() }
    }

    /// Where one speaks, if anywhere in particular.
    pub(crate) fn area(&self) -> Option<&str> {
        Some(self.config.dialogue.area.as_str()).filter(|area| !area.is_empty())
    }

    /// The engines, once the configuration has no problem.
    pub(crate) fn engines(&self) -> anyhow::Result<Engines<'_>> {
        let problems = self.config.problems();
        if !problems.is_empty() {
            let file = self.config_path.as_deref().map(|p| format!(" {}", p.display()));
            anyhow::bail!(
                "the configuration{} cannot be used:\n  {}",
                file.unwrap_or_default(),
                problems.join("\n  ")
            );
        }
        Ok(self.config.engines(&self.store))
    }
}

/// Prints an error with its causes.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut said = error.to_string();
    eprintln!("{} {said}", console::style("error:").red().bold().for_stderr());
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Many errors already hold their cause's words.
        if !said.contains(&cause) {
            eprintln!("  because {cause}");
            said = cause;
        }
    }
}

/// A flag that Ctrl-C sets, so that what is open can be closed in order. A second Ctrl-C ends the
/// process at once.
pub(crate) fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    if set.swap(true, Ordering::Relaxed) {
                        std::process::exit(130);
                    }
                }
            });
        })
        .context("cannot wait for Ctrl-C")?;
    Ok(flag)
}
