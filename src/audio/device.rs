//! Finding the sound system's devices, for [`capture`](super::capture) and
//! [`playback`](super::playback), and the two that need no sound system: one that is silent and one that
//! is a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait};
use serde::Serialize;

use super::{AudioError, Config};

/// How long a reader or writer sleeps between looks at its ring. The callbacks may make no system
/// call, so they cannot wake anybody; a quarter of a frame is no delay that counts.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A device that moves nothing for this long is taken for dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// A device without hardware, by the name that the configuration gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Virtual {
    /// Silence in, or nowhere out, at the speed of a real device.
    Null,
    /// A recording in, or a WAV file out, at the speed of a real device.
    File(PathBuf),
}

impl Virtual {
    pub(super) fn named(name: Option<&str>) -> Option<Self> {
        match name? {
            "null" => Some(Self::Null),
            name => name.strip_prefix("file:").map(|path| Self::File(path.into())),
        }
    }
}

/// How much sound a virtual device moves at once.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// A thread that moves sound every [`TICK`], without drifting, until it is dropped.
pub(super) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// `tick` says whether to go on.
    pub(super) fn start(
        name: &str,
        mut tick: impl FnMut() -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            let mut next = Instant::now();
            while !stopped.load(Ordering::Relaxed) && tick() {
                next += TICK;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What keeps a device open.
#[expect(dead_code, reason = "held, not read")]
pub(super) enum Open {
    Real(cpal::Stream),
    Virtual(Ticker),
}

/// A microphone or speaker that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// The name to put in the configuration.
    pub name: String,
    /// The sound system's own identifier, which does as well.
    pub id: String,
    /// Whether it is the system's own choice.
    pub default: bool,
    /// Its own sample rate in Hz.
    pub sample_rate: Option<u32>,
    /// Its own number of channels.
    pub channels: Option<u16>,
}

/// The microphones and the speakers that are connected.
///
/// # Errors
/// When the sound system cannot be asked.
pub fn devices() -> Result<(Vec<Device>, Vec<Device>), AudioError> {
    #[cfg(target_os = "linux")]
    let _quiet = alsa::Output::local_error_handler();
    let host = cpal::default_host();
    let list = |direction: Direction| {
        let standard = match direction {
            Direction::In => host.default_input_device(),
            Direction::Out => host.default_output_device(),
        };
        let standard = standard.and_then(|device| device.id().ok());
        let devices = host.devices().map_err(|error| AudioError::Device {
            kind: direction.kind(),
            name: "any".into(),
            reason: error.to_string(),
        })?;
        let described = devices.filter_map(|device| {
            let config = match direction {
                Direction::In => device.default_input_config(),
                Direction::Out => device.default_output_config(),
            };
            // What cannot be opened is no help in a list.
            let config = config.ok()?;
            let id = device.id().ok();
            Some(Device {
                name: name_of(&device),
                default: id.is_some() && id == standard,
                id: id.map(|id| id.id().to_owned()).unwrap_or_default(),
                sample_rate: Some(config.sample_rate()),
                channels: Some(config.channels()),
            })
        });
        Ok(described.collect())
    };
    Ok((list(Direction::In)?, list(Direction::Out)?))
}

/// Which way the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::In => "microphone",
            Self::Out => "speaker",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::In => "audio.input",
            Self::Out => "audio.output",
        }
    }

    fn wanted(self, config: &Config) -> Option<&str> {
        match self {
            Self::In => config.input.as_deref(),
            Self::Out => config.output.as_deref(),
        }
    }

    /// What to do when there is no device, which on a server is the usual state.
    fn without(self) -> String {
        match self {
            Self::In => "connect one, or give a recording with --input FILE".into(),
            Self::Out => "connect one, or write a file with --output FILE.wav".into(),
        }
    }
}

/// A device with the configuration that its own system prefers.
pub(super) struct Found {
    pub(super) device: cpal::Device,
    pub(super) name: String,
    pub(super) format: cpal::SampleFormat,
    pub(super) config: cpal::StreamConfig,
}

/// The device that the configuration names, or the system's own choice.
pub(super) fn find(direction: Direction, config: &Config) -> Result<Found, AudioError> {
    // ALSA tells standard error about every device it does not find; here that is expected, and what
    // counts is in the error that is returned. The handler is this thread's, and replaces the one
    // that an earlier call left.
    #[cfg(target_os = "linux")]
    let _quiet = alsa::Output::local_error_handler();
    let kind = direction.kind();
    let host = cpal::default_host();
    let wanted = direction.wanted(config);
    let device = match wanted {
        None => match direction {
            Direction::In => host.default_input_device(),
            Direction::Out => host.default_output_device(),
        }
        .ok_or_else(|| AudioError::NoDevice { kind, cure: direction.without() })?,
        Some(wanted) => by_name(&host, direction, wanted)?,
    };
    let name = name_of(&device);
    let supported = match direction {
        Direction::In => device.default_input_config(),
        Direction::Out => device.default_output_config(),
    };
    let supported = supported.map_err(|error| match (error.kind(), wanted) {
        // The "default" of a machine without sound hardware is a name with nothing behind it.
        (
            cpal::ErrorKind::DeviceNotAvailable
            | cpal::ErrorKind::HostUnavailable
            | cpal::ErrorKind::UnsupportedOperation,
            None,
        ) => AudioError::NoDevice { kind, cure: direction.without() },
        _ => AudioError::Device { kind, name: name.clone(), reason: error.to_string() },
    })?;
    Ok(Found { device, name, format: supported.sample_format(), config: supported.config() })
}

fn name_of(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| device.to_string(), |d| d.name().to_owned())
}

/// A name as `name_of` tells it, or the identifier that the sound system uses.
fn by_name(
    host: &cpal::Host,
    direction: Direction,
    wanted: &str,
) -> Result<cpal::Device, AudioError> {
    let kind = direction.kind();
    let devices = host.devices().map_err(|error| AudioError::Device {
        kind,
        name: wanted.to_owned(),
        reason: error.to_string(),
    })?;
    let mut others = Vec::new();
    for device in devices {
        let usable = match direction {
            Direction::In => device.supports_input(),
            Direction::Out => device.supports_output(),
        };
        if !usable {
            continue;
        }
        let name = name_of(&device);
        let id = device.id().map(|id| id.id().to_owned()).unwrap_or_default();
        if name == wanted || id == wanted {
            return Ok(device);
        }
        others.push(format!("{name:?} ({id})"));
    }
    let cure = match others.is_empty() {
        true => format!(
            "{} names {wanted:?}, and no {kind} is connected at all: {}",
            direction.setting(),
            direction.without()
        ),
        false => format!(
            "{} names {wanted:?}, and connected are {}; name one of them or leave it out",
            direction.setting(),
            others.join(", ")
        ),
    };
    Err(AudioError::NoDevice { kind, cure })
}
