//! What was said in a cluster, from the objects that are still there.

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::{CheckResult, RequestKind};
use gradus_core::pipeline::Pipeline;
use gradus_kube::Kind;
use gradus_manifest::status::Versions;
use gradus_manifest::{Named, approval_from_json, check_from_json, promotion_from_json, versions};
use gradus_server::api::v1;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::super::HistoryAsk;
use super::ClusterSource;
use super::shape::{self, Shown};
use crate::error::CliError;

/// What is meant where nothing is named and nothing was recorded.
const NEXT: &str = "what was next";
const BEFORE: &str = "what was there before";

/// Something that was said with an object, and what became of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SaidObject {
    /// The object's name.
    pub(crate) name: String,
    /// Of which pipeline, as `namespace/name`.
    pub(crate) pipeline: String,
    /// In which environment.
    pub(crate) environment: String,
    /// Which release, as people read it; what is next when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<String>,
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: v1::Time,
    /// What became of it; absent where that is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl ClusterSource {
    /// The objects of a kind by which somebody said something, newest first.
    pub(crate) async fn said(&self, kind: Kind) -> Result<Vec<SaidObject>, CliError> {
        let mut all: Vec<SaidObject> = self.list(kind).await?.iter().filter_map(said).collect();
        all.sort_by(|a, b| (b.at, &a.name).cmp(&(a.at, &b.name)));
        Ok(all)
    }

    pub(super) async fn record(
        &self,
        shown: &Shown,
        environment: Option<&EnvironmentName>,
        ask: &HistoryAsk,
    ) -> Result<v1::History, CliError> {
        let mut entries: Vec<(Timestamp, String, v1::HistoryEvent)> = Vec::new();
        let kinds: &[Kind] = if ask.all {
            &[Kind::Approval, Kind::Promotion, Kind::Check]
        } else {
            &[Kind::Approval, Kind::Promotion]
        };
        for kind in kinds {
            let objects = self.list(*kind).await?;
            entries.extend(
                objects.iter().filter_map(|object| entry(*kind, object, &shown.key, shown.spec.as_deref())),
            );
        }
        if ask.all {
            entries.extend(spans(shown));
        }
        entries.retain(|(_, place, _)| environment.is_none_or(|wanted| wanted.as_str() == place));
        entries.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
        let count = u64::try_from(entries.len()).unwrap_or_default();
        let numbered = entries.into_iter().zip((1..=count).rev());
        let mut items: Vec<v1::HistoryEntry> = numbered
            .map(|((at, environment, event), id)| v1::HistoryEntry {
                id,
                recorded_at: v1::Time(at),
                environment: Some(environment),
                event,
            })
            .collect();
        let more = items.len() > ask.limit;
        items.truncate(ask.limit);
        let next = items.last().filter(|_| more).map(|last| last.id);
        Ok(v1::History { items, next })
    }
}

fn said(object: &Value) -> Option<SaidObject> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let named = |pointer: &str| {
        let versions: Versions = serde_json::from_value(object.pointer(pointer)?.clone()).ok()?;
        shape::release(&versions).map(|release| release.to_string())
    };
    let recorded = || named("/status/recorded/versions").or_else(|| named("/status/versions"));
    Some(SaidObject {
        name: text("/metadata/name")?,
        pipeline: format!("{}/{}", text("/metadata/namespace")?, text("/spec/pipeline")?),
        environment: text("/spec/environment")?,
        release: text("/spec/version").or_else(|| named("/spec/versions")).or_else(recorded),
        by: text("/spec/by")?,
        at: v1::Time(text("/metadata/creationTimestamp")?.parse().ok()?),
        state: text("/status/state"),
        message: text("/status/message").or_else(|| text("/spec/reason")),
    })
}

