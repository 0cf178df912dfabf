//! Environments.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use gradus_core::names::{ArtifactName, BranchName, EnvironmentName};
use gradus_core::pipeline::{
    Emergency, Environment, Merge, MergeMethod, Need, PullRequestPolicy, Queue, Strategy, Takes,
};
use gradus_core::version::Order;
use jiff::SignedDuration;

use super::{Reader, dispatch, edit, gate, in_cluster, pull_request, target, time, versions};
use crate::error::{ManifestErrorKind, Trouble};
use crate::wire;
use crate::yaml::Path;

/// Looking for a cycle takes time that grows faster than the list.
const MAX_ENVIRONMENTS: usize = 200;
const DEPLOY_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// Reads the environments; each comes after the one before it unless it says otherwise.
pub(super) fn list(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    environments: &[wire::Environment],
    artifacts: &BTreeMap<ArtifactName, Order>,
    home: &in_cluster::Home<'_>,
    proposals: &pull_request::Of<'_>,
) -> Option<Vec<Environment>> {
    if environments.len() > MAX_ENVIRONMENTS {
        let message = format!(
            "the pipeline has {} environments; at most {MAX_ENVIRONMENTS} are read",
            environments.len()
        );
        reader.fail(path, Trouble::new(ManifestErrorKind::TooLarge, message));
        return None;
    }
    let before = std::iter::once(None).chain(environments.iter().map(|before| Some(before.name.as_str())));
    let read: Vec<Option<Environment>> = environments
        .iter()
        .zip(before)
        .enumerate()
        .map(|(at, (environment, before))| {
            one(reader, &path.item(at), environment, before, artifacts, home, proposals)
        })
        .collect();
    read.into_iter().collect()
}

fn one(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    environment: &wire::Environment,
    before: Option<&str>,
    artifacts: &BTreeMap<ArtifactName, Order>,
    home: &in_cluster::Home<'_>,
    proposals: &pull_request::Of<'_>,
) -> Option<Environment> {
    let name = reader.take(&path.field("name"), EnvironmentName::parse(&environment.name));
    let after = after(reader, &path.field("after"), environment, before);
    let targets = target::list(reader, &path.field("targets"), &environment.targets, &environment.name, home);
    let deploy_within = environment.deploy_within.as_ref().map(|text| time::some_time(&text.0));
    let deploy_within = reader.take_some(&path.field("deployWithin"), deploy_within);
    let promotion = promotion(reader, &path.field("promote"), environment.promote.as_ref(), proposals.forge);
    let said = environment.promote.as_ref().and_then(|promote| promote.pull_request.as_ref());
    let pull_request = name.as_ref().and_then(|name| {
        pull_request::policy(reader, &path.field("promote").field("pullRequest"), said, proposals, name)
    });
    let queue = queue(reader, &path.field("queue"), environment.queue.as_ref(), artifacts);
    let gates = gate::list(reader, &path.field("gates"), &environment.gates);
    let verify = gate::list(reader, &path.field("verify"), &environment.verify);
    let block = versions::list(reader, &path.field("block"), &environment.block);
    let edit = edit::list(reader, &path.field("edit"), &environment.edit, artifacts);
    let branch =
        reader.take_some(&path.field("branch"), environment.branch.as_deref().map(BranchName::parse));
    let Promotion { strategy, takes, merge, emergency } = promotion?;
    let pull_request = pull_request?;
    keeps_parents(reader, path, takes, pull_request.as_deref())?;
    Some(Environment {
        name: name?,
        after: after?,
        targets: targets?,
        healthy: need(environment.healthy.as_ref()),
        deploy_within: deploy_within?.unwrap_or(DEPLOY_WITHIN),
        strategy,
        merge,
        pull_request,
        queue: queue?,
        gates: gates?,
        verify: verify?,
        emergency,
        block: block?,
        edit: edit?,
        branch: branch?,
        takes,
    })
}

fn after(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    environment: &wire::Environment,
    before: Option<&str>,
) -> Option<Vec<EnvironmentName>> {
    let is_there = reader.document.find(path).is_some();
    match &environment.after {
        Some(names) => {
            reader.each(path, names, |reader, path, name| reader.take(path, EnvironmentName::parse(name)))
        }
        // Nothing behind `after:` could mean both, and one of them lets versions in unproven.
        None if is_there => {
            let trouble = Trouble::value(format!("`after` of environment {:?} has no value", environment.name))
                .help("write `after: []` for a first environment, or leave `after` out to come after the one before");
            reader.fail(path, trouble);
            None
        }
        // A name that is wrong has been told of where it stands.
        None => Some(before.and_then(|name| EnvironmentName::parse(name).ok()).into_iter().collect()),
    }
}

