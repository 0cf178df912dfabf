//! Values that can be written in more than one way, or whose mistakes need
//! words of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// A length of time as it is written, such as `10m` or `1h 30m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration(pub String);

/// One text or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMany {
    /// A text alone.
    One(String),
    /// A list.
    Many(Vec<String>),
}

/// A version of the only artifact, or a version for each of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// The version of the only artifact.
    Only(String),
    /// Versions by artifact.
    Each(BTreeMap<String, String>),
}

/// How many targets must be healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthyTargets {
    /// Every one.
    All,
    /// One of them.
    Any,
    /// This many.
    Count(u32),
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 10m")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                Ok(Duration(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Read)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Pin;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version, or a mapping of artifacts to versions")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Pin, E> {
                Ok(Pin::Only(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pin, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Pin::Each)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for HealthyTargets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = HealthyTargets;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("all, any or a number of targets from 1")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<HealthyTargets, E> {
                match text {
                    "all" => Ok(HealthyTargets::All),
                    "any" => Ok(HealthyTargets::Any),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<HealthyTargets, E> {
                match u32::try_from(number) {
                    Ok(count) if count > 0 => Ok(HealthyTargets::Count(count)),
                    Ok(_) | Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<HealthyTargets, E> {
                match u64::try_from(number) {
                    Ok(count) => self.visit_u64(count),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time with its unit, such as `10m`, `1h 30m`, `10 minutes` or `2d`.",
            "pattern": "[A-Za-z]",
        })
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text or a list of them.",
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        })
    }
}

impl JsonSchema for Pin {
    fn schema_name() -> Cow<'static, str> {
        "Pin".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A version of the only artifact, or a version for each of several.",
            "oneOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1}},
            ],
        })
    }
}

impl JsonSchema for HealthyTargets {
    fn schema_name() -> Cow<'static, str> {
        "HealthyTargets".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How many targets must be healthy: `all`, `any` or a number.",
            "oneOf": [{"enum": ["all", "any"]}, {"type": "integer", "minimum": 1}],
        })
    }
}
