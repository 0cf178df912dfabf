//! Signatures: which Secret a request has to be signed with, and whether it is.

use aws_lc_rs::hmac;

use crate::effective::effective;
use crate::kind::{Pipeline, PromotionSpec};
use crate::name::ObjectName;

/// The header with the signature.
pub const HEADER: &str = "X-Signature";
/// The field of the Secret that holds the key.
pub const FIELD: &str = "hmac-key";

/// What a request has to be signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing: no Secret is named.
    Open,
    /// The key in this Secret, in the namespace of the pipeline.
    Secret(ObjectName),
    /// What cannot be had, so that no signature is good.
    None,
}

/// Whether a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// No signature is asked for.
    NotAsked,
    /// It is, with the right key.
    Good,
    /// It is not, or with another key, or there is no key.
    Bad,
}

impl Signed {
    /// Whether the request may be believed.
    pub fn is_fine(self) -> bool {
        match self {
            Self::NotAsked | Self::Good => true,
            Self::Bad => false,
        }
    }
}

/// What a request has to be signed with that could promote to this environment.
///
/// It is the Secret of the promotion that is in force there, or else the one of
/// the pipeline. Where the request names no environment that could be promoted to,
/// and only environments have Secrets, nobody can sign it and it is refused.
pub fn key(pipeline: &Pipeline, to: Option<&str>) -> Key {
    let secret = |promotion: &PromotionSpec| promotion.strategy.secret_ref.clone();
    let own = to.and_then(|to| effective(pipeline, to)).and_then(secret);
    let named = own.or_else(|| pipeline.spec.promotion.as_ref().and_then(secret));
    if let Some(named) = named {
        return ObjectName::parse(&named.name).map_or(Key::None, Key::Secret);
    }
    let known = to.is_some_and(|to| pipeline.environment(to).is_some());
    let elsewhere = pipeline.spec.environments.iter().filter_map(|one| one.promotion.as_ref());
    if !known && elsewhere.into_iter().any(|promotion| secret(promotion).is_some()) {
        return Key::None;
    }
    Key::Open
}

/// Whether the header is the signature of these bytes with this key.
///
/// Compared in constant time, and what would have been right is told to nobody:
/// it would be a signature for whatever was sent.
pub fn verify(key: &[u8], header: Option<&str>, signed: &[u8]) -> Signed {
    if key.is_empty() {
        return Signed::Bad;
    }
    let Some((algorithm, digits)) = header.and_then(|header| header.split_once('=')) else {
        return Signed::Bad;
    };
    let algorithm = match algorithm {
        "sha224" => hmac::HMAC_SHA224,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _unknown => return Signed::Bad,
    };
    let Some(tag) = unhex(digits) else { return Signed::Bad };
    match hmac::verify(&hmac::Key::new(algorithm, key), signed, &tag) {
        Ok(()) => Signed::Good,
        Err(_) => Signed::Bad,
    }
}

/// The longest signature that is looked at: that of SHA-512, in hex digits.
const LONGEST: usize = 128;

/// Lower-case digits only, as senders write them.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || digits.len() > LONGEST || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _other => None,
    };
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?)).collect()
}
