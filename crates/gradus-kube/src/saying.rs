//! What people said, understood and answered: a promotion or a yes is recorded
//! with what it means when it is first seen, and each object is told what became
//! of it.

use std::sync::Arc;

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::release::Release;
use gradus_engine::{AskedFor, Engine, Looked};
use gradus_manifest::status::{
    ApprovalStatus, CheckStatus, HoldStatus, PromotionStatus, Recorded, State, Taken, Versions,
};
use gradus_manifest::{approval_from_json, promotion_from_json, versions};
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
        if let Some(status) = status {
            failed |= write(writer, *kind, name, &object, status).await;
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
    if let Some(looked) = engine.latest(key) {
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
    let status = match engine.request(key, asked).await {
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

async fn record_approval(engine: &Engine, key: &PipelineKey, object: &Value) -> Option<Value> {
    let read = approval_from_json(object).ok()?;
    let status = match engine.meant(key, &read.value.environment, None).await {
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
        let Some((state, message)) =
            outcome(looked, &read.value.environment, &recorded.release, recorded.from_commit.as_ref())
        else {
            continue;
        };
        let status = PromotionStatus { state: Some(state), message: Some(message), ..before };
        failed |= write(writer, Kind::Promotion, &name, &object, value(&status)).await;
    }
    failed
}

fn outcome(
    looked: &Looked,
    environment: &EnvironmentName,
    release: &Release,
    from: Option<&gradus_core::names::CommitId>,
) -> Option<(State, String)> {
    let here = looked.report.environment(environment)?;
    let origin = here.origin.as_ref()?;
    let declared = here.declared.known()?.as_ref()?;
    if Some(&origin.commit) == from {
        return None;
    }
    if declared.covers(release) {
        return Some((
            State::Done,
            format!("{environment} has {release} since commit {}", origin.commit.short()),
        ));
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
