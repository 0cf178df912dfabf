//! An answer that carries objects: checked as a whole, every id computed, objects inflated when they are asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::{
    Limits, ObjectId,
    delta::{apply_delta, delta_sizes},
    error::{Fault, Outcome},
    lru::Lru,
    object::{Kind, Object},
};
use crate::git::GitErrorKind;

/// Bytes of inflated objects kept while deltas are resolved.
const BASES: u64 = 24 * 1024 * 1024;

/// How many bytes may still be inflated: what an answer costs beyond its own size.
pub(super) struct Budget {
    left: u64,
    all: u64,
}

impl Budget {
    pub(super) fn new(all: u64) -> Self {
        Self { left: all, all }
    }

    fn spend(&mut self, bytes: u64) -> Outcome<()> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(GitErrorKind::TooLarge { what: "the number of bytes to inflate", limit: self.all })?;
        Ok(())
    }
}

pub(super) struct Pack {
    bytes: Bytes,
    entries: Vec<Entry>,
    ids: HashMap<ObjectId, usize>,
    object_bytes: u64,
    bases: Mutex<Lru<usize>>,
}

struct Entry {
    /// Where the entry starts; offsets of deltas point here.
    at: usize,
    /// Where its deflated bytes start.
    data: usize,
    /// How long they are when inflated.
    size: u64,
    base: Base,
    depth: u32,
}

#[derive(Clone)]
enum Base {
    Whole(Kind),
    Entry(usize),
    /// A delta on an object that has not been seen yet.
    Later(ObjectId),
    /// A delta on an entry that rests on such an object.
    After(usize),
    /// A delta on an object of another answer.
    Outside(Arc<Pack>, ObjectId),
    /// A delta on an object that is remembered.
    Known(Object),
}

impl Entry {
    /// Whether it rests on what is not known.
    fn is_open(&self) -> bool {
        matches!(self.base, Base::Later(_) | Base::After(_))
    }
}

/// Objects that are remembered, by which answers may be shorter.
pub(super) type Remembered<'a> = &'a dyn Fn(&ObjectId) -> Option<Object>;

impl Pack {
    /// Reads all entries once. Afterwards every object is known under the id its bytes have.
    /// Deltas may rest on `others`, and on what is remembered.
    pub(super) fn read(
        bytes: Bytes,
        others: &[Arc<Pack>],
        remembered: Remembered<'_>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Outcome<Self> {
        match Self::read_some(bytes, others, remembered, limits, budget)? {
            (_, true) => Err(malformed("a delta on an object it does not hold")),
            (pack, false) => Ok(pack),
        }
    }

    /// The same; and whether there are objects that rest on what is not here, which are not known then.
    pub(super) fn read_some(
        bytes: Bytes,
        others: &[Arc<Pack>],
        remembered: Remembered<'_>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Outcome<(Self, bool)> {
        let end = bytes
            .len()
            .checked_sub(20)
            .filter(|&end| end >= 12)
            .ok_or_else(|| malformed("it is too short"))?;
        if &bytes[..4] != b"PACK" || !matches!(number(&bytes[4..8]), 2 | 3) {
            return Err(malformed("it does not start as one"));
        }
        let count = number(&bytes[8..12]);
        if count > limits.objects {
            return Err(too_many_objects(limits));
        }
        if ObjectId::of_stream(&bytes[..end]).as_bytes() != &bytes[end..] {
            return Err(malformed("its checksum does not match its content"));
        }
        let mut pack = Self {
            bytes,
            entries: Vec::new(),
            ids: HashMap::new(),
            object_bytes: limits.object_bytes,
            bases: Mutex::new(Lru::new(BASES)),
        };
        let mut at = 12;
        let mut later = Vec::new();
        for index in 0..count as usize {
            at = pack.read_entry(index, at, end, limits, budget, &mut later)?;
        }
        if at != end {
            return Err(malformed("bytes follow its last object"));
        }
        let lacks = pack.resolve_later(later, others, remembered, limits, budget)?;
        Ok((pack, lacks))
    }

