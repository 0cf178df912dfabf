//! Where in a repository the values are that say which version runs.

use crate::names::{ArtifactName, RepoPath};

/// Where a value is in the repository. Checked when it is read; the editor gives it its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditSpec {
    /// The file.
    pub file: RepoPath,
    /// The block of text in the file that holds the value, if it is in one.
    pub inside: Option<Select>,
    /// The value.
    pub value: EditValue,
    /// The part of it, where it is a reference to an image.
    pub part: Option<ImagePart>,
    /// What becomes of the digest beside a new tag.
    pub digest: StaleDigest,
    /// Whether a value that is not there yet is written.
    pub create: bool,
    /// The artifact whose version is written there.
    pub from: ArtifactName,
}

/// How a value is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditValue {
    /// By a path in a document.
    Field(Select),
    /// A field of the entry for an image, in the `images:` of a kustomization.
    KustomizeImage {
        /// The entry's name.
        image: String,
        /// The field.
        field: ImagePart,
    },
    /// What a patch in a kustomization sets of an object.
    KustomizePatch {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// The field path in the object.
        path: String,
    },
    /// What an operation of a JSON patch (RFC 6902) writes: the path in the object.
    Operation(String),
}

/// A part of a reference to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImagePart {
    /// The registry and the repository.
    Name,
    /// The tag.
    Tag,
    /// The digest.
    Digest,
}

/// What becomes of a digest when the tag beside it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StaleDigest {
    /// Nothing is written: the digest would go on naming the old image.
    #[default]
    Refused,
    /// It is taken away.
    Dropped,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    /// The document's `apiVersion`.
    pub api_version: Option<String>,
    /// The document's `kind`.
    pub kind: Option<String>,
    /// The document's `metadata.namespace`.
    pub namespace: Option<String>,
    /// The document's `metadata.name`.
    pub name: Option<String>,
    /// The field path, such as `spec.chart.spec.version`.
    pub path: String,
}

impl EditSpec {
    /// A value by its path, with nothing else said.
    pub fn field(file: RepoPath, select: Select, from: ArtifactName) -> Self {
        Self {
            file,
            inside: None,
            value: EditValue::Field(select),
            part: None,
            digest: StaleDigest::default(),
            create: false,
            from,
        }
    }

    /// The field paths in it, as they were written, with the field that holds each.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let inside = self.inside.as_ref().map(|select| ("inside.path", select.path.as_str()));
        let value = match &self.value {
            EditValue::Field(select) => Some(("select.path", select.path.as_str())),
            EditValue::KustomizePatch { path, .. } => Some(("patch.path", path.as_str())),
            EditValue::Operation(path) => Some(("operation", path.as_str())),
            EditValue::KustomizeImage { .. } => None,
        };
        inside.into_iter().chain(value)
    }
}
