//! The doors: everything that speaks a voice protocol can talk to this house.
//!
//! Each door is a thin translation between a wire and the same engines: [`wyoming`] for Home Assistant
//! and its satellites, HTTP in OpenAI's shapes, and WebSockets. This page has what they share: who may
//! come in, who is told that the house is full, and how it empties when it is asked to close.

mod admission;
mod config;
mod conversations;
mod explain;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
mod listening;
mod live;
mod mcp;
mod metrics;
mod mqtt;
mod pace;
mod page;
mod realtime;
mod satellites;
mod stream;
mod telephony;
mod tls;
mod tokens;
pub mod wyoming;
mod xiaozhi;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::audio;
use crate::session::Shared;

use admission::{Admission, Refused};
use conversations::Conversations;
use metrics::Metrics;
use satellites::Satellites;
use tls::{Tls, Wire};
use tokens::Tokens;

pub use config::Config;
pub use mqtt::MqttDoor;
pub use tls::TlsConfig;
pub use tokens::{new_token, token_hash};

/// Clients that are being told that there is no place. Beyond that they are just closed.
const MOST_REFUSALS: usize = 64;
/// How long a refused client is listened to, so that it reads why.
const REFUSAL: Duration = Duration::from_millis(500);
/// Bytes of a message that are listened to without another thread's stepping in.
const LIGHT: usize = 64 * 1024;
/// How long a client may take to take what it is sent.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// What can go wrong at the doors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The door cannot be opened there.
    #[error("cannot listen for {door} on {address}: {source}")]
    Bind {
        /// Which door.
        door: &'static str,
        /// The address as it was given.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or a key that cannot be used.
    #[error("cannot encrypt with {path}: {reason}", path = path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The microphone or the speaker of a satellite.
    #[error("cannot lend microphone and speaker: {reason}")]
    Sound {
        /// Why.
        reason: String,
    },
    /// Nobody can be told that we are here.
    #[error("cannot announce Wyoming in the local network: {reason}")]
    Announce {
        /// Why.
        reason: String,
    },
}

/// The doors, open but with nobody behind them yet: connections wait until [`run`](Self::run).
#[derive(Debug)]
pub struct Doors {
    http: Option<TcpListener>,
    wyoming: Option<TcpListener>,
    unix: Option<Socket>,
    audiosocket: Option<TcpListener>,
    satellite: Option<TcpListener>,
    audio: audio::Config,
    tls: Option<Tls>,
    config: Config,
}

/// A Unix socket, and its file, which goes when the door closes.
#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What the doors share.
#[derive(Debug)]
struct House {
    shared: Shared,
    /// Microphone and speaker, for who is lent them.
    audio: audio::Config,
    config: Config,
    admission: Admission,
    metrics: Metrics,
    tokens: Tokens,
    networks: Vec<config::Network>,
    conversations: Conversations,
    satellites: Arc<Satellites>,
    /// What the open pages are told.
    news: page::News,
    /// Held while a model is fetched.
    pulling: Arc<tokio::sync::Semaphore>,
    /// When the server started, in seconds since 1970.
    since: u64,
    /// Sessions so far.
    sessions: std::sync::atomic::AtomicU64,
    /// Set once the house is to empty.
    stop: CancellationToken,
}

impl House {
    /// A number for a session, never the same twice.
    fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    /// How long a connection may say nothing.
    fn idle(&self) -> Duration {
        Duration::from_secs(self.config.idle_s)
    }

    /// Whether somebody may use a door that knows no passwords.
    fn knows(&self, door: &'static str, ip: std::net::IpAddr) -> bool {
        let known = ip.is_loopback() || self.networks.iter().any(|network| network.holds(ip));
        if !known {
            tracing::warn!(%ip, door, "not in serve.wyoming_allow");
            self.refused(door, "stranger");
        }
        known
    }

    fn refused(&self, door: &'static str, reason: &'static str) {
        self.metrics.add("hearken_refused_total", 1.0, &[("door", door), ("reason", reason)]);
    }
}

