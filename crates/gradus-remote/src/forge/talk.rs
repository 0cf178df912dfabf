//! What people say at proposals, and what is said to them, in the engine's words.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::{Group, Person, ProposalNumber};
use gradus_core::pipeline::Repository;
use gradus_engine::port::forge::{AnswerTo, CommentRecord, ReviewRecord, Verdict as Said, Who};

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Account, CommentId, Verdict};
use super::sticky::is_kept_for_others;

/// So many comments are looked at: the last ones.
const MOST: usize = 500;
/// What gradus writes into what it says, for itself.
pub(super) const MARK: &str = "<!-- gradus: ";

/// The accounts that credentials are of, each asked for once.
#[derive(Default)]
pub(super) struct Ourselves(Mutex<HashMap<Whose, Option<Account>>>);

/// A repository, and the Secret with which it is reached.
type Whose = (Arc<str>, Option<Arc<str>>);

impl Ourselves {
    /// Whose credentials reach a repository; none where they are of no account.
    pub(super) async fn of(
        &self,
        api: &dyn ForgeApi,
        repository: &Repository,
    ) -> Result<Option<Account>, ForgeError> {
        let whose = (repository.url.clone(), repository.secret.clone());
        let known = self.known().get(&whose).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let account = api.whoami().await?.account;
        self.known().insert(whose, account.clone());
        Ok(account)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Whose, Option<Account>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn reviews(
    api: &dyn ForgeApi,
    number: ProposalNumber,
) -> Result<Vec<ReviewRecord>, ForgeError> {
    let mut said = Vec::new();
    for review in api.reviews(number).await? {
        let verdict = match review.verdict {
            Verdict::Approved => Said::Yes,
            Verdict::Changes => Said::No,
            Verdict::Dismissed => Said::Withdrawn,
            Verdict::Commented => continue,
        };
        // Whoever has a name that is none cannot be meant by anybody.
        let Some(by) = person(&review.by) else { continue };
        said.push(ReviewRecord { by, verdict, on: review.on, at: review.at });
    }
    Ok(said)
}

pub(super) async fn comments(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    ourselves: Option<&Account>,
) -> Result<Vec<CommentRecord>, ForgeError> {
    let mut comments = api.comments(number).await?;
    comments.drain(..comments.len().saturating_sub(MOST));
    let said = comments.into_iter().filter_map(|comment| {
        let ours = match ourselves {
            Some(account) => account.0.eq_ignore_ascii_case(&comment.by.0),
            // An app is known by what only it writes.
            None => comment.by.0.ends_with("[bot]") && comment.body.contains(MARK),
        } && !is_kept_for_others(&comment.body);
        let by = person(&comment.by)?;
        Some(CommentRecord { id: comment.id.0.into(), by, ours, body: comment.body, at: comment.at })
    });
    Ok(said.collect())
}

/// Says it. A sign that cannot be put there is no reason not to.
pub(super) async fn say(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    words: &str,
    to: Option<&AnswerTo>,
) -> Result<(), ForgeError> {
    if let Some(to) = to {
        for comment in &to.comments {
            if let Err(error) = api.react(number, &CommentId(comment.to_string()), to.yes).await {
                tracing::debug!(%error, "there is no sign at a comment");
            }
        }
    }
    api.comment(number, words).await.map(drop)
}

/// Who somebody is. Whoever cannot be asked about may nothing.
pub(super) async fn who(api: &dyn ForgeApi, person: &Person, groups: &[Group]) -> Result<Who, ForgeError> {
    let account = Account(person.as_str().into());
    let standing = match api.standing(&account).await {
        Ok(standing) => standing,
        Err(error) if matches!(error.kind(), ForgeErrorKind::Unsupported(_)) => {
            let may = Err(format!("may decide cannot be asked here: {error}"));
            return Ok(Who { aliases: Vec::new(), groups: Vec::new(), may });
        }
        Err(error) => return Err(error),
    };
    let may = standing.may_decide().map_err(str::to_owned);
    let mut is_in = Vec::new();
    if may.is_ok() {
        for group in groups {
            if api.is_member(&account, group.as_str()).await? {
                is_in.push(group.clone());
            }
        }
    }
    let aliases = standing.names.iter().filter_map(|name| Person::parse(name.trim()).ok()).collect();
    Ok(Who { aliases, groups: is_in, may })
}

fn person(account: &Account) -> Option<Person> {
    Person::parse(&account.0).ok()
}
