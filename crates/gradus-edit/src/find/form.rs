//! In which form a place says a version.

use std::fmt;

use crate::kustomize::{Id, is_kustomization};
use crate::operation::steps_of;
use crate::table::{NodeId, Table};
use crate::{FieldPath, ImagePart, Step};

/// In which form a place says a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A value with a setter marker beside it.
    Marker,
    /// A value in a document.
    Path,
    /// An image, with its tag or its digest.
    Image,
    /// An entry of a kustomization's `images:`.
    KustomizeImage,
    /// A chart that kustomize renders.
    KustomizeChart,
    /// A strategic-merge patch.
    StrategicMerge,
    /// An operation of a JSON patch.
    Json6902,
    /// The chart of a HelmRelease or a HelmChart.
    HelmChart,
    /// Values in a HelmRelease, an Application or a ConfigMap.
    HelmValues,
    /// A file of Helm values.
    ValuesFile,
    /// The reference of an OCIRepository.
    OciRef,
    /// The reference of a GitRepository.
    GitRef,
    /// The `targetRevision` of an Application.
    ArgoRevision,
    /// A parameter of the chart of an Application.
    ArgoParameter,
    /// An image that an Application replaces.
    ArgoImage,
    /// A value for variables in manifests.
    Substitute,
    /// The default of a variable.
    Default,
    /// Text inside of a literal block.
    Inside,
    /// A JSON file.
    Json,
    /// A TOML file.
    Toml,
    /// A `.env` file.
    Env,
}

impl Form {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Marker => "marker",
            Self::Path => "path",
            Self::Image => "image",
            Self::KustomizeImage => "kustomize-image",
            Self::KustomizeChart => "kustomize-chart",
            Self::StrategicMerge => "strategic-merge",
            Self::Json6902 => "json6902",
            Self::HelmChart => "helm-chart",
            Self::HelmValues => "helm-values",
            Self::ValuesFile => "values-file",
            Self::OciRef => "oci-ref",
            Self::GitRef => "git-ref",
            Self::ArgoRevision => "argocd-revision",
            Self::ArgoParameter => "argocd-parameter",
            Self::ArgoImage => "argocd-image",
            Self::Substitute => "substitute",
            Self::Default => "default",
            Self::Inside => "inside",
            Self::Json => "json",
            Self::Toml => "toml",
            Self::Env => "env",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is around a value.
pub(super) struct Around {
    /// The object that it is in.
    pub(super) object: Option<Id>,
    /// The way from the object to it; elements of lists are `#`.
    keys: Vec<String>,
    sort: Sort,
    /// The entry of `images:` and the field that it is.
    pub(super) image: Option<(String, ImagePart)>,
    /// The path of the operation whose value it is.
    pub(super) operation: Option<FieldPath>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Kustomization,
    Object,
    Values,
    Json,
    Other,
}

impl Around {
    pub(super) fn of(table: &Table<'_>, id: NodeId, file_name: &str) -> Self {
        let path = table.path(id);
        let (holder, depth) = holder(table, id, path.steps().len());
        let object = holder.and_then(|holder| object(table, holder));
        let keys = path.steps().iter().skip(depth).map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(_) | Step::Where { .. } => "#".to_owned(),
        });
        let keys: Vec<String> = keys.collect();
        let name = file_name.rsplit('/').next().unwrap_or(file_name);
        let is_own = |object: &Id| object.group == "kustomize.config.k8s.io";
        let sort = match &object {
            Some(object) if is_own(object) => Sort::Kustomization,
            None if is_kustomization(file_name) => Sort::Kustomization,
            Some(_) => Sort::Object,
            None if name.ends_with(".json") => Sort::Json,
            None if name.to_lowercase().contains("values") => Sort::Values,
            None => Sort::Other,
        };
        let mut around = Self { object, keys, sort, image: None, operation: None };
        let parent = table.node(id).and_then(|node| node.parent);
        if sort == Sort::Kustomization
            && let Some(field) = around.image_field(&["images"])
        {
            let name = parent.and_then(|entry| table.get(entry, "name")).and_then(|name| table.scalar(name));
            around.image = name.map(|name| (name.to_owned(), field));
        }
        around.operation = operation(table, id, &path);
        around
    }

    fn is(&self, keys: &[&str]) -> bool {
        self.keys.len() == keys.len() && self.starts(keys)
    }

    fn starts(&self, keys: &[&str]) -> bool {
        keys.len() <= self.keys.len() && self.keys.iter().zip(keys).all(|(one, other)| one == other)
    }

    fn ends(&self, keys: &[&str]) -> bool {
        keys.len() <= self.keys.len()
            && self.keys.iter().rev().zip(keys.iter().rev()).all(|(one, other)| one == other)
    }

    /// Which field of an entry of this list it is.
    fn image_field(&self, list: &[&str]) -> Option<ImagePart> {
        let (field, before) = self.keys.split_last()?;
        let is_entry = before.len() == list.len() + 1 && self.starts(list);
        match field.as_str() {
            "newTag" if is_entry => Some(ImagePart::Tag),
            "digest" if is_entry => Some(ImagePart::Digest),
            _ => None,
        }
    }

    /// Whether it is the text of a patch.
    pub(super) fn is_patch(&self) -> bool {
        let in_kustomization = self.sort == Sort::Kustomization
            && (self.is(&["patches", "#", "patch"])
                || self.is(&["patchesJson6902", "#", "patch"])
                || self.is(&["patchesStrategicMerge", "#"]));
        in_kustomization || (self.is_flux() && self.is(&["spec", "patches", "#", "patch"]))
    }

    /// Whether it is the text of values for a chart.
    pub(super) fn is_values(&self) -> bool {
        let is_map =
            self.object.as_ref().is_some_and(|object| matches!(object.kind.as_str(), "ConfigMap" | "Secret"));
        let last = self.keys.last().map(|key| key.to_lowercase()).unwrap_or_default();
        self.ends(&["helm", "values"]) || (is_map && last.contains("values"))
    }

    fn is_flux(&self) -> bool {
        self.object.as_ref().is_some_and(|object| object.is("kustomize.toolkit.fluxcd.io", "Kustomization"))
    }

    pub(super) fn form(&self, is_part: bool) -> Form {
        if self.operation.is_some() {
            return Form::Json6902;
        }
        let plain = if is_part { Form::Image } else { Form::Path };
        match self.sort {
            Sort::Kustomization if self.image.is_some() => Form::KustomizeImage,
            Sort::Kustomization if self.is(&["helmCharts", "#", "version"]) => Form::KustomizeChart,
            Sort::Kustomization | Sort::Other => plain,
            Sort::Values => Form::ValuesFile,
            Sort::Json => Form::Json,
            Sort::Object => self.form_in_object(plain),
        }
    }

    fn form_in_object(&self, plain: Form) -> Form {
        let Some(object) = &self.object else { return plain };
        match (object.group.as_str(), object.kind.as_str()) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") if self.is(&["spec", "chart", "spec", "version"]) => {
                Form::HelmChart
            }
            ("helm.toolkit.fluxcd.io", "HelmRelease") if self.starts(&["spec", "values"]) => Form::HelmValues,
            ("source.toolkit.fluxcd.io", "HelmChart") if self.is(&["spec", "version"]) => Form::HelmChart,
            ("source.toolkit.fluxcd.io", "OCIRepository") if self.starts(&["spec", "ref"]) => Form::OciRef,
            ("source.toolkit.fluxcd.io", "GitRepository") if self.starts(&["spec", "ref"]) => Form::GitRef,
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                if self.starts(&["spec", "postBuild", "substitute"]) {
                    Form::Substitute
                } else if self.image_field(&["spec", "images"]).is_some() {
                    Form::KustomizeImage
                } else {
                    plain
                }
            }
            ("argoproj.io", "Application" | "ApplicationSet") => {
                if self.ends(&["targetRevision"]) {
                    Form::ArgoRevision
                } else if self.ends(&["helm", "parameters", "#", "value"]) {
                    Form::ArgoParameter
                } else if self.ends(&["kustomize", "images", "#"]) {
                    Form::ArgoImage
                } else if self.keys.iter().any(|key| key == "valuesObject") {
                    Form::HelmValues
                } else {
                    plain
                }
            }
            _ => plain,
        }
    }
}