impl Doors {
    /// Opens the doors of the settings. Port 0 takes any that is free; see [`http`](Self::http).
    ///
    /// # Errors
    /// When one cannot be opened.
    pub async fn open(config: &Config) -> Result<Self, ServeError> {
        let tcp = async |door: &'static str, address: &str| {
            let error = |source| ServeError::Bind { door, address: address.to_owned(), source };
            match address {
                "" => Ok(None),
                address => TcpListener::bind(address).await.map(Some).map_err(error),
            }
        };
        let unix = match config.wyoming_socket.as_os_str().is_empty() {
            true => None,
            false => Some(socket(&config.wyoming_socket)?),
        };
        let tls = match config.tls.doors.is_empty() {
            true => None,
            false => Some(Tls::open(&config.tls, &wyoming::hostname())?),
        };
        Ok(Self {
            tls,
            http: tcp("HTTP", &config.http).await?,
            wyoming: tcp("Wyoming", &config.wyoming).await?,
            audiosocket: tcp("AudioSocket", &config.audiosocket).await?,
            satellite: tcp("the satellite", &config.satellite).await?,
            audio: audio::Config::default(),
            unix,
            config: config.clone(),
        })
    }

    /// The same with this microphone and this speaker, for who is lent them.
    ///
    /// # Errors
    /// When they are to be lent and cannot be opened.
    pub fn with_audio(mut self, audio: &audio::Config) -> Result<Self, ServeError> {
        if self.satellite.is_some() {
            wyoming::satellite::check(audio)?;
        }
        self.audio = audio.clone();
        Ok(self)
    }

    /// Where the satellite really listens.
    #[must_use]
    pub fn satellite(&self) -> Option<SocketAddr> {
        self.satellite.as_ref()?.local_addr().ok()
    }

    /// Where HTTP really listens.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.http.as_ref()?.local_addr().ok()
    }

    /// Where Wyoming really listens.
    #[must_use]
    pub fn wyoming(&self) -> Option<SocketAddr> {
        self.wyoming.as_ref()?.local_addr().ok()
    }

    /// Where AudioSocket really listens.
    #[must_use]
    pub fn audiosocket(&self) -> Option<SocketAddr> {
        self.audiosocket.as_ref()?.local_addr().ok()
    }

    /// Whether a door (`http`, `wyoming`, `audiosocket`) is encrypted.
    #[must_use]
    pub fn is_encrypted(&self, door: &str) -> bool {
        self.config.tls.covers(door)
    }

    /// The file of the certificate that the encrypted doors show, and its SHA-256 fingerprint.
    #[must_use]
    pub fn certificate(&self) -> Option<(&std::path::Path, &str)> {
        self.tls.as_ref().map(|tls| (tls.certificate.as_path(), tls.fingerprint.as_str()))
    }

    /// Serves until `stop` is cancelled; then takes nobody in any more, lets those inside finish for as
    /// long as the settings say, and returns.
    ///
    /// # Errors
    /// When the announcement fails.
    pub async fn run(self, shared: Shared, stop: CancellationToken) -> Result<(), ServeError> {
        let config = self.config.clone();
        let _announced = match (config.announce, self.wyoming()) {
            (true, Some(address)) => Some(wyoming::announce(address)?),
            _ => None,
        };
        let house = Arc::new(House {
            admission: Admission::new(config.max_connections, config.max_per_address),
            metrics: Metrics::default(),
            tokens: Tokens::new(&config.tokens)
                .with_limits(config.max_per_token, config.per_token_minute),
            networks: config
                .wyoming_allow
                .iter()
                .filter_map(|n| config::Network::parse(n))
                .collect(),
            conversations: Conversations::new(shared.dialogue()),
            news: page::News::default(),
            pulling: Arc::new(tokio::sync::Semaphore::new(1)),
            since: std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
            satellites: Arc::default(),
            sessions: Default::default(),
            stop: stop.clone(),
            shared,
            audio: self.audio.clone(),
            config,
        });
        let longest = Duration::from_millis(house.config.longest_wait_ms);
        house.shared.asr().set_longest_wait(longest);
        let router = http::router(&house);
        if self.http.is_some() {
            page::watch(&house);
        }
        let (mut inside, mut refusals) = (JoinSet::new(), JoinSet::new());
        if house.config.mqtt.broker.is_set() {
            inside.spawn(mqtt::serve(Arc::clone(&house)));
        }
        let tls = |door: &str| self.tls.clone().filter(|_| house.config.tls.covers(door));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = inside.join_next() => {}
                Some(_) = refusals.join_next() => {}
                (stream, address) = accept(self.http.as_ref()) => {
                    let stream = agree(stream, tls("http"), http::plainly());
                    match house.admission.enter(Some(address.ip())) {
                        Ok(permit) => {
                            let (house, router) = (Arc::clone(&house), router.clone());
                            inside.spawn(async move {
                                let Some(stream) = stream.await else { return };
                                let _guest = Guest::new(&house, "http");
                                http::serve(stream, address, permit, router, &house.stop).await;
                            });
                        }
                        Err(why) => {
                            house.refused("http", why.reason());
                            refuse(&mut refusals, stream, move |stream| http::refuse(stream, why));
                        }
                    }
                }
                (stream, address) = accept(self.wyoming.as_ref()) => {
                    if !house.knows("wyoming", address.ip()) {
                        continue;
                    }
                    let stream = agree(stream, tls("wyoming"), wyoming::plainly());
                    let guest = Arriving { door: "wyoming", address: Some(address.ip()), stream };
                    welcome(guest, &house, (&mut inside, &mut refusals), talk_wyoming, wyoming::refuse);
                }
                (stream, address) = accept(self.audiosocket.as_ref()) => {
                    if !house.knows("audiosocket", address.ip()) {
                        continue;
                    }
                    let stream = agree(stream, tls("audiosocket"), Vec::new());
                    let guest = Arriving { door: "audiosocket", address: Some(address.ip()), stream };
                    let talk = |stream: Box<dyn Wire>, house: Arc<House>| async move {
                        telephony::audiosocket::serve(stream, &house).await;
                    };
                    let refuse = |stream: Box<dyn Wire>, _| telephony::audiosocket::refuse(stream);
                    welcome(guest, &house, (&mut inside, &mut refusals), talk, refuse);
                }
                (stream, address) = accept(self.satellite.as_ref()) => {
                    if !house.knows("satellite", address.ip()) {
                        continue;
                    }
                    let stream = agree(stream, tls("satellite"), wyoming::plainly());
                    let guest = Arriving { door: "satellite", address: Some(address.ip()), stream };
                    let talk = |stream: Box<dyn Wire>, house: Arc<House>| async move {
                        wyoming::satellite::serve(stream, &house).await;
                    };
                    welcome(guest, &house, (&mut inside, &mut refusals), talk, wyoming::refuse);
                }
                stream = accept_unix(self.unix.as_ref()) => {
                    let stream = async move { Some(Box::new(stream) as Box<dyn Wire>) };
                    let guest = Arriving { door: "wyoming", address: None, stream };
                    welcome(guest, &house, (&mut inside, &mut refusals), talk_wyoming, wyoming::refuse);
                }
            }
        }
        // The doors close at once, those inside finish what they began.
        let Self { http, wyoming, unix, audiosocket, satellite, .. } = self;
        drop((http, wyoming, unix, audiosocket, satellite));
        let drain = Duration::from_secs(house.config.drain_s);
        let left = tokio::time::timeout(drain, async {
            while inside.join_next().await.is_some() {}
            // WebSockets live in tasks of their own, and keep their places.
            while house.admission.inside() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        if left.await.is_err() {
            tracing::warn!(
                connections = house.admission.inside(),
                "closed before they had finished"
            );
        }
        inside.shutdown().await;
        Ok(())
    }
}

