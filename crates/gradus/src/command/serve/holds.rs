//! The server's port for holds: files in the folder of manifests.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{Namespace, Person, PipelineKey};
use gradus_core::pipeline::Hold;
use gradus_engine::Engine;
use gradus_engine::port::{Holder, PortError, PortErrorKind};
use gradus_server::port::{HoldRecord, Holds};

use super::reload::Reloader;
use crate::error::CliError;
use crate::holds;

/// Holds as files.
pub(super) struct FileHolds {
    pub(super) reloader: Arc<Reloader>,
    pub(super) engine: Arc<Engine>,
}

#[async_trait]
impl Holds for FileHolds {
    async fn list(&self) -> Result<Vec<HoldRecord>, PortError> {
        let records = self.engine.pipelines().into_iter().flat_map(|pipeline| {
            let records: Vec<_> =
                pipeline.holds.iter().map(|hold| self.record(&pipeline.key, hold.clone())).collect();
            records
        });
        Ok(records.collect())
    }

    async fn set(&self, pipeline: &PipelineKey, hold: &Hold) -> Result<HoldRecord, PortError> {
        holds::write(self.reloader.folder().path(), pipeline, hold).map_err(from_cli)?;
        self.read_again().await;
        Ok(self.record(pipeline, hold.clone()))
    }

    async fn lift(&self, namespace: &Namespace, name: &str, by: &Person) -> Result<bool, PortError> {
        if holds::remove(self.reloader.folder().path(), namespace, name).map_err(from_cli)? {
            tracing::info!(hold = name, %by, "a hold was lifted");
            self.read_again().await;
            return Ok(true);
        }
        let there = self.engine.pipelines().iter().any(|pipeline| {
            pipeline.key.namespace == *namespace && pipeline.holds.iter().any(|hold| &*hold.name == name)
        });
        if there {
            return Err(PortError::stated(
                PortErrorKind::Unusable,
                format!("hold {name} is in a manifest that people keep"),
                None,
            )
            .with_hint("take it out of the file that it is written in"));
        }
        Ok(false)
    }
}

/// The same, for what is said below proposals.
#[async_trait]
impl Holder for FileHolds {
    async fn hold(&self, pipeline: &PipelineKey, hold: &Hold) -> Result<(), PortError> {
        Holds::set(self, pipeline, hold).await.map(drop)
    }

    async fn lift(&self, pipeline: &PipelineKey, name: &str, by: &Person) -> Result<bool, PortError> {
        Holds::lift(self, &pipeline.namespace, name, by).await
    }
}

impl FileHolds {
    async fn read_again(&self) {
        match self.reloader.read() {
            Ok(taken_away) => self.reloader.retire(taken_away).await,
            Err(error) => {
                tracing::warn!(%error, "the manifests cannot be read; what was read before goes on")
            }
        }
    }

    fn record(&self, pipeline: &PipelineKey, hold: Hold) -> HoldRecord {
        let path = holds::file(self.reloader.folder().path(), &pipeline.namespace, &hold.name);
        let place = path.exists().then(|| path.display().to_string());
        HoldRecord { pipeline: pipeline.clone(), hold, place }
    }
}

fn from_cli(error: CliError) -> PortError {
    let hint = error.helps().first().cloned();
    let cause = std::error::Error::source(&error).map(|cause| cause.to_string().into());
    let stated = PortError::stated(PortErrorKind::Unusable, error.to_string(), cause);
    match hint {
        Some(hint) => stated.with_hint(hint),
        None => stated,
    }
}
