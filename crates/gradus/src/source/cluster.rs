//! A cluster with gradus in it as the source: what its objects say, and objects by
//! which people say something, made in their own name.

mod args;
mod held;
mod history;
mod said;
mod shape;

use std::sync::Arc;

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::pipeline::Pipeline;
use gradus_kube::Kind;
use gradus_kube::ask::{AskError, Cluster, Place};
use gradus_server::api::v1;
use serde_json::Value;

use super::{HistoryAsk, clock, environment_of};
use crate::error::CliError;
use crate::output::Printer;
use crate::plan::PipelinePlan;

pub(crate) use args::{ClusterArgs, OneClusterArgs};
pub(crate) use held::Held;
pub(crate) use history::SaidObject;
pub(crate) use said::Answer;

use shape::Shown;

/// A cluster with gradus in it.
pub(crate) struct ClusterSource {
    cluster: Cluster,
    printer: Printer,
}

impl ClusterSource {
    /// The way to the cluster. Nothing is asked yet.
    pub(super) async fn open(place: &Place, printer: &Printer) -> Result<Self, CliError> {
        let cluster = Cluster::open(place).await.map_err(failed)?;
        Ok(Self { cluster, printer: printer.clone() })
    }

    /// What the cluster is called.
    pub(crate) fn name(&self) -> &str {
        self.cluster.name()
    }

    pub(super) async fn statuses(&self) -> Result<Vec<v1::PipelineStatus>, CliError> {
        let shown = self.all().await?;
        for pipeline in &shown {
            pipeline.tell_mistakes(&self.printer);
        }
        Ok(shown.iter().map(Shown::status).collect())
    }

    pub(super) async fn keys(&self) -> Result<Vec<PipelineKey>, CliError> {
        Ok(self.all().await?.into_iter().map(|shown| shown.key).collect())
    }

    pub(super) async fn pipeline(&self, key: &PipelineKey) -> Result<v1::Pipeline, CliError> {
        let shown = self.one(key).await?;
        shown.tell_mistakes(&self.printer);
        Ok(shown.pipeline(clock().now))
    }

    pub(super) async fn explain(
        &self,
        key: &PipelineKey,
        environment: &str,
    ) -> Result<v1::Explanation, CliError> {
        let shown = self.one(key).await?;
        shown.tell_mistakes(&self.printer);
        let environment = shown.environment(environment)?;
        shown
            .explanation(&environment, &clock())
            .ok_or_else(|| CliError::failed(format!("{environment} was not looked at yet")))
    }

    pub(super) async fn plans(&self, keys: &[PipelineKey]) -> Result<Vec<PipelinePlan>, CliError> {
        let now = clock().now;
        let all = self.all().await?;
        if let Some(key) = keys.iter().find(|key| !all.iter().any(|shown| shown.key == **key)) {
            return Err(self.none(key));
        }
        let wanted = all.iter().filter(|shown| keys.is_empty() || keys.contains(&shown.key));
        Ok(wanted.map(|shown| PipelinePlan::told(shown.pipeline(now))).collect())
    }

    pub(super) async fn history(&self, key: &PipelineKey, ask: &HistoryAsk) -> Result<v1::History, CliError> {
        let shown = self.one(key).await?;
        let environment = ask.environment.as_deref().map(|given| shown.environment(given)).transpose()?;
        self.record(&shown, environment.as_ref(), ask).await
    }

    pub(super) async fn proposals(&self, key: &PipelineKey) -> Result<v1::ProposalList, CliError> {
        let shown = self.one(key).await?;
        shown.tell_mistakes(&self.printer);
        Ok(v1::ProposalList { items: shown.proposals() })
    }

    async fn all(&self) -> Result<Vec<Shown>, CliError> {
        let doing = format!("asking {}...", self.name());
        let objects = self.printer.patiently(&doing, self.list(Kind::Pipeline)).await?;
        Ok(objects.iter().filter_map(Shown::of).collect())
    }

    async fn one(&self, key: &PipelineKey) -> Result<Shown, CliError> {
        let kind = Kind::Pipeline.group_kind();
        let object = self.cluster.get(&kind, key.namespace.as_str(), key.name.as_str()).await;
        let object = object.map_err(failed)?;
        object.as_ref().and_then(Shown::of).ok_or_else(|| self.none(key))
    }

    fn none(&self, key: &PipelineKey) -> CliError {
        CliError::failed(format!("there is no pipeline {key} in {}", self.name()))
            .help("gradus status lists them")
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Value>, CliError> {
        self.cluster.list_all(&kind.group_kind()).await.map_err(failed)
    }
}

impl Shown {
    /// The environment of this name; else the names there are.
    pub(super) fn environment(&self, given: &str) -> Result<EnvironmentName, CliError> {
        if let Some(pipeline) = &self.spec {
            return environment_of(pipeline, given);
        }
        let is_there = self.status.environments.iter().any(|here| here.name == given);
        EnvironmentName::parse(given)
            .ok()
            .filter(|_| is_there)
            .ok_or_else(|| CliError::failed(format!("{} has no environment {given:?}", self.key)))
    }

    /// What the object says that the pipeline is; nothing can be said of one with mistakes.
    pub(super) fn understood(&self) -> Result<&Arc<Pipeline>, CliError> {
        self.spec.as_ref().ok_or_else(|| {
            CliError::failed(format!("pipeline {} has mistakes: {}", self.key, self.mistakes.join("; ")))
        })
    }

    fn tell_mistakes(&self, printer: &Printer) {
        for mistake in &self.mistakes {
            printer.error(&CliError::failed(format!("pipeline {}: {mistake}", self.key)));
        }
    }
}

/// What a cluster said, as what the command says.
pub(crate) fn failed(error: AskError) -> CliError {
    let failed = CliError::failed(error.to_string());
    match error.what_to_do() {
        Some(help) => failed.help(help),
        None if error.kind == gradus_kube::ask::AskErrorKind::NotServed => {
            failed.help("is gradus installed there? `gradus crds` prints what it needs first")
        }
        None => failed,
    }
}