/// Somebody inside, as the metrics see it.
struct Guest<'a> {
    house: &'a House,
    door: &'static str,
}

impl<'a> Guest<'a> {
    fn new(house: &'a House, door: &'static str) -> Self {
        house.metrics.add("hearken_connections_total", 1.0, &[("door", door)]);
        house.metrics.add("hearken_connections_active", 1.0, &[("door", door)]);
        Self { house, door }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.house.metrics.add("hearken_connections_active", -1.0, &[("door", self.door)]);
    }
}

/// Agrees with a client on the encryption, where the door has one.
async fn agree(stream: TcpStream, tls: Option<Tls>, plainly: Vec<u8>) -> Option<Box<dyn Wire>> {
    match tls {
        Some(tls) => tls.accept(stream, &plainly).await,
        None => Some(Box::new(stream)),
    }
}

/// Tells a client that there is no place, if not too many are being told so already.
fn refuse<F>(
    refusals: &mut JoinSet<()>,
    stream: impl Future<Output = Option<Box<dyn Wire>>> + Send + 'static,
    tell: impl FnOnce(Box<dyn Wire>) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    if refusals.len() < MOST_REFUSALS {
        refusals.spawn(async move {
            if let Ok(Some(stream)) = tokio::time::timeout(REFUSAL, stream).await {
                tell(stream).await;
            }
        });
    }
}

