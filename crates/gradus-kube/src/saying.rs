//! What people said, understood and answered: a promotion or a yes is recorded
//! with what it means when it is first seen, and each object is told what became
//! of it.

use std::sync::Arc;

use gradus_core::names::{CommitId, EnvironmentName, Person, PipelineKey};
use gradus_core::reason::Reason;
use gradus_core::release::Release;
use gradus_engine::{AskedFor, Engine, Looked};
use gradus_manifest::status::{
    ApprovalStatus, CheckStatus, HoldStatus, PromotionStatus, Recorded, State, Taken, Versions,
};
use gradus_manifest::{approval_from_json, promotion_from_json, versions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::intake::{Intake, Loaded, words};
use crate::kinds::Kind;
use crate::watch::ObjectName;
use crate::write::{Writer, Wrote};

/// So many promotions of a pipeline that are over are kept as a record.
const RECORD: usize = 20;

/// Answers everything that was said of a pipeline. Whether something could not be written.
pub(crate) async fn answer(
    intake: &Intake,
    engine: &Engine,
    writer: &Writer,
    key: &PipelineKey,
    loaded: &Loaded,
) -> bool {
    let mut failed = false;
    for (kind, name) in &loaded.unrecorded {
        let Some(object) = intake.object(*kind, name) else { continue };
        let status = match kind {
            Kind::Promotion => record_promotion(engine, key, name, &object).await,
            Kind::Approval => record_approval(engine, key, &object).await,
            Kind::Pipeline | Kind::Hold | Kind::Check => None,
        };
        match status {
            Some(status) => failed |= write(writer, *kind, name, &object, status).await,
            None => failed = true,
        }
    }
    for ((kind, name), why) in &loaded.refused {
        let Some(object) = intake.object(*kind, name) else { continue };
        let status = match kind {
            Kind::Promotion => value(&PromotionStatus {
                state: Some(State::Refused),
                message: Some(why.clone()),
                recorded: None,
            }),
            Kind::Approval => value(&ApprovalStatus {
                state: Some(Taken::Refused),
                message: Some(why.clone()),
                versions: Versions::default(),
            }),
            Kind::Check => value(&CheckStatus { state: Some(Taken::Refused), message: Some(why.clone()) }),
            Kind::Pipeline | Kind::Hold => continue,
        };
        failed |= write(writer, *kind, name, &object, status).await;
    }
    failed |= taken(intake, writer, key, loaded).await;
    // A look that did not know yet what was said cannot tell what became of it.
    if let Some(looked) = engine.latest(key).filter(|looked| looked.at >= loaded.heard) {
        failed |= outcomes(intake, writer, key, &looked).await;
    }
    clear_up(intake, writer, key).await;
    failed
}

async fn record_promotion(
    engine: &Engine,
    key: &PipelineKey,
    name: &ObjectName,
    object: &Value,
) -> Option<Value> {
    let read = promotion_from_json(object).ok()?;
    let uid = &read.meta.uid;
    let asked = AskedFor {
        environment: read.value.environment.clone(),
        version: read.value.wanted.as_ref().map(gradus_manifest::Named::text),
        kind: read.value.kind,
        by: read.value.by.clone(),
        reason: read.value.reason.clone(),
    };
    let asked = engine.request(key, asked).await;
    // What was not seen may be what is meant, or what was there: nothing is settled on that.
    if asked.as_ref().map_or(true, |request| request.from.is_none()) && !sees(engine, key).await {
        return None;
    }
    let status = match asked {
        Ok(request) => PromotionStatus {
            state: Some(State::Open),
            message: None,
            recorded: Some(Recorded {
                // Two objects that ask for the same are two requests.
                id: format!("{}.{}", name.name, uid.get(..8).unwrap_or(uid)),
                versions: versions(&request.release),
                from: request.from.as_ref().map(versions).unwrap_or_default(),
                from_commit: request.from_commit.map(|commit| commit.to_string()),
            }),
        },
        Err(error) => {
            PromotionStatus { state: Some(State::Refused), message: Some(error.to_string()), recorded: None }
        }
    };
    Some(value(&status))
}

/// Whether it is seen what Git has for each environment.
async fn sees(engine: &Engine, key: &PipelineKey) -> bool {
    let Some(pipeline) = engine.pipeline(key) else { return false };
    let (looked, _) = engine.look(&pipeline).await;
    looked.report.environments.iter().all(|here| here.declared.known().is_some())
}

async fn record_approval(engine: &Engine, key: &PipelineKey, object: &Value) -> Option<Value> {
    let read = approval_from_json(object).ok()?;
    let meant = engine.meant(key, &read.value.environment, None).await;
    if meant.is_err() && !sees(engine, key).await {
        return None;
    }
    let status = match meant {
        Ok(release) => {
            ApprovalStatus { state: Some(Taken::Taken), message: None, versions: versions(&release) }
        }
        Err(error) => ApprovalStatus {
            state: Some(Taken::Refused),
            message: Some(error.to_string()),
            versions: Versions::default(),
        },
    };
    Some(value(&status))
}

/// Tells approvals, checks and holds that they count.
async fn taken(intake: &Intake, writer: &Writer, key: &PipelineKey, loaded: &Loaded) -> bool {
    let mut failed = false;
    for kind in [Kind::Approval, Kind::Check, Kind::Hold] {
        for (name, object) in intake.objects(key, kind) {
            let place = (kind, name.clone());
            let is_told = object.pointer("/status/state").is_some();
            if loaded.refused.contains_key(&place) || loaded.unrecorded.contains(&place) {
                continue;
            }
            let status = match kind {
                Kind::Approval if !is_told => {
                    let read = approval_from_json(&object).ok();
                    let engine = read.and_then(|read| Some((read.value.wanted?, intake.pipeline(key)?)));
                    let release = engine.and_then(|(wanted, pipeline)| wanted.release(&pipeline).ok());
                    let versions = release.as_ref().map(versions).unwrap_or_default();
                    value(&ApprovalStatus { state: Some(Taken::Taken), message: None, versions })
                }
                Kind::Check if !is_told => value(&CheckStatus { state: Some(Taken::Taken), message: None }),
                Kind::Hold => {
                    let observed_generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
                    let wrong = gradus_manifest::hold_from_json(&object).err();
                    let state = if wrong.is_some() { Taken::Refused } else { Taken::Taken };
                    let message = wrong.as_deref().map(words);
                    value(&HoldStatus { observed_generation, state: Some(state), message })
                }
                Kind::Approval | Kind::Check | Kind::Promotion | Kind::Pipeline => continue,
            };
            failed |= write(writer, kind, &name, &object, status).await;
        }
    }
    failed
}

/// Tells promotions what became of them.
async fn outcomes(intake: &Intake, writer: &Writer, key: &PipelineKey, looked: &Looked) -> bool {
    let mut failed = false;
    for (name, object) in intake.objects(key, Kind::Promotion) {
        let Ok(before) = PromotionStatus::deserialize(object.get("status").unwrap_or(&Value::Null)) else {
            continue;
        };
        if before.state != Some(State::Open) {
            continue;
        }
        let Ok(read) = promotion_from_json(&object) else { continue };
        let Some(recorded) = read.value.recorded else { continue };
        let asked = Asked {
            environment: &read.value.environment,
            by: &read.value.by,
            at: read.meta.created,
            release: &recorded.release,
            from: recorded.from_commit.as_ref(),
        };
        let Some((state, message)) = outcome(looked, &asked) else { continue };
        let status = PromotionStatus { state: Some(state), message: Some(message), ..before };
        failed |= write(writer, Kind::Promotion, &name, &object, value(&status)).await;
    }
    failed
}

/// What was asked for, as it was recorded.
struct Asked<'a> {
    environment: &'a EnvironmentName,
    by: &'a Person,
    at: Option<Timestamp>,
    release: &'a Release,
    from: Option<&'a CommitId>,
}

