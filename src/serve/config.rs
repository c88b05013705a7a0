//! Settings of the doors.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::MqttDoor;
use super::TlsConfig;
use super::tokens;

/// Settings of this room, `[serve]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port of HTTP and its WebSockets; empty keeps this door closed.
    pub http: String,
    /// Address and port of Wyoming; empty keeps this door closed.
    pub wyoming: String,
    /// A Unix socket for Wyoming; empty for none.
    pub wyoming_socket: PathBuf,
    /// Address and port of Asterisk's AudioSocket; empty keeps this door closed.
    pub audiosocket: String,
    /// Address and port where Home Assistant is lent this machine's microphone and speaker, as a
    /// Wyoming satellite, usually port 10700; empty keeps this door closed.
    pub satellite: String,
    /// Whether Wyoming is announced in the local network by mDNS, so that Home Assistant finds it.
    pub announce: bool,
    /// The addresses from which Wyoming and AudioSocket may be used, beside this machine:
    /// `192.168.1.5`, or a network such as `192.168.1.0/24`. They know no passwords.
    pub wyoming_allow: Vec<String>,
    /// Hashes of the tokens that open HTTP, as `hearken serve --new-token` prints them. Needed where
    /// HTTP can be reached from another machine.
    pub tokens: Vec<String>,
    /// Names of this machine by which HTTP may be asked without tokens, beside `localhost` and numbers:
    /// what a proxy on this machine passes on as the host. Any other name may be a web page's trick.
    pub host_names: Vec<String>,
    /// Connections at once, over all doors.
    pub max_connections: usize,
    /// Connections at once from one address.
    pub max_per_address: usize,
    /// Requests and conversations at once with one token; 0 for any number.
    pub max_per_token: usize,
    /// Requests a minute with one token; 0 for any number.
    pub per_token_minute: usize,
    /// Utterances, and texts, that may wait for the recogniser and the voices.
    pub queue: usize,
    /// How long an utterance may have to wait for the recogniser, in milliseconds, as far as one can
    /// tell; whoever would wait longer is told at once that it is busy.
    pub longest_wait_ms: u64,
    /// The largest body of a request in MiB.
    pub max_body_mb: usize,
    /// The longest recording in one request, in seconds.
    pub max_audio_s: u64,
    /// Silence on a connection after which it is closed, in seconds.
    pub idle_s: u64,
    /// The longest that one connection is held, in seconds.
    pub session_s: u64,
    /// The folder of the web page's files, for who works on it; empty for those in the program.
    pub web: PathBuf,
    /// How long those inside may take to finish once the server is told to stop, in seconds.
    pub drain_s: u64,
    /// Encryption.
    pub tls: TlsConfig,
    /// Satellites over MQTT.
    pub mqtt: MqttDoor,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: "127.0.0.1:8765".into(),
            wyoming: "127.0.0.1:10300".into(),
            wyoming_socket: PathBuf::new(),
            audiosocket: String::new(),
            satellite: String::new(),
            announce: false,
            wyoming_allow: Vec::new(),
            tokens: Vec::new(),
            host_names: Vec::new(),
            max_connections: 64,
            max_per_address: 32,
            max_per_token: 0,
            per_token_minute: 0,
            queue: 16,
            longest_wait_ms: 1500,
            max_body_mb: 25,
            max_audio_s: 4 * 3600,
            idle_s: 60,
            session_s: 1800,
            web: PathBuf::new(),
            drain_s: 10,
            tls: TlsConfig::default(),
            mqtt: MqttDoor::default(),
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut beyond = |name: &str, address: &str| {
            if address.is_empty() {
                return false;
            }
            match resolve(address) {
                Some(address) => !address.ip().is_loopback(),
                None => {
                    problems.push(format!(
                        "serve.{name}: {address:?} is no address with a port; write one such as \"127.0.0.1:8765\", or \"\" to keep this door closed"
                    ));
                    false
                }
            }
        };
        let (http, wyoming) = (beyond("http", &self.http), beyond("wyoming", &self.wyoming));
        let telephone = beyond("audiosocket", &self.audiosocket);
        let satellite = beyond("satellite", &self.satellite);
        if http && self.tokens.is_empty() {
            problems.push(format!(
                "serve.tokens: is empty, but {:?} can be reached from other machines; put in what `hearken serve --new-token` prints, or listen on 127.0.0.1",
                self.http
            ));
        }
        for (open, address) in
            [(wyoming, &self.wyoming), (telephone, &self.audiosocket), (satellite, &self.satellite)]
        {
            if open && self.wyoming_allow.is_empty() {
                problems.push(format!(
                    "serve.wyoming_allow: is empty, but {address:?} can be reached from other machines; name those that may come, such as \"192.168.1.0/24\", or listen on 127.0.0.1"
                ));
            }
        }
        for hash in self.tokens.iter().filter(|hash| tokens::parse(hash).is_none()) {
            let shown: String = hash.chars().take(12).collect();
            problems.push(format!(
                "serve.tokens: {shown:?}… is no hash of a token; `hearken serve --new-token` prints one"
            ));
        }
        for network in self.wyoming_allow.iter().filter(|network| Network::parse(network).is_none())
        {
            problems.push(format!(
                "serve.wyoming_allow: {network:?} is no address and no network; write one such as \"192.168.1.5\" or \"192.168.1.0/24\""
            ));
        }
        for name in &self.host_names {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            if name.is_empty() || !name.chars().all(plain) {
                problems.push(format!(
                    "serve.host_names: {name:?} is no host's name; write one such as \"hearken.example\", without scheme and port"
                ));
            }
        }
        if self.http.is_empty()
            && self.wyoming.is_empty()
            && self.audiosocket.is_empty()
            && self.satellite.is_empty()
            && self.wyoming_socket.as_os_str().is_empty()
        {
            problems.push(
                "serve: every door is closed; give serve.http or serve.wyoming an address".into(),
            );
        }
        for (name, value, least, most) in [
            ("max_connections", self.max_connections as u64, 1, 100_000),
            ("max_per_address", self.max_per_address as u64, 1, 100_000),
            ("queue", self.queue as u64, 1, 1000),
            ("longest_wait_ms", self.longest_wait_ms, 1, 600_000),
            ("max_body_mb", self.max_body_mb as u64, 1, 4096),
            ("max_audio_s", self.max_audio_s, 1, 7 * 24 * 3600),
            ("idle_s", self.idle_s, 1, 24 * 3600),
            ("session_s", self.session_s, 1, 7 * 24 * 3600),
            ("drain_s", self.drain_s, 0, 3600),
        ] {
            if !(least..=most).contains(&value) {
                problems.push(format!("serve.{name}: {value} is not between {least} and {most}"));
            }
        }
        problems.extend(self.tls.problems());
        problems.extend(self.mqtt.problems());
        problems
    }
}

