//! Tests of the crate as a whole.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

#[path = "../../../gradus-testbed/shared/damage.rs"]
mod damage;

mod classic;
mod fuzz;
mod kind;
mod level;
mod limits;
mod signature;
mod webhook;
mod words;
