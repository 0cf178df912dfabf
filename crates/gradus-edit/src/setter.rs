//! Setting everything that markers name in a file, in one go.

use std::collections::BTreeMap;

use crate::duplicates::Duplicates;
use crate::json::Members;
use crate::locate::{Value, filled};
use crate::marker::{self, Written, named_value, written};
use crate::owner::Owners;
use crate::parse::parse;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::step::{Wanted, set_all};
use crate::table::{Comment, Table};
use crate::{Limits, Marker, Outcome, render};

/// The form of a marker before a key of one's own could be chosen: `{"$ref": "#/definitions/...VALUE"}`.
const LONG_KEY: &str = "$ref";
const LONG_PREFIX: &str = "#/definitions/io.k8s.cli.setters.";

/// What the values become that have a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setter {
    /// The key of the marker's object, as `$setter`.
    pub key: String,
    /// What the marker has under it.
    pub value: String,
    /// What is set.
    pub becomes: Becomes,
    /// Which comments may be the marker.
    pub standing: Standing,
}

/// What a value becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Becomes {
    /// This text.
    Text(String),
    /// What is set does not have the part that the marker asks for. The file is refused.
    Missing(&'static str),
}

/// Which comments may be the marker of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A comment at the end of the value's line, or any line of those right above its key or element.
    /// A marker that belongs to no value is refused.
    Around,
    /// The one comment that a value has to Flux: the one behind it, or else a single line above an
    /// element or above a value on a line of its own. What stands above a key does not count. A marker
    /// that belongs to no value is passed over, and told of. The long form, which has `$ref` for a key,
    /// counts beside others.
    Attached,
}

/// What came of setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMarkers {
    /// Either all values are in the result or none.
    pub outcome: Outcome,
    /// How many values the markers name, whether they change or not.
    pub values: usize,
    /// Markers that were meant and name no value.
    pub passed_over: Vec<PassedOver>,
}

/// A marker that was meant and names no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Where its comment starts.
    pub place: Place,
    /// Why it names none.
    pub why: Refusal,
}

/// A marker of one of several keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMarker {
    /// The key under which its value stands.
    pub key: String,
    /// The marker, and what it names.
    pub marker: Marker,
}

impl Setter {
    /// Every value with the marker becomes this text.
    pub fn text(key: impl Into<String>, value: impl Into<String>, becomes: impl Into<String>) -> Self {
        let becomes = Becomes::Text(becomes.into());
        Self { key: key.into(), value: value.into(), becomes, standing: Standing::Around }
    }

    /// Every value becomes this image or the part of it for which the marker asks with `:name`, `:tag`
    /// or `:digest` behind its value.
    pub fn image(key: &str, value: &str, name: &str, tag: Option<&str>, digest: Option<&str>) -> [Self; 4] {
        let mut whole = name.to_owned();
        for (sign, part) in [(':', tag), ('@', digest)] {
            if let Some(part) = part {
                whole.push(sign);
                whole.push_str(part);
            }
        }
        let part = |suffix: &str, text: Option<&str>, what| Self {
            key: key.to_owned(),
            value: format!("{value}{suffix}"),
            becomes: text.map_or(Becomes::Missing(what), |text| Becomes::Text(text.to_owned())),
            standing: Standing::Attached,
        };
        [
            part("", Some(&whole), "image"),
            part(":name", Some(name), "name"),
            part(":tag", tag, "tag"),
            part(":digest", digest, "digest"),
        ]
    }
}

