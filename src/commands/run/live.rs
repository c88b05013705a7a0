//! The live conversation: microphone in, speaker out, both at once.

use std::process::ExitCode;
use std::sync::Arc;

use hearken::session::Devices;

use super::{House, RunArgs, Sinks};

pub(super) fn run(house: &House, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let stop = crate::commands::interrupted()?;
    // Replies that go into a file are not played unless somebody asks for it.
    let with_speaker = args.output.is_none() || args.play;
    let open = || Devices::open(&house.config.audio, with_speaker, Arc::clone(&stop));
    // The devices first: nobody wants to wait for models to hear that there is no microphone. They are
    // opened anew when somebody listens, so that no sound is lost in between.
    drop(open()?);
    let (mut sinks, notes) = Sinks::open(args, None)?;
    // Who lives in a home wants it to be as it was left.
    let mut session = super::session(house, true, notes)?;
    if house.config.tts.cache_mb > 0 {
        session.speak_ahead(house.config.tts.voices.keys().map(String::as_str));
    }
    if !args.json {
        println!("Listening. Ctrl-C ends.\n");
    }
    session.converse_on(open()?, &mut |event| sinks.take(&event))?;
    sinks.close(&session, args)
}
