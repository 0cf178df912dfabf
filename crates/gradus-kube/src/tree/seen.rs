//! What was seen of a cluster at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gradus_evidence::{Below, GroupKind, Listing, Lookup, ObjectRef};
use serde_json::Value;

use crate::overview::{name_of, text};

/// What was seen of a cluster at once.
#[derive(Debug, Clone, Default)]
pub struct Sighted {
    objects: BTreeMap<ObjectRef, Value>,
    blind: BTreeMap<GroupKind, String>,
}

impl Sighted {
    /// These objects, and the kinds of which it is not known what there is, with the
    /// reason. Of the other kinds there is nothing else.
    pub fn new(objects: impl IntoIterator<Item = Value>, blind: BTreeMap<GroupKind, String>) -> Self {
        let named = |object: Value| {
            let group = text(&object, "/apiVersion").and_then(|version| version.split_once('/'));
            let (namespace, name) = name_of(&object);
            let kind = text(&object, "/kind").unwrap_or_default();
            (ObjectRef::new(group.map_or("", |(group, _)| group), kind, namespace, name), object)
        };
        Self { objects: objects.into_iter().map(named).collect(), blind }
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        self.objects.iter()
    }

    pub(super) fn find(&self, object: &ObjectRef) -> Option<&Value> {
        self.objects.get(object)
    }

    /// Why nothing is known of a kind, where that is so.
    pub(super) fn blind(&self, kind: &GroupKind) -> Option<&str> {
        self.blind.get(kind).map(String::as_str)
    }
}

impl Below for Sighted {
    fn get(&self, reference: &ObjectRef) -> Lookup<'_> {
        let plain = ObjectRef { version: None, ..reference.clone() };
        match (self.find(&plain), self.blind(&reference.group_kind())) {
            (Some(object), _) => Lookup::Seen(Cow::Borrowed(object)),
            (None, Some(why)) => Lookup::NotLooked(why.to_owned()),
            (None, None) => Lookup::Missing,
        }
    }

    fn list(&self, kind: &GroupKind, namespace: &str) -> Listing<'_> {
        if let Some(why) = self.blind(kind) {
            return Listing::NotLooked(why.to_owned());
        }
        let is_meant =
            |name: &ObjectRef| (name.group_kind(), name.namespace.as_str()) == (kind.clone(), namespace);
        let found = self.objects.iter().filter(|(name, _)| is_meant(name));
        Listing::Seen(found.map(|(_, object)| Cow::Borrowed(object)).collect())
    }
}
