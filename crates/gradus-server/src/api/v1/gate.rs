//! What a gate says, on the wire.

use gradus_core::gate::{Answer, Passed};
use gradus_core::names::Person;
use gradus_core::report::GateReport;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason::{About, Reason};
use super::time::Time;

/// What a gate says of the release that wants to come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    /// The kind of gate, in one word, such as `soak`.
    pub kind: String,
    /// The gate in words, such as `approval by release-managers`.
    pub words: String,
    /// What it says.
    pub state: GateState,
    /// Since when it lets the release pass, or since when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When that may change by the clock alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The people by whose word it lets the release pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Why it does not let the release pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateState {
    /// The release may pass.
    Passed,
    /// A person skips it.
    Skipped,
    /// Not yet.
    Waiting,
    /// Not this release.
    Failed,
}

impl Gate {
    pub(crate) fn of(gate: &GateReport, about: About<'_>) -> Self {
        let mut this = Self {
            kind: gate.kind.to_owned(),
            words: gate.words.clone(),
            state: GateState::Passed,
            since: None,
            until: None,
            by: Vec::new(),
            reason: None,
        };
        match &gate.answer {
            Answer::Pass(passed) => this.passed(passed),
            Answer::Hold(reason) => this.held(GateState::Waiting, Reason::of(reason, about)),
            Answer::Fail(reason) => this.held(GateState::Failed, Reason::of(reason, about)),
        }
        this
    }

    fn held(&mut self, state: GateState, reason: Reason) {
        self.state = state;
        self.since = reason.since;
        self.until = reason.until;
        self.reason = Some(reason);
    }

    fn passed(&mut self, passed: &Passed) {
        let names = |people: &[Person]| people.iter().map(ToString::to_string).collect();
        match passed {
            Passed::ApprovedBy(people) => self.by = names(people),
            Passed::Soaked(since) | Passed::Checked(since) => self.since = Some(Time(*since)),
            Passed::Open(until) => self.until = until.map(Time),
            Passed::NotFrozen => {}
            Passed::AskedBy(person) => self.by = names(std::slice::from_ref(person)),
            Passed::Overridden(person) => {
                self.state = GateState::Skipped;
                self.by = names(std::slice::from_ref(person));
            }
        }
    }
}
