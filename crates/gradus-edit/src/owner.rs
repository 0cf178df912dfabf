//! Which value a comment stands beside.
//!
//! A comment at the end of a line belongs to the last value on that line; behind a key whose value
//! starts further down it belongs to that value. A comment on its own line belongs to what starts on
//! the next line, comments aside: to the value of a key, or to an element of a list.

use std::collections::BTreeMap;

use crate::table::{Comment, Content, Layout, NodeId, Role, Style, Table};

/// Finds the owners of comments in one file.
pub(crate) struct Owners<'t, 'a> {
    table: &'t Table<'a>,
    tokens: Vec<Token>,
    /// For each comment on its own line, by its first byte: where the content below it starts.
    below: BTreeMap<usize, usize>,
}

/// Something that is written: a scalar, an alias or a bracket.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    node: NodeId,
    closes: bool,
}

impl<'t, 'a> Owners<'t, 'a> {
    pub(crate) fn new(table: &'t Table<'a>) -> Self {
        let mut tokens = Vec::new();
        for (index, node) in table.nodes.iter().enumerate() {
            let (start, end, node_id) = (node.span.start, node.span.end, NodeId(index));
            match node.content {
                // The bytes of a block scalar run into the next line, where another comment may stand.
                Content::Scalar(Style::Block, _) => {
                    tokens.push(Token { start, end: start, node: node_id, closes: false });
                }
                Content::Scalar(..) | Content::Alias(_) => {
                    tokens.push(Token { start, end, node: node_id, closes: false });
                }
                Content::Mapping(Layout::Flow) | Content::Sequence(Layout::Flow) if end > start => {
                    tokens.push(Token { start, end: start + 1, node: node_id, closes: false });
                    tokens.push(Token { start: end - 1, end, node: node_id, closes: true });
                }
                Content::Mapping(_) | Content::Sequence(_) | Content::Absent => {}
            }
        }
        tokens.sort_by_key(|token| token.start);
        Self { table, tokens, below: contents_below(table) }
    }

    /// The value that the comment stands beside, whatever sort of value that is.
    pub(crate) fn of(&self, comment: &Comment) -> Option<NodeId> {
        let before = line_before(self.table.text, comment.span.start);
        if is_blank(before) { self.below(comment, indentation(before)) } else { self.beside(comment, before) }
    }

    /// The value that has this comment and no other, as readers see it that hang comments on values.
    ///
    /// To them a value has the comment behind it or else the one above it. What stands above a key is
    /// the key's, and above an element or a value on a line of its own only a single line counts.
    pub(crate) fn attached(&self, comment: &Comment) -> Option<NodeId> {
        let before = line_before(self.table.text, comment.span.start);
        if !is_blank(before) {
            return self.beside(comment, before);
        }
        if self.is_one_of_several(comment) {
            return None;
        }
        let start = *self.below.get(&comment.span.start)?;
        let first = self.tokens.get(self.tokens.partition_point(|token| token.start < start))?;
        let behind_dash = first.start > start && self.table.text.get(start..)?.starts_with('-');
        if self.table.node(first.node)?.role == Role::Key && !behind_dash {
            return None;
        }
        let owner = self.below(comment, indentation(before))?;
        (!self.has_comment_behind(owner)).then_some(owner)
    }

    /// Whether the line above or below this comment is a comment too.
    fn is_one_of_several(&self, comment: &Comment) -> bool {
        let comments = &self.table.comments;
        let index = comments.partition_point(|other| other.span.start < comment.span.start);
        let above = index.checked_sub(1).and_then(|index| comments.get(index));
        [above, comments.get(index + 1)].into_iter().flatten().any(|other| {
            other.place.line.abs_diff(comment.place.line) == 1
                && is_blank(line_before(self.table.text, other.span.start))
        })
    }

    fn has_comment_behind(&self, value: NodeId) -> bool {
        let rest = self.table.node(value).and_then(|node| self.table.text.get(node.span.end..));
        rest.is_some_and(|rest| rest.trim_start_matches([' ', '\t', ',']).starts_with('#'))
    }

