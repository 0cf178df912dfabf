//! Clearing up before a pipeline is deleted.
//!
//! A finalizer keeps the object while its proposals are open, so that it does not
//! matter who leads, or whether anybody does, when somebody deletes it. It is given
//! up once the repository could not be reached for too long: a namespace must not
//! hang because a Git host is gone.

use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_engine::port::PortError;
use gradus_manifest::status::PipelineStatus;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{AGAIN, Controller};
use crate::events::News;
use crate::kinds::{Kind, object_name};
use crate::leaving;
use crate::write::{NotAllowed, Wrote};

/// How long until it is asked again for what was not allowed.
const NOT_ALLOWED: Duration = Duration::from_secs(600);

impl Controller {
    /// Sees to it that the object is kept if it may leave a proposal behind, and only then.
    pub(super) async fn bind(&self, key: &PipelineKey, object: &Value, status: &PipelineStatus) -> Wrote {
        // What one with mistakes may leave behind is not known: it stays as it is.
        let Some(pipeline) = self.parts.engine.pipeline(key) else { return Wrote::Done };
        let needed = leaving::is_needed(&pipeline, status);
        let is_allowed = self.desk().may_not.is_none_or(|since| since.elapsed() > NOT_ALLOWED);
        if needed == leaving::has_finalizer(object) || !is_allowed {
            return Wrote::Done;
        }
        self.set_finalizer(key, object, needed).await
    }

    async fn set_finalizer(&self, key: &PipelineKey, object: &Value, wanted: bool) -> Wrote {
        let finalizers = leaving::finalizers_of(object, wanted);
        let written = self.writer.finalizers(Kind::Pipeline, &object_name(key), object, &finalizers).await;
        written.unwrap_or_else(|NotAllowed| {
            let before = self.desk().may_not.replace(Instant::now());
            if before.is_none() {
                tracing::warn!(
                    pipeline = %key,
                    "the finalizers of pipelines may not be written (RBAC: patch on pipelines of gradus.dev): \
                     one that is deleted while no replica leads leaves its proposals open"
                );
            }
            // Without a finalizer there is nothing to wait for; with one there is.
            if wanted { Wrote::Done } else { Wrote::Failed }
        })
    }

    /// Closes the proposals of a pipeline that is to be deleted, and lets it go then.
    pub(super) fn clear_up(self: &Arc<Self>, key: &PipelineKey, object: Arc<Value>) {
        if !self.desk().clearing.insert(key.clone()) {
            return;
        }
        let (controller, key) = (self.clone(), key.clone());
        tokio::spawn(async move {
            if let Ok(_permit) = controller.clearing.acquire().await {
                controller.clear_up_once(&key, &object).await;
            }
            // If it is still there then, somebody else wrote at the same time, or it failed.
            sleep(AGAIN).await;
            controller.desk().clearing.remove(&key);
            controller.stale.add([key]);
        });
    }

    async fn clear_up_once(&self, key: &PipelineKey, object: &Value) {
        let left = match leaving::last_known(object) {
            Some(pipeline) => {
                let errors = self.parts.engine.retire(&pipeline).await;
                self.parts.ledger.forget(key);
                let left = errors.first().map(PortError::in_full);
                if let Some(why) = &left
                    && !self.is_too_late(object)
                {
                    tracing::warn!(pipeline = %key, why, "clearing up after a pipeline failed; it is tried again");
                    return;
                }
                left
            }
            None => Some("its repository cannot be read from its spec".to_owned()),
        };
        if let Some(why) = left {
            tracing::warn!(pipeline = %key, why, "a pipeline is deleted, and its open proposals are left");
            let note = format!("it is deleted, and its open proposals are left: {why}");
            let about = "delete".to_owned();
            self.parts.events.tell(News {
                pipeline: key.clone(),
                bad: true,
                reason: "ProposalsLeft",
                about,
                note,
            });
        }
        let _seen_again_if_not = self.set_finalizer(key, object, false).await;
    }

    /// Whether it was waited long enough since somebody wanted it deleted.
    fn is_too_late(&self, object: &Value) -> bool {
        let since = object.pointer("/metadata/deletionTimestamp").and_then(Value::as_str);
        let Some(since) = since.and_then(|since| since.parse::<Timestamp>().ok()) else { return true };
        let waited = self.parts.clock.now().duration_since(since);
        Duration::try_from(waited).is_ok_and(|waited| waited >= self.parts.clearing_up)
    }
}
