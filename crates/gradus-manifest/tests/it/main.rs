//! What the reader of manifests promises, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "../../../gradus-testbed/shared/damage.rs"]
mod damage;

mod assembling;
mod bounds;
mod crds;
mod fuzz;
mod holds;
mod mistakes;
mod objects;
mod pipelines;
mod schema;
mod telling;
mod weave;
