//! Finding every place in a file that says a version.

mod form;

use std::collections::BTreeMap;

pub use form::Form;

use form::Around;

use crate::format::values;
use crate::inside::Block;
use crate::kustomize::substitute::variables;
use crate::kustomize::{Id, PatchFile};
use crate::locate;
use crate::marker::{Written, written};
use crate::owner::Owners;
use crate::parse::parse;
use crate::refusal::{Place, Refusal};
use crate::table::{Content, NodeId, Role, Style, Table};
use crate::{
    FieldPath, Format, ImagePart, ImageRef, KustomizeImage, Limits, Locator, MarkerName, Operation, Select,
    StaleDigest, Step,
};

/// A place that says a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In which form it says it.
    pub form: Form,
    /// Where it stands.
    pub place: Place,
    /// The way to the value in its document; into the text of a block the way goes on.
    pub path: FieldPath,
    /// The whole value.
    pub value: String,
    /// The object that it is in, if it is in one.
    pub object: Option<Id>,
    /// The marker beside it.
    pub marker: Option<MarkerName>,
    /// What names it in the file, so that it can be set; nothing where only a person can.
    pub locator: Option<Locator>,
}

impl Found {
    /// The same, in a file that a kustomization names as a patch.
    #[must_use]
    pub fn in_patch(mut self, patch: PatchFile) -> Self {
        if !matches!(self.form, Form::Marker | Form::Default | Form::Inside) {
            self.form = match patch {
                PatchFile::StrategicMerge => Form::StrategicMerge,
                PatchFile::Json6902 => Form::Json6902,
            };
        }
        self
    }
}

/// Lists the places in a file whose value, tag, digest or default is this version, in the order of the file.
///
/// A file in which the version is not written as it is, is not even parsed.
pub fn find(file_name: &str, bytes: &[u8], version: &str) -> Result<Vec<Found>, Refusal> {
    if version.is_empty() || !mentions(bytes, version) {
        return Ok(Vec::new());
    }
    let format = Format::of(file_name);
    match format {
        Format::Yaml => Search { file_name, version, limits: Limits::default(), patch: None }.yaml(bytes),
        Format::Toml | Format::Env => {
            let form = if format == Format::Toml { Form::Toml } else { Form::Env };
            let all = values(format, bytes)?.into_iter();
            let found = all.filter_map(|located| {
                let says = says(&located.value, version)?;
                let locator = Locator::Path(Select::path(located.path.clone()));
                Some(Found {
                    form: if says == Says::Default { Form::Default } else { form },
                    place: located.place,
                    path: located.path,
                    value: located.value,
                    object: None,
                    marker: None,
                    // Of these formats whole values are set, and no parts.
                    locator: (says == Says::All).then_some(locator),
                })
            });
            Ok(found.collect())
        }
    }
}

fn mentions(bytes: &[u8], version: &str) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.contains(version),
        Err(_) => bytes.windows(version.len()).any(|window| window == version.as_bytes()),
    }
}

/// How a value says a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    All,
    Part(ImagePart),
    Default,
}

fn says(text: &str, version: &str) -> Option<Says> {
    if text == version {
        return Some(Says::All);
    }
    if !text.contains(version) {
        return None;
    }
    if variables(text).any(|variable| variable.default == Some(version)) {
        return Some(Says::Default);
    }
    if text.contains(char::is_whitespace) || text.contains("://") {
        return None;
    }
    let image = ImageRef::parse(text);
    let is_digest = |digest: &String| digest == version || digest.strip_prefix("sha256:") == Some(version);
    match image {
        ImageRef { name, .. } if name.is_empty() => None,
        ImageRef { tag: Some(tag), .. } if tag == version => Some(Says::Part(ImagePart::Tag)),
        ImageRef { digest: Some(digest), .. } if is_digest(&digest) => Some(Says::Part(ImagePart::Digest)),
        ImageRef { .. } => None,
    }
}

struct Search<'s> {
    file_name: &'s str,
    version: &'s str,
    limits: Limits,
    /// The text is a patch inside of a kustomization.
    patch: Option<PatchFile>,
}

