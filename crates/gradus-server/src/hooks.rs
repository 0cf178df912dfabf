//! Webhooks: others tell that something happened.
//!
//! A webhook wakes a pipeline, so that it is looked at sooner. What is true is
//! looked up, with one exception: for a target that reports, an event of a
//! HelmRelease is its report.

mod answer;
mod base64;
pub(crate) mod flux;
mod folder;
pub(crate) mod forge;
mod keys;
mod outcome;
mod signature;
pub(crate) mod wake;

pub use answer::{Taken, Understood};
pub use folder::HookKeySource;
pub use keys::{HookKey, HookKeys};
pub(crate) use outcome::Outcome;