fn outcome(looked: &Looked, asked: &Asked<'_>) -> Option<(State, String)> {
    let (environment, wanted) = (asked.environment, asked.release);
    let here = looked.report.environment(environment)?;
    let refused = here.reasons.iter().chain(&here.notes).find_map(|reason| {
        let Reason::RequestRefused { by, release, why, since } = reason else { return None };
        let is_this = by == asked.by && release == wanted && Some(*since) == asked.at;
        is_this.then(|| why.to_string())
    });
    if let Some(why) = refused {
        return Some((State::Refused, why));
    }
    let origin = here.origin.as_ref()?;
    let declared = here.declared.known()?.as_ref()?;
    if Some(&origin.commit) == asked.from {
        return None;
    }
    if declared.covers(wanted) {
        let since = origin.commit.short();
        return Some((State::Done, format!("{environment} has {wanted} since commit {since}")));
    }
    let why =
        format!("{environment} has {declared} now, which it had not when this was asked for: ask again");
    Some((State::Refused, why))
}

/// Deletes the oldest promotions that are over.
async fn clear_up(intake: &Intake, writer: &Writer, key: &PipelineKey) {
    let mut over: Vec<(String, ObjectName, Arc<Value>)> = intake
        .objects(key, Kind::Promotion)
        .into_iter()
        .filter(|(_, object)| crate::status::is_final(object))
        .map(|(name, object)| {
            let made =
                object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or_default();
            (made.to_owned(), name, object)
        })
        .collect();
    over.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let excess = over.len().saturating_sub(RECORD);
    for (_, name, object) in over.into_iter().take(excess) {
        writer.delete(Kind::Promotion, &name, &object).await;
    }
}

/// Writes a status if it says something new. Whether that failed.
async fn write(writer: &Writer, kind: Kind, name: &ObjectName, object: &Value, status: Value) -> bool {
    let before = object.get("status").cloned().unwrap_or_else(|| json!({}));
    if before == status {
        return false;
    }
    match writer.status(kind, name, object, status).await {
        Wrote::Done => false,
        Wrote::Failed => true,
    }
}

fn value(status: &impl Serialize) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}
