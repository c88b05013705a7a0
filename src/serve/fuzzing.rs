//! Entries for `fuzz/`: each takes bytes as a client of one wire might send them. None may panic, and
//! what must hold is checked.

use bytes::BytesMut;
use serde_json::Value;

use super::realtime;
use super::telephony::audiosocket;
use super::xiaozhi;

/// AudioSocket's messages.
pub fn audiosocket(bytes: &[u8]) {
    let read = |parts: &[&[u8]]| {
        let (mut buffer, mut count, mut size) = (BytesMut::new(), 0, 0);
        for part in parts {
            buffer.extend_from_slice(part);
            while let Some(length) = audiosocket::length_of_next(&mut buffer) {
                (count, size) = (count + 1, size + length);
            }
        }
        (count, size, buffer.len())
    };
    let (head, tail) = bytes.split_at(bytes.len() / 3);
    assert_eq!(read(&[bytes]), read(&[head, tail]));
}

/// A XiaoZhi device's packets: the first byte chooses the version.
pub fn xiaozhi(bytes: &[u8]) {
    if let [version, message @ ..] = bytes {
        xiaozhi::unwrap_and_decode(u64::from(version % 3) + 1, message);
    }
}

/// A Realtime session: each line is an event.
pub fn realtime(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').take(100);
    let events = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    realtime::play(events.filter(Value::is_object));
}
