//! Folders as they are stored: what is in them, by the ids of their contents.

use std::fmt;

use gradus_core::names::{BlobId, RepoPath};

/// The id of what a folder or a file holds. The same id is the same content, wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId([u8; 20]);

impl ContentId {
    /// The id of these bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The id of a file; `None` where it has more digits than are read.
    pub fn of(blob: &BlobId) -> Option<Self> {
        let digits = blob.as_str().as_bytes();
        let mut bytes = [0; 20];
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            for digit in pair {
                *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            }
        }
        Some(Self(bytes))
    }

    /// The same as the id of a file's content.
    pub fn blob(&self) -> Option<BlobId> {
        BlobId::parse(&self.to_string()).ok()
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file or a folder in a folder. Symbolic links and other repositories are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderEntry<'a> {
    /// What it is called there.
    pub name: &'a str,
    /// What it holds.
    pub id: ContentId,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// What is at a path that was to be looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// Where it is; `None` for the whole tree.
    pub path: Option<RepoPath>,
    /// What it holds.
    pub id: ContentId,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Is shown what is in a repository, and says what need not be shown.
pub trait Onlooker: Send + Sync {
    /// Whether a folder is known, with everything below it.
    fn knows(&self, folder: ContentId) -> bool;

    /// Whether so little is known that all files may as well be shown with their folders.
    fn wants_files(&self) -> bool;

    /// A folder and everything in it.
    fn folder(&self, id: ContentId, entries: &[FolderEntry<'_>]);

    /// A file, whatever its name is.
    fn file(&self, id: ContentId, bytes: &[u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_contents_are_those_of_files() {
        let text = "00ff10a5e69de29bb2d1d6434b8b29ae775ad8c2";
        let blob = BlobId::parse(text).unwrap();
        let id = ContentId::of(&blob).unwrap();
        assert_eq!((id.to_string(), id.blob()), (text.to_owned(), Some(blob)));
        assert_eq!(ContentId::of(&BlobId::parse(&"a".repeat(64)).unwrap()), None);
    }
}
