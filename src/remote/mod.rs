//! Engines on other machines: whatever recognises or speaks over Wyoming can stand in for ours.
//!
//! `model = "tcp://HOST:10300"` under `[asr]`, and `en = "tcp://HOST:10200/VOICE"` under
//! `[tts.voices]`, are all that is needed. Each utterance, and each text, has a connection of its own,
//! as Home Assistant does it. [`Event`] and [`Decoder`] are the wire, which our own doors speak too.

mod recogniser;
mod voice;
mod wire;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use recogniser::RemoteRecogniser;
pub use voice::RemoteVoice;
pub use wire::{Decoder, Event, LONGEST_DATA, LONGEST_LINE, LONGEST_PAYLOAD, WireError};

/// How long connecting, or writing one event, may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the other side may be silent while we wait for what it makes.
const SILENCE: Duration = Duration::from_secs(15);
/// How often who waits looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What can go wrong with an engine on another machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// An address that is none.
    #[error(
        "{given:?} is no address of a Wyoming server; write one such as \"tcp://192.168.1.5:10300\""
    )]
    Address {
        /// As it was given.
        given: String,
    },
    /// Nobody answers there.
    #[error(
        "cannot reach {address}: {reason}; is the server running, and may it be reached from here?"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// The connection broke off.
    #[error("{address} broke off: {reason}")]
    Broke {
        /// Where.
        address: String,
        /// How.
        reason: String,
    },
    /// It says nothing any more.
    #[error("{address} said nothing for {seconds} s")]
    Silent {
        /// Where.
        address: String,
        /// For how long it was waited.
        seconds: u64,
    },
    /// It cannot do what is asked.
    #[error("{address} has {what}; `describe` tells what it can do")]
    Lacks {
        /// Where.
        address: String,
        /// What it has not.
        what: String,
    },
    /// It says that it failed.
    #[error("{address} failed: {reason}")]
    Failed {
        /// Where.
        address: String,
        /// Its words.
        reason: String,
    },
    /// It is too busy. Ask again after a moment.
    #[error("{address} is busy: {reason}")]
    Busy {
        /// Where.
        address: String,
        /// Its words.
        reason: String,
    },
}

/// Whether a model or a voice is named by an address, and so lives on another machine.
#[must_use]
pub fn is_address(name: &str) -> bool {
    name.starts_with("tcp://")
}

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    /// Host and port.
    host: String,
    /// The model or the voice there; none leaves the choice to the server.
    name: Option<String>,
}

impl Address {
    fn parse(given: &str) -> Result<Self, RemoteError> {
        let wrong = || RemoteError::Address { given: given.chars().take(100).collect() };
        let rest = given.strip_prefix("tcp://").ok_or_else(wrong)?;
        let (host, name) = rest.split_once('/').map_or((rest, ""), |(host, name)| (host, name));
        let port = host.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        port.and_then(|(_, port)| port.parse::<u16>().ok()).ok_or_else(wrong)?;
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Ok(Self { host: host.to_owned(), name })
    }

    /// Asks the server there whether it has any programs of a kind (`asr`, `tts`), called `what`, and
    /// among their offers the one that is named. `offers` is how the wire calls all, and we one.
    fn must_have(
        &self,
        kind: &str,
        what: &str,
        (offers, one): (&str, &str),
    ) -> Result<(), RemoteError> {
        let programs = Line::dial(self)?.programs(kind)?;
        let lacks = |what: String| RemoteError::Lacks { address: self.host.clone(), what };
        if programs.is_empty() {
            return Err(lacks(format!("no {what}")));
        }
        match &self.name {
            Some(name) if !names(&programs, offers).contains(name) => {
                Err(lacks(format!("no {one} {name:?}")))
            }
            _ => Ok(()),
        }
    }
}

/// A connection to an engine.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    decoder: Decoder,
    address: String,
}

