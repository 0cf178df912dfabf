//! Which versions objects have.

mod argo;
mod pin;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use pin::Pin;

use super::node::{Node, Origin, Value};
use super::object::{Id, Object};
use super::substitute::{Filled, filled};
use crate::{ImagePart, ImageRef, Locator, StaleDigest};

/// A version that an object has, and where it is written.
#[derive(Debug, Clone)]
pub struct Version {
    /// The object.
    pub object: Id,
    /// What in the object has the version.
    pub carrier: Carrier,
    /// What is of that version: the container, the chart, the parameter.
    pub name: String,
    /// The version; nothing if none is written.
    pub version: Option<String>,
    /// Whether it always means the same.
    pub pin: Pin,
    /// Where it is written; if it is not, where it would be.
    pub said: Arc<Origin>,
    is: Is,
}

/// What the version is of the value that is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    All,
    Part(ImagePart),
    /// It comes out of it in another way: by the default of a variable, or there is none.
    Made,
}

/// What in an object has a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// The image of a container.
    Image,
    /// A Helm chart.
    Chart,
    /// An artifact in a registry, as an OCIRepository names it.
    Oci,
    /// A revision of a Git repository.
    Git,
    /// An image in the values of a Helm chart.
    Values,
    /// A parameter of a Helm chart in Argo CD.
    Parameter,
}

impl Carrier {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Chart => "chart",
            Self::Oci => "oci",
            Self::Git => "git",
            Self::Values => "values",
            Self::Parameter => "parameter",
        }
    }
}

impl Version {
    /// What names the version in its file, where it can be set: of an image its tag, or else its digest.
    pub fn locator(&self) -> Option<Locator> {
        match self.is {
            Is::All => self.said.locator(),
            Is::Part(part) => Some(part_of(self.said.locator()?, part)),
            Is::Made => None,
        }
    }
}

/// A part of the image that is named; of one in a block inside of that block.
fn part_of(locator: Locator, part: ImagePart) -> Locator {
    match locator {
        Locator::Inside { block, value } => Locator::Inside { block, value: Box::new(part_of(*value, part)) },
        Locator::Path(_)
        | Locator::Marker(_)
        | Locator::Part { .. }
        | Locator::KustomizeImage(_)
        | Locator::KustomizePatch(_)
        | Locator::Operation(_) => locator.part(part, StaleDigest::default()),
    }
}

/// Where something is written.
struct Said {
    origin: Arc<Origin>,
    /// What stands there, if it is not made of more.
    own: Option<String>,
}

impl Said {
    /// Where something would be written.
    fn nowhere(node: &Node) -> Self {
        Self { origin: node.origin.clone(), own: None }
    }
}

/// The version in an image, and which part of it that is.
fn version_of(image: ImageRef) -> (Option<String>, Option<ImagePart>) {
    let some = |part: Option<String>| part.filter(|part| !part.is_empty());
    match (some(image.tag), some(image.digest)) {
        (Some(tag), Some(digest)) => (Some(format!("{tag}@{digest}")), Some(ImagePart::Tag)),
        (Some(tag), None) => (Some(tag), Some(ImagePart::Tag)),
        (None, Some(digest)) => (Some(digest), Some(ImagePart::Digest)),
        (None, None) => (None, None),
    }
}

/// The versions of all objects, in their order.
pub(super) fn of(objects: &[Object], charts: &[Node], values: &BTreeMap<String, Node>) -> Vec<Version> {
    let mut look = Look { objects, values, found: Vec::new() };
    for object in objects {
        look.object(object);
    }
    for chart in charts {
        look.rendered(chart);
    }
    look.found
}

struct Look<'o> {
    objects: &'o [Object],
    values: &'o BTreeMap<String, Node>,
    found: Vec<Version>,
}

