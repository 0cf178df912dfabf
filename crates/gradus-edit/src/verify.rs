//! Making sure that an edit did what it should and nothing else.

use std::ops::Range;

use crate::refusal::{Refusal, RefusalKind};
use crate::splice::{Made, Splice};
use crate::table::{Anchor, Comment, Content, Layout, Node, NodeId, Role, Style, Table};
use crate::tree::Bone;

/// Compares the file after the edit with the file before. The splices are in the order of the file, each
/// with the bytes that it became.
pub(crate) fn verify(
    before: &Table<'_>,
    after: &Table<'_>,
    splices: &[(Splice, Range<usize>)],
) -> Result<(), Refusal> {
    let moved = Moved::new(splices);
    let refuse = |what| Err(Refusal::of(RefusalKind::Verification { what }));
    let pairs = match Pairs::of(before, after, splices) {
        Some(pairs) => pairs,
        None => return refuse("its keys and values"),
    };
    if !pairs.same_roots(before, after) {
        return refuse("its keys and values");
    }
    let mut sets = splices.iter().filter_map(|(splice, new)| match &splice.made {
        Made::Set { node, text, lead } => Some((*node, text, new.start + lead..new.end)),
        Made::Added { .. } | Made::Removed { .. } | Made::Signs => None,
    });
    let mut set = sets.next();
    for (old_id, new_id) in pairs.pairs() {
        let (Some(old), Some(new)) = (before.node(old_id), after.node(new_id)) else {
            return refuse("its keys and values");
        };
        let same = match &set {
            Some((node, text, span)) if *node == old_id => {
                let same = is_set(old, new, text, span, moved.start(old.span.start));
                set = sets.next();
                same
            }
            Some(_) | None => old.content == new.content && moved.keeps(old, new),
        };
        if !same {
            return Err(Refusal::at(old.place, RefusalKind::Verification { what: "another value" }));
        }
        let same_frame = old.anchor == new.anchor
            && old.tag == new.tag
            && old.place.document == new.place.document
            && old.parent.map(|parent| pairs.becomes(parent)) == new.parent
            && same_role(old.role, new.role, &pairs);
        if !same_frame {
            return Err(Refusal::at(old.place, RefusalKind::Verification { what: "its structure" }));
        }
    }
    if !same_comments(before, after, &moved) {
        return refuse("its comments");
    }
    if set.is_some() {
        return refuse("its keys and values");
    }
    let anchors_same = before.anchors.len() == after.anchors.len()
        && before.anchors.iter().zip(&after.anchors).all(|((old_id, old), (new_id, new))| {
            let Anchor { name, aliases, line: _ } = old;
            old_id == new_id && *name == new.name && *aliases == new.aliases
        });
    if anchors_same { Ok(()) } else { refuse("its anchors") }
}

/// Which node of the file before is which of the file after.
struct Pairs {
    /// Nodes that were there before and that are no more, in order.
    removed: Vec<Range<usize>>,
    /// Nodes of the file after that were added, in order.
    added: Vec<Range<usize>>,
    /// For each of them, the node before which they come, counted among those that stay, and how many have
    /// come with it in all.
    come: Vec<(usize, usize)>,
    /// How many nodes are gone with each of the removed in all.
    gone: Vec<usize>,
    before: usize,
}

