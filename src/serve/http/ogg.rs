//! Opus in Ogg (RFC 3533, RFC 7845), written while the sound is made.

use opusic_c::{Application, Bitrate, Channels, Encoder, SampleRate};

/// Milliseconds of a packet.
const PACKET_MS: u32 = 20;
/// Packets of a page: a fifth of a second, so that the first is heard soon.
const PAGE_PACKETS: usize = 10;
/// Opus counts time at this rate, whatever the sound's is.
const CLOCK: u32 = 48_000;
/// Bits a second: more than enough for one voice.
const BITRATE: u32 = 32_000;
/// The largest packet in bytes.
const LARGEST: usize = 1275;
/// The stream's number; a file has one stream.
const SERIAL: u32 = 0x6865_6172;

/// A stream of pages.
pub(super) struct OpusFile {
    encoder: Encoder,
    /// Samples of a packet.
    block: usize,
    rate: u32,
    waiting: Vec<f32>,
    packets: Vec<Vec<u8>>,
    /// Samples at [`CLOCK`] that the decoder drops at the beginning.
    skip: u64,
    /// Samples that came, at the sound's rate.
    came: u64,
    /// Samples at [`CLOCK`] in the packets so far.
    coded: u64,
    page: u32,
}

impl OpusFile {
    pub(super) fn new(rate: u32) -> Result<Self, String> {
        let known = match rate {
            16_000 => SampleRate::Hz16000,
            24_000 => SampleRate::Hz24000,
            48_000 => SampleRate::Hz48000,
            _ => return Err(format!("Opus has no rate of {rate} Hz")),
        };
        let mut encoder = Encoder::new(Channels::Mono, known, Application::Audio)
            .map_err(|e| format!("{e:?}"))?;
        encoder.set_bitrate(Bitrate::Value(BITRATE)).map_err(|e| format!("{e:?}"))?;
        let ahead = encoder.get_look_ahead().map_err(|e| format!("{e:?}"))?;
        Ok(Self {
            encoder,
            block: (rate * PACKET_MS / 1000) as usize,
            rate,
            waiting: Vec::new(),
            packets: Vec::new(),
            skip: u64::from(ahead * (CLOCK / rate)),
            came: 0,
            coded: 0,
            page: 0,
        })
    }

    /// Takes samples and gives the pages that became whole.
    pub(super) fn push(&mut self, samples: &[f32]) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        if self.page == 0 {
            let mut head = b"OpusHead\x01\x01".to_vec();
            head.extend_from_slice(&(self.skip as u16).to_le_bytes());
            head.extend_from_slice(&self.rate.to_le_bytes());
            head.extend_from_slice(&[0, 0, 0]);
            self.write(&[head], 0, 2, &mut bytes);
            let mut tags = b"OpusTags\x07\0\0\0hearken".to_vec();
            tags.extend_from_slice(&[0; 4]);
            self.write(&[tags], 0, 0, &mut bytes);
        }
        self.came += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let waiting = std::mem::take(&mut self.waiting);
        let mut blocks = waiting.chunks_exact(self.block);
        for block in &mut blocks {
            self.encode(block)?;
            if self.packets.len() == PAGE_PACKETS {
                let packets = std::mem::take(&mut self.packets);
                self.write(&packets, self.coded, 0, &mut bytes);
            }
        }
        self.waiting = blocks.remainder().to_vec();
        Ok(bytes)
    }

    fn encode(&mut self, block: &[f32]) -> Result<(), String> {
        let mut packet = vec![0; LARGEST];
        let length =
            self.encoder.encode_float_to_slice(block, &mut packet).map_err(|e| format!("{e:?}"))?;
        packet.truncate(length);
        self.packets.push(packet);
        self.coded += u64::from(CLOCK * PACKET_MS / 1000);
        Ok(())
    }

    /// The last page. Its time says where the sound really ends.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        let end = self.skip + self.came * u64::from(CLOCK / self.rate);
        let mut bytes = Vec::new();
        // What the encoder looks ahead comes out when silence goes in.
        while self.coded < end || self.packets.is_empty() {
            let mut block = std::mem::take(&mut self.waiting);
            block.resize(self.block, 0.0);
            self.encode(&block)?;
            if self.packets.len() == PAGE_PACKETS && self.coded < end {
                let packets = std::mem::take(&mut self.packets);
                self.write(&packets, self.coded, 0, &mut bytes);
            }
        }
        let packets = std::mem::take(&mut self.packets);
        self.write(&packets, end, 4, &mut bytes);
        Ok(bytes)
    }

    /// Writes one page. `flags`: 2 is the first of the stream, 4 the last.
    fn write(&mut self, packets: &[Vec<u8>], time: u64, flags: u8, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"OggS\0");
        out.push(flags);
        out.extend_from_slice(&time.to_le_bytes());
        out.extend_from_slice(&SERIAL.to_le_bytes());
        out.extend_from_slice(&self.page.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        // A packet's length is a row of 255s and what is left. Ten packets of 1275 make 60 of at most
        // 255 numbers.
        let mut lacing = Vec::new();
        for packet in packets {
            lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
            lacing.push((packet.len() % 255) as u8);
        }
        out.push(lacing.len() as u8);
        out.extend_from_slice(&lacing);
        packets.iter().for_each(|packet| out.extend_from_slice(packet));
        let sum = checksum(&out[start..]);
        out[start + 22..start + 26].copy_from_slice(&sum.to_le_bytes());
        self.page += 1;
    }
}

