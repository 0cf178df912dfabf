//! Where what is written ends, and how the lines around it look.

use std::ops::Range;

use crate::table::{Content, Layout, NodeId, Role, Style, Table};
use crate::tree::House;

/// The byte behind the last one that is written of a node, comments aside.
pub(crate) fn end_of(table: &Table<'_>, id: NodeId) -> usize {
    let end = table.node(id).map_or(id.0, |node| node.next);
    let nodes = table.nodes.get(id.0..end).unwrap_or_default();
    nodes
        .iter()
        .map(|node| match node.content {
            Content::Scalar(Style::Block, _) => block_end(table.text, &node.span),
            Content::Scalar(..) | Content::Alias(_) => node.span.end,
            Content::Mapping(Layout::Flow) | Content::Sequence(Layout::Flow) => node.span.end,
            Content::Mapping(_) | Content::Sequence(_) => node.span.start,
            // The key before it is behind whatever was written earlier.
            Content::Absent => node.span.start.min(node.span.end),
        })
        .max()
        .unwrap_or_default()
}

/// Where the last line of a block scalar ends. The parser's span runs into the line behind it.
fn block_end(text: &str, span: &Range<usize>) -> usize {
    let written = text.get(span.clone()).unwrap_or_default();
    let keeps = header(text, span.start).is_some_and(|header| header.contains('+'));
    let kept = if span.end == text.len() && !written.ends_with(['\n', '\r', ' ']) {
        written
    } else {
        // The indentation of what follows.
        written.trim_end_matches(' ')
    };
    let kept = if keeps {
        kept.strip_suffix('\n').unwrap_or(kept)
    } else {
        kept.trim_end_matches(['\n', '\r', ' '])
    };
    span.start + kept.trim_end_matches('\r').len()
}

/// What stands behind the sign of a block scalar: `|+2`.
fn header(text: &str, content: usize) -> Option<&str> {
    let before = text.get(..content)?.trim_end_matches([' ', '\t']);
    let line = before.trim_end_matches(['\n', '\r']);
    let start = line.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let line = line.get(start..)?;
    let line = line.split(" #").next().unwrap_or(line);
    line.rfind(['|', '>']).and_then(|at| line.get(at + 1..))
}

/// The rest of the line behind this byte: where it ends, and where the next line begins.
pub(crate) fn line_end(text: &str, at: usize) -> (usize, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let Some(length) = rest.find(['\n', '\r']) else { return (text.len(), text.len()) };
    let end = at + length;
    let after =
        if rest.get(length..).is_some_and(|rest| rest.starts_with("\r\n")) { end + 2 } else { end + 1 };
    (end, after)
}

/// The part of the line before this byte, without a byte order mark.
pub(crate) fn line_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default().trim_start_matches('\u{feff}')
}

/// The column of what starts at this byte, counted from 0.
pub(crate) fn column(text: &str, at: usize) -> usize {
    line_before(text, at).chars().count()
}

/// Where the dash of an element of a block list is, if it is on the element's line.
pub(crate) fn dash(table: &Table<'_>, element: NodeId) -> Option<usize> {
    let start = table.node(element)?.span.start;
    let mut before = line_before(table.text, start).trim_end_matches([' ', '\t']);
    let offset = start - line_before(table.text, start).len();
    // An anchor or a tag may stand between the dash and the element.
    while !before.ends_with('-') {
        let at = before.rfind([' ', '\t'])?;
        let word = before.get(at + 1..)?;
        if !word.starts_with(['&', '!']) {
            return None;
        }
        before = before.get(..at)?.trim_end_matches([' ', '\t']);
    }
    Some(offset + before.len() - 1)
}

/// The layout that the file keeps, as far as it shows one.
pub(crate) fn house(table: &Table<'_>, json: bool) -> House {
    let mut house = House { step: 2, dash: 0, gap: 1, json, line_end: line_end_style(table.text) };
    let (mut step, mut list) = (None, None);
    if json {
        return house;
    }
    for (index, node) in table.nodes.iter().enumerate() {
        let block =
            matches!(node.content, Content::Mapping(Layout::Block) | Content::Sequence(Layout::Block));
        // Only what is laid out in lines is looked at: a line may be as long as the file.
        let Role::Value(key) = node.role else { continue };
        let Some(first) = table.children(NodeId(index)).next().filter(|_| block) else { continue };
        let Some(key) = table.node(key).map(|key| column(table.text, key.span.start)) else { continue };
        if table.is_mapping(NodeId(index)) {
            if step.is_none() {
                let start = table.node(first).map_or(0, |node| node.span.start);
                step = column(table.text, start).checked_sub(key).filter(|step| *step > 0);
            }
        } else if list.is_none() {
            let Some(dash) = dash(table, first) else { continue };
            let start = table.node(first).map_or(dash + 2, |node| node.span.start);
            list = column(table.text, dash).checked_sub(key).map(|by| (by, start.saturating_sub(dash + 1)));
        }
        if step.is_some() && list.is_some() {
            break;
        }
    }
    house.step = step.unwrap_or(house.step);
    (house.dash, house.gap) = list.unwrap_or((house.dash, house.gap));
    house.gap = house.gap.clamp(1, 8);
    house
}

fn line_end_style(text: &str) -> &'static str {
    match text.find(['\n', '\r']) {
        Some(at) if text.get(at..).is_some_and(|rest| rest.starts_with("\r\n")) => "\r\n",
        Some(_) | None => "\n",
    }
}
