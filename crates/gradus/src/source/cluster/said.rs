//! What people say to a cluster: objects in their own name, and what became of them.

use std::time::Duration;

use gradus_core::gate::Gate;
use gradus_core::names::{CheckName, EnvironmentName, Group, Person, PipelineKey};
use gradus_core::observation::{CheckFact, CheckResult, RequestKind};
use gradus_core::pipeline::Pipeline;
use gradus_core::release::Release;
use gradus_kube::Kind;
use gradus_kube::ask::{Approve, AskErrorKind, Me, Promote, Wanted, approval, promotion};
use gradus_manifest::status::{PromotionStatus, State, Versions};
use gradus_manifest::{check_object, versions};
use gradus_server::api::v1;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::super::folder::Acted;
use super::super::say::{Said, Wish, release};
use super::shape::{self, Shown};
use super::{ClusterSource, failed};
use crate::error::CliError;

/// So long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// So often it is looked for.
const EVERY: Duration = Duration::from_millis(300);

/// What gradus in a cluster answered.
pub(crate) enum Answer {
    /// Nobody waited for it.
    NotAwaited,
    /// Nothing yet.
    NotYet,
    /// It waits for what holds it, if that is told.
    Open(Option<String>),
    /// It is in the environment's files.
    Done(String),
    /// It will not be done.
    Refused(String),
}

/// A release that is named, or the next one.
struct Meant {
    /// What stands in the object: by artifact, where the pipeline has several.
    versions: Versions,
    /// The version of the only artifact.
    only: Option<String>,
}

impl Meant {
    fn of(release: &Release, pipeline: &Pipeline) -> Self {
        let versions = versions(release);
        let only = versions.values().next().filter(|_| pipeline.only_artifact().is_some()).cloned();
        Self { versions, only }
    }

    fn wanted(&self) -> Wanted<'_> {
        match &self.only {
            Some(version) => Wanted::Version(version),
            None if self.versions.is_empty() => Wanted::Next,
            None => Wanted::Versions(&self.versions),
        }
    }

    fn shown(&self) -> v1::Release {
        shape::release(&self.versions)
            .unwrap_or_else(|| v1::Release { version: Some(String::new()), versions: Versions::default() })
    }
}

impl ClusterSource {
    pub(in super::super) async fn approve(
        &self,
        key: &PipelineKey,
        body: &v1::Approve,
    ) -> Result<Said, CliError> {
        let shown = self.one(key).await?;
        let environment = shown.environment(&body.environment)?;
        let meant = match named(&shown, body.version.as_deref())? {
            Some(meant) => meant,
            // What is said yes to is named, so that nothing newer is meant by it.
            None => next(&shown, &environment)?,
        };
        let mut me = self.cluster.me().await.map_err(failed)?;
        me.groups = groups(&me, shown.understood()?, &environment);
        let doing = format!("approving {key} in {environment}");
        let object =
            approval(&Approve { pipeline: key, environment: &environment, wanted: meant.wanted(), me: &me });
        let kind = Kind::Approval.group_kind();
        match self.cluster.create(&doing, &kind, &object, false).await {
            Ok(_) => {}
            Err(error) if error.kind == AskErrorKind::Exists => self.said_before(&object).await?,
            Err(error) => return Err(failed(error)),
        }
        let asked =
            v1::Asked { recorded: true, release: meant.shown(), environment: None, steps: Vec::new() };
        Ok(Said { asked, acted: Acted::InCluster(self.name().to_owned(), Answer::NotAwaited) })
    }