/// Ogg's checksum: CRC-32 with the polynomial 0x04c11db7, not reflected, beginning at 0.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| match sum & 0x8000_0000 {
            0 => sum << 1,
            _ => (sum << 1) ^ 0x04c1_1db7,
        })
    })
}

#[cfg(test)]
mod tests {
    use opusic_c::Decoder;

    use super::*;

    /// Pages as a reader takes them apart: flags, time, packets.
    fn pages(mut bytes: &[u8]) -> Vec<(u8, u64, Vec<Vec<u8>>)> {
        let mut pages = Vec::new();
        while !bytes.is_empty() {
            assert_eq!(&bytes[..5], b"OggS\0");
            let lacing = &bytes[27..27 + usize::from(bytes[26])];
            let length = 27 + lacing.len() + lacing.iter().map(|n| usize::from(*n)).sum::<usize>();
            let mut page = bytes[..length].to_vec();
            let sum = u32::from_le_bytes(page[22..26].try_into().unwrap());
            page[22..26].fill(0);
            assert_eq!(sum, checksum(&page));
            let (mut at, mut packets, mut size) = (27 + lacing.len(), Vec::new(), 0);
            for n in lacing {
                size += usize::from(*n);
                if *n < 255 {
                    packets.push(bytes[at..at + size].to_vec());
                    at += size;
                    size = 0;
                }
            }
            pages.push((bytes[5], u64::from_le_bytes(bytes[6..14].try_into().unwrap()), packets));
            bytes = &bytes[length..];
        }
        pages
    }

    #[test]
    fn what_is_written_is_the_sound_with_its_length() {
        let mut file = OpusFile::new(24_000).unwrap();
        let skip = file.skip;
        let tone: Vec<f32> = (0..24_123).map(|i| (i as f32 * 0.1).sin() * 0.5).collect();
        let mut bytes = Vec::new();
        for piece in tone.chunks(777) {
            bytes.extend(file.push(piece).unwrap());
        }
        bytes.extend(file.finish().unwrap());
        let pages = pages(&bytes);
        assert_eq!((pages[0].0, &pages[0].2[0][..8]), (2, &b"OpusHead"[..]));
        assert_eq!(&pages[1].2[0][..8], b"OpusTags");
        let (flags, time, _) = pages[pages.len() - 1];
        assert_eq!((flags, time), (4, skip + 2 * 24_123));
        let mut decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000).unwrap();
        let mut samples = Vec::new();
        for packet in pages[2..].iter().flat_map(|page| &page.2) {
            let mut out = vec![0.0; 5760];
            let n = decoder.decode_float_to_slice(packet, &mut out, false).unwrap();
            samples.extend_from_slice(&out[..n]);
        }
        assert!(samples.len() as u64 >= time);
        let middle = &samples[9600..38_400];
        let rms = (middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32).sqrt();
        assert!((0.3..0.4).contains(&rms), "{rms}");
    }
}
