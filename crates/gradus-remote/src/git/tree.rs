//! New trees from old ones: only entries on changed paths differ, every other byte stays.

use std::collections::BTreeMap;

use super::{
    Mode, ObjectId, RepoPath,
    error::Outcome,
    object::{Kind, Object, tree_entries},
    pack_writer::Outgoing,
    session::Session,
    walk::Found,
};

/// What becomes of one path: this, or nothing.
pub(super) type Edits<'a> = BTreeMap<&'a RepoPath, Option<New>>;

/// What stands at a path afterwards.
#[derive(Clone, Copy)]
pub(super) struct New {
    pub(super) id: ObjectId,
    /// `None`: as it was, or a regular file.
    pub(super) mode: Option<Mode>,
}

/// The id of the tree after the edits; trees that are new are added to `out`. All trees on the paths are here.
pub(super) fn edit_tree(
    session: &mut Session<'_>,
    root: ObjectId,
    edits: &Edits<'_>,
    out: &mut BTreeMap<ObjectId, Outgoing>,
) -> Outcome<ObjectId> {
    let edits = edits.iter().map(|(&path, &new)| Edit { path, parts: path.parts().collect(), new }).collect();
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
    new: Option<New>,
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
        let new = match &edits[..] {
            [edit] if edit.parts.is_empty() => edit.new,
            [first, ..] if edits.iter().any(|edit| edit.parts.is_empty()) => {
                return Err(Found::refusal(first.path, "is to be a file and a folder at once"));
            }
            [first, ..] if at.is_some_and(|at| !lines[at].is_folder()) => {
                return Err(Found::refusal(first.path, "leads through a file"));
            }
            _ => {
                let below = at.map(|at| lines[at].id);
                // A folder stays one as it is written.
                let mode = if at.is_some() { None } else { Some(Mode::Folder) };
                edit_folder(session, below, edits, out)?.map(|id| New { id, mode })
            }
        };
        match (at, new) {
            (Some(at), Some(New { id, mode })) if mode.is_none_or(|mode| lines[at].mode == mode.raw()) => {
                lines[at].id = id;
            }
            (at, new) => {
                if let Some(at) = at {
                    lines.remove(at);
                }
                if let Some(New { id, mode }) = new {
                    let mode = mode.unwrap_or(Mode::File).raw();
                    insert(&mut lines, Line { mode: mode.to_vec(), name: name.as_bytes().to_vec(), id });
                }
            }
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

fn insert(lines: &mut Vec<Line>, line: Line) {
    let key = line.key();
    let at = lines.iter().position(|line| line.key() > key).unwrap_or(lines.len());
    lines.insert(at, line);
}

fn put(out: &mut BTreeMap<ObjectId, Outgoing>, data: Vec<u8>, old: Option<(ObjectId, Object)>) -> ObjectId {
    let id = ObjectId::of(Kind::Tree, &data);
    if old.as_ref().is_none_or(|(old, _)| *old != id) {
        let object = Object { kind: Kind::Tree, data: data.into() };
        out.entry(id).or_insert(Outgoing { id, object, like: old });
    }
    id
}
