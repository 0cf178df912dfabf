//! What the webhook asks of the cluster. Any replica answers, whether or not it leads.

use gradus_engine::port::{PortError, PortErrorKind};
use gradus_weave::condition::time;
use gradus_weave::kind::Pipeline;
use gradus_weave::{ObjectName, Promotion, signature};
use serde_json::json;

use super::WeaveController;
use super::api::Wrote;
use super::look::recorded;
use super::status::Rule;

/// How often a write is tried that somebody else was faster with.
const TRIES: u32 = 5;

/// What became of a change of what waits for an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It is so now, or was so already.
    Done,
    /// Something else waits by now.
    Moved,
}

impl WeaveController {
    /// A pipeline as it is now; `None` where there is none.
    pub async fn pipeline(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
    ) -> Result<Option<Pipeline>, PortError> {
        self.pipelines.get(namespace.as_str(), name.as_str()).await
    }

    /// The key in a Secret, under [`signature::FIELD`]; `None` where there is no such Secret or
    /// field. Asked by a get of the one name.
    pub async fn secret_key(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
    ) -> Result<Option<Vec<u8>>, PortError> {
        match self.secrets.read(namespace.as_str(), name.as_str()).await {
            Ok(data) => Ok(data.bytes(signature::FIELD).map(<[u8]>::to_vec)),
            Err(error) if error.kind == PortErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes what waits for an approval in an environment, if `before` is what waits now, and
    /// nothing else of the status. `None` is nothing.
    pub async fn write_waiting(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
        environment: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Waited, PortError> {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let (before, after) = (some(before), some(after));
        let doing = || format!("writing what waits for an approval of pipeline {namespace}/{name}");
        for _ in 0..TRIES {
            let now = self.pipelines.get(namespace.as_str(), name.as_str()).await?;
            let Some(now) = now else { return Err(PortError::new(PortErrorKind::Missing, doing())) };
            let waits = now.waiting(environment).map(str::to_owned);
            if waits == after {
                return Ok(Waited::Done);
            }
            if waits != before {
                return Ok(Waited::Moved);
            }
            match self.pipelines.write_waiting(&now, environment, after.as_deref().unwrap_or_default()).await
            {
                Wrote::Done(_) => return Ok(Waited::Done),
                Wrote::Conflict => {}
                Wrote::Gone => return Err(PortError::new(PortErrorKind::Missing, doing())),
                Wrote::Failed(error) => return Err(error),
            }
        }
        let why = "others write to it all the time";
        Err(PortError::because(PortErrorKind::Unreachable, doing(), why))
    }

    /// Makes a promotion, and says where the pull request is, if there is one. Of a pipeline
    /// under the level-triggered rule it is written down, so that it is not made once more.
    pub async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        let Promotion { namespace, pipeline: name, .. } = promotion;
        let doing = || format!("promoting {namespace}/{name} to {}", promotion.environment.name);
        let gone = || PortError::new(PortErrorKind::Missing, doing());
        let now = self.pipelines.get(namespace, name).await?.ok_or_else(gone)?;
        let done = self.strategies.promote(&now, promotion).await?;
        match self.rule(&now) {
            Rule::Classic => {}
            Rule::Level => self.record(now, promotion, &done).await,
        }
        Ok(done)
    }

    /// Writes down that something was promoted. It was, so that a failure is none.
    async fn record(&self, mut pipeline: Pipeline, promotion: &Promotion, done: &Option<String>) {
        let recorded = recorded(promotion, Ok(done), time(self.clock.now()));
        let about = format!("{}/{}", promotion.namespace, promotion.pipeline);
        for _ in 0..TRIES {
            let environment = &promotion.environment.name;
            match self.pipelines.write_promotion(&pipeline, environment, &json!(recorded)).await {
                Wrote::Done(_) | Wrote::Gone => return,
                Wrote::Conflict => {}
                Wrote::Failed(error) => {
                    let error = error.in_full();
                    tracing::warn!(error, pipeline = about, "a promotion was made and not written down");
                    return;
                }
            }
            match self.pipelines.get(&promotion.namespace, &promotion.pipeline).await {
                Ok(Some(now)) => pipeline = now,
                Ok(None) | Err(_) => return,
            }
        }
    }
}
