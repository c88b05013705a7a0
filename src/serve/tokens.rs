//! Tokens: what a client shows to be let in. Only their hashes are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Tokens for a while that are remembered; the oldest go first.
const MOST_PASSING: usize = 1000;
const MINUTE: Duration = Duration::from_secs(60);

/// The hashes of the tokens that open the doors.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Requests and conversations at once, and requests a minute, with one token; 0 for any number.
    limits: (usize, usize),
    usage: Arc<Mutex<HashMap<[u8; 32], Usage>>>,
    own: Vec<[u8; 32]>,
    /// Those that are good for a while, and until when.
    passing: Mutex<Vec<Pass>>,
}

/// A token that is good for a while.
#[derive(Debug)]
struct Pass {
    hash: [u8; 32],
    until: Instant,
    /// The session that it was made for.
    session: Arc<Value>,
}

/// What one token is used for.
#[derive(Debug)]
struct Usage {
    inside: usize,
    /// When the minute began in which requests are counted.
    since: Instant,
    requests: usize,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// The token is none of ours.
    Unknown,
    /// Too much is under way with this token.
    TooMany,
    /// Too much was asked with this token in this minute, of which so much is left.
    TooOften { seconds: u64 },
}

impl Denied {
    /// In a word, for the numbers of the house.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "token",
            Self::TooMany => "crowd",
            Self::TooOften { .. } => "often",
        }
    }
}

/// A request that was let in, until it is dropped.
#[derive(Debug)]
pub(super) struct TokenPermit {
    usage: Arc<Mutex<HashMap<[u8; 32], Usage>>>,
    hash: [u8; 32],
}

impl Drop for TokenPermit {
    fn drop(&mut self) {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = usage.get_mut(&self.hash) {
            own.inside -= 1;
        }
    }
}