/// An entry of the record, if the object is about this pipeline and can be read.
fn entry(
    kind: Kind,
    object: &Value,
    key: &PipelineKey,
    pipeline: Option<&Pipeline>,
) -> Option<(Timestamp, String, v1::HistoryEvent)> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let place = (text("/metadata/namespace")?, text("/spec/pipeline")?);
    if place != (key.namespace.as_str(), key.name.as_str()) {
        return None;
    }
    match kind {
        Kind::Approval => {
            let read = approval_from_json(object).ok()?;
            let (at, said) = (read.meta.created?, read.value);
            let recorded = said.recorded.as_ref().map(versions);
            let event = v1::HistoryEvent::Approval {
                release: meant(recorded.as_ref(), said.wanted.as_ref(), pipeline, NEXT),
                by: said.by.to_string(),
                groups: said.groups.iter().map(ToString::to_string).collect(),
                at: v1::Time(at),
            };
            Some((at, said.environment.to_string(), event))
        }
        Kind::Promotion => {
            let read = promotion_from_json(object).ok()?;
            let (at, said) = (read.meta.created?, read.value);
            let recorded = said.recorded.as_ref().map(|recorded| versions(&recorded.release));
            let unnamed = if said.kind == RequestKind::Rollback { BEFORE } else { NEXT };
            let request = v1::Request {
                id: read.meta.name.to_string(),
                kind: match said.kind {
                    RequestKind::Promote => v1::RequestKind::Promote,
                    RequestKind::Override => v1::RequestKind::Override,
                    RequestKind::Rollback => v1::RequestKind::Rollback,
                    RequestKind::Emergency => v1::RequestKind::Emergency,
                },
                release: meant(recorded.as_ref(), said.wanted.as_ref(), pipeline, unnamed),
                by: said.by.to_string(),
                at: v1::Time(at),
                reason: said.reason.as_deref().map(str::to_owned),
            };
            Some((at, said.environment.to_string(), v1::HistoryEvent::Request { request }))
        }
        Kind::Check => {
            let read = check_from_json(object).ok()?;
            let said = read.value;
            let at = said.at.or(read.meta.created)?;
            let event = v1::HistoryEvent::Check {
                check: said.check.to_string(),
                release: meant(None, Some(&said.about), pipeline, NEXT),
                result: match said.result {
                    CheckResult::Passed => v1::Outcome::Passed,
                    CheckResult::Failed => v1::Outcome::Failed,
                    CheckResult::Pending => v1::Outcome::Pending,
                },
                detail: said.detail.as_deref().map(str::to_owned),
                by: said.reporter.to_string(),
                at: v1::Time(at),
            };
            Some((at, said.environment.to_string(), event))
        }
        Kind::Pipeline | Kind::Hold => None,
    }
}

/// What was recorded as meant, else what was named.
fn meant(
    recorded: Option<&Versions>,
    named: Option<&Named>,
    pipeline: Option<&Pipeline>,
    unnamed: &str,
) -> v1::Release {
    let resolved = || Some(versions(&named?.release(pipeline?).ok()?));
    let found = recorded.cloned().or_else(resolved).unwrap_or_default();
    let text = || named.map_or_else(|| unnamed.to_owned(), Named::text);
    shape::release(&found).unwrap_or_else(|| v1::Release { version: Some(text()), versions: found })
}

/// The spans in which an environment ran something well.
fn spans(shown: &Shown) -> Vec<(Timestamp, String, v1::HistoryEvent)> {
    let of = |here: &gradus_manifest::status::EnvironmentStatus| {
        let name = here.name.clone();
        let spans = here.proven.iter().filter_map(move |span| {
            let (since, until): (Timestamp, Timestamp) = (span.since.parse().ok()?, span.until.parse().ok()?);
            let release = shape::release(&span.versions)?;
            let event = v1::HistoryEvent::Healthy { release, since: v1::Time(since), until: v1::Time(until) };
            Some((since, name.clone(), event))
        });
        spans.collect::<Vec<_>>()
    };
    shown.status.environments.iter().flat_map(of).collect()
}