impl Line {
    fn dial(address: &Address) -> Result<Self, RemoteError> {
        let unreachable =
            |reason: String| RemoteError::Unreachable { address: address.host.clone(), reason };
        let found =
            address.host.to_socket_addrs().map_err(|error| unreachable(error.to_string()))?;
        let mut why = unreachable("the name has no address".into());
        for one in found {
            match TcpStream::connect_timeout(&one, CONNECT) {
                Ok(stream) => {
                    let set = || {
                        stream.set_nodelay(true)?;
                        stream.set_write_timeout(Some(CONNECT))?;
                        stream.set_read_timeout(Some(LOOK_EVERY))
                    };
                    set().map_err(|error: std::io::Error| unreachable(error.to_string()))?;
                    return Ok(Self {
                        stream,
                        decoder: Decoder::default(),
                        address: address.host.clone(),
                    });
                }
                Err(error) => why = unreachable(error.to_string()),
            }
        }
        Err(why)
    }

    fn broke(&self, reason: &dyn ToString) -> RemoteError {
        RemoteError::Broke { address: self.address.clone(), reason: reason.to_string() }
    }

    fn send(&mut self, event: &Event) -> Result<(), RemoteError> {
        self.stream.write_all(&event.encode()).map_err(|error| self.broke(&error))
    }

    /// The next event; none once it is not wanted any more. An `error` event is an error.
    fn receive(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<Event>, RemoteError> {
        let until = Instant::now() + SILENCE;
        let mut bytes = [0; 16 * 1024];
        loop {
            if let Some(event) = self.decoder.next().map_err(|error| self.broke(&error))? {
                if event.kind != "error" {
                    return Ok(Some(event));
                }
                let reason: String =
                    event.text("text").unwrap_or("without a reason").chars().take(300).collect();
                let address = self.address.clone();
                return Err(match event.text("code") {
                    Some("busy") => RemoteError::Busy { address, reason },
                    _ => RemoteError::Failed { address, reason },
                });
            }
            if stop() {
                return Ok(None);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(self.broke(&"it closed the connection")),
                Ok(read) => self.decoder.buffer().extend_from_slice(&bytes[..read]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    if Instant::now() >= until {
                        let address = self.address.clone();
                        return Err(RemoteError::Silent { address, seconds: SILENCE.as_secs() });
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broke(&error)),
            }
        }
    }

    /// The programs of a kind (`asr`, `tts`) that are installed there.
    fn programs(&mut self, kind: &str) -> Result<Vec<Value>, RemoteError> {
        self.send(&Event::new("describe"))?;
        loop {
            let Some(event) = self.receive(&|| false)? else { return Ok(Vec::new()) };
            if event.kind == "info" {
                let programs = event.data.get(kind).and_then(Value::as_array).cloned();
                return Ok(programs.unwrap_or_default().into_iter().filter(is_installed).collect());
            }
        }
    }
}

fn is_installed(artifact: &Value) -> bool {
    artifact["installed"].as_bool().unwrap_or(true)
}

/// The names of what programs offer (`models`, `voices`).
fn names(programs: &[Value], what: &str) -> Vec<String> {
    let all = programs.iter().filter_map(|program| program[what].as_array()).flatten();
    all.filter(|one| is_installed(one))
        .filter_map(|one| Some(one["name"].as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_named() {
        for (given, host, name) in [
            ("tcp://a:1", "a:1", None),
            ("tcp://[::1]:10300/", "[::1]:10300", None),
            ("tcp://a.b:10200/en_GB-x/medium", "a.b:10200", Some("en_GB-x/medium")),
        ] {
            let want = Address { host: host.into(), name: name.map(str::to_owned) };
            assert_eq!(Address::parse(given).unwrap(), want);
        }
        for given in ["a:1", "tcp://a", "tcp://:1", "tcp://a:99999", "udp://a:1"] {
            let error = Address::parse(given).unwrap_err().to_string();
            assert!(error.contains(given) && error.contains("tcp://192"), "{error}");
        }
    }
}
