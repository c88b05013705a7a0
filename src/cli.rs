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
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The configuration file (TOML) [default: hearken/config.toml in the XDG configuration folder, if any]
    #[arg(long, global = true, value_name = "FILE", env = "HEARKEN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of the models [default: hearken/models in the XDG data folder]
    #[arg(long, global = true, value_name = "DIR", env = "HEARKEN_MODELS")]
    pub(crate) models: Option<PathBuf>,
    /// Log more; twice for still more (or set HEARKEN_LOG)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What Hearken can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Listen to a recording or the microphone, obey and answer
    Run(RunArgs),
    /// Turn recordings into text
    Transcribe(TranscribeArgs),
    /// Recognise the commands of a grammar of your own in recordings
    Recognize(RecognizeArgs),
    /// Speak a text
    Say(SayArgs),
    /// List the voices
    Voices(VoicesArgs),
    /// Show the words that are spoken for a written text
    Normalize(NormalizeArgs),
    /// Show how Chinese characters are read
    Pinyin(PinyinArgs),
    /// Show what a sentence means in a home
    Understand(UnderstandArgs),
    /// Draw sentences that are understood, explain how one is read, check sentence files
    #[command(after_help = "Examples:\n  \
        hearken intents sample --intent HassTurnOn --count 5\n  \
        hearken intents explain \"turn on the kitchen light\"\n  \
        hearken intents check my-sentences.yaml")]
    Intents(IntentsArgs),
    /// List, fetch, check and import models
    #[command(after_help = "Examples:\n  \
        hearken models list --installed\n  \
        hearken models pull kokoro-af-heart\n  \
        hearken models import ~/my-whisper --id my-whisper --quantize q8_0")]
    Models(ModelsArgs),
    /// Check the configuration and open every model it names
    Check(CheckArgs),
    /// Hear a conversation of eight spoken commands
    Demo(DemoArgs),
    /// Open the doors for Home Assistant (Wyoming), OpenAI clients and others
    Serve(ServeArgs),
    /// List microphones and speakers
    Devices(DevicesArgs),
    /// Go through the record of a session again and see why it did what it did
    Replay(ReplayArgs),
}

/// The language that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Chinese
    Zh,
    /// Whichever of the configured languages it sounds like
    Auto,
}

