//! Packet lines: four hexadecimal digits of length, then the bytes. Written to a buffer, read from a bounded stream.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    error::{Fault, Outcome},
    options::Credentials,
    stream::{Source, Stream},
};
use crate::git::GitErrorKind;

/// The longest packet line the protocol allows, its four digits included.
const LONGEST: usize = 65_520;

/// A request made of packet lines.
#[derive(Default)]
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
        self
    }

    pub(super) fn delimiter(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0001");
        self
    }

    pub(super) fn flush(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0000");
        self
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Line(Bytes),
    Flush,
    Delimiter,
    ResponseEnd,
    /// The stream ended between two packets.
    End,
}

/// Reads packet lines from an answer.
pub(super) struct Packets {
    stream: Stream,
    buffer: BytesMut,
    /// Whether the last packet was a flush, with which every answer ends.
    flushed: bool,
}

impl Packets {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, buffer: BytesMut::new(), flushed: false }
    }

    pub(super) async fn next(&mut self) -> Outcome<Packet> {
        let packet = self.packet().await?;
        self.flushed = packet == Packet::Flush;
        Ok(packet)
    }

    async fn packet(&mut self) -> Outcome<Packet> {
        if !self.fill(4).await? {
            if self.buffer.is_empty() {
                return Ok(Packet::End);
            }
            return Err(truncated());
        }
        let digits = [self.buffer[0], self.buffer[1], self.buffer[2], self.buffer[3]];
        let length = digits.iter().try_fold(0, |sum, &c| Some(sum * 16 + (c as char).to_digit(16)? as usize));
        let Some(length) = length else {
            let start = String::from_utf8_lossy(&digits).into_owned();
            return Err(Fault::protocol(format!("{start:?} is not the length of a packet line")));
        };
        let special = match length {
            0 => Packet::Flush,
            1 => Packet::Delimiter,
            2 => Packet::ResponseEnd,
            3 | LONGEST.. if length == 3 || length > LONGEST => {
                return Err(Fault::protocol(format!("a packet line of {length} bytes")));
            }
            _ => {
                if !self.fill(length).await? {
                    return Err(truncated());
                }
                self.buffer.advance(4);
                return Ok(Packet::Line(self.buffer.split_to(length - 4).freeze()));
            }
        };
        self.buffer.advance(4);
        Ok(special)
    }

    /// The next line as text without its line feed; an error the host reports becomes ours.
    pub(super) async fn text(&mut self, credentials: &Credentials) -> Outcome<Text> {
        let line = match self.next().await? {
            Packet::Line(line) => line,
            Packet::Flush => return Ok(Text::Flush),
            Packet::Delimiter => return Ok(Text::Delimiter),
            Packet::ResponseEnd | Packet::End => return Ok(Text::End),
        };
        if let Some(message) = line.strip_prefix(b"ERR ") {
            return Err(GitErrorKind::Refused(credentials.clean(message)).into());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Text::Line(line.to_owned())),
            Err(_) => Err(Fault::protocol("a line that is not UTF-8")),
        }
    }

    /// Reads to the end where it is near, so that the connection can be used again.
    pub(super) async fn finish(mut self) {
        if self.stream.goes_on() {
            // What is left of an answer would be taken for the start of the next one.
            while !self.flushed {
                let Ok(Packet::Line(_) | Packet::Flush | Packet::Delimiter) = self.next().await else {
                    return;
                };
            }
            if !self.buffer.is_empty() {
                return;
            }
        }
        self.stream.finish().await;
    }

    /// Reads to the end of an answer that nobody wants, and gives back what carried it.
    pub(super) async fn skip(mut self, credentials: &Credentials) -> Outcome<Source> {
        loop {
            match self.next().await? {
                Packet::Flush => return Ok(self.stream.into_source()),
                Packet::Line(line) => {
                    if let Some(message) = line.strip_prefix(b"ERR ") {
                        return Err(GitErrorKind::Refused(credentials.clean(message)).into());
                    }
                }
                Packet::Delimiter => {}
                Packet::ResponseEnd | Packet::End => {
                    return Err(Fault::protocol("the list of references is cut off"));
                }
            }
        }
    }

    /// Whether that many bytes are in the buffer, or the stream ended before.
    async fn fill(&mut self, wanted: usize) -> Outcome<bool> {
        while self.buffer.len() < wanted {
            match self.stream.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return self.stream.verdict().await.map(|()| false),
            }
        }
        Ok(true)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text {
    Line(String),
    Flush,
    Delimiter,
    End,
}

fn truncated() -> Fault {
    Fault::protocol("it ends in the middle of a packet line")
}
