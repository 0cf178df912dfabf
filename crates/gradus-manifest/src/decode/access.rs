//! What is inside a list, a mapping or a choice, as serde reads it.

use std::iter::Enumerate;
use std::slice::Iter;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::fault::{Fault, What};
use super::value::Value;
use crate::error::Trouble;
use crate::yaml::NodeId;

/// The items of a list.
pub(super) struct Items<'c, 't> {
    pub(super) of: Value<'c, 't>,
    pub(super) left: Enumerate<Iter<'c, NodeId>>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let run = self.of.run;
        let Some((at, node)) = self.left.find(|(_, node)| !run.is_out(**node)) else { return Ok(None) };
        let path = self.of.path.item(at);
        seed.deserialize(Value { run, node: *node, path: &path }).map(Some)
    }
}

/// The keys and values of a mapping.
pub(super) struct Fields<'c, 't> {
    of: Value<'c, 't>,
    left: Iter<'c, (NodeId, NodeId)>,
    current: Option<(&'c str, NodeId)>,
}

impl<'c, 't> Fields<'c, 't> {
    pub(super) fn new(of: Value<'c, 't>, entries: &'c [(NodeId, NodeId)]) -> Self {
        Self { of, left: entries.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let run = self.of.run;
        let Some((key, value)) = self.left.find(|(_, value)| !run.is_out(*value)) else { return Ok(None) };
        let text = run.document.text(*key).unwrap_or_default();
        self.current = Some((text, *value));
        let key: StrDeserializer<'_, Fault> = text.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, node) = self.current.take().ok_or_else(|| Fault::new(What::Told))?;
        let path = self.of.path.field(key);
        seed.deserialize(Value { run: self.of.run, node, path: &path })
    }
}

/// One of several: a word, or a mapping with one key.
pub(super) struct Choice<'c, 't> {
    pub(super) of: Value<'c, 't>,
    pub(super) name: &'c str,
    pub(super) value: Option<NodeId>,
}

impl<'de> EnumAccess<'de> for Choice<'_, '_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Fault::new(What::Other(
                Trouble::value(format!("{:?} takes no value", self.name))
                    .help(format!("write the word alone: {}", self.name)),
            ))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let Some(node) = self.value else {
            return Err(Fault::new(What::Other(
                Trouble::value(format!("{:?} needs a value", self.name))
                    .help(format!("write `{}: ...`, or `{}: {{}}` for its defaults", self.name, self.name)),
            )));
        };
        if self.of.run.is_out(node) {
            return Err(Fault::new(What::Told));
        }
        let path = self.of.path.field(self.name);
        seed.deserialize(Value { run: self.of.run, node, path: &path })
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::new(What::Told))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Fault> {
        Err(Fault::new(What::Told))
    }
}
