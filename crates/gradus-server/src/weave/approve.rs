//! `POST /approval/NAMESPACE/PIPELINE/ENVIRONMENT/REVISION`: what waits may go.

use std::sync::Arc;

use axum::http::HeaderMap;
use gradus_weave::Promotion;
use gradus_weave::answer::Answer;
use gradus_weave::approval::{self, Decision};

use super::app::App;
use super::port::{PipelineName, Waiting, Written};
use super::promote::{may_help_itself, tell};
use super::signature::signed;
use super::work::{Errand, Outcome, Place, Turn};

pub(super) async fn answer(
    app: &Arc<App>,
    namespace: &str,
    name: &str,
    environment: &str,
    revision: &str,
    headers: &HeaderMap,
) -> Answer {
    let (named, pipeline) = match app.pipeline(namespace, name).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    // Those who approve sign nothing but the empty text.
    let signed = signed(app, &named, &pipeline, Some(environment), headers, b"").await;
    let promotion = match approval::decide(&pipeline, environment, revision, signed) {
        Decision::Answer(answer) => return answer,
        Decision::Unable(why) => {
            tracing::error!(namespace, name, environment, why, "an approval cannot be promoted");
            return Answer::failed();
        }
        Decision::Promote(promotion) => promotion,
    };
    let place =
        Place { errand: Errand::Approval, pipeline: named.clone(), environment: environment.to_owned() };
    let work = app.clone();
    let coming = app
        .work
        .begin(place, revision, |turn| async move { approve(&work, &named, &promotion, &turn).await });
    app.when_done(coming).await
}

/// Promotes, once, and then takes down that it waits. Cut off between the two it
/// still waits, and can be approved again: to promote it twice is to promote it once.
async fn approve(app: &App, pipeline: &PipelineName, promotion: &Promotion, turn: &Turn) -> Outcome {
    let Some(_right) = turn.attempt().await else { return Outcome::Superseded };
    let location = match app.weave.promote(promotion).await {
        Ok(location) => location,
        Err(error) => {
            tell(promotion, &error, 1, false);
            return Outcome::Failed;
        }
    };
    let waiting = Waiting {
        pipeline: pipeline.clone(),
        environment: promotion.environment.name.clone(),
        before: Some(promotion.revision.as_str().to_owned()),
        after: None,
    };
    let mut attempt = 1;
    loop {
        let error = match app.weave.write_waiting(&waiting).await {
            // What waits by now is newer, and waits on.
            Ok(Written::Done | Written::Moved) => return Outcome::Done(location),
            Err(error) => error,
        };
        let pause = app.retry.pause_after(attempt).filter(|_| may_help_itself(&error));
        tell(promotion, &error, attempt, pause.is_some());
        let Some(pause) = pause else { return Outcome::Failed };
        app.time.sleep(pause).await;
        attempt += 1;
    }
}
