//! Looks, plans, acts: owns the ports, the queue and the lease.
//!
//! [`Engine::look`] asks all ports and plans; it writes nothing. [`Engine::reconcile`]
//! looks, takes the planned steps and records what it saw and did. [`Engine::run`]
//! does so for every pipeline, each one serially, whenever something was heard,
//! a time is due, or a branch has moved. An event only ever says which pipeline
//! to look at; what is true is looked up.

mod act;
mod commands;
mod engine;
#[cfg(feature = "fake")]
#[expect(clippy::expect_used, reason = "doubles for tests: what cannot be is a mistake in the test")]
pub mod fake;
mod merging;
mod moment;
mod notify;
pub mod observe;
pub mod places;
pub mod port;
pub mod queue;
mod record;
mod run;
mod spans;
mod standing;
mod words;

pub use act::Outcome;
pub use engine::{Asked, AskedFor, Engine, Looked, Reconciled, SayError, SayErrorKind};
pub use merging::merge_text;
pub use notify::{Notifier, NotifyOptions, short};
pub use run::{RunOptions, Watcher};
