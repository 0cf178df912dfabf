//! An environment on the wire: all that was found of it.

use gradus_core::observation::{Fit as CoreFit, Origin as CoreOrigin, ProposalSeen, Seen};
use gradus_core::report::{EnvironmentReport, Next as CoreNext, Report};
use gradus_core::tell::{Clock, status_line};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::Gate;
use super::reason::{About, Reason};
use super::release::Release;
use super::step::{Request, Step};
use super::time::Time;
use super::verdict::{Target, Verdict};

/// All that was found of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// What it is called.
    pub name: String,
    /// The environments that it comes after.
    pub after: Vec<String>,
    /// What Git declares; absent where it names no version, or where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Release>,
    /// Why it is not known what Git declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_unknown: Option<String>,
    /// What runs there, where all its targets agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Release>,
    /// Whether it works.
    pub verdict: Verdict,
    /// How many of its targets are healthy.
    pub healthy_targets: usize,
    /// How many of them must be.
    pub needed_targets: usize,
    /// Each target.
    pub targets: Vec<Target>,
    /// The commit that brought what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What wants to come in, whether it may or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// The open proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<OpenProposal>,
    /// The step that is taken here, or would be if gradus might write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The one line of the status table.
    pub words: String,
    /// Why it is as it is; the first one stands for all. Never empty.
    pub reasons: Vec<Reason>,
    /// What else people should know.
    pub notes: Vec<Reason>,
}

/// The commit that brought a release into an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Its id.
    pub commit: String,
    /// Its first line.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed.
    pub at: Time,
    /// Whether it says that gradus wrote it.
    pub by_gradus: bool,
    /// What it replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Release>,
}

/// What wants to come into an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Next {
    /// What.
    pub release: Release,
    /// The request that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What each gate says of it.
    pub gates: Vec<Gate>,
}

/// The open proposal of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenProposal {
    /// Its number.
    pub number: u64,
    /// Where people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The commit at the tip of its branch.
    pub head: String,
    /// What it proposes, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Whether it fits the branch it is for.
    pub fit: Fit,
    /// Since when it is open.
    pub since: Time,
}

/// Whether a proposal fits the branch it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// It is exactly the change that would be made now.
    Current,
    /// The branch has moved under it.
    Behind,
    /// It has commits that gradus did not write.
    Foreign,
    /// A person closed it without merging.
    Declined,
}

impl Environment {
    /// What a report says of one of its environments.
    pub fn of(report: &Report, here: &EnvironmentReport, clock: &Clock) -> Self {
        let wants = here.next.as_ref().map(|next| &next.release);
        let about = About { pipeline: &report.pipeline, environment: &here.name, wants, clock };
        let (declared, declared_unknown) = declared(here);
        let reasons = |reasons: &[gradus_core::reason::Reason]| {
            reasons.iter().map(|reason| Reason::of(reason, about)).collect()
        };
        Self {
            name: here.name.to_string(),
            after: here.after.iter().map(ToString::to_string).collect(),
            declared,
            declared_unknown,
            running: here.verdict.running().map(Release::from),
            verdict: (&here.verdict.verdict).into(),
            healthy_targets: here.verdict.healthy,
            needed_targets: here.verdict.need,
            targets: here.verdict.targets.iter().map(Target::from).collect(),
            origin: here.origin.as_ref().map(Origin::from),
            next: here.next.as_deref().map(|next| Next::of(next, about)),
            proposal: here.proposal.as_ref().map(OpenProposal::from),
            step: here.step.as_deref().map(Step::from),
            words: status_line(here, clock),
            reasons: reasons(&here.reasons),
            notes: reasons(&here.notes),
        }
    }
}

/// What Git declares, or why that is not known.
pub(super) fn declared(here: &EnvironmentReport) -> (Option<Release>, Option<String>) {
    match &here.declared {
        Seen::Known(release) => (release.as_ref().map(Release::from), None),
        Seen::Unknown(why) => (None, Some(why.to_string())),
    }
}

impl Next {
    fn of(next: &CoreNext, about: About<'_>) -> Self {
        Self {
            release: (&next.release).into(),
            request: next.request.as_ref().map(Request::from),
            gates: next.gates.iter().map(|gate| Gate::of(gate, about)).collect(),
        }
    }
}

impl From<&CoreOrigin> for Origin {
    fn from(origin: &CoreOrigin) -> Self {
        Self {
            commit: origin.commit.to_string(),
            title: origin.title.to_string(),
            author: origin.author.to_string(),
            at: Time(origin.at),
            by_gradus: origin.by_gradus,
            replaced: origin.replaced.as_ref().map(Release::from),
        }
    }
}

impl From<&ProposalSeen> for OpenProposal {
    fn from(proposal: &ProposalSeen) -> Self {
        Self {
            number: proposal.number.0,
            url: proposal.url.as_ref().map(ToString::to_string),
            head: proposal.head.to_string(),
            release: proposal.release.known().map(Release::from),
            fit: match proposal.fit {
                CoreFit::Current => Fit::Current,
                CoreFit::Behind => Fit::Behind,
                CoreFit::Foreign => Fit::Foreign,
                CoreFit::Declined(_) => Fit::Declined,
                // That it waits in the forge is the reason's to say.
                CoreFit::Queued(_) => Fit::Current,
            },
            since: Time(proposal.since),
        }
    }
}