    pub(super) fn contains(&self, id: &ObjectId) -> bool {
        self.ids.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn get(&self, id: &ObjectId, budget: &mut Budget) -> Outcome<Option<Object>> {
        self.ids.get(id).map(|&index| self.object(index, budget)).transpose()
    }

    fn need(&self, id: &ObjectId, budget: &mut Budget) -> Outcome<Object> {
        self.get(id, budget)?.ok_or_else(|| malformed("a delta on an object it does not hold"))
    }

    fn read_entry(
        &mut self,
        index: usize,
        start: usize,
        end: usize,
        limits: &Limits,
        budget: &mut Budget,
        later: &mut Vec<usize>,
    ) -> Outcome<usize> {
        let mut reader = Reader { bytes: &self.bytes[..end], at: start };
        let (kind, size) = reader.entry_head()?;
        if size > limits.object_bytes {
            return Err(
                GitErrorKind::TooLarge { what: "the size of an object", limit: limits.object_bytes }.into()
            );
        }
        let base = match kind {
            1 => Base::Whole(Kind::Commit),
            2 => Base::Whole(Kind::Tree),
            3 => Base::Whole(Kind::Blob),
            4 => Base::Whole(Kind::Tag),
            6 => {
                let back = reader.offset()?;
                let base = (start as u64).checked_sub(back).and_then(|at| usize::try_from(at).ok());
                let found = base.and_then(|at| self.entries.binary_search_by_key(&at, |entry| entry.at).ok());
                let found = found.ok_or_else(|| malformed("a delta points to no object"))?;
                if self.entries[found].is_open() { Base::After(found) } else { Base::Entry(found) }
            }
            7 => {
                let id = reader.id()?;
                self.ids.get(&id).map_or(Base::Later(id), |&base| Base::Entry(base))
            }
            _ => return Err(malformed("an object of an unknown kind")),
        };
        let data = reader.at;
        let (inflated, used) = inflate(&self.bytes[data..end], size, budget)?;
        self.entries.push(Entry { at: start, data, size, base: base.clone(), depth: 0 });
        match base {
            Base::Whole(kind) => self.keep(index, Object { kind, data: inflated.into() }),
            Base::Entry(_) | Base::Outside(..) | Base::Known(_) => {
                self.settle(index, base, &inflated, limits, budget)?
            }
            Base::Later(_) | Base::After(_) => later.push(index),
        }
        Ok(data + used)
    }

    fn resolve_later(
        &mut self,
        mut later: Vec<usize>,
        others: &[Arc<Pack>],
        remembered: Remembered<'_>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Outcome<bool> {
        while !later.is_empty() {
            let before = later.len();
            let mut still = Vec::new();
            for index in later {
                let base = match self.entries[index].base {
                    Base::Later(id) => match self.ids.get(&id) {
                        Some(&base) => Some(Base::Entry(base)),
                        None => {
                            let other = others.iter().find(|pack| pack.contains(&id));
                            let outside = other.map(|pack| Base::Outside(Arc::clone(pack), id));
                            outside.or_else(|| remembered(&id).map(Base::Known))
                        }
                    },
                    Base::After(at) => (!self.entries[at].is_open()).then_some(Base::Entry(at)),
                    Base::Whole(_) | Base::Entry(_) | Base::Outside(..) | Base::Known(_) => continue,
                };
                let Some(base) = base else {
                    still.push(index);
                    continue;
                };
                let delta = self.inflated(index, budget)?;
                self.settle(index, base, &delta, limits, budget)?;
            }
            if still.len() == before {
                return Ok(true);
            }
            later = still;
        }
        Ok(false)
    }

    /// Makes an entry a delta on an entry that is already known.
    fn settle(
        &mut self,
        index: usize,
        base: Base,
        delta: &[u8],
        limits: &Limits,
        budget: &mut Budget,
    ) -> Outcome<()> {
        let (base_object, depth) = match &base {
            Base::Entry(at) => (self.object(*at, budget)?, self.entries[*at].depth + 1),
            Base::Outside(pack, id) => (pack.need(id, budget)?, 1),
            Base::Known(object) => (object.clone(), 1),
            Base::Whole(_) | Base::Later(_) | Base::After(_) => {
                return Err(malformed("a delta on nothing"));
            }
        };
        if depth > limits.delta_depth {
            return Err(GitErrorKind::TooLarge {
                what: "the number of deltas on each other",
                limit: limits.delta_depth.into(),
            }
            .into());
        }
        let object = self.patched(&base_object, delta, budget)?;
        self.entries[index].base = base;
        self.entries[index].depth = depth;
        self.keep(index, object);
        Ok(())
    }

    fn keep(&mut self, index: usize, object: Object) {
        self.ids.entry(ObjectId::of(object.kind, &object.data)).or_insert(index);
        self.bases.get_mut().unwrap_or_else(PoisonError::into_inner).put(index, object);
    }

    fn object(&self, index: usize, budget: &mut Budget) -> Outcome<Object> {
        let mut chain = Vec::new();
        let mut at = index;
        let mut object = loop {
            if let Some(object) = self.bases.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
                break object;
            }
            match &self.entries[at].base {
                Base::Whole(kind) => break Object { kind: *kind, data: self.inflated(at, budget)?.into() },
                Base::Entry(base) => {
                    chain.push(at);
                    at = *base;
                }
                Base::Outside(pack, id) => {
                    chain.push(at);
                    break pack.need(id, budget)?;
                }
                Base::Known(object) => {
                    chain.push(at);
                    break object.clone();
                }
                Base::Later(_) | Base::After(_) => {
                    return Err(malformed("a delta on an object it does not hold"));
                }
            }
        };
        while let Some(at) = chain.pop() {
            let delta = self.inflated(at, budget)?;
            object = self.patched(&object, &delta, budget)?;
            self.bases.lock().unwrap_or_else(PoisonError::into_inner).put(at, object.clone());
        }
        Ok(object)
    }