/// The first address that a name stands for.
pub(super) fn resolve(address: &str) -> Option<SocketAddr> {
    address.to_socket_addrs().ok()?.next()
}

/// A network from which Wyoming may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    /// How many bits count.
    bits: u32,
}

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    pub(super) fn holds(&self, address: IpAddr) -> bool {
        let number = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
            IpAddr::V6(v6) => (v6.to_bits(), false),
        };
        let ((own, a), (other, b)) = (number(self.address), number(address));
        a == b && (self.bits == 0 || (own ^ other) >> (128 - self.bits) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_order_and_every_wrong_value_is_told() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
        for (toml, part) in [
            ("http = \"0.0.0.0:1\"", "serve.tokens: is empty"),
            ("wyoming = \"0.0.0.0:1\"", "serve.wyoming_allow: is empty"),
            ("http = \"nonsense\"", "serve.http: \"nonsense\""),
            ("tokens = [\"secret\"]", "\"secret\"… is no hash"),
            ("wyoming_allow = [\"10.0.0.0/99\"]", "10.0.0.0/99"),
            ("http = \"\"\nwyoming = \"\"", "every door is closed"),
            ("host_names = [\"http://a\"]", "serve.host_names: \"http://a\""),
            ("queue = 0", "serve.queue: 0"),
        ] {
            let config: Config = toml::from_str(toml).unwrap();
            let problems = config.problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(part), "{part:?} is not in {problems:?}");
        }
        assert!(toml::from_str::<Config>("htp = \"\"").is_err());
    }

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, want) in [
            ("192.168.1.0/24", "192.168.1.77", true),
            ("192.168.1.0/24", "192.168.2.77", false),
            ("192.168.1.5", "192.168.1.5", true),
            ("192.168.1.5", "192.168.1.6", false),
            ("192.168.1.0/24", "::ffff:192.168.1.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "fe80::1", false),
            ("fe80::/10", "fe80::1", true),
        ] {
            let held = Network::parse(network).unwrap().holds(address.parse().unwrap());
            assert_eq!(held, want, "{network} {address}");
        }
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
