//! From a `Pipeline` object to the shapes of the API: what its status says, and
//! what its spec adds to that.

use std::sync::Arc;

use gradus_core::names::{EnvironmentName, Namespace, PipelineKey, PipelineName};
use gradus_core::pipeline::{Environment as Spec, Pipeline};
use gradus_core::tell::Clock;
use gradus_engine::observe::proposal_branch;
use gradus_manifest::pipeline_from_json;
use gradus_manifest::status::{
    ConditionStatus, EnvironmentStatus, Health, PipelineStatus, TargetStatus, Versions,
};
use gradus_server::api::v1;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The reason that it is not known what Git declares.
const UNREAD: &str = "declared-unknown";

/// A pipeline as its object says it.
pub(crate) struct Shown {
    pub(crate) key: PipelineKey,
    /// What it is; absent where its spec has mistakes.
    pub(crate) spec: Option<Arc<Pipeline>>,
    pub(crate) status: PipelineStatus,
    /// What keeps it from being looked after.
    pub(crate) mistakes: Vec<String>,
}

impl Shown {
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let key = PipelineKey {
            namespace: Namespace::parse(text("/metadata/namespace")?).ok()?,
            name: PipelineName::parse(text("/metadata/name")?).ok()?,
        };
        let status = object
            .get("status")
            .and_then(|status| PipelineStatus::deserialize(status).ok())
            .unwrap_or_default();
        let (spec, mut mistakes) = match pipeline_from_json(object) {
            Ok(read) => (Some(Arc::new(read.value)), Vec::new()),
            Err(errors) => {
                (None, errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect())
            }
        };
        // Its holds can have mistakes too, and only gradus has read those.
        let stalled =
            status.conditions.iter().find(|one| one.of == "Stalled" && one.status == ConditionStatus::True);
        if let (true, Some(stalled)) = (mistakes.is_empty(), stalled) {
            mistakes.push(stalled.message.clone());
        }
        Some(Self { key, spec, status, mistakes })
    }

    /// A row of the status table for each environment.
    pub(crate) fn status(&self) -> v1::PipelineStatus {
        if let (true, Some(spec)) = (self.status.environments.is_empty(), &self.spec) {
            return v1::PipelineStatus::unseen(spec);
        }
        v1::PipelineStatus {
            namespace: self.key.namespace.to_string(),
            name: self.key.name.to_string(),
            mode: self.mode(),
            looked_at: None,
            environments: self.status.environments.iter().map(row).collect(),
        }
    }

    /// All that the object says.
    pub(crate) fn pipeline(&self, now: Timestamp) -> v1::Pipeline {
        v1::Pipeline {
            namespace: self.key.namespace.to_string(),
            name: self.key.name.to_string(),
            mode: self.mode(),
            looked_at: v1::Time(now),
            wake_at: None,
            environments: self.status.environments.iter().map(|here| self.shown(here)).collect(),
        }
    }

    /// Why an environment is as it is; none where nobody has looked yet.
    pub(crate) fn explanation(
        &self,
        environment: &EnvironmentName,
        clock: &Clock,
    ) -> Option<v1::Explanation> {
        let here = self.here(environment)?;
        let text = here.explanation.clone().unwrap_or_else(|| settled(&self.key, here, clock));
        Some(v1::Explanation {
            namespace: self.key.namespace.to_string(),
            name: self.key.name.to_string(),
            text,
            environment: self.shown(here),
        })
    }

    /// The proposals that are open, newest first. Those that are not any more are
    /// what Git and its host tell.
    pub(crate) fn proposals(&self) -> Vec<v1::Proposal> {
        let open = self
            .status
            .environments
            .iter()
            .filter(|here| !is_declined(here))
            .filter_map(|here| self.proposal(here));
        let mut open: Vec<v1::Proposal> = open.collect();
        open.sort_by_key(|proposal| std::cmp::Reverse(proposal.opened_at.0));
        open
    }

    fn proposal(&self, here: &EnvironmentStatus) -> Option<v1::Proposal> {
        let open = here.proposal.as_ref()?;
        let since = time(open.since.as_deref())?;
        let branch = || proposal_branch(self.spec.as_ref()?, &EnvironmentName::parse(&here.name).ok()?);
        let own = self.spec_of(here).and_then(|here| here.branch.as_ref());
        let base = own.or_else(|| self.spec.as_ref()?.repository.branch.as_ref());
        let what = match (&here.version, &open.version) {
            (Some(from), Some(to)) => format!(": {from} → {to}"),
            (None, Some(to)) => format!(": {to}"),
            (_, None) => String::new(),
        };
        Some(v1::Proposal {
            number: u64::try_from(open.number).ok()?,
            environment: here.name.clone(),
            url: open.url.clone(),
            title: format!("Promote {} to {}{what}", self.key.name, here.name),
            body: here.explanation.clone().unwrap_or_default(),
            branch: branch().map(|branch| branch.to_string()).unwrap_or_default(),
            base: base.map(ToString::to_string).unwrap_or_default(),
            head: String::new(),
            state: v1::ProposalState::Open,
            opened_at: since,
            changed_at: since,
            merged_by: None,
            closed_because: None,
        })
    }

    /// What the status says of an environment.
    pub(crate) fn here(&self, environment: &EnvironmentName) -> Option<&EnvironmentStatus> {
        self.status.environments.iter().find(|here| here.name == environment.as_str())
    }

    fn mode(&self) -> v1::Mode {
        self.spec.as_ref().map_or(v1::Mode::Active, |spec| spec.mode.into())
    }

    fn spec_of(&self, here: &EnvironmentStatus) -> Option<&Spec> {
        self.spec.as_ref()?.environments().iter().find(|spec| spec.name.as_str() == here.name)
    }

    fn shown(&self, here: &EnvironmentStatus) -> v1::Environment {
        let spec = self.spec_of(here);
        let targets: Vec<v1::Target> = here.targets.iter().map(target).collect();
        let (declared, declared_unknown) = declared(here);
        v1::Environment {
            name: here.name.clone(),
            after: spec.map(|spec| spec.after.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            declared,
            declared_unknown,
            running: running(here.verdict, &here.versions),
            verdict: verdict(here.verdict, &here.versions, here.since.as_deref(), None),
            healthy_targets: here.targets.iter().filter(|one| one.verdict == Health::Healthy).count(),
            needed_targets: spec.map_or(targets.len(), |spec| spec.healthy.of(spec.targets.len())),
            targets,
            origin: None,
            next: here.next.as_ref().and_then(|next| {
                let release = release(&next.versions)?;
                Some(v1::Next { release, request: None, gates: Vec::new() })
            }),
            proposal: here.proposal.as_ref().and_then(|proposal| {
                Some(v1::OpenProposal {
                    number: u64::try_from(proposal.number).ok()?,
                    url: proposal.url.clone(),
                    head: String::new(),
                    release: None,
                    fit: fit(here),
                    since: time(proposal.since.as_deref())?,
                })
            }),
            step: None,
            words: here.message.clone().unwrap_or_default(),
            reasons: here
                .reason
                .iter()
                .map(|code| v1::Reason {
                    code: code.clone(),
                    sentence: here.message.clone().unwrap_or_else(|| code.clone()),
                    since: None,
                    until: here.next.as_ref().and_then(|next| time(next.not_before.as_deref())),
                    you_can: Vec::new(),
                })
                .collect(),
            notes: Vec::new(),
        }
    }
}

