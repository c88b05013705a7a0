//! Writes and checks whisper.cpp's model files.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;

use super::checkpoint::{Checkpoint, Stored};
use super::quantize::BLOCK;
use super::{mel, names};
use crate::models::ModelError;
use crate::models::catalogue::Quantize;

/// The first four bytes of a file, little endian.
pub(super) const MAGIC: u32 = 0x6767_6d6c;

/// Values that are read and written at once.
const PIECE: usize = 64 * 1024;

/// How a tensor is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    F32,
    F16,
    Blocks(Quantize),
}

impl Form {
    fn number(self) -> i32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Blocks(q) => q.tensor_type(),
        }
    }

    /// What whisper.cpp expects: vectors and positions in full, convolutions in 16 bits, the large
    /// matrices as the file says.
    fn of(name: &str, shape: &[u64], quantize: Option<Quantize>) -> Self {
        let conv_bias = matches!(name, "encoder.conv1.bias" | "encoder.conv2.bias");
        if shape.len() == 1 || conv_bias || name.ends_with("positional_embedding") {
            return Self::F32;
        }
        match quantize {
            Some(q) if shape.len() == 2 => Self::Blocks(q),
            _ => Self::F16,
        }
    }
}

/// Writes a checkpoint; `path` is where it goes, for messages.
///
/// # Errors
/// When a tensor cannot be read, holds a value that is no number, or cannot be quantised.
pub(super) fn write(
    c: &Checkpoint,
    quantize: Option<Quantize>,
    out: &mut impl Write,
    path: &Path,
) -> Result<(), ModelError> {
    let s = &c.shape;
    let mut head: Vec<u8> = MAGIC.to_le_bytes().to_vec();
    let file_type = quantize.map_or(1, Quantize::file_type);
    for number in [
        s.vocabulary,
        s.audio_positions,
        s.width,
        s.heads,
        s.audio_layers,
        s.text_positions,
        s.width,
        s.heads,
        s.text_layers,
        s.mels,
        file_type as u64,
        s.mels,
        mel::BINS as u64,
    ] {
        head.extend((number as i32).to_le_bytes());
    }
    for value in mel::filters(s.mels as usize) {
        head.extend(value.to_le_bytes());
    }
    head.extend((c.tokens.len() as i32).to_le_bytes());
    for token in &c.tokens {
        head.extend((token.len() as u32).to_le_bytes());
        head.extend(token);
    }
    out.write_all(&head).map_err(ModelError::io("write", path))?;
    for wanted in names::wanted(s) {
        // The readers have put every wanted tensor there.
        if let Some(stored) = c.tensors.get(&wanted.name) {
            tensor(c, &wanted.name, stored, quantize, out, path)?;
        }
    }
    Ok(())
}

fn tensor(
    c: &Checkpoint,
    name: &str,
    stored: &Stored,
    quantize: Option<Quantize>,
    out: &mut impl Write,
    path: &Path,
) -> Result<(), ModelError> {
    let form = Form::of(name, &stored.shape, quantize);
    let fail = |reason: String| ModelError::Import { path: c.path_of(stored).to_owned(), reason };
    let row = stored.shape.last().copied().unwrap_or(0);
    if matches!(form, Form::Blocks(_)) && !row.is_multiple_of(BLOCK as u64) {
        return Err(fail(format!(
            "the tensor {name} has rows of {row} values, which cannot be quantised in blocks of {BLOCK}; leave --quantize out"
        )));
    }
    let mut head = Vec::new();
    for number in [stored.shape.len() as i32, name.len() as i32, form.number()] {
        head.extend(number.to_le_bytes());
    }
    for &dimension in stored.shape.iter().rev() {
        head.extend((dimension as i32).to_le_bytes());
    }
    head.extend(name.as_bytes());
    out.write_all(&head).map_err(ModelError::io("write", path))?;
    let mut raw = Vec::with_capacity(PIECE * 4);
    c.read(stored, PIECE, |values| {
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(fail(format!(
                "the tensor {name} holds the value {bad}; the model is broken"
            )));
        }
        raw.clear();
        match form {
            Form::F32 => raw.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Form::F16 => {
                for v in values {
                    let half = f16::from_f32(*v);
                    if half.is_infinite() {
                        return Err(fail(format!(
                            "the tensor {name} holds the value {v}, which does not fit 16 bits"
                        )));
                    }
                    raw.extend(half.to_le_bytes());
                }
            }
            Form::Blocks(q) => {
                values.as_chunks().0.iter().for_each(|block| q.push(block, &mut raw))
            }
        }
        out.write_all(&raw).map_err(ModelError::io("write", path))
    })
}

