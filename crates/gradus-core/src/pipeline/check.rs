//! What makes a list of environments a pipeline.

use std::collections::{BTreeMap, BTreeSet};

use super::{Environment, Need, PipelineError, PipelineErrorKind, Takes};
use crate::gate::Gate;
use crate::names::{ArtifactName, BranchName, EnvironmentName, PipelineKey};
use crate::version::Order;

pub(super) fn environments(
    artifacts: &BTreeMap<ArtifactName, Order>,
    environments: &[Environment],
) -> Result<Vec<usize>, PipelineError> {
    let whole = |kind| Err(PipelineError { environment: None, kind });
    if environments.is_empty() {
        return whole(PipelineErrorKind::NoEnvironments);
    }
    let mut seen = BTreeSet::new();
    for (at, environment) in environments.iter().enumerate() {
        let fault = |kind| Err(PipelineError { environment: Some(at), kind });
        if !seen.insert(&environment.name) {
            return fault(PipelineErrorKind::DuplicateEnvironment(environment.name.clone()));
        }
        for name in &environment.after {
            if !environments.iter().any(|other| &other.name == name) {
                let nearest =
                    nearest(name, environments.iter().map(|e| &e.name).filter(|n| **n != environment.name));
                return fault(PipelineErrorKind::UnknownAfter { name: name.clone(), nearest });
            }
        }
        if environment.targets.is_empty() {
            return fault(PipelineErrorKind::NoTargets);
        }
        let mut targets = BTreeSet::new();
        for target in &environment.targets {
            if !targets.insert(&target.name) {
                return fault(PipelineErrorKind::DuplicateTarget(target.name.clone()));
            }
        }
        if let Need::Count(count) = environment.healthy
            && environment.healthy.of(0) > environment.targets.len()
        {
            let targets = environment.targets.len();
            return fault(PipelineErrorKind::NeedsTooMany { need: count.get(), targets });
        }
        if let Some(edit) = environment.edit.iter().find(|edit| !artifacts.contains_key(&edit.from)) {
            return fault(PipelineErrorKind::UnknownArtifact(edit.from.clone()));
        }
        if environment.is_first() && environment.gates.iter().any(|gate| matches!(gate, Gate::Soak(_))) {
            return fault(PipelineErrorKind::SoakBeforeFirst);
        }
    }
    for (at, environment) in environments.iter().enumerate() {
        if let Some(way) = way_back(environment, environments) {
            return Err(PipelineError { environment: Some(at), kind: PipelineErrorKind::Cycle(way) });
        }
    }
    Ok(in_order(environments))
}

/// Refuses an environment that takes a branch where it is not clear which, or where that is its own.
pub(super) fn merges(base: Option<&BranchName>, environments: &[Environment]) -> Result<(), PipelineError> {
    let takes = |(_, environment): &(usize, &Environment)| environment.takes == Takes::Branch;
    for (at, environment) in environments.iter().enumerate().filter(takes) {
        let fault = |kind| Err(PipelineError { environment: Some(at), kind });
        let [before] = &environment.after[..] else {
            return fault(PipelineErrorKind::MergesNotOne(environment.after.len()));
        };
        let its = |environment: &Environment| environment.branch.clone().or_else(|| base.cloned());
        let theirs = environments.iter().find(|other| other.name == *before).and_then(its);
        if theirs == its(environment) {
            let (before, branch) = (before.clone(), theirs);
            return fault(PipelineErrorKind::MergesItself { before, branch });
        }
    }
    Ok(())
}

/// Refuses two environments that would propose on one branch. Git keeps no branch below another one either.
pub(super) fn branches(
    key: &PipelineKey,
    base: Option<&BranchName>,
    environments: &[Environment],
) -> Result<(), PipelineError> {
    // By themselves they never collide.
    let is_plain = |environment: &Environment| {
        environment.pull_request().branch.is_none() && environment.branch.is_none()
    };
    if environments.iter().all(is_plain) {
        return Ok(());
    }
    let mut taken: Vec<(BranchName, Option<&EnvironmentName>)> = Vec::with_capacity(environments.len() + 1);
    taken.extend(base.map(|base| (base.clone(), None)));
    // Several environments may be declared on one branch.
    taken.extend(environments.iter().filter_map(|here| Some((here.branch.clone()?, None))));
    for (at, environment) in environments.iter().enumerate() {
        let Some(branch) = environment.proposal_branch(key) else { continue };
        if let Some((_, of)) = taken.iter().find(|(other, _)| collide(&branch, other)) {
            let kind = PipelineErrorKind::BranchTaken { branch, of: of.cloned() };
            return Err(PipelineError { environment: Some(at), kind });
        }
        taken.push((branch, Some(&environment.name)));
    }
    Ok(())
}

fn collide(one: &BranchName, other: &BranchName) -> bool {
    let is_below = |one: &BranchName, other: &BranchName| {
        one.as_str().strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    one == other || is_below(one, other) || is_below(other, one)
}

/// The places of the environments, each after those it comes after. There is no cycle.
fn in_order(environments: &[Environment]) -> Vec<usize> {
    let mut placed = BTreeSet::new();
    let mut order = Vec::with_capacity(environments.len());
    while order.len() < environments.len() {
        let before = order.len();
        for (at, environment) in environments.iter().enumerate() {
            if !placed.contains(&environment.name)
                && environment.after.iter().all(|name| placed.contains(name))
            {
                placed.insert(environment.name.clone());
                order.push(at);
            }
        }
        if order.len() == before {
            break;
        }
    }
    order
}

/// The way from an environment back to itself, if there is one.
fn way_back(start: &Environment, environments: &[Environment]) -> Option<Vec<EnvironmentName>> {
    let mut stack = vec![vec![start.name.clone()]];
    let mut visited = BTreeSet::new();
    while let Some(way) = stack.pop() {
        let here = way.last()?;
        let Some(environment) = environments.iter().find(|e| &e.name == here) else { continue };
        for before in &environment.after {
            let mut longer = way.clone();
            longer.push(before.clone());
            if before == &start.name {
                return Some(longer);
            }
            if visited.insert(before.clone()) {
                stack.push(longer);
            }
        }
    }
    None
}

/// The name that takes the fewest changes of a letter, if few enough.
fn nearest<'a>(
    wanted: &EnvironmentName,
    names: impl Iterator<Item = &'a EnvironmentName>,
) -> Option<EnvironmentName> {
    names
        .map(|name| (distance(wanted.as_str(), name.as_str()), name))
        .filter(|(distance, _)| *distance <= 1 + wanted.as_str().len() / 4)
        .min()
        .map(|(_, name)| name.clone())
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replace = row.get(j).copied().unwrap_or(0) + usize::from(from != *to);
            let insert = next.last().copied().unwrap_or(0) + 1;
            let delete = row.get(j + 1).copied().unwrap_or(0) + 1;
            next.push(replace.min(insert).min(delete));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
