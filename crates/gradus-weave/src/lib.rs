//! The contract of `pipelines.weave.works`: its kind, its webhook, its rules and
//! the words of its answers, without the server or the cluster behind them.
//!
//! [`webhook`] and [`approval`] say what a request is answered, [`level`] what
//! follows from what runs where, [`classic`] what the conditions of a pipeline are.
//! Nothing here waits, asks or writes: who calls hands in what was seen, and does
//! what comes out.

pub mod answer;
pub mod approval;
pub mod classic;
pub mod condition;
mod effective;
pub mod event;
pub mod kind;
pub mod level;
pub mod limiter;
pub mod message;
mod name;
pub mod notification;
mod promotion;
pub mod proposal;
pub mod retry;
pub mod signature;
mod success;
pub mod webhook;

pub use effective::{Strategy, effective, promotes};
pub use name::{NameError, ObjectName, Revision, RevisionError};
pub use promotion::Promotion;
