//! ggml's block formats: 32 values share a scale.

use half::f16;

use crate::models::catalogue::Quantize;

/// Values in a block.
pub(super) const BLOCK: usize = 32;

impl Quantize {
    /// ggml's number of the tensor type.
    pub(super) fn tensor_type(self) -> i32 {
        match self {
            Self::Q8_0 => 8,
            Self::Q5_1 => 7,
        }
    }

    /// whisper.cpp's number of the file type: version 2 of the formats, times 1000.
    pub(super) fn file_type(self) -> i32 {
        match self {
            Self::Q8_0 => 2_007,
            Self::Q5_1 => 2_009,
        }
    }

    /// Appends one block. Values that are not finite are an error of the caller's.
    pub(super) fn push(self, block: &[f32; BLOCK], out: &mut Vec<u8>) {
        match self {
            Self::Q8_0 => q8_0(block, out),
            Self::Q5_1 => q5_1(block, out),
        }
    }
}

/// A signed byte times the scale; the scale makes the largest value 127.
fn q8_0(block: &[f32; BLOCK], out: &mut Vec<u8>) {
    let largest = block.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    out.extend(f16::from_f32(scale).to_le_bytes());
    out.extend(block.iter().map(|v| (v * inverse).round() as i8 as u8));
}

/// Five bits times the scale, plus the smallest value; the fifth bits stand together in front.
fn q5_1(block: &[f32; BLOCK], out: &mut Vec<u8>) {
    let (low, high) =
        block.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let scale = (high - low) / 31.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    out.extend(f16::from_f32(scale).to_le_bytes());
    out.extend(f16::from_f32(low).to_le_bytes());
    let step = |v: f32| (((v - low) * inverse + 0.5) as u8).min(31);
    let (mut fifth, mut rest) = (0_u32, [0_u8; BLOCK / 2]);
    for (j, byte) in rest.iter_mut().enumerate() {
        let (a, b) = (step(block[j]), step(block[j + BLOCK / 2]));
        *byte = (a & 15) | (b & 15) << 4;
        fifth |= u32::from(a >> 4) << j | u32::from(b >> 4) << (j + BLOCK / 2);
    }
    out.extend(fifth.to_le_bytes());
    out.extend(rest);
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{BLOCK, Quantize};
    use half::f16;

    /// Bytes of one block.
    pub(crate) fn block_bytes(kind: Quantize) -> usize {
        match kind {
            Quantize::Q8_0 => 2 + BLOCK,
            Quantize::Q5_1 => 2 + 2 + 4 + BLOCK / 2,
        }
    }

    /// The values that a block stands for.
    pub(crate) fn unpack(kind: Quantize, block: &[u8]) -> Vec<f32> {
        let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
        match kind {
            Quantize::Q8_0 => block[2..].iter().map(|&b| f32::from(b as i8) * half(0)).collect(),
            Quantize::Q5_1 => {
                let fifth = u32::from_le_bytes(block[4..8].try_into().unwrap());
                (0..BLOCK)
                    .map(|i| {
                        let byte = block[8 + i % 16];
                        let low = if i < 16 { byte & 15 } else { byte >> 4 };
                        let five = u32::from(low) | (fifth >> i & 1) << 4;
                        five as f32 * half(0) + half(2)
                    })
                    .collect()
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_come_back_within_half_a_step(values in prop::array::uniform32(-4.0_f32..4.0)) {
            let span = |f: fn(f32, f32) -> f32, from| values.iter().copied().fold(from, f);
            let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            let range = span(f32::max, f32::MIN) - span(f32::min, f32::MAX);
            // Half a step, and what the 16-bit scale and offset add.
            let allowed = [
                (Quantize::Q8_0, largest / 127.0 * 0.5 + largest * 6e-4),
                (Quantize::Q5_1, range / 31.0 * 0.5 + (range + largest) * 6e-4),
            ];
            for (kind, allowed) in allowed {
                let mut block = Vec::new();
                kind.push(&values, &mut block);
                prop_assert_eq!(block.len(), block_bytes(kind));
                for (a, b) in values.iter().zip(unpack(kind, &block)) {
                    prop_assert!((a - b).abs() <= allowed, "{:?}: {} became {}, allowed {}", kind, a, b, allowed);
                }
            }
        }
    }

    #[test]
    fn a_block_of_zeros_stays_zero() {
        for kind in [Quantize::Q8_0, Quantize::Q5_1] {
            let mut block = Vec::new();
            kind.push(&[0.0; BLOCK], &mut block);
            assert!(unpack(kind, &block).iter().all(|&v| v == 0.0));
        }
    }
}
