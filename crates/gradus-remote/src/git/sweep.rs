//! Everything below some folders in one answer, looked at while it comes and dropped.
//!
//! Of the answer itself only the last bytes are held, and of what was inflated only what was used last. An object that
//! is said as a difference to one that is gone by then is left out: whoever needs it asks for it by its id.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use tokio::sync::mpsc;

use super::{
    Limits, ObjectId,
    delta::{apply_delta, delta_sizes},
    error::{Fault, Outcome},
    fetch::{Filter, SideBand, Wanted, skip_to_pack_v2},
    look::Onlooker,
    lru::Lru,
    object::{Kind, Object},
    pack::{Bytewise, malformed, too_many_objects},
    pkt::{Packet, Packets},
    remote::compute,
    session::{Session, is_of_its_content},
    stream::Bound,
    transport::Service,
};
use crate::git::GitErrorKind;

/// How much is held, in bytes.
struct Room {
    /// Of the answer, as it came.
    held: usize,
    /// Of that, so much goes at once.
    goes: usize,
    /// Of what was inflated.
    inflated: u64,
    /// Of folders, for the look that asked.
    folders: usize,
}

const ROOM: Room = Room { held: 32 << 20, goes: 8 << 20, inflated: 24 << 20, folders: 64 << 20 };

/// So many pieces of the answer wait for being looked at.
const WAITING: usize = 32;
/// An answer that is not kept may be so many times as large as one that is.
const TIMES: u64 = 16;

