//! Says, from what was seen, what should happen next and why.
//!
//! [`plan()`] takes a [`pipeline::Pipeline`] (what people want), an
//! [`observation::Observation`] (what was seen) and the time, and gives a
//! [`plan::Plan`]: the steps to take and a [`report::Report`] of the reasons.
//! It is total, synchronous and deterministic, and it knows nobody: no I/O, no
//! clock, no wire format.

mod brought;
pub mod gate;
pub mod names;
pub mod news;
pub mod notification;
pub mod observation;
pub mod pipeline;
pub mod plan;
pub mod proof;
pub mod reason;
pub mod release;
pub mod report;
pub mod tell;
pub mod verdict;
pub mod version;
pub mod window;

pub use plan::plan;