    /// The same yes was said before: that is enough, unless it was refused.
    async fn said_before(&self, object: &Value) -> Result<(), CliError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let before = self.cluster.get(&Kind::Approval.group_kind(), namespace, name).await.map_err(failed)?;
        let status = before.as_ref().and_then(|before| before.get("status"));
        let field = |field: &str| status.and_then(|status| status.get(field)).and_then(Value::as_str);
        if field("state") != Some("refused") {
            return Ok(());
        }
        let why = field("message").unwrap_or("it does not say why");
        Err(CliError::failed(format!("this approval was refused before: {why}")).help(format!(
            "delete it to say it anew: kubectl -n {namespace} delete approvals.gradus.dev {name}"
        )))
    }

    pub(in super::super) async fn ask(&self, key: &PipelineKey, wish: &Wish<'_>) -> Result<Said, CliError> {
        let shown = self.one(key).await?;
        let environment = shown.environment(wish.environment)?;
        let unnamed = || Meant { versions: Versions::default(), only: None };
        let meant = match (named(&shown, wish.version.as_deref())?, wish.kind) {
            (Some(meant), _) => meant,
            // What was there before, only gradus knows.
            (None, RequestKind::Rollback) => unnamed(),
            (None, RequestKind::Promote | RequestKind::Override | RequestKind::Emergency) => {
                next(&shown, &environment).unwrap_or_else(|_| unnamed())
            }
        };
        let me = self.cluster.me().await.map_err(failed)?;
        let object = promotion(&Promote {
            pipeline: key,
            environment: &environment,
            wanted: meant.wanted(),
            kind: wish.kind,
            reason: wish.reason.as_deref(),
            me: &me,
        });
        let doing = format!("asking for {key} in {environment}");
        let kind = Kind::Promotion.group_kind();
        let made = self.cluster.create(&doing, &kind, &object, wish.dry_run).await.map_err(failed)?;
        let asked =
            |release| v1::Asked { recorded: !wish.dry_run, release, environment: None, steps: Vec::new() };
        if wish.dry_run {
            return Ok(Said { asked: asked(meant.shown()), acted: Acted::Not });
        }
        let (answer, recorded) =
            if wish.wait { self.answer(&made).await? } else { (Answer::NotAwaited, None) };
        let acted = Acted::InCluster(self.name().to_owned(), answer);
        Ok(Said { asked: asked(recorded.unwrap_or_else(|| meant.shown())), acted })
    }

    /// What gradus says to a promotion once it has seen it, and what it took it to mean.
    async fn answer(&self, made: &Value) -> Result<(Answer, Option<v1::Release>), CliError> {
        let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let look = async {
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE {
                let kind = Kind::Promotion.group_kind();
                let now = self.cluster.get(&kind, namespace, name).await.map_err(failed)?;
                let Some(now) = now else {
                    return Ok((Answer::Refused("somebody took it away".to_owned()), None));
                };
                let status = now.get("status").and_then(|status| PromotionStatus::deserialize(status).ok());
                if let Some(PromotionStatus { state: Some(state), message, recorded }) = status {
                    let recorded = recorded.and_then(|recorded| shape::release(&recorded.versions));
                    let told = message.clone().unwrap_or_else(|| "it does not say why".to_owned());
                    let answer = match state {
                        State::Open => Answer::Open(message),
                        State::Done => Answer::Done(told),
                        State::Refused => Answer::Refused(told),
                    };
                    return Ok((answer, recorded));
                }
                sleep(EVERY).await;
            }
            Ok((Answer::NotYet, None))
        };
        let doing = format!("waiting for gradus in {}...", self.name());
        self.printer.patiently(&doing, look).await
    }

    pub(in super::super) async fn check(
        &self,
        key: &PipelineKey,
        body: &v1::CheckReport,
    ) -> Result<(), CliError> {
        let usage = |error: gradus_core::names::NameError| CliError::usage(error.to_string());
        let shown = self.one(key).await?;
        let environment = shown.environment(&body.environment)?;
        let fact = CheckFact {
            check: CheckName::parse(&body.check).map_err(usage)?,
            reporter: self.cluster.me().await.map_err(failed)?.name,
            release: release(shown.understood()?, &body.version)?,
            result: match body.result {
                v1::Outcome::Passed => CheckResult::Passed,
                v1::Outcome::Failed => CheckResult::Failed,
                v1::Outcome::Pending => CheckResult::Pending,
            },
            at: super::super::clock().now,
            detail: body.detail.as_deref().map(std::sync::Arc::from),
        };
        let mut object = check_object("", key, &environment, &fact);
        if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("name");
            let begin: String =
                format!("{}-{environment}-{}", key.name, fact.check).chars().take(40).collect();
            metadata
                .insert("generateName".to_owned(), format!("{}-", begin.trim_end_matches(['-', '.'])).into());
        }
        let doing = format!("reporting check {} of {key} in {environment}", fact.check);
        self.cluster.create(&doing, &Kind::Check.group_kind(), &object, false).await.map_err(failed)?;
        Ok(())
    }
}

/// The release of this name; none where none is named.
fn named(shown: &Shown, version: Option<&str>) -> Result<Option<Meant>, CliError> {
    let Some(version) = version else { return Ok(None) };
    let pipeline = shown.understood()?;
    Ok(Some(Meant::of(&release(pipeline, version)?, pipeline)))
}

/// The release that wants to come in.
fn next(shown: &Shown, environment: &EnvironmentName) -> Result<Meant, CliError> {
    let next = shown.here(environment).and_then(|here| here.next.as_ref());
    let next = next.filter(|next| !next.versions.is_empty());
    let next = next.ok_or_else(|| {
        CliError::failed(format!("nothing waits to come into {environment}"))
            .help("name a version with --version to mean one that comes later")
    })?;
    let only = shown.understood()?.only_artifact().is_some();
    let only = next.versions.values().next().filter(|_| only).cloned();
    Ok(Meant { versions: next.versions.clone(), only })
}

/// The groups that somebody is asked for: who else they belong with is nobody's business.
fn groups(me: &Me, pipeline: &Pipeline, environment: &EnvironmentName) -> Vec<Group> {
    let here = pipeline.environments().iter().find(|here| here.name == *environment);
    let gates = here.into_iter().flat_map(|here| here.gates.iter().chain(&here.verify));
    let asked: Vec<&Group> = gates
        .filter_map(|gate| match gate {
            Gate::Approval(gate) => Some(&gate.groups),
            Gate::Soak(_) | Gate::Window(_) | Gate::Freeze(_) | Gate::Check(_) | Gate::Manual => None,
        })
        .flatten()
        .collect();
    me.groups.iter().filter(|group| asked.contains(group)).cloned().collect()
}

impl ClusterSource {
    /// Who the asker is to the cluster.
    pub(crate) async fn person(&self) -> Result<Person, CliError> {
        Ok(self.cluster.me().await.map_err(failed)?.name)
    }
}
