//! New trees from old ones: only entries on changed paths differ, every other byte stays.

use std::collections::BTreeMap;

use super::{
    ObjectId, RepoPath,
    error::Outcome,
    object::{Kind, Object, tree_entries},
    pack_writer::Outgoing,
    session::Session,
    walk::Found,
};

/// What becomes of one path: a file with this content, or nothing.
pub(super) type Edits<'a> = BTreeMap<&'a RepoPath, Option<ObjectId>>;

/// The id of the tree after the edits; trees that are new are added to `out`. All trees on the paths are here.
pub(super) fn edit_tree(
    session: &mut Session<'_>,
    root: ObjectId,
    edits: &Edits<'_>,
    out: &mut BTreeMap<ObjectId, Outgoing>,
) -> Outcome<ObjectId> {
    let edits = edits.iter().map(|(&path, &id)| Edit { path, parts: path.parts().collect(), id }).collect();
    let new = edit_folder(session, Some(root), edits, out)?;
    match new {
        Some(id) => Ok(id),
        // Only the root may be empty.
        None => Ok(put(out, Vec::new(), None)),
    }
}

struct Edit<'a> {
    path: &'a RepoPath,
    parts: Vec<&'a str>,
    id: Option<ObjectId>,
}

struct Line {
    mode: Vec<u8>,
    name: Vec<u8>,
    id: ObjectId,
}

impl Line {
    fn is_folder(&self) -> bool {
        self.mode == b"40000" || self.mode == b"040000"
    }

    /// Git orders folders as if their names ended in a slash.
    fn key(&self) -> Vec<u8> {
        let mut key = self.name.clone();
        if self.is_folder() {
            key.push(b'/');
        }
        key
    }
}

fn edit_folder(
    session: &mut Session<'_>,
    old: Option<ObjectId>,
    edits: Vec<Edit<'_>>,
    out: &mut BTreeMap<ObjectId, Outgoing>,
) -> Outcome<Option<ObjectId>> {
    let old = match old {
        Some(id) => Some((id, session.need(id, Kind::Tree)?)),
        None => None,
    };
    let mut lines = Vec::new();
    for entry in tree_entries(old.as_ref().map_or(&[], |(_, data)| data)) {
        let entry = entry?;
        lines.push(Line { mode: entry.raw_mode.to_vec(), name: entry.name.to_vec(), id: entry.id });
    }
    let mut by_name: BTreeMap<&str, Vec<Edit<'_>>> = BTreeMap::new();
    for mut edit in edits {
        let name = edit.parts.remove(0);
        by_name.entry(name).or_default().push(edit);
    }
    for (name, edits) in by_name {
        let at = lines.iter().position(|line| line.name == name.as_bytes());
        let (leaf, new) = match &edits[..] {
            [edit] if edit.parts.is_empty() => (true, edit.id),
            [first, ..] if edits.iter().any(|edit| edit.parts.is_empty()) => {
                return Err(Found::refusal(first.path, "is to be a file and a folder at once"));
            }
            _ => {
                let below = at.map(|at| &lines[at]).filter(|line| line.is_folder()).map(|line| line.id);
                (false, edit_folder(session, below, edits, out)?)
            }
        };
        match (at, new) {
            (Some(at), Some(id)) => lines[at].id = id,
            (Some(at), None) => drop(lines.remove(at)),
            (None, Some(id)) => {
                let mode: &[u8] = if leaf { b"100644" } else { b"40000" };
                let line = Line { mode: mode.to_vec(), name: name.as_bytes().to_vec(), id };
                let key = line.key();
                let at = lines.iter().position(|line| line.key() > key).unwrap_or(lines.len());
                lines.insert(at, line);
            }
            (None, None) => {}
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let mut data = Vec::new();
    for line in &lines {
        data.extend_from_slice(&line.mode);
        data.push(b' ');
        data.extend_from_slice(&line.name);
        data.push(0);
        data.extend_from_slice(line.id.as_bytes());
    }
    let old = old.map(|(id, data)| (id, Object { kind: Kind::Tree, data }));
    Ok(Some(put(out, data, old)))
}

fn put(out: &mut BTreeMap<ObjectId, Outgoing>, data: Vec<u8>, old: Option<(ObjectId, Object)>) -> ObjectId {
    let id = ObjectId::of(Kind::Tree, &data);
    if old.as_ref().is_none_or(|(old, _)| *old != id) {
        let object = Object { kind: Kind::Tree, data: data.into() };
        out.entry(id).or_insert(Outgoing { id, object, like: old });
    }
    id
}
