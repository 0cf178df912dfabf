//! What is wanted of a proposal beside its texts: labels, reviewers, people who are responsible, a milestone.
//!
//! Nothing of it may keep a promotion. What fails is tried again when the proposal is next looked at; what a forge
//! does not have is said once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use gradus_core::names::ProposalNumber;
use gradus_core::pipeline::Reviewer;
use gradus_engine::port::forge::{Extras, ProposalPlace};

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Account, Label, Pull, Reviewers};
use super::proposals::{Which, which};

/// So many proposals are remembered.
const MOST: usize = 20_000;

/// What was done, as far as it saves a request.
#[derive(Default)]
pub(super) struct Dressed {
    proposals: Mutex<HashMap<Which, Worn>>,
    said: Mutex<HashSet<(String, &'static str)>>,
}

/// What one proposal was given.
#[derive(Clone)]
struct Worn {
    number: ProposalNumber,
    extras: Extras,
    /// Whether all of it was done.
    whole: bool,
}

impl Dressed {
    /// Gives a proposal what is wanted of it. It costs a call for each thing that is not as it should be.
    pub(super) async fn put_on(
        &self,
        api: &dyn ForgeApi,
        place: &ProposalPlace,
        pull: &Pull,
        extras: &Extras,
    ) {
        let before = self.worn(place).filter(|worn| worn.number == pull.number);
        if before.as_ref().is_some_and(|worn| worn.whole && worn.extras == *extras) {
            return;
        }
        // What was half done is done anew; what was done whole need not be.
        let before = before.filter(|worn| worn.whole).map(|worn| worn.extras).unwrap_or_default();
        let done = [
            self.told(api, labels(api, pull, &before, extras).await),
            self.told(api, reviews(api, pull, &before, extras).await),
            self.told(api, assignees(api, pull, &before, extras).await),
            self.told(api, milestone(api, pull, &before, extras).await),
        ];
        let whole = done.into_iter().all(|done| done);
        let worn = Worn { number: pull.number, extras: extras.clone(), whole };
        let mut proposals = self.proposals.lock().unwrap_or_else(PoisonError::into_inner);
        if proposals.len() >= MOST {
            proposals.clear();
        }
        proposals.insert(which(place), worn);
    }

    /// Tries again what was left undone, if anything was.
    pub(super) async fn make_up(&self, api: &dyn ForgeApi, place: &ProposalPlace, pull: &Pull) {
        if let Some(worn) = self.worn(place).filter(|worn| !worn.whole && worn.number == pull.number) {
            self.put_on(api, place, pull, &worn.extras).await;
        }
    }

    fn worn(&self, place: &ProposalPlace) -> Option<Worn> {
        self.proposals.lock().unwrap_or_else(PoisonError::into_inner).get(&which(place)).cloned()
    }

    /// Whether it need not be tried again.
    fn told(&self, api: &dyn ForgeApi, done: Result<(), ForgeError>) -> bool {
        let Err(error) = done else { return true };
        if self.lacks(api, &error) {
            return true;
        }
        let repository = api.address();
        tracing::warn!(%repository, %error, "a proposal is not all that it should be; it is tried again");
        false
    }

    /// Whether it failed because the forge has no such thing, which is said once.
    pub(super) fn lacks(&self, api: &dyn ForgeApi, error: &ForgeError) -> bool {
        let &ForgeErrorKind::Unsupported(what) = error.kind() else { return false };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert((api.address().to_string(), what)) {
            tracing::warn!(repository = %api.address(), "this forge has no {what}; it is left out");
        }
        true
    }
}

/// Labels that people added stay; ours that are wanted no more go.
async fn labels(api: &dyn ForgeApi, pull: &Pull, before: &Extras, extras: &Extras) -> Result<(), ForgeError> {
    let wanted: BTreeSet<Label> = extras.labels.iter().map(|label| Label(label.clone())).collect();
    let is_wanted = |label: &Label| wanted.iter().any(|wanted| same(&wanted.0, &label.0));
    let was_ours = |label: &Label| before.labels.iter().any(|ours| same(ours, &label.0));
    let stays = |label: &&Label| !is_wanted(label) && !was_ours(label);
    let missing = wanted.iter().any(|label| !pull.labels.iter().any(|there| same(&there.0, &label.0)));
    let extra = pull.labels.iter().any(|label| was_ours(label) && !is_wanted(label));
    if !missing && !extra {
        return Ok(());
    }
    let all: Vec<Label> = pull.labels.iter().filter(stays).cloned().chain(wanted.iter().cloned()).collect();
    api.set_labels(pull.number, &all).await
}

/// Forges tell labels apart by more than case, or do not.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// People are asked once: who has given an answer is not asked anew by us.
async fn reviews(
    api: &dyn ForgeApi,
    pull: &Pull,
    before: &Extras,
    extras: &Extras,
) -> Result<(), ForgeError> {
    let mut asked = Reviewers::default();
    for reviewer in extras.reviewers.iter().filter(|reviewer| !before.reviewers.contains(reviewer)) {
        match reviewer {
            Reviewer::Person(name) => asked.people.push(Account(name.clone())),
            Reviewer::Team { team, .. } => asked.teams.push(team.to_string()),
        }
    }
    if asked.people.is_empty() && asked.teams.is_empty() {
        return Ok(());
    }
    match api.request_reviews(pull.number, &asked).await {
        // The people may be asked all the same.
        Err(error)
            if matches!(error.kind(), ForgeErrorKind::Unsupported(_))
                && !asked.teams.is_empty()
                && !asked.people.is_empty() =>
        {
            let people = Reviewers { people: asked.people, teams: Vec::new() };
            api.request_reviews(pull.number, &people).await.and(Err(error))
        }
        done => done,
    }
}

async fn assignees(
    api: &dyn ForgeApi,
    pull: &Pull,
    before: &Extras,
    extras: &Extras,
) -> Result<(), ForgeError> {
    if extras.assignees == before.assignees {
        return Ok(());
    }
    let people: Vec<Account> = extras.assignees.iter().cloned().map(Account).collect();
    api.set_assignees(pull.number, &people).await
}

async fn milestone(
    api: &dyn ForgeApi,
    pull: &Pull,
    before: &Extras,
    extras: &Extras,
) -> Result<(), ForgeError> {
    match &extras.milestone {
        Some(milestone) if before.milestone.as_ref() != Some(milestone) => {
            api.set_milestone(pull.number, milestone).await
        }
        Some(_) | None => Ok(()),
    }
}
