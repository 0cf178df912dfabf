//! The record on the wire.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use gradus_core::observation::CheckResult;
use gradus_engine::port::ledger::{Action, Entry, HistoryQuery, Recorded, Reported, Wrote as CoreWrote};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::check::Outcome;
use super::error::ErrorBody;
use super::release::Release;
use super::report::State;
use super::step::Request;
use super::time::Time;
use crate::api::{self, ApiError, At, Params};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// A part of the record, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// One page of it.
    pub items: Vec<HistoryEntry>,
    /// What to give as `before` to get the next, older page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One thing that was said, seen or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its place in the record.
    pub id: u64,
    /// When it was recorded.
    pub recorded_at: Time,
    /// The environment; absent where it is about the whole pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: HistoryEvent,
}

/// What was said, seen or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum HistoryEvent {
    /// A target's state was reported.
    Report {
        /// Which target.
        target: String,
        /// What was reported.
        state: State,
        /// Of which release; after a rollback the one that runs now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// By whom.
        by: String,
        /// When it was so, by the reporter's word.
        at: Time,
    },
    /// A person said yes.
    Approval {
        /// To what.
        release: Release,
        /// Who.
        by: String,
        /// The groups they were in.
        groups: Vec<String>,
        /// When.
        at: Time,
    },
    /// A person asked for something by name.
    Request {
        /// What.
        request: Request,
    },
    /// A check was reported.
    Check {
        /// Which check.
        check: String,
        /// Of which release.
        release: Release,
        /// What came out.
        result: Outcome,
        /// More.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// By whom.
        by: String,
        /// When.
        at: Time,
    },
    /// An environment was seen healthy.
    Healthy {
        /// At what.
        release: Release,
        /// From when.
        since: Time,
        /// The last time it was seen to be so.
        until: Time,
    },
    /// The verdict of an environment changed.
    Verdict {
        /// The one word.
        verdict: String,
        /// At what.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        /// Why, in words.
        detail: String,
        /// When it was seen.
        at: Time,
    },
    /// A version was seen in the first environment.
    Seen {
        /// Of which artifact.
        artifact: String,
        /// Which.
        version: String,
        /// When.
        at: Time,
    },
    /// Something was written to Git or to the forge.
    Wrote(Wrote),
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wrote {
    /// What was done.
    pub action: WroteAction,
    /// What the environment had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Release>,
    /// What it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Release>,
    /// The commit.
    pub commit: String,
    /// The proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<u64>,
    /// The hash that names the promotion, as in the commit's trailer.
    pub promotion: String,
    /// Who asked for it by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Who approved.
    pub approved_by: Vec<String>,
    /// Why, in words.
    pub detail: String,
    /// When.
    pub at: Time,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WroteAction {
    /// A commit on the branch itself.
    Pushed,
    /// A proposal was opened.
    Proposed,
    /// A proposal was changed.
    Updated,
    /// A proposal was merged.
    Merged,
    /// A proposal was closed.
    Closed,
    /// Somebody else's automation was asked for it.
    Dispatched,
}

impl From<Action> for WroteAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Pushed => Self::Pushed,
            Action::Proposed => Self::Proposed,
            Action::Updated => Self::Updated,
            Action::Merged => Self::Merged,
            Action::Closed => Self::Closed,
            Action::Dispatched => Self::Dispatched,
        }
    }
}

impl From<&Recorded> for HistoryEntry {
    fn from(recorded: &Recorded) -> Self {
        let (environment, event) = event(&recorded.entry);
        Self { id: recorded.id, recorded_at: Time(recorded.at), environment, event }
    }
}

