//! Where the markers are at one commit. From one commit to the next only what differs is looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gradus_core::names::{CommitId, RepoPath};
use gradus_core::observation::Why;

use super::Index;
use super::held::Held;
use super::known::{Known, Node};
use crate::port::repo::Top;

/// In how many files of one repository markers are followed. A few folders can stand for files without number.
const MOST: u64 = 200_000;
/// How long a path can be that is followed.
const LONGEST: usize = 4096;

pub(super) struct Present {
    pub(super) at: CommitId,
    tops: Vec<Top>,
    by_marker: HashMap<Arc<str>, BTreeSet<RepoPath>>,
    problems: BTreeMap<RepoPath, String>,
    /// Files that cannot be read, by the markers that their text seems to have.
    suspects: HashMap<Arc<str>, BTreeSet<RepoPath>>,
    files: u64,
    /// Where was looked, as people read it.
    below: String,
}

impl Present {
    /// Where they are in all of this. All of it is known.
    pub(super) fn of(known: &Known, at: &CommitId, tops: &[Top], below: &[RepoPath]) -> Result<Self, Why> {
        let below: Vec<&str> = below.iter().map(RepoPath::as_str).collect();
        let mut present = Self {
            at: at.clone(),
            tops: Vec::new(),
            by_marker: HashMap::new(),
            problems: BTreeMap::new(),
            suspects: HashMap::new(),
            files: 0,
            below: if below.is_empty() { String::new() } else { format!(" below {}", below.join(", ")) },
        };
        let holding: u64 =
            tops.iter().filter_map(|top| known.counts(top.into())).map(|(_, n)| u64::from(n)).sum();
        if holding > MOST {
            return Err(Why::new(format!(
                "more than {MOST} files hold markers; say below which folders to look with `repository.paths`"
            )));
        }
        present
            .go_to(known, tops)
            .ok_or_else(|| Why::new("what is known of the repository was forgotten meanwhile"))?;
        Ok(present)
    }

    /// The same at another commit; `None` where too little is known of this one.
    pub(super) fn moved_to(mut self, known: &Known, at: &CommitId, tops: &[Top]) -> Option<Self> {
        let holding: u64 =
            tops.iter().filter_map(|top| known.counts(top.into())).map(|(_, n)| u64::from(n)).sum();
        if holding > MOST {
            return None;
        }
        self.at = at.clone();
        self.go_to(known, tops)?;
        Some(self)
    }

    /// What is known of these markers.
    pub(super) fn find(&self, values: &[String]) -> Index {
        let files = values.iter().filter_map(|value| {
            Some((value.clone(), self.by_marker.get(value.as_str())?.iter().cloned().collect()))
        });
        let problems = values.iter().filter_map(|value| {
            let file = self.suspects.get(value.as_str())?.last()?;
            Some((value.clone(), self.problems.get(file)?.clone()))
        });
        Index { files: files.collect(), problems: problems.collect(), searched: self.searched() }
    }

    fn searched(&self) -> String {
        let mut text = format!("in {} YAML files{} (at {})", self.files, self.below, self.at.short());
        if let Some(problem) = self.problems.values().next() {
            let more = self.problems.len() - 1;
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            text.push_str(&format!("; not readable: {problem}{more}"));
        }
        text
    }

    fn go_to(&mut self, known: &Known, tops: &[Top]) -> Option<()> {
        let before = std::mem::take(&mut self.tops);
        let gone = before.iter().filter(|old| !tops.iter().any(|new| new.path == old.path));
        for old in gone {
            self.change(known, path_of(old), Some(old.into()), None)?;
        }
        for new in tops {
            let old = before.iter().find(|old| old.path == new.path).map(Node::from);
            self.change(known, path_of(new), old, Some(new.into()))?;
        }
        let files = tops.iter().map(|top| known.counts(top.into()).map(|(files, _)| u64::from(files)));
        self.files = files.sum::<Option<u64>>()?;
        self.tops = tops.to_vec();
        Some(())
    }

    /// What was there goes, what is there comes; `None` where one of them is not known.
    fn change(&mut self, known: &Known, path: &str, old: Option<Node>, new: Option<Node>) -> Option<()> {
        if old == new || path.len() > LONGEST {
            return Some(());
        }
        for (node, comes) in [(old, false), (new, true)] {
            if let Some(node) = node.filter(|node| !node.is_folder) {
                self.file(path, known.files.get(&node.id)?.as_deref(), comes);
            }
        }
        let mut below: BTreeMap<&str, [Option<Node>; 2]> = BTreeMap::new();
        for (at, node) in [old, new].into_iter().enumerate() {
            let Some(node) = node.filter(|node| node.is_folder) else { continue };
            let folder = known.folders.get(&node.id)?;
            for entry in folder.entries.iter().flat_map(|entries| entries.iter()) {
                if let Some(side) = below.entry(&entry.name).or_default().get_mut(at) {
                    *side = Some(entry.node);
                }
            }
        }
        for (name, [old, new]) in below {
            if old != new {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                self.change(known, &path, old, new)?;
            }
        }
        Some(())
    }

    fn file(&mut self, path: &str, held: Option<&Held>, comes: bool) {
        // A path that is no name for us, such as one with a backslash, can hold no value either.
        let (Some(held), Ok(path)) = (held, RepoPath::parse(path)) else { return };
        let (markers, by_marker) = match held {
            Held::Markers(markers) => (markers, &mut self.by_marker),
            Held::Problem { seem, .. } => (seem, &mut self.suspects),
        };
        for marker in markers {
            if comes {
                by_marker.entry(marker.clone()).or_default().insert(path.clone());
            } else if let Some(files) = by_marker.get_mut(marker) {
                files.remove(&path);
                if files.is_empty() {
                    by_marker.remove(marker);
                }
            }
        }
        if let Some(problem) = held.told_of(&path) {
            if comes {
                self.problems.insert(path, problem);
            } else {
                self.problems.remove(&path);
            }
        }
    }
}

fn path_of(top: &Top) -> &str {
    top.path.as_ref().map_or("", RepoPath::as_str)
}
