//! Encryption of the doors: a certificate of one's own, or one that is made at the first start and kept.
//!
//! A client that is to trust the latter is given its file, or compares the fingerprint that is printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::ServeError;

/// The doors that can be encrypted.
const DOORS: [&str; 4] = ["http", "wyoming", "audiosocket", "satellite"];
/// How long a client may take to agree on the encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The largest file of certificates in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Encryption of the doors, `[serve.tls]` in the configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The doors that are encrypted, of `http`, `wyoming`, `audiosocket` and `satellite`.
    pub doors: Vec<String>,
    /// A file with the certificate, and those it builds on, in PEM; without one a certificate is made
    /// at the first start and kept.
    pub certificate: PathBuf,
    /// The file with its key in PEM.
    pub key: PathBuf,
    /// Names and addresses by which clients call this machine, for the certificate that is made.
    pub names: Vec<String>,
}

impl TlsConfig {
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for door in self.doors.iter().filter(|door| !DOORS.contains(&door.as_str())) {
            problems.push(format!("serve.tls.doors: {door:?} is none of {}", DOORS.join(", ")));
        }
        let given = |path: &Path| !path.as_os_str().is_empty();
        match (given(&self.certificate), given(&self.key)) {
            (true, false) => problems.push("serve.tls.key: is empty; name the file with the key of serve.tls.certificate".into()),
            (false, true) => problems.push("serve.tls.certificate: is empty; name the file with the certificate of serve.tls.key".into()),
            _ => {}
        }
        for name in &self.names {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-.:*".contains(c);
            if name.is_empty() || name.len() > 253 || !name.chars().all(plain) {
                problems.push(format!(
                    "serve.tls.names: {name:?} is neither a host's name nor an address"
                ));
            }
        }
        problems
    }

    /// Whether a door is encrypted.
    pub(super) fn covers(&self, door: &str) -> bool {
        self.doors.iter().any(|own| own == door)
    }
}

/// What the doors need to encrypt.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    /// The SHA-256 of the certificate, as other programs write it.
    pub(super) fingerprint: String,
    /// The certificate's file.
    pub(super) certificate: PathBuf,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A client's bytes, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Tls {
    /// Reads the certificate of the settings; makes one where they name none and none was made.
    pub(super) fn open(config: &TlsConfig, host: &str) -> Result<Self, ServeError> {
        let (certificate, key) = match config.certificate.as_os_str().is_empty() {
            false => (config.certificate.clone(), config.key.clone()),
            true => own(&config.names, host)?,
        };
        let chain = certificates(&certificate)?;
        let cannot = |path: &Path, reason: String| ServeError::Tls { path: path.into(), reason };
        look(&key)?;
        let private = PrivateKeyDer::from_pem_file(&key).map_err(|_| {
            let reason = "it holds no key; give one in PEM (-----BEGIN PRIVATE KEY-----), without a password";
            cannot(&key, reason.into())
        })?;
        let fingerprint = fingerprint(&chain[0]);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut settings = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| cannot(&certificate, error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    let certificate = certificate.display();
                    cannot(
                        &key,
                        format!("it is not the key of {certificate}; give both of one pair"),
                    )
                }
                other => cannot(&certificate, other.to_string()),
            })?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(settings));
        Ok(Self { acceptor, fingerprint, certificate })
    }

    /// Agrees with a client on the encryption. One that speaks plainly is told so in `plainly` and
    /// gets none, and so does one that takes too long.
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        plainly: &[u8],
    ) -> Option<Box<dyn Wire>> {
        let accepting = async {
            let mut first = [0];
            // Encryption begins with a record of this kind.
            if stream.peek(&mut first).await? == 1 && first[0] != 0x16 {
                stream.write_all(plainly).await?;
                stream.shutdown().await?;
                // To close with bytes unread would reset the connection and lose the answer.
                let mut rest = (&mut stream).take(LARGEST_PLAIN);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
                return Err(std::io::Error::other("not encrypted"));
            }
            self.acceptor.accept(stream).await
        };
        match tokio::time::timeout(HANDSHAKE, accepting).await {
            Ok(Ok(stream)) => Some(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no encryption was agreed on");
                None
            }
            Err(_) => None,
        }
    }
}

/// So much of what was not encrypted is read before the connection closes, in bytes.
const LARGEST_PLAIN: u64 = 64 * 1024;

