//! The other direction: new objects as a thin pack, as deltas on what the host already has.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::{
    ObjectId,
    delta::make_delta,
    error::{Fault, Outcome},
    object::{Kind, Object},
};
use crate::git::GitErrorKind;

/// An object to send.
pub(super) struct Outgoing {
    pub(super) id: ObjectId,
    pub(super) object: Object,
    /// What the host has that is like it.
    pub(super) like: Option<(ObjectId, Object)>,
}

pub(super) fn write_pack(objects: &[Outgoing]) -> Outcome<Vec<u8>> {
    let count = u32::try_from(objects.len()).map_err(|_| Fault::input("too many objects for one pack"))?;
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&count.to_be_bytes());
    for outgoing in objects {
        let data = &outgoing.object.data;
        let delta = outgoing.like.as_ref().map(|(id, like)| (id, make_delta(&like.data, data)));
        match delta.filter(|(_, delta)| delta.len() + 20 < data.len()) {
            Some((base, delta)) => {
                put_head(&mut pack, 7, delta.len());
                pack.extend_from_slice(base.as_bytes());
                put_deflated(&mut pack, &delta)?;
            }
            None => {
                put_head(&mut pack, kind_number(outgoing.object.kind), data.len());
                put_deflated(&mut pack, data)?;
            }
        }
    }
    let checksum = ObjectId::of_stream(&pack);
    pack.extend_from_slice(checksum.as_bytes());
    Ok(pack)
}

fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    }
}

fn put_head(pack: &mut Vec<u8>, kind: u8, size: usize) {
    let mut byte = kind << 4 | size.to_le_bytes()[0] & 15;
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
    }
    pack.push(byte);
}

fn put_deflated(pack: &mut Vec<u8>, data: &[u8]) -> Outcome<()> {
    let mut zlib = ZlibEncoder::new(pack, Compression::default());
    zlib.write_all(data)
        .and_then(|()| zlib.finish().map(|_| ()))
        .map_err(|source| Fault::caused(GitErrorKind::Local("an object does not deflate".to_owned()), source))
}
