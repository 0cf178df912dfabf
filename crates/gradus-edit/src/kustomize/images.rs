//! What `images:` makes of the images of containers.

use std::sync::Arc;

use super::node::{Node, Origin, Text, Value};
use super::object::Object;
use crate::{ImagePart, ImageRef, KustomizeImage, Locator, StaleDigest};

/// Lists of containers, wherever in an object they are.
const CONTAINERS: [&str; 2] = ["containers", "initContainers"];

/// An entry of `images:`.
pub(super) struct Image {
    name: String,
    new_name: Option<String>,
    /// What the tag becomes, and where that is written.
    tag: Option<(String, Arc<Origin>)>,
    digest: Option<(String, Arc<Origin>)>,
    suffix: Option<String>,
}

impl Image {
    /// Reads an entry. In a file of kustomize's own its fields have a name of their own.
    pub(super) fn read(node: &Node, in_kustomization: bool) -> Option<Self> {
        let name = node.text_of("name")?.to_owned();
        let part = |key: &str, field: ImagePart| {
            let node = node.get(key)?;
            let text = node.text().filter(|text| !text.is_empty())?.to_owned();
            let image = KustomizeImage { image: name.clone(), field, digest: StaleDigest::default() };
            let origin = if in_kustomization && !node.origin.is_inline() {
                node.origin.named(Locator::KustomizeImage(image))
            } else {
                node.origin.clone()
            };
            Some((text, origin))
        };
        Some(Self {
            new_name: node.text_of("newName").filter(|text| !text.is_empty()).map(str::to_owned),
            tag: part("newTag", ImagePart::Tag),
            digest: part("digest", ImagePart::Digest),
            suffix: node.text_of("tagSuffix").filter(|text| !text.is_empty()).map(str::to_owned),
            name,
        })
    }

    /// Reads an entry of Argo CD: `[NAME=]IMAGE[:TAG][@DIGEST]`.
    pub(super) fn of_argo(node: &Node) -> Option<Self> {
        let text = node.text()?;
        let (name, image) = match text.split_once('=') {
            Some((name, image)) => (Some(name), image),
            None => (None, text),
        };
        let image = ImageRef::parse(image);
        let said = |part: Option<String>| part.map(|part| (part, node.origin.clone()));
        Some(Self {
            new_name: name.map(|_| image.name.clone()).filter(|name| !name.is_empty()),
            name: name.unwrap_or(&image.name).to_owned(),
            tag: said(image.tag),
            digest: said(image.digest),
            suffix: None,
        })
    }

    /// Changes every image of this name.
    pub(super) fn apply(&self, object: &mut Object) {
        if object.id().kind != "CustomResourceDefinition" {
            self.look(&mut object.node);
        }
    }

    fn look(&self, node: &mut Node) {
        match &mut node.value {
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    if CONTAINERS.contains(&&**key)
                        && let Value::List(containers) = &mut value.value
                    {
                        containers.iter_mut().for_each(|container| self.container(container));
                    }
                    self.look(value);
                }
            }
            Value::List(elements) => elements.iter_mut().for_each(|element| self.look(element)),
            Value::Text(_) | Value::Null => {}
        }
    }

    fn container(&self, container: &mut Node) {
        let Value::Mapping(entries) = &mut container.value else { return };
        let image = entries.iter_mut().find(|(key, _)| &**key == "image").map(|(_, node)| &mut node.value);
        let Some(Value::Text(text)) = image else { return };
        let mut image = ImageRef::parse(&text.text);
        if image.name != self.name {
            return;
        }
        let mut part = text.part.clone();
        if let Some(name) = &self.new_name {
            image.name.clone_from(name);
        }
        let written = |part: &Option<(String, Arc<Origin>)>| part.as_ref().map(|(text, _)| text.clone());
        match (&self.tag, &self.digest, &self.suffix) {
            (None, None, None) => {}
            (None, None, Some(suffix)) => {
                image.tag = image.tag.map(|tag| format!("{tag}{suffix}"));
                image.digest = None;
            }
            (tag, digest, _) => {
                (image.tag, image.digest) = (written(tag), written(digest));
                part = tag.as_ref().or(digest.as_ref()).map(|(_, origin)| origin.clone());
            }
        }
        *text = Text { text: image.to_string().into(), part, ..text.clone() };
    }
}
