//! What can be typed: clap types, no behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::models::ModelsArgs;

/// Listens, understands, acts and answers, on your own machine, in Chinese and English.
#[derive(Debug, Parser)]
#[command(name = "hearken", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:\n  \
    hearken demo                                   eight spoken commands and their answers\n  \
    hearken run --input command.wav --output reply.wav\n  \
    hearken understand \"turn on the kitchen light\" 打开客厅的灯\n  \
    hearken say 现在是下午三点二十分 -o time.wav")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The configuration file (TOML) [default: hearken/config.toml in the XDG configuration folder, if any]
    #[arg(long, global = true, value_name = "FILE", env = "HEARKEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// The folder of the models [default: hearken/models in the XDG data folder]
    #[arg(long, global = true, value_name = "DIR", env = "HEARKEN_MODELS")]
    pub models: Option<PathBuf>,
    /// Log more; twice for still more (or set HEARKEN_LOG)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What Hearken can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Listen to a recording or the microphone, obey and answer
    Run(RunArgs),
    /// Turn recordings into text
    Transcribe(TranscribeArgs),
    /// Speak a text
    Say(SayArgs),
    /// List the voices
    Voices(VoicesArgs),
    /// Show what a sentence means in a home
    Understand(UnderstandArgs),
    /// List, fetch, check and import models
    Models(ModelsArgs),
    /// Check the configuration and open every model it names
    Check(CheckArgs),
    /// Hear a conversation of eight spoken commands
    Demo(DemoArgs),
}

/// The language that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Chinese
    Zh,
    /// Whichever of the configured languages it sounds like
    Auto,
}

impl Language {
    /// The value as the configuration writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
            Self::Auto => "auto",
        }
    }
}

/// Options of `hearken run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken run --input examples/recordings/1.flac --output reply.wav\n  \
    arecord -q -f S16_LE -r 16000 -t raw -d 4 | hearken run --input - --json\n  \
    hearken run --home my-home.toml --language zh        (the microphone)")]
pub struct RunArgs {
    /// A recording (WAV, FLAC, MP3, OGG, M4A, AIFF), or - for standard input; without it the microphone
    #[arg(long, value_name = "FILE|-")]
    pub input: Option<PathBuf>,
    /// Sample rate in Hz of raw s16le on standard input
    #[arg(long, value_name = "HZ", default_value_t = 16_000)]
    pub rate: u32,
    /// Channels of raw s16le on standard input
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub channels: u16,
    /// Write the spoken replies to this WAV file, one after the other
    #[arg(long, value_name = "FILE.wav")]
    pub output: Option<PathBuf>,
    /// Play the replies on the speaker too (always so with the microphone)
    #[arg(long)]
    pub play: bool,
    /// The home that is acted on [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub home: Option<PathBuf>,
    /// The area where the microphone stands, for "turn on the light"
    #[arg(long, value_name = "NAME")]
    pub area: Option<String>,
    /// The language spoken
    #[arg(long, value_enum)]
    pub language: Option<Language>,
    /// Write every event as a line of JSON to this file
    #[arg(long, value_name = "FILE.jsonl")]
    pub events: Option<PathBuf>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// How a transcript is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TranscriptFormat {
    /// The words alone
    Text,
    /// A line of JSON a file
    Json,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles
    Vtt,
}

/// Options of `hearken transcribe`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken transcribe meeting.m4a --format srt > meeting.srt\n  \
    hearken transcribe --language zh --format json *.flac")]
pub struct TranscribeArgs {
    /// Recordings (WAV, FLAC, MP3, OGG, M4A, AIFF)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The language spoken, a code such as en, zh, de; or auto for one of the configured
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// The recogniser's id in the catalogue (see `hearken models list`)
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// How to write the text
    #[arg(long, value_enum, default_value = "text")]
    pub format: TranscriptFormat,
}

/// Options of `hearken check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken check --config hearken.toml")]
pub struct CheckArgs {
    /// Print one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// Options of `hearken demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken demo --output demo-output")]
pub struct DemoArgs {
    /// The folder for the spoken replies
    #[arg(long, value_name = "DIR", default_value = "demo-output")]
    pub output: PathBuf,
    /// Stay silent even where there is a speaker
    #[arg(long)]
    pub no_play: bool,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// Options of `hearken say`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken say \"The kitchen light is on.\"\n  \
    hearken say 现在是下午三点二十分 -o time.wav\n  \
    echo \"Hello\" | hearken say - -o - | aplay")]
pub struct SayArgs {
    /// The text, or - for standard input
    #[arg(required = true, value_name = "TEXT|-", allow_hyphen_values = true)]
    pub text: Vec<String>,
    /// The voice's id (see `hearken voices`) [default: the voice of the language]
    #[arg(long, value_name = "ID")]
    pub voice: Option<String>,
    /// The language of the text, a code such as en or zh [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// How fast, 1 being the voice's own speed (0.25 to 4)
    #[arg(long, value_name = "X")]
    pub speed: Option<f32>,
    /// Write a WAV file, or - for standard output, instead of playing on the speaker
    #[arg(short, long, value_name = "FILE.wav|-")]
    pub output: Option<PathBuf>,
    /// Show the text as it will be spoken and its phonemes; no voice is needed
    #[arg(long)]
    pub phonemes: bool,
}

/// Options of `hearken voices`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken voices --language zh\n  \
    hearken voices --json")]
pub struct VoicesArgs {
    /// Only voices that speak this language, such as en or zh
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// Options of `hearken understand`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken understand \"turn on the kitchen light\" 打开客厅的灯\n  \
    hearken understand --area Kitchen --json \"turn off the lights\"")]
pub struct UnderstandArgs {
    /// Sentences
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
    /// The home whose names are known [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub home: Option<PathBuf>,
    /// The area where the sentence is said
    #[arg(long, value_name = "NAME")]
    pub area: Option<String>,
    /// The language of the sentences, such as en or zh [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// Print a line of JSON a sentence
    #[arg(long)]
    pub json: bool,
}
