//! An app on GitHub: what it signs, and the tokens that it gets for that.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::serve::Reply;
use super::Hub;

/// An app that is installed.
pub(in crate::forge::github) struct App {
    pub(in crate::forge::github) public_key: Vec<u8>,
    pub(in crate::forge::github) permissions: Value,
    /// So long a token is good, in seconds.
    pub(in crate::forge::github) life: i64,
    pub(in crate::forge::github) tokens: Vec<String>,
}

impl Hub {
    /// Whether the app has signed it, for no longer than GitHub takes.
    pub(super) fn signed(&self, token: &str) -> bool {
        let Some(app) = &self.app else { return false };
        let Some((text, signature)) = token.rsplit_once('.') else { return false };
        let (header, claims) = text.split_once('.').unwrap();
        let header: Value = serde_json::from_slice(&unpacked(header)).unwrap();
        let claims: Value = serde_json::from_slice(&unpacked(claims)).unwrap();
        let (from, to) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        let now = Timestamp::now().as_second();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key);
        header["alg"] == "RS256"
            && claims["iss"] == "7"
            && from <= now
            && to > now
            && to - from <= 600
            && key.verify(text.as_bytes(), &unpacked(signature)).is_ok()
    }

    pub(super) fn token(&mut self, signed: &str) -> Reply {
        if !self.signed(signed) {
            return Reply::says(401, "A JSON web token could not be decoded");
        }
        let app = self.app.as_mut().unwrap();
        let token = format!("ghs_{}", app.tokens.len());
        app.tokens.push(token.clone());
        let until = Timestamp::now() + SignedDuration::from_secs(app.life);
        let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Reply::of(201, json!({"token": token, "expires_at": until, "permissions": app.permissions}))
    }
}

/// Bytes that were packed as JSON web tokens are.
fn unpacked(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut room) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            other => panic!("{other}"),
        };
        bits = bits << 6 | u32::from(value);
        room += 6;
        if room >= 8 {
            room -= 8;
            bytes.push((bits >> room & 0xff) as u8);
        }
    }
    bytes
}
