//! The keys that webhooks are signed with.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use gradus_core::names::PipelineKey;
use gradus_core::pipeline::ForgeKind;

use super::base64;
use super::signature::Signature;

/// The keys that webhooks are signed with.
///
/// A pipeline or cluster that has keys of its own takes only those; the others take the
/// global ones. More than one key is good at the same time, so that one can be
/// replaced without losing events. A signature covers the body and not the
/// address: give pipelines whose senders do not trust each other a key each.
#[derive(Default)]
pub struct HookKeys {
    global: Vec<HookKey>,
    own: BTreeMap<Owner, Vec<HookKey>>,
}

/// Who has keys of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Pipeline(PipelineKey),
    /// The namespace and name of the object that describes a cluster.
    Cluster(String, String),
    /// All forges of a kind.
    Forge(ForgeKind),
}

impl Owner {
    /// None for what cannot be a pipeline.
    pub(super) fn pipeline(namespace: &str, name: &str) -> Option<Self> {
        PipelineKey::parse(&format!("{namespace}/{name}")).ok().map(Self::Pipeline)
    }

    pub(super) fn cluster(namespace: &str, name: &str) -> Self {
        Self::Cluster(namespace.to_owned(), name.to_owned())
    }
}

/// A key that webhooks are signed with.
pub struct HookKey {
    sha256: hmac::Key,
    sha512: hmac::Key,
    /// The one that is written in this text, where it is written as Standard Webhooks do.
    standard: Option<hmac::Key>,
}

/// What a key begins with that is written as Standard Webhooks do.
const STANDARD: &[u8] = b"whsec_";
/// What is signed to find out whether two keys are the same.
const SAME: &[u8] = b"gradus: the same key";

impl HookKey {
    /// A key of these bytes; `None` when there are none: an empty key protects nothing.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self {
            sha256: hmac::Key::new(hmac::HMAC_SHA256, bytes),
            sha512: hmac::Key::new(hmac::HMAC_SHA512, bytes),
            standard: bytes
                .strip_prefix(STANDARD)
                .and_then(base64::decoded)
                .map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        })
    }

    /// Whether the signature is of this body with this key. Compares in constant time.
    fn made(&self, signature: &Signature, body: &[u8]) -> bool {
        match signature {
            Signature::Sha256(tag) => hmac::verify(&self.sha256, body, tag).is_ok(),
            Signature::Sha512(tag) => hmac::verify(&self.sha512, body, tag).is_ok(),
            // Two keys are one where they sign alike, and that is compared in constant time.
            Signature::Token(token) => {
                let sent = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, token), SAME);
                hmac::verify(&self.sha256, SAME, sent.as_ref()).is_ok()
            }
            Signature::Standard { before, tags } => self.standard.as_ref().is_some_and(|key| {
                let signed = [before.as_slice(), body].concat();
                tags.iter().any(|tag| hmac::verify(key, &signed, tag).is_ok())
            }),
        }
    }
}

impl fmt::Debug for HookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookKey(..)")
    }
}

impl HookKeys {
    /// No keys: webhooks are taken unsigned where only this machine can send them, and nowhere else.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with a key for every pipeline that has none of its own.
    pub fn with_global(mut self, key: HookKey) -> Self {
        self.global.push(key);
        self
    }

    /// The same with a key for one pipeline.
    pub fn with_pipeline(self, pipeline: PipelineKey, key: HookKey) -> Self {
        self.with_own(Owner::Pipeline(pipeline), key)
    }

    /// The same with a key for all forges of a kind.
    pub fn with_forge(self, forge: ForgeKind, key: HookKey) -> Self {
        self.with_own(Owner::Forge(forge), key)
    }

    /// The same with a key for one.
    pub(super) fn with_own(mut self, owner: Owner, key: HookKey) -> Self {
        self.own.entry(owner).or_default().push(key);
        self
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.global.is_empty() && self.own.is_empty()
    }

    /// Whether the signature is of this body with a key for this pipeline or cluster.
    pub(super) fn verify(&self, owner: Option<&Owner>, signature: &Signature, body: &[u8]) -> bool {
        let own = owner.and_then(|owner| self.own.get(owner));
        own.unwrap_or(&self.global).iter().any(|key| key.made(signature, body))
    }
}

impl fmt::Debug for HookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own: Vec<String> = self.own.keys().map(|owner| format!("{owner:?}")).collect();
        f.debug_struct("HookKeys").field("global", &self.global.len()).field("own", &own).finish()
    }
}