impl Pairs {
    /// `None` where the nodes that were added are not those that should be.
    fn of(before: &Table<'_>, after: &Table<'_>, splices: &[(Splice, Range<usize>)]) -> Option<Self> {
        let mut pairs = Self {
            removed: Vec::new(),
            added: Vec::new(),
            come: Vec::new(),
            gone: Vec::new(),
            before: before.nodes.len(),
        };
        for (splice, new) in splices {
            match &splice.made {
                Made::Removed { nodes } => pairs.removed.push(nodes.clone()),
                Made::Added { bones, .. } => {
                    let mut first = after.nodes.partition_point(|node| node.span.start < new.start);
                    // A value that is not written has its place where the next thing begins.
                    while after.nodes.get(first).is_some_and(|node| node.content == Content::Absent) {
                        first += 1;
                    }
                    let added = first..first + bones.len();
                    let nodes = after.nodes.get(added.clone())?;
                    let same = nodes.iter().zip(bones).all(|(node, bone)| is_bone(node, bone));
                    if !same || nodes.iter().any(|node| node.span.start >= new.end) {
                        return None;
                    }
                    pairs.added.push(added);
                }
                Made::Set { .. } | Made::Signs => {}
            }
        }
        let (mut come, mut gone) = (0, 0);
        for added in &pairs.added {
            pairs.come.push((added.start.checked_sub(come)?, come + added.len()));
            come += added.len();
        }
        for removed in &pairs.removed {
            gone += removed.len();
            pairs.gone.push(gone);
        }
        if before.nodes.len() + come != after.nodes.len() + gone {
            return None;
        }
        // What was added is in the collection that it was meant for.
        let meant = splices.iter().filter_map(|(splice, _)| match &splice.made {
            Made::Added { into, .. } => Some(*into),
            Made::Set { .. } | Made::Removed { .. } | Made::Signs => None,
        });
        let at_home = pairs.added.iter().zip(meant).all(|(added, into)| {
            after.nodes.get(added.start).is_some_and(|node| node.parent == Some(pairs.becomes(into)))
        });
        at_home.then_some(pairs)
    }

    fn same_roots(&self, before: &Table<'_>, after: &Table<'_>) -> bool {
        before.roots.len() == after.roots.len()
            && before.roots.iter().zip(&after.roots).all(|(old, new)| self.becomes(*old) == *new)
    }

    /// The nodes that are in both files, in order.
    fn pairs(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let mut removed = self.removed.iter().peekable();
        let mut added = self.added.iter().peekable();
        let mut new = 0;
        (0..self.before).filter_map(move |old| {
            while removed.peek().is_some_and(|gone| gone.end <= old) {
                removed.next();
            }
            if removed.peek().is_some_and(|gone| gone.contains(&old)) {
                return None;
            }
            while let Some(come) = added.peek().filter(|come| come.start == new) {
                new = come.end;
                added.next();
            }
            new += 1;
            Some((NodeId(old), NodeId(new - 1)))
        })
    }

    /// What a node that stays is in the file after.
    fn becomes(&self, old: NodeId) -> NodeId {
        let removed = self.removed.partition_point(|gone| gone.end <= old.0);
        let gone = removed.checked_sub(1).and_then(|at| self.gone.get(at)).copied().unwrap_or_default();
        let stays = old.0 - gone;
        let added = self.come.partition_point(|(before, _)| *before <= stays);
        let come = added.checked_sub(1).and_then(|at| self.come.get(at)).map_or(0, |(_, come)| *come);
        NodeId(stays + come)
    }
}

fn is_bone(node: &Node<'_>, bone: &Bone) -> bool {
    match (bone, &node.content) {
        (Bone::Mapping, Content::Mapping(_)) | (Bone::List, Content::Sequence(_)) => true,
        (Bone::Text(text), Content::Scalar(_, found)) => **found == **text,
        (
            Bone::Mapping | Bone::List | Bone::Text(_),
            Content::Mapping(_)
            | Content::Sequence(_)
            | Content::Scalar(..)
            | Content::Alias(_)
            | Content::Absent,
        ) => false,
    }
}

/// Whether the node that was edited is exactly where it should be and means what was asked for.
fn is_set(old: &Node<'_>, new: &Node<'_>, set: &str, span: &Range<usize>, start: usize) -> bool {
    let Content::Scalar(new_style, text) = &new.content else { return false };
    let style_kept = match &old.content {
        // The text of a block is compared, and the lines outside it are where they were.
        Content::Scalar(Style::Block, _) => {
            // Where its first line changes, it starts in the splice.
            let there = new.span.start == start || span.start == new.span.start;
            return *new_style == Style::Block && **text == *set && there;
        }
        Content::Scalar(old_style, _) => {
            old_style == new_style || (*old_style == Style::Plain && *new_style == Style::Double)
        }
        Content::Absent => matches!(new_style, Style::Plain | Style::Double),
        Content::Mapping(_) | Content::Sequence(_) | Content::Alias(_) => false,
    };
    style_kept && **text == *set && new.span == *span
}

fn same_role(old: Role, new: Role, pairs: &Pairs) -> bool {
    match (old, new) {
        (Role::Root, Role::Root) | (Role::Key, Role::Key) => true,
        (Role::Value(old), Role::Value(new)) => pairs.becomes(old) == new,
        (Role::Item(old), Role::Item(new)) => old == new,
        (Role::Root | Role::Key | Role::Value(_) | Role::Item(_), _) => false,
    }
}

