//! Sound: frames, decoding, resampling, WAV files, the microphone and the speaker.
//!
//! The only room that names `symphonia`, `rubato`, `hound`, `cpal` and `rtrb`. Everything that leaves
//! it is mono `f32` between −1 and 1; inside the core always at [`SAMPLE_RATE`].

mod capture;
mod clean;
mod decode;
mod device;
mod error;
mod frame;
mod g711;
mod pcm;
mod playback;
mod player;
mod resample;
mod source;
mod steady;
mod wav;

use serde::{Deserialize, Serialize};

pub use capture::Microphone;
pub use clean::Cleaner;
pub use decode::{FileSource, read_mono_16k};
pub use device::{Device, devices};
pub use error::AudioError;
pub use frame::{FRAME_SAMPLES, Frame, Framer, SAMPLE_RATE, SampleTime};
pub use g711::G711;
pub use pcm::{PcmIntake, from_s16le, mono_from_s16le, resampled, to_s16le};
pub use playback::{FarEnd, Hold, Speaker};
pub use player::{FarEnds, Played, Player};
pub use resample::{RATES, Resampler};
pub use source::{MAX_CHANNELS, RawSource, Source};
pub use steady::{OpenSource, Steady};
pub use wav::{WavLog, WavWriter};

/// Settings of this room, `[audio]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The microphone's name or identifier; the system's own choice when absent. `null` is silence and
    /// `file:PATH` a recording, at the speed of a real one.
    pub input: Option<String>,
    /// The speaker's name or identifier; the system's own choice when absent. `null` is nowhere and
    /// `file:PATH` a WAV file, at the speed of a real one.
    pub output: Option<String>,
    /// Whether what the speaker plays is taken out of what the microphone hears.
    pub echo_cancelling: bool,
    /// Whether steady noise is taken out. Recognisers trained on noise understand less without it.
    pub noise_suppression: bool,
    /// Whether quiet voices are made louder.
    pub gain_control: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            input: None,
            output: None,
            echo_cancelling: true,
            noise_suppression: false,
            gain_control: false,
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        [("input", &self.input), ("output", &self.output)]
            .into_iter()
            .filter(|(_, device)| device.as_ref().is_some_and(|name| name.trim().is_empty()))
            .map(|(name, _)| {
                format!(
                    "audio.{name}: is empty; name a device, or leave it out for the system's own"
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_device_name_is_a_problem() {
        assert!(Config::default().problems().is_empty());
        let config =
            Config { input: Some(" ".into()), output: Some("Speaker".into()), ..Config::default() };
        assert_eq!(config.problems().len(), 1);
        assert!(config.problems()[0].starts_with("audio.input"));
    }
}