fn event(entry: &Entry) -> (Option<String>, HistoryEvent) {
    let named = |name: &gradus_core::names::EnvironmentName| Some(name.to_string());
    match entry {
        Entry::Report { environment, target, reported, by, at } => {
            let (state, release, message) = reported_parts(reported);
            let (target, by, at) = (target.to_string(), by.to_string(), Time(*at));
            (named(environment), HistoryEvent::Report { target, state, release, message, by, at })
        }
        Entry::Approval { environment, approval } => {
            let event = HistoryEvent::Approval {
                release: (&approval.release).into(),
                by: approval.by.to_string(),
                groups: approval.groups.iter().map(ToString::to_string).collect(),
                at: Time(approval.at),
            };
            (named(environment), event)
        }
        Entry::Request { environment, request } => {
            (named(environment), HistoryEvent::Request { request: request.into() })
        }
        Entry::Check { environment, fact } => {
            let event = HistoryEvent::Check {
                check: fact.check.to_string(),
                release: (&fact.release).into(),
                result: match fact.result {
                    CheckResult::Passed => Outcome::Passed,
                    CheckResult::Failed => Outcome::Failed,
                    CheckResult::Pending => Outcome::Pending,
                },
                detail: fact.detail.as_ref().map(ToString::to_string),
                by: fact.reporter.to_string(),
                at: Time(fact.at),
            };
            (named(environment), event)
        }
        Entry::Healthy { environment, proof } => {
            let (since, until) = (Time(proof.since), Time(proof.until));
            (named(environment), HistoryEvent::Healthy { release: (&proof.release).into(), since, until })
        }
        Entry::Verdict { environment, verdict, release, detail, at } => {
            let event = HistoryEvent::Verdict {
                verdict: verdict.clone(),
                release: release.as_ref().map(Release::from),
                detail: detail.clone(),
                at: Time(*at),
            };
            (named(environment), event)
        }
        Entry::Seen { artifact, version, at } => {
            let (artifact, version) = (artifact.to_string(), version.to_string());
            (None, HistoryEvent::Seen { artifact, version, at: Time(*at) })
        }
        Entry::Wrote(wrote) => (named(&wrote.environment), HistoryEvent::Wrote(wrote.into())),
    }
}

fn reported_parts(reported: &Reported) -> (State, Option<Release>, Option<String>) {
    match reported {
        Reported::NotDeployed => (State::NotDeployed, None, None),
        Reported::Deploying { release } => (State::Deploying, release.as_ref().map(Release::from), None),
        Reported::Healthy { release } => (State::Healthy, Some(release.into()), None),
        Reported::Failed { release, why } => {
            (State::Failed, release.as_ref().map(Release::from), Some(why.to_string()))
        }
        Reported::RolledBack { to } => (State::RolledBack, Some(to.into()), None),
    }
}

impl From<&CoreWrote> for Wrote {
    fn from(wrote: &CoreWrote) -> Self {
        Self {
            action: wrote.action.into(),
            from: wrote.from.as_ref().map(Release::from),
            to: wrote.to.as_ref().map(Release::from),
            commit: wrote.commit.to_string(),
            proposal: wrote.proposal.map(|number| number.0),
            promotion: wrote.promotion.clone(),
            asked_by: wrote.asked_by.as_ref().map(ToString::to_string),
            approved_by: wrote.approved_by.iter().map(ToString::to_string).collect(),
            detail: wrote.detail.clone(),
            at: Time(wrote.at),
        }
    }
}

/// So many entries are on a page if nothing else is asked for.
const PAGE: usize = 50;
/// So many are on a page at most.
const LONGEST_PAGE: usize = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// Only this environment.
    environment: Option<String>,
    /// Only entries before this one: what the page before gave as `next`.
    before: Option<u64>,
    /// At most this many; 50 when absent, 500 at most.
    limit: Option<usize>,
    /// Also what was seen, and not only what was written, approved and asked for.
    all: Option<bool>,
}

/// The record of a pipeline: who did what, when and why.
#[utoipa::path(get, path = "/api/v1/pipelines/{namespace}/{name}/history", tag = "pipelines", operation_id = "getHistory",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline"), HistoryParams), security(("token" = [])),
    responses(
        (status = 200, description = "One page of the record, newest first", body = History),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn get(
    Shared(app): Shared<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    Params(params): Params<HistoryParams>,
) -> Result<Json<History>, ApiError> {
    caller.may(Deed::Read)?;
    let limit = params.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let environment =
        params.environment.as_deref().map(|name| api::environment(&pipeline, name)).transpose()?;
    let query = HistoryQuery {
        environment,
        deeds_only: !params.all.unwrap_or(false),
        before: params.before,
        limit: limit + 1,
    };
    let found = app.engine.ports().ledger.history(&pipeline.key, &query).await?;
    let more = found.len() > limit;
    let items: Vec<HistoryEntry> = found.iter().take(limit).map(HistoryEntry::from).collect();
    let next = items.last().filter(|_| more).map(|last| last.id);
    Ok(Json(History { items, next }))
}
