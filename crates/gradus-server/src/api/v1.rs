//! Version 1 of the API: its shapes on the wire, and its endpoints.
//!
//! The shapes are stable: fields are added, never renamed, removed or given
//! another meaning. Names are in camelCase, words of a fixed set in kebab-case.
//! A field that has nothing to say is absent. The core's own types are converted,
//! never serialised, so that they can change without the wire noticing.
//!
//! The command line prints the same shapes: `of` and `From` make them from what
//! the engine found, with or without a server in between.

#![expect(unused_qualifications, reason = "the macro that describes an endpoint writes them")]

pub(crate) mod approve;
mod asked;
pub(crate) mod check;
pub(crate) mod document;
mod environment;
mod error;
pub(crate) mod events;
pub(crate) mod explain;
mod gate;
pub(crate) mod history;
pub(crate) mod holds;
pub(crate) mod pipeline;
pub(crate) mod pipelines;
pub(crate) mod problems;
pub(crate) mod promote;
pub(crate) mod proposals;
mod reason;
mod recorded;
mod release;
pub(crate) mod report;
pub(crate) mod rollback;
mod step;
mod time;
mod verdict;
pub(crate) mod version;

pub use approve::Approve;
pub use asked::Asked;
pub use check::{CheckReport, Outcome};
pub use environment::{Environment, Fit, Next, OpenProposal, Origin};
pub use error::{ErrorBody, ErrorDetail};
pub use events::{Changed, ChangedEnvironment};
pub use explain::Explanation;
pub use gate::{Gate, GateState};
pub use history::{History, HistoryEntry, HistoryEvent, Wrote, WroteAction};
pub use holds::{Hold, HoldList, NewHold};
pub use pipeline::{Mode, Pipeline};
pub use pipelines::{EnvironmentStatus, PipelineList, PipelineStatus};
pub use problems::{Problem, ProblemList};
pub use promote::Promote;
pub use proposals::{Proposal, ProposalList, ProposalState};
pub use reason::Reason;
pub use recorded::RecordedAnswer;
pub use release::Release;
pub use report::{State, TargetReport};
pub use rollback::Rollback;
pub use step::{Request, RequestKind, Step, StepKind};
pub use time::Time;
pub use verdict::{Evidence, Health, Target, Verdict};
pub use version::ServerVersion;
