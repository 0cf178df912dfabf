//! What was seen.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::target::{GroupKind, ObjectRef};

/// A target's object as it was seen, and a way to ask for those below it.
#[derive(Clone, Copy)]
pub struct Sighting<'a> {
    /// The object; none when it was looked for and is not there.
    pub object: Option<&'a Value>,
    /// Other objects.
    pub below: &'a dyn Below,
    /// The time of the look.
    pub now: Timestamp,
}

/// Other objects that were seen: what a target applied, its source, the copies
/// that a rollout makes.
///
/// An object that comes from here is as [`crate::slim`] leaves it, or whole.
pub trait Below {
    /// One object by name.
    fn get(&self, reference: &ObjectRef) -> Lookup<'_>;

    /// All objects of a kind in a namespace. A kind that the cluster does not
    /// have is a list of none.
    fn list(&self, kind: &GroupKind, namespace: &str) -> Listing<'_>;
}

/// What is known of one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<'a> {
    /// It was seen like this.
    Seen(Cow<'a, Value>),
    /// It was looked for and is not there.
    Missing,
    /// Nobody looked, and why.
    NotLooked(String),
}

/// What is known of the objects of a kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Listing<'a> {
    /// They were seen: these and no others.
    Seen(Vec<Cow<'a, Value>>),
    /// Nobody looked, and why.
    NotLooked(String),
}

/// Knows of no other object: each one was not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingBelow;

impl Below for NothingBelow {
    fn get(&self, _: &ObjectRef) -> Lookup<'_> {
        Lookup::NotLooked("only the object itself is looked at".to_owned())
    }

    fn list(&self, _: &GroupKind, _: &str) -> Listing<'_> {
        Listing::NotLooked("only the object itself is looked at".to_owned())
    }
}