/// Reads a ggml file for import: whether every length in it fits, and whether it is multilingual.
///
/// # Errors
/// When the file is cut short, damaged, or not a Whisper.
pub(super) fn check(path: &Path) -> Result<bool, ModelError> {
    let fail = |reason: String| ModelError::Import { path: path.to_owned(), reason };
    let file = File::open(path).map_err(ModelError::io("open", path))?;
    let length = file.metadata().map_err(ModelError::io("read", path))?.len();
    let mut r = Walk { file: BufReader::new(file), at: 0, length };
    if r.i32().map(|n| n as u32) != Some(MAGIC) {
        return Err(fail("is not a ggml file".into()));
    }
    let ends = |what: &str| {
        fail(format!("ends too early, or is damaged, in {what}; it has {length} bytes"))
    };
    let mut numbers = [0; 13];
    for n in &mut numbers {
        *n = r.i32().ok_or_else(|| ends("the header"))?;
    }
    let [
        vocabulary,
        audio,
        width,
        heads,
        layers,
        text,
        _,
        _,
        text_layers,
        mels,
        _,
        filter_rows,
        bins,
    ] = numbers.map(|n| u64::try_from(n).unwrap_or(0));
    let shape = super::checkpoint::Shape {
        vocabulary,
        audio_positions: audio,
        width,
        heads,
        audio_layers: layers,
        text_positions: text,
        text_layers,
        mels,
    };
    if let Some(reason) = shape.problem() {
        return Err(fail(reason));
    }
    if filter_rows != mels || bins != mel::BINS as u64 {
        return Err(fail(format!(
            "its mel filters are {filter_rows} × {bins}; a Whisper has {mels} × {}",
            mel::BINS
        )));
    }
    r.skip(filter_rows * bins * 4).ok_or_else(|| ends("the mel filters"))?;
    let tokens =
        r.i32().and_then(|n| u64::try_from(n).ok()).ok_or_else(|| ends("the vocabulary"))?;
    if tokens > vocabulary {
        return Err(fail(format!("holds {tokens} tokens and has room for {vocabulary}")));
    }
    for _ in 0..tokens {
        let bytes = r.i32().and_then(|n| u64::try_from(n).ok());
        bytes.and_then(|n| r.skip(n)).ok_or_else(|| ends("the vocabulary"))?;
    }
    let mut missing: std::collections::BTreeSet<String> =
        names::wanted(&shape).into_iter().map(|w| w.name).collect();
    while r.at < length {
        let name = one_tensor(&mut r).ok_or_else(|| ends("a tensor"))?;
        missing.remove(&name);
    }
    match missing.first() {
        None => Ok(shape.multilingual()),
        Some(name) => Err(fail(format!("has no tensor {name}; it is not a whole Whisper"))),
    }
}

/// Bytes of one block and values in it, of ggml's tensor types that whisper.cpp writes.
fn block_of(number: i32) -> Option<(u64, u64)> {
    Some(match number {
        0 => (4, 1),
        1 | 30 => (2, 1),
        2 => (18, 32),
        3 => (20, 32),
        6 => (22, 32),
        7 => (24, 32),
        8 => (34, 32),
        10 => (84, 256),
        11 => (110, 256),
        12 => (144, 256),
        13 => (176, 256),
        14 => (210, 256),
        _ => return None,
    })
}

fn one_tensor(r: &mut Walk) -> Option<String> {
    let rank = r.i32()?;
    let name_length = r.i32()?;
    let (bytes, values) = block_of(r.i32()?)?;
    if !(1..=4).contains(&rank) || !(1..=256).contains(&name_length) {
        return None;
    }
    let mut elements = 1_u64;
    for _ in 0..rank {
        elements = elements.checked_mul(u64::try_from(r.i32()?).ok()?)?;
    }
    let mut name = vec![0; name_length as usize];
    r.fill(&mut name)?;
    r.skip((elements / values).checked_mul(bytes)?)?;
    String::from_utf8(name).ok()
}

/// Walks over a file without reading its data.
struct Walk {
    file: BufReader<File>,
    at: u64,
    length: u64,
}

impl Walk {
    fn fill(&mut self, raw: &mut [u8]) -> Option<()> {
        self.file.read_exact(raw).ok()?;
        self.at += raw.len() as u64;
        Some(())
    }

    fn i32(&mut self) -> Option<i32> {
        let mut raw = [0; 4];
        self.fill(&mut raw)?;
        Some(i32::from_le_bytes(raw))
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        if bytes > self.length - self.at {
            return None;
        }
        self.at += bytes;
        if bytes <= i64::MAX as u64 && self.file.seek_relative(bytes as i64).is_ok() {
            return Some(());
        }
        self.file.seek(SeekFrom::Start(self.at)).ok().map(|_| ())
    }
}
