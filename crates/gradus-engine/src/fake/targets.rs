//! Targets that answer what they were told to answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{Namespace, PipelineKey};
use gradus_core::observation::{Seen, TargetState};
use gradus_core::pipeline::{ClusterTarget, HttpTarget};

use super::Faults;
use crate::port::targets::{Answered, LookedAt};
use crate::port::{PortError, PortErrorKind, Targets};

/// Targets that answer what they were told to answer. Clones share their answers.
#[derive(Clone, Default)]
pub struct FakeTargets {
    answers: Arc<Mutex<BTreeMap<Arc<str>, Answered>>>,
    clusters: Arc<Mutex<BTreeMap<Namespace, Seen<TargetState>>>>,
    faults: Faults,
}

impl FakeTargets {
    /// The same targets, with faults of their own.
    pub fn with(&self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self.clone() }
    }

    /// From now on this is so in a namespace of the cluster.
    pub fn runs(&self, namespace: &Namespace, state: Seen<TargetState>) {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace.clone(), state);
    }

    /// From now on this URL answers so; without an answer it cannot be reached.
    pub fn answer(&self, url: &str, answer: Option<Answered>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(answer) => answers.insert(Arc::from(url), answer),
            None => answers.remove(url),
        };
    }
}

#[async_trait]
impl Targets for FakeTargets {
    async fn ask(&self, target: &HttpTarget) -> Result<Answered, PortError> {
        let call = self.faults.call("targets.ask", false);
        call.before().await?;
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&target.url).cloned();
        call.after().await?;
        answer.ok_or_else(|| PortError::new(PortErrorKind::Unreachable, format!("asking {}", target.url)))
    }

    async fn look(&self, _: &PipelineKey, target: &ClusterTarget) -> Result<LookedAt, PortError> {
        let call = self.faults.call("targets.look", false);
        call.before().await?;
        let state =
            self.clusters.lock().unwrap_or_else(PoisonError::into_inner).get(&target.namespace).cloned();
        call.after().await?;
        let state = state.unwrap_or_else(|| Seen::unknown("nobody has seen it yet"));
        Ok(LookedAt { state, evidence: Vec::new() })
    }
}
