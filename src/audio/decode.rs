//! Recordings of every usual format, decoded as they are read.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

use super::source::Intake;
use super::{AudioError, Source};

/// Damaged packets in a row after which a file is given up.
const MOST_BAD_PACKETS: u32 = 100;

/// A recording (WAV, FLAC, MP3, OGG or WebM with Vorbis or Opus, M4A with AAC or ALAC, AIFF, MKV; any sample format,
/// rate and number of channels), decoded as it is read: memory does not grow with its length.
///
/// A file that is cut off or damaged gives what can be decoded, with a warning in the log.
pub struct FileSource {
    path: String,
    format: Box<dyn FormatReader>,
    decoder: Codec,
    track: u32,
    /// Made with the first packet, since only that tells some formats' rate.
    intake: Option<Intake>,
    interleaved: Vec<f32>,
    /// Samples of what was decoded while opening.
    ahead: Vec<f32>,
    duration: Option<Duration>,
    /// The file's size, where it is a file.
    bytes: Option<u64>,
    /// Samples per channel that the container promises, and those that came.
    promised: Option<u64>,
    came: u64,
    bad_packets: u32,
    last_error: Option<String>,
    ended: bool,
}

/// What a track is decoded by.
enum Codec {
    Symphonia(Box<dyn AudioDecoder>),
    /// Symphonia reads its containers, and has no decoder for it.
    Opus(Opus),
}

impl Codec {
    /// Decodes a packet to interleaved samples: how many for each channel, their rate in Hz, and the channels. An
    /// error comes with whether there is no hope for the next packet either.
    fn decode(
        &mut self,
        packet: &Packet,
        interleaved: &mut Vec<f32>,
    ) -> Result<(usize, u32, usize), (String, bool)> {
        match self {
            Self::Symphonia(decoder) => {
                let decoded = decoder.decode(packet).map_err(|error| {
                    let hopeless = !matches!(error, Error::DecodeError(_) | Error::IoError(_));
                    (in_words(&error), hopeless)
                })?;
                decoded.copy_to_vec_interleaved(interleaved);
                Ok((decoded.frames(), decoded.spec().rate(), decoded.num_planes()))
            }
            Self::Opus(opus) => {
                let frames = opus.decode(packet, interleaved).map_err(|reason| (reason, false))?;
                Ok((frames, Opus::RATE, 1))
            }
        }
    }
}

/// Opus by libopus, which mixes two channels down by itself.
struct Opus {
    decoder: opusic_c::Decoder,
    /// Samples that belong to the encoder's start, still to be dropped.
    skip: usize,
}

impl Opus {
    const RATE: u32 = 48_000;
    /// The longest packet has 120 ms.
    const LONGEST: usize = Self::RATE as usize * 120 / 1000;

    fn new(channels: usize, skip: u32) -> Result<Self, String> {
        if channels > 2 {
            return Err(format!("Opus in {channels} channels; mix it down to one or two"));
        }
        let decoder =
            opusic_c::Decoder::new(opusic_c::Channels::Mono, opusic_c::SampleRate::Hz48000);
        let decoder = decoder.map_err(|error| format!("Opus: {error:?}"))?;
        Ok(Self { decoder, skip: skip as usize })
    }