fn need(healthy: Option<&wire::Healthy>) -> Need {
    match healthy.map(|healthy| healthy.targets) {
        None | Some(wire::HealthyTargets::All) => Need::All,
        Some(wire::HealthyTargets::Any) => Need::Any,
        Some(wire::HealthyTargets::Count(count)) => {
            Need::Count(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
        }
    }
}

/// Refuses what a forge would make of a merge that is one no more: what was merged once would conflict the next time.
fn keeps_parents(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    takes: Takes,
    pull_request: Option<&PullRequestPolicy>,
) -> Option<()> {
    let method = match (takes, pull_request.and_then(|policy| policy.method)) {
        (Takes::Version, _) | (Takes::Branch, None | Some(MergeMethod::Merge | MergeMethod::FastForward)) => {
            return Some(());
        }
        (Takes::Branch, Some(MergeMethod::Squash)) => "squash",
        (Takes::Branch, Some(MergeMethod::Rebase)) => "rebase",
    };
    let message = format!("with `method: {method}` nothing tells any more that the branch was merged");
    let trouble = Trouble::value(message).help("write `method: merge` below `pullRequest`, or leave it out");
    reader.fail(&path.field("promote").field("strategy"), trouble);
    None
}

struct Promotion {
    strategy: Strategy,
    takes: Takes,
    merge: Merge,
    emergency: Emergency,
}

fn promotion(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    promote: Option<&wire::Promote>,
    forge: Option<wire::Forge>,
) -> Option<Promotion> {
    let strategy = match promote.and_then(|promote| promote.strategy) {
        None | Some(wire::Strategy::PullRequest) => Some(Strategy::PullRequest),
        Some(wire::Strategy::Push) => Some(Strategy::Push),
        Some(wire::Strategy::Dispatch) => {
            promote.and_then(|promote| dispatch::policy(reader, path, promote, forge)).map(Strategy::Dispatch)
        }
        Some(wire::Strategy::BranchMerge)
            if promote.is_some_and(|promote| promote.pull_request.is_some()) =>
        {
            Some(Strategy::PullRequest)
        }
        Some(wire::Strategy::BranchMerge) => Some(Strategy::Push),
        Some(wire::Strategy::Render) => strategy_to_come(reader, path, "render"),
        Some(wire::Strategy::Notification) => strategy_to_come(reader, path, "notification"),
    };
    let takes = match promote.and_then(|promote| promote.strategy) {
        Some(wire::Strategy::BranchMerge) => Takes::Branch,
        None
        | Some(
            wire::Strategy::Push
            | wire::Strategy::PullRequest
            | wire::Strategy::Dispatch
            | wire::Strategy::Render
            | wire::Strategy::Notification,
        ) => Takes::Version,
    };
    let merge = match promote.and_then(|promote| promote.merge) {
        None | Some(wire::Merge::Person) => Merge::Person,
        Some(wire::Merge::Auto) => Merge::Auto,
    };
    let emergency = match promote.and_then(|promote| promote.emergency) {
        None | Some(wire::EmergencyRule::Forbidden) => Emergency::Forbidden,
        Some(wire::EmergencyRule::Allowed) => Emergency::Allowed,
    };
    let asks = promote.is_some_and(|promote| promote.strategy == Some(wire::Strategy::Dispatch));
    let unused = if asks { Some(()) } else { dispatch::unused(reader, path, promote) };
    unused.and(strategy).map(|strategy| Promotion { strategy, takes, merge, emergency })
}

fn strategy_to_come(reader: &mut Reader<'_, '_>, path: &Path<'_>, name: &str) -> Option<Strategy> {
    let trouble = Trouble::not_yet(format!("the strategy {name} is not there yet"))
        .help("write `strategy: pull-request` or `strategy: push`");
    reader.fail(&path.field("strategy"), trouble);
    None
}

fn queue(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    queue: Option<&wire::Queue>,
    artifacts: &BTreeMap<ArtifactName, Order>,
) -> Option<Queue> {
    match queue {
        None | Some(wire::Queue::Latest) => Some(Queue::Latest),
        Some(wire::Queue::Queue) => Some(Queue::Every),
        Some(wire::Queue::Pinned(pin)) => {
            let path = path.field("pinned");
            let pin = versions::pin(reader, &path, pin)?;
            reader.take(&path, versions::resolve_pin(pin, artifacts)).map(Queue::Pinned)
        }
    }
}
