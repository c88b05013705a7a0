//! A checkpoint as the writer sees it: a shape, a vocabulary, and tensors to read in pieces.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use half::{bf16, f16};

use crate::models::ModelError;

/// A number format of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    F32,
    F16,
    Bf16,
}

impl Dtype {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// Where a tensor lies; its data has been checked to lie inside the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    /// Index into [`Checkpoint::files`].
    pub(super) file: usize,
    /// Bytes from the beginning of the file.
    pub(super) offset: u64,
    pub(super) dtype: Dtype,
    /// Outermost first.
    pub(super) shape: Vec<u64>,
}

impl Stored {
    pub(super) fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// The `part`-th of `of` equal slices along the first dimension.
    pub(super) fn slice(&self, part: u64, of: u64) -> Option<Self> {
        let rows = *self.shape.first()?;
        if of == 0 || part >= of || !rows.is_multiple_of(of) {
            return None;
        }
        let mut shape = self.shape.clone();
        shape[0] = rows / of;
        let skipped = self.elements() / of * part;
        Some(Self { offset: self.offset + skipped * self.dtype.bytes(), shape, ..*self })
    }
}

/// The numbers that make one Whisper another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) vocabulary: u64,
    pub(super) audio_positions: u64,
    pub(super) width: u64,
    pub(super) heads: u64,
    pub(super) audio_layers: u64,
    pub(super) text_positions: u64,
    pub(super) text_layers: u64,
    pub(super) mels: u64,
}

impl Shape {
    /// whisper.cpp tells it by the size of the vocabulary.
    pub(super) fn multilingual(&self) -> bool {
        self.vocabulary >= 51_865
    }

    /// The first number that no Whisper has.
    pub(super) fn problem(&self) -> Option<String> {
        let limits = [
            ("vocabulary size", self.vocabulary, 1, 1 << 20),
            ("audio positions", self.audio_positions, 1, 1 << 14),
            ("width", self.width, 1, 1 << 14),
            ("number of heads", self.heads, 1, 1 << 10),
            ("number of encoder layers", self.audio_layers, 1, 1 << 10),
            ("text positions", self.text_positions, 1, 1 << 14),
            ("number of decoder layers", self.text_layers, 1, 1 << 10),
            ("number of mel bands", self.mels, 1, 1 << 9),
        ];
        for (what, value, low, high) in limits {
            if value < low || value > high {
                return Some(format!("its {what} is {value}; a Whisper has {low} to {high}"));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return Some(format!(
                "its width {} cannot be divided among {} heads",
                self.width, self.heads
            ));
        }
        None
    }
}

/// A checkpoint, opened and checked.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) files: Vec<(PathBuf, File)>,
    pub(super) shape: Shape,
    /// The ordinary tokens by id, as raw bytes.
    pub(super) tokens: Vec<Vec<u8>>,
    /// Every tensor that the writer needs, by its ggml name, in no order.
    pub(super) tensors: std::collections::HashMap<String, Stored>,
}

impl Checkpoint {
    pub(super) fn path_of(&self, stored: &Stored) -> &Path {
        self.files.get(stored.file).map_or(Path::new("?"), |(path, _)| path)
    }

    /// Hands the values of a tensor to `each` as f32, `step` at a time (the last may be shorter).
    pub(super) fn read(
        &self,
        stored: &Stored,
        step: usize,
        mut each: impl FnMut(&[f32]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let Some((path, file)) = self.files.get(stored.file) else { return Ok(()) };
        let mut file = file;
        file.seek(SeekFrom::Start(stored.offset)).map_err(ModelError::io("read", path))?;
        let size = stored.dtype.bytes() as usize;
        let mut raw = vec![0; step * size];
        let mut values = vec![0.0; step];
        let mut left = stored.elements();
        while left > 0 {
            let n = left.min(step as u64) as usize;
            let raw = &mut raw[..n * size];
            file.read_exact(raw).map_err(ModelError::io("read", path))?;
            decode(raw, stored.dtype, &mut values[..n]);
            each(&values[..n])?;
            left -= n as u64;
        }
        Ok(())
    }
}

fn decode(raw: &[u8], dtype: Dtype, values: &mut [f32]) {
    match dtype {
        Dtype::F32 => {
            for (v, b) in values.iter_mut().zip(raw.as_chunks().0) {
                *v = f32::from_le_bytes(*b);
            }
        }
        Dtype::F16 => {
            for (v, b) in values.iter_mut().zip(raw.as_chunks().0) {
                *v = f16::from_le_bytes(*b).to_f32();
            }
        }
        Dtype::Bf16 => {
            for (v, b) in values.iter_mut().zip(raw.as_chunks().0) {
                *v = bf16::from_le_bytes(*b).to_f32();
            }
        }
    }
}
