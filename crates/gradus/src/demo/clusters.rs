//! A small stand-in for clusters: it follows the branch as Flux does, and posts
//! the events that Flux's controllers post.
//!
//! It keeps its own state, and says it again from time to time, as controllers
//! do; whoever listens has to understand it at any time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fleet::{ENVIRONMENTS, Fleet};
use crate::client::Client;
use crate::error::CliError;

/// How long a rollout takes.
const ROLLOUT: Duration = Duration::from_millis(700);
/// How often the branch is looked at.
const LOOK: Duration = Duration::from_millis(150);
/// How often everything is said again.
const AGAIN: Duration = Duration::from_secs(2);

/// The clusters of the demo.
pub(crate) struct Clusters {
    fleet: Fleet,
    client: Client,
    /// The rollouts that fail: an environment and a version.
    broken: Vec<(&'static str, &'static str)>,
    environments: BTreeMap<&'static str, Environment>,
}

#[derive(Default)]
struct Environment {
    declared: String,
    running: String,
    /// When the rollout that is under way ends.
    ends: Option<tokio::time::Instant>,
    /// What has been posted of the last rollout, to be said again.
    events: Vec<Value>,
    /// How many of them have been heard.
    heard: usize,
}

impl Clusters {
    /// Clusters that follow `fleet` and report to the server of `client`.
    pub(crate) fn new(fleet: Fleet, client: Client, broken: Vec<(&'static str, &'static str)>) -> Self {
        let environments = ENVIRONMENTS.into_iter().map(|name| (name, Environment::default())).collect();
        Self { fleet, client, broken, environments }
    }

    /// Follows the branch for ever.
    pub(crate) async fn run(mut self) -> Result<(), CliError> {
        let mut seen = String::new();
        let mut again = tokio::time::Instant::now() + AGAIN;
        loop {
            let tip = self.fleet.tip()?;
            if tip != seen {
                self.follow(&tip);
                seen = tip;
            }
            self.go_on();
            if again <= tokio::time::Instant::now() {
                again = tokio::time::Instant::now() + AGAIN;
                for environment in self.environments.values_mut() {
                    environment.heard = 0;
                }
            }
            self.post().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Applies what the commit declares.
    fn follow(&mut self, tip: &str) {
        for (name, environment) in &mut self.environments {
            let Some(declared) = self.fleet.declared(tip, name) else { continue };
            if declared == environment.declared {
                continue;
            }
            let first = environment.declared.is_empty();
            environment.declared.clone_from(&declared);
            environment.heard = 0;
            // The Kustomization is green as soon as the manifest is applied: that is all it says.
            environment.events = vec![applied(name, tip)];
            if first {
                environment.running.clone_from(&declared);
                environment.events.push(helm(
                    name,
                    "UpgradeSucceeded",
                    "info",
                    &declared,
                    &succeeded(name, &declared),
                ));
            } else {
                environment.ends = Some(tokio::time::Instant::now() + ROLLOUT);
            }
        }
    }

    /// Ends the rollouts whose time has come.
    fn go_on(&mut self) {
        let now = tokio::time::Instant::now();
        for (name, environment) in &mut self.environments {
            if environment.ends.is_none_or(|ends| ends > now) {
                continue;
            }
            environment.ends = None;
            let version = environment.declared.clone();
            if self.broken.iter().any(|(where_, what)| where_ == name && *what == version) {
                let message = format!(
                    "Helm upgrade failed for release podinfo-{name}/podinfo with chart podinfo@{version}: \
                     timed out waiting for Deployment podinfo: 0 of 1 replicas became available"
                );
                environment.events.push(helm(name, "UpgradeFailed", "error", &version, &message));
                let back = environment.running.clone();
                let message = format!(
                    "Helm rollback to previous release podinfo-{name}/podinfo with chart podinfo@{back} succeeded"
                );
                environment.events.push(helm(name, "RollbackSucceeded", "info", &back, &message));
            } else {
                environment.running.clone_from(&version);
                environment.events.push(helm(
                    name,
                    "UpgradeSucceeded",
                    "info",
                    &version,
                    &succeeded(name, &version),
                ));
            }
        }
    }

    /// Posts what has not been heard, in order; what is not heard now is said later.
    async fn post(&mut self) {
        for (name, environment) in &mut self.environments {
            while let Some(event) = environment.events.get(environment.heard) {
                let path = format!("/hooks/flux/default/podinfo/{name}");
                if self.client.post_signed(&path, event).await.is_err() {
                    break;
                }
                environment.heard += 1;
            }
        }
    }
}

fn succeeded(environment: &str, version: &str) -> String {
    format!("Helm upgrade succeeded for release podinfo-{environment}/podinfo with chart podinfo@{version}")
}

fn applied(environment: &str, commit: &str) -> Value {
    json!({
        "involvedObject": {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "name": "apps",
            "namespace": "flux-system",
        },
        "severity": "info",
        "timestamp": Timestamp::now().to_string(),
        "message": "Reconciliation finished in 212ms, next run in 10m0s",
        "reason": "ReconciliationSucceeded",
        "metadata": {"commit_status": "update", "revision": format!("main@sha1:{commit}"), "env": environment},
        "reportingController": "kustomize-controller",
        "reportingInstance": "kustomize-controller-demo",
    })
}

fn helm(environment: &str, reason: &str, severity: &str, revision: &str, message: &str) -> Value {
    json!({
        "involvedObject": {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "name": "podinfo",
            "namespace": format!("podinfo-{environment}"),
        },
        "severity": severity,
        "timestamp": Timestamp::now().to_string(),
        "message": message,
        "reason": reason,
        "metadata": {"revision": revision, "app-version": revision},
        "reportingController": "helm-controller",
        "reportingInstance": "helm-controller-demo",
    })
}