async fn talk_wyoming(stream: Box<dyn Wire>, house: Arc<House>) {
    wyoming::serve(stream, &house).await;
}

/// Somebody at a door that is no web server.
struct Arriving<S> {
    door: &'static str,
    /// From where; none for who is on this machine for certain.
    address: Option<std::net::IpAddr>,
    /// The connection, once both agree on how it is encrypted.
    stream: S,
}

/// Lets somebody in, or tells that there is no place.
fn welcome<S, T, R>(
    guest: Arriving<S>,
    house: &Arc<House>,
    (inside, refusals): (&mut JoinSet<()>, &mut JoinSet<()>),
    talk: impl FnOnce(Box<dyn Wire>, Arc<House>) -> T + Send + 'static,
    tell: impl FnOnce(Box<dyn Wire>, Refused) -> R + Send + 'static,
) where
    S: Future<Output = Option<Box<dyn Wire>>> + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let Arriving { door, address, stream } = guest;
    match house.admission.enter(address) {
        Ok(permit) => {
            let house = Arc::clone(house);
            inside.spawn(async move {
                let Some(stream) = stream.await else { return };
                let _guest = Guest::new(&house, door);
                talk(stream, Arc::clone(&house)).await;
                drop(permit);
            });
        }
        Err(why) => {
            house.refused(door, why.reason());
            refuse(refusals, stream, move |stream| tell(stream, why));
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> (TcpStream, SocketAddr) {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Small events must not wait for each other.
                let _ = stream.set_nodelay(true);
                return (stream, address);
            }
            Err(error) => give_way(&error).await,
        }
    }
}

async fn accept_unix(socket: Option<&Socket>) -> tokio::net::UnixStream {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => give_way(&error).await,
        }
    }
}

/// Without descriptors accepting fails at once, again and again: somebody has to leave first.
async fn give_way(error: &std::io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Opens a Unix socket. A file that nobody listens on is what a crash left, and goes.
fn socket(path: &std::path::Path) -> Result<Socket, ServeError> {
    let error =
        |source| ServeError::Bind { door: "Wyoming", address: path.display().to_string(), source };
    let stale = std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
    if stale {
        std::fs::remove_file(path).map_err(error)?;
    }
    let listener = UnixListener::bind(path).map_err(error)?;
    Ok(Socket { listener, path: path.to_owned() })
}

/// Does what takes a moment for each of so many bytes. A message may hold minutes of sound, and the voice detector goes
/// through all of it; the other connections of this thread go on meanwhile.
fn heavy<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    match bytes {
        0..LIGHT => work(),
        _ => tokio::task::block_in_place(work),
    }
}