impl Language {
    /// The value as the configuration writes it.
    pub(crate) fn code(self) -> &'static str {
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
    hearken run --home my-home.toml --language zh        (the microphone)\n  \
    hearken run --microphone file:command.wav --speaker file:reply.wav")]
pub(crate) struct RunArgs {
    /// A recording (WAV, FLAC, MP3, OGG, WebM, M4A, AIFF), or - for standard input; without it the microphone
    #[arg(long, value_name = "FILE|-")]
    pub(crate) input: Option<PathBuf>,
    /// Sample rate in Hz of raw s16le on standard input
    #[arg(long, value_name = "HZ", default_value_t = 16_000)]
    pub(crate) rate: u32,
    /// Channels of raw s16le on standard input
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) channels: u16,
    /// Write the spoken replies to this WAV file, one after the other
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) output: Option<PathBuf>,
    /// Play the replies on the speaker too (always so with the microphone, unless --output is given)
    #[arg(long)]
    pub(crate) play: bool,
    /// The microphone, by name (see `hearken devices`); null is silence, file:PATH a recording at its own speed
    #[arg(long, value_name = "NAME")]
    pub(crate) microphone: Option<String>,
    /// The speaker, by name (see `hearken devices`); null is nowhere, file:PATH a WAV file
    #[arg(long, value_name = "NAME")]
    pub(crate) speaker: Option<String>,
    /// The home that is acted on [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The area where the microphone stands, for "turn on the light"
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Option<String>,
    /// The language spoken
    #[arg(long, value_enum)]
    pub(crate) language: Option<Language>,
    /// Write every event as a line of JSON to this file
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) events: Option<PathBuf>,
    /// Keep a record of everything that decides in this folder, for `hearken replay`
    #[arg(long, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hearken run --input command.wav --trace record\n  hearken replay record"
)]
pub(crate) struct ReplayArgs {
    /// The folder that `hearken run --trace` wrote
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The home that was acted on [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The area where the microphone stood
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Option<String>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a transcript is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TranscriptFormat {
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
pub(crate) struct TranscribeArgs {
    /// Recordings (WAV, FLAC, MP3, OGG, WebM, M4A, AIFF)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The language spoken, a code such as en, zh, de; or auto for one of the configured
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// The recogniser's id in the catalogue (see `hearken models list`)
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// How to write the text
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TranscriptFormat,
}

/// Options of `hearken check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken check --config hearken.toml")]
pub(crate) struct CheckArgs {
    /// The home to check: TOML, or YAML or JSON as Home Assistant's tests have it [default: the configured one]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken devices`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken devices\n  \
    hearken devices --json")]
pub(crate) struct DevicesArgs {
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken demo --output demo-output")]
pub(crate) struct DemoArgs {
    /// The folder for the spoken replies
    #[arg(long, value_name = "DIR", default_value = "demo-output")]
    pub(crate) output: PathBuf,
    /// Stay silent even where there is a speaker
    #[arg(long)]
    pub(crate) no_play: bool,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken recognize`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hearken recognize --grammar examples/grammars/coffee.yaml --json order.wav\n\n\
    A grammar is a file of sentences in Home Assistant's layout, or of expressions in Picovoice's.\n\
    With --json a line a file: {\"file\",\"intent\",\"slots\",\"confidence\",\"text\",\"free_text\",\"compute_s\"}"
)]
pub(crate) struct RecognizeArgs {
    /// Recordings of one command each: WAV, FLAC, MP3, OGG or M4A
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The grammar, in YAML
    #[arg(long, value_name = "FILE")]
    pub(crate) grammar: PathBuf,
    /// The language of a grammar that does not name its own
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub(crate) language: String,
    /// The recogniser [default: the configured one]
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// How sure a command must be, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub(crate) threshold: f32,
    /// Print a line of JSON a file
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken say`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken say \"The kitchen light is on.\"\n  \
    hearken say 现在是下午三点二十分 -o time.wav\n  \
    echo \"Hello\" | hearken say - -o - | aplay")]
pub(crate) struct SayArgs {
    /// The text, or - for standard input
    #[arg(required = true, value_name = "TEXT|-", allow_negative_numbers = true)]
    pub(crate) text: Vec<String>,
    /// The voice's id (see `hearken voices`), ID#N for one of its speakers, or a mix such as af_heart:0.6+af_bella:0.4
    /// [default: the voice of the language]
    #[arg(long, value_name = "ID")]
    pub(crate) voice: Option<String>,
    /// The language of the text, a code such as en or zh [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// How fast, 1 being the voice's own speed (0.25 to 4)
    #[arg(long, value_name = "X")]
    pub(crate) speed: Option<f32>,
    /// How loud, 1 being the loudness that all voices have (0 to 4)
    #[arg(long, value_name = "X")]
    pub(crate) volume: Option<f32>,
    /// Write a WAV file, or - for standard output, instead of playing on the speaker
    #[arg(short, long, value_name = "FILE.wav|-")]
    pub(crate) output: Option<PathBuf>,
    /// Show the text as it will be spoken and its phonemes; no voice is needed
    #[arg(long)]
    pub(crate) phonemes: bool,
}

/// What `hearken voices` can do besides listing.
#[derive(Debug, Subcommand)]
pub(crate) enum VoicesCommand {
    /// Speak a sample with a voice
    Preview(PreviewArgs),
}

/// Options of `hearken voices preview`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken voices preview kokoro-af-heart -o heart.wav")]
pub(crate) struct PreviewArgs {
    /// The voice's id, ID#N for one of its speakers, or a mix such as af_heart:0.6+af_bella:0.4
    #[arg(value_name = "ID")]
    pub(crate) voice: String,
    /// Write a WAV file, or - for standard output, instead of playing on the speaker
    #[arg(short, long, value_name = "FILE.wav|-")]
    pub(crate) output: Option<PathBuf>,
}

/// Options of `hearken voices`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken voices --language zh\n  \
    hearken voices preview kokoro-af-heart\n  \
    hearken voices --json")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VoicesArgs {
    /// What to do with them
    #[command(subcommand)]
    pub(crate) command: Option<VoicesCommand>,
    /// Only voices that speak this language, such as en or zh
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken normalize`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken normalize \"It is 21.5 °C at 7:30.\" 现在是下午3:20\n  \
    hearken normalize --language zh --json - < lines.txt")]
pub(crate) struct NormalizeArgs {
    /// Texts, each answered by a line; or - for the lines of standard input
    #[arg(required = true, value_name = "TEXT", allow_negative_numbers = true)]
    pub(crate) text: Vec<String>,
    /// The language to read in, such as en or zh [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Print a JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken pinyin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken pinyin 他在银行工作\n  \
    hearken pinyin 他在银▁行▁工作\n  \
    hearken pinyin --batch - < sentences.txt")]
pub(crate) struct PinyinArgs {
    /// Chinese sentences; where one character is marked as in 银▁行▁ only that one is read
    #[arg(required_unless_present = "batch", value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// A file of sentences, one a line, or - for standard input; each is answered by a line
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) batch: Option<PathBuf>,
    /// Print a JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken understand`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken understand \"turn on the kitchen light\" 打开客厅的灯\n  \
    hearken understand --area Kitchen --json \"turn off the lights\"\n  \
    hearken understand --batch requests.jsonl > answers.jsonl")]
#[command(after_long_help = "A batch holds one JSON object a line:\n  \
    {\"text\": \"turn on the lamp\", \"language\": \"en\", \"area\": \"Den\",\n   \
    \"home\": {\"areas\": [{\"name\": \"Den\"}], \"floors\": [],\n            \
    \"entities\": [{\"name\": \"Lamp\", \"domain\": \"light\", \"area\": \"Den\", \"state\": \"on\"}]}}\n\
    All but the text may be left out. Each is answered with one line, as --json writes it; a line\n\
    that cannot be read is answered with {\"error\": …}. Nothing is done: answers are worded as Home\n\
    Assistant's own tests expect them when all went well, and the time is theirs, 2013-09-17 01:02,\n\
    unless the line has \"now\".\n\nExample:\n  \
    hearken understand --batch - < requests.jsonl > answers.jsonl")]
pub(crate) struct UnderstandArgs {
    /// Sentences
    #[arg(required_unless_present = "batch", value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// Answer many sentences: a file with a JSON object a line, or - for standard input (see --help)
    #[arg(long, value_name = "FILE|-", conflicts_with = "text")]
    pub(crate) batch: Option<PathBuf>,
    /// The home whose names are known [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The area where the sentence is said
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Option<String>,
    /// The language of the sentences, such as en or zh [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Print a line of JSON a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken intents`.
#[derive(Debug, Args)]
pub(crate) struct IntentsArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) what: IntentsCommand,
}

