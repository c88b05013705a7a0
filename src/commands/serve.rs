//! `hearken serve`: the doors for everything that speaks a voice protocol.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use hearken::serve::{Doors, new_token, token_hash};
use hearken::session::{Engines, Shared};
use tokio_util::sync::CancellationToken;

use super::House;
use crate::cli::ServeArgs;

pub(crate) fn run(house: &House, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    if args.new_token {
        return make_token();
    }
    let mut house = house.with(args.home.as_deref(), args.area.as_deref());
    for (given, setting) in [
        (&args.http, &mut house.config.serve.http),
        (&args.wyoming, &mut house.config.serve.wyoming),
    ] {
        if let Some(given) = given {
            setting.clone_from(given);
        }
    }
    if let Some(web) = &args.web {
        house.config.serve.web.clone_from(web);
    }
    if args.print_config {
        println!("{}", toml::to_string(&house.config)?);
        return Ok(ExitCode::SUCCESS);
    }
    // A server is somebody's home: it is found as it was left.
    let engines = Engines { remember: true, ..house.engines()? };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // The doors first: a port that is taken is told before models are opened.
        let doors = Doors::open(&house.config.serve).await?.with_audio(&house.config.audio)?;
        let began = Instant::now();
        let shared = Shared::open(&engines, house.config.serve.queue)?;
        let ms = began.elapsed().as_millis();
        let _ahead = shared.speak_ahead()?;
        let doors_open = [
            ("http", "http", "https", doors.http()),
            ("wyoming", "tcp", "tls", doors.wyoming()),
            ("audiosocket", "tcp", "tls", doors.audiosocket()),
            ("satellite", "tcp", "tls", doors.satellite()),
        ];
        for (door, plain, encrypted, address) in doors_open {
            if let Some(address) = address {
                let scheme = if doors.is_encrypted(door) { encrypted } else { plain };
                println!("{door:<7}  {scheme}://{address}");
            }
        }
        if let Some((file, fingerprint)) = doors.certificate() {
            println!("certificate  {}\n  SHA-256 {fingerprint}", file.display());
        }
        if !house.config.serve.wyoming_socket.as_os_str().is_empty() {
            println!("wyoming  unix://{}", house.config.serve.wyoming_socket.display());
        }
        println!("Ready after {ms} ms. Ctrl-C ends.");
        let stop = CancellationToken::new();
        tokio::spawn(closing(stop.clone()));
        doors.run(shared, stop).await?;
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Sets `stop` at Ctrl-C or SIGTERM. A second one ends the process at once.
async fn closing(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_cancelled() {
            std::process::exit(130);
        }
        stop.cancel();
    }
}

fn make_token() -> anyhow::Result<ExitCode> {
    let token = new_token().context("the system gives no random bytes")?;
    println!("The token, for the client; it is shown only now:\n  {token}");
    println!(
        "Its hash, for the configuration:\n  [serve]\n  tokens = [\"{}\"]",
        token_hash(&token)
    );
    Ok(ExitCode::SUCCESS)
}
