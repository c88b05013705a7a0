//! Sound: frames, decoding, resampling, WAV files, the microphone and the speaker.
//!
//! The only room that names `symphonia`, `rubato`, `hound`, `cpal` and `rtrb`. Everything that leaves
//! it is mono `f32` between −1 and 1; inside the core always at [`SAMPLE_RATE`].

mod frame;

pub use frame::{FRAME_SAMPLES, Frame, Framer, SAMPLE_RATE, SampleTime};

/// What can go wrong with sound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The file could not be opened or read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path as it was given.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