/// A new token: the prefix and 48 random hexadecimal digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_token() -> std::io::Result<String> {
    random("hk_")
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn random(prefix: &str) -> std::io::Result<String> {
    use std::io::Read;
    let mut bytes = [0; 24];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(prefix.to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

/// The hash of a token as the configuration holds it: `sha256:` and 64 hexadecimal digits.
///
/// ```
/// let hash = hearken::serve::token_hash("secret");
/// assert!(hash.starts_with("sha256:2bb80d537b1da3e3"));
/// ```
#[must_use]
pub fn token_hash(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A hash as the configuration holds it, in bytes.
pub(super) fn parse(hash: &str) -> Option<[u8; 32]> {
    let digits = hash.strip_prefix("sha256:").filter(|digits| digits.is_ascii())?;
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl Tokens {
    /// Those of the configuration; what is no hash opens nothing.
    pub(super) fn new(hashes: &[String]) -> Self {
        let own = hashes.iter().filter_map(|hash| parse(hash)).collect();
        Self { own, ..Self::default() }
    }

    /// The same with so many requests at once, and a minute, for each token; 0 for any number.
    pub(super) fn with_limits(mut self, at_once: usize, a_minute: usize) -> Self {
        self.limits = (at_once, a_minute);
        self
    }

    /// Lets a request in that shows a token.
    pub(super) fn enter(&self, token: &str) -> Result<TokenPermit, Denied> {
        if !self.accept(token) {
            return Err(Denied::Unknown);
        }
        let hash = digest(token);
        let now = Instant::now();
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        // Tokens for a while come and go.
        if usage.len() > MOST_PASSING {
            usage.retain(|_, own| own.inside > 0 || now.duration_since(own.since) < MINUTE);
        }
        let own = usage.entry(hash).or_insert(Usage { inside: 0, since: now, requests: 0 });
        if now.duration_since(own.since) >= MINUTE {
            (own.since, own.requests) = (now, 0);
        }
        let (at_once, a_minute) = self.limits;
        if a_minute > 0 && own.requests >= a_minute {
            let left = MINUTE.saturating_sub(now.duration_since(own.since));
            return Err(Denied::TooOften { seconds: left.as_secs() + 1 });
        }
        if at_once > 0 && own.inside >= at_once {
            return Err(Denied::TooMany);
        }
        own.inside += 1;
        own.requests += 1;
        Ok(TokenPermit { usage: Arc::clone(&self.usage), hash })
    }

    /// Whether anybody may come in.
    pub(super) fn is_open(&self) -> bool {
        self.own.is_empty()
    }

    /// Whether the token is one of the configuration's, and not one that is good for one session.
    pub(super) fn is_lasting(&self, token: &str) -> bool {
        let shown = digest(token);
        self.own.iter().fold(Choice::from(0), |found, own| found | own.ct_eq(&shown)).into()
    }

    /// Whether the token is one of ours. Takes the same time whichever it is, and however wrong.
    pub(super) fn accept(&self, token: &str) -> bool {
        let shown = digest(token);
        let now = Instant::now();
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        passing.retain(|pass| pass.until > now);
        let all = self.own.iter().chain(passing.iter().map(|pass| &pass.hash));
        all.fold(Choice::from(0), |found, own| found | own.ct_eq(&shown)).into()
    }

    /// The session that a token was made for which is good for a while; none for lasting tokens and for what is none
    /// of ours.
    pub(super) fn session_of(&self, token: &str) -> Option<Arc<Value>> {
        let shown = digest(token);
        let now = Instant::now();
        let passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        let pass = passing.iter().find(|pass| pass.until > now && pass.hash.ct_eq(&shown).into());
        pass.map(|pass| Arc::clone(&pass.session))
    }

    /// A new token that is good for a while and for one session: for a web page, which must not know a lasting one.
    pub(super) fn pass(&self, good_for: Duration, session: Value) -> std::io::Result<String> {
        let token = random("ek_")?;
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        if passing.len() >= MOST_PASSING {
            passing.remove(0);
        }
        let (hash, until) = (digest(&token), Instant::now() + good_for);
        passing.push(Pass { hash, until, session: Arc::new(session) });
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_opens_for_a_while() {
        let tokens = Tokens::new(&[token_hash("one")]);
        let pass = |seconds| tokens.pass(Duration::from_secs(seconds), seconds.into()).unwrap();
        let (good, over) = (pass(60), pass(0));
        assert_ne!(good, over);
        assert!(tokens.accept(&good) && tokens.accept("one") && !tokens.accept(&over));
        assert_eq!(tokens.session_of(&good).as_deref(), Some(&60.into()));
        assert_eq!((tokens.session_of("one"), tokens.session_of(&over)), (None, None));
        assert!(tokens.is_lasting("one") && !tokens.is_lasting(&good));
    }

    #[test]
    fn each_token_has_its_limits() {
        let tokens = Tokens::new(&[token_hash("one"), token_hash("two")]).with_limits(2, 4);
        assert_eq!(tokens.enter("three").unwrap_err(), Denied::Unknown);
        let first = tokens.enter("one").unwrap();
        let _second = tokens.enter("one").unwrap();
        assert_eq!(tokens.enter("one").unwrap_err(), Denied::TooMany);
        assert!(tokens.enter("two").is_ok());
        drop(first);
        drop(tokens.enter("one").unwrap());
        drop(tokens.enter("one").unwrap());
        assert!(matches!(tokens.enter("one"), Err(Denied::TooOften { seconds: 1..=61 })));
        assert!(tokens.enter("two").is_ok());
    }

    #[test]
    fn only_ours_open() {
        let tokens = Tokens::new(&[token_hash("one"), token_hash("two"), "secret".into()]);
        for (token, want) in
            [("one", true), ("two", true), ("three", false), ("", false), ("secret", false)]
        {
            assert_eq!(tokens.accept(token), want, "{token}");
        }
        assert!(!tokens.is_open() && Tokens::default().is_open());
        for wrong in
            ["", "sha256:", "sha256:zz", &format!("sha256:{}", "é".repeat(32)), &"0".repeat(64)]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
