//! Releases that walk: what Flux would do of what is in Git.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use gradus_testbed::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Replicas;
use crate::cluster::{Cluster, ENVIRONMENTS, Health, RELEASES, patch, status};
use crate::git::Git;
use crate::told;

/// How often a new version is brought to those that have walked all the way.
const BRING_EVERY: Duration = Duration::from_secs(2);
/// How often Git is asked.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// How many releases are deployed at the same step.
const AT_ONCE: usize = 40;

/// What one commit did: the pipeline, the environment and the version.
pub(crate) type Step = (usize, String, String);

pub(crate) struct Walk {
    /// How many versions each pipeline was brought.
    pub(super) brought: Vec<u64>,
    /// Those that are to be brought the next.
    idle: BTreeSet<usize>,
    /// What Flux deploys, and when it works.
    due: BTreeSet<(Instant, Step)>,
    promoted: BTreeMap<Step, u64>,
    tips: Vec<String>,
    bring: Instant,
    ask: Instant,
    chance: u64,
}

impl Walk {
    pub(super) fn new(pipelines: usize, git: &Git) -> Self {
        let tips = (0..git.repositories()).map(|repository| git.tip(repository).trim().to_owned());
        Self {
            brought: vec![0; pipelines],
            idle: (0..pipelines).collect(),
            due: BTreeSet::new(),
            promoted: BTreeMap::new(),
            tips: tips.collect(),
            bring: Instant::now(),
            ask: Instant::now(),
            chance: 1,
        }
    }

    pub(super) fn promoted(&self) -> usize {
        self.promoted.len()
    }

    /// Whether every release has walked all the way.
    pub(super) fn is_over(&self) -> bool {
        self.idle.len() == self.brought.len()
    }

    pub(super) async fn step(&mut self, cluster: &Cluster, git: &Git, there: &Replicas, more: bool) {
        if more && self.bring.elapsed() > BRING_EVERY {
            self.bring = Instant::now();
            let mut each = Vec::new();
            for pipeline in std::mem::take(&mut self.idle) {
                self.brought[pipeline] += 1;
                let version = format!("1.{}.0", self.brought[pipeline]);
                each.push((pipeline, version.clone()));
                self.deploys((pipeline, ENVIRONMENTS[0].to_owned(), version));
            }
            git.bring_each(&each);
        }
        if self.ask.elapsed() > ASK_EVERY {
            self.ask = Instant::now();
            self.look(git);
        }
        let mut working = Vec::new();
        while let Some((at, _)) = self.due.first()
            && *at <= Instant::now()
            && working.len() < AT_ONCE
        {
            working.extend(self.due.pop_first());
        }
        let mut deployed = JoinSet::new();
        for (_, (pipeline, environment, version)) in working {
            let (client, pair) = (cluster.client(), there.any().await);
            deployed.spawn(async move {
                works(&client, pipeline, &environment, &version).await;
                let body = told::event(&environment, &format!("app-{pipeline}"), &version);
                if let Some(pair) = pair {
                    // Level-based: what is not heard is seen all the same.
                    let _may_be_lost = pair.api.post(&told::flux_hook(pipeline, &environment), &body).await;
                }
                (pipeline, environment)
            });
        }
        while let Some(done) = deployed.join_next().await {
            let (pipeline, environment) = done.expect("Flux does not panic");
            if Some(environment.as_str()) == ENVIRONMENTS.last().copied() {
                self.idle.insert(pipeline);
            }
        }
    }

    /// Looks for what was promoted.
    fn look(&mut self, git: &Git) {
        for repository in 0..self.tips.len() {
            let tip = git.tip(repository).trim().to_owned();
            if tip.is_empty() || tip == self.tips[repository] {
                continue;
            }
            let log =
                git.tell(repository, &["log", "--format=%s", &format!("{}..{tip}", self.tips[repository])]);
            self.tips[repository] = tip;
            for step in log.lines().filter_map(read) {
                let before = self.promoted.entry(step.clone()).or_default();
                *before += 1;
                if *before == 1 {
                    self.deploys(step);
                }
            }
        }
    }

    /// It works a while after it is in Git.
    fn deploys(&mut self, step: Step) {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = Duration::from_millis(200 + (self.chance >> 33) % 2_000);
        self.due.insert((Instant::now() + wait, step));
    }
}

/// What the title of a commit says that gradus made.
pub(super) fn read(title: &str) -> Option<Step> {
    let (place, versions) = title.strip_prefix("Promote app-")?.split_once(": ")?;
    let (pipeline, environment) = place.split_once(" to ")?;
    let (_before, version) = versions.split_once(" → ")?;
    Some((pipeline.parse().ok()?, environment.to_owned(), version.to_owned()))
}

/// Flux applies a version, and it works.
async fn works(client: &Client, pipeline: usize, environment: &str, version: &str) {
    let path = format!("{RELEASES}/{environment}/helmreleases/app-{pipeline}");
    let merge = "application/merge-patch+json";
    let spec = json!({"spec": {"chart": {"spec": {"version": version}}}});
    let applied: Value = serde_json::from_str(&patch(client, &path, merge, &spec).await).expect("an object");
    let generation = applied["metadata"]["generation"].as_u64().expect("a generation");
    let says = json!({"status": status(pipeline, environment, version, generation, &Health::Healthy)});
    patch(client, &format!("{path}/status"), merge, &says).await;
}
