//! Whoever sends events: HTTP on connections that are kept.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Flux waits so long for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// A connection that nobody used for longer is not used again: the server may be about to end it.
const FRESH: Duration = Duration::from_secs(5);

pub(crate) struct Sender {
    to: SocketAddr,
    idle: Mutex<Vec<(TcpStream, Instant)>>,
}

impl Sender {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self { to, idle: Mutex::default() }
    }

    /// Posts a body; the status of the answer, or why there is none.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Result<u16, String> {
        Ok(self.ask("POST", path, body).await?.0)
    }

    /// What is there.
    pub(crate) async fn get(&self, path: &str) -> Result<String, String> {
        Ok(self.ask("GET", path, "").await?.1)
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.to,
            body.len()
        );
        let exchange = async {
            let mut stream = match self.kept() {
                Some(stream) => stream,
                None => TcpStream::connect(self.to).await.map_err(|error| error.kind().to_string())?,
            };
            stream.write_all(text.as_bytes()).await.map_err(|error| error.kind().to_string())?;
            let answer = read(&mut stream).await?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((stream, Instant::now()));
            Ok(answer)
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    fn kept(&self) -> Option<TcpStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = idle.pop();
        let found = newest.filter(|(_, since)| since.elapsed() < FRESH);
        if found.is_none() {
            idle.clear();
        }
        found.map(|(stream, _)| stream)
    }
}

async fn read(stream: &mut TcpStream) -> Result<(u16, String), String> {
    let mut bytes = Vec::new();
    let mut some = [0; 16 * 1024];
    let mut more = async |bytes: &mut Vec<u8>| match stream.read(&mut some).await {
        Ok(0) => Err("cut off".to_owned()),
        Ok(count) => {
            bytes.extend_from_slice(&some[..count]);
            Ok(())
        }
        Err(error) => Err(error.kind().to_string()),
    };
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        more(&mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    while bytes.len() < end + length.unwrap_or(0) {
        more(&mut bytes).await?;
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    status.map(|status| (status, body)).ok_or_else(|| "no answer".to_owned())
}
