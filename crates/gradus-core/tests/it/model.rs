//! Short ways to make the planner's types.

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, CommitId, EnvironmentName, Person, PipelineKey, TargetName};
use gradus_core::observation::{EnvironmentSeen, Seen};
use gradus_core::pipeline::{
    Emergency, Environment, Merge, Need, Pipeline, PipelineError, Queue, Repository, Strategy, Takes, Target,
    TargetKind,
};
use gradus_core::release::Release;
use gradus_core::version::{Order, Version};
use jiff::SignedDuration;

pub(crate) fn name(text: &str) -> EnvironmentName {
    EnvironmentName::parse(text).unwrap()
}

pub(crate) fn person(text: &str) -> Person {
    Person::parse(text).unwrap()
}

pub(crate) fn artifact(text: &str) -> ArtifactName {
    ArtifactName::parse(text).unwrap()
}

pub(crate) fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// Reads `1.2.0`, or `app=1.2.0,chart=3.0.0`.
pub(crate) fn release(text: &str) -> Release {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, text)) => (artifact(name), version(text)),
        None => (artifact("app"), version(part)),
    };
    Release::new(text.split(',').map(pair)).unwrap()
}

/// The commit with this number.
pub(crate) fn commit(number: u64) -> CommitId {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    CommitId::parse(&format!("{mixed:016x}{number:024x}")).unwrap()
}

pub(crate) fn target(text: &str, kind: TargetKind) -> Target {
    Target { name: TargetName::parse(text).unwrap(), kind }
}

/// An environment with one target of its own name, and every rule at its default.
pub(crate) fn environment(text: &str, after: &[&str]) -> Environment {
    Environment {
        name: name(text),
        after: after.iter().map(|text| name(text)).collect(),
        targets: vec![target(text, TargetKind::Report)],
        healthy: Need::All,
        deploy_within: SignedDuration::from_mins(30),
        strategy: Strategy::Push,
        merge: Merge::Person,
        pull_request: None,
        queue: Queue::Latest,
        gates: Vec::new(),
        verify: Vec::new(),
        emergency: Emergency::Forbidden,
        block: Vec::new(),
        edit: Vec::new(),
        branch: None,
        takes: Takes::Version,
    }
}

pub(crate) fn pipeline(
    key: &str,
    artifacts: BTreeMap<ArtifactName, Order>,
    environments: Vec<Environment>,
) -> Result<Pipeline, PipelineError> {
    let repository = Repository {
        url: "https://example.com/fleet".into(),
        branch: None,
        paths: Vec::new(),
        secret: None,
        forge: None,
        commit: Default::default(),
    };
    Pipeline::new(PipelineKey::parse(key).unwrap(), repository, artifacts, environments)
}

/// An environment of which everything is known, and in which nothing is.
pub(crate) fn nothing_seen() -> EnvironmentSeen {
    EnvironmentSeen {
        declared: Seen::Known(gradus_core::observation::Declared {
            release: None,
            origin: Seen::unknown("nothing is declared"),
        }),
        targets: BTreeMap::new(),
        proposal: Seen::Known(None),
        requests: Seen::Known(Vec::new()),
        approvals: Seen::Known(Vec::new()),
        checks: Seen::Known(Vec::new()),
        proofs: Seen::Known(Vec::new()),
        promoted: Seen::Known(None),
        dispatched: Seen::Known(Vec::new()),
        evidence: BTreeMap::new(),
        brought: [].into(),
        merge: None,
    }
}
