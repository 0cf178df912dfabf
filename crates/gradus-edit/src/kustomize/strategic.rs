//! Strategic-merge patches.

use std::sync::Arc;

use super::node::{Node, Value};

/// Groups of kinds that Kubernetes itself has: only of them it is known what identifies an element of a list.
const OWN_GROUPS: [&str; 5] = ["", "apps", "batch", "autoscaling", "policy"];

/// Lists of named elements in those kinds, and by which keys an element is identified.
const LISTS: [(&str, &[&str]); 12] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("volumes", &["name"]),
    ("env", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "protocol"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("secrets", &["name"]),
];

/// The object with the patch in it; nothing if the patch deletes it.
pub(super) fn patched(object: &Node, patch: &Node, group: &str) -> Option<Node> {
    let merge = Merge { keyed: OWN_GROUPS.contains(&group) };
    merge.mapping(object, patch)
}

#[derive(Clone, Copy)]
struct Merge {
    /// Whether elements of lists are known by their keys.
    keyed: bool,
}

impl Merge {
    fn mapping(self, old: &Node, patch: &Node) -> Option<Node> {
        match patch.text_of("$patch") {
            Some("delete") => return None,
            Some("replace") => return Some(clean(patch)),
            Some(_) | None => {}
        }
        let mut entries: Vec<(Arc<str>, Node)> = old.entries().to_vec();
        for (key, new) in patch.entries() {
            if key.starts_with('$') {
                continue;
            }
            let at = entries.iter().position(|(name, _)| name == key);
            let before = at.and_then(|at| entries.get(at)).map(|(_, node)| node);
            match (self.value(key, before, new), at) {
                (Some(node), Some(at)) => {
                    if let Some(entry) = entries.get_mut(at) {
                        entry.1 = node;
                    }
                }
                (Some(node), None) => entries.push((key.clone(), node)),
                (None, Some(at)) => drop(entries.remove(at)),
                (None, None) => {}
            }
        }
        Some(Node { value: Value::Mapping(entries), origin: old.origin.clone() })
    }

    fn value(self, key: &str, old: Option<&Node>, new: &Node) -> Option<Node> {
        match (old.map(|old| (old, &old.value)), &new.value) {
            (_, Value::Null) => None,
            (Some((old, Value::Mapping(_))), Value::Mapping(_)) => self.mapping(old, new),
            (Some((old, Value::List(_))), Value::List(_)) => Some(self.list(key, old, new)),
            (_, Value::Mapping(_)) if new.text_of("$patch") == Some("delete") => None,
            (_, Value::Mapping(_) | Value::List(_) | Value::Text(_)) => Some(clean(new)),
        }
    }

    /// What the patch has comes first, in its order, and then the rest.
    fn list(self, key: &str, old: &Node, new: &Node) -> Node {
        let keys = LISTS.iter().find(|(name, _)| self.keyed && *name == key).map(|(_, keys)| *keys);
        let replaces = new.elements().iter().any(|element| element.text_of("$patch") == Some("replace"));
        let keys = keys.and_then(|keys| keys_of(keys, old, new)).filter(|_| !replaces);
        let Some(keys) = keys else { return clean(new) };
        let same = |one: &Node, other: &Node| keys.iter().all(|key| one.text_of(key) == other.text_of(key));
        let mut elements = Vec::new();
        for element in new.elements() {
            let before = old.elements().iter().find(|before| same(before, element));
            elements.extend(self.value("", before, element));
        }
        let untouched = |before: &&Node| !new.elements().iter().any(|element| same(before, element));
        elements.extend(old.elements().iter().filter(untouched).cloned());
        Node { value: Value::List(elements), origin: old.origin.clone() }
    }
}

/// The keys by which elements are told apart, if all have the first of them.
fn keys_of(keys: &'static [&'static str], old: &Node, new: &Node) -> Option<&'static [&'static str]> {
    let mut all = old.elements().iter().chain(new.elements());
    let first = keys.first()?;
    all.all(|element| element.get(first).is_some()).then_some(keys)
}

/// What a patch adds, without what it says to whoever merges it.
fn clean(node: &Node) -> Node {
    let value = match &node.value {
        Value::Mapping(entries) => Value::Mapping(
            entries
                .iter()
                .filter(|(key, node)| !key.starts_with('$') && !matches!(node.value, Value::Null))
                .map(|(key, node)| (key.clone(), clean(node)))
                .collect(),
        ),
        Value::List(elements) => Value::List(
            elements.iter().filter(|element| element.get("$patch").is_none()).map(clean).collect(),
        ),
        Value::Text(text) => Value::Text(text.clone()),
        Value::Null => Value::Null,
    };
    Node { value, origin: node.origin.clone() }
}
