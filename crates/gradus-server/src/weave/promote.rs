//! `POST /promotion/NAMESPACE/PIPELINE/ENVIRONMENT`: something succeeded in this environment.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_weave::answer::Answer;
use gradus_weave::webhook::{self, Decision};
use gradus_weave::{Promotion, Revision};

use super::app::App;
use super::port::{PipelineName, Waiting, Written};
use super::signature::signed;
use super::work::{Errand, Outcome, Place, Turn};
use crate::api::read_bounded;

pub(super) async fn answer(
    app: &Arc<App>,
    namespace: &str,
    name: &str,
    source: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let body = match read_bounded(headers, body, app.limits.hook_bytes, app.limits.body).await {
        Ok(body) => body,
        Err(error) => return Answer::status(error.status().as_u16()),
    };
    let (named, pipeline) = match app.pipeline(namespace, name).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let to = webhook::target(&pipeline, source).map(|to| to.name.as_str());
    let signed = signed(app, &named, &pipeline, to, headers, &body).await;
    match webhook::decide(&pipeline, source, signed, &body) {
        Decision::Answer(answer) => answer,
        Decision::Unable(why) => {
            tracing::error!(namespace, name, source, why, "an event cannot be promoted");
            Answer::failed()
        }
        Decision::Nothing(why) => {
            tracing::info!(namespace, name, source, why = why.words(), "an event promotes nothing");
            Answer::status(204)
        }
        Decision::Wait { environment, revision } => {
            let before = pipeline.waiting(&environment).map(ToOwned::to_owned);
            let place =
                Place { errand: Errand::Waiting, pipeline: named.clone(), environment: environment.clone() };
            let wait = Waits { pipeline: named, environment, revision, before };
            let revision = wait.revision.clone();
            let work = app.clone();
            let coming = app
                .work
                .begin(place, revision.as_str(), |turn| async move { wait.write(&work, &turn).await });
            app.when_done(coming).await
        }
        Decision::Promote(promotion) => {
            let place = Place {
                errand: Errand::Promotion,
                pipeline: named,
                environment: promotion.environment.name.clone(),
            };
            let revision = promotion.revision.clone();
            let work = app.clone();
            let coming = app.work.begin(place, revision.as_str(), |turn| async move {
                promote(&work, &promotion, &turn).await
            });
            app.when_done(coming).await
        }
    }
}

/// Promotes, and tries again what may help itself.
async fn promote(app: &App, promotion: &Promotion, turn: &Turn) -> Outcome {
    let mut attempt = 1;
    loop {
        let Some(right) = turn.attempt().await else { return Outcome::Superseded };
        let promoted = app.weave.promote(promotion).await;
        drop(right);
        let error = match promoted {
            Ok(location) => return Outcome::Done(location),
            Err(error) => error,
        };
        let pause = app.retry.pause_after(attempt).filter(|_| may_help_itself(&error));
        tell(promotion, &error, attempt, pause.is_some());
        let Some(pause) = pause else { return Outcome::Failed };
        app.time.sleep(pause).await;
        attempt += 1;
    }
}

/// Whether the same may succeed a moment later.
pub(super) fn may_help_itself(error: &PortError) -> bool {
    match error.kind {
        PortErrorKind::Unreachable
        | PortErrorKind::OutcomeUnknown
        | PortErrorKind::Broken
        | PortErrorKind::Local => true,
        PortErrorKind::Denied | PortErrorKind::Missing | PortErrorKind::Unusable => false,
    }
}

/// Tells the log, and nobody else, why a promotion failed.
pub(super) fn tell(promotion: &Promotion, error: &PortError, attempt: u32, again: bool) {
    let Promotion { namespace, pipeline, environment, revision, spec: _, strategy: _ } = promotion;
    let (environment, error) = (&environment.name, error.in_full());
    tracing::error!(namespace, pipeline, environment, %revision, error, attempt, again, "could not promote");
}

/// What has to be written down as waiting.
struct Waits {
    pipeline: PipelineName,
    environment: String,
    revision: Revision,
    before: Option<String>,
}

/// So often a write is made anew that something else came before.
const MOST_WRITES: usize = 5;

impl Waits {
    /// Writes it over whatever waits; a newer event takes the place of an older one.
    async fn write(mut self, app: &App, turn: &Turn) -> Outcome {
        for _ in 0..MOST_WRITES {
            let Some(_right) = turn.attempt().await else { return Outcome::Superseded };
            if self.before.as_deref() == Some(self.revision.as_str()) {
                return Outcome::Done(None);
            }
            let waiting = Waiting {
                pipeline: self.pipeline.clone(),
                environment: self.environment.clone(),
                before: self.before.clone(),
                after: Some(self.revision.as_str().to_owned()),
            };
            match app.weave.write_waiting(&waiting).await {
                Ok(Written::Done) => return Outcome::Done(None),
                Ok(Written::Moved) => {}
                Err(error) => return self.failed(&error.in_full()),
            }
            self.before = match app.weave.pipeline(&self.pipeline).await {
                Ok(Some(pipeline)) => pipeline.waiting(&self.environment).map(ToOwned::to_owned),
                Ok(None) => return self.failed("the pipeline is gone"),
                Err(error) => return self.failed(&error.in_full()),
            };
        }
        self.failed("others write it all the time")
    }

    fn failed(&self, error: &str) -> Outcome {
        let Self { pipeline: PipelineName { namespace, name }, environment, revision, before: _ } = self;
        tracing::error!(%namespace, %name, environment, %revision, error, "could not write what waits for an approval");
        Outcome::Failed
    }
}
