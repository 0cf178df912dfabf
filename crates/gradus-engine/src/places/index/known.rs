//! What contents hold, by their ids: true for ever, and forgotten only to save room.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use gradus_core::observation::Why;
use tokio::time::Instant;

use super::held::Held;
use crate::port::repo::{ContentId, FolderEntry, Top};

/// So many more contents than twice those of the first look may become known before all are forgotten.
const SPARE: usize = 50_000;

/// So much has to be new before it is worth being kept at once,
const WORTH: usize = 512;
/// or for so long it was not.
const SELDOM: Duration = Duration::from_secs(60);

/// What the contents of a repository hold.
#[derive(Default)]
pub(super) struct Known {
    /// Every file that was looked into, most of which hold nothing.
    pub(super) files: HashMap<ContentId, Option<Arc<Held>>>,
    /// Every folder of which all is known.
    pub(super) folders: HashMap<ContentId, Folder>,
    /// Beyond so many contents it begins anew.
    room: Option<usize>,
    /// How many contents are new since they were kept.
    unkept: usize,
    kept: Option<Instant>,
}

/// What is below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// How many YAML files.
    pub(super) files: u32,
    /// How many of them hold something.
    pub(super) holding: u32,
    /// Those entries of the folder that hold something, or below which something does.
    pub(super) entries: Option<Arc<[Entry]>>,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) node: Node,
}

/// A file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: ContentId,
    pub(super) is_folder: bool,
}

impl From<&Top> for Node {
    fn from(top: &Top) -> Self {
        Self { id: top.id, is_folder: top.is_folder }
    }
}

/// Folders that were shown, and are not known before all below them is.
#[derive(Default)]
pub(super) struct Fresh {
    folders: HashMap<ContentId, Box<[Entry]>>,
    /// Most names are those of many files.
    names: HashSet<Arc<str>>,
}

impl Fresh {
    pub(super) fn folder(&mut self, id: ContentId, entries: &[FolderEntry<'_>]) {
        let wanted = entries.iter().filter(|entry| entry.is_folder || is_yaml(entry.name));
        let wanted: Vec<(&str, Node)> =
            wanted.map(|entry| (entry.name, Node { id: entry.id, is_folder: entry.is_folder })).collect();
        let entries = wanted.into_iter().map(|(name, node)| Entry { name: self.name(name), node }).collect();
        self.folders.insert(id, entries);
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = Arc::from(name);
        self.names.insert(name.clone());
        name
    }
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

impl Known {
    /// What was kept by an earlier process, or by another one.
    pub(super) fn kept(
        files: HashMap<ContentId, Option<Arc<Held>>>,
        folders: HashMap<ContentId, Folder>,
    ) -> Self {
        let mut known = Self { files, folders, kept: Some(Instant::now()), ..Self::default() };
        known.room = Some(known.most());
        known
    }

    fn len(&self) -> usize {
        self.files.len() + self.folders.len()
    }

    fn most(&self) -> usize {
        2 * self.len() + SPARE
    }

    pub(super) fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    pub(super) fn knows(&self, folder: ContentId) -> bool {
        self.folders.contains_key(&folder)
    }

    /// Contents that are in no commit any more are not told from others: once there are too many, all are forgotten.
    pub(super) fn make_room(&mut self) {
        if self.room.is_some_and(|room| self.len() > room) {
            *self = Self::default();
        }
    }

    /// Whether it should be kept now; then it counts as kept.
    pub(super) fn is_worth_keeping(&mut self) -> bool {
        let long_ago = self.kept.is_none_or(|kept| kept.elapsed() > SELDOM);
        let worth = self.unkept > WORTH || (self.unkept > 0 && long_ago);
        if worth {
            self.unkept = 0;
            self.kept = Some(Instant::now());
        }
        worth
    }

    pub(super) fn file(&mut self, id: ContentId, held: Option<Held>) {
        self.unkept += usize::from(self.files.insert(id, held.map(Arc::new)).is_none());
    }

    /// The YAML files among these that were not looked into, each once.
    pub(super) fn unread(&self, fresh: &Fresh, tops: &[Top]) -> Vec<ContentId> {
        let entries = fresh.folders.values().flat_map(|entries| entries.iter().map(|entry| entry.node));
        let files = entries.chain(tops.iter().map(Node::from)).filter(|node| !node.is_folder);
        let unread: HashSet<ContentId> =
            files.map(|node| node.id).filter(|id| !self.files.contains_key(id)).collect();
        unread.into_iter().collect()
    }

    /// Takes in the folders that were shown, those below first.
    pub(super) fn settle(&mut self, mut fresh: Fresh, tops: &[Top]) -> Result<(), Why> {
        let mut open: Vec<ContentId> = Vec::new();
        for top in tops {
            if top.is_folder {
                open.push(top.id);
            } else if !self.files.contains_key(&top.id) {
                return Err(not_sent(top.id));
            }
        }
        let mut begun = HashSet::new();
        while let Some(&id) = open.last() {
            if self.folders.contains_key(&id) {
                open.pop();
                continue;
            }
            let Some(entries) = fresh.folders.get(&id) else { return Err(not_sent(id)) };
            let below = entries.iter().filter(|entry| entry.node.is_folder).map(|entry| entry.node.id);
            let unknown: Vec<ContentId> = below.filter(|id| !self.folders.contains_key(id)).collect();
            if unknown.is_empty() {
                let folder = self.folder_of(entries)?;
                fresh.folders.remove(&id);
                self.folders.insert(id, folder);
                self.unkept += 1;
                open.pop();
            } else if begun.insert(id) {
                open.extend(unknown);
            } else {
                return Err(Why::new("the host shows a folder that is in itself"));
            }
        }
        if self.room.is_none() {
            self.room = Some(self.most());
        }
        Ok(())
    }

    fn folder_of(&self, entries: &[Entry]) -> Result<Folder, Why> {
        let mut folder = Folder::default();
        let mut holding = Vec::new();
        for entry in entries {
            let (files, holds) = self.counts(entry.node).ok_or_else(|| not_sent(entry.node.id))?;
            folder.files = folder.files.saturating_add(files);
            folder.holding = folder.holding.saturating_add(holds);
            if holds > 0 {
                holding.push(entry.clone());
            }
        }
        folder.entries = (!holding.is_empty()).then(|| holding.into());
        Ok(folder)
    }

    /// How many YAML files there are, and how many of them hold something.
    pub(super) fn counts(&self, node: Node) -> Option<(u32, u32)> {
        if node.is_folder {
            return self.folders.get(&node.id).map(|folder| (folder.files, folder.holding));
        }
        self.files.get(&node.id).map(|held| (1, u32::from(held.is_some())))
    }
}

fn not_sent(id: ContentId) -> Why {
    Why::new(format!("the host did not send {id}, which is in the repository"))
}
