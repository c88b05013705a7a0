//! Asterisk's AudioSocket: TCP, each message a kind, a length of two bytes and that many bytes.
//!
//! `same => n,AudioSocket(40325ec2-5efd-4bd3-805f-53576e581d13,127.0.0.1:9092)` in a dialplan.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::super::{House, WRITE_LIMIT};
use super::{Call, Task};
use crate::audio::from_s16le;
use crate::audio::to_s16le;

const HANGUP: u8 = 0x00;
/// Signed 16-bit little-endian at 8 kHz.
const SOUND: u8 = 0x10;
const ERROR: u8 = 0xff;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packet {
    kind: u8,
    bytes: Bytes,
}

/// The next message that is whole. A length has two bytes, so a message is never large.
fn next(buffer: &mut BytesMut) -> Option<Packet> {
    let (kind, length) = match buffer[..] {
        [kind, high, low, ..] => (kind, usize::from(u16::from_be_bytes([high, low]))),
        _ => return None,
    };
    if buffer.len() < 3 + length {
        return None;
    }
    let bytes = buffer.split_to(3 + length).freeze().slice(3..);
    Some(Packet { kind, bytes })
}

/// How many bytes the next message has, once it is whole.
#[cfg(feature = "fuzzing")]
pub(in super::super) fn length_of_next(buffer: &mut BytesMut) -> Option<usize> {
    next(buffer).map(|packet| packet.bytes.len())
}

fn message(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut message = vec![kind];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&bytes[..usize::from(length)]);
    message
}

/// Serves one call to its end.
pub(in super::super) async fn serve<S>(mut stream: S, house: &Arc<House>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    if let Err(reason) = talk(&mut stream, house).await {
        tracing::debug!(reason, "a call ends");
    }
    let _ = tokio::time::timeout(WRITE_LIMIT, async {
        stream.write_all(&message(HANGUP, &[])).await?;
        stream.shutdown().await
    })
    .await;
}

/// Tells a caller that the house is full.
pub(in super::super) async fn refuse<S: AsyncWrite + Unpin>(mut stream: S) {
    let _ = tokio::time::timeout(WRITE_LIMIT, async {
        stream.write_all(&message(ERROR, &[0x08])).await?;
        stream.write_all(&message(HANGUP, &[])).await?;
        stream.shutdown().await
    })
    .await;
}

async fn talk<S>(stream: &mut S, house: &Arc<House>) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut call = Call::begin(house, to_s16le).await.map_err(|error| error.to_string())?;
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    let mut buffer = BytesMut::new();
    loop {
        while let Some(packet) = next(&mut buffer) {
            match packet.kind {
                SOUND => call.hear(&from_s16le(&packet.bytes)).map_err(|e| e.to_string())?,
                HANGUP | ERROR => return Ok(()),
                // The call's number, and keys that were pressed.
                _ => {}
            }
        }
        let idle = (Instant::now() + house.idle()).min(end);
        buffer.reserve(4096);
        tokio::select! {
            read = stream.read_buf(&mut buffer), if !call.is_behind() => {
                if read.map_err(|e| e.to_string())? == 0 {
                    return Ok(());
                }
            }
            task = call.next() => match task.map_err(|e| e.to_string())? {
                Task::Send(bytes) => {
                    let bytes = message(SOUND, &bytes);
                    match tokio::time::timeout(WRITE_LIMIT, stream.write_all(&bytes)).await {
                        Ok(Ok(())) => {}
                        _ => return Err("the call takes nothing".into()),
                    }
                }
                // What was sent is a tenth of a second; it cannot be taken back.
                Task::Clear | Task::Said(_) => {}
                Task::End => return Ok(()),
            },
            () = house.stop.cancelled(), if !call.is_speaking() => return Ok(()),
            () = tokio::time::sleep_until(idle), if !call.is_speaking() => {
                return Err("nothing came for too long".into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_split_gives_the_same(
            messages in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..5),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|(kind, bytes)| message(*kind, bytes)).collect();
            let wanted: Vec<Packet> = messages
                .iter()
                .map(|(kind, bytes)| Packet { kind: *kind, bytes: bytes.clone().into() })
                .collect();
            for at in 0..=bytes.len() {
                let (mut buffer, mut got) = (BytesMut::new(), Vec::new());
                for half in [&bytes[..at], &bytes[at..]] {
                    buffer.extend_from_slice(half);
                    got.extend(std::iter::from_fn(|| next(&mut buffer)));
                }
                prop_assert_eq!(&got, &wanted);
                prop_assert!(buffer.is_empty());
            }
        }
    }
}
