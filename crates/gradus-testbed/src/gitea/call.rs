//! Calls of its API, with as little HTTP as they need.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Gitea;
use crate::{TestbedError, TestbedErrorKind};

/// What Gitea answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Gitea {
    /// Calls the API. `who` is a token, or a name and a password with a colon between
    /// them, or nobody.
    pub async fn call(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Said, TestbedError> {
        let doing = || format!("could not call {method} {path} of Gitea");
        let authorization = match who {
            "" => String::new(),
            who if who.contains(':') => format!("Authorization: Basic {}\r\n", base64(who.as_bytes())),
            token => format!("Authorization: token {token}\r\n"),
        };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{authorization}\r\n{body}",
            self.port,
            body.len()
        );
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).await.map_err(TestbedError::machine(doing()))?;
        stream.write_all(request.as_bytes()).await.map_err(TestbedError::machine(doing()))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(TestbedError::machine(doing()))?;
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let Some((status, (_, body))) = status.zip(text.split_once("\r\n\r\n")) else {
            return Err(TestbedError::new(TestbedErrorKind::NotReady, format!("{}: it broke off", doing())));
        };
        Ok(Said { status, body: serde_json::from_str(body).unwrap_or(Value::Null) })
    }
}

/// Bytes as text, as HTTP and Gitea want them.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let mut bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        bits <<= 8 * (3 - three.len());
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_of_every_length_is_written() {
        let told = ["", "f", "fo", "foo", "foob", "a:b~?>"].map(|text| super::base64(text.as_bytes()));
        assert_eq!(told, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "YTpifj8+"]);
    }
}
