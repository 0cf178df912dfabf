//! How a caller names values.

use std::borrow::Cow;
use std::fmt;

use crate::refusal::Refusal;
use crate::table::Table;
use crate::{FieldPath, ImagePart, Limits, StaleDigest, Step, kustomize_patch};

/// What names the values to read or to change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Locator {
    /// One value by its path, in one document of the file.
    Path(Select),
    /// Every value that has this marker.
    Marker(MarkerName),
    /// A part of the image references that another locator names.
    Part {
        /// Names the references.
        of: Box<Locator>,
        /// Which part of each.
        part: ImagePart,
        /// What becomes of the digest beside a new tag.
        digest: StaleDigest,
    },
    /// A field of an entry of a kustomization's `images:`.
    KustomizeImage(KustomizeImage),
    /// A value that a patch in a kustomization writes, where the patch is written in it.
    KustomizePatch(KustomizePatch),
    /// What an operation of a JSON patch (RFC 6902) writes.
    Operation(Operation),
    /// A value in the text that another locator names: in a literal block (`|`).
    Inside {
        /// Names the block.
        block: Box<Locator>,
        /// Names the value in its text.
        value: Box<Locator>,
    },
}

/// A field of an entry of `images:` in a kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KustomizeImage {
    /// The entry's `name`.
    pub image: String,
    /// The field.
    pub field: ImagePart,
    /// What becomes of the digest beside a new tag.
    pub digest: StaleDigest,
}

/// A value of an object, in a patch that a kustomization holds inline: `patches:`,
/// `patchesStrategicMerge:` or `patchesJson6902:`, of either sort.
///
/// A new one is an operation that replaces the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KustomizePatch {
    /// The kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The way to the value in the object.
    pub path: FieldPath,
}

/// The operation of a JSON patch that writes a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The way to the value in the object that is patched. The operation may write something around it.
    pub path: FieldPath,
}

/// A path in the one document of a file that matches.
///
/// With nothing but a path, exactly one document of the file must have that path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Select {
    /// The document's `apiVersion`, if it matters.
    pub api_version: Option<String>,
    /// The document's `kind`, if it matters.
    pub kind: Option<String>,
    /// The document's `metadata.name`, if it matters.
    pub name: Option<String>,
    /// The document's `metadata.namespace`, if it matters.
    pub namespace: Option<String>,
    /// The way to the value inside that document.
    pub path: FieldPath,
}

/// A member of the JSON object in a marker comment: `# {"KEY": "VALUE"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarkerName {
    /// The member's key.
    pub key: String,
    /// The member's value.
    pub value: String,
}

impl Locator {
    /// Every value with the marker `# {"KEY": "VALUE"}`.
    pub fn marker(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Marker(MarkerName { key: key.into(), value: value.into() })
    }

    /// A part of the image references that this one names.
    #[must_use]
    pub fn part(self, part: ImagePart, digest: StaleDigest) -> Self {
        Self::Part { of: Box::new(self), part, digest }
    }

    /// This locator; of an inline patch what it comes to in this file.
    pub(crate) fn resolved(&self, table: &Table<'_>, limits: &Limits) -> Result<Cow<'_, Self>, Refusal> {
        match self {
            Self::KustomizePatch(patch) => kustomize_patch::resolve(table, patch, limits).map(Cow::Owned),
            Self::Part { of, part, digest } => match of.resolved(table, limits)? {
                Cow::Borrowed(_) => Ok(Cow::Borrowed(self)),
                // A part of a value in a block is found in the block.
                Cow::Owned(Self::Inside { block, value }) => {
                    Ok(Cow::Owned(block.inside(value.part(*part, *digest))))
                }
                Cow::Owned(of) => Ok(Cow::Owned(of.part(*part, *digest))),
            },
            Self::Path(_)
            | Self::Marker(_)
            | Self::KustomizeImage(_)
            | Self::Operation(_)
            | Self::Inside { .. } => Ok(Cow::Borrowed(self)),
        }
    }

    /// The path that people know it by.
    pub(crate) fn shown(&self) -> FieldPath {
        match self {
            Self::Path(select) => select.path.clone(),
            Self::Operation(operation) => operation.path.clone(),
            Self::KustomizePatch(patch) => patch.path.clone(),
            Self::KustomizeImage(image) => image.path(Some(image.key())),
            Self::Part { of: locator, .. } => locator.shown(),
            Self::Inside { block, value } => block.shown().followed_by(&value.shown()),
            Self::Marker(name) => FieldPath::new([Step::Key(name.to_string())]),
        }
    }

    /// Whether a digest may go when the value is set.
    pub(crate) fn drops_digest(&self) -> bool {
        match self {
            Self::KustomizeImage(image) => image.digest == StaleDigest::Dropped,
            Self::Inside { value, .. } => value.drops_digest(),
            Self::Path(_)
            | Self::Marker(_)
            | Self::Operation(_)
            | Self::KustomizePatch(_)
            | Self::Part { .. } => false,
        }
    }

    /// A value in the literal block that this one names.
    #[must_use]
    pub fn inside(self, value: Self) -> Self {
        Self::Inside { block: Box::new(self), value: Box::new(value) }
    }
}

impl Select {
    /// This path, in the only document of the file that has it.
    pub fn path(path: FieldPath) -> Self {
        Self { api_version: None, kind: None, name: None, namespace: None, path }
    }

    /// Only in a document of this `apiVersion`.
    #[must_use]
    pub fn api_version(mut self, api_version: impl Into<String>) -> Self {
        self.api_version = Some(api_version.into());
        self
    }

    /// Only in a document of this `kind`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only in a document with this `metadata.name`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only in a document with this `metadata.namespace`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The conditions as text, or nothing if there are none.
    pub(crate) fn conditions(&self) -> Option<String> {
        let all = [
            ("apiVersion", &self.api_version),
            ("kind", &self.kind),
            ("name", &self.name),
            ("namespace", &self.namespace),
        ];
        let said: Vec<String> = all
            .iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} {value}")))
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

impl fmt::Display for MarkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{:?}: {:?}}}", self.key, self.value)
    }
}
