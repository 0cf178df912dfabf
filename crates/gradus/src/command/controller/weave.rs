//! The webhook of `pipelines.weave.works` on the pipelines of the cluster.

mod pull_requests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::weave::{EventPoster, Waited, WeaveController};
use gradus_remote::http::{Ask, HttpClient};
use gradus_server::Metrics;
use gradus_server::weave::port::{PipelineName, Waiting, Weave, Written};
use gradus_server::weave::{BindAddress, WeaveOptions};
use gradus_weave::kind::Pipeline;
use gradus_weave::limiter::Rate;
use gradus_weave::retry::Retry;
use gradus_weave::{ObjectName, Promotion};
use jiff::SignedDuration;

pub(super) use pull_requests::InForges;

/// What an older controller took, by the same names.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct WeaveArgs {
    /// Address of the webhook of pipelines.weave.works.
    #[arg(long, value_name = "ADDR", default_value = ":8082")]
    promotion_hook_bind_address: BindAddress,
    /// So many requests may one client make within the interval.
    #[arg(long, value_name = "N", default_value_t = 20)]
    promotion_hook_rate_limit: u32,
    /// The interval, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    promotion_hook_rate_limit_interval: u32,
    /// Seconds before a promotion that failed is tried again: this to the power of the tries.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    promotion_retry_delay: u64,
    /// Most seconds before it is tried again.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    promotion_retry_max_delay: u64,
    /// How often a promotion is tried.
    #[arg(long, value_name = "N", default_value_t = 3)]
    promotion_retry_threshold: u32,
    /// Follow what runs, for pipelines of pipelines.weave.works that do not say so themselves.
    #[arg(long)]
    enable_level_triggered: bool,
    /// Where promotions of the strategy `notification` are told besides the cluster's events.
    #[arg(long, value_name = "URL")]
    events_addr: Option<String>,
}

impl WeaveArgs {
    /// How pipelines are looked after.
    pub(super) fn looking(&self, identity: &str) -> gradus_kube::weave::WeaveOptions {
        gradus_kube::weave::WeaveOptions {
            level_triggered: self.enable_level_triggered,
            events_addr: self.events_addr.clone().filter(|address| !address.is_empty()),
            identity: identity.to_owned(),
            ..gradus_kube::weave::WeaveOptions::default()
        }
    }

    /// How the webhook answers.
    pub(super) fn answering(&self, controller: Arc<WeaveController>, metrics: Arc<Metrics>) -> WeaveOptions {
        let usual = WeaveOptions::new(self.promotion_hook_bind_address, Arc::new(InCluster(controller)));
        WeaveOptions {
            rate: Rate {
                count: self.promotion_hook_rate_limit,
                within: SignedDuration::from_secs(self.promotion_hook_rate_limit_interval.into()),
            },
            retry: Retry {
                delay: self.promotion_retry_delay,
                max_delay: self.promotion_retry_max_delay,
                threshold: self.promotion_retry_threshold,
            },
            metrics,
            join_trace: Some(crate::traces::join),
            ..usual
        }
    }

    /// Where the webhook is.
    pub(super) fn address(&self) -> BindAddress {
        self.promotion_hook_bind_address
    }
}

/// The pipelines of the cluster.
struct InCluster(Arc<WeaveController>);

#[async_trait]
impl Weave for InCluster {
    async fn pipeline(&self, pipeline: &PipelineName) -> Result<Option<Pipeline>, PortError> {
        self.0.pipeline(&pipeline.namespace, &pipeline.name).await
    }

    async fn secret_key(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.0.secret_key(namespace, name).await
    }

    async fn write_waiting(&self, waiting: &Waiting) -> Result<Written, PortError> {
        let Waiting { pipeline, environment, before, after } = waiting;
        let (before, after) = (before.as_deref(), after.as_deref());
        let written = self.0.write_waiting(&pipeline.namespace, &pipeline.name, environment, before, after);
        Ok(match written.await? {
            Waited::Done => Written::Done,
            Waited::Moved => Written::Moved,
        })
    }

    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        self.0.promote(promotion).await
    }
}

/// Posts events over HTTP.
pub(super) struct HttpPoster(pub(super) HttpClient);

#[async_trait]
impl EventPoster for HttpPoster {
    async fn post(&self, address: &str, json: Vec<u8>) -> Result<u16, PortError> {
        let ask = Ask { limit: 64 * 1024, timeout: Duration::from_secs(5), ..Ask::default() };
        let answer = self.0.post_json(address, json, &ask).await;
        let failed = |error| PortError::because(PortErrorKind::Unreachable, "posting an event", error);
        Ok(answer.map_err(failed)?.status)
    }
}
