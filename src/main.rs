//! The command line of Hearken.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use commands::House;

/// Starts this program anew with a short spin count, if nobody has chosen one.
///
/// Recognition runs in threads that wait for each other hundreds of times. OpenMP has them spin for
/// milliseconds before they sleep, which on busy cores takes the time from the very thread that is waited
/// for: a recognition of 0.2 s can then take seconds. OpenMP reads its settings when it is loaded, before
/// any code of ours could make them.
#[cfg(target_os = "linux")]
fn spin_shortly() {
    use std::os::unix::process::CommandExt;
    const CHOSEN: [&str; 2] = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"];
    let mut args = std::env::args_os();
    if CHOSEN.iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    if let (Ok(program), Some(name)) = (std::env::current_exe(), args.next()) {
        // Returns only when that cannot be; then it goes on as it is.
        let _ = std::process::Command::new(program)
            .arg0(name)
            .args(args)
            .env("GOMP_SPINCOUNT", "10000")
            .exec();
    }
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    spin_shortly();
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
