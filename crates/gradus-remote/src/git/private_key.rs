//! Private keys as OpenSSH keeps them in files.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Secret;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Whether it looks like a private key that can be used without asking anybody; the error says what is wrong.
pub(super) fn look(key: &Secret) -> Result<(), &'static str> {
    let text = key.expose();
    if text.contains("ENCRYPTED") {
        return Err(PASSPHRASE);
    }
    if !text.contains("-----BEGIN ") {
        return Err(match text.split(' ').next() {
            Some(kind) if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") => "it is a public key",
            Some(_) | None => "it is not a private key: it does not begin with -----BEGIN",
        });
    }
    // Keys of other forms are for ssh to read.
    if text.contains(BEGIN) { halves(text).map(|_| ()) } else { Ok(()) }
}

const PASSPHRASE: &str = "it is protected by a passphrase";
const MALFORMED: &str = "it is cut off or damaged";

/// The part of a key's file that holds both halves, if it is not encrypted.
fn halves(text: &str) -> Result<Vec<u8>, &'static str> {
    if !text.contains(BEGIN) {
        return Err(
            "it is not in the form of OpenSSH, which begins with -----BEGIN OPENSSH PRIVATE KEY-----",
        );
    }
    let body = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).ok_or(MALFORMED)?.0;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|_| MALFORMED)?;
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(MALFORMED)?;
    let cipher = string(&mut rest).ok_or(MALFORMED)?;
    if cipher != b"none" {
        return Err(PASSPHRASE);
    }
    let mut fields = || {
        string(&mut rest)?;
        string(&mut rest)?;
        // Only one key is ever in a file.
        (number(&mut rest)? == 1).then_some(())?;
        string(&mut rest)?;
        string(&mut rest).map(<[u8]>::to_vec)
    };
    fields().ok_or(MALFORMED)
}

/// The two halves of a key of Ed25519: what it is made from, and what others know; the error says why it is none.
pub(super) fn ed25519(key: &Secret) -> Result<([u8; 32], [u8; 32]), String> {
    look(key)?;
    let private = halves(key.expose())?;
    let mut rest = private.as_slice();
    let mut kind = || {
        // Two numbers that are the same where nothing went wrong.
        (number(&mut rest)? == number(&mut rest)?).then_some(())?;
        string(&mut rest)
    };
    let kind = kind().ok_or(MALFORMED)?;
    if kind != b"ssh-ed25519" {
        let kind = String::from_utf8_lossy(kind);
        return Err(format!(
            "it is a key of the kind {kind}: only ssh-ed25519 signs the same commit the same each time"
        ));
    }
    let mut fields = || {
        let public = string(&mut rest)?.try_into().ok()?;
        let (seed, _) = string(&mut rest)?.split_first_chunk::<32>()?;
        Some((*seed, public))
    };
    fields().ok_or_else(|| MALFORMED.to_owned())
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (digits, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*digits))
}

fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(bytes)?;
    let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(text)
}
