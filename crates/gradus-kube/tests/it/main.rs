//! Tests of the crate as a whole.

mod clusters;
mod watch;
