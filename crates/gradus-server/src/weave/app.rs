//! What every request goes through.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::{Extension, body};
use gradus_weave::ObjectName;
use gradus_weave::answer::Answer;
use gradus_weave::kind::Pipeline;
use gradus_weave::limiter::{Limiter, Verdict};
use gradus_weave::retry::Retry;
use tracing::Instrument as _;

use super::answer::{response, too_often};
use super::client::TrustedProxies;
use super::port::{PipelineName, Time, Weave};
use super::route::{Route, Segments};
use super::work::{Coming, Outcome, Work, outcome};
use super::{approve, promote};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::spans::{self, JoinTrace};

/// So long an answer waits for what was asked; then it is 204 and the work goes on. Senders give up after 15 s.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What every request works with.
pub(super) struct App {
    pub(super) weave: Arc<dyn Weave>,
    pub(super) time: Arc<dyn Time>,
    pub(super) limiter: Mutex<Limiter>,
    pub(super) retry: Retry,
    pub(super) proxies: TrustedProxies,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    pub(super) join_trace: Option<JoinTrace>,
    pub(super) work: Work,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Answers a request.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Response {
    let span = spans::webhook(&request, app.join_trace);
    let answering = route(&app, peer, request).instrument(span.clone());
    let answered = tokio::time::timeout(app.limits.request, answering).await;
    let response = answered.unwrap_or_else(|_| {
        tracing::error!("the answer to a webhook took too long");
        response(Answer::failed())
    });
    app.metrics.answered(response.status());
    spans::answered(&span, response.status());
    response
}

async fn route(app: &Arc<App>, peer: SocketAddr, request: Request) -> Response {
    let (asks, segments) = match Route::of(request.uri().path()) {
        Route::Health => return response(Answer { status: 200, body: "ok".into(), location: None }),
        Route::Nothing => return response(Answer::nothing_here()),
        Route::Promotion(segments) => (Asks::Promotion, segments),
        Route::Approval(segments) => (Asks::Approval, segments),
    };
    let client = app.proxies.client(peer.ip(), request.headers());
    let now = app.time.now();
    let verdict = app.limiter.lock().unwrap_or_else(PoisonError::into_inner).hit(client, now);
    if let Verdict::Refused(until) = verdict {
        return too_often(until);
    }
    if request.method() != Method::POST {
        return response(Answer::status(405));
    }
    let segments = match segments {
        Segments::Read(segments) => segments,
        Segments::Malformed => return response(Answer::status(400)),
    };
    let (parts, body) = request.into_parts();
    let answer = match (asks, segments.as_slice()) {
        (Asks::Promotion, [namespace, name, source, ..]) => {
            promote::answer(app, namespace, name, source, &parts.headers, body).await
        }
        (Asks::Approval, [namespace, name, environment, revision, ..]) => {
            // The body says nothing, and is not read.
            drop::<body::Body>(body);
            approve::answer(app, namespace, name, environment, revision, &parts.headers).await
        }
        (Asks::Promotion | Asks::Approval, _too_few) => Answer::nothing_here(),
    };
    response(answer)
}

enum Asks {
    Promotion,
    Approval,
}

impl App {
    /// The pipeline of these names, or the answer that there is none.
    pub(super) async fn pipeline(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<(PipelineName, Pipeline), Answer> {
        // What is no name is the name of nothing.
        let names = ObjectName::parse(namespace).ok().zip(ObjectName::parse(name).ok());
        let Some((namespace, name)) = names else { return Err(Answer::status(404)) };
        let named = PipelineName { namespace, name };
        match self.weave.pipeline(&named).await {
            Ok(Some(pipeline)) => {
                spans::about(&format_args!("{}/{}", named.namespace, named.name));
                Ok((named, pipeline))
            }
            Ok(None) => Err(Answer::status(404)),
            Err(error) => {
                let (namespace, name) = (&named.namespace, &named.name);
                tracing::error!(%namespace, %name, error = error.in_full(), "could not get a pipeline");
                Err(Answer::status(500))
            }
        }
    }

    /// The answer to what was begun: when it is done, or that it goes on.
    pub(super) async fn when_done(&self, coming: Option<Coming>) -> Answer {
        let Some(coming) = coming else {
            tracing::error!("too many promotions are under way");
            return Answer::status(503);
        };
        let done = tokio::select! {
            biased;
            done = outcome(coming) => done,
            () = self.time.sleep(PATIENCE) => return Answer::status(204),
        };
        match done {
            Outcome::Done(location) => Answer::done(location),
            Outcome::Superseded => Answer::status(204),
            Outcome::Failed => Answer::failed(),
        }
    }
}
