//! A small HTTP client that sends exactly what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Nothing here takes longer, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body, if it is JSON with its keys sorted and indented.
    pub(crate) fn pretty(&self) -> String {
        match serde_json::from_str::<serde_json::Value>(&self.body) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => self.body.clone(),
        }
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of the error that it is.
    pub(crate) fn code(&self) -> String {
        self.json::<gradus_server::api::v1::ErrorBody>().error.code
    }
}

/// A request: `METHOD /path`, then headers, a line each.
pub(crate) async fn ask(to: SocketAddr, head: &str, body: &[u8]) -> Answer {
    raw(to, &request(to, head, body)).await
}

/// The bytes of a request.
pub(crate) fn request(to: SocketAddr, head: &str, body: &[u8]) -> Vec<u8> {
    let has_host = head.lines().any(|line| line.to_ascii_lowercase().starts_with("host:"));
    let mut lines = head.lines().map(str::trim);
    let mut text = format!("{} HTTP/1.1\r\n", lines.next().unwrap());
    if !has_host {
        text.push_str(&format!("Host: {to}\r\n"));
    }
    for line in lines {
        text.push_str(&format!("{line}\r\n"));
    }
    text.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends these bytes and reads until the server ends the connection.
pub(crate) async fn raw(to: SocketAddr, bytes: &[u8]) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        read_answer(&mut stream).await
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("the server answers")
}

pub(crate) async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    // A server that refuses a body may close while it is still being sent.
    while let Ok(read @ 1..) = stream.read(&mut some).await {
        bytes.extend_from_slice(&some[..read]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { panic!("not an answer: {text:?}") };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