impl Look<'_> {
    fn object(&mut self, object: &Object) {
        let id = self.id(object);
        let node = &object.node;
        match (id.group.as_str(), id.kind.as_str()) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") => self.release(&id, node),
            ("source.toolkit.fluxcd.io", "HelmChart") => {
                if let Some(spec) = node.get("spec") {
                    self.chart(&id, spec);
                }
            }
            ("source.toolkit.fluxcd.io", "OCIRepository") if !self.is_referred_to(&id) => {
                self.repository(&id, node, Carrier::Oci);
            }
            ("source.toolkit.fluxcd.io", "GitRepository") => self.repository(&id, node, Carrier::Git),
            ("argoproj.io", "Application" | "ApplicationSet") => argo::look(self, &id, node),
            _ => self.workload(&id, node),
        }
    }

    /// What it is called, with its variables filled in.
    fn id(&self, object: &Object) -> Id {
        let id = object.id();
        let text = |text: String| filled(&text, self.values).map_or(text, |filled| filled.text);
        Id { name: text(id.name), namespace: text(id.namespace), ..id }
    }

    fn workload(&mut self, id: &Id, node: &Node) {
        let keys: &[&str] = match id.kind.as_str() {
            "Pod" => &["spec"],
            "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
            _ => &["spec", "template", "spec"],
        };
        let Some(spec) = node.at(keys) else { return };
        for list in ["containers", "initContainers"] {
            for container in spec.list(list) {
                if let Some(image) = container.get("image") {
                    self.image(id, container.text_of("name").unwrap_or_default(), image);
                }
            }
        }
    }

    fn image(&mut self, id: &Id, name: &str, node: &Node) {
        let Some((text, said)) = self.said(node) else { return };
        let image = ImageRef::parse(&text);
        let name = if name.is_empty() { image.name.clone() } else { name.to_owned() };
        let (version, part) = version_of(image);
        let pin =
            Pin::of_image(version.as_deref().or(Some(text.as_str()).filter(|text| text.contains("${"))));
        let is_whole = said.own.as_ref() == Some(&text);
        let is_field = !Arc::ptr_eq(node.said_at(), &node.origin);
        self.push(id, Carrier::Image, name, version, pin, said);
        match part {
            Some(_) if is_whole && is_field => self.becomes(Is::All),
            Some(part) if is_whole => self.becomes(Is::Part(part)),
            Some(_) | None => {}
        }
    }

    fn release(&mut self, id: &Id, node: &Node) {
        if let Some(chart) = node.at(&["spec", "chart", "spec"]) {
            self.chart(id, chart);
        }
        if let Some(referred) = node.at(&["spec", "chartRef"]) {
            let text = |key| referred.text_of(key).unwrap_or_default();
            let namespace = if text("namespace").is_empty() { &id.namespace } else { text("namespace") };
            let is_it = |other: &&Object| {
                let other = self.id(other);
                other.kind == text("kind") && other.name == text("name") && other.namespace == namespace
            };
            let found = self.objects.iter().find(is_it).map(|object| object.node.clone());
            match found {
                Some(node) if text("kind") == "OCIRepository" => self.repository(id, &node, Carrier::Oci),
                Some(node) => {
                    if let Some(spec) = node.get("spec") {
                        self.chart(id, spec);
                    }
                }
                None => {
                    let (name, said) = (text("name").to_owned(), Said::nowhere(referred));
                    self.push(id, Carrier::Chart, name, None, Pin::Elsewhere, said);
                }
            }
        }
        if let Some(values) = node.at(&["spec", "values"]) {
            self.in_values(id, values, "");
        }
    }

    /// Whether a release here has its chart from it.
    fn is_referred_to(&self, id: &Id) -> bool {
        self.objects.iter().any(|object| {
            let release = self.id(object);
            let Some(referred) = object.node.at(&["spec", "chartRef"]) else { return false };
            let namespace = referred.text_of("namespace").unwrap_or(&release.namespace);
            release.kind == "HelmRelease"
                && referred.text_of("kind") == Some(&id.kind)
                && referred.text_of("name") == Some(&id.name)
                && namespace == id.namespace
        })
    }

    fn chart(&mut self, id: &Id, spec: &Node) {
        let (version, said) = match spec.get("version").and_then(|node| self.said(node)) {
            Some((version, said)) => (Some(version).filter(|version| !version.is_empty()), said),
            None => (None, Said::nowhere(spec)),
        };
        let name = spec.text_of("chart").unwrap_or(&id.name).to_owned();
        let pin = Pin::of_chart(version.as_deref());
        self.push(id, Carrier::Chart, name, version, pin, said);
    }

    fn repository(&mut self, id: &Id, node: &Node, carrier: Carrier) {
        let Some(spec) = node.get("spec") else { return };
        let url = spec.text_of("url").unwrap_or_default();
        let name = url.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&id.name).to_owned();
        let of = spec.get("ref");
        // The first of them counts.
        let (first, second) = match carrier {
            Carrier::Git => (["commit", "name", "semver", "tag"], false),
            Carrier::Image | Carrier::Chart | Carrier::Oci | Carrier::Values | Carrier::Parameter => {
                (["digest", "semver", "tag", ""], true)
            }
        };
        let written = first.into_iter().find_map(|key| {
            let (text, said) = self.said(of?.get(key)?)?;
            (!text.is_empty()).then_some((key, (text, said)))
        });
        match written {
            Some(("name", _)) => {}
            Some((key, (text, said))) => {
                let pin = match key {
                    "semver" => Pin::of_chart(Some(&text)),
                    "tag" => Pin::of_image(Some(&text)),
                    _ => Pin::Exact,
                };
                self.push(id, carrier, name, Some(text), pin, said);
            }
            // A repository of manifests follows its branch: that is no version.
            None if second => self.push(id, carrier, name, None, Pin::Moving, Said::nowhere(spec)),
            None => {}
        }
    }

    /// Images in values, as most charts have them: a mapping with a tag and a name.
    fn in_values(&mut self, id: &Id, node: &Node, key: &str) {
        match &node.value {
            Value::Mapping(entries) => {
                let repository =
                    ["repository", "name", "image"].into_iter().find_map(|key| node.text_of(key));
                let is_image = key.to_lowercase().ends_with("image") || node.get("repository").is_some();
                if let Some((tag, said)) = node.get("tag").filter(|_| is_image).and_then(|tag| self.said(tag))
                {
                    let version = Some(tag).filter(|tag| !tag.is_empty());
                    let pin =
                        if version.is_some() { Pin::of_image(version.as_deref()) } else { Pin::Elsewhere };
                    let name = repository.unwrap_or(key).to_owned();
                    self.push(id, Carrier::Values, name, version, pin, said);
                }
                for (key, node) in entries {
                    self.in_values(id, node, key);
                }
            }
            Value::List(elements) => elements.iter().for_each(|element| self.in_values(id, element, key)),
            Value::Text(_) | Value::Null => {}
        }
    }

    /// A chart that kustomize renders.
    fn rendered(&mut self, chart: &Node) {
        let name = chart.text_of("releaseName").or_else(|| chart.text_of("name")).unwrap_or_default();
        let id = Id {
            group: "kustomize.config.k8s.io".to_owned(),
            version: "v1beta1".to_owned(),
            kind: "HelmChart".to_owned(),
            namespace: chart.text_of("namespace").unwrap_or_default().to_owned(),
            name: name.to_owned(),
        };
        let (version, said) = match chart.get("version").and_then(|node| self.said(node)) {
            Some((version, said)) => (Some(version), said),
            None => (None, Said::nowhere(chart)),
        };
        let pin = Pin::of_chart(version.as_deref());
        let name = chart.text_of("name").unwrap_or_default().to_owned();
        self.push(&id, Carrier::Chart, name, version, pin, said);
    }

    /// What a value says with its variables filled in, and where that is written.
    fn said(&self, node: &Node) -> Option<(String, Said)> {
        let text = node.text()?;
        let origin = node.said_at().clone();
        Some(match filled(text, self.values) {
            None => (text.to_owned(), Said { origin, own: Some(text.to_owned()) }),
            Some(Filled { text, from: Some((origin, own)) }) => (text, Said { origin, own: Some(own) }),
            Some(Filled { text, from: None }) => (text, Said { origin, own: None }),
        })
    }

    /// Says of the last version what it is of the value.
    fn becomes(&mut self, is: Is) {
        if let Some(last) = self.found.last_mut() {
            last.is = is;
        }
    }

    fn push(
        &mut self,
        id: &Id,
        carrier: Carrier,
        name: String,
        version: Option<String>,
        pin: Pin,
        said: Said,
    ) {
        // What is not written, or comes out of a variable, is not what stands there.
        let is = if version.is_some() && said.own == version { Is::All } else { Is::Made };
        self.found.push(Version { object: id.clone(), carrier, name, version, pin, said: said.origin, is });
    }
}
