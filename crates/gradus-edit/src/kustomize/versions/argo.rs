//! Applications of Argo CD, and the sets that make them.

use super::super::node::Node;
use super::super::object::Id;
use super::{Carrier, Is, Look, Pin, Said, version_of};
use crate::ImageRef;

/// How many applications of a set are looked at.
const MOST: usize = 1_000;

pub(super) fn look(look: &mut Look<'_>, id: &Id, node: &Node) {
    if id.kind == "Application" {
        if let Some(spec) = node.get("spec") {
            application(look, id, spec, None);
        }
        return;
    }
    let Some(template) = node.at(&["spec", "template"]) else { return };
    let Some(spec) = template.get("spec") else { return };
    let mut elements = Vec::new();
    for generator in node.get("spec").map(|spec| spec.list("generators")).unwrap_or_default() {
        listed(generator, &mut elements);
    }
    if elements.is_empty() {
        return application(look, id, spec, None);
    }
    for element in elements.into_iter().take(MOST) {
        let name = template.at(&["metadata", "name"]).and_then(Node::text).unwrap_or(&id.name);
        let made = Id { name: expanded(name, element).0, kind: "Application".to_owned(), ..id.clone() };
        application(look, &made, spec, Some(element));
    }
}

/// The elements of lists, also of those inside of other generators.
fn listed<'n>(generator: &'n Node, elements: &mut Vec<&'n Node>) {
    if let Some(list) = generator.get("list") {
        elements.extend(list.list("elements"));
    }
    for inside in ["matrix", "merge"] {
        if let Some(inside) = generator.get(inside) {
            inside.list("generators").iter().for_each(|generator| listed(generator, elements));
        }
    }
}

fn application(look: &mut Look<'_>, id: &Id, spec: &Node, element: Option<&Node>) {
    let sources = spec.get("source").into_iter().chain(spec.list("sources"));
    for source in sources {
        let url = source.text_of("repoURL").unwrap_or_default().trim_end_matches('/');
        let last =
            |text: &str| text.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned();
        let chart = source.text_of("chart");
        let (carrier, name) = match chart {
            Some(chart) => (Carrier::Chart, last(chart)),
            None => (Carrier::Git, last(url)),
        };
        let (version, said) = match source.get("targetRevision").and_then(|node| read(look, node, element)) {
            Some((version, said)) => (Some(version).filter(|version| !version.is_empty()), said),
            None => (None, Said::nowhere(source)),
        };
        let pin = match carrier {
            Carrier::Chart => Pin::of_chart(version.as_deref()),
            Carrier::Git | Carrier::Image | Carrier::Oci | Carrier::Values | Carrier::Parameter => {
                Pin::of_revision(version.as_deref())
            }
        };
        look.push(id, carrier, name, version, pin, said);
        for parameter in source.get("helm").map(|helm| helm.list("parameters")).unwrap_or_default() {
            let name = parameter.text_of("name").unwrap_or_default();
            let is_version = ["tag", "version"].iter().any(|end| name.to_lowercase().ends_with(end));
            let value = parameter.get("value").filter(|_| is_version);
            if let Some((version, said)) = value.and_then(|node| read(look, node, element)) {
                let pin = Pin::of_image(Some(&version));
                look.push(id, Carrier::Parameter, name.to_owned(), Some(version), pin, said);
            }
        }
        if let Some(values) = source.at(&["helm", "valuesObject"]) {
            look.in_values(id, values, "");
        }
        for image in source.get("kustomize").map(|kustomize| kustomize.list("images")).unwrap_or_default() {
            let Some((text, said)) = read(look, image, element) else { continue };
            let image = ImageRef::parse(text.split_once('=').map_or(text.as_str(), |(_, image)| image));
            // What is before an equals sign is no part of the image, and cannot be told from it there.
            let is_whole = said.own.as_ref() == Some(&text) && !text.contains('=');
            let name = image.name.clone();
            let (version, part) = version_of(image);
            let pin = Pin::of_image(version.as_deref());
            look.push(id, Carrier::Image, name, version, pin, said);
            if is_whole && let Some(part) = part {
                look.becomes(Is::Part(part));
            }
        }
    }
}

/// What a value says for an element of a list, and where that is written.
fn read(look: &Look<'_>, node: &Node, element: Option<&Node>) -> Option<(String, Said)> {
    let (text, said) = look.said(node)?;
    let Some(element) = element else { return Some((text, said)) };
    let (text, from) = expanded(&text, element);
    Some((text, from.unwrap_or(said)))
}

/// The text with the fields of an element in it, and where the last of them is written.
fn expanded(text: &str, element: &Node) -> (String, Option<Said>) {
    let (mut out, mut from, mut rest) = (String::new(), None, text);
    while let Some((before, behind)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((inner, after)) = behind.split_once("}}") else {
            out.push_str("{{");
            rest = behind;
            continue;
        };
        let name = inner.trim().trim_start_matches('.');
        let node = name.split('.').try_fold(element, |node, key| node.get(key));
        match node.and_then(|node| Some((node, node.text()?))) {
            Some((node, text)) => {
                out.push_str(text);
                from = Some(Said { origin: node.origin.clone(), own: Some(text.to_owned()) });
            }
            None => {
                out.push_str("{{");
                out.push_str(inner);
                out.push_str("}}");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    (out, from)
}
