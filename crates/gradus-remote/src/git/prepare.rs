//! A new commit, built in memory from what is in the repository.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    GitError, ObjectId, Remote, RepoPath, Signature,
    error::{Fault, Outcome},
    object::{Kind, Object},
    pack_writer::{Outgoing, write_pack},
    remote::{Inner, compute},
    session::Session,
    tree::{Edits, edit_tree},
    walk::{Found, walk},
};

/// What becomes of one file, and what it must have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file has this content; its mode stays.
    Write {
        /// The content it must have had; `None`: it must not have been there.
        expect: Option<ObjectId>,
        /// The new content.
        bytes: Bytes,
    },
    /// The file is gone.
    Remove {
        /// The content it must have had.
        expect: ObjectId,
    },
}

/// Everything of a commit besides its tree. The same values give the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMeta {
    /// Who made the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The message; a line feed is added at its end if there is none.
    pub message: String,
    /// One or two parents. The first is what the branch points to now, or for a new branch where it starts.
    pub parents: Vec<ObjectId>,
}

/// What became of an attempt to build a commit.
#[derive(Debug)]
pub enum Preparation {
    /// A commit to push.
    Ready(Prepared),
    /// Every change is already in the base.
    AlreadyTrue,
    /// A file is not what it was expected to be.
    Stale {
        /// The file.
        path: RepoPath,
        /// What it is instead; `None`: it is not there.
        found: Option<ObjectId>,
    },
}

/// A commit with all its new objects, ready to be pushed.
#[derive(Clone)]
pub struct Prepared {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) pack: Bytes,
    pub(super) objects: Vec<(ObjectId, Object)>,
}

impl Prepared {
    /// The id of the commit.
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// The id of its tree.
    pub fn tree(&self) -> ObjectId {
        self.tree
    }

    /// Its parents.
    pub fn parents(&self) -> &[ObjectId] {
        &self.parents
    }

    /// How many bytes of objects a push sends.
    pub fn pack_len(&self) -> usize {
        self.pack.len()
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared {{ id: {}, objects: {} }}", self.id, self.objects.len())
    }
}

impl Remote {
    /// Builds the commit that has the tree of `base` with `changes`.
    ///
    /// Without changes and with two parents it is a merge that takes the tree of `base` as it is.
    pub async fn prepare(
        &self,
        base: ObjectId,
        changes: &BTreeMap<RepoPath, Change>,
        meta: &CommitMeta,
    ) -> Result<Preparation, GitError> {
        self.within("build a commit on a branch", self.inner.prepare(base, changes, meta)).await
    }
}

impl Inner {
    async fn prepare(
        &self,
        base: ObjectId,
        changes: &BTreeMap<RepoPath, Change>,
        meta: &CommitMeta,
    ) -> Outcome<Preparation> {
        check_meta(meta)?;
        let mut session = Session::new(self);
        let root = session.ensure_commit(base).await?.tree;
        let starts: Vec<_> = changes.keys().map(|path| (root, path)).collect();
        let found = walk(&mut session, &starts).await?;
        let mut out = BTreeMap::new();
        let mut edits = Edits::new();
        for ((path, change), found) in changes.iter().zip(found) {
            let found = match found {
                Found::Missing => None,
                Found::File { id, .. } => Some(id),
                Found::ThroughFile => return Err(Found::refusal(path, "leads through a file")),
                Found::Folder(_) => return Err(Found::refusal(path, "is a folder")),
                Found::Refused(why) => return Err(Found::refusal(path, why)),
            };
            let (expect, new) = match change {
                Change::Write { expect, bytes } => (*expect, Some(ObjectId::of_blob(bytes))),
                Change::Remove { expect } => (Some(*expect), None),
            };
            if found == new {
                continue;
            }
            if found != expect {
                return Ok(Preparation::Stale { path: path.clone(), found });
            }
            if let (Change::Write { bytes, .. }, Some(id)) = (change, new) {
                let object = Object { kind: Kind::Blob, data: bytes.clone() };
                out.entry(id).or_insert(Outgoing { id, object, like: session.known(found)? });
            }
            edits.insert(path, new);
        }
        if edits.is_empty() && (meta.parents.len() == 1 || !changes.is_empty()) {
            return Ok(Preparation::AlreadyTrue);
        }
        let tree = if edits.is_empty() { root } else { edit_tree(&mut session, root, &edits, &mut out)? };
        let commit = Object { kind: Kind::Commit, data: commit_bytes(tree, meta).into() };
        let id = ObjectId::of(Kind::Commit, &commit.data);
        out.insert(id, Outgoing { id, object: commit, like: None });
        let (pack, objects) = compute(move || {
            let outgoing: Vec<_> = out.into_values().collect();
            let pack = write_pack(&outgoing).map(Bytes::from);
            let objects = outgoing.into_iter().map(|outgoing| (outgoing.id, outgoing.object)).collect();
            pack.map(|pack| (pack, objects))
        })
        .await??;
        Ok(Preparation::Ready(Prepared { id, tree, parents: meta.parents.clone(), pack, objects }))
    }
}

impl Session<'_> {
    /// An old file, if its bytes are here: they are only wanted to send less.
    fn known(&mut self, id: Option<ObjectId>) -> Outcome<Option<(ObjectId, Object)>> {
        let Some(id) = id else { return Ok(None) };
        self.missing(&[id].into());
        Ok(self.get(id)?.map(|object| (id, object)))
    }
}

fn check_meta(meta: &CommitMeta) -> Outcome<()> {
    if !(1..=2).contains(&meta.parents.len()) {
        return Err(Fault::input(format!("a commit has one or two parents, not {}", meta.parents.len())));
    }
    if meta.parents.first() == meta.parents.get(1) {
        return Err(Fault::input("both parents of a merge are the same commit"));
    }
    for who in [&meta.author, &meta.committer] {
        for (text, may_be_empty) in [(&who.name, false), (&who.email, true)] {
            let is_odd = text.trim() != text || text.contains(['<', '>', '\n', '\0']);
            if is_odd || (text.is_empty() && !may_be_empty) {
                return Err(Fault::input(format!("{text:?} cannot be the name or address of an author")));
            }
        }
        if who.seconds < 0 || who.offset_minutes.unsigned_abs() >= 24 * 60 {
            return Err(Fault::input("the time of a commit is before 1970 or its offset a day or more"));
        }
    }
    if meta.message.trim().is_empty() || meta.message.contains('\0') {
        return Err(Fault::input("the message of a commit is empty or holds a NUL character"));
    }
    Ok(())
}

fn commit_bytes(tree: ObjectId, meta: &CommitMeta) -> Vec<u8> {
    let mut text = format!("tree {tree}\n");
    for parent in &meta.parents {
        text.push_str(&format!("parent {parent}\n"));
    }
    for (role, who) in [("author", &meta.author), ("committer", &meta.committer)] {
        let offset = who.offset_minutes.unsigned_abs();
        let sign = if who.offset_minutes < 0 { '-' } else { '+' };
        let zone = format!("{sign}{:02}{:02}", offset / 60, offset % 60);
        text.push_str(&format!("{role} {} <{}> {} {zone}\n", who.name, who.email, who.seconds));
    }
    text.push('\n');
    text.push_str(&meta.message);
    if !meta.message.ends_with('\n') {
        text.push('\n');
    }
    text.into_bytes()
}
