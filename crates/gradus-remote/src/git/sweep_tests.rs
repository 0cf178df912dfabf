use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
};

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::{ROOM, Room, Sweep};
use crate::git::{
    Limits, ObjectId, Onlooker, Shown,
    delta::make_delta,
    error::Outcome,
    object::{Kind, Object},
};

const TREE: u8 = 2;
const BLOB: u8 = 3;
const OFFSET: u8 = 6;
const REFERENCE: u8 = 7;

/// Sees files, and keeps them.
#[derive(Default)]
struct Eyes(Mutex<BTreeMap<ObjectId, Vec<u8>>>);

impl Onlooker for Eyes {
    fn knows(&self, _folder: ObjectId) -> bool {
        false
    }

    fn wants_files(&self) -> bool {
        true
    }

    fn folder(&self, _id: ObjectId, _entries: &[Shown<'_>]) {}

    fn file(&self, id: ObjectId, bytes: &[u8]) {
        let before = self.0.lock().unwrap().insert(id, bytes.to_vec());
        assert!(before.is_none_or(|before| before == bytes));
    }
}

#[derive(Clone, Copy, Debug)]
enum How {
    Whole,
    /// As a difference to one of those before, so many back.
    Like(usize),
    /// The same, and the other one is named by its id.
    Named(usize),
}

fn entry(pack: &mut Vec<u8>, kind: u8, before: &[u8], content: &[u8]) {
    let mut byte = kind << 4 | (content.len() & 15) as u8;
    let mut rest = content.len() >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    pack.push(byte);
    pack.extend_from_slice(before);
    let mut zlib = ZlibEncoder::new(pack, Compression::fast());
    zlib.write_all(content).unwrap();
    zlib.finish().unwrap();
}

fn offset(mut back: usize) -> Vec<u8> {
    let mut bytes = vec![(back & 0x7f) as u8];
    while back >> 7 > 0 {
        back = (back >> 7) - 1;
        bytes.insert(0, 0x80 | (back & 0x7f) as u8);
    }
    bytes
}

/// A pack of these files, and of one folder.
fn pack(files: &[(Vec<u8>, How)]) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&(files.len() as u32 + 1).to_be_bytes());
    let mut starts = Vec::new();
    for (at, (content, how)) in files.iter().enumerate() {
        starts.push(pack.len());
        match how {
            How::Like(back) if *back < at => {
                let base = at - 1 - back;
                let delta = make_delta(&files[base].0, content);
                let back = offset(pack.len() - starts[base]);
                entry(&mut pack, OFFSET, &back, &delta);
            }
            How::Named(back) if *back < at => {
                let base = &files[at - 1 - back].0;
                let delta = make_delta(base, content);
                entry(&mut pack, REFERENCE, ObjectId::of_blob(base).as_bytes(), &delta);
            }
            How::Whole | How::Like(_) | How::Named(_) => entry(&mut pack, BLOB, &[], content),
        }
    }
    entry(&mut pack, TREE, &[], b"");
    let sum = ObjectId::of_stream(&pack);
    pack.extend_from_slice(sum.as_bytes());
    pack
}

fn sweep(pack: &[u8], piece: usize, room: Room) -> (Outcome<Vec<(ObjectId, Object)>>, Arc<Eyes>) {
    let eyes = Arc::new(Eyes::default());
    let pieces: Vec<_> = pack.chunks(piece).map(|piece| piece.to_vec()).collect();
    let (sender, receiver) = mpsc::channel(pieces.len() + 1);
    for piece in pieces {
        sender.try_send(piece.into()).unwrap();
    }
    drop(sender);
    let swept = Sweep::new(receiver, Limits::default(), eyes.clone(), room).run();
    (swept, eyes)
}

fn files() -> impl Strategy<Value = Vec<(Vec<u8>, How)>> {
    let how = prop_oneof![
        1 => Just(How::Whole),
        4 => (0..40_usize).prop_map(How::Like),
        1 => (0..40_usize).prop_map(How::Named),
    ];
    let content = prop::collection::vec(b'a'..b'e', 0..300);
    prop::collection::vec((content, how), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn files_are_shown_as_they_come(files in files(), piece in 1..400_usize) {
        let (swept, eyes) = sweep(&pack(&files), piece, ROOM);
        let trees: Vec<ObjectId> = swept.unwrap().into_iter().map(|(id, _)| id).collect();
        prop_assert_eq!(trees, [ObjectId::of(Kind::Tree, b"")]);
        // Only one that is named by its id, or rests on such a one, is not shown.
        let mut lost: Vec<bool> = Vec::new();
        for (at, (_, how)) in files.iter().enumerate() {
            lost.push(match how {
                How::Like(back) if *back < at => lost[at - 1 - back],
                How::Named(back) => *back < at,
                How::Whole | How::Like(_) => false,
            });
        }
        let seen = eyes.0.lock().unwrap();
        for ((content, _), lost) in files.iter().zip(lost) {
            prop_assert!(lost || seen.get(&ObjectId::of_blob(content)) == Some(content));
        }
    }

    #[test]
    fn with_little_room_less_is_shown_and_nothing_wrong(files in files(), held in 1..4000_usize) {
        let room = Room { held, goes: held / 2 + 1, inflated: 1000, folders: 1 };
        let (swept, eyes) = sweep(&pack(&files), 50, room);
        prop_assert!(swept.is_ok());
        let all: BTreeMap<ObjectId, &Vec<u8>> =
            files.iter().map(|(content, _)| (ObjectId::of_blob(content), content)).collect();
        for (id, content) in &*eyes.0.lock().unwrap() {
            prop_assert_eq!(all.get(id), Some(&content));
        }
        let whole = files.iter().filter(|(_, how)| matches!(how, How::Whole));
        for (content, _) in whole {
            prop_assert!(eyes.0.lock().unwrap().contains_key(&ObjectId::of_blob(content)));
        }
    }

    #[test]
    fn any_damage_ends_in_an_answer(
        files in files(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut pack = pack(&files);
        let end = pack.len() - 20;
        let at = at.index(end);
        if cut {
            pack.truncate(at);
            prop_assert!(sweep(&pack, 64, ROOM).0.is_err());
        } else {
            pack[at] ^= byte;
            let (_, eyes) = sweep(&pack, 64, ROOM);
            // Whatever was shown has the id of its own bytes.
            for (id, content) in &*eyes.0.lock().unwrap() {
                prop_assert_eq!(*id, ObjectId::of_blob(content));
            }
        }
    }
}
