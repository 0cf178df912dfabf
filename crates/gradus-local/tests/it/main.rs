//! The ledger and the local forge, as their users see them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and speaks to the process that started it"
)]

mod backup;
mod damage;
mod forge;
mod full;
mod git;
mod history;
mod model;
mod processes;
mod reports;
mod round_trip;
mod sample;
mod shelf;
mod told;
