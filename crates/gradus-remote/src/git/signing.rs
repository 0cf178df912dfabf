//! Commits signed as `git commit -S` does with `gpg.format=ssh`, in process.
//!
//! Ed25519 and nothing else: its signature of the same commit is always the same, so that the same order makes the same
//! commit however often, and wherever, it is carried out.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest::{SHA512, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::private_key;
use crate::Secret;

/// What is signed for, so that a signature of one thing is none of another.
const NAMESPACE: &[u8] = b"git";
const HASH: &[u8] = b"sha512";
const MAGIC: &[u8] = b"SSHSIG";
const KIND: &[u8] = b"ssh-ed25519";
/// Characters of a line, as `ssh-keygen` has them.
const LINE: usize = 70;

/// A key with which commits are signed. Never printed.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
}

impl SigningKey {
    /// Takes a private key of Ed25519, as OpenSSH keeps it in a file, without a passphrase; the error says what is wrong.
    pub fn parse(key: &Secret) -> Result<Self, String> {
        let (seed, public) = private_key::ed25519(key)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public)
            .map_err(|_| "its two halves do not belong together".to_owned())?;
        Ok(Self { pair: Arc::new(pair) })
    }

    /// The public half, as a line of `allowed_signers` and of a forge has it.
    pub fn public(&self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(self.public_blob()))
    }

    /// The commit with its signature.
    pub(super) fn sign(&self, commit: &str) -> String {
        let mut signed = MAGIC.to_vec();
        put(&mut signed, NAMESPACE);
        put(&mut signed, b"");
        put(&mut signed, HASH);
        put(&mut signed, digest(&SHA512, commit.as_bytes()).as_ref());
        let mut signature = Vec::new();
        put(&mut signature, KIND);
        put(&mut signature, self.pair.sign(&signed).as_ref());

        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&1_u32.to_be_bytes());
        put(&mut blob, &self.public_blob());
        put(&mut blob, NAMESPACE);
        put(&mut blob, b"");
        put(&mut blob, HASH);
        put(&mut blob, &signature);

        // A header over several lines; each further one begins with a space.
        let mut header = String::from("gpgsig -----BEGIN SSH SIGNATURE-----\n");
        let text = STANDARD.encode(blob);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            header.push_str(&format!(" {line}\n"));
            rest = more;
        }
        header.push_str(" -----END SSH SIGNATURE-----\n");
        match commit.split_once("\n\n") {
            Some((head, message)) => format!("{head}\n{header}\n{message}"),
            None => format!("{commit}{header}"),
        }
    }

    fn public_blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, KIND);
        put(&mut blob, self.pair.public_key().as_ref());
        blob
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.pair.public_key().as_ref() == other.pair.public_key().as_ref()
    }
}

impl Eq for SigningKey {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

fn put(blob: &mut Vec<u8>, text: &[u8]) {
    // Nothing here is near four gigabytes.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    blob.extend_from_slice(&length.to_be_bytes());
    blob.extend_from_slice(text);
}
