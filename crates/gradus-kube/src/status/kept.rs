//! What is kept in a status for whoever comes after a restart.

use gradus_core::names::{EnvironmentName, RequestId};
use gradus_core::observation::{Dispatched, Proof};
use gradus_core::pipeline::Pipeline;
use gradus_manifest::status::DispatchedStatus;
use gradus_manifest::versions;
use serde_json::Value;

use super::{read, release, time};
use crate::ledger::Kept;

/// What of a pipeline's status is taken up again after a restart.
pub(crate) fn kept(object: &Value, pipeline: &Pipeline) -> Kept {
    let mut kept = Kept::default();
    for here in read(object).environments {
        let Ok(name) = EnvironmentName::parse(&here.name) else { continue };
        if pipeline.environment(&name).is_none() {
            continue;
        }
        if let Some(release) = release(&here.promoted) {
            kept.promoted.insert(name.clone(), release);
        }
        let mut spans: Vec<Proof> = here
            .proven
            .iter()
            .filter_map(|span| {
                let (since, until) = (span.since.parse().ok()?, span.until.parse().ok()?);
                Some(Proof { release: release(&span.versions)?, since, until })
            })
            .collect();
        spans.sort_by_key(|span| span.since);
        let asked: Vec<Dispatched> = here.dispatched.iter().rev().filter_map(dispatched).collect();
        if !asked.is_empty() {
            kept.dispatched.insert(name.clone(), asked);
        }
        kept.proofs.insert(name, spans);
    }
    kept
}

fn dispatched(one: &DispatchedStatus) -> Option<Dispatched> {
    Some(Dispatched {
        promotion: one.promotion.as_str().into(),
        from: release(&one.from),
        to: release(&one.versions)?,
        request: one.request.as_deref().and_then(|id| RequestId::parse(id).ok()),
        at: one.at.parse().ok()?,
    })
}

pub(super) fn of_dispatched(one: &Dispatched) -> DispatchedStatus {
    DispatchedStatus {
        promotion: one.promotion.to_string(),
        from: one.from.as_ref().map(versions).unwrap_or_default(),
        versions: versions(&one.to),
        request: one.request.as_ref().map(ToString::to_string),
        at: time(one.at),
    }
}
