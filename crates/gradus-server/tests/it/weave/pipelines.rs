//! Pipelines that hold state.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_server::weave::port::{PipelineName, Waiting, Weave, Written};
use gradus_weave::kind::{Pipeline, Spec};
use gradus_weave::{ObjectName, Promotion};
use tokio::sync::watch;

use crate::client::PATIENCE;

/// Pipelines, Secrets and what was promoted.
pub(crate) struct Pipelines {
    pub(crate) state: Mutex<State>,
    /// Promotions go no further while it is shut.
    gate: watch::Sender<bool>,
    /// How many promotions were begun.
    begun: watch::Sender<usize>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) pipelines: BTreeMap<(String, String), Pipeline>,
    pub(crate) secrets: BTreeMap<(String, String), BTreeMap<String, String>>,
    pub(crate) promoter: Promoter,
    /// Every promotion that was tried, in order.
    pub(crate) tried: Vec<Promotion>,
    /// So many writes of the status fail from now on.
    pub(crate) writes_that_fail: usize,
    /// Before the next write this waits in `prod`.
    pub(crate) meanwhile_waits: Option<String>,
    /// Pipelines cannot be got.
    pub(crate) unreachable: bool,
}

/// What promoting does.
#[derive(Default)]
pub(crate) enum Promoter {
    /// Nobody promotes.
    #[default]
    Nobody,
    /// It has a bug.
    Panics,
    /// It works, with the address of a pull request or without.
    Makes(String),
    /// It fails so many times, and then works.
    FailsFirst(usize, PortErrorKind, String),
}

impl Default for Pipelines {
    fn default() -> Self {
        Self { state: Mutex::default(), gate: watch::Sender::new(true), begun: watch::Sender::new(0) }
    }
}

impl Pipelines {
    pub(crate) fn put(&self, spec: Spec, waiting: &BTreeMap<String, String>) {
        let mut pipeline = Pipeline { spec, ..Pipeline::default() };
        pipeline.metadata.namespace = "default".to_owned();
        pipeline.metadata.name = "app".to_owned();
        for (environment, revision) in waiting {
            let status = pipeline.status.environments.entry(environment.clone()).or_default();
            status.waiting_approval.revision.clone_from(revision);
        }
        self.state.lock().unwrap().pipelines.insert(("default".to_owned(), "app".to_owned()), pipeline);
    }

    /// What waits in an environment of the one pipeline.
    pub(crate) fn waiting(&self, environment: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        state
            .pipelines
            .values()
            .next()
            .and_then(|pipeline| pipeline.waiting(environment).map(ToOwned::to_owned))
    }

    pub(crate) fn wait_in_prod(&self, revision: &str) {
        set(&mut self.state.lock().unwrap(), "prod", revision);
    }

    /// The revisions that were tried, in order.
    pub(crate) fn tried(&self) -> Vec<String> {
        self.state.lock().unwrap().tried.iter().map(|one| one.revision.as_str().to_owned()).collect()
    }

    pub(crate) fn shut(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until so many promotions were begun.
    pub(crate) async fn begun(&self, count: usize) {
        let mut begun = self.begun.subscribe();
        let waited = tokio::time::timeout(PATIENCE, begun.wait_for(|begun| *begun >= count)).await;
        drop(waited.expect("so many are begun in the end").unwrap());
    }
}

fn set(state: &mut State, environment: &str, revision: &str) {
    let pipeline = state.pipelines.values_mut().next().unwrap();
    let status = pipeline.status.environments.entry(environment.to_owned()).or_default();
    status.waiting_approval.revision = revision.to_owned();
}

fn fails(doing: &str) -> PortError {
    PortError::new(PortErrorKind::Unreachable, doing)
}

#[async_trait]
impl Weave for Pipelines {
    async fn pipeline(&self, name: &PipelineName) -> Result<Option<Pipeline>, PortError> {
        let state = self.state.lock().unwrap();
        if state.unreachable {
            return Err(fails("getting a pipeline"));
        }
        let key = (name.namespace.as_str().to_owned(), name.name.as_str().to_owned());
        Ok(state.pipelines.get(&key).cloned())
    }

    async fn secret_key(
        &self,
        namespace: &ObjectName,
        name: &ObjectName,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let state = self.state.lock().unwrap();
        let secret = state.secrets.get(&(namespace.as_str().to_owned(), name.as_str().to_owned()));
        let field = secret.and_then(|secret| secret.get(gradus_weave::signature::FIELD));
        Ok(field.map(|key| key.clone().into_bytes()))
    }

    async fn write_waiting(&self, waiting: &Waiting) -> Result<Written, PortError> {
        let mut state = self.state.lock().unwrap();
        if state.writes_that_fail > 0 {
            state.writes_that_fail -= 1;
            return Err(fails("writing the status"));
        }
        if let Some(other) = state.meanwhile_waits.take() {
            set(&mut state, "prod", &other);
        }
        let now = state.pipelines.values().next().and_then(|one| one.waiting(&waiting.environment));
        if now == waiting.after.as_deref() {
            return Ok(Written::Done);
        }
        if now != waiting.before.as_deref() {
            return Ok(Written::Moved);
        }
        set(&mut state, &waiting.environment, waiting.after.as_deref().unwrap_or_default());
        Ok(Written::Done)
    }

    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        if matches!(self.state.lock().unwrap().promoter, Promoter::Nobody) {
            return Err(PortError::new(PortErrorKind::Unusable, "there is nobody who promotes so"));
        }
        let panics = matches!(self.state.lock().unwrap().promoter, Promoter::Panics);
        assert!(!panics, "a bug, as this test has it");
        self.state.lock().unwrap().tried.push(promotion.clone());
        self.begun.send_modify(|begun| *begun += 1);
        let mut gate = self.gate.subscribe();
        drop(gate.wait_for(|open| *open).await);
        let mut state = self.state.lock().unwrap();
        let (url, failure) = match &mut state.promoter {
            Promoter::Nobody | Promoter::Panics => (String::new(), None),
            Promoter::Makes(url) | Promoter::FailsFirst(0, _, url) => (url.clone(), None),
            Promoter::FailsFirst(times, kind, url) => {
                *times -= 1;
                (url.clone(), Some(*kind))
            }
        };
        match failure {
            Some(kind) => Err(PortError::new(kind, "promoting")),
            None => Ok((!url.is_empty()).then_some(url)),
        }
    }
}
