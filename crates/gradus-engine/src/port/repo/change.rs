//! What a commit changes, and what stands in a tree.

use std::sync::Arc;

use gradus_core::names::{BlobId, RepoPath};

/// A path to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What must be there before; absent when nothing may be.
    pub expect: Option<BlobId>,
    /// What is there afterwards.
    pub becomes: Becomes,
}

/// What becomes of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Becomes {
    /// A file with this content. What was there stays executable if it was; a new one is not.
    Bytes(Arc<[u8]>),
    /// A file with this content, executable or not as the mode says.
    BytesAs(EntryMode, Arc<[u8]>),
    /// Something that the repository has already, as a copy or a merge takes it over.
    Entry(EntryMode, BlobId),
    /// Nothing.
    Gone,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryMode {
    /// A regular file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is where it leads.
    Symlink,
    /// A commit of another repository.
    Submodule,
    /// A folder.
    Folder,
}

/// Something in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: RepoPath,
    /// What it is.
    pub mode: EntryMode,
    /// The id of its content.
    pub blob: BlobId,
}

impl FileChange {
    /// A file that is there gets another content.
    pub fn write(expect: BlobId, bytes: Arc<[u8]>) -> Self {
        Self { expect: Some(expect), becomes: Becomes::Bytes(bytes) }
    }

    /// A file that is not there is made.
    pub fn create(bytes: Arc<[u8]>) -> Self {
        Self { expect: None, becomes: Becomes::Bytes(bytes) }
    }

    /// A file that is there is deleted.
    pub fn remove(expect: BlobId) -> Self {
        Self { expect: Some(expect), becomes: Becomes::Gone }
    }
}
