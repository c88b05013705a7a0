//! What connections to real systems have in common: where to, and encryption.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// The largest file of certificates that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// A scheme of addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scheme {
    pub name: &'static str,
    pub encrypted: bool,
    /// The port where the address has none.
    pub port: u16,
}

/// Where a system is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// A name or a number, without brackets.
    pub host: String,
    pub port: u16,
    pub encrypted: bool,
}

impl Address {
    /// Reads `scheme://host[:port]`. The error names the address and one that would be right.
    pub(super) fn parse(url: &str, schemes: &[Scheme], example: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{url:?} {why}; use one such as {example:?}");
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("has no scheme"))?;
        let scheme = schemes.iter().find(|own| own.name == scheme);
        let scheme = scheme.ok_or_else(|| wrong("has an unknown scheme"))?;
        if rest.contains('@') {
            // Not repeated: it may hold a password.
            return Err(format!("holds a user's name; use one such as {example:?}"));
        }
        let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("has a wrong port"))?)
            }
            _ => (rest.trim_end_matches('/'), scheme.port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains('/') {
            return Err(wrong("is not a host with a port"));
        }
        Ok(Self { host: host.to_owned(), port, encrypted: scheme.encrypted })
    }

    /// `host:port`, as addresses are written.
    pub(super) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// What encryption trusts: the usual authorities of the web, and those of a file of one's own.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub fn encryption(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = ca_file {
        let cannot = |why: String| format!("cannot read {}: {why}; check the path", file.display());
        let size = std::fs::metadata(file).map_err(|error| cannot(error.to_string()))?.len();
        if size > LARGEST_FILE {
            return Err(cannot(format!("{size} bytes are too many for certificates")));
        }
        let text = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| cannot(error.to_string()))?;
            roots.add(certificate).map_err(|error| cannot(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(format!(
                "{} holds no certificate; give the authority's in PEM (-----BEGIN CERTIFICATE-----)",
                file.display()
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A stream of bytes, encrypted or not.
pub(super) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects, with this much time for each step.
    pub(super) fn open(
        address: &Address,
        encryption: Option<&Arc<ClientConfig>>,
        step: Duration,
    ) -> Result<Self, String> {
        let host = address.authority();
        let found = (address.host.as_str(), address.port)
            .to_socket_addrs()
            .map_err(|error| format!("cannot find {host}: {error}"))?;
        let mut why = format!("{host} has no address");
        for one in found {
            let stream = match TcpStream::connect_timeout(&one, step) {
                Ok(stream) => stream,
                Err(error) => {
                    why = format!("cannot connect to {host}: {error}");
                    continue;
                }
            };
            let set = |stream: &TcpStream| {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(step))?;
                stream.set_read_timeout(Some(step))
            };
            set(&stream).map_err(|error| error.to_string())?;
            let Some(encryption) = encryption else { return Ok(Self::Plain(stream)) };
            let name = ServerName::try_from(address.host.clone())
                .map_err(|error| format!("{host} is no name of a server: {error}"))?;
            let connection = ClientConnection::new(Arc::clone(encryption), name)
                .map_err(|error| format!("{host} cannot be spoken to in secret: {error}"))?;
            let mut stream = StreamOwned::new(connection, stream);
            // At once, so that a certificate that is not trusted is told as such.
            while stream.conn.is_handshaking() {
                stream
                    .conn
                    .complete_io(&mut stream.sock)
                    .map_err(|error| format!("no secret connection to {host}: {error}"))?;
            }
            return Ok(Self::Encrypted(Box::new(stream)));
        }
        Err(why)
    }

    pub(super) fn set_read_timeout(&self, time: Duration) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.set_read_timeout(Some(time)),
            Self::Encrypted(stream) => stream.sock.set_read_timeout(Some(time)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            Self::Encrypted(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// What is wrong with a time to wait for answers, in milliseconds.
pub(super) fn answer_problem(key: &str, ms: u64) -> Option<String> {
    (!(100..=60_000).contains(&ms))
        .then(|| format!("{key}: {ms} is out of range; use 100 to 60000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: &[Scheme] = &[
        Scheme { name: "http", encrypted: false, port: 8123 },
        Scheme { name: "https", encrypted: true, port: 443 },
    ];

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("http://ha.local", Ok(("ha.local", 8123, false, "ha.local:8123"))),
            ("https://ha.local/", Ok(("ha.local", 443, true, "ha.local:443"))),
            ("http://[::1]:80", Ok(("::1", 80, false, "[::1]:80"))),
            ("http://::1", Ok(("::1", 8123, false, "[::1]:8123"))),
            ("ha.local", Err("no scheme")),
            ("ftp://ha.local", Err("unknown scheme")),
            ("http://", Err("not a host")),
            ("http://a:b", Err("wrong port")),
            ("http://a/b/c", Err("not a host")),
            ("http://u:p@a", Err("user's name")),
        ];
        for (url, expected) in cases {
            let found = Address::parse(url, SCHEMES, "http://x");
            match (found, expected) {
                (Ok(found), Ok((host, port, encrypted, authority))) => {
                    let own = (found.host.as_str(), found.port, found.encrypted);
                    assert_eq!(own, (host, port, encrypted), "{url}");
                    assert_eq!(found.authority(), authority, "{url}");
                }
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{url}: {found}"),
                (found, _) => panic!("{url}: {found:?}"),
            }
        }
        let told = Address::parse("http://u:secret@a", SCHEMES, "http://x").unwrap_err();
        assert!(!told.contains("secret"), "{told}");
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(encryption(Some(&file)).unwrap_err().contains("ca.pem"));
        std::fs::write(&file, "nothing").unwrap();
        assert!(encryption(Some(&file)).unwrap_err().contains("no certificate"));
        assert!(encryption(None).is_ok());
    }
}
