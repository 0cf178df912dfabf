//! The folders that paths stand for, with ids that follow from what is in them.

use std::collections::BTreeMap;

use gradus_core::names::{BlobId, RepoPath};
use sha2::{Digest, Sha256};

use crate::port::repo::{ContentId, FolderEntry, Onlooker, Top};

enum Node {
    File(ContentId),
    Folder(BTreeMap<String, Node>),
}

/// Shows what is below these paths of a tree, as the port demands. Files are not shown: they are asked for.
pub(super) fn show(
    tree: &BTreeMap<RepoPath, BlobId>,
    below: &[RepoPath],
    onlooker: &dyn Onlooker,
) -> Vec<Top> {
    let mut root = Node::Folder(BTreeMap::new());
    for (path, blob) in tree {
        let id = ContentId::of(blob).expect("the ids of this repository have forty digits");
        put(&mut root, path.as_str(), id);
    }
    let whole = [None];
    let some: Vec<Option<&RepoPath>> = below.iter().map(Some).collect();
    let paths: &[Option<&RepoPath>] = if below.is_empty() { &whole } else { &some };
    let found = paths.iter().filter_map(|path| {
        let node = find(&root, path.map_or("", RepoPath::as_str))?;
        let id = show_all(node, onlooker);
        Some(Top { path: path.cloned(), id, is_folder: matches!(node, Node::Folder(_)) })
    });
    found.collect()
}

fn put(node: &mut Node, path: &str, id: ContentId) {
    let Node::Folder(entries) = node else { return };
    match path.split_once('/') {
        None => drop(entries.insert(path.to_owned(), Node::File(id))),
        Some((name, rest)) => {
            let below = entries.entry(name.to_owned()).or_insert_with(|| Node::Folder(BTreeMap::new()));
            put(below, rest, id);
        }
    }
}

fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('/').filter(|name| !name.is_empty()).try_fold(node, |node, name| match node {
        Node::File(_) => None,
        Node::Folder(entries) => entries.get(name),
    })
}

fn id_of(node: &Node) -> ContentId {
    let entries = match node {
        Node::File(id) => return *id,
        Node::Folder(entries) => entries,
    };
    let mut hash = Sha256::new();
    for (name, below) in entries {
        hash.update(name.as_bytes());
        hash.update([0, u8::from(matches!(below, Node::Folder(_)))]);
        hash.update(id_of(below).bytes());
    }
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    ContentId::new(bytes)
}

fn show_all(node: &Node, onlooker: &dyn Onlooker) -> ContentId {
    let id = id_of(node);
    if let Node::Folder(entries) = node
        && !onlooker.knows(id)
    {
        let shown: Vec<FolderEntry<'_>> = entries
            .iter()
            .map(|(name, below)| FolderEntry {
                name,
                id: id_of(below),
                is_folder: matches!(below, Node::Folder(_)),
            })
            .collect();
        onlooker.folder(id, &shown);
        for below in entries.values() {
            show_all(below, onlooker);
        }
    }
    id
}
