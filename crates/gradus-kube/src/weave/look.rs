//! One look at one pipeline: what is seen, what follows, what is done about it.

use std::time::Duration;

use gradus_engine::port::PortError;
use gradus_evidence::ObjectRef;
use gradus_weave::classic::Event;
use gradus_weave::condition::time;
use gradus_weave::kind::{GROUP, KIND, Pipeline, PromotionStatus, PullRequestState, PullRequestStatus};
use gradus_weave::{Promotion, Revision};
use tokio::sync::watch;

use super::api::Wrote;
use super::judge::{Asked, Next, Outcome, Written, classic, level};
use super::session::Session;
use super::sight::{Watched, wanted};
use super::status::{Rule, body, says_the_same, telling, telling_only};
use super::{LEVEL_TRIGGERED, WeaveController};
use crate::clusters::ClusterKey;
use crate::watch::{BlindKind, ObjectName, Sight};

/// After how long a write is tried again that somebody else was faster with.
const SOON: Duration = Duration::from_millis(200);
/// After how long what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

impl WeaveController {
    /// Looks at a pipeline, and does what follows.
    pub(super) async fn look(&self, session: &Session, key: &ObjectName, leads: &watch::Receiver<bool>) {
        let namespace = key.namespace.as_deref().unwrap_or_default();
        let object = ObjectRef::new(GROUP, KIND, namespace, &key.name);
        let seen = match self.watches.see(&ClusterKey::own(), &object) {
            Sight::Seen(seen) => seen,
            Sight::Missing => return session.forget(key),
            // It is none of those any more that are looked after.
            Sight::Unknown(blind) if blind.kind == BlindKind::NotWanted => return session.forget(key),
            Sight::Unknown(_) => return,
        };
        let pipeline: Pipeline = match serde_json::from_value((*seen).clone()) {
            Ok(pipeline) => pipeline,
            Err(error) => {
                tracing::warn!(%error, pipeline = %key, "a pipeline cannot be read");
                return;
            }
        };
        if pipeline.metadata.deletion_timestamp.is_some() {
            return session.forget(key);
        }
        let rule = self.rule(&pipeline);
        let since = session.follow(key, wanted(&pipeline, rule == Rule::Level));
        let pipeline = session.newest(key, pipeline);
        let patience = self.options.patience.0.saturating_sub(since.elapsed());
        let is_patient = !patience.is_zero();
        let judge = |pipeline: &Pipeline| self.judge(session, key, pipeline, rule, is_patient);
        match judge(&pipeline) {
            Outcome::Leave => {}
            Outcome::NotYet => session.queue.later(key, patience),
            Outcome::TryAgain(event) => {
                if session.is_news(key, &telling_only(&event)) {
                    self.news.tell(&pipeline, event);
                }
                session.queue.later(key, AGAIN);
            }
            Outcome::Write(written) if written.next == Next::Nothing => {
                self.write(session, key, &pipeline, &written, rule).await;
            }
            Outcome::Write(_) => {
                // What was seen may be of a moment ago. Before anything is promoted, the
                // pipeline is asked for as it is now.
                let now = match self.pipelines.get(namespace, &key.name).await {
                    Ok(Some(now)) => session.newest(key, now),
                    Ok(None) => return session.forget(key),
                    Err(error) => return self.failed(session, key, &pipeline, &error),
                };
                if now.metadata.generation != pipeline.metadata.generation {
                    return session.queue.later(key, SOON);
                }
                let leads = *leads.borrow();
                if let (Outcome::Write(written), true) = (judge(&now), leads) {
                    self.act(session, key, now, *written, rule).await;
                }
            }
        }
    }

    fn judge(
        &self,
        session: &Session,
        key: &ObjectName,
        pipeline: &Pipeline,
        rule: Rule,
        patient: bool,
    ) -> Outcome {
        let watched = Watched { watches: &self.watches, session, key, pipeline };
        let refused = self.strategies.refuses(pipeline);
        let asked = Asked { refused: refused.as_deref(), patient, now: self.clock.now() };
        let mut outcome = match rule {
            Rule::Classic => classic(pipeline, &watched, asked),
            Rule::Level => level(pipeline, &watched, asked),
        };
        if let Outcome::Write(written) = &mut outcome
            && let Some(environment) = written.next.environment()
            && self.strategies.refuses_to(pipeline, environment).is_some()
        {
            written.next = Next::Nothing;
        }
        outcome
    }

    /// By which rule a pipeline is looked after.
    pub(super) fn rule(&self, pipeline: &Pipeline) -> Rule {
        let asked = pipeline.metadata.annotations.get(LEVEL_TRIGGERED).map(String::as_str);
        let level = match asked {
            Some("true") => true,
            Some("false") => false,
            Some(_) | None => self.options.level_triggered,
        };
        if level { Rule::Level } else { Rule::Classic }
    }