    fn inflated(&self, index: usize, budget: &mut Budget) -> Outcome<Vec<u8>> {
        let entry = &self.entries[index];
        inflate(&self.bytes[entry.data..], entry.size, budget).map(|(inflated, _)| inflated)
    }

    fn patched(&self, base: &Object, delta: &[u8], budget: &mut Budget) -> Outcome<Object> {
        let (_, size) = delta_sizes(delta)?;
        if size > self.object_bytes {
            return Err(
                GitErrorKind::TooLarge { what: "the size of an object", limit: self.object_bytes }.into()
            );
        }
        budget.spend(size)?;
        Ok(Object { kind: base.kind, data: apply_delta(&base.data, delta)?.into() })
    }
}

pub(super) fn too_many_objects(limits: &Limits) -> Fault {
    GitErrorKind::TooLarge { what: "the number of objects in one answer", limit: limits.objects.into() }
        .into()
}

/// Inflates exactly the announced number of bytes; one more or one less is an error.
fn inflate(deflated: &[u8], size: u64, budget: &mut Budget) -> Outcome<(Vec<u8>, usize)> {
    budget.spend(size)?;
    let size = usize::try_from(size).map_err(|_| malformed("an object larger than memory"))?;
    // One byte more than announced, so that a stream that goes on is noticed instead of cut.
    let mut out = Vec::with_capacity(size + 1);
    let mut zlib = Decompress::new(true);
    loop {
        let (taken, given) = (zlib.total_in(), zlib.total_out());
        let rest = deflated.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default();
        let status = zlib.decompress_vec(rest, &mut out, FlushDecompress::None).map_err(|source| {
            Fault::caused(GitErrorKind::Protocol("an object does not inflate".to_owned()), source)
        })?;
        if out.len() > size {
            return Err(malformed("an object is longer than announced"));
        }
        match status {
            Status::StreamEnd if out.len() == size => {
                return Ok((out, usize::try_from(zlib.total_in()).unwrap_or(usize::MAX)));
            }
            Status::StreamEnd => return Err(malformed("an object is shorter than announced")),
            Status::Ok | Status::BufError if (taken, given) == (zlib.total_in(), zlib.total_out()) => {
                return Err(malformed("an object is cut off"));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

/// A pack that is read byte by byte, from memory or as it comes.
pub(super) trait Bytewise {
    fn byte(&mut self) -> Outcome<u8>;

    /// What an entry is, and how large it is once it is inflated.
    fn entry_head(&mut self) -> Outcome<(u8, u64)> {
        let mut byte = self.byte()?;
        let kind = byte >> 4 & 7;
        let mut size = u64::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            if shift > 46 {
                return Err(malformed("an object of impossible size"));
            }
            byte = self.byte()?;
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok((kind, size))
    }

    /// How far back the base of a delta begins.
    fn offset(&mut self) -> Outcome<u64> {
        let mut byte = self.byte()?;
        let mut offset = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.byte()?;
            offset = offset
                .checked_add(1)
                .filter(|&offset| offset < 1 << 50)
                .map(|offset| offset << 7 | u64::from(byte & 0x7f))
                .ok_or_else(|| malformed("a delta points too far back"))?;
        }
        Ok(offset)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bytewise for Reader<'_> {
    fn byte(&mut self) -> Outcome<u8> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| malformed("it is cut off"))?;
        self.at += 1;
        Ok(byte)
    }
}

impl Reader<'_> {
    fn id(&mut self) -> Outcome<ObjectId> {
        let id = self.bytes.get(self.at..self.at + 20).and_then(ObjectId::from_slice);
        self.at += 20;
        id.ok_or_else(|| malformed("it is cut off"))
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

pub(super) fn malformed(why: &str) -> Fault {
    Fault::protocol(format!("the pack is malformed: {why}"))
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