    /// The owner of a comment behind something else.
    fn beside(&self, comment: &Comment, before: &str) -> Option<NodeId> {
        let at = comment.span.start;
        let index = self.tokens.partition_point(|token| token.start < at);
        let line_start = at - before.len();
        match index.checked_sub(1).and_then(|index| self.tokens.get(index)) {
            Some(token) if token.end > line_start && token.end <= at => self.value_of(token.node),
            Some(_) | None => self.dash(at, line_start, before),
        }
    }

    /// The owner of a comment behind a dash, perhaps with a tag, an anchor or the head of a block scalar:
    /// the element that follows.
    fn dash(&self, at: usize, line_start: usize, before: &str) -> Option<NodeId> {
        if before.trim() != "-" && !before.trim_start().starts_with("- ") {
            return None;
        }
        let dash = line_start + (before.len() - before.trim_start().len());
        let next = self.tokens.get(self.tokens.partition_point(|token| token.start < at))?;
        self.element(next.node, dash)
    }

    /// The owner of a comment on its own line.
    fn below(&self, comment: &Comment, indentation: usize) -> Option<NodeId> {
        let start = *self.below.get(&comment.span.start)?;
        let line = line_before(self.table.text, start);
        let token = self.tokens.get(self.tokens.partition_point(|token| token.start < start))?;
        let between = self.table.text.get(start..token.start)?;
        if token.closes || between.contains(['\n', '\r']) {
            return None;
        }
        if line.chars().count() < indentation && !self.table.in_flow(token.node) {
            // The comment is part of the collection that ends here, not of what follows.
            return None;
        }
        match between.chars().next() {
            None | Some('&' | '!') => self.value_of(token.node),
            Some('-') => self.element(token.node, start),
            Some(_) => None,
        }
    }

    /// The value of a key; any other node is its own.
    fn value_of(&self, node: NodeId) -> Option<NodeId> {
        match self.table.node(node)?.role {
            Role::Key => {
                let value = NodeId(self.table.node(node)?.next);
                (self.table.node(value)?.role == Role::Value(node)).then_some(value)
            }
            Role::Root | Role::Value(_) | Role::Item(_) => Some(node),
        }
    }

    /// The outermost node that starts behind the dash.
    fn element(&self, inner: NodeId, dash: usize) -> Option<NodeId> {
        let mut element = inner;
        while let Some(parent) = self.table.node(element)?.parent {
            if self.table.node(parent)?.span.start <= dash {
                break;
            }
            element = parent;
        }
        let node = self.table.node(element)?;
        match (node.role, &node.content) {
            (Role::Item(_), _) => Some(element),
            // A list that is not indented begins, for the parser, behind its first dash.
            (_, Content::Sequence(Layout::Block)) => self.table.children(element).next(),
            (Role::Root | Role::Key | Role::Value(_), _) => None,
        }
    }
}

/// Where the first line below each comment starts that holds something, if only comments come before it.
///
/// From the last comment up, so that a long run of comments is walked once and not once a comment.
fn contents_below(table: &Table<'_>) -> BTreeMap<usize, usize> {
    let mut below = BTreeMap::new();
    for comment in table.comments.iter().rev() {
        let Some(rest) = table.text.get(comment.span.end..) else { continue };
        let Some(rest) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r'])) else {
            continue;
        };
        let line = rest.trim_start_matches([' ', '\t']);
        let start = table.text.len() - line.len();
        let content = match line.chars().next() {
            None | Some('\n' | '\r') => None,
            Some('#') => below.get(&start).copied(),
            Some(_) => Some(start),
        };
        if let Some(content) = content {
            below.insert(comment.span.start, content);
        }
    }
    below
}

/// The part of the line before this byte.
fn line_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default()
}

fn is_blank(before: &str) -> bool {
    before.trim_start_matches('\u{feff}').trim().is_empty()
}

fn indentation(before: &str) -> usize {
    before.trim_start_matches('\u{feff}').chars().count()
}
