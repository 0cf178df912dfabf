//! What the reader of manifests promises, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod assembling;
mod bounds;
mod crds;
mod holds;
mod mistakes;
mod objects;
mod pipelines;
mod schema;
mod telling;
mod weave;
