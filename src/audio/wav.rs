//! WAV out: mono, 16 bit.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec};

use super::{AudioError, RATES};

/// The most samples whose bytes, with the header, a 32-bit size can name.
const MOST_SAMPLES: u64 = (u32::MAX as u64 - 64) / 2;

/// Writes mono samples as a 16-bit WAV file or stream.
///
/// A file appears under its name only when [`finish`](Self::finish) has succeeded: until then it has
/// a temporary name beside it, and a broken run leaves nothing that looks whole. A stream, which
/// cannot go back to write its length, carries the header that means "until the end".
///
/// ```
/// use hearken::audio::{WavWriter, read_mono_16k};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("tone.wav");
/// let mut wav = WavWriter::create(&path, 16_000)?;
/// wav.push(&[0.5; 1600])?;
/// assert!(!path.exists());
/// wav.finish()?;
/// assert_eq!(read_mono_16k(&path)?.len(), 1600);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WavWriter {
    to: Target,
    name: String,
    rate: u32,
    samples: u64,
    /// What is written next, kept so that its memory is taken once.
    bytes: Vec<u8>,
}

enum Target {
    /// hound counts the samples and writes them into the header at the end.
    File {
        wav: hound::WavWriter<BufWriter<File>>,
        temporary: tempfile::TempPath,
        path: PathBuf,
    },
    Stream(Box<dyn Write + Send>),
}

impl std::fmt::Debug for WavWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WavWriter")
            .field("to", &self.name)
            .field("rate", &self.rate)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

fn spec(rate: u32) -> WavSpec {
    WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    }
}

/// One sample as WAV holds it. What is not a number is silence.
pub(super) fn to_i16(sample: f32) -> i16 {
    // A cast from NaN gives 0.
    (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16
}

fn write_error(path: &str, source: impl Into<std::io::Error>) -> AudioError {
    AudioError::Write { path: path.into(), source: source.into() }
}

fn hound_error(path: &str, error: hound::Error) -> AudioError {
    match error {
        hound::Error::IoError(source) => write_error(path, source),
        other => write_error(path, std::io::Error::other(other)),
    }
}

impl WavWriter {
    /// Begins a file at `rate` Hz. A path that is there and no plain file, such as a pipe or
    /// `/dev/stdout`, is written as a stream.
    ///
    /// # Errors
    /// When the folder is missing or not writable, the path names a folder, or the rate is outside
    /// [`RATES`].
    pub fn create(path: impl AsRef<Path>, rate: u32) -> Result<Self, AudioError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        if let Ok(found) = std::fs::metadata(path) {
            if found.is_dir() {
                return Err(AudioError::Folder { path: name });
            }
            if !found.is_file() {
                let file = File::options().write(true).open(path);
                let file = file.map_err(|e| write_error(&name, e))?;
                return Self::stream(file, &name, rate);
            }
        }
        check_rate(&name, rate)?;
        // What a link points to is replaced, never the link (think of `/dev/stdout`).
        let real = match path.is_symlink() {
            true => path.canonicalize().map_err(|e| write_error(&name, e))?,
            false => path.to_owned(),
        };
        let path = real.as_path();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hearken-").suffix(".wav.part");
        #[cfg(unix)]
        {
            // As any new file; the process's umask takes away what it wants.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        if !folder.is_dir() {
            let reason = format!("there is no folder {}; create it first", folder.display());
            return Err(write_error(&name, std::io::Error::new(ErrorKind::NotFound, reason)));
        }
        // The whole error would name the temporary file, of which nobody knows.
        let temporary = builder.tempfile_in(folder).map_err(|e| write_error(&name, e.kind()))?;
        let (file, temporary) = temporary.into_parts();
        let wav = hound::WavWriter::new(BufWriter::new(file), spec(rate))
            .map_err(|e| hound_error(&name, e))?;
        let to = Target::File { wav, temporary, path: path.to_owned() };
        Ok(Self { to, name, rate, samples: 0, bytes: Vec::new() })
    }

    /// Begins a stream at `rate` Hz on anything that takes bytes; `name` stands in errors.
    ///
    /// # Errors
    /// When the header cannot be written or the rate is outside [`RATES`].
    pub fn stream(
        to: impl Write + Send + 'static,
        name: &str,
        rate: u32,
    ) -> Result<Self, AudioError> {
        check_rate(name, rate)?;
        let mut to: Box<dyn Write + Send> = Box::new(to);
        to.write_all(&spec(rate).into_header_for_infinite_file())
            .map_err(|e| write_error(name, e))?;
        let to = Target::Stream(to);
        Ok(Self { to, name: name.into(), rate, samples: 0, bytes: Vec::new() })
    }

    /// The sample rate in Hz.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples written so far.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Writes samples; those beyond −1 and 1 are clipped, what is not a number is silence. A stream is
    /// flushed, so that who listens hears them at once.
    ///
    /// # Errors
    /// When the disk is full, the pipe is closed, or a file passes 4 GiB.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        match &mut self.to {
            Target::File { wav, .. } => {
                if self.samples + samples.len() as u64 > MOST_SAMPLES {
                    return Err(AudioError::TooLong { path: self.name.clone() });
                }
                for &sample in samples {
                    wav.write_sample(to_i16(sample)).map_err(|e| hound_error(&self.name, e))?;
                }
            }
            Target::Stream(to) => {
                self.bytes.clear();
                self.bytes.extend(samples.iter().flat_map(|&s| to_i16(s).to_le_bytes()));
                to.write_all(&self.bytes)
                    .and_then(|()| to.flush())
                    .map_err(|e| write_error(&self.name, e))?;
            }
        }
        self.samples += samples.len() as u64;
        Ok(())
    }

    /// Completes the file and gives it its name; returns how many samples it holds.
    ///
    /// # Errors
    /// When the rest cannot be written or the name cannot be given; then no file is left.
    pub fn finish(self) -> Result<u64, AudioError> {
        match self.to {
            Target::File { wav, temporary, path } => {
                wav.finalize().map_err(|e| hound_error(&self.name, e))?;
                temporary.persist(&path).map_err(|e| write_error(&self.name, e.error))?;
            }
            Target::Stream(mut to) => to.flush().map_err(|e| write_error(&self.name, e))?,
        }
        Ok(self.samples)
    }
}

