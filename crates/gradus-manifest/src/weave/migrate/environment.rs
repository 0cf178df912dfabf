//! An environment: where it runs, and how a version comes in.

use super::super::shape::{Old, OldEnvironment, OldPullRequest, OldTarget};
use super::lines::Lines;
use super::repository::Repository;
use crate::yaml::text;

/// Writes it.
pub(super) fn write(
    lines: &mut Lines,
    old: &Old,
    repository: &Repository,
    at: usize,
    environment: &OldEnvironment,
    names: &[String],
) {
    let Some(name) = names.get(at) else { return };
    if *name != environment.name {
        let namespace = old.namespace.as_deref().unwrap_or("default");
        lines.look(
            4,
            &format!(
                "Was {}: a marker that names it has to be {{\"$promotion\": \"{namespace}:{}:{name}\"}} now.",
                environment.name, old.name
            ),
        );
    }
    lines.line(4, &format!("- name: {}", text(name)));
    targets(lines, old, environment);
    let is_last = at + 1 == names.len();
    if environment.targets.len() > 1 && !is_last {
        lines.comment(6, "As before, one healthy target is enough to go on; without this, all have to be.");
        lines.line(6, "healthy:");
        lines.line(8, "targets: any");
    }
    // Nothing came into the first environment this way.
    if at > 0 {
        promotion(lines, old, repository, environment);
    }
}

fn targets(lines: &mut Lines, old: &Old, environment: &OldEnvironment) {
    if environment.targets.is_empty() {
        lines.look(6, "It had no targets: here it waits for `gradus report`. Write where it runs.");
        lines.line(6, "targets:");
        lines.line(8, "- report: {}");
        return;
    }
    lines.line(6, "targets:");
    let mut written: Vec<&OldTarget> = Vec::new();
    for target in &environment.targets {
        if written.contains(&target) {
            lines.comment(8, "The same target was there twice.");
            continue;
        }
        written.push(target);
        let namespace = match target.namespace.as_str() {
            "" => old.namespace.as_deref().unwrap_or("default"),
            namespace => namespace,
        };
        lines.line(8, &format!("- namespace: {}", text(namespace)));
        if let Some(cluster) = &target.cluster {
            lines.line(10, "clusterRef:");
            lines.line(12, &format!("kind: {}", text(&cluster.kind)));
            lines.line(12, &format!("name: {}", text(&cluster.name)));
            if let Some(namespace) = &cluster.namespace {
                lines.line(12, &format!("namespace: {}", text(namespace)));
            }
        }
    }
}

fn promotion(lines: &mut Lines, old: &Old, repository: &Repository, environment: &OldEnvironment) {
    let Some(promotion) = old.promotion_of(environment) else {
        let any = old.environments.iter().any(|environment| old.promotion_of(environment).is_some());
        if any {
            lines.comment(6, "Nothing was promoted into it.");
            manual(lines);
        }
        return;
    };
    if let Some(url) = &promotion.webhook {
        lines
            .look(6, &format!("Not carried over: a webhook to be called at {url:?}, which was never there."));
    }
    match &promotion.pull_request {
        Some(request) if is_elsewhere(request, repository) => {
            let url = request.url.as_deref().unwrap_or_default();
            let branch = request.branch.as_deref().unwrap_or("its default branch");
            lines.look(
                6,
                &format!("Not carried over: it was promoted in {url}, {branch}. A pipeline has one repository: make this one of its own."),
            );
            manual(lines);
        }
        Some(_) => {
            lines.line(6, "promote:");
            lines.line(8, "strategy: pull-request");
            if promotion.manual {
                lines.comment(6, "A person lets each version in: `gradus promote`.");
                manual(lines);
            }
        }
        None => {
            lines.look(
                6,
                "Not carried over: a notification told another system to promote. gradus writes the change itself, once a \
                 person asks with `gradus promote`; to let it go by itself, take the gate away.",
            );
            manual(lines);
        }
    }
}

fn manual(lines: &mut Lines) {
    lines.line(6, "gates:");
    lines.line(8, "- manual: {}");
}

fn is_elsewhere(request: &OldPullRequest, repository: &Repository) -> bool {
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_owned();
    let url = request.url.as_deref().is_some_and(|url| plain(url) != plain(&repository.url));
    let branch = request.branch.is_some() && request.branch != repository.branch;
    url || branch
}
