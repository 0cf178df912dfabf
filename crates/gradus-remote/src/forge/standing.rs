//! What people see in a forge of how an environment stands: statuses, one comment, deployments.
//!
//! What was told is remembered, so that what is so already costs no call. After a start nothing is remembered: then
//! what is there is read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use gradus_core::names::{CommitId, ProposalNumber};
use gradus_core::tell::Light;
use gradus_engine::port::forge::{Deployed, ProposalPlace, Standing, Status, Sticky};

use super::api::ForgeApi;
use super::error::ForgeError;
use super::model::{Check, CheckState, CommentId, DeploymentId, NewCheck, NewDeployment};
use super::proposals::{Which, which};
use super::sticky;

/// So many environments are remembered.
const MOST: usize = 20_000;
/// By this the comment is found that says how a proposal stands.
const STANDING: &str = "<!-- gradus: standing ";

/// What was told of each environment.
#[derive(Default)]
pub(super) struct Standings(Mutex<HashMap<Which, Known>>);

/// What was told of one environment.
#[derive(Default, Clone)]
struct Known {
    statuses: BTreeMap<(CommitId, String), (Light, String)>,
    comment: Option<(ProposalNumber, CommentId, String)>,
    deployed: Option<(Deployed, DeploymentId)>,
}

/// One environment that is told of.
struct Telling<'a> {
    api: &'a dyn ForgeApi,
    place: &'a ProposalPlace,
    known: Known,
    /// Whether nothing was told since the start, so that what is there has to be read.
    reads: bool,
    /// What was read of commits.
    checks: BTreeMap<CommitId, Vec<Check>>,
}

impl Standings {
    /// A proposal was opened just now: nothing can have been told of it.
    pub(super) fn begun(&self, place: &ProposalPlace) {
        self.lock().entry(which(place)).or_default();
    }

    /// Tells what is new. The first failure is returned once everything was tried; what a forge does not have is
    /// handed to `lacks`, and is none.
    pub(super) async fn tell(
        &self,
        api: &dyn ForgeApi,
        place: &ProposalPlace,
        standing: &Standing,
        lacks: impl Fn(&ForgeError) -> bool,
    ) -> Result<(), ForgeError> {
        let before = self.lock().get(&which(place)).cloned();
        let reads = before.is_none();
        let mut telling =
            Telling { api, place, known: before.unwrap_or_default(), reads, checks: BTreeMap::new() };
        let mut failed = None;
        let mut note = |done: Result<(), ForgeError>| {
            if let Err(error) = done
                && !lacks(&error)
                && failed.is_none()
            {
                failed = Some(error);
            }
        };
        // Only what is wanted now is remembered.
        let wanted = |(commit, name): &(CommitId, String)| {
            standing.statuses.iter().any(|status| status.commit == *commit && status.name == *name)
        };
        telling.known.statuses.retain(|key, _| wanted(key));
        for status in &standing.statuses {
            note(telling.status(status).await);
        }
        if let Some(sticky) = &standing.comment {
            note(telling.comment(sticky).await);
        }
        if let Some(deployed) = &standing.deployed {
            note(telling.deployed(deployed).await);
        }
        let mut all = self.lock();
        if all.len() >= MOST {
            all.clear();
        }
        match failed {
            // What could not be read is read the next time.
            Some(error) if reads => Err(error),
            failed => {
                all.insert(which(place), telling.known);
                failed.map_or(Ok(()), Err)
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Which, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Telling<'_> {
    async fn status(&mut self, status: &Status) -> Result<(), ForgeError> {
        let key = (status.commit.clone(), status.name.clone());
        let says = (status.light, status.summary.clone());
        if self.known.statuses.get(&key) == Some(&says) {
            return Ok(());
        }
        let state = state(status.light);
        if self.reads && !self.checks.contains_key(&status.commit) {
            let checks = self.api.checks(&status.commit).await?;
            self.checks.insert(status.commit.clone(), checks);
        }
        let is_there = self.checks.get(&status.commit).into_iter().flatten().any(|check| {
            check.name == status.name && check.state == state && check.summary == status.summary
        });
        if !is_there {
            let (name, summary) = (status.name.clone(), status.summary.clone());
            let url = status.url.as_deref().map(str::to_owned);
            self.api.set_check(&status.commit, &NewCheck { name, state, summary, url }).await?;
        }
        self.known.statuses.insert(key, says);
        Ok(())
    }

    async fn comment(&mut self, sticky: &Sticky) -> Result<(), ForgeError> {
        let Sticky { number, mark, text } = sticky;
        let line = format!("{STANDING}{mark} -->");
        let body = format!("{text}\n{line}\n");
        let known = self.known.comment.take().filter(|(of, ..)| of == number);
        let known = match known {
            None if self.reads => {
                let ours = sticky::find(self.api, *number, |last| last.starts_with(STANDING)).await?;
                ours.map(|comment| {
                    let mark = if comment.body.contains(&line) { mark.clone() } else { String::new() };
                    (comment.id, mark)
                })
            }
            known => known.map(|(_, id, mark)| (id, mark)),
        };
        let id = match known {
            Some((id, said)) if said == *mark => id,
            Some((id, _)) => sticky::edit(self.api, *number, &id, &body).await?,
            None => self.api.comment(*number, &body).await?,
        };
        self.known.comment = Some((*number, id, mark.clone()));
        Ok(())
    }

    async fn deployed(&mut self, deployed: &Deployed) -> Result<(), ForgeError> {
        if self.known.deployed.as_ref().is_some_and(|(known, _)| known == deployed) {
            return Ok(());
        }
        let (environment, commit) = (deployed.environment.clone(), deployed.commit.clone());
        let (state, summary) = (state(deployed.light), deployed.summary.clone());
        let before = match &self.known.deployed {
            Some((known, id)) if known.commit == commit => Some(id.clone()),
            None if self.reads => match self.api.deployment(&environment, &commit).await? {
                Some((id, told)) if told == Some(state) => {
                    self.known.deployed = Some((deployed.clone(), id));
                    return Ok(());
                }
                found => found.map(|(id, _)| id),
            },
            Some(_) | None => None,
        };
        let branch = self.place.base.clone();
        let new = NewDeployment { environment, commit, branch, state, summary };
        let id = self.api.deploy(&new, before.as_ref()).await?;
        self.known.deployed = Some((deployed.clone(), id));
        Ok(())
    }
}

fn state(light: Light) -> CheckState {
    match light {
        Light::Pending => CheckState::Pending,
        Light::Good => CheckState::Passed,
        Light::Bad => CheckState::Failed,
    }
}
