//! A new commit, built in memory from what is in the repository.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{
    GitError, Mode, ObjectId, Remote, RepoPath, Signature, attributes,
    error::{Fault, Outcome},
    object::{Kind, Object},
    pack_writer::{Outgoing, write_pack},
    remote::{Inner, compute},
    session::Session,
    tree::{Edits, New, edit_tree},
    walk::{Found, walk},
};

/// What becomes of one file, and what it must have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file has this content; its mode stays, and a new one is a regular file.
    Write {
        /// The content it must have had; `None`: it must not have been there.
        expect: Option<ObjectId>,
        /// The new content.
        bytes: Bytes,
    },
    /// This stands there, whatever did before.
    Put {
        /// What must have been there; `None`: nothing.
        expect: Option<ObjectId>,
        /// What it is.
        mode: Mode,
        /// What it holds.
        content: Content,
    },
    /// Nothing is there, neither a file nor a folder.
    Remove {
        /// What must have been there; `None`: nothing.
        expect: Option<ObjectId>,
    },
}

/// What is put at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A new content.
    Bytes(Bytes),
    /// An object that the repository has.
    Known(ObjectId),
}

impl Change {
    fn expect(&self) -> Option<ObjectId> {
        match self {
            Self::Write { expect, .. } | Self::Put { expect, .. } | Self::Remove { expect } => *expect,
        }
    }

    /// What is there afterwards.
    fn becomes(&self) -> Outcome<Option<New>> {
        match self {
            Self::Write { bytes, .. } => Ok(Some(New { id: ObjectId::of_blob(bytes), mode: None })),
            Self::Put { mode: Mode::Folder | Mode::Submodule, content: Content::Bytes(_), .. } => {
                Err(Fault::input("only files and symbolic links hold bytes"))
            }
            Self::Put { mode, content: Content::Bytes(bytes), .. } => {
                Ok(Some(New { id: ObjectId::of_blob(bytes), mode: Some(*mode) }))
            }
            Self::Put { mode, content: Content::Known(id), .. } => {
                Ok(Some(New { id: *id, mode: Some(*mode) }))
            }
            Self::Remove { .. } => Ok(None),
        }
    }

    fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Write { bytes, .. } | Self::Put { content: Content::Bytes(bytes), .. } => Some(bytes),
            Self::Put { content: Content::Known(_), .. } | Self::Remove { .. } => None,
        }
    }

    /// Whether it knows by its id what it replaces, so that this need not be a file.
    fn takes_anything(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Remove { .. } => true,
            Self::Write { .. } => false,
        }
    }
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
    /// One to three parents. The first is what the branch points to now, or for a new branch where it starts.
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
                Found::File { id, mode } => Some((id, mode)),
                Found::ThroughFile => return Err(Found::refusal(path, "leads through a file")),
                Found::Folder(id) if change.takes_anything() => Some((id, Mode::Folder)),
                Found::Folder(_) => return Err(Found::refusal(path, "is a folder")),
                Found::Link { id, mode } if change.takes_anything() => Some((id, mode)),
                Found::Link { mode, .. } => return Err(Found::link(path, mode)),
                Found::Refused(why) => return Err(Found::refusal(path, why)),
            };
            let new = change.becomes()?;
            let is_so = match (found, &new) {
                (None, None) => true,
                (Some((id, mode)), Some(new)) => id == new.id && new.mode.is_none_or(|new| new == mode),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if is_so {
                continue;
            }
            let found_id = found.map(|(id, _)| id);
            if found_id != change.expect() {
                return Ok(Preparation::Stale { path: path.clone(), found: found_id });
            }
            if let (Some(bytes), Some(New { id, .. })) = (change.bytes(), &new) {
                let object = Object { kind: Kind::Blob, data: bytes.clone() };
                let like = found.filter(|(_, mode)| matches!(mode, Mode::File | Mode::Executable));
                let like = session.known(like.map(|(id, _)| id))?;
                out.entry(*id).or_insert(Outgoing { id: *id, object, like });
            }
            edits.insert(path, new);
        }
        let written =
            edits.keys().copied().filter(|path| changes[*path].bytes().is_some()).collect::<Vec<_>>();
        attributes::refuse_filtered(&mut session, root, &written).await?;
        if edits.is_empty() && (meta.parents.len() == 1 || !changes.is_empty()) {
            return Ok(Preparation::AlreadyTrue);
        }
        let tree = if edits.is_empty() { root } else { edit_tree(&mut session, root, &edits, &mut out)? };
        let commit = commit_text(tree, meta);
        let commit = self.signing.as_ref().map_or_else(|| commit.clone(), |key| key.sign(&commit));
        let commit = Object { kind: Kind::Commit, data: commit.into() };
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
    if !(1..=3).contains(&meta.parents.len()) {
        return Err(Fault::input(format!("a commit has one to three parents, not {}", meta.parents.len())));
    }
    if meta.parents.iter().collect::<BTreeSet<_>>().len() < meta.parents.len() {
        return Err(Fault::input("two parents of a merge are the same commit"));
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

fn commit_text(tree: ObjectId, meta: &CommitMeta) -> String {
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
    text
}
