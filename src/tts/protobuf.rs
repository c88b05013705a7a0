//! The few parts of Protocol Buffers' wire format (protobuf.dev, "Encoding") that a network's file is made of.

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// Its number in the message's definition.
    pub(super) number: u64,
    /// The whole field as it stands in the message, to be copied.
    pub(super) raw: &'a [u8],
    /// What it holds.
    pub(super) value: Value<'a>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A whole number.
    Number(u64),
    /// A string, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Something that nobody asks for here.
    Other,
}

impl<'a> Field<'a> {
    /// The string it holds, if it is one.
    pub(super) fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The bytes it holds, if it holds bytes.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The fields of a message, none when it is no message.
pub(super) fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let mut rest = message;
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut rest)?),
            1 => {
                rest = rest.get(8..)?;
                Value::Other
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Value::Bytes(bytes)
            }
            5 => {
                rest = rest.get(4..)?;
                Value::Other
            }
            _ => return None,
        };
        let raw = message.get(..message.len() - rest.len())?;
        fields.push(Field { number: tag >> 3, raw, value });
        message = rest;
    }
    Some(fields)
}

/// Takes a number of variable length.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Adds the field `number` that holds `bytes`.
pub(super) fn put(message: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(message, number << 3 | 2);
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

/// Adds the field `number` that holds `value`.
pub(super) fn put_number(message: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(message, number << 3);
    put_varint(message, value);
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let mut message = Vec::new();
        put_number(&mut message, 3, 300);
        put(&mut message, 20, b"light");
        let read = fields(&message).unwrap();
        assert!(matches!(read[0], Field { number: 3, value: Value::Number(300), .. }));
        assert_eq!((read[1].number, read[1].text()), (20, Some("light")));
        assert_eq!(read.iter().flat_map(|f| f.raw).copied().collect::<Vec<u8>>(), message);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = fields(&bytes);
        }
    }
}
