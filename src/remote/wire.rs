//! How Wyoming events stand on the wire.
//!
//! One line of JSON, then as many bytes of JSON as its `data_length` says, then as many of anything as
//! its `payload_length` says. What the second JSON says wins over `data` in the line. Lengths are looked
//! at before memory is taken.

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value};

/// The longest line. What is longer belongs into the data block.
pub const LONGEST_LINE: usize = 64 * 1024;
/// The longest data block in bytes.
pub const LONGEST_DATA: usize = 1024 * 1024;
/// The longest payload in bytes: two minutes of 16 kHz.
pub const LONGEST_PAYLOAD: usize = 4 * 1024 * 1024;
/// What we say that we speak.
const VERSION: &str = "1.9.0";

/// One event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    /// Its type, such as `audio-chunk`.
    pub kind: String,
    /// Its data.
    pub data: Map<String, Value>,
    /// Its payload; empty for most.
    pub payload: Bytes,
}

impl Event {
    /// An event without data.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }

    /// A text in the data; none where it is absent, null or no text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str()
    }

    /// A number in the data.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.data.get(key)?.as_u64()
    }

    /// The event as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut header = Map::new();
        header.insert("type".into(), self.kind.as_str().into());
        header.insert("version".into(), VERSION.into());
        // Writing into memory cannot fail, and neither can names and values that are JSON already.
        let data = match self.data.is_empty() {
            true => Vec::new(),
            false => serde_json::to_vec(&self.data).unwrap_or_default(),
        };
        if !data.is_empty() {
            header.insert("data_length".into(), data.len().into());
        }
        if !self.payload.is_empty() {
            header.insert("payload_length".into(), self.payload.len().into());
        }
        let mut bytes = serde_json::to_vec(&header).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&data);
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Why bytes are no Wyoming. The connection cannot go on: nobody knows where the next event begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The line is too long.
    #[error("a header of more than {LONGEST_LINE} bytes; put what is long into the data block")]
    Line,
    /// The line or the data is no JSON object.
    #[error("the {part} of an event is no JSON object: {reason}")]
    Json {
        /// `header` or `data`.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// The line has no type.
    #[error("an event without a type")]
    NoType,
    /// A length that is no number, or too large.
    #[error("{part} of {length} is not between 0 and {limit} bytes")]
    Length {
        /// `data_length` or `payload_length`.
        part: &'static str,
        /// As it was given.
        length: String,
        /// The most there may be.
        limit: usize,
    },
}

/// Takes bytes and gives events.
///
/// ```
/// use hearken::remote::{Decoder, Event};
///
/// let mut decoder = Decoder::default();
/// let bytes = Event::new("ping").with("text", "hi").encode();
/// decoder.buffer().extend_from_slice(&bytes[..5]);
/// assert_eq!(decoder.next()?, None);
/// decoder.buffer().extend_from_slice(&bytes[5..]);
/// assert_eq!(decoder.next()?.and_then(|e| e.text("text").map(str::to_owned)), Some("hi".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: BytesMut,
    /// How much of the line has been searched for its end.
    searched: usize,
    header: Option<Header>,
}

#[derive(Debug)]
struct Header {
    kind: String,
    data: Map<String, Value>,
    data_length: usize,
    payload_length: usize,
}

impl Decoder {
    /// Where arriving bytes are put. Fill it and call [`next`](Self::next) until that gives nothing.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// Whether the bytes end in the middle of an event.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.header.is_some() || !self.bytes.is_empty()
    }

    /// The next event that is whole; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are no Wyoming; then no later call makes sense.
    #[allow(clippy::should_implement_trait, reason = "more may come after None")]
    pub fn next(&mut self) -> Result<Option<Event>, WireError> {
        if self.header.is_none() {
            let unsearched = &self.bytes[self.searched..];
            let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.bytes.len();
                return if self.searched > LONGEST_LINE { Err(WireError::Line) } else { Ok(None) };
            };
            let end = self.searched + end;
            if end > LONGEST_LINE {
                return Err(WireError::Line);
            }
            let line = self.bytes.split_to(end + 1);
            self.searched = 0;
            self.header = Some(header(&line)?);
        }
        let need = self.header.as_ref().map_or(0, |h| h.data_length + h.payload_length);
        if self.bytes.len() < need {
            // Once for the whole event; the lengths have been looked at.
            self.bytes.reserve(need - self.bytes.len());
            return Ok(None);
        }
        let Some(mut header) = self.header.take() else { return Ok(None) };
        if header.data_length > 0 {
            let block = self.bytes.split_to(header.data_length);
            header.data.extend(object("data", &block)?);
        }
        let payload = self.bytes.split_to(header.payload_length).freeze();
        if self.bytes.is_empty() {
            // A large event is no reason to keep a large buffer.
            self.bytes = BytesMut::new();
        }
        Ok(Some(Event { kind: header.kind, data: header.data, payload }))
    }
}

fn object(part: &'static str, bytes: &[u8]) -> Result<Map<String, Value>, WireError> {
    let error = |reason: String| WireError::Json { part, reason };
    serde_json::from_slice(bytes).map_err(|e| error(e.to_string()))
}

