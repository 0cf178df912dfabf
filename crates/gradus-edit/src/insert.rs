//! Adding keys and elements, and taking keys away.

use crate::extent::{self, column, line_before, line_end};
use crate::json;
use crate::refusal::{Refusal, RefusalKind};
use crate::splice::{Made, Splice};
use crate::table::{Content, Layout, NodeId, Role, Table};
use crate::tree::{self, Bone, House, Tree};

/// Adds a key behind the last one of a mapping.
pub(crate) fn entry(
    table: &Table<'_>,
    mapping: NodeId,
    key: &str,
    value: &Tree,
    house: House,
) -> Result<Vec<Splice>, Refusal> {
    let mut bones = Vec::new();
    tree::entry_bones(key, value, &mut bones);
    let made = Made::Added { into: mapping, bones };
    match layout(table, mapping)? {
        Layout::Flow if value.has_lines() => Err(cannot(table, mapping)),
        Layout::Flow => flow(table, mapping, tree::flow_entry(key, value, house), made, house),
        Layout::Block => {
            let first = table.children(mapping).next().and_then(|first| table.node(first));
            let Some(first) = first else { return Err(cannot(table, mapping)) };
            let indentation = column(table.text, first.span.start);
            let text = tree::block_entry(key, value, indentation, house);
            Ok(vec![lines(table, extent::end_of(table, mapping), indentation, &text, made, house)])
        }
        Layout::Pair => Err(cannot(table, mapping)),
    }
}

/// Adds an element behind the last one of a list.
pub(crate) fn element(
    table: &Table<'_>,
    list: NodeId,
    value: &Tree,
    house: House,
) -> Result<Vec<Splice>, Refusal> {
    let mut bones: Vec<Bone> = Vec::new();
    value.bones(&mut bones);
    let made = Made::Added { into: list, bones };
    match layout(table, list)? {
        Layout::Flow if value.has_lines() => Err(cannot(table, list)),
        Layout::Flow => flow(table, list, value.flow(house), made, house),
        Layout::Block => {
            let dashed = table.children(list).find_map(|element| {
                let dash = extent::dash(table, element)?;
                Some((dash, table.node(element)?.span.start))
            });
            let Some((dash, inside)) = dashed else { return Err(cannot(table, list)) };
            let gap = inside.saturating_sub(dash + 1);
            let house = House { gap: if (1..=8).contains(&gap) { gap } else { house.gap }, ..house };
            let indentation = column(table.text, dash);
            let text = tree::block_element(value, indentation, house);
            Ok(vec![lines(table, extent::end_of(table, list), indentation, &text, made, house)])
        }
        Layout::Pair => Err(cannot(table, list)),
    }
}

/// Takes a key and its value out of a mapping that has others.
pub(crate) fn removal(table: &Table<'_>, value: NodeId) -> Result<Splice, Refusal> {
    let Some((Role::Value(key), Some(mapping))) = table.node(value).map(|node| (node.role, node.parent))
    else {
        return Err(cannot(table, value));
    };
    let start = |id: NodeId| table.node(id).map_or(0, |node| node.span.start);
    let keys: Vec<NodeId> = table.entries(mapping).map(|(key, _)| key).collect();
    let at = keys.iter().position(|other| *other == key).unwrap_or_default();
    let next = keys.get(at + 1).copied();
    let previous = at.checked_sub(1).and_then(|at| table.entries(mapping).nth(at)).map(|(_, value)| value);
    let flow = layout(table, mapping)? == Layout::Flow;
    let alone = !flow && line_before(table.text, start(key)).trim().is_empty();
    let old = match (alone, previous, next) {
        // The whole lines.
        (true, Some(_), _) | (true, None, Some(_)) => {
            let begin = start(key) - line_before(table.text, start(key)).len();
            let (_, after) = line_end(table.text, extent::end_of(table, value));
            begin..after
        }
        // The key stands behind a dash or a brace; the next one takes its place.
        (false, _, Some(next)) => start(key)..start(next),
        (false, Some(previous), None) if flow => {
            extent::end_of(table, previous)..extent::end_of(table, value)
        }
        (_, None, None) | (false, Some(_), None) => return Err(cannot(table, value)),
    };
    // Comments go with the value only from its own lines, and a marker above it would name the next one.
    let (own, _) = line_end(table.text, extent::end_of(table, value));
    let begun = start(key);
    let foreign = |at: usize| old.contains(&at) && !(begun..own).contains(&at);
    if table.comments.iter().any(|comment| foreign(comment.span.start)) || marked_above(table, begun) {
        return Err(cannot(table, value));
    }
    let nodes = key.0..table.node(value).map_or(value.0, |node| node.next);
    Ok(Splice { old, text: String::new(), made: Made::Removed { nodes } })
}

