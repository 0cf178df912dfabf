//! The manifest as a whole.

use super::super::shape::Old;
use super::lines::Lines;
use super::{Known, environment, repository};
use crate::yaml::text;

/// Annotations that tools keep for themselves.
const NOT_OURS: [&str; 1] = ["kubectl.kubernetes.io/last-applied-configuration"];

/// Writes it. `names` are those of the environments. With `forge`, proposals are
/// kept where they were.
pub(super) fn write(old: &Old, names: &[String], known: Known<'_>) -> Lines {
    let mut lines = Lines::default();
    let repository = repository::of(old, known);
    lines.line(0, "apiVersion: gradus.dev/v1alpha1");
    lines.line(0, "kind: Pipeline");
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {}", text(&old.name)));
    if let Some(namespace) = &old.namespace {
        lines.line(2, &format!("namespace: {}", text(namespace)));
    }
    pairs(&mut lines, "labels", &old.labels);
    pairs(&mut lines, "annotations", &old.annotations);
    lines.line(0, "spec:");
    if old.environments.iter().all(|environment| old.promotion_of(environment).is_none()) {
        lines.comment(2, "It promoted nothing, so it says everything and writes nothing.");
        lines.line(2, "mode: observe");
    } else if repository.is_unknown {
        lines.look(
            2,
            "Nothing is written until you say below which repository it is; then take this line away.",
        );
        lines.line(2, "mode: observe");
    }
    if let Some(app) = &old.app {
        lines.line(2, "appRef:");
        let version = served(&app.api_version);
        if version != app.api_version {
            let was = format!("Was {}, which newer versions of Flux do not serve.", app.api_version);
            lines.look(4, &was);
        }
        lines.line(4, &format!("apiVersion: {}", text(version)));
        lines.line(4, &format!("kind: {}", text(&app.kind)));
        lines.line(4, &format!("name: {}", text(&app.name)));
    }
    webhook(&mut lines, old);
    repository::write(&mut lines, &repository);
    lines.line(2, "environments:");
    for (at, one) in old.environments.iter().enumerate() {
        environment::write(&mut lines, old, &repository, at, one, names);
    }
    lines
}

/// The version of an API that takes the place of one that is not served any more.
fn served(version: &str) -> &str {
    match version {
        "helm.toolkit.fluxcd.io/v2beta1" | "helm.toolkit.fluxcd.io/v2beta2" => "helm.toolkit.fluxcd.io/v2",
        "kustomize.toolkit.fluxcd.io/v1beta1" | "kustomize.toolkit.fluxcd.io/v1beta2" => {
            "kustomize.toolkit.fluxcd.io/v1"
        }
        _ => version,
    }
}

fn pairs(lines: &mut Lines, field: &str, pairs: &[(String, String)]) {
    let kept: Vec<_> = pairs.iter().filter(|(key, _)| !NOT_OURS.contains(&key.as_str())).collect();
    if kept.is_empty() {
        return;
    }
    lines.line(2, &format!("{field}:"));
    for (key, value) in kept {
        lines.line(4, &format!("{}: {}", text(key), text(value)));
    }
}

/// What called the controller is not needed any more.
fn webhook(lines: &mut Lines, old: &Old) {
    let promotions = || {
        old.promotion
            .iter()
            .chain(old.environments.iter().filter_map(|environment| environment.promotion.as_ref()))
    };
    if promotions().next().is_none() {
        return;
    }
    let words = "Not carried over: the webhook /promotion. gradus looks at the targets itself; the Providers and Alerts that \
                 call it can go";
    match promotions().find_map(|promotion| promotion.hmac.as_deref()) {
        Some(secret) => lines.look(2, &format!("{words}, and so can the hmac-key of Secret {secret}.")),
        None => lines.look(2, &format!("{words}.")),
    }
}
