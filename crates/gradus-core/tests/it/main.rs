//! The planner as its users meet it: given a pipeline and what was seen, the plan and the words.
#![expect(clippy::disallowed_methods, reason = "the tests read and write their own scripts")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail"
)]

mod dependencies;
mod dice;
mod model;
mod properties;
mod reasons;
mod rule;
mod scenario;
mod script;
mod sight;
mod world;
