//! The command line of Hearken.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use commands::House;

fn main() -> ExitCode {
    let cli = Cli::parse();
    hearken::telemetry::init(cli.global.verbose);
    let outcome = House::open(&cli.global).and_then(|house| match cli.command {
        Command::Run(args) => commands::run::run(&house, &args),
        Command::Recognize(args) => commands::recognize::run(&house, &args),
        Command::Transcribe(args) => commands::transcribe::run(&house, &args),
        Command::Say(args) => commands::say::run(&house, &args),
        Command::Voices(args) => commands::voices::run(&house, &args),
        Command::Normalize(args) => commands::normalize::run(&house, &args),
        Command::Pinyin(args) => commands::pinyin::run(&house, &args),
        Command::Understand(args) => commands::understand::run(&house, &args),
        Command::Intents(args) => commands::intents::run(&house, &args),
        Command::Models(args) => commands::models::run(&args, &house.store),
        Command::Check(args) => commands::check::run(&house, &args),
        Command::Serve(args) => commands::serve::run(&house, &args),
        Command::Devices(args) => commands::devices::run(&args),
        Command::Replay(args) => commands::replay::run(&house, &args),
        Command::Demo(args) => commands::demo::run(&house, &args),
    });
    outcome.unwrap_or_else(|error| {
        commands::complain(&error);
        ExitCode::FAILURE
    })
}
