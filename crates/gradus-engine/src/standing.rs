//! What a forge is told beside proposals, where a pipeline asks for it: statuses of commits, one comment, and which
//! version is where. It is told again when it says something else, and never keeps a promotion.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::pipeline::{Environment, Mode, Pipeline};
use gradus_core::report::{EnvironmentReport, Report};
use gradus_core::tell::{Clock, Light, deployed_line, proposal_line, standing_comment, timeless};
use sha2::{Digest, Sha256};

use crate::observe::{Ground, Sight, proposals};
use crate::port::Ports;
use crate::port::forge::{Deployed, Standing, Status, Sticky};

/// What was told last of each environment.
#[derive(Default)]
pub(crate) struct Told(Mutex<BTreeMap<(PipelineKey, EnvironmentName), Standing>>);

impl Told {
    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(key, _), _| keep(key));
    }

    /// Tells what is new of each environment that wants it.
    pub(crate) async fn tell(&self, ports: &Ports, pipeline: &Pipeline, sight: &Sight, report: &Report) {
        if pipeline.mode != Mode::Active {
            return;
        }
        for environment in pipeline.environments() {
            let Some(Ground { branch: base, .. }) = sight.ground(&environment.name) else { continue };
            let Some(standing) = standing(ports, pipeline, environment, report) else { continue };
            let key = (pipeline.key.clone(), environment.name.clone());
            let is_known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) == Some(&standing);
            let Some(branch) = environment.proposal_branch(&pipeline.key).filter(|_| !is_known) else {
                continue;
            };
            let place = proposals::place(pipeline, &environment.name, base, &branch);
            match ports.forge.tell(&place, &standing).await {
                Ok(()) => {
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, standing);
                }
                Err(error) => {
                    let (pipeline, environment, error) = (&pipeline.key, &environment.name, error.in_full());
                    tracing::warn!(%pipeline, %environment, error, "the forge could not be told; it is tried again");
                }
            }
        }
    }
}

/// What is to be told of an environment; nothing where nothing is wanted or there is nothing to say.
fn standing(
    ports: &Ports,
    pipeline: &Pipeline,
    environment: &Environment,
    report: &Report,
) -> Option<Standing> {
    let policy = environment.pull_request();
    if !(policy.comment || policy.statuses || policy.deployments) {
        return None;
    }
    let here = report.environment(&environment.name)?;
    let name = format!("gradus/{}/{}", pipeline.key.name, environment.name);
    let mut standing = Standing::default();
    if policy.statuses {
        standing.statuses.extend(of_proposal(here, &name));
        standing.statuses.extend(of_base(here, &name));
    }
    if let Some(proposal) = here.proposal.as_ref().filter(|_| policy.comment)
        && let Some(stable) = standing_comment(report, here, &timeless())
    {
        let mark: String = Sha256::digest(&stable).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let now = Clock::utc(ports.clock.now());
        let text = standing_comment(report, here, &now).unwrap_or(stable);
        standing.comment = Some(Sticky { number: proposal.number, mark, text });
    }
    if policy.deployments
        && let Some((light @ (Light::Good | Light::Bad), summary)) = deployed_line(here)
        && let Some(origin) = &here.origin
    {
        let environment = format!("{}/{}", pipeline.key.name, environment.name);
        standing.deployed = Some(Deployed { environment, commit: origin.commit.clone(), light, summary });
    }
    Some(standing).filter(|standing| *standing != Standing::default())
}

/// On the head of the open proposal.
fn of_proposal(here: &EnvironmentReport, name: &str) -> Option<Status> {
    let (light, summary) = proposal_line(here)?;
    let proposal = here.proposal.as_ref()?;
    let (commit, url) = (proposal.head.clone(), proposal.url.clone());
    Some(Status { commit, name: name.to_owned(), light, summary, url })
}

/// On the commit of the base branch that is deployed there.
fn of_base(here: &EnvironmentReport, name: &str) -> Option<Status> {
    let (light, summary) = deployed_line(here)?;
    let commit = here.origin.as_ref()?.commit.clone();
    Some(Status { commit, name: name.to_owned(), light, summary, url: None })
}
