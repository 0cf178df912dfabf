//! Version 1 of the API: its shapes on the wire, and its endpoints.
//!
//! The shapes are stable: fields are added, never renamed, removed or given
//! another meaning. Names are in camelCase, words of a fixed set in kebab-case.
//! A field that has nothing to say is absent. The core's own types are converted,
//! never serialised, so that they can change without the wire noticing.
//!
//! The command line prints the same shapes: `of` and `From` make them from what
//! the engine found, with or without a server in between.

mod approve;
mod asked;
mod check;
mod environment;
mod error;
mod events;
mod explain;
mod gate;
mod history;
mod holds;
mod pipeline;
mod pipelines;
mod problems;
mod promote;
mod proposals;
mod reason;
mod recorded;
mod release;
mod report;
mod rollback;
mod step;
mod time;
mod verdict;
mod version;

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
pub use verdict::{Health, Target, Verdict};
pub use version::ServerVersion;
