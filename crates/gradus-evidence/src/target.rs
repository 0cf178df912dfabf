//! What is to be judged.

use std::fmt;

/// A target: the object that speaks for it, and how its version is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSpec {
    /// The object.
    pub object: ObjectRef,
    /// Where its version is written.
    pub version: VersionSource,
    /// How far down is looked.
    pub confidence: Confidence,
    /// What should run, where that is known: a version that is written in several
    /// ways is then told in this one, and a digest is compared.
    pub wanted: Option<Wanted>,
}

impl TargetSpec {
    /// A target that is judged by what its controller says.
    pub fn new(object: ObjectRef) -> Self {
        Self { object, version: VersionSource::Auto, confidence: Confidence::Controller, wanted: None }
    }
}

/// Where the version of a target is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum VersionSource {
    /// Where its kind has it: a chart's version, a commit, the tag of an image.
    #[default]
    Auto,
    /// In an image of a workload: the object's own, or one below it.
    Image {
        /// The container that has it.
        container: Option<String>,
        /// The image's name without tag and digest, such as `ghcr.io/acme/web`.
        repository: Option<String>,
    },
    /// At this JSON pointer of the object, such as `/spec/version`.
    Path(String),
}

/// How far down is looked before a target counts as healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Confidence {
    /// What its controller says, as far as that controller waits for what it
    /// applies; below that the workloads are looked at.
    #[default]
    Controller,
    /// The workloads are looked at too.
    Workloads,
    /// The pods are looked at too, down to the digest of the image that they run.
    Pods,
}

/// What should run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The version as it is declared.
    pub version: Option<String>,
    /// The digest of the chart or image, such as `sha256:..`.
    pub digest: Option<String>,
}

/// An object of a cluster by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its API group; empty for the core group.
    pub group: String,
    /// The version of the API, where one was named. It takes no part in judging.
    pub version: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty for what has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// An object of this kind by namespace and name.
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let (group, kind) = (group.to_owned(), kind.to_owned());
        Self { group, version: None, kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// What kind it is.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// Whether both name the same object, in whichever version of its API.
    pub fn same(&self, other: &Self) -> bool {
        (&self.group, &self.kind, &self.namespace, &self.name)
            == (&other.group, &other.kind, &other.namespace, &other.name)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A kind of object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
}

impl GroupKind {
    /// A kind by group and name.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }
}

/// All objects of a kind in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The kind.
    pub kind: GroupKind,
    /// The namespace.
    pub namespace: String,
}