/// Whether a comment right above this byte's line is an object, as markers are.
fn marked_above(table: &Table<'_>, at: usize) -> bool {
    let mut begin = at - line_before(table.text, at).len();
    loop {
        let above = table.text.get(..begin).unwrap_or_default();
        let Some(end) = above.strip_suffix('\n') else { return false };
        let line = line_before(end, end.len()).trim();
        let Some(comment) = line.strip_prefix('#') else { return false };
        if json::string_members(comment.trim_start_matches('#')).is_some() {
            return true;
        }
        begin = end.len() - line_before(end, end.len()).len();
    }
}

/// Writes a value where a key or a dash has none.
pub(crate) fn filling(table: &Table<'_>, id: NodeId, value: String, text: &str) -> Result<Splice, Refusal> {
    let Some(node) = table.node(id) else { return Err(cannot(table, id)) };
    let made = |lead| Made::Set { node: id, text: text.to_owned(), lead };
    if !matches!(node.content, Content::Absent) {
        return Ok(Splice { old: node.span.clone(), text: value, made: made(0) });
    }
    if node.anchor.is_some() || node.tag.is_some() {
        return Err(cannot(table, id));
    }
    let at = match node.role {
        Role::Value(key) => {
            let end = table.node(key).map_or(0, |key| key.span.end);
            let between = table.text.get(end..).unwrap_or_default();
            let colon = between
                .find(|c| c != ' ' && c != '\t')
                .filter(|at| between.get(*at..).is_some_and(|rest| rest.starts_with(':')));
            colon.map(|colon| end + colon + 1)
        }
        Role::Item(_) => {
            let dash = line_before(table.text, node.span.start).trim_end_matches([' ', '\t']);
            let offset = node.span.start - line_before(table.text, node.span.start).len();
            dash.ends_with('-').then_some(offset + dash.len())
        }
        Role::Root | Role::Key => None,
    };
    let Some(at) = at else { return Err(cannot(table, id)) };
    Ok(Splice { old: at..at, text: format!(" {value}"), made: made(1) })
}

/// New lines behind the line in which this byte is.
fn lines(table: &Table<'_>, end: usize, indentation: usize, text: &str, made: Made, house: House) -> Splice {
    let (line, after) = line_end(table.text, end);
    let indentation = " ".repeat(indentation);
    let text = if line == after {
        format!("{}{indentation}{text}", house.line_end)
    } else {
        format!("{indentation}{text}{}", house.line_end)
    };
    Splice { old: after..after, text, made }
}

/// Behind the last entry inside braces or brackets.
fn flow(
    table: &Table<'_>,
    collection: NodeId,
    text: String,
    made: Made,
    house: House,
) -> Result<Vec<Splice>, Refusal> {
    let Some(node) = table.node(collection) else { return Err(cannot(table, collection)) };
    let Some(last) = table.children(collection).last() else {
        let at = node.span.start + 1;
        return Ok(vec![Splice { old: at..at, text, made }]);
    };
    let end = extent::end_of(table, last);
    let rest = table.text.get(end..node.span.end).unwrap_or_default();
    let comma = rest.trim_start().starts_with(',');
    let first = table.children(collection).next().and_then(|first| table.node(first));
    let own_line = first.is_some_and(|first| line_before(table.text, first.span.start).trim().is_empty());
    let behind = if comma { end + rest.find(',').unwrap_or_default() + 1 } else { end };
    if !own_line {
        let text = if comma { format!(" {text},") } else { format!(", {text}") };
        return Ok(vec![Splice { old: behind..behind, text, made }]);
    }
    let indentation = first.map_or(0, |first| column(table.text, first.span.start));
    let (line, _) = line_end(table.text, behind);
    let new = format!("{}{}{text}", house.line_end, " ".repeat(indentation));
    let at_end = line.min(node.span.end.saturating_sub(1)).max(behind);
    let mut splices = vec![Splice { old: at_end..at_end, text: new, made }];
    if !comma {
        splices.insert(0, Splice { old: end..end, text: ",".to_owned(), made: Made::Signs });
    } else if let Some(added) = splices.last_mut() {
        added.text.push(',');
    }
    Ok(splices)
}

fn layout(table: &Table<'_>, id: NodeId) -> Result<Layout, Refusal> {
    match table.node(id).map(|node| &node.content) {
        Some(Content::Mapping(layout) | Content::Sequence(layout)) => Ok(*layout),
        Some(Content::Scalar(..) | Content::Alias(_) | Content::Absent) | None => Err(cannot(table, id)),
    }
}

pub(crate) fn cannot(table: &Table<'_>, id: NodeId) -> Refusal {
    let kind = RefusalKind::NotAddable { path: table.path(id) };
    Refusal { kind, place: table.node(id).map(|node| node.place) }
}
