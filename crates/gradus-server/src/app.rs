//! What every endpoint works with.

use std::net::SocketAddr;
use std::sync::Arc;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::Pipeline;
use gradus_core::tell::Clock;
use gradus_engine::{Engine, Looked};
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

use crate::api::ApiError;
use crate::auth::Tokens;
use crate::feed::Feed;
use crate::hooks::HookKeySource;
use crate::hooks::flux::cluster::Named;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::nearest::nearest;
use crate::port::{Holds, Problems, Proposals, Repositories};
use crate::spans::{self, JoinTrace};

/// What every endpoint works with.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) hook_keys: HookKeySource,
    pub(crate) named: Named,
    pub(crate) holds: Arc<dyn Holds>,
    pub(crate) proposals: Arc<dyn Proposals>,
    pub(crate) problems: Arc<dyn Problems>,
    pub(crate) repositories: Arc<dyn Repositories>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) join_trace: Option<JoinTrace>,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    pub(crate) listens_on: SocketAddr,
    pub(crate) feed: Feed,
    pub(crate) listeners: Arc<Semaphore>,
    /// True once the server stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    /// Whether only this machine can reach the server.
    pub(crate) fn is_loopback(&self) -> bool {
        self.listens_on.ip().to_canonical().is_loopback()
    }

    /// Whether everybody who can reach the server may do everything.
    pub(crate) fn is_open(&self) -> bool {
        self.is_loopback() && !self.tokens.are_asked_for()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.ports().clock.now()
    }

    /// When it is now, for texts: in UTC, as the server does not know its readers' zones.
    pub(crate) fn clock(&self) -> Clock {
        Clock::utc(self.now())
    }

    /// That the manifests were read once, or the answer that they were not: what is not known yet may be there.
    pub(crate) fn were_read(&self) -> Result<(), ApiError> {
        if self.problems.were_read() {
            return Ok(());
        }
        Err(ApiError::unavailable("not-read-yet", "the pipelines were not read yet")
            .with_help("try again in a few seconds"))
    }

    /// The pipeline of these names, or the answer that there is none.
    pub(crate) fn pipeline(&self, namespace: &str, name: &str) -> Result<Arc<Pipeline>, ApiError> {
        let wanted = format!("{namespace}/{name}");
        let known = PipelineKey::parse(&wanted).ok().and_then(|key| self.engine.pipeline(&key));
        match &known {
            Some(pipeline) => spans::about(&pipeline.key),
            None => self.were_read()?,
        }
        known.ok_or_else(|| {
            let names: Vec<String> =
                self.engine.pipelines().iter().map(|known| known.key.to_string()).collect();
            let error = ApiError::not_found("unknown-pipeline", format!("there is no pipeline {wanted}"));
            match nearest(&wanted, names.iter().map(String::as_str)) {
                Some(name) => error.with_help(format!("did you mean {name}?")),
                None => error.with_help("GET /api/v1/pipelines lists those there are"),
            }
        })
    }

    /// What the last look found, or the answer that there was none yet.
    pub(crate) fn looked(&self, pipeline: &Pipeline) -> Result<Arc<Looked>, ApiError> {
        self.engine.latest(&pipeline.key).ok_or_else(|| {
            ApiError::unavailable("not-looked-at-yet", format!("{} was not looked at yet", pipeline.key))
                .with_help("try again in a few seconds")
        })
    }
}