/// Every comment is where it was, but for those that stood beside what was taken away.
fn same_comments(before: &Table<'_>, after: &Table<'_>, moved: &Moved<'_>) -> bool {
    let mut kept = before.comments.iter().filter(|comment| !moved.removes(comment));
    let mut found = after.comments.iter();
    loop {
        match (kept.next(), found.next()) {
            (None, None) => return true,
            (Some(old), Some(new)) => {
                let same = moved.start(old.span.start) == new.span.start
                    && moved.end(old.span.end) == new.span.end
                    && before.text.get(old.span.clone()) == after.text.get(new.span.clone());
                if !same {
                    return false;
                }
            }
            (Some(_), None) | (None, Some(_)) => return false,
        }
    }
}

/// How far the splices moved what stands behind them.
struct Moved<'a> {
    splices: &'a [(Splice, Range<usize>)],
    /// The bytes that went away; few, where values that are set may be many.
    gone: Vec<&'a Range<usize>>,
}

impl<'a> Moved<'a> {
    fn new(splices: &'a [(Splice, Range<usize>)]) -> Self {
        let removed = |splice: &Splice| matches!(splice.made, Made::Removed { .. });
        let gone = splices.iter().filter(|(splice, _)| removed(splice)).map(|(splice, _)| &splice.old);
        Self { splices, gone: gone.collect() }
    }

    /// Whether a node that was not edited is where the splices moved it to.
    fn keeps(&self, old: &Node<'_>, new: &Node<'_>) -> bool {
        match &old.content {
            // Nothing is written of it.
            Content::Absent => true,
            // Where they end is where something else begins.
            Content::Mapping(Layout::Block | Layout::Pair)
            | Content::Sequence(Layout::Block | Layout::Pair)
            | Content::Scalar(Style::Block, _) => {
                // A mapping whose first key is gone starts at the next, which is looked at by itself.
                self.start(old.span.start) == new.span.start
                    || self.is_gone(old.span.start)
                    || self.is_filled(old.span.start, new.span.start)
            }
            Content::Mapping(Layout::Flow)
            | Content::Sequence(Layout::Flow)
            | Content::Scalar(Style::Plain | Style::Single | Style::Double, _)
            | Content::Alias(_) => {
                self.start(old.span.start) == new.span.start && self.end(old.span.end) == new.span.end
            }
        }
    }

    /// Where what starts at this byte starts now.
    fn start(&self, at: usize) -> usize {
        self.offset(at, self.splices.partition_point(|(splice, _)| splice.old.end <= at))
    }

    /// Where what ends at this byte ends now: what is put in there comes behind it.
    fn end(&self, at: usize) -> usize {
        let behind =
            |splice: &Splice| splice.old.end < at || (splice.old.end == at && !splice.old.is_empty());
        self.offset(at, self.splices.partition_point(|(splice, _)| behind(splice)))
    }

    fn offset(&self, at: usize, index: usize) -> usize {
        match index.checked_sub(1).and_then(|index| self.splices.get(index)) {
            Some((splice, new)) => new.end + (at - splice.old.end),
            None => at,
        }
    }

    fn is_gone(&self, at: usize) -> bool {
        let index = self.gone.partition_point(|gone| gone.end <= at);
        self.gone.get(index).is_some_and(|gone| gone.contains(&at))
    }

    /// Whether a list starts where its first element was not written and is now: one that is not indented
    /// begins behind its first dash.
    fn is_filled(&self, old: usize, new: usize) -> bool {
        let before = self.splices.partition_point(|(splice, _)| splice.old.start <= old);
        let Some((splice, made)) = before.checked_sub(1).and_then(|at| self.splices.get(at)) else {
            return false;
        };
        splice.old.is_empty() && made.start <= new && new <= made.end + (old - splice.old.start)
    }

    fn removes(&self, comment: &Comment) -> bool {
        let index = self.gone.partition_point(|gone| gone.end < comment.span.end);
        self.gone
            .get(index)
            .is_some_and(|gone| gone.start <= comment.span.start && comment.span.end <= gone.end)
    }
}

#[cfg(test)]
mod tests;