    /// Promotes, or lets a revision wait, and writes the status.
    async fn act(
        &self,
        session: &Session,
        key: &ObjectName,
        mut pipeline: Pipeline,
        mut written: Written,
        rule: Rule,
    ) {
        match std::mem::replace(&mut written.next, Next::Nothing) {
            Next::Nothing => {}
            Next::Promote(promotion) => {
                self.promote_to(session, key, &pipeline, &promotion, &mut written).await;
            }
            Next::Wait { environment, revision } => {
                match self.let_wait(session, key, &pipeline, &environment, &revision).await {
                    Some(now) => pipeline.metadata.resource_version = now.metadata.resource_version,
                    None => return,
                }
            }
        }
        self.write(session, key, &pipeline, &written, rule).await;
    }

    /// Promotes, unless that failed a moment ago, and notes in the status what came of it.
    async fn promote_to(
        &self,
        session: &Session,
        key: &ObjectName,
        pipeline: &Pipeline,
        promotion: &Promotion,
        written: &mut Written,
    ) {
        if let Some(wait) = session.has_to_wait(key, promotion) {
            return session.queue.later(key, wait);
        }
        let done = self.strategies.promote(pipeline, promotion).await;
        let now = time(self.clock.now());
        let recorded = recorded(promotion, done.as_ref(), now);
        if let Some(wait) = session.promoted(key, promotion, &recorded) {
            session.queue.later(key, wait);
        }
        if let Err(error) = done {
            let error = error.in_full();
            tracing::warn!(error, pipeline = %key, environment = promotion.environment.name, "a promotion failed");
            let message = format!(
                "Failed to promote pipeline {}/{} to {} with version {}: {error}",
                promotion.namespace, promotion.pipeline, promotion.environment.name, promotion.revision
            );
            written.events.push(Event { kind: "Warning", reason: "PromotionFailed", message });
        }
        let environments = &mut written.status.environments;
        environments.entry(promotion.environment.name.clone()).or_default().promotion = Some(recorded);
    }

    /// Lets a revision wait for an approval. The pipeline as it is then, if that worked.
    async fn let_wait(
        &self,
        session: &Session,
        key: &ObjectName,
        pipeline: &Pipeline,
        environment: &str,
        revision: &Revision,
    ) -> Option<Pipeline> {
        match self.pipelines.write_waiting(pipeline, environment, revision.as_str()).await {
            Wrote::Done(now) => Some(*now),
            Wrote::Conflict => {
                session.queue.later(key, SOON);
                None
            }
            Wrote::Gone => None,
            Wrote::Failed(error) => {
                self.failed(session, key, pipeline, &error);
                None
            }
        }
    }

    /// Writes the status, if it says anything new, and tells what is told with it.
    async fn write(
        &self,
        session: &Session,
        key: &ObjectName,
        pipeline: &Pipeline,
        written: &Written,
        rule: Rule,
    ) {
        let Written { status, events, next: _ } = written;
        if says_the_same(pipeline, status, rule) {
            return;
        }
        if session.is_news(key, &telling(pipeline, status, rule, events)) {
            for event in events {
                self.news.tell(pipeline, event.clone());
            }
        }
        match self.pipelines.apply_status(pipeline, &body(pipeline, status, rule)).await {
            Wrote::Done(now) => session.wrote(key, &pipeline.metadata.resource_version, *now),
            Wrote::Conflict => session.queue.later(key, SOON),
            Wrote::Gone => {}
            Wrote::Failed(error) => self.failed(session, key, pipeline, &error),
        }
    }

    /// Something could not be asked or written. Told once, and tried again.
    fn failed(&self, session: &Session, key: &ObjectName, pipeline: &Pipeline, error: &PortError) {
        let why = error.in_full();
        tracing::warn!(error = why, pipeline = %key, "looking after a pipeline failed");
        let event = Event::no_status(pipeline, &why);
        if session.is_news(key, &telling_only(&event)) {
            self.news.tell(pipeline, event);
        }
        session.queue.later(key, AGAIN);
    }
}

/// What is written down of a promotion.
pub(super) fn recorded(
    promotion: &Promotion,
    done: Result<&Option<String>, &PortError>,
    now: String,
) -> PromotionStatus {
    let url = done.ok().cloned().flatten();
    PromotionStatus {
        revision: promotion.revision.as_str().to_owned(),
        last_attempted_time: Some(now),
        succeeded: done.is_ok(),
        pull_request: url.map(|url| PullRequestStatus { url, state: PullRequestState::Open }),
    }
}
