//! What the reader of manifests promises, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod assembling;
mod bounds;
mod holds;
mod mistakes;
mod pipelines;
mod schema;
mod telling;