/// Whether a person closed the proposal that is told of.
fn is_declined(here: &EnvironmentStatus) -> bool {
    here.reason.as_deref() == Some("proposal-declined")
}

fn fit(here: &EnvironmentStatus) -> v1::Fit {
    if is_declined(here) { v1::Fit::Declined } else { v1::Fit::Current }
}

fn row(here: &EnvironmentStatus) -> v1::EnvironmentStatus {
    let (declared, declared_unknown) = declared(here);
    v1::EnvironmentStatus {
        name: here.name.clone(),
        declared,
        declared_unknown,
        running: running(here.verdict, &here.versions),
        health: health(here.verdict),
        since: time(here.since.as_deref()),
        next: here.next.as_ref().and_then(|next| release(&next.versions)),
        words: here.message.clone().unwrap_or_default(),
        reason: here.reason.clone(),
    }
}

fn declared(here: &EnvironmentStatus) -> (Option<v1::Release>, Option<String>) {
    if here.reason.as_deref() == Some(UNREAD) {
        let why = here.message.clone().unwrap_or_else(|| "it could not be read".to_owned());
        return (None, Some(why));
    }
    (release(&here.versions), None)
}

/// What surely runs: a release that works.
fn running(health: Health, versions: &Versions) -> Option<v1::Release> {
    release(versions).filter(|_| health == Health::Healthy)
}

fn target(target: &TargetStatus) -> v1::Target {
    v1::Target {
        name: target.name.clone(),
        verdict: verdict(target.verdict, &target.versions, target.since.as_deref(), target.message.clone()),
        running: running(target.verdict, &target.versions),
        evidence: target
            .evidence
            .iter()
            .map(|one| v1::Evidence {
                object: one.object.clone(),
                says: one.message.clone(),
                revision: None,
                since: time(one.since.as_deref()),
                good: None,
            })
            .collect(),
    }
}

fn verdict(is: Health, versions: &Versions, since: Option<&str>, why: Option<String>) -> v1::Verdict {
    v1::Verdict { health: health(is), release: release(versions), since: time(since), deadline: None, why }
}

fn health(health: Health) -> v1::Health {
    match health {
        Health::NotDeployed => v1::Health::NotDeployed,
        Health::Deploying => v1::Health::Deploying,
        Health::Healthy => v1::Health::Healthy,
        Health::Failed => v1::Health::Failed,
        Health::Unknown => v1::Health::Unknown,
    }
}

/// A release by its versions; none where there are none.
pub(super) fn release(versions: &Versions) -> Option<v1::Release> {
    let only = versions.values().next().filter(|_| versions.len() == 1).cloned();
    (!versions.is_empty()).then(|| v1::Release { version: only, versions: versions.clone() })
}

fn time(text: Option<&str>) -> Option<v1::Time> {
    text?.parse().ok().map(v1::Time)
}

/// What there is to say where nothing waits.
fn settled(key: &PipelineKey, here: &EnvironmentStatus, clock: &Clock) -> String {
    let (app, environment) = (&key.name, &here.name);
    let Some(version) = &here.version else { return format!("nothing of {app} is in {environment}.\n") };
    let since = time(here.since.as_deref()).map(|since| clock.at(since.0));
    let since = since.map_or_else(String::new, |since| format!(" since {since}"));
    match here.verdict {
        Health::Healthy => format!("{app} {version} is in {environment}, healthy{since}.\n"),
        Health::Deploying => format!("{app} {version} has been on its way into {environment}{since}.\n"),
        Health::Failed => format!("{app} {version} has failed in {environment}{since}.\n"),
        Health::NotDeployed => format!("nothing of {app} runs in {environment}.\n"),
        Health::Unknown => format!("{app} {version} is in {environment}; whether it works is not known.\n"),
    }
}
