//! What could not be followed.

use std::fmt;

use super::node::Node;
use crate::walk::shorten;
use crate::{Place, Refusal};

/// Something that was not followed: what is yielded may be something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file that says it; of a file that cannot be read, itself.
    pub file: String,
    /// Where in that file.
    pub place: Option<Place>,
    /// What it is.
    pub kind: NoteKind,
}

/// What could not be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteKind {
    /// A file or a folder that is not there.
    Missing {
        /// Its path, as it is written.
        path: String,
    },
    /// Something that would have to be fetched.
    Remote {
        /// Its address.
        address: String,
    },
    /// A file that does not parse.
    Unreadable(Refusal),
    /// A kustomization that takes itself in, by others.
    Cycle {
        /// The folder.
        folder: String,
    },
    /// More folders inside one another, or more of everything, than is looked at.
    TooMuch {
        /// Of what.
        what: &'static str,
    },
    /// A patch for an object that is not there.
    NoTarget {
        /// The object, or what selects it.
        wanted: String,
    },
    /// A patch that cannot be applied.
    NotApplied {
        /// Why.
        why: String,
    },
    /// A part of a kustomization that is not looked at.
    PassedOver {
        /// The field.
        field: String,
    },
    /// A second object that is called the same.
    Twice {
        /// The object.
        object: String,
    },
}

impl Note {
    /// What there is to say where a node stands.
    pub(super) fn at(node: &Node, kind: NoteKind) -> Self {
        Self { file: node.origin.file().to_owned(), place: Some(node.origin.place), kind }
    }

    pub(super) fn missing(node: &Node, path: &str) -> Self {
        Self::at(node, NoteKind::Missing { path: shorten(path) })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}", place.line)?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "{path} is not there"),
            Self::Remote { address } => write!(f, "{address} is not fetched"),
            Self::Unreadable(refusal) => write!(f, "{}", refusal.kind),
            Self::Cycle { folder } if folder.is_empty() => f.write_str("the top takes itself in"),
            Self::Cycle { folder } => write!(f, "{folder} takes itself in"),
            Self::TooMuch { what } => write!(f, "there are more {what} than are looked at"),
            Self::NoTarget { wanted } => write!(f, "the patch is for {wanted}, which is not there"),
            Self::NotApplied { why } => write!(f, "the patch cannot be applied: {why}"),
            Self::PassedOver { field } => write!(f, "{field} is not looked at"),
            Self::Twice { object } => write!(f, "{object} is there twice"),
        }
    }
}
