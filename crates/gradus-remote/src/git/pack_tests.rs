use std::{io::Write, sync::Arc};

use bytes::Bytes;
use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::{Budget, Pack};
use crate::git::{
    GitErrorKind, Limits, ObjectId,
    delta::make_delta,
    object::{Kind, Object},
    pack_writer::{Outgoing, write_pack},
};

const COMMIT: u8 = 1;
const BLOB: u8 = 3;
const OFFSET: u8 = 6;
const REFERENCE: u8 = 7;

/// Builds packs that a sound writer would not.
struct Maker {
    pack: Vec<u8>,
    count: u32,
}

impl Maker {
    fn new() -> Self {
        Self { pack: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), count: 0 }
    }

    fn entry(&mut self, kind: u8, announced: u64, before: &[u8], content: &[u8]) -> u64 {
        let start = self.pack.len() as u64;
        let mut byte = kind << 4 | (announced & 15) as u8;
        let mut rest = announced >> 4;
        while rest > 0 {
            self.pack.push(byte | 0x80);
            byte = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        self.pack.push(byte);
        self.pack.extend_from_slice(before);
        let mut zlib = ZlibEncoder::new(&mut self.pack, Compression::best());
        zlib.write_all(content).unwrap();
        zlib.finish().unwrap();
        self.count += 1;
        start
    }

    fn blob(&mut self, content: &[u8]) -> u64 {
        self.entry(BLOB, content.len() as u64, &[], content)
    }

    fn delta(&mut self, base: &[u8], delta: &[u8]) {
        self.entry(REFERENCE, delta.len() as u64, base, delta);
    }

    fn end(mut self) -> Vec<u8> {
        let count = self.count.to_be_bytes();
        self.pack[8..12].copy_from_slice(&count);
        let checksum = ObjectId::of_stream(&self.pack);
        self.pack.extend_from_slice(checksum.as_bytes());
        self.pack
    }
}

fn read(pack: Vec<u8>, limits: &Limits) -> Result<Pack, GitErrorKind> {
    Pack::read(pack.into(), &[], &|_| None, limits, &mut Budget::new(limits.inflated_bytes))
        .map_err(|fault| fault.kind)
}

fn small() -> Limits {
    Limits {
        objects: 100,
        object_bytes: 10_000,
        inflated_bytes: 100_000,
        delta_depth: 5,
        ..Limits::default()
    }
}

#[track_caller]
fn check_malformed(pack: Vec<u8>, why: &str) {
    let expected = GitErrorKind::Protocol(format!("the pack is malformed: {why}"));
    assert_eq!(read(pack, &small()).err(), Some(expected));
}

#[track_caller]
fn check_too_large(pack: Vec<u8>, what: &'static str, limit: u64) {
    assert_eq!(read(pack, &small()).err(), Some(GitErrorKind::TooLarge { what, limit }));
}

fn get(pack: &Pack, content: &[u8]) -> Option<Bytes> {
    let object = pack.get(&ObjectId::of_blob(content), &mut Budget::new(1 << 30)).unwrap();
    object.map(|object| object.data)
}

#[test]
fn deltas_by_offset_and_by_id_in_any_order() {
    let (one, two, three) =
        (b"the first content".repeat(9), b"the second content".repeat(9), b"third".repeat(20));
    let mut maker = Maker::new();
    // On an object that follows, then by offset on one that came before.
    maker.delta(ObjectId::of_blob(&two).as_bytes(), &make_delta(&two, &three));
    let base = maker.blob(&one);
    let delta = make_delta(&one, &two);
    let back = maker.pack.len() as u64 - base;
    let before =
        if back < 128 { vec![back as u8] } else { vec![(0x80 | (back >> 7)) as u8 - 1, (back & 0x7f) as u8] };
    maker.entry(OFFSET, delta.len() as u64, &before, &delta);
    let pack = read(maker.end(), &small()).unwrap();
    for content in [&one, &two, &three] {
        assert_eq!(get(&pack, content).as_deref(), Some(&content[..]));
    }
    assert_eq!(get(&pack, b"absent"), None);
}

