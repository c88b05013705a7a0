//! `hearken devices`: the microphones and speakers that are connected.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use hearken::audio::{self, Device};

use crate::cli::DevicesArgs;

pub(crate) fn run(args: &DevicesArgs) -> anyhow::Result<ExitCode> {
    let (microphones, speakers) = audio::devices()?;
    if args.json {
        println!("{}", serde_json::json!({ "microphones": microphones, "speakers": speakers }));
        return Ok(ExitCode::SUCCESS);
    }
    show("microphone", &microphones);
    show("speaker", &speakers);
    println!("Without hardware there are null and file:PATH for both.");
    Ok(ExitCode::SUCCESS)
}

fn show(kind: &str, devices: &[Device]) {
    if devices.is_empty() {
        println!("No {kind} is connected.");
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header([kind, "id", "Hz", "channels", ""]);
    for device in devices {
        let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
        table.add_row([
            device.name.clone(),
            device.id.clone(),
            number(device.sample_rate),
            number(device.channels.map(u32::from)),
            if device.default { "the system's choice".into() } else { String::new() },
        ]);
    }
    println!("{table}");
}
