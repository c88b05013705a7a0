//! G.711: the telephone's eight bits a sample (ITU-T G.711), μ-law and A-law.

/// Which of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum G711 {
    /// μ-law: North America, Japan, Twilio.
    Mu,
    /// A-law: Europe and the rest.
    A,
}

impl G711 {
    /// Bytes as samples.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let linear: fn(u8) -> i16 = match self {
            Self::Mu => from_mu,
            Self::A => from_a,
        };
        bytes.iter().map(|byte| f32::from(linear(*byte)) / 32_768.0).collect()
    }

    /// Samples (−1 to 1, what is beyond is clipped) as bytes.
    #[must_use]
    pub fn encode(self, samples: &[f32]) -> Vec<u8> {
        let code: fn(i16) -> u8 = match self {
            Self::Mu => to_mu,
            Self::A => to_a,
        };
        samples.iter().map(|sample| code(super::wav::to_i16(*sample))).collect()
    }
}

const MU_BIAS: i32 = 0x84;

fn from_mu(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = i32::from(byte >> 4 & 7);
    let size = (((i32::from(byte & 15) << 3) + MU_BIAS) << exponent) - MU_BIAS;
    // At most 32124.
    (if byte & 0x80 == 0 { size } else { -size }) as i16
}

fn to_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let size = i32::from(sample).abs().min(32_635) + MU_BIAS;
    // The bias sets bit 7 at least.
    let exponent = 24 - size.leading_zeros() as i32;
    !(sign | (exponent << 4) as u8 | (size >> (exponent + 3) & 15) as u8)
}

fn from_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (i32::from(byte >> 4 & 7), i32::from(byte & 15));
    let size = match exponent {
        0 => (mantissa << 4) + 8,
        exponent => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    // At most 32256; in A-law the bit that is set means above zero.
    (if byte & 0x80 == 0 { -size } else { size }) as i16
}

fn to_a(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let size = if sample < 0 { !i32::from(sample) } else { i32::from(sample) };
    let code = match size {
        0..256 => size >> 4,
        _ => {
            let exponent = 24 - size.leading_zeros() as i32;
            exponent << 4 | size >> (exponent + 3) & 15
        }
    };
    (sign | code as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // From the tables of the recommendation: silence and the extremes.
        assert_eq!(
            (from_mu(0xff), from_mu(0x7f), from_mu(0x80), from_mu(0x00)),
            (0, 0, 32_124, -32_124)
        );
        assert_eq!(
            (from_a(0xd5), from_a(0x55), from_a(0xaa), from_a(0x2a)),
            (8, -8, 32_256, -32_256)
        );
        assert_eq!((to_mu(0), to_a(0)), (0xff, 0xd5));
    }

    #[test]
    fn every_byte_comes_back_and_every_sample_comes_near() {
        for byte in 0..=255u8 {
            // μ-law has two zeros.
            if byte != 0x7f {
                assert_eq!(to_mu(from_mu(byte)), byte, "{byte:#x}");
            }
            assert_eq!(to_a(from_a(byte)), byte, "{byte:#x}");
        }
        for law in [G711::Mu, G711::A] {
            for sample in [-1.0f32, -0.5, -0.01, 0.0, 0.003, 0.2, 0.99] {
                let back = law.decode(&law.encode(&[sample]))[0];
                assert!(
                    (back - sample).abs() < sample.abs() / 16.0 + 0.001,
                    "{law:?} {sample} {back}"
                );
            }
        }
    }
}