/// What rests on an object that is not here is left out, with all that rests on it; the rest is known.
#[test]
fn deltas_on_what_is_not_here() {
    let text = |n: u8| [b"the content of number ".repeat(9), vec![n]].concat();
    let pack = || {
        let mut maker = Maker::new();
        let first = maker.pack.len() as u64;
        maker.delta(ObjectId::of_blob(&text(0)).as_bytes(), &make_delta(&text(0), &text(1)));
        let delta = make_delta(&text(1), &text(2));
        let back = maker.pack.len() as u64 - first;
        assert!(back < 128);
        maker.entry(OFFSET, delta.len() as u64, &[back as u8], &delta);
        maker.blob(&text(3));
        maker.end()
    };
    check_malformed(pack(), "a delta on an object it does not hold");
    let mut budget = Budget::new(1 << 30);
    let (some, lacks) = Pack::read_some(pack().into(), &[], &|_| None, &small(), &mut budget).unwrap();
    assert!(lacks);
    let known = |pack: &Pack| [1, 2, 3].map(|n| get(pack, &text(n)).is_some());
    assert_eq!(known(&some), [false, false, true]);
    let remembered = |id: &ObjectId| {
        let object = Object { kind: Kind::Blob, data: text(0).into() };
        (*id == ObjectId::of_blob(&text(0))).then_some(object)
    };
    let (all, lacks) = Pack::read_some(pack().into(), &[], &remembered, &small(), &mut budget).unwrap();
    assert!(!lacks);
    assert_eq!(known(&all), [true, true, true]);
}

#[test]
fn deltas_on_another_answer() {
    let (one, two) = (b"the first content".repeat(9), b"the second content".repeat(9));
    let mut maker = Maker::new();
    maker.blob(&one);
    let whole = Arc::new(read(maker.end(), &small()).unwrap());
    let mut maker = Maker::new();
    maker.delta(ObjectId::of_blob(&one).as_bytes(), &make_delta(&one, &two));
    let thin = maker.end();
    let pack =
        Pack::read(thin.clone().into(), &[whole], &|_| None, &small(), &mut Budget::new(100_000)).unwrap();
    assert_eq!(get(&pack, &two).as_deref(), Some(&two[..]));
    // Or on an object that is remembered.
    let remembered = |id: &ObjectId| {
        let object = Object { kind: Kind::Blob, data: one.clone().into() };
        (*id == ObjectId::of_blob(&one)).then_some(object)
    };
    let pack =
        Pack::read(thin.clone().into(), &[], &remembered, &small(), &mut Budget::new(100_000)).unwrap();
    assert_eq!(get(&pack, &two).as_deref(), Some(&two[..]));
    check_malformed(thin, "a delta on an object it does not hold");
}

#[test]
fn lies_about_length() {
    for (announced, why) in
        [(4, "an object is longer than announced"), (600, "an object is shorter than announced")]
    {
        let mut maker = Maker::new();
        maker.entry(BLOB, announced, &[], &[b'x'; 500]);
        check_malformed(maker.end(), why);
    }
    // A bomb is found at the first byte too many, whatever it would have become.
    let mut maker = Maker::new();
    maker.entry(BLOB, 10, &[], &vec![0; 50_000_000]);
    check_malformed(maker.end(), "an object is longer than announced");
    let mut maker = Maker::new();
    maker.entry(BLOB, 10_001, &[], &[0; 10_001]);
    check_too_large(maker.end(), "the size of an object", 10_000);
    let mut maker = Maker::new();
    maker.entry(BLOB, u64::MAX, &[], b"x");
    check_malformed(maker.end(), "an object of impossible size");
}

#[test]
fn many_small_bombs() {
    let mut maker = Maker::new();
    for _ in 0..11 {
        maker.blob(&[0; 10_000]);
    }
    check_too_large(maker.end(), "the number of bytes to inflate", 100_000);
    let mut maker = Maker::new();
    for _ in 0..101 {
        maker.blob(b"");
    }
    check_too_large(maker.end(), "the number of objects in one answer", 100);
}

