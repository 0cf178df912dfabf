//! What templates promise, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod bounds;
mod mistakes;
mod strings;
mod table;
