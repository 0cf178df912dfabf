//! Where two commits parted.

use std::{
    collections::{BinaryHeap, HashMap, HashSet},
    ops::BitOrAssign,
};

use super::{
    ObjectId,
    error::Outcome,
    object::ParsedCommit,
    session::{Session, Span},
};
use crate::git::GitErrorKind;

/// Commits asked for at first; each further request asks for four times as many.
const FIRST: u32 = 16;
const MOST_AT_ONCE: u32 = 4096;
/// How many commits are looked at before it is given up.
const MOST: usize = 50_000;

/// From which of the two a commit is reached, and whether a common one is known before it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Paint {
    ours: bool,
    theirs: bool,
    stale: bool,
}

impl Paint {
    fn is_common(self) -> bool {
        self.ours && self.theirs
    }

    fn has(self, other: Self) -> bool {
        (self.ours || !other.ours) && (self.theirs || !other.theirs) && (self.stale || !other.stale)
    }
}

impl BitOrAssign for Paint {
    fn bitor_assign(&mut self, other: Self) {
        self.ours |= other.ours;
        self.theirs |= other.theirs;
        self.stale |= other.stale;
    }
}

/// Reads commits, many at a time where they are not here.
struct Commits<'s, 'r> {
    session: &'s mut Session<'r>,
    portion: u32,
    read: HashSet<ObjectId>,
}

impl Commits<'_, '_> {
    async fn get(&mut self, id: ObjectId) -> Outcome<ParsedCommit> {
        if self.read.insert(id) && self.read.len() > MOST {
            let what = "the number of commits since two branches parted";
            return Err(GitErrorKind::TooLarge { what, limit: MOST as u64 }.into());
        }
        if !self.session.missing(&[id].into()).is_empty() {
            let span = Span { tip: id, more: self.portion, limit: self.portion };
            self.session.ensure_ancestor(id, span).await?;
            self.portion = self.portion.saturating_mul(4).min(MOST_AT_ONCE);
        }
        self.session.need_commit(id)
    }
}

/// The best common ancestors of two commits: none, one, or several where they were merged both ways.
pub(super) async fn merge_bases(
    session: &mut Session<'_>,
    ours: ObjectId,
    theirs: ObjectId,
) -> Outcome<Vec<ObjectId>> {
    let mut commits = Commits { session, portion: FIRST, read: HashSet::new() };
    let found = common(&mut commits, ours, theirs).await?;
    if found.len() < 2 {
        return Ok(found);
    }
    // Commits whose clocks were wrong are met in a wrong order: one that another one has before it is not the best.
    let mut best = Vec::new();
    for &one in &found {
        let mut is_before_another = false;
        for &other in found.iter().filter(|other| **other != one) {
            is_before_another |= common(&mut commits, one, other).await? == [one];
        }
        if !is_before_another {
            best.push(one);
        }
    }
    Ok(best)
}

/// Paints what is reached from each, newest first, until everything that is left is before a common one.
async fn common(commits: &mut Commits<'_, '_>, ours: ObjectId, theirs: ObjectId) -> Outcome<Vec<ObjectId>> {
    let mut painted: HashMap<ObjectId, Paint> = HashMap::new();
    let mut queue = BinaryHeap::new();
    for (id, paint) in [
        (ours, Paint { ours: true, ..Paint::default() }),
        (theirs, Paint { theirs: true, ..Paint::default() }),
    ] {
        *painted.entry(id).or_default() |= paint;
        queue.push((commits.get(id).await?.committer.seconds, id));
    }
    let mut found: Vec<ObjectId> = Vec::new();
    while queue.iter().any(|(_, id)| painted.get(id).is_some_and(|paint| !paint.stale)) {
        let Some((_, id)) = queue.pop() else { break };
        let mut paint = painted.get(&id).copied().unwrap_or_default();
        if paint.is_common() {
            if !paint.stale && !found.contains(&id) {
                found.push(id);
            }
            paint.stale = true;
        }
        for parent in commits.get(id).await?.parents {
            let there = painted.entry(parent).or_default();
            if !there.has(paint) {
                *there |= paint;
                queue.push((commits.get(parent).await?.committer.seconds, parent));
            }
        }
    }
    found.retain(|id| painted.get(id).is_some_and(|paint| !paint.stale));
    Ok(found)
}
