//! The secret part of a token.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// A token as its owner holds it: shown once, when it is made, and never stored.
///
/// It is 256 random bits, so it cannot be guessed, whatever hash of it leaks. That
/// is why the file keeps a plain SHA-256 of it: a slow hash protects secrets that
/// people make up, and here it would only make every request slow.
#[derive(Clone)]
pub struct TokenSecret(String);

/// What every token begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "gradus_";
/// The longest text that is looked at as a token.
const LONGEST: usize = 256;

impl TokenSecret {
    /// A new one. Fails when the machine has no randomness to give.
    pub(super) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", hex(&bytes))))
    }

    /// The token as text, for its owner's eyes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(..)")
    }
}

/// The hash of a token as it is stored; `None` for what cannot be a token.
pub(super) fn hash(token: &str) -> Option<String> {
    (token.len() <= LONGEST).then(|| format!("sha256:{}", hex(digest(&SHA256, token.as_bytes()).as_ref())))
}

/// Bytes as lower case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
