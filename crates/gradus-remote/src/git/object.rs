//! Objects and their ids: what is a tree, a commit, and how their bytes are read.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use sha1_checked::{Digest, Sha1};

use super::error::{Fault, GitError, Outcome};

/// The id of a Git object: the SHA-1 of its kind, length and bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// The id protocol messages use for "there is none".
    pub(super) const NONE: Self = Self([0; 20]);

    /// The id as 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The id a file of these bytes has in every repository.
    pub fn of_blob(bytes: &[u8]) -> Self {
        Self::of(Kind::Blob, bytes)
    }

    pub(super) fn of(kind: Kind, data: &[u8]) -> Self {
        let mut hasher = Sha1::new();
        hasher.update(format!("{} {}\0", kind.name(), data.len()));
        hasher.update(data);
        // A crafted collision yields another hash than the one announced, so it is never found under the wanted id.
        Self(hasher.finalize().into())
    }

    pub(super) fn of_stream(data: &[u8]) -> Self {
        Self(Sha1::digest(data).into())
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn from_hex(hex: &[u8]) -> Option<Self> {
        if hex.len() != 40 {
            return None;
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(hex.chunks(2)) {
            let digit = |c: u8| (c as char).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(Self(id))
    }
}

impl FromStr for ObjectId {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        Self::from_hex(text.as_bytes()).ok_or_else(|| {
            Fault::input(format!("{text:?} is not 40 hexadecimal digits")).doing("read an object id")
        })
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// An object whose id has been computed from these very bytes.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) data: Bytes,
}

impl Object {
    pub(super) fn expect(self, kind: Kind, id: ObjectId) -> Outcome<Bytes> {
        if self.kind == kind {
            return Ok(self.data);
        }
        Err(Fault::protocol(format!("object {id} is a {}, not a {}", self.kind.name(), kind.name())))
    }
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// A regular file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Symlink,
    /// A commit of another repository.
    Submodule,
    /// A folder.
    Folder,
}

impl Mode {
    /// As Git writes it.
    pub(super) fn raw(self) -> &'static [u8] {
        match self {
            Self::File => b"100644",
            Self::Executable => b"100755",
            Self::Symlink => b"120000",
            Self::Submodule => b"160000",
            Self::Folder => b"40000",
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"100755" => Some(Self::Executable),
            b"120000" => Some(Self::Symlink),
            b"160000" => Some(Self::Submodule),
            b"40000" | b"040000" => Some(Self::Folder),
            // Old repositories hold 100664, which Git reads as a regular file too.
            other => other.starts_with(b"100").then_some(Self::File),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct TreeEntry<'a> {
    /// The mode as it is written, so that a tree can be rebuilt to the byte.
    pub(super) raw_mode: &'a [u8],
    pub(super) mode: Mode,
    pub(super) name: &'a [u8],
    pub(super) id: ObjectId,
    /// Where in the tree's bytes the 20 bytes of the id start.
    pub(super) id_at: usize,
}

/// The entries of a tree in their order; a malformed tree ends in one error.
pub(super) fn tree_entries(data: &[u8]) -> impl Iterator<Item = Outcome<TreeEntry<'_>>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= data.len() {
            return None;
        }
        let entry = tree_entry_at(data, at);
        at = entry.as_ref().map_or(data.len(), |entry| entry.id_at + 20);
        Some(entry.ok_or_else(|| Fault::protocol("a tree is malformed")))
    })
}

fn tree_entry_at(data: &[u8], at: usize) -> Option<TreeEntry<'_>> {
    let rest = &data[at..];
    let space = rest.iter().take(7).position(|&b| b == b' ')?;
    let zero = space + rest[space..].iter().position(|&b| b == 0)?;
    let raw_mode = &rest[..space];
    let name = &rest[space + 1..zero];
    let id = ObjectId::from_slice(rest.get(zero + 1..zero + 21)?)?;
    (!name.is_empty()).then_some(())?;
    Some(TreeEntry { raw_mode, mode: Mode::parse(raw_mode)?, name, id, id_at: at + zero + 1 })
}

pub(super) fn find_entry<'a>(tree: &'a [u8], name: &str) -> Outcome<Option<TreeEntry<'a>>> {
    for entry in tree_entries(tree) {
        let entry = entry?;
        if entry.name == name.as_bytes() {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// A person and a moment, as a commit names its author and its committer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// The offset of the local time from UTC, in minutes.
    pub offset_minutes: i16,
}

#[derive(Clone, Debug)]
pub(super) struct ParsedCommit {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) author: Signature,
    pub(super) committer: Signature,
    pub(super) message: String,
}

pub(super) fn parse_commit(data: &[u8]) -> Outcome<ParsedCommit> {
    commit_of(data).ok_or_else(|| Fault::protocol("a commit is malformed"))
}

fn commit_of(data: &[u8]) -> Option<ParsedCommit> {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (mut tree, mut author, mut committer, mut parents) = (None, None, None, Vec::new());
    for line in data[..end].split(|&b| b == b'\n') {
        let space = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let value = line.get(space + 1..).unwrap_or_default();
        match &line[..space] {
            b"tree" if tree.is_none() => tree = Some(ObjectId::from_hex(value)?),
            b"parent" => parents.push(ObjectId::from_hex(value)?),
            b"author" => author = Some(signature_of(value)),
            b"committer" => committer = Some(signature_of(value)),
            _ => {}
        }
    }
    let message = String::from_utf8_lossy(data.get(end + 2..).unwrap_or_default()).into_owned();
    Some(ParsedCommit { tree: tree?, parents, author: author?, committer: committer?, message })
}

/// History holds signatures of every shape; what cannot be read is left empty rather than refused.
fn signature_of(value: &[u8]) -> Signature {
    let text = String::from_utf8_lossy(value);
    let (who, when) = text.rsplit_once('>').unwrap_or((&text, ""));
    let (name, email) = who.split_once('<').unwrap_or((who, ""));
    let mut when = when.split_whitespace();
    let seconds = when.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    let zone: i16 = when.next().and_then(|zone| zone.parse().ok()).unwrap_or(0);
    Signature {
        name: name.trim().to_owned(),
        email: email.trim().to_owned(),
        seconds,
        offset_minutes: zone / 100 * 60 + zone % 100,
    }
}
