//! Speaks to Git hosts, forges and registries.
//!
//! [`git`] reads and writes a repository without cloning it; [`http`] is the one HTTP client everything in this
//! crate is built on. Neither knows what a promotion is. [`repos`] and [`targets`] put them behind the engine's ports;
//! so does [`forge`] with proposals.

mod app;
mod cause;
pub mod forge;
pub mod git;
pub mod http;
pub mod notify;
pub mod repos;
mod secret;
mod secret_files;
pub mod targets;

pub use app::AppCredentials;
pub use secret::Secret;