    fn decode(&mut self, packet: &Packet, samples: &mut Vec<f32>) -> Result<usize, String> {
        samples.clear();
        // Nothing would ask libopus to invent what was lost.
        if packet.data.is_empty() {
            return Ok(0);
        }
        self.decoder
            .decode_float_to_vec(&packet.data, samples, Self::LONGEST, false)
            .map_err(|error| format!("Opus: {error:?}"))?;
        let skipped = self.skip.min(samples.len());
        samples.drain(..skipped);
        self.skip -= skipped;
        Ok(samples.len())
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource")
            .field("path", &self.path)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

impl FileSource {
    /// Opens a recording and decodes its beginning, so that a file which holds no sound is refused
    /// here and not in the middle of the work.
    ///
    /// # Errors
    /// When the file is missing, empty, a folder, in no known format, or without a decodable sample.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        let file = path.as_ref();
        let path = file.display().to_string();
        let read_error = |source| AudioError::Read { path: path.clone(), source };
        let found = std::fs::metadata(file).map_err(read_error)?;
        if found.is_dir() {
            return Err(AudioError::Folder { path });
        }
        if found.is_file() && found.len() == 0 {
            return Err(AudioError::Empty { path });
        }
        let opened = File::open(file).map_err(read_error)?;
        let mut hint = Hint::new();
        if let Some(extension) = file.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(Box::new(opened), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| AudioError::Format { path: path.clone(), reason: in_words(&error) })?;
        let no_track = |reason: String| AudioError::NoTrack { path: path.clone(), reason };
        let name = format.format_info().long_name;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(|| no_track(format!("{name} with {} tracks", format.tracks().len())))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
            .ok_or_else(|| no_track(format!("{name} does not say how it is coded")))?;
        // Asked for before decoding, so that a silly number is named instead of a codec failing on it.
        if let (Some(rate), Some(channels)) = (parameters.sample_rate, &parameters.channels) {
            Intake::new(&path, rate, channels.count())?;
        }
        let decoder = match parameters.codec {
            CODEC_ID_OPUS => {
                let channels = parameters.channels.as_ref().map_or(1, |own| own.count());
                let opus = Opus::new(channels, track.delay.unwrap_or(0));
                Codec::Opus(opus.map_err(|reason| no_track(format!("{name} with {reason}")))?)
            }
            _ => symphonia::default::get_codecs()
                .make_audio_decoder(parameters, &AudioDecoderOptions::default())
                .map(Codec::Symphonia)
                .map_err(|error| no_track(format!("{name}: {}", in_words(&error))))?,
        };
        let (track_id, duration, promised) = (track.id, duration_of(track), track.num_frames);
        let mut source = Self {
            path,
            format,
            decoder,
            track: track_id,
            intake: None,
            interleaved: Vec::new(),
            ahead: Vec::new(),
            duration,
            bytes: found.is_file().then_some(found.len()),
            promised,
            came: 0,
            bad_packets: 0,
            last_error: None,
            ended: false,
        };
        let mut ahead = Vec::new();
        source.decode(&mut ahead)?;
        source.ahead = ahead;
        Ok(source)
    }

    /// Appends what at least one more packet decodes to, or ends.
    fn decode(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let before = out.len();
        while out.len() == before && !self.ended {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.end(out),
                // A chained stream goes on with another set of tracks; this one is over.
                Err(Error::ResetRequired) => return self.end(out),
                Err(error) => {
                    self.last_error = Some(in_words(&error));
                    return self.end(out);
                }
            };
            match self.decoder.decode(&packet, &mut self.interleaved) {
                Ok((frames, rate, channels)) => {
                    self.bad_packets = 0;
                    self.came += frames as u64;
                    if frames > 0 {
                        self.take(rate, channels, out)?;
                    }
                }
                Err((reason, hopeless)) => {
                    self.last_error = Some(reason);
                    self.bad_packets += 1;
                    if hopeless || self.bad_packets >= MOST_BAD_PACKETS {
                        return self.end(out);
                    }
                }
            }
        }
        Ok(())
    }

    /// Feeds the interleaved samples to an intake of their rate and channels, which may change inside
    /// a file.
    fn take(&mut self, rate: u32, channels: usize, out: &mut Vec<f32>) -> Result<(), AudioError> {
        if let Some(intake) = self.intake.as_mut().filter(|intake| !intake.takes(rate, channels)) {
            intake.finish(&self.path, out)?;
            self.intake = None;
        }
        let intake = match &mut self.intake {
            Some(intake) => intake,
            none => none.insert(Intake::new(&self.path, rate, channels)?),
        };
        intake.push(&self.interleaved, out)
    }

    fn end(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.ended = true;
        if let Some(mut intake) = self.intake.take() {
            intake.finish(&self.path, out)?;
        }
        if self.came == 0 {
            let reason = self.last_error.take().unwrap_or_else(|| match self.bytes {
                // More than any header: a recorder that was switched off leaves such files.
                Some(bytes) if bytes > 4096 => {
                    format!("0 samples by its header, which {bytes} bytes belie; repair it")
                }
                _ => "0 samples".into(),
            });
            return Err(AudioError::NoSamples { path: self.path.clone(), reason });
        }
        if let Some(reason) = &self.last_error {
            tracing::warn!(path = self.path, reason, "the recording is damaged; kept what decodes");
        } else if let Some(promised) = self.promised.filter(|&promised| promised > self.came) {
            tracing::warn!(
                path = self.path,
                promised,
                came = self.came,
                "the recording is shorter than it says; kept what is there"
            );
        }
        Ok(())
    }
}

impl Source for FileSource {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
        let before = out.len();
        match self.ahead.is_empty() {
            true => self.decode(out)?,
            false => out.append(&mut self.ahead),
        }
        Ok(out.len() - before)
    }

    fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

fn duration_of(track: &Track) -> Option<Duration> {
    let base = track.time_base?;
    let ticks = match (track.duration, track.num_frames) {
        (Some(duration), _) => duration.get(),
        (None, Some(frames)) => frames,
        (None, None) => return None,
    };
    let time = base.calc_time(Timestamp::new(i64::try_from(ticks).ok()?))?;
    Duration::try_from_secs_f64(time.as_secs_f64()).ok()
}

/// The decoder's error in words that a user can do something with.
fn in_words(error: &Error) -> String {
    match error {
        Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends in the middle".into()
        }
        // What the probe says when no reader claims the bytes.
        Error::Unsupported("core (probe): no suitable format reader found") => {
            "its bytes are in no known format".into()
        }
        // The index of an M4A file often stands at its end.
        Error::Unsupported("isomp4: missing moov atom") => {
            "its index is missing, so it was probably cut off".into()
        }
        other => other.to_string(),
    }
}

/// A whole recording as mono samples at [`SAMPLE_RATE`](super::SAMPLE_RATE).
///
/// # Errors
/// As for [`FileSource::open`].
pub fn read_mono_16k(path: impl AsRef<Path>) -> Result<Vec<f32>, AudioError> {
    let mut source = FileSource::open(path)?;
    let mut samples = Vec::new();
    while source.read(&mut samples)? > 0 {}
    Ok(samples)
}