fn header(line: &[u8]) -> Result<Header, WireError> {
    let mut fields = object("header", line)?;
    let Some(Value::String(kind)) = fields.remove("type") else { return Err(WireError::NoType) };
    let length = |part: &'static str, limit: usize| match fields.get(part) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => value
            .as_u64()
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= limit)
            .ok_or_else(|| WireError::Length { part, length: short(value), limit }),
    };
    let data_length = length("data_length", LONGEST_DATA)?;
    let payload_length = length("payload_length", LONGEST_PAYLOAD)?;
    let data = match fields.remove("data") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(data)) => data,
        Some(other) => {
            return Err(WireError::Json {
                part: "data",
                reason: format!("it is {}", short(&other)),
            });
        }
    };
    Ok(Header { kind, data, data_length, payload_length })
}

/// A value as an error may show it.
fn short(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Result<Vec<Event>, WireError> {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(event) = decoder.next()? {
            events.push(event);
        }
        Ok(events)
    }

    fn one(bytes: &[u8]) -> Event {
        let mut events = decode(bytes).unwrap();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    #[test]
    fn what_the_reference_writes_is_read() {
        let chunk = b"{\"type\": \"audio-chunk\", \"version\": \"1.9.0\", \"data_length\": 61, \"payload_length\": 4}\n{\"rate\": 16000, \"width\": 2, \"channels\": 1, \"timestamp\": null}\x01\x02\x03\x04";
        let event = one(chunk);
        assert_eq!((event.kind.as_str(), &event.payload[..]), ("audio-chunk", &[1, 2, 3, 4][..]));
        assert_eq!((event.number("rate"), event.number("timestamp")), (Some(16_000), None));
        let text = "{\"type\": \"transcript\", \"version\": \"1.9.0\", \"data_length\": 48}\n{\"text\": \"打开客厅的灯\", \"language\": \"zh\"}";
        assert_eq!(one(text.as_bytes()).text("text"), Some("打开客厅的灯"));
        assert_eq!(
            one(b"{\"type\": \"describe\", \"version\": \"1.9.0\"}\n"),
            Event::new("describe")
        );
    }

    #[test]
    fn what_others_write_is_read_too() {
        for (bytes, kind, text) in [
            (&b"{\"type\":\"a\",\"data\":{\"text\":\"x\"}}\r\n"[..], "a", Some("x")),
            (
                b"{\"type\":\"a\",\"data\":{\"text\":\"x\"},\"data_length\":13}\n{\"text\":\"yy\"}",
                "a",
                Some("yy"),
            ),
            (
                b"{\"type\":\"a\",\"data\":null,\"data_length\":0,\"payload_length\":null}\n",
                "a",
                None,
            ),
            (
                b"{\"type\":\"unheard-of\",\"payload_length\":3,\"more\":[1]}\nabc",
                "unheard-of",
                None,
            ),
        ] {
            let event = one(bytes);
            assert_eq!((event.kind.as_str(), event.text("text")), (kind, text));
        }
    }

    #[test]
    fn what_we_write_has_lengths_in_bytes_and_no_empty_block() {
        let bytes = Event::new("transcript").with("text", "打开").encode();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            text,
            "{\"type\":\"transcript\",\"version\":\"1.9.0\",\"data_length\":17}\n{\"text\":\"打开\"}"
        );
        assert_eq!(Event::new("played").encode(), b"{\"type\":\"played\",\"version\":\"1.9.0\"}\n");
    }

    #[test]
    fn nonsense_is_named_and_takes_no_memory() {
        for (bytes, part) in [
            (&b"\x00\x00\x00\x05hello\n"[..], "no JSON"),
            (b"[1]\n", "no JSON object"),
            (b"{\"kind\":1}\n", "without a type"),
            (b"{\"type\":\"a\",\"data_length\":-1}\n", "data_length of -1"),
            (b"{\"type\":\"a\",\"data_length\":1e99}\n", "data_length of 1e"),
            (b"{\"type\":\"a\",\"payload_length\":99999999999}\n", "payload_length of 99999999999"),
            (b"{\"type\":\"a\",\"payload_length\":\"7\"}\n", "payload_length of \"7\""),
            (b"{\"type\":\"a\",\"data\":7}\n", "it is 7"),
            (b"{\"type\":\"a\",\"data_length\":3}\n[1]", "no JSON object"),
            (b"{\"type\":\"\xff\"}\n", "no JSON"),
            (&vec![b' '; LONGEST_LINE + 1][..], "header of more"),
        ] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    }

    proptest! {
        #[test]
        fn every_split_gives_the_same(
            kinds in prop::collection::vec("[a-z-]{1,12}", 1..4),
            text in any::<String>(),
            payload in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let events: Vec<Event> = kinds.iter().map(|kind| Event {
                payload: payload.clone().into(),
                ..Event::new(kind).with("text", text.as_str())
            }).collect();
            let bytes: Vec<u8> = events.iter().flat_map(Event::encode).collect();
            for at in 0..=bytes.len() {
                let mut decoder = Decoder::default();
                let mut got = Vec::new();
                for half in [&bytes[..at], &bytes[at..]] {
                    decoder.buffer().extend_from_slice(half);
                    while let Some(event) = decoder.next().unwrap() {
                        got.push(event);
                    }
                }
                prop_assert_eq!(&got, &events);
                prop_assert!(!decoder.is_inside());
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
            let mut line = b"{\"type\":\"a\"".to_vec();
            line.extend(&bytes);
            line.push(b'\n');
            let _ = decode(&line);
        }
    }
}
