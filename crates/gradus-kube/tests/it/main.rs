//! Tests of the crate as a whole.

mod ask;
mod clusters;
mod overview;
mod tree;
mod watch;
mod weave;
