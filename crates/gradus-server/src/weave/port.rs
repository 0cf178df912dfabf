//! What the webhook asks of those who know the pipelines.

use std::time::Duration;

use async_trait::async_trait;
use gradus_engine::port::PortError;
use gradus_weave::kind::Pipeline;
use gradus_weave::{ObjectName, Promotion};
use jiff::Timestamp;

/// Which pipeline, with names that are safe wherever names are put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipelineName {
    /// Its namespace.
    pub namespace: ObjectName,
    /// Its name.
    pub name: ObjectName,
}

/// A change of what waits for an approval, which is made only if `before` is what waits now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The environment that it would go to.
    pub environment: String,
    /// What has to wait now; `None` for nothing.
    pub before: Option<String>,
    /// What waits afterwards; `None` for nothing.
    pub after: Option<String>,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is so now, or was so already.
    Done,
    /// Something else is there by now. Look again.
    Moved,
}

/// The pipelines of `pipelines.weave.works`, and what is done for them.
#[async_trait]
pub trait Weave: Send + Sync {
    /// The pipeline as it is now; `None` where there is none.
    async fn pipeline(&self, pipeline: &PipelineName) -> Result<Option<Pipeline>, PortError>;

    /// The key in this Secret, under [`gradus_weave::signature::FIELD`]; `None` where there is no
    /// such Secret or field. Asked by a get of the one name, so that no list has to be allowed.
    async fn secret_key(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
    ) -> Result<Option<Vec<u8>>, PortError>;

    /// Changes what waits for an approval, and nothing else of the status.
    async fn write_waiting(&self, waiting: &Waiting) -> Result<Written, PortError>;

    /// Writes the promotion, and says where the pull request is, if there is one. To do it twice is
    /// to do it once, and answers the same. What fails for good is `Denied`, `Missing` or
    /// `Unusable`; all else is tried again.
    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError>;
}

/// The time, and waiting for it.
#[async_trait]
pub trait Time: Send + Sync {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, pause: Duration);
}

/// The time of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineTime;

#[async_trait]
impl Time for MachineTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}