impl Session<'_> {
    /// Asks for everything below these folders and shows the files of it. The folders are remembered. What could not
    /// be had this way is not missed.
    pub(super) async fn sweep(
        &mut self,
        folders: &BTreeSet<ObjectId>,
        onlooker: &Arc<dyn Onlooker>,
    ) -> Outcome<()> {
        match self.swept(folders, onlooker).await {
            Ok(trees) => {
                for (id, tree) in trees {
                    self.remember(id, tree);
                }
                Ok(())
            }
            Err(fault) if is_of_its_content(&fault) => {
                tracing::debug!(url = %self.remote.url, %fault, "files are asked for one by one");
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    async fn swept(
        &self,
        folders: &BTreeSet<ObjectId>,
        onlooker: &Arc<dyn Onlooker>,
    ) -> Outcome<Vec<(ObjectId, Object)>> {
        let remote = self.remote;
        let body = Wanted { ids: folders, filter: Filter::Whole, deepen: None, held: &[] }.v2();
        let bound = Bound { what: "the size of an answer", bytes: TIMES * remote.limits.pack_bytes };
        let stream = remote.transport.request(Service::UploadPack, true, body, bound).await?;
        let mut packets = Packets::new(stream);
        skip_to_pack_v2(&mut packets, &remote.credentials).await?;
        let (sender, pieces) = mpsc::channel(WAITING);
        let (limits, onlooker) = (remote.limits.clone(), Arc::clone(onlooker));
        let looking = compute(move || Sweep::new(pieces, limits, onlooker, ROOM).run());
        let reading = async {
            let mut side = SideBand::new(&remote.limits, &remote.credentials);
            loop {
                match packets.next().await? {
                    Packet::Line(line) => {
                        if side.take(&line)?.is_some() && sender.send(line.slice(1..)).await.is_err() {
                            // Whoever looked knows why that was the end.
                            return Ok(());
                        }
                    }
                    Packet::Flush | Packet::ResponseEnd => break,
                    Packet::Delimiter => return Err(Fault::protocol("a section after the pack")),
                    Packet::End => return Err(Fault::protocol("the pack is cut off")),
                }
            }
            drop(sender);
            packets.finish().await;
            Ok(())
        };
        let (read, looked) = tokio::join!(reading, looking);
        // Where reading failed, that is why what was looked at is cut off.
        read?;
        looked?
    }
}

struct Sweep {
    pieces: mpsc::Receiver<Bytes>,
    limits: Limits,
    onlooker: Arc<dyn Onlooker>,
    room: Room,
    /// The end of what came so far.
    held: VecDeque<u8>,
    /// How much came before that, and went.
    gone: u64,
    /// Up to where it was read.
    at: u64,
    entries: Vec<Entry>,
    inflated: Lru<usize>,
    zlib: Decompress,
    trees: Vec<(ObjectId, Object)>,
    tree_bytes: usize,
    left: u64,
}

struct Entry {
    at: u64,
    data: u64,
    size: u64,
    base: Base,
}

#[derive(Clone, Copy)]
enum Base {
    Whole(Kind),
    Entry(usize),
    /// What it is cannot be known any more.
    Lost,
}

impl Sweep {
    fn new(pieces: mpsc::Receiver<Bytes>, limits: Limits, onlooker: Arc<dyn Onlooker>, room: Room) -> Self {
        Self {
            pieces,
            left: TIMES * limits.inflated_bytes,
            limits,
            onlooker,
            held: VecDeque::new(),
            gone: 0,
            at: 0,
            entries: Vec::new(),
            inflated: Lru::new(room.inflated),
            room,
            zlib: Decompress::new(true),
            trees: Vec::new(),
            tree_bytes: 0,
        }
    }

    /// Reads to the end of the last object. The checksum behind it says nothing that the ids of the objects do not.
    fn run(mut self) -> Outcome<Vec<(ObjectId, Object)>> {
        let mut head = [0; 12];
        for byte in &mut head {
            *byte = self.byte()?;
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum: u32, &byte| sum << 8 | u32::from(byte));
        if &head[..4] != b"PACK" || !matches!(number(&head[4..8]), 2 | 3) {
            return Err(malformed("it does not start as one"));
        }
        let count = number(&head[8..]);
        if count > self.limits.objects {
            return Err(too_many_objects(&self.limits));
        }
        for _ in 0..count {
            self.entry()?;
        }
        // Whatever follows is taken from the line.
        while self.pieces.blocking_recv().is_some() {}
        Ok(self.trees)
    }

    fn entry(&mut self) -> Outcome<()> {
        let at = self.at;
        let (kind, size) = self.entry_head()?;
        if size > self.limits.object_bytes {
            let limit = self.limits.object_bytes;
            return Err(GitErrorKind::TooLarge { what: "the size of an object", limit }.into());
        }
        let base = match kind {
            1 => Base::Whole(Kind::Commit),
            2 => Base::Whole(Kind::Tree),
            3 => Base::Whole(Kind::Blob),
            4 => Base::Whole(Kind::Tag),
            6 => {
                let base = at.checked_sub(self.offset()?);
                let found = base.and_then(|at| self.entries.binary_search_by_key(&at, |entry| entry.at).ok());
                Base::Entry(found.ok_or_else(|| malformed("a delta points to no object"))?)
            }
            7 => {
                for _ in 0..20 {
                    self.byte()?;
                }
                Base::Lost
            }
            _ => return Err(malformed("an object of an unknown kind")),
        };
        let data = self.at;
        let bytes = self.inflate(size)?;
        let index = self.entries.len();
        let object = match base {
            Base::Whole(kind) => Some(Object { kind, data: bytes.into() }),
            Base::Entry(base) => match self.object(base)? {
                Some(base) => Some(self.patched(&base, &bytes)?),
                None => None,
            },
            Base::Lost => None,
        };
        let base = if object.is_some() { base } else { Base::Lost };
        self.entries.push(Entry { at, data, size, base });
        if let Some(object) = object {
            self.show(&object);
            self.inflated.put(index, object);
        }
        Ok(())
    }

    fn show(&mut self, object: &Object) {
        match object.kind {
            Kind::Blob => self.onlooker.file(ObjectId::of(Kind::Blob, &object.data), &object.data),
            Kind::Tree if self.tree_bytes < self.room.folders => {
                self.tree_bytes += object.data.len() + 160;
                self.trees.push((ObjectId::of(Kind::Tree, &object.data), object.clone()));
            }
            Kind::Tree | Kind::Commit | Kind::Tag => {}
        }
    }

    /// An object that came before; `None` where it is held no more.
    fn object(&mut self, index: usize) -> Outcome<Option<Object>> {
        let mut chain = Vec::new();
        let mut at = index;
        let mut object = loop {
            if let Some(object) = self.inflated.get(&at) {
                break object;
            }
            match self.entries[at].base {
                Base::Whole(kind) => match self.again(at)? {
                    Some(data) => break Object { kind, data: data.into() },
                    None => return Ok(None),
                },
                Base::Entry(base) => chain.push(std::mem::replace(&mut at, base)),
                Base::Lost => return Ok(None),
            }
            if chain.len() > self.limits.delta_depth as usize {
                let limit = self.limits.delta_depth.into();
                return Err(
                    GitErrorKind::TooLarge { what: "the number of deltas on each other", limit }.into()
                );
            }
        };
        while let Some(at) = chain.pop() {
            let Some(delta) = self.again(at)? else { return Ok(None) };
            object = self.patched(&object, &delta)?;
            self.inflated.put(at, object.clone());
        }
        Ok(Some(object))
    }

    /// Inflates once more what was read before, if it is still held.
    fn again(&mut self, index: usize) -> Outcome<Option<Vec<u8>>> {
        let Entry { data, size, .. } = self.entries[index];
        if data < self.gone {
            return Ok(None);
        }
        let ahead = std::mem::replace(&mut self.at, data);
        let bytes = self.inflate(size)?;
        self.at = ahead;
        Ok(Some(bytes))
    }

    fn patched(&mut self, base: &Object, delta: &[u8]) -> Outcome<Object> {
        let (_, size) = delta_sizes(delta)?;
        if size > self.limits.object_bytes {
            let limit = self.limits.object_bytes;
            return Err(GitErrorKind::TooLarge { what: "the size of an object", limit }.into());
        }
        self.spend(size)?;
        Ok(Object { kind: base.kind, data: apply_delta(&base.data, delta)?.into() })
    }

    fn spend(&mut self, bytes: u64) -> Outcome<()> {
        let limit = TIMES * self.limits.inflated_bytes;
        let too_large = || GitErrorKind::TooLarge { what: "the number of bytes to inflate", limit };
        self.left = self.left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }

    /// Inflates exactly the announced number of bytes from where reading is.
    fn inflate(&mut self, size: u64) -> Outcome<Vec<u8>> {
        self.spend(size)?;
        let size = usize::try_from(size).map_err(|_| malformed("an object larger than memory"))?;
        // One byte more than announced, so that a stream that goes on is noticed instead of cut.
        let mut out = Vec::with_capacity(size + 1);
        self.zlib.reset(true);
        loop {
            if !self.is_here() {
                return Err(malformed("an object is cut off"));
            }
            let from = usize::try_from(self.at - self.gone).unwrap_or(usize::MAX);
            let (front, back) = self.held.as_slices();
            let rest = match front.get(from..) {
                Some(rest) if !rest.is_empty() => rest,
                Some(_) | None => back.get(from - front.len()..).unwrap_or_default(),
            };
            let (taken, given) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self.zlib.decompress_vec(rest, &mut out, FlushDecompress::None);
            let status = status.map_err(|source| {
                Fault::caused(GitErrorKind::Protocol("an object does not inflate".to_owned()), source)
            })?;
            self.at += self.zlib.total_in() - taken;
            if out.len() > size {
                return Err(malformed("an object is longer than announced"));
            }
            match status {
                Status::StreamEnd if out.len() == size => return Ok(out),
                Status::StreamEnd => return Err(malformed("an object is shorter than announced")),
                Status::Ok | Status::BufError
                    if (taken, given) == (self.zlib.total_in(), self.zlib.total_out()) =>
                {
                    return Err(malformed("an object is cut off"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }

    /// Whether there is a byte to read; waits for it where none is here yet.
    fn is_here(&mut self) -> bool {
        while self.at >= self.gone + self.held.len() as u64 {
            let Some(piece) = self.pieces.blocking_recv() else { return false };
            if self.held.len() + piece.len() > self.room.held {
                let goes = self.room.goes.min(self.held.len());
                self.held.drain(..goes);
                self.gone += goes as u64;
            }
            self.held.extend(&piece);
        }
        true
    }
}

impl Bytewise for Sweep {
    fn byte(&mut self) -> Outcome<u8> {
        let here = self.is_here();
        let at = usize::try_from(self.at - self.gone).unwrap_or(usize::MAX);
        let byte = self.held.get(at).copied().filter(|_| here).ok_or_else(|| malformed("it is cut off"))?;
        self.at += 1;
        Ok(byte)
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