impl Search<'_> {
    fn yaml(&self, bytes: &[u8]) -> Result<Vec<Found>, Refusal> {
        let table = parse(bytes, &self.limits)?;
        let markers = markers(&table);
        let mut found = Vec::new();
        for (index, node) in table.nodes.iter().enumerate() {
            let (Content::Scalar(style, text), id) = (&node.content, NodeId(index)) else { continue };
            if node.role == Role::Key || !text.contains(self.version) {
                continue;
            }
            let around = Around::of(&table, id, self.file_name);
            if *style == Style::Block {
                found.extend(self.block(&table, id, &around));
            } else if let Some(says) = says(text, self.version) {
                found.push(self.found(&table, id, &around, says, markers.get(&id)));
            }
        }
        Ok(found)
    }

    fn found(
        &self,
        table: &Table<'_>,
        id: NodeId,
        around: &Around,
        says: Says,
        marker: Option<&MarkerName>,
    ) -> Found {
        let path = table.path(id);
        let form = match (marker, says, self.patch) {
            (Some(_), ..) => Form::Marker,
            (None, Says::Default, _) => Form::Default,
            (None, Says::All | Says::Part(_), Some(PatchFile::StrategicMerge)) => Form::StrategicMerge,
            (None, Says::All | Says::Part(_), Some(PatchFile::Json6902)) => Form::Json6902,
            (None, Says::All | Says::Part(_), None) => around.form(matches!(says, Says::Part(_))),
        };
        let whole = locator(table, id, around, &path);
        let locator = match says {
            Says::All => Some(whole),
            Says::Part(part) => Some(whole.part(part, StaleDigest::default())),
            Says::Default => None,
        };
        let place = table.node(id).map_or(Place { document: 1, line: 1, column: 1 }, |node| node.place);
        let value = table.scalar(id).unwrap_or_default().to_owned();
        Found { form, place, path, value, object: around.object.clone(), marker: marker.cloned(), locator }
    }

    /// What the text in a literal block says; nothing if it is no manifest.
    fn block(&self, table: &Table<'_>, id: NodeId, around: &Around) -> Vec<Found> {
        let Ok(value) = locate::value(table, id) else { return Vec::new() };
        let Ok(block) = Block::of(table, &value) else { return Vec::new() };
        // Blocks inside of blocks are not edited.
        if self.patch.is_some() || self.file_name.is_empty() {
            return Vec::new();
        }
        let patch = around.is_patch().then(|| {
            let is_list = parse(block.text().as_bytes(), &self.limits)
                .is_ok_and(|inner| inner.roots.iter().any(|root| inner.is_list(*root)));
            if is_list { PatchFile::Json6902 } else { PatchFile::StrategicMerge }
        });
        let inner = Search { file_name: "", version: self.version, limits: self.limits.clone(), patch };
        // What is no YAML is a text that happens to have the version in it.
        let found = inner.yaml(block.text().as_bytes()).unwrap_or_default();
        let path = table.path(id);
        let outer = locator(table, id, around, &path);
        let keeps =
            |form: Form| matches!(form, Form::Marker | Form::Default | Form::StrategicMerge | Form::Json6902);
        let outwards = |found: Found| Found {
            form: if keeps(found.form) {
                found.form
            } else if around.is_values() {
                Form::HelmValues
            } else {
                Form::Inside
            },
            place: block.place(found.place),
            path: path.clone().followed_by(&found.path),
            object: around.object.clone().or(found.object),
            locator: found.locator.map(|locator| outer.clone().inside(locator)),
            ..found
        };
        found.into_iter().map(outwards).collect()
    }
}

/// What names the value at a path.
fn locator(table: &Table<'_>, id: NodeId, around: &Around, path: &FieldPath) -> Locator {
    if let Some((image, field)) = &around.image {
        let image = KustomizeImage { image: image.clone(), field: *field, digest: StaleDigest::default() };
        return Locator::KustomizeImage(image);
    }
    if let (Some(operation), [Step::Index(_), Step::Key(_), rest @ ..]) = (&around.operation, path.steps()) {
        let rest = FieldPath::new(rest.iter().cloned());
        return Locator::Operation(Operation { path: operation.clone().followed_by(&rest) });
    }
    let mut select = Select::path(path.clone());
    if table.roots.len() > 1
        && let Some(root) = form::root_of(table, id)
    {
        let text =
            |of: NodeId, key: &str| table.get(of, key).and_then(|node| table.scalar(node)).map(str::to_owned);
        let metadata = |key: &str| table.get(root, "metadata").and_then(|node| text(node, key));
        select.kind = text(root, "kind");
        (select.name, select.namespace) = (metadata("name"), metadata("namespace"));
    }
    Locator::Path(select)
}

/// The values that have a marker of whatever sort.
fn markers(table: &Table<'_>) -> BTreeMap<NodeId, MarkerName> {
    let mut found = BTreeMap::new();
    let mut owners = None;
    for comment in &table.comments {
        let Some(Written::One(members)) = written(table, comment) else { continue };
        let Some((key, value)) = members.into_iter().find(|(key, _)| key.starts_with('$')) else { continue };
        let owners = owners.get_or_insert_with(|| Owners::new(table));
        if let Some(owner) = owners.of(comment) {
            found.insert(owner, MarkerName { key, value });
        }
    }
    found
}
