//! What was found and why nothing more happens: the one source of every text,
//! status and answer that people get.

use jiff::Timestamp;

use crate::gate::Answer;
use crate::names::{EnvironmentName, PipelineKey};
use crate::observation::{Origin, ProposalSeen, Request, Seen};
use crate::pipeline::Mode;
use crate::plan::{Merges, Step};
use crate::reason::Reason;
use crate::release::Release;
use crate::verdict::EnvironmentVerdict;

/// What was found of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the report is what people are told"]
pub struct Report {
    /// Which pipeline.
    pub pipeline: PipelineKey,
    /// Whether it may write.
    pub mode: Mode,
    /// Each environment, in the order in which they were written.
    pub environments: Vec<EnvironmentReport>,
    /// When to look again even if nothing is heard.
    pub wake_at: Option<Timestamp>,
}

/// What was found of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentReport {
    /// Which environment.
    pub name: EnvironmentName,
    /// What it comes after.
    pub after: Vec<EnvironmentName>,
    /// What Git declares.
    pub declared: Seen<Option<Release>>,
    /// The commit that brought it.
    pub origin: Option<Origin>,
    /// Whether it works.
    pub verdict: EnvironmentVerdict,
    /// The open proposal.
    pub proposal: Option<ProposalSeen>,
    /// What wants to come in, whether it may or not. Mostly there is nothing, and
    /// nothing takes no room: there are as many reports as environments.
    pub next: Option<Box<Next>>,
    /// The step that the plan takes here, or would take if it might write.
    pub step: Option<Box<Step>>,
    /// Why it is as it is; the first one first. Never empty.
    pub reasons: Vec<Reason>,
    /// What else people should know.
    pub notes: Vec<Reason>,
}

/// What wants to come into an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What.
    pub release: Release,
    /// By whose word, if a person asked for it.
    pub request: Option<Request>,
    /// What each gate says of it.
    pub gates: Vec<GateReport>,
    /// What is merged to bring it, where that is how it comes.
    pub merges: Option<Merges>,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateReport {
    /// The kind of gate, in one word.
    pub kind: &'static str,
    /// The gate, in words.
    pub words: String,
    /// What it says.
    pub answer: Answer,
}

impl Report {
    /// The report of one environment.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&EnvironmentReport> {
        self.environments.iter().find(|environment| &environment.name == name)
    }
}

impl EnvironmentReport {
    /// The release that is declared, or running where Git names none.
    pub fn release(&self) -> Option<&Release> {
        match &self.declared {
            Seen::Known(Some(release)) => Some(release),
            Seen::Known(None) | Seen::Unknown(_) => self.verdict.running(),
        }
    }

    /// The reason that stands for all.
    pub fn main_reason(&self) -> Option<&Reason> {
        self.reasons.first()
    }
}
