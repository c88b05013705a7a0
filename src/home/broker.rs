//! A broker of MQTT: what everybody who connects to one has to be told.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rumqttc::{LastWill, MqttOptions, QoS, TlsConfiguration, Transport};
use serde::{Deserialize, Serialize};

use super::connection::{Address, Scheme, encryption};
use super::secret::Secret;

const SCHEMES: &[Scheme] = &[
    Scheme { name: "mqtt", encrypted: false, port: 1883 },
    Scheme { name: "tcp", encrypted: false, port: 1883 },
    Scheme { name: "mqtts", encrypted: true, port: 8883 },
    Scheme { name: "ssl", encrypted: true, port: 8883 },
];

/// Where a broker is, and who one is there: a part of `[home.mqtt]` and of `[serve.mqtt]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Broker {
    /// Where the broker is: `mqtt://host` or `mqtt://host:1883`; `mqtts://host` (port 8883) for a
    /// secret connection; empty for none.
    pub url: String,
    /// A file with certificates (PEM) of authorities that are trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// The user's name; empty for none.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
}

impl Broker {
    /// Whether there is one at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// Every value that cannot be used, each with its cure; `section` is where they stand.
    #[must_use]
    pub fn problems(&self, section: &str) -> Vec<String> {
        if !self.is_set() {
            return Vec::new();
        }
        let wrong = [
            ("url", self.address().err()),
            ("ca_file", encryption(self.ca_file()).err()),
            ("password_file", self.password().err()),
        ];
        let problem =
            |(key, why): (&str, Option<String>)| Some(format!("{section}.{key}: {}", why?));
        wrong.into_iter().filter_map(problem).collect()
    }

    /// What a connection begins with: by a name of its own that begins with `client`, with packets of at most `largest`
    /// bytes, and `offline` on the topic `status` once it is lost.
    ///
    /// # Errors
    /// The settings are wrong, or the password cannot be read.
    pub fn options(
        &self,
        client: &str,
        largest: usize,
        status: &str,
    ) -> Result<MqttOptions, String> {
        let address = self.address()?;
        // A broker sends the elder of two clients away that have one name, and in containers every process is the first.
        let random = RandomState::new().hash_one(Instant::now()) as u32;
        let name = format!("{client}-{random:08x}");
        let mut options = MqttOptions::new(name, &address.host, address.port);
        if address.encrypted {
            let encryption = TlsConfiguration::Rustls(encryption(self.ca_file())?);
            options.set_transport(Transport::tls_with_config(encryption));
        }
        options
            .set_keep_alive(Duration::from_secs(15))
            .set_max_packet_size(largest, largest)
            .set_last_will(LastWill::new(status, "offline", QoS::AtLeastOnce, true));
        if !self.user.is_empty() {
            options.set_credentials(&self.user, self.password()?.expose());
        }
        Ok(options)
    }

    fn address(&self) -> Result<Address, String> {
        Address::parse(&self.url, SCHEMES, "mqtt://localhost:1883")
    }

    fn password(&self) -> Result<Secret, String> {
        Secret::choose(&self.password, given(self.password_file.as_deref()))
    }

    fn ca_file(&self) -> Option<&Path> {
        given(self.ca_file.as_deref())
    }
}

/// A path that is not empty.
fn given(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (toml, part) in [
            ("url = \"http://a\"", "x.url: \"http://a\" has an unknown scheme"),
            ("url = \"mqtt://\"", "x.url"),
            ("url = \"mqtt://a:x\"", "x.url"),
            ("url = \"mqtt://a\"\nca_file = \"/nowhere\"", "x.ca_file: cannot read /nowhere"),
            (
                "url = \"mqtt://a\"\npassword_file = \"/nowhere\"",
                "x.password_file: cannot read /nowhere",
            ),
        ] {
            let problems = toml::from_str::<Broker>(toml).unwrap().problems("x");
            assert!(problems.len() == 1 && problems[0].contains(part), "{part}: {problems:?}");
        }
        for (url, host, port) in [
            ("mqtt://hub", "hub", 1883),
            ("mqtts://hub", "hub", 8883),
            ("mqtt://10.0.0.2:1884/", "10.0.0.2", 1884),
            ("tcp://[::1]:99", "::1", 99),
        ] {
            let broker = Broker { url: url.into(), ..Broker::default() };
            assert_eq!(broker.problems("x"), Vec::<String>::new());
            let address = broker.options("me", 1024, "x/status").unwrap().broker_address();
            assert_eq!(address, (host.to_owned(), port), "{url}");
        }
        for (url, named) in [
            ("hub:1883", "scheme"),
            ("mqtt://hub:99999", "port"),
            ("mqtt://", "host"),
            ("mqtt://me:hush@hub", "user's name"),
        ] {
            let problems = Broker { url: url.into(), ..Broker::default() }.problems("x").join(" ");
            assert!(problems.contains("x.url") && problems.contains(named), "{problems}");
            assert!(!problems.contains("hush"), "{problems}");
        }
        let fine = "url = \"mqtts://a.b\"\nca_file = \"\"\npassword_file = \"\"";
        let broker: Broker = toml::from_str(fine).unwrap();
        assert_eq!(broker.problems("x"), Vec::<String>::new());
        assert_eq!(
            broker.options("me", 1024, "x/status").unwrap().broker_address(),
            ("a.b".into(), 8883)
        );
        assert_eq!(Broker::default().problems("x"), Vec::<String>::new());
    }
}
