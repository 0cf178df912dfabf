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
