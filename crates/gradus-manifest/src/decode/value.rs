//! One value of a document, as serde reads it.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Choice, Fields, Items};
use super::fault::{Fault, What, quoted};
use super::{BUDGET, Found, Run};
use crate::error::{ManifestErrorKind, Trouble};
use crate::nearest::nearest;
use crate::yaml::{Content, NodeId, Path, Plain};

/// A value and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Value<'c, 't> {
    pub(super) run: &'c Run<'c, 't>,
    pub(super) node: NodeId,
    pub(super) path: &'c Path<'c>,
}

impl<'c, 't> Value<'c, 't> {
    /// The content, an alias followed.
    fn content(self) -> Result<&'c Content<'t>, Fault> {
        let left = self.run.left.get().checked_sub(1).ok_or_else(|| Fault::new(What::Budget(BUDGET)))?;
        self.run.left.set(left);
        let document = self.run.document;
        document
            .node(document.resolve(self.node))
            .map(|node| &node.content)
            .ok_or_else(|| Fault::new(What::Told))
    }

    fn placed<T>(self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| fault.at(self.run.document, self.node, self.path))
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.content()? {
            Content::Plain(text) => match Plain::of(text) {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(truth) => visitor.visit_bool(truth),
                Plain::Unsigned(number) => visitor.visit_u64(number),
                Plain::Signed(number) => visitor.visit_i64(number),
                Plain::Float(number) => visitor.visit_f64(number),
                Plain::Text => visitor.visit_str(text),
            },
            Content::Text(text) => visitor.visit_str(text),
            Content::List(items) => visitor.visit_seq(Items { of: self, left: items.iter().enumerate() }),
            Content::Mapping(entries) => visitor.visit_map(Fields::new(self, entries)),
            Content::Alias(_) => Err(Fault::new(What::Told)),
        }
    }

    fn mapping<'de, V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Content::Mapping(entries) = self.content()? else {
            let what = if fields.is_empty() {
                "{}".to_owned()
            } else {
                format!("a mapping with {}", fields.join(", "))
            };
            return Err(Fault::new(What::Expected(what)));
        };
        let document = self.run.document;
        for (key, value) in entries {
            let Some(text) = document.text(*key).filter(|text| !fields.contains(text)) else { continue };
            self.run.set_aside(*value, || Found {
                at: document.at(*key),
                field: self.path.field(text).to_string(),
                trouble: Trouble::new(
                    ManifestErrorKind::UnknownField,
                    format!("unknown field {}", quoted(text)),
                )
                .maybe_help(self.run.levels.suggest(self.path, text, fields)),
            });
        }
        visitor.visit_map(Fields::new(self, entries)).map_err(|fault| match fault.missing_here() {
            Some(field) if self.is_accounted_for(entries, field) => Fault::new(What::Told),
            Some(_) | None => fault,
        })
    }

    /// Whether a missing field is there with a mistake in it or in its name, or
    /// may be behind a merge key.
    fn is_accounted_for(self, entries: &[(NodeId, NodeId)], field: &str) -> bool {
        entries.iter().filter(|(_, value)| self.run.is_out(*value)).any(|(key, _)| {
            let text = self.run.document.text(*key).unwrap_or_default();
            text == field || text == "<<" || nearest(text, std::iter::once(field)).is_some()
        })
    }

    fn choice<'de, V: Visitor<'de>>(
        self,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let one_of = || Fault::new(What::Expected(format!("one of {}", variants.join(", "))));
        match self.content()? {
            Content::Plain(text) if Plain::of(text) != Plain::Text => Err(one_of()),
            Content::Plain(text) | Content::Text(text) => {
                visitor.visit_enum(Choice { of: self, name: text, value: None })
            }
            Content::List(_) | Content::Alias(_) => Err(one_of()),
            Content::Mapping(entries) => match entries.as_slice() {
                [] => Err(one_of()),
                [(key, value)] => {
                    let name = self.run.document.text(*key).unwrap_or_default();
                    visitor.visit_enum(Choice { of: self, name, value: Some(*value) })
                }
                [(first, _), (second, _), ..] => Err(self.several(*first, *second, variants)),
            },
        }
    }

    /// Two keys where one is to be chosen: two choices, or one with its fields
    /// at its side in place of inside it.
    fn several(self, first: NodeId, second: NodeId, variants: &[&str]) -> Fault {
        let document = self.run.document;
        let (a, b) = (document.text(first).unwrap_or_default(), document.text(second).unwrap_or_default());
        let trouble = Trouble::new(
            ManifestErrorKind::Value,
            format!("only one of {} can be here, found {} and {}", variants.join(", "), quoted(a), quoted(b)),
        );
        Fault::new(What::Other(match (variants.contains(&a), variants.contains(&b)) {
            (true, true) => trouble.help("write each as an item of its own"),
            (true, false) => trouble.help(format!("is {b:?} part of {a:?}? then indent it further")),
            (false, true) => trouble.help(format!("is {a:?} part of {b:?}? then indent it further")),
            (false, false) => trouble,
        }))
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.content()? {
            Content::Plain(text) if Plain::of(text) != Plain::Text => {
                Err(Fault::invalid_type(Unexpected::Other("a value"), &visitor))
            }
            Content::Plain(text) | Content::Text(text) => visitor.visit_str(text),
            Content::List(_) | Content::Mapping(_) | Content::Alias(_) => {
                Err(Fault::invalid_type(Unexpected::Other("a value"), &visitor))
            }
        }
    }
}

impl<'de> Deserializer<'de> for Value<'_, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.placed(self.any(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.run.document.is_null(self.node) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.placed(self.text(visitor))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.placed(self.text(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.placed(self.mapping(fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.placed(self.choice(variants, visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier
    }
}
