//! The server's ports in a cluster: what people want is written as objects, and
//! only read here.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{Namespace, Person, PipelineKey};
use gradus_core::pipeline::Hold;
use gradus_engine::Engine;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::Controller;
use gradus_server::api::v1::{Problem, Proposal};
use gradus_server::port::{HoldRecord, Holds, Problems, Proposals};

/// Holds are objects of their own kind.
pub(super) struct ObjectHolds {
    pub(super) engine: Arc<Engine>,
}

#[async_trait]
impl Holds for ObjectHolds {
    async fn list(&self) -> Result<Vec<HoldRecord>, PortError> {
        let records = self.engine.pipelines().into_iter().flat_map(|pipeline| {
            let of_one = pipeline.holds.clone().into_iter().map(move |hold| HoldRecord {
                pipeline: pipeline.key.clone(),
                place: Some(format!("Hold {}/{}", pipeline.key.namespace, hold.name)),
                hold,
            });
            of_one.collect::<Vec<_>>()
        });
        Ok(records.collect())
    }

    async fn set(&self, pipeline: &PipelineKey, _hold: &Hold) -> Result<HoldRecord, PortError> {
        Err(an_object(&format!("holding {pipeline}")))
    }

    async fn lift(&self, namespace: &Namespace, name: &str, _by: &Person) -> Result<bool, PortError> {
        Err(an_object(&format!("lifting the hold {namespace}/{name}")))
    }
}

fn an_object(doing: &str) -> PortError {
    PortError::because(PortErrorKind::Unusable, doing, "in a cluster a hold is an object of kind Hold")
        .with_hint("write or delete it with kubectl, or with `gradus hold` and `--context`")
}

/// A proposal is its branch; the pipelines' reports tell which are open.
pub(super) struct NoProposals;

#[async_trait]
impl Proposals for NoProposals {
    async fn list(&self, _pipeline: &PipelineKey, _limit: usize) -> Result<Vec<Proposal>, PortError> {
        Ok(Vec::new())
    }
}

/// Pipelines whose objects have mistakes.
pub(super) struct Faults {
    pub(super) controller: Arc<Controller>,
}

impl Problems for Faults {
    fn list(&self) -> Vec<Problem> {
        let faults = self.controller.faults().into_iter();
        faults
            .map(|(key, message)| Problem {
                file: format!("Pipeline {key}"),
                line: None,
                message,
                help: None,
            })
            .collect()
    }

    fn were_read(&self) -> bool {
        self.controller.is_ready()
    }
}