fn check_rate(path: &str, rate: u32) -> Result<(), AudioError> {
    match RATES.contains(&rate) {
        true => Ok(()),
        false => Err(AudioError::Rate { path: path.into(), rate }),
    }
}

/// A WAV file that is finished when it is dropped, for where nobody can be told of an error any more:
/// then the log is.
#[derive(Debug)]
pub struct WavLog(Option<WavWriter>);

impl WavLog {
    /// Begins a file; see [`WavWriter::create`].
    ///
    /// # Errors
    /// As there.
    pub fn create(path: impl AsRef<Path>, rate: u32) -> Result<Self, AudioError> {
        Ok(Self(Some(WavWriter::create(path, rate)?)))
    }

    /// Appends samples.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        self.0.as_mut().map_or(Ok(()), |wav| wav.push(samples))
    }
}

impl Drop for WavLog {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(WavWriter::finish) {
            tracing::error!(%error, "a recording could not be finished");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A writer that keeps what it is given and can be made to fail.
    #[derive(Clone, Default)]
    struct Pipe {
        bytes: Arc<Mutex<Vec<u8>>>,
        closed: bool,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.closed {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            self.bytes.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_holds_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let mut wav = WavWriter::create(&path, 22_050).unwrap();
        wav.push(&[0.0, 1.0, -1.0, 2.0, -2.0, f32::NAN, 0.5]).unwrap();
        assert_eq!(wav.finish().unwrap(), 7);
        let mut read = hound::WavReader::open(&path).unwrap();
        assert_eq!(read.spec(), spec(22_050));
        let samples: Vec<i16> = read.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 32_767, -32_767, 32_767, -32_767, 0, 16_384]);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let mut wav = WavWriter::create(&path, 16_000).unwrap();
        wav.push(&[0.1; 1000]).unwrap();
        drop(wav);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, "old").unwrap();
        let mut wav = WavWriter::create(&path, 16_000).unwrap();
        wav.push(&[0.1; 10]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        wav.finish().unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 10);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_a_device_is_a_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.wav"), folder.path().join("link.wav"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [link.as_path(), Path::new("/dev/null")] {
            let mut wav = WavWriter::create(path, 16_000).unwrap();
            wav.push(&[0.1; 10]).unwrap();
            assert_eq!(wav.finish().unwrap(), 10);
        }
        assert!(link.is_symlink());
        assert_eq!(hound::WavReader::open(&file).unwrap().duration(), 10);
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }

    #[test]
    fn a_stream_needs_no_seeking() {
        let pipe = Pipe::default();
        let mut wav = WavWriter::stream(pipe.clone(), "standard output", 16_000).unwrap();
        wav.push(&[0.5, -0.5]).unwrap();
        wav.finish().unwrap();
        let bytes = pipe.bytes.lock().unwrap();
        assert_eq!(&bytes[..4], b"RIFF");
        assert_eq!(&bytes[bytes.len() - 4..], [0x00, 0x40, 0x00, 0xc0]);
    }

    #[test]
    fn bad_targets_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/folder/a.wav");
        let cases = [
            (WavWriter::create(folder.path(), 16_000), "is a folder"),
            (WavWriter::create(&missing, 16_000), "no/such/folder; create it first"),
            (WavWriter::create(folder.path().join("a.wav"), 0), "0 Hz"),
            (WavWriter::stream(Pipe { closed: true, ..Pipe::default() }, "out", 1), "out"),
        ];
        for (result, part) in cases {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
