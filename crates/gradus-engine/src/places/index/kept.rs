//! What is known, as bytes: what another version wrote, or what is damaged, is not read.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::held::Held;
use super::known::{Entry, Folder, Known, Node};
use crate::port::repo::ContentId;

/// The first bytes: which format it is, and whose idea of what a marker is.
const HEAD: &[u8] = concat!("gradus markers 1 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();
/// The bytes of a checksum.
const SUM: usize = 32;

/// What is known, as bytes.
pub(super) fn written(known: &Known) -> Vec<u8> {
    let mut out = Writer::default();
    let empty: Vec<&ContentId> =
        known.files.iter().filter(|(_, held)| held.is_none()).map(|(id, _)| id).collect();
    out.count(empty.len());
    empty.iter().for_each(|id| out.id(id));
    let holding: Vec<_> = known.files.iter().filter_map(|(id, held)| Some((id, held.as_deref()?))).collect();
    out.count(holding.len());
    for (id, held) in holding {
        out.id(id);
        match held {
            Held::Markers(markers) => {
                out.count(0);
                out.texts(markers);
            }
            Held::Problem { line, why, seem } => {
                out.count(1);
                out.number(line.unwrap_or(0));
                out.text(why);
                out.texts(seem);
            }
        }
    }
    out.count(known.folders.len());
    for (id, folder) in &known.folders {
        out.id(id);
        out.number(folder.files);
        out.number(folder.holding);
        let entries = folder.entries.as_deref().unwrap_or_default();
        out.count(entries.len());
        for entry in entries {
            out.text(&entry.name);
            out.id(&entry.node.id);
            out.number(u32::from(entry.node.is_folder));
        }
    }
    let mut bytes = Vec::with_capacity(HEAD.len() + SUM + out.0.len());
    bytes.extend_from_slice(HEAD);
    bytes.extend_from_slice(&Sha256::digest(&out.0));
    bytes.extend_from_slice(&out.0);
    bytes
}

/// What was known; `None` where these are not the bytes of this version, to the last one.
pub(super) fn read(bytes: &[u8]) -> Option<Known> {
    let (sum, body) = bytes.strip_prefix(HEAD)?.split_at_checked(SUM)?;
    if Sha256::digest(body).as_slice() != sum {
        return None;
    }
    let mut reader = Reader { bytes: body, texts: HashMap::new() };
    let mut files = HashMap::new();
    for _ in 0..reader.count()? {
        files.insert(reader.id()?, None);
    }
    for _ in 0..reader.count()? {
        let id = reader.id()?;
        let held = match reader.number()? {
            0 => Held::Markers(reader.texts()?),
            1 => {
                let line = reader.number()?;
                Held::Problem {
                    line: (line != 0).then_some(line),
                    why: reader.text()?,
                    seem: reader.texts()?,
                }
            }
            _ => return None,
        };
        files.insert(id, Some(Arc::new(held)));
    }
    let mut folders = HashMap::new();
    for _ in 0..reader.count()? {
        let id = reader.id()?;
        let mut folder = Folder { files: reader.number()?, holding: reader.number()?, entries: None };
        let count = reader.count()?;
        let entries = (0..count).map(|_| {
            let name = reader.text()?;
            let node = Node { id: reader.id()?, is_folder: reader.number()? == 1 };
            Some(Entry { name, node })
        });
        let entries = entries.collect::<Option<Vec<Entry>>>()?;
        folder.entries = (!entries.is_empty()).then(|| entries.into());
        folders.insert(id, folder);
    }
    reader.bytes.is_empty().then(|| Known::kept(files, folders))
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        // More than that many are never known.
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn id(&mut self, id: &ContentId) {
        self.0.extend_from_slice(id.bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[Arc<str>]) {
        self.count(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Each text is kept once.
    texts: HashMap<&'a str, Arc<str>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn id(&mut self) -> Option<ContentId> {
        self.take(20)?.try_into().ok().map(ContentId::new)
    }

    fn text(&mut self) -> Option<Arc<str>> {
        let length = self.count()?;
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        Some(self.texts.entry(text).or_insert_with(|| Arc::from(text)).clone())
    }

    fn texts(&mut self) -> Option<Box<[Arc<str>]>> {
        (0..self.count()?).map(|_| self.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ContentId {
        ContentId::new([n; 20])
    }

    fn some() -> Known {
        let held = [
            Held::Markers([Arc::from("apps:web:prod"), Arc::from("ü")].into()),
            Held::Problem {
                line: Some(7),
                why: Arc::from("it is cut off"),
                seem: [Arc::from("a:b:c")].into(),
            },
            Held::Problem { line: None, why: Arc::from("it is too large"), seem: [].into() },
        ];
        let files = held.into_iter().map(|held| Some(Arc::new(held))).chain([None]);
        let files = (0..).zip(files).map(|(n, held)| (id(n), held)).collect();
        let entry =
            |name: &str, n, is_folder| Entry { name: Arc::from(name), node: Node { id: id(n), is_folder } };
        let entries: [Entry; 2] = [entry("x.yaml", 0, false), entry("below", 12, true)];
        let folders = [
            (id(10), Folder { files: 9, holding: 3, entries: Some(entries.into()) }),
            (id(11), Folder { files: 2, holding: 0, entries: None }),
        ];
        Known::kept(files, folders.into())
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written(&some());
        let read = read(&bytes).unwrap();
        assert_eq!((read.files, read.folders), (some().files, some().folders));
    }

    #[test]
    fn what_is_damaged_is_not_read() {
        let bytes = written(&some());
        for at in 0..bytes.len() {
            assert!(read(&bytes[..at]).is_none(), "cut off at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_none(), "changed at {at}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).is_none());
        assert!(read(b"").is_none());
    }
}
