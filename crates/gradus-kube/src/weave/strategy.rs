//! How promotions are made: by a pull request, or by telling others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gradus_engine::port::{Clock, PortError, PortErrorKind};
use gradus_weave::kind::{Pipeline, PullRequest};
use gradus_weave::{Promotion, Strategy, effective, notification, promotes};
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

use super::WeaveOptions;
use super::news::Recorder;
use super::spans;

/// How long one try to send an event may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The waits between the tries.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Sends JSON to an address.
#[async_trait]
pub trait EventPoster: Send + Sync {
    /// Posts it, and gives the status of the answer.
    async fn post(&self, address: &str, json: Vec<u8>) -> Result<u16, PortError>;
}

/// Makes pull requests.
#[async_trait]
pub trait PullRequests: Send + Sync {
    /// Why none can be made there, and what to do instead; `None` where they can.
    fn refuses(&self, there: &PullRequest) -> Option<String>;

    /// Makes the pull request, or finds the one that is there, and says where it is; `None` where
    /// there is nothing to change. To do it twice is to do it once.
    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError>;
}

/// Makes no pull requests, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPullRequests;

#[async_trait]
impl PullRequests for NoPullRequests {
    fn refuses(&self, there: &PullRequest) -> Option<String> {
        let host = if there.provider.is_empty() { "any host" } else { &there.provider };
        Some(format!(
            "pull requests on {host} are not there yet: use the strategy `notification`, or turn the \
             pipeline into one of gradus.dev with `gradus migrate`"
        ))
    }

    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        let why = match &promotion.strategy {
            Strategy::PullRequest(there) => self.refuses(there).unwrap_or_default(),
            Strategy::Notification => "a notification is no pull request".to_owned(),
        };
        let Promotion { namespace, pipeline, environment, .. } = promotion;
        let doing = format!("promoting {namespace}/{pipeline} to {}", environment.name);
        Err(PortError::because(PortErrorKind::Unusable, doing, why))
    }
}

/// All ways to promote.
pub(super) struct Strategies {
    poster: Arc<dyn EventPoster>,
    pull_requests: Arc<dyn PullRequests>,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    address: Option<String>,
    instance: String,
}

impl Strategies {
    pub(super) fn new(
        poster: Arc<dyn EventPoster>,
        pull_requests: Arc<dyn PullRequests>,
        recorder: Recorder,
        clock: Arc<dyn Clock>,
        options: &WeaveOptions,
    ) -> Self {
        let address = options.events_addr.clone().filter(|address| !address.is_empty());
        Self { poster, pull_requests, recorder, clock, address, instance: options.identity.clone() }
    }

    /// Why an environment of the pipeline cannot be promoted to as the pipeline says.
    pub(super) fn refuses(&self, pipeline: &Pipeline) -> Option<String> {
        let others = pipeline.spec.environments.iter().skip(1);
        others.into_iter().find_map(|environment| {
            let why = self.refuses_to(pipeline, &environment.name)?;
            Some(format!("Environment '{}' is promoted to by a pull request: {why}", environment.name))
        })
    }

    /// Why this environment cannot be promoted to as the pipeline says.
    pub(super) fn refuses_to(&self, pipeline: &Pipeline, environment: &str) -> Option<String> {
        match promotes(effective(pipeline, environment)?)? {
            Strategy::PullRequest(there) => self.pull_requests.refuses(&there),
            Strategy::Notification => None,
        }
    }

    /// Makes a promotion of a pipeline that was read just now, and says where the pull request is.
    pub(super) async fn promote(
        &self,
        pipeline: &Pipeline,
        promotion: &Promotion,
    ) -> Result<Option<String>, PortError> {
        let span = spans::promotion(promotion);
        let done = self.promoted(pipeline, promotion).instrument(span.clone()).await;
        spans::promoted(&span, done.is_ok());
        done
    }

    async fn promoted(
        &self,
        pipeline: &Pipeline,
        promotion: &Promotion,
    ) -> Result<Option<String>, PortError> {
        match &promotion.strategy {
            Strategy::PullRequest(_) => self.pull_requests.promote(promotion).await,
            Strategy::Notification => {
                self.recorder.promote(pipeline, promotion).await?;
                self.post(pipeline, promotion);
                Ok(None)
            }
        }
    }

    /// Sends the event where the options say. Nobody waits for it, and who does not
    /// take it keeps nobody from promoting.
    fn post(&self, pipeline: &Pipeline, promotion: &Promotion) {
        let Some(address) = self.address.clone() else { return };
        let event = notification::event(pipeline, promotion, &self.instance, self.clock.now());
        let Ok(json) = serde_json::to_vec(&event) else { return };
        let poster = self.poster.clone();
        let about = format!("{}/{}", promotion.namespace, promotion.pipeline);
        tokio::spawn(async move {
            if let Err(error) = send(poster.as_ref(), &address, &json).await {
                tracing::warn!(error, pipeline = about, "the promotion was not told at the events address");
            }
        });
    }
}

/// Sends until it is taken, or until its sender is told that there is too much.
async fn send(poster: &dyn EventPoster, address: &str, json: &[u8]) -> Result<(), String> {
    let mut why = String::new();
    for pause in PAUSES {
        sleep(pause).await;
        match timeout(PATIENCE, poster.post(address, json.to_vec())).await {
            Ok(Ok(202 | 429)) => return Ok(()),
            Ok(Ok(status)) => why = format!("it answered {status}"),
            Ok(Err(error)) => why = error.in_full(),
            Err(_) => why = "it takes too long".to_owned(),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use gradus_engine::port::{PortError, PortErrorKind};
    use tokio::time::Instant;

    use super::{EventPoster, PATIENCE, send};

    /// Answers one thing after the other, and keeps what it got and when.
    struct Answers {
        left: Mutex<Vec<Option<u16>>>,
        got: Mutex<Vec<Instant>>,
    }

    #[async_trait]
    impl EventPoster for Answers {
        async fn post(&self, _: &str, _: Vec<u8>) -> Result<u16, PortError> {
            self.got.lock().unwrap().push(Instant::now());
            let next = self.left.lock().unwrap().pop();
            match next {
                Some(Some(0)) => Err(PortError::new(PortErrorKind::Unreachable, "posting")),
                Some(Some(status)) => Ok(status),
                Some(None) => std::future::pending().await,
                None => Ok(500),
            }
        }
    }

    /// What came of these answers, and after how many seconds each try was made.
    async fn sent(answers: &[Option<u16>]) -> (Result<(), String>, Vec<u64>) {
        let left = Mutex::new(answers.iter().rev().copied().collect());
        let poster = Answers { left, got: Mutex::default() };
        let begun = Instant::now();
        let done = send(&poster, "http://events", b"{}").await;
        let got = poster.got.lock().unwrap().iter().map(|at| (*at - begun).as_secs()).collect();
        (done, got)
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_sent_until_it_is_taken() {
        assert_eq!(sent(&[Some(202)]).await, (Ok(()), vec![0]));
        assert_eq!(sent(&[Some(429)]).await, (Ok(()), vec![0]), "who has too much is left alone");
        assert_eq!(sent(&[Some(200), Some(0), Some(202)]).await, (Ok(()), vec![0, 1, 3]));
        let patience = PATIENCE.as_secs();
        assert_eq!(sent(&[None, Some(202)]).await, (Ok(()), vec![0, patience + 1]));
        let (done, tries) = sent(&[Some(500), Some(502), Some(404), Some(503), Some(202)]).await;
        assert_eq!(done.unwrap_err(), "it answered 503");
        assert_eq!(tries, [0, 1, 3, 7]);
    }
}
