//! Setter markers: comments that are a JSON object of strings, such as `# {"$setter": "a:b"}`.

use crate::duplicates::Duplicates;
use crate::json::Members;
use crate::locate::{Value, filled, value};
use crate::owner::Owners;
use crate::parse::parse;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::table::{Comment, NodeId, Table};
use crate::{FieldPath, Limits, MarkerName, json};

/// A marker in a file, and the value it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// What the marker has under the key that was looked for.
    pub value: String,
    /// Where the marker's comment starts.
    pub place: Place,
    /// The path of what the marker stands beside, if it stands beside anything.
    pub path: Option<FieldPath>,
    /// The value that is there, or why the marker names none.
    pub current: Result<String, Refusal>,
}

/// Lists the markers that have this key, in the order of the file, within the default [`Limits`].
///
/// A file that does not hold the key in double quotes is not even parsed.
pub fn find_markers(bytes: &[u8], key: &str) -> Result<Vec<Marker>, Refusal> {
    find_markers_within(bytes, key, &Limits::default())
}

/// [`find_markers`] with other limits.
pub fn find_markers_within(bytes: &[u8], key: &str, limits: &Limits) -> Result<Vec<Marker>, Refusal> {
    if !mentions(bytes, key) {
        return Ok(Vec::new());
    }
    let table = parse(bytes, limits)?;
    let found = markers(&table, key);
    let (owners, duplicates) = (Owners::new(&table), Duplicates::of(&table));
    Ok(found
        .into_iter()
        .map(|(comment, marker)| {
            let owner = owners.of(comment);
            Marker {
                place: comment.place,
                path: owner.map(|owner| table.path(owner)),
                current: named_value(&table, &duplicates, comment, owner)
                    .and_then(|value| filled(&table, value))
                    .map(|value| value.text.into_owned()),
                value: marker,
            }
        })
        .collect())
}

/// The values with this marker, in the order of the file and each once.
pub(crate) fn named<'t>(table: &'t Table<'_>, name: &MarkerName) -> Result<Vec<Value<'t>>, Refusal> {
    let is_named =
        |members: &Members| members.iter().any(|(key, value)| *key == name.key && *value == name.value);
    let mut values: Vec<Value<'t>> = Vec::new();
    let mut found = Vec::new();
    for comment in &table.comments {
        match written(table, comment) {
            Some(Written::One(members)) if is_named(&members) => found.push(comment),
            Some(Written::Several(objects)) if objects.iter().any(is_named) => {
                return Err(several(table, comment));
            }
            Some(Written::One(_) | Written::Several(_)) | None => {}
        }
    }
    if found.is_empty() {
        return Ok(values);
    }
    let (owners, duplicates) = (Owners::new(table), Duplicates::of(table));
    for comment in found {
        values.push(named_value(table, &duplicates, comment, owners.of(comment))?);
    }
    values.sort_by_key(|value| value.id);
    values.dedup_by_key(|value| value.id);
    Ok(values)
}

/// Whether the key is written in the bytes, in double quotes as JSON has it.
///
/// A key that JSON would have to escape can be written in several ways and is always looked for.
pub(crate) fn mentions(bytes: &[u8], key: &str) -> bool {
    if key.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        return true;
    }
    let quoted = format!("\"{key}\"");
    match std::str::from_utf8(bytes) {
        Ok(text) => text.contains(&quoted),
        Err(_) => bytes.windows(quoted.len()).any(|window| window == quoted.as_bytes()),
    }
}

fn markers<'t>(table: &'t Table<'_>, key: &str) -> Vec<(&'t Comment, String)> {
    table
        .comments
        .iter()
        .filter_map(|comment| match written(table, comment)? {
            Written::One(members) => {
                let (_, value) = members.into_iter().find(|(name, _)| name == key)?;
                Some((comment, value))
            }
            Written::Several(_) => None,
        })
        .collect()
}

/// What a comment holds that is nothing but objects of strings.
pub(crate) enum Written {
    One(Members),
    /// More than one, which makes it no marker to anybody.
    Several(Vec<Members>),
}

pub(crate) fn written(table: &Table<'_>, comment: &Comment) -> Option<Written> {
    let text = table.text.get(comment.span.clone())?.trim_start_matches('#');
    if !text.contains('{') {
        return None;
    }
    match json::string_members(text) {
        Some(members) => Some(Written::One(members)),
        None => json::several(text).map(Written::Several),
    }
}

/// The refusal of a comment that holds several.
pub(crate) fn several(table: &Table<'_>, comment: &Comment) -> Refusal {
    Refusal::at(comment.place, RefusalKind::ManyMarkers { comment: shown(table, comment) })
}

/// The comment without its hashes, at most 200 characters of it.
pub(crate) fn shown(table: &Table<'_>, comment: &Comment) -> String {
    let text = table.text.get(comment.span.clone()).unwrap_or_default();
    text.trim_start_matches('#').trim().chars().take(200).collect()
}

/// The value that belongs to the comment, unless it is none or on the way to it a key is repeated.
pub(crate) fn named_value<'t>(
    table: &'t Table<'_>,
    duplicates: &Duplicates,
    comment: &Comment,
    owner: Option<NodeId>,
) -> Result<Value<'t>, Refusal> {
    match owner {
        Some(owner) => {
            let value = value(table, owner)?;
            duplicates.check(table, value.id)?;
            Ok(value)
        }
        None => Err(stray(table, comment)),
    }
}

pub(crate) fn stray(table: &Table<'_>, comment: &Comment) -> Refusal {
    Refusal::at(comment.place, RefusalKind::StrayMarker { marker: shown(table, comment) })
}
