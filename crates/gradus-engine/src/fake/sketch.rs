//! Pipelines and files to try things with.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use gradus_core::gate::Gate;
use gradus_core::gate::approval::ApprovalGate;
use gradus_core::gate::soak::SoakGate;
use gradus_core::names::{ArtifactName, EnvironmentName, Person, PipelineKey, TargetName};
use gradus_core::pipeline::{
    Emergency, Environment, Merge, Need, Pipeline, Queue, Repository, Strategy, Takes, Target, TargetKind,
};
use gradus_core::release::Release;
use gradus_core::version::{Order, Version};
use jiff::SignedDuration;

/// The pipeline `apps/web` with these environments. Its one artifact is `app`.
pub fn pipeline(environments: Vec<Environment>) -> Pipeline {
    let key = PipelineKey::parse("apps/web").expect("a key");
    let repository = Repository {
        url: Arc::from("https://git.example/fleet"),
        branch: None,
        paths: vec![],
        secret: None,
        forge: None,
        commit: Default::default(),
    };
    let artifacts = BTreeMap::from([(artifact(), Order::Auto)]);
    Pipeline::new(key, repository, artifacts, environments).expect("a pipeline")
}

/// An environment after these others: one target that reports, changes by push, no gates.
pub fn environment(name: &str, after: &[&str]) -> Environment {
    Environment {
        name: environment_name(name),
        after: after.iter().map(|name| environment_name(name)).collect(),
        targets: vec![target("main", TargetKind::Report)],
        healthy: Need::All,
        deploy_within: SignedDuration::from_mins(30),
        strategy: Strategy::Push,
        merge: Merge::Auto,
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

/// A target.
pub fn target(name: &str, kind: TargetKind) -> Target {
    Target { name: target_name(name), kind }
}

/// A gate that asks for so many people.
pub fn approval(min: u32, not_author: bool) -> Gate {
    let min = NonZeroU32::new(min).expect("at least one");
    Gate::Approval(ApprovalGate { min, users: Vec::new(), groups: Vec::new(), not_author })
}

/// A gate that asks for so much time.
pub fn soak(minutes: i64) -> Gate {
    Gate::Soak(SoakGate { time: SignedDuration::from_mins(minutes) })
}

/// The one artifact.
pub fn artifact() -> ArtifactName {
    ArtifactName::parse("app").expect("a name")
}

/// A release of the one artifact.
pub fn release(version: &str) -> Release {
    Release::single(artifact(), Version::parse(version).expect("a version"))
}

/// The name of an environment.
pub fn environment_name(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).expect("a name")
}

/// The name of a target.
pub fn target_name(name: &str) -> TargetName {
    TargetName::parse(name).expect("a name")
}

/// A person.
pub fn person(name: &str) -> Person {
    Person::parse(name).expect("a person")
}

/// The file of an environment.
pub fn path(environment: &str) -> String {
    format!("apps/{environment}.yaml")
}

/// What is in the file of an environment: a version with its marker.
pub fn file(environment: &str, version: &str) -> String {
    format!("kind: Release\nspec:\n  version: {version} # {{\"$promotion\": \"apps:web:{environment}\"}}\n")
}

/// The version in the file of an environment, found without the help of what is tested.
pub fn version_in(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.contains("$promotion"))?;
    let (_, value) = line.split_once(':')?;
    let value = value.split('#').next().unwrap_or_default();
    Some(value.trim().trim_matches(['"', '\'']))
}
