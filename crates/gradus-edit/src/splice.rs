//! Replacements of bytes, and what each of them makes of the file.

use std::cmp::Reverse;
use std::ops::Range;

use crate::table::{NodeId, Table};
use crate::tree::Bone;

/// One replacement.
#[derive(Debug)]
pub(crate) struct Splice {
    /// The bytes that go.
    pub(crate) old: Range<usize>,
    /// What takes their place.
    pub(crate) text: String,
    pub(crate) made: Made,
}

/// What a replacement makes.
#[derive(Debug)]
pub(crate) enum Made {
    /// This value becomes this text; `lead` bytes stand before it.
    Set { node: NodeId, text: String, lead: usize },
    /// New keys or elements in this collection.
    Added { into: NodeId, bones: Vec<Bone> },
    /// These nodes are no more.
    Removed { nodes: Range<usize> },
    /// Nothing but signs and blanks.
    Signs,
}

/// A text with all replacements made.
pub(crate) struct Spliced {
    pub(crate) text: String,
    /// In the order of the file, each with the bytes it became.
    pub(crate) splices: Vec<(Splice, Range<usize>)>,
}

/// Makes the replacements; nothing if one of them overlaps another.
pub(crate) fn splice(table: &Table<'_>, mut splices: Vec<Splice>) -> Option<Spliced> {
    // At the same byte what is nested deeper comes first: it belongs to what stands before.
    splices.sort_by_key(|splice| {
        let depth = match &splice.made {
            Made::Added { into, .. } => table.ancestry(*into).count(),
            Made::Set { .. } | Made::Removed { .. } | Made::Signs => usize::MAX,
        };
        (splice.old.start, splice.old.end, Reverse(depth))
    });
    let mut text = String::with_capacity(table.text.len() + 64);
    let mut done = Vec::with_capacity(splices.len());
    let mut copied = 0;
    for splice in splices {
        text.push_str(table.text.get(copied..splice.old.start)?);
        let start = text.len();
        text.push_str(&splice.text);
        copied = splice.old.end;
        let new = start..text.len();
        done.push((splice, new));
    }
    text.push_str(table.text.get(copied..)?);
    Some(Spliced { text, splices: done })
}
