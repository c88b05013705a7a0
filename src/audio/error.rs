//! What can go wrong with sound, each with what to do about it.

/// What can go wrong with sound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The file or stream could not be opened or read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path as it was given, or the stream's name.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The path names a folder.
    #[error("{path} is a folder; give one recording")]
    Folder {
        /// The path as it was given.
        path: String,
    },
    /// The file or stream has no bytes at all.
    #[error("{path} is empty (0 bytes)")]
    Empty {
        /// The path as it was given, or the stream's name.
        path: String,
    },
    /// The bytes are in no format that can be decoded.
    #[error(
        "{path} is not a recording I can read: {reason}; give WAV, FLAC, MP3, OGG (Vorbis) or M4A"
    )]
    Format {
        /// The path as it was given.
        path: String,
        /// Why, in the decoder's words.
        reason: String,
    },
    /// A container without sound, such as a silent film.
    #[error("{path} has no sound track that I can decode: {reason}")]
    NoTrack {
        /// The path as it was given.
        path: String,
        /// What was found instead.
        reason: String,
    },
    /// The format is known, and nothing in it could be decoded.
    #[error("{path} holds no sound: {reason}")]
    NoSamples {
        /// The path as it was given, or the stream's name.
        path: String,
        /// What was found instead.
        reason: String,
    },
    /// A sample rate outside [`RATES`](super::RATES).
    #[error("{path}: a sample rate of {rate} Hz is outside 1 to 768000 Hz")]
    Rate {
        /// Where the rate was given.
        path: String,
        /// The rate in Hz.
        rate: u32,
    },
    /// No channels, or more than any microphone array has.
    #[error("{path}: {channels} channels are outside 1 to 64")]
    Channels {
        /// Where the number was given.
        path: String,
        /// The number of channels.
        channels: usize,
    },
    /// Samples of no width that is known.
    #[error("{path}: samples of {width} bytes are outside 1 to 4")]
    Width {
        /// Where the width was given.
        path: String,
        /// Bytes a sample.
        width: usize,
    },
    /// The resampler refused its settings or its buffers.
    #[error("cannot resample from {from} Hz to {to} Hz: {reason}")]
    Resample {
        /// The rate given, in Hz.
        from: u32,
        /// The rate wanted, in Hz.
        to: u32,
        /// Why.
        reason: String,
    },
    /// A WAV file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The path as it was given, or the stream's name.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// More sound than the 32-bit sizes of a WAV file can name.
    #[error("cannot write {path}: a WAV file ends at 4 GiB; write several files")]
    TooLong {
        /// The path as it was given.
        path: String,
    },
    /// There is no device of this kind, or none of this name.
    #[error("no {kind} found; {cure}")]
    NoDevice {
        /// `microphone` or `speaker`.
        kind: &'static str,
        /// What to do.
        cure: String,
    },
    /// The device is there and does not work.
    #[error("the {kind} {name:?} does not work: {reason}")]
    Device {
        /// `microphone` or `speaker`.
        kind: &'static str,
        /// The device's name.
        name: String,
        /// Why, in the sound system's words.
        reason: String,
    },
}
