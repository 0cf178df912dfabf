//! Tests of the crate as a whole.

#[path = "../../../gradus-testbed/shared/damage.rs"]
mod damage;

mod ask;
mod clusters;
mod overview;
mod recordings;
mod skew;
mod tree;
mod watch;
mod weave;