/// Whether a file of this name can have markers: `*.yaml`, `*.yml` or `Kustomization`.
pub fn may_have_markers(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

/// Sets what the markers name, all or nothing, within the default [`Limits`].
///
/// A file that has none of the keys in double quotes is not even parsed. What no setter is for stays
/// as it is.
pub fn set_markers(bytes: &[u8], setters: &[Setter]) -> Result<SetMarkers, Refusal> {
    set_markers_within(bytes, setters, &Limits::default())
}

/// [`set_markers`] with other limits.
pub fn set_markers_within(bytes: &[u8], setters: &[Setter], limits: &Limits) -> Result<SetMarkers, Refusal> {
    for setter in setters {
        match &setter.becomes {
            Becomes::Text(text) => render::check_new_value(text)?,
            Becomes::Missing(_) => {}
        }
    }
    let set = Set::new(bytes, setters);
    let mut done = SetMarkers { outcome: Outcome::Unchanged, values: 0, passed_over: Vec::new() };
    if set.by_name.is_empty() {
        return Ok(done);
    }
    let table = parse(bytes, limits)?;
    let meant = set.meant(&table)?;
    if meant.is_empty() {
        return Ok(done);
    }
    let reader = Reader::new(&table);
    let mut wanted = Vec::new();
    for (comment, setter) in meant {
        let value = match reader.value(comment, setter.standing) {
            Ok(value) => value,
            Err(why) if setter.standing == Standing::Attached && names_nothing(&why) => {
                done.passed_over.push(PassedOver { place: comment.place, why });
                continue;
            }
            Err(why) => return Err(why),
        };
        let set = match &setter.becomes {
            Becomes::Text(text) => text,
            Becomes::Missing(part) => {
                let marker = marker::shown(&table, comment);
                return Err(Refusal::at(comment.place, RefusalKind::NoPart { marker, part }));
            }
        };
        wanted.push(Wanted::marked(value, set));
    }
    let mut named: Vec<_> = wanted.iter().map(Wanted::id).collect();
    named.sort();
    named.dedup();
    done.values = named.len();
    done.outcome = set_all(&table, wanted, limits)?;
    Ok(done)
}

/// Lists the markers of several keys, in the order of the file, within the default [`Limits`].
pub fn list_markers(bytes: &[u8], keys: &[(&str, Standing)]) -> Result<Vec<ListedMarker>, Refusal> {
    let keys: Vec<_> = keys.iter().filter(|(key, _)| marker::mentions(bytes, key)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let table = parse(bytes, &Limits::default())?;
    let reader = Reader::new(&table);
    let mut listed = Vec::new();
    for comment in &table.comments {
        let (objects, alone) = match written(&table, comment) {
            Some(Written::One(members)) => (vec![members], true),
            Some(Written::Several(objects)) => (objects, false),
            None => continue,
        };
        for (members, (key, standing)) in
            objects.iter().flat_map(|members| keys.iter().map(move |key| (members, key)))
        {
            for value in names(members, key, *standing) {
                let current = if alone {
                    reader.current(comment, *standing)
                } else {
                    Err(marker::several(&table, comment))
                };
                let path = reader.path(comment, *standing);
                let marker = Marker { value: value.to_owned(), place: comment.place, path, current };
                listed.push(ListedMarker { key: (*key).to_owned(), marker });
            }
        }
    }
    Ok(listed)
}

/// The setters whose keys a file mentions, by what their markers say.
struct Set<'s> {
    by_name: BTreeMap<(&'s str, &'s str), Vec<&'s Setter>>,
}

impl<'s> Set<'s> {
    fn new(bytes: &[u8], setters: &'s [Setter]) -> Self {
        let mut mentioned: BTreeMap<&str, bool> = BTreeMap::new();
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for setter in setters {
            let key = setter.key.as_str();
            if *mentioned.entry(key).or_insert_with(|| marker::mentions(bytes, key)) {
                by_name.entry((key, setter.value.as_str())).or_default().push(setter);
            }
        }
        Self { by_name }
    }

    /// The comments that are markers of these setters.
    fn meant<'t>(&self, table: &'t Table<'_>) -> Result<Vec<(&'t Comment, &'s Setter)>, Refusal> {
        let mut meant = Vec::new();
        for comment in &table.comments {
            match written(table, comment) {
                Some(Written::One(members)) => {
                    meant.extend(self.of(&members).into_iter().map(|setter| (comment, setter)));
                }
                Some(Written::Several(objects)) if objects.iter().any(|one| !self.of(one).is_empty()) => {
                    return Err(marker::several(table, comment));
                }
                Some(Written::Several(_)) | None => {}
            }
        }
        Ok(meant)
    }

    fn of(&self, members: &Members) -> Vec<&'s Setter> {
        let mut found = Vec::new();
        for (key, value) in members {
            let name = (key.as_str(), value.as_str());
            found.extend(self.by_name.get(&name).into_iter().flatten().copied());
            if let Some(value) = long_form(key, value) {
                let keys = self.by_name.iter().filter(|((_, name), _)| *name == value);
                let setters = keys.flat_map(|(_, setters)| setters.iter().copied());
                found.extend(setters.filter(|setter| setter.standing == Standing::Attached));
            }
        }
        found
    }
}

/// What the members have under the key, in either form.
fn names<'m>(members: &'m Members, key: &str, standing: Standing) -> Vec<&'m str> {
    let named = members.iter().filter_map(|(name, value)| {
        let long = long_form(name, value).filter(|_| standing == Standing::Attached);
        if name == key { Some(value.as_str()) } else { long }
    });
    named.collect()
}

fn long_form<'m>(key: &str, value: &'m str) -> Option<&'m str> {
    if key == LONG_KEY { value.strip_prefix(LONG_PREFIX) } else { None }
}

/// Whether the marker stands where it names no single value, rather than one that cannot be edited.
fn names_nothing(why: &Refusal) -> bool {
    matches!(why.kind, RefusalKind::DetachedMarker { .. } | RefusalKind::NotScalar { .. })
}

/// From comments to values.
struct Reader<'t, 'a> {
    table: &'t Table<'a>,
    owners: Owners<'t, 'a>,
    duplicates: Duplicates,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn new(table: &'t Table<'a>) -> Self {
        Self { table, owners: Owners::new(table), duplicates: Duplicates::of(table) }
    }

    fn owner(&self, comment: &Comment, standing: Standing) -> Option<crate::table::NodeId> {
        match standing {
            Standing::Around => self.owners.of(comment),
            Standing::Attached => self.owners.attached(comment),
        }
    }

    fn value(&self, comment: &Comment, standing: Standing) -> Result<Value<'t>, Refusal> {
        let owner = self.owner(comment, standing);
        if owner.is_none() && standing == Standing::Attached {
            let marker = marker::shown(self.table, comment);
            return Err(Refusal::at(comment.place, RefusalKind::DetachedMarker { marker }));
        }
        named_value(self.table, &self.duplicates, comment, owner)
    }

    /// What the value says now.
    fn current(&self, comment: &Comment, standing: Standing) -> Result<String, Refusal> {
        let value = self.value(comment, standing)?;
        filled(self.table, value).map(|value| value.text.into_owned())
    }

    fn path(&self, comment: &Comment, standing: Standing) -> Option<crate::FieldPath> {
        self.owner(comment, standing).map(|owner| self.table.path(owner))
    }
}
