//! One request for objects and its answer.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{
    Credentials, Limits, ObjectId,
    error::{Fault, Outcome},
    pack::too_many_objects,
    pkt::{Packet, Packets, Request, Text},
};
use crate::git::GitErrorKind;

/// What of the wanted objects' own content comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Nothing but the wanted objects, and the ancestors of wanted commits.
    NoTrees,
    /// Everything below them except files.
    NoBlobs,
    /// Everything.
    Whole,
}

pub(super) struct Wanted<'a> {
    pub(super) ids: &'a BTreeSet<ObjectId>,
    pub(super) filter: Filter,
    pub(super) deepen: Option<u32>,
    /// Commits whose folders are here as far as they are needed, and whose parents are not.
    pub(super) held: &'a [ObjectId],
}

impl Wanted<'_> {
    /// A request of protocol version 2.
    pub(super) fn v2(&self) -> Vec<u8> {
        let mut request = Request::default();
        request.line("command=fetch").line(AGENT_LINE).line("object-format=sha1").delimiter();
        request.line("no-progress").line("ofs-delta");
        if !self.held.is_empty() {
            // Without it the host sends everything again: a commit without its parents has no edge to compare with.
            request.line("thin-pack");
        }
        for id in self.ids {
            request.line(&format!("want {id}\n"));
        }
        self.boundary(&mut request);
        match self.filter {
            Filter::NoTrees => request.line("filter tree:0"),
            Filter::NoBlobs => request.line("filter blob:none"),
            Filter::Whole => &mut request,
        };
        for id in self.held {
            request.line(&format!("have {id}\n"));
        }
        request.line("done\n").flush().bytes()
    }

    /// A request of the first protocol; it knows no filters.
    pub(super) fn v0(&self) -> Vec<u8> {
        let mut request = Request::default();
        for (n, id) in self.ids.iter().enumerate() {
            let words = match (n, self.held) {
                (0, []) => FIRST_WORDS.to_owned(),
                (0, _) => format!("{FIRST_WORDS} thin-pack"),
                _ => String::new(),
            };
            request.line(&format!("want {id}{words}\n"));
        }
        self.boundary(&mut request);
        request.flush();
        for id in self.held {
            request.line(&format!("have {id}\n"));
        }
        request.line("done\n").bytes()
    }

    fn boundary(&self, request: &mut Request) {
        for id in self.held {
            request.line(&format!("shallow {id}"));
        }
        if let Some(depth) = self.deepen {
            request.line(&format!("deepen {depth}"));
        }
    }
}

/// What the first line of an old request says of the answer it wants.
const FIRST_WORDS: &str = " side-band-64k ofs-delta no-progress shallow agent=gradus";

pub(super) const AGENT_LINE: &str = concat!("agent=gradus/", env!("CARGO_PKG_VERSION"));

/// Reads the answer up to the end of its pack.
pub(super) async fn read_answer(
    mut packets: Packets,
    v2: bool,
    limits: &Limits,
    credentials: &Credentials,
) -> Outcome<Bytes> {
    if v2 {
        skip_to_pack_v2(&mut packets, credentials).await?;
    } else {
        skip_to_pack_v0(&mut packets, credentials).await?;
    }
    let mut side = SideBand::new(limits, credentials);
    let mut pack = Vec::new();
    loop {
        match packets.next().await? {
            Packet::Line(line) => {
                if let Some(data) = side.take(&line)? {
                    pack.extend_from_slice(data);
                    check_count(&pack, limits)?;
                }
            }
            Packet::Flush | Packet::ResponseEnd => break,
            Packet::Delimiter => return Err(Fault::protocol("a section after the pack")),
            Packet::End => return Err(Fault::protocol("the pack is cut off")),
        }
    }
    packets.finish().await;
    Ok(pack.into())
}

pub(super) async fn skip_to_pack_v2(packets: &mut Packets, credentials: &Credentials) -> Outcome<()> {
    loop {
        match packets.text(credentials).await? {
            Text::Line(line) if line == "packfile" => return Ok(()),
            Text::Line(_) | Text::Delimiter => {}
            Text::Flush | Text::End => return Err(Fault::protocol("it holds no pack")),
        }
    }
}

async fn skip_to_pack_v0(packets: &mut Packets, credentials: &Credentials) -> Outcome<()> {
    loop {
        match packets.text(credentials).await? {
            // The last acknowledgement before the pack; those before it say "common" or "continue".
            Text::Line(line) if line == "NAK" => return Ok(()),
            Text::Line(line) if line.starts_with("ACK ") && line.split(' ').count() == 2 => return Ok(()),
            Text::Line(_) | Text::Flush => {}
            Text::Delimiter | Text::End => return Err(Fault::protocol("it holds no pack")),
        }
    }
}

/// The number of objects stands at the start: no need to take the rest of a pack that holds too many.
fn check_count(pack: &[u8], limits: &Limits) -> Outcome<()> {
    match pack.get(8..12) {
        Some(&[a, b, c, d]) if u32::from_be_bytes([a, b, c, d]) > limits.objects => {
            Err(too_many_objects(limits))
        }
        _ => Ok(()),
    }
}

/// Takes apart the bands of an answer: data, messages, a fatal message.
pub(super) struct SideBand<'a> {
    limits: &'a Limits,
    credentials: &'a Credentials,
    seen: u64,
    text: Vec<u8>,
}

impl<'a> SideBand<'a> {
    pub(super) fn new(limits: &'a Limits, credentials: &'a Credentials) -> Self {
        Self { limits, credentials, seen: 0, text: Vec::new() }
    }

    /// The data of a packet, if it carries any; an empty packet keeps the connection alive.
    pub(super) fn take<'b>(&mut self, line: &'b [u8]) -> Outcome<Option<&'b [u8]>> {
        match line.split_first() {
            Some((1, data)) => Ok(Some(data)),
            Some((2, text)) => {
                self.seen += text.len() as u64;
                if self.seen > self.limits.text_bytes {
                    let limit = self.limits.text_bytes;
                    return Err(GitErrorKind::TooLarge { what: "the host's messages", limit }.into());
                }
                self.text.extend_from_slice(text);
                Ok(None)
            }
            Some((3, text)) => {
                self.text.extend_from_slice(text);
                Err(GitErrorKind::Refused(self.text()).into())
            }
            Some(_) => Err(Fault::protocol("a packet in no band")),
            None => Ok(None),
        }
    }

    /// The host's messages so far.
    pub(super) fn text(&self) -> String {
        self.credentials.clean(&self.text)
    }
}

/// The most ids in one request.
pub(super) const WANTS: usize = 8192;

/// Cuts a set into requests of bearable size.
pub(super) fn portions(ids: &BTreeSet<ObjectId>) -> impl Iterator<Item = BTreeSet<ObjectId>> {
    let ids: Vec<_> = ids.iter().copied().collect();
    let portions: Vec<BTreeSet<_>> =
        ids.chunks(WANTS).map(|portion| portion.iter().copied().collect()).collect();
    portions.into_iter()
}
