//! Which objects a patch is for.

use regex_lite::{Regex, RegexBuilder};

use super::node::Node;
use super::object::{Id, Object};

/// Bytes that a compiled pattern may take.
const LARGEST: usize = 1 << 20;

/// The fields that select objects. Each is a pattern for the whole text; one that is not there
/// goes with every text.
pub(super) struct Target {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Label>,
    annotations: Vec<Label>,
}

/// What an object has to have, or must not have.
struct Label {
    key: String,
    value: Option<String>,
    has: bool,
}

impl Target {
    /// Reads the fields; or says which of them cannot be read.
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let pattern = |field: &str| match node.text_of(field).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => RegexBuilder::new(&format!("^(?:{text})$"))
                .size_limit(LARGEST)
                .build()
                .map(Some)
                .map_err(|error| format!("the {field} of its target is no pattern: {error}")),
        };
        let labels = |field: &str| match node.text_of(field) {
            None => Ok(Vec::new()),
            Some(text) if text.contains(['(', ')', '<', '>']) => {
                Err(format!("its target has a {field} of sets, which is not read"))
            }
            Some(text) => {
                Ok(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Label::read).collect())
            }
        };
        Ok(Self {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: labels("labelSelector")?,
            annotations: labels("annotationSelector")?,
        })
    }

    /// Whether it selects this object, by what it is called now or was called at first.
    pub(super) fn selects(&self, object: &Object) -> bool {
        let (now, first) = (object.id(), object.first_id());
        let either = |pattern: &Option<Regex>, of: fn(&Id) -> &str| {
            pattern.as_ref().is_none_or(|pattern| [&first, &now].iter().any(|id| pattern.is_match(of(id))))
        };
        let is = |pattern: &Option<Regex>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        };
        let have = |field: &str, labels: &[Label]| {
            let node = object.node.at(&["metadata", field]);
            labels.iter().all(|label| label.goes_with(node))
        };
        either(&self.namespace, Id::namespace_or_default)
            && either(&self.name, |id| &id.name)
            && is(&self.group, &now.group)
            && is(&self.version, &now.version)
            && is(&self.kind, &now.kind)
            && have("labels", &self.labels)
            && have("annotations", &self.annotations)
    }
}

impl Label {
    fn read(text: &str) -> Self {
        let label = |key: &str, value: Option<&str>, has| Self {
            key: key.trim().to_owned(),
            value: value.map(|value| value.trim().to_owned()),
            has,
        };
        if let Some((key, value)) = text.split_once("!=") {
            label(key, Some(value), false)
        } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            label(key, Some(value), true)
        } else if let Some(key) = text.strip_prefix('!') {
            label(key, None, false)
        } else {
            label(text, None, true)
        }
    }

    fn goes_with(&self, labels: Option<&Node>) -> bool {
        let found = labels.and_then(|labels| labels.text_of(&self.key));
        let fits = match &self.value {
            Some(value) => found == Some(value),
            None => found.is_some(),
        };
        fits == self.has
    }
}
