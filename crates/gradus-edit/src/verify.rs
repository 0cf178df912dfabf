//! Making sure that an edit did what it should and nothing else.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::refusal::{Refusal, RefusalKind};
use crate::table::{Content, Node, NodeId, Style, Table};

/// One replacement of bytes that was made.
#[derive(Debug)]
pub(crate) struct Splice {
    pub(crate) node: NodeId,
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
    pub(crate) set: String,
}

/// Compares the file after the edit with the file before. The splices are in the order of the file.
pub(crate) fn verify(before: &Table<'_>, after: &Table<'_>, splices: &[Splice]) -> Result<(), Refusal> {
    let moved = Moved::new(before, splices);
    let set: BTreeMap<NodeId, &Splice> = splices.iter().map(|splice| (splice.node, splice)).collect();
    let refuse = |what| Err(Refusal::of(RefusalKind::Verification { what }));

    if before.nodes.len() != after.nodes.len() || before.roots != after.roots {
        return refuse("its keys and values");
    }
    for (index, (old, new)) in before.nodes.iter().zip(&after.nodes).enumerate() {
        let same = match set.get(&NodeId(index)) {
            Some(splice) => is_set(old, new, splice),
            None => old.content == new.content && moved.same(&old.span, &new.span),
        };
        if !same {
            return Err(Refusal::at(old.place, RefusalKind::Verification { what: "another value" }));
        }
        let same_frame = old.parent == new.parent
            && old.role == new.role
            && old.next == new.next
            && old.anchor == new.anchor
            && old.tag == new.tag
            && (old.place.document, moved.line(old.place.line)) == (new.place.document, new.place.line);
        if !same_frame {
            return Err(Refusal::at(old.place, RefusalKind::Verification { what: "its structure" }));
        }
    }
    let comments_same = before.comments.len() == after.comments.len()
        && before.comments.iter().zip(&after.comments).all(|(old, new)| {
            moved.line(old.place.line) == new.place.line
                && moved.same(&old.span, &new.span)
                && before.text.get(old.span.clone()) == after.text.get(new.span.clone())
        });
    if !comments_same {
        return refuse("its comments");
    }
    let anchors_same = before.anchors.len() == after.anchors.len()
        && before.anchors.iter().zip(&after.anchors).all(|((old_id, old), (new_id, new))| {
            old_id == new_id
                && old.name == new.name
                && moved.line(old.line) == new.line
                && old.aliases == new.aliases
        });
    if anchors_same { Ok(()) } else { refuse("its anchors") }
}

/// Whether the node that was edited is exactly where it should be and means what was asked for.
fn is_set(old: &Node<'_>, new: &Node<'_>, splice: &Splice) -> bool {
    let (Content::Scalar(old_style, _), Content::Scalar(new_style, text)) = (&old.content, &new.content)
    else {
        return false;
    };
    let style_kept = old_style == new_style || (*old_style == Style::Plain && *new_style == Style::Double);
    style_kept && **text == *splice.set && new.span == splice.new && old.span == splice.old
}

/// How far the splices moved what stands behind them.
struct Moved<'a> {
    splices: &'a [Splice],
    /// Where values of more than one line began, and how many lines went away from there on in all.
    joined: Vec<(usize, usize)>,
}

impl<'a> Moved<'a> {
    fn new(before: &Table<'_>, splices: &'a [Splice]) -> Self {
        let mut joined = Vec::new();
        let mut gone = 0;
        for splice in splices {
            let written = before.text.get(splice.old.clone()).unwrap_or_default();
            let breaks = written.matches(['\n', '\r']).count() - written.matches("\r\n").count();
            if let Some(node) = before.node(splice.node).filter(|_| breaks > 0) {
                gone += breaks;
                joined.push((node.place.line, gone));
            }
        }
        Self { splices, joined }
    }

    /// Where a line is now.
    fn line(&self, line: usize) -> usize {
        let index = self.joined.partition_point(|(began, _)| *began < line);
        let gone = index.checked_sub(1).and_then(|index| self.joined.get(index)).map_or(0, |(_, gone)| *gone);
        line.saturating_sub(gone)
    }

    /// Whether bytes outside every splice are where the splices moved them to.
    fn same(&self, old: &Range<usize>, new: &Range<usize>) -> bool {
        self.offset(old.start) == Some(new.start) && self.offset(old.end) == Some(new.end)
    }

    fn offset(&self, at: usize) -> Option<usize> {
        let index = self.splices.partition_point(|splice| splice.old.end <= at);
        match index.checked_sub(1).and_then(|index| self.splices.get(index)) {
            Some(splice) => Some(splice.new.end + (at - splice.old.end)),
            None => Some(at),
        }
    }
}

#[cfg(test)]
mod tests;