/// What `hearken intents` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum IntentsCommand {
    /// Draw sentences that are understood in a home
    #[command(after_help = "Examples:\n  \
        hearken intents sample --language zh --count 20\n  \
        hearken intents sample --intent HassLightSet --home my-home.toml --json")]
    Sample(SampleArgs),
    /// Show which templates a sentence matches, and why one wins
    #[command(after_help = "Examples:\n  \
        hearken intents explain \"turn on the kitchen light\"\n  \
        hearken intents explain --area Kitchen \"turn off the lights\" --json")]
    Explain(ExplainArgs),
    /// Check sentence files: every mistake with its file, sentence and column
    #[command(after_help = "Example:\n  hearken intents check custom_sentences/en/*.yaml")]
    Check(CheckSentencesArgs),
}

/// Options of `hearken intents sample`.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// How many sentences
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) count: u32,
    /// Only sentences of this intent, such as HassTurnOn
    #[arg(long, value_name = "INTENT")]
    pub(crate) intent: Option<String>,
    /// The language, such as en, zh or de
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub(crate) language: String,
    /// The home whose names are used [default: the configured one]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The same number draws the same sentences
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print a line of JSON a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken intents explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The sentence
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
    /// The home whose names are known [default: the configured one]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The area where the sentence is said
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Option<String>,
    /// The language of the sentence [default: told from the characters]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken intents check`.
#[derive(Debug, Args)]
pub(crate) struct CheckSentencesArgs {
    /// Sentence files in Home Assistant's layout (YAML)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The home whose names are used [default: the configured one]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `hearken serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hearken serve\n  \
    hearken serve --http 127.0.0.1:9000 --wyoming \"\"\n  \
    hearken serve --new-token                      (for [serve] tokens)\n  \
    curl localhost:8765/v1/audio/transcriptions -F model=whisper-1 -F file=@command.wav")]
pub(crate) struct ServeArgs {
    /// Address and port of HTTP; empty keeps this door closed
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<String>,
    /// Address and port of Wyoming; empty keeps this door closed
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) wyoming: Option<String>,
    /// The home that is acted on [default: the home of the demo]
    #[arg(long, value_name = "FILE")]
    pub(crate) home: Option<PathBuf>,
    /// The area of microphones that do not say theirs
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Option<String>,
    /// Take the web page from this folder and not from the program, while working on it
    #[arg(long, value_name = "FOLDER", env = "HEARKEN_WEB", hide = true)]
    pub(crate) web: Option<PathBuf>,
    /// Print the configuration in force, and end
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Make a token for clients, and end
    #[arg(long)]
    pub(crate) new_token: bool,
}