#[test]
fn deltas_without_end() {
    let mut maker = Maker::new();
    let mut last = vec![b'0'; 300];
    maker.blob(&last);
    for n in 0..6 {
        let mut next = last.clone();
        next[n] = b'1';
        maker.delta(ObjectId::of_blob(&last).as_bytes(), &make_delta(&last, &next));
        last = next;
    }
    check_too_large(maker.end(), "the number of deltas on each other", 5);

    // A delta that copies its base over and over.
    let mut maker = Maker::new();
    let base = [b'x'; 5000];
    maker.blob(&base);
    let mut bomb = vec![0x88, 0x27, 0x80, 0x80, 0x80, 0x10];
    bomb.extend(std::iter::repeat_n([0xb0, 0x88, 0x13], 9000).flatten());
    maker.delta(ObjectId::of_blob(&base).as_bytes(), &bomb[..9_990]);
    check_too_large(maker.end(), "the size of an object", 10_000);

    let mut maker = Maker::new();
    maker.delta(ObjectId::of_blob(b"nowhere").as_bytes(), &[0, 0]);
    check_malformed(maker.end(), "a delta on an object it does not hold");
    let mut maker = Maker::new();
    maker.entry(OFFSET, 2, &[12], &[0, 0]);
    check_malformed(maker.end(), "a delta points to no object");
}

#[test]
fn a_broken_frame() {
    check_malformed(Vec::new(), "it is too short");
    check_malformed(vec![b'x'; 40], "it does not start as one");
    let mut maker = Maker::new();
    maker.blob(b"content");
    let mut flipped = maker.end();
    flipped[13] ^= 1;
    check_malformed(flipped, "its checksum does not match its content");
    let mut maker = Maker::new();
    maker.blob(b"content");
    maker.count = 2;
    check_malformed(maker.end(), "it is cut off");
    let mut maker = Maker::new();
    maker.blob(b"content");
    maker.pack.push(0);
    check_malformed(maker.end(), "bytes follow its last object");
    let mut maker = Maker::new();
    maker.entry(5, 1, &[], b"x");
    check_malformed(maker.end(), "an object of an unknown kind");
    let mut maker = Maker::new();
    maker.entry(COMMIT, 9, &[], b"x");
    maker.pack.truncate(14);
    check_malformed(maker.end(), "an object is cut off");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        old in prop::collection::vec(prop::collection::vec(0u8..3, 0..300), 1..6),
        new in prop::collection::vec(prop::collection::vec(0u8..3, 0..300), 1..6),
    ) {
        let object = |data: &Vec<u8>| Object { kind: Kind::Blob, data: Bytes::from(data.clone()) };
        let outgoing: Vec<_> = new
            .iter()
            .enumerate()
            .map(|(n, data)| {
                let like = old.get(n).map(|old| (ObjectId::of_blob(old), object(old)));
                Outgoing { id: ObjectId::of_blob(data), object: object(data), like }
            })
            .collect();
        let held: Vec<_> = old
            .iter()
            .map(|data| Outgoing { id: ObjectId::of_blob(data), object: object(data), like: None })
            .collect();
        let held = Arc::new(read(write_pack(&held).unwrap(), &small()).unwrap());
        let thin = write_pack(&outgoing).unwrap();
        let pack = Pack::read(thin.into(), &[held], &|_| None, &small(), &mut Budget::new(100_000)).unwrap();
        for data in &new {
            let got = get(&pack, data);
            prop_assert_eq!(got.as_deref(), Some(&data[..]));
        }
    }

    #[test]
    fn any_damage_ends_in_an_answer(
        content in prop::collection::vec(any::<u8>(), 0..200),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut maker = Maker::new();
        maker.blob(&content);
        maker.delta(ObjectId::of_blob(&content).as_bytes(), &make_delta(&content, b"something else"));
        for (at, byte) in damage {
            let at = at.index(maker.pack.len());
            maker.pack[at] = byte;
        }
        let count = maker.pack[11];
        maker.count = u32::from(count.min(4)) + 2;
        let pack = maker.end();
        if let Ok(pack) = read(pack, &small()) {
            // Whatever was read is known only under the id of its bytes.
            for (id, &index) in &pack.ids {
                let object = pack.object(index, &mut Budget::new(1 << 20)).unwrap();
                prop_assert_eq!(ObjectId::of(object.kind, &object.data), *id);
            }
        }
    }
}
