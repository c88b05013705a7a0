#![no_main]

use hearken::remote::{Decoder, Event};

/// What comes in two parts is what comes whole, and what was read can be written and read again.
fn decode(parts: &[&[u8]]) -> Option<Vec<Event>> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for part in parts {
        decoder.buffer().extend_from_slice(part);
        while let Some(event) = decoder.next().ok()? {
            events.push(event);
        }
    }
    Some(events)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let whole = decode(&[bytes]);
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    assert_eq!(whole, decode(&[head, tail]));
    for event in whole.unwrap_or_default() {
        assert_eq!(decode(&[&event.encode()]), Some(vec![event]));
    }
});