/// The nearest mapping around a value that is an object, and how many steps lead to it.
fn holder(table: &Table<'_>, id: NodeId, steps: usize) -> (Option<NodeId>, usize) {
    let mut at = table.node(id).and_then(|node| node.parent);
    let mut depth = steps;
    while let Some(mapping) = at {
        depth = depth.saturating_sub(1);
        let has = |key| table.get(mapping, key).and_then(|node| table.scalar(node)).is_some();
        if has("kind") && has("apiVersion") {
            return (Some(mapping), depth);
        }
        at = table.node(mapping).and_then(|node| node.parent);
    }
    (None, 0)
}

fn object(table: &Table<'_>, mapping: NodeId) -> Option<Id> {
    let text = |of: NodeId, key: &str| table.get(of, key).and_then(|node| table.scalar(node));
    let metadata = table.get(mapping, "metadata");
    let of_metadata = |key| metadata.and_then(|node| text(node, key)).unwrap_or_default().to_owned();
    let api_version = text(mapping, "apiVersion")?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Some(Id {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(mapping, "kind")?.to_owned(),
        namespace: of_metadata("namespace"),
        name: of_metadata("name"),
    })
}

/// The path of the operation whose value this is, in a document that is a JSON patch.
fn operation(table: &Table<'_>, id: NodeId, path: &FieldPath) -> Option<FieldPath> {
    let [Step::Index(index), Step::Key(key), ..] = path.steps() else { return None };
    let root = table.ancestry(id).last()?;
    let root =
        table.roots.iter().find(|one| table.node(**one).is_some_and(|node| node.place == root.place))?;
    let element = table.children(*root).nth(*index).filter(|_| key == "value")?;
    let text = |key: &str| table.get(element, key).and_then(|node| table.scalar(node));
    text("op").filter(|op| matches!(*op, "add" | "replace"))?;
    steps_of(text("path")?)
}

/// The root of the document that a value is in.
pub(super) fn root_of(table: &Table<'_>, id: NodeId) -> Option<NodeId> {
    table.roots.iter().rev().find(|root| **root <= id).copied()
}