fn look(path: &Path) -> Result<(), ServeError> {
    let cannot = |reason: String| ServeError::Tls { path: path.into(), reason };
    let size = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    match size <= LARGEST_FILE {
        true => Ok(()),
        false => Err(cannot(format!("{size} bytes are too many for a certificate or a key"))),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let cannot = |reason: String| ServeError::Tls { path: path.into(), reason };
    look(path)?;
    let found = CertificateDer::pem_file_iter(path).map_err(|error| cannot(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    match found {
        Ok(found) if found.is_empty() => Err(cannot(
            "it holds no certificate; give one in PEM (-----BEGIN CERTIFICATE-----)".into(),
        )),
        Ok(found) => Ok(found),
        Err(error) => Err(cannot(error.to_string())),
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The certificate that is made here, and its key.
fn own(names: &[String], host: &str) -> Result<(PathBuf, PathBuf), ServeError> {
    let folder = dirs::data_dir().unwrap_or_default().join("hearken").join("tls");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    if certificate.exists() && key.exists() {
        close_to_others(&key)?;
        return Ok((certificate, key));
    }
    let cannot = |path: &Path, reason: String| ServeError::Tls { path: path.into(), reason };
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".into(), "::1".into()];
    let local = [host.to_owned(), format!("{host}.local")];
    for name in local.into_iter().chain(names.iter().cloned()) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let make = || -> Result<(String, String), rcgen::Error> {
        let mut params = rcgen::CertificateParams::new(all)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("Hearken on {host}"));
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let pair = rcgen::KeyPair::generate()?;
        Ok((params.self_signed(&pair)?.pem(), pair.serialize_pem()))
    };
    let (certificate_pem, key_pem) =
        make().map_err(|error| cannot(&certificate, error.to_string()))?;
    std::fs::create_dir_all(&folder).map_err(|error| cannot(&folder, error.to_string()))?;
    // The key first: a certificate without its key would be kept and never work.
    write(&key, key_pem.as_bytes(), 0o600).map_err(|error| cannot(&key, error.to_string()))?;
    write(&certificate, certificate_pem.as_bytes(), 0o644)
        .map_err(|error| cannot(&certificate, error.to_string()))?;
    Ok((certificate, key))
}

/// Writes a file whole or not at all; nobody else can read it before its mode is set.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

/// Takes a key from the eyes of others, should they have it.
fn close_to_others(key: &Path) -> Result<(), ServeError> {
    use std::os::unix::fs::PermissionsExt;
    let cannot =
        |error: std::io::Error| ServeError::Tls { path: key.into(), reason: error.to_string() };
    let mode = std::fs::metadata(key).map_err(cannot)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(key = %key.display(), "the key could be read by others; now it cannot");
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn wrong_files_are_named_with_their_cure() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ((certificate, key), (_, strange)) = (pair(), pair());
        let (certificate, key, strange) =
            (file("c.pem", &certificate), file("k.pem", &key), file("strange.pem", &strange));
        let empty = file("empty.pem", "nothing here\n");
        let missing = folder.path().join("missing.pem");
        let open = |certificate: &Path, key: &Path| {
            let config = TlsConfig {
                certificate: certificate.into(),
                key: key.into(),
                ..TlsConfig::default()
            };
            Tls::open(&config, "host")
        };
        let tls = open(&certificate, &key).unwrap();
        assert_eq!(tls.fingerprint.len(), 32 * 3 - 1);
        for (certificate, key, parts) in [
            (&missing, &key, ["missing.pem", "No such file"]),
            (&empty, &key, ["empty.pem", "BEGIN CERTIFICATE"]),
            (&certificate, &empty, ["empty.pem", "BEGIN PRIVATE KEY"]),
            (&certificate, &strange, ["strange.pem", "not the key of"]),
            (&certificate, &certificate, ["c.pem", "holds no key"]),
        ] {
            let error = open(certificate, key).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{part:?} is not in {error:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_encrypted_is_told() {
        for (toml, part) in [
            ("doors = [\"telnet\"]", "\"telnet\" is none of http"),
            ("certificate = \"a.pem\"", "serve.tls.key: is empty"),
            ("key = \"a.pem\"", "serve.tls.certificate: is empty"),
            ("names = [\"a b\"]", "\"a b\" is neither"),
        ] {
            let problems = toml::from_str::<TlsConfig>(toml).unwrap().problems();
            assert!(problems.len() == 1 && problems[0].contains(part), "{part}: {problems:?}");
        }
        assert_eq!(TlsConfig::default().problems(), Vec::<String>::new());
    }
}
