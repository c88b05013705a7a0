//! Tokens: what a client shows to be let in. Only their hashes are kept.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The hashes of the tokens that open the doors.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens(Vec<[u8; 32]>);

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
        Self(hashes.iter().filter_map(|hash| parse(hash)).collect())
    }

    /// Whether anybody may come in.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the token is one of ours. Takes the same time whichever it is, and however wrong.
    pub(super) fn accept(&self, token: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let found = self.0.iter().fold(Choice::from(0), |found, own| found | own.ct_eq(&shown));
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
