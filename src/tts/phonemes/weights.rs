//! The small networks inside the binary: how they are stored and the two sums they are made of.
//!
//! A file (made by scripts/pronunciation-data.py) is gzipped: one line of JSON that names the inputs,
//! the classes and the tensors, and then each tensor as a scale and a row of 8-bit values at a time.

use std::collections::HashMap;
use std::io::Read;

use serde::Deserialize;

#[derive(Deserialize)]
struct Header {
    inputs: Vec<String>,
    classes: Vec<String>,
    tensors: Vec<(String, usize, usize)>,
}

/// A matrix in row order.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// Row `i`; an empty row where there is none.
    pub(super) fn row(&self, i: usize) -> &[f32] {
        self.values.get(i * self.columns..(i + 1) * self.columns).unwrap_or_default()
    }

    /// `self · x + bias`.
    pub(super) fn times(&self, x: &[f32], bias: &Self) -> Vec<f32> {
        self.values
            .chunks_exact(self.columns.max(1))
            .zip(&bias.values)
            .map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + b)
            .collect()
    }
}

/// A network's symbols and weights.
#[derive(Debug, Default)]
pub(super) struct Weights {
    pub(super) inputs: HashMap<String, usize>,
    pub(super) classes: Vec<String>,
    tensors: HashMap<String, Matrix>,
}

impl Weights {
    /// Reads a network; `None` when the bytes are not one.
    pub(super) fn read(gzipped: &[u8]) -> Option<Self> {
        let data = inflate(gzipped)?;
        let line = data.iter().position(|b| *b == b'\n')?;
        let header: Header = serde_json::from_slice(data.get(..line)?).ok()?;
        let mut rest = data.get(line + 1..)?;
        let mut tensors = HashMap::new();
        for (name, rows, columns) in header.tensors {
            let (scales, values) =
                (rest.get(..rows * 4)?, rest.get(rows * 4..rows * (4 + columns))?);
            rest = rest.get(rows * (4 + columns)..)?;
            let mut matrix = Matrix { columns, values: Vec::with_capacity(values.len()) };
            for (scale, row) in scales.chunks_exact(4).zip(values.chunks_exact(columns.max(1))) {
                let scale = f32::from_le_bytes(scale.try_into().ok()?);
                matrix.values.extend(row.iter().map(|v| f32::from(v.cast_signed()) * scale));
            }
            tensors.insert(name, matrix);
        }
        let inputs = header.inputs.into_iter().enumerate().map(|(i, s)| (s, i)).collect();
        Some(Self { inputs, classes: header.classes, tensors })
    }

    /// Takes a tensor out; empty when the file has none of that name.
    pub(super) fn take(&mut self, name: &str) -> Matrix {
        self.tensors.remove(name).unwrap_or_default()
    }
}

/// Undoes gzip; `None` when the bytes are damaged.
pub(super) fn inflate(gzipped: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    flate2::read::GzDecoder::new(gzipped).read_to_end(&mut data).ok()?;
    Some(data)
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Index of the largest value; 0 for an empty slice.
pub(super) fn argmax(values: &[f32]) -> usize {
    values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_data_is_no_network() {
        assert!(Weights::read(b"").is_none());
        assert!(Weights::read(include_bytes!("data/phrases.gz")).is_none());
        let good = include_bytes!("data/polyphones.gz");
        assert!(Weights::read(good).is_some());
        assert!(Weights::read(&good[..good.len() / 2]).is_none());
    }
}
