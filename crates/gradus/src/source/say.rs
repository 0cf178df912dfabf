//! What a person or a machine says: to a server, or into the ledger of a data directory.

use std::sync::Arc;

use gradus_core::names::{CheckName, Group, Person, PipelineKey, TargetName};
use gradus_core::observation::{CheckResult, RequestKind};
use gradus_core::pipeline::Pipeline;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::AskedFor;
use gradus_engine::port::ledger::Reported;
use gradus_server::api::v1;

use super::folder::Acted;
use super::{Folder, Source, clock};
use crate::error::CliError;

/// What became of what was said.
pub(crate) struct Said {
    /// What was recorded, and what is planned with it.
    pub(crate) asked: v1::Asked,
    /// What became of the plan.
    pub(crate) acted: Acted,
}

/// A release that somebody asks a cluster for.
pub(crate) struct Wish<'a> {
    /// In which environment.
    pub(crate) environment: &'a str,
    /// Which; what is next, or what was there before, when absent.
    pub(crate) version: Option<String>,
    /// How.
    pub(crate) kind: RequestKind,
    /// Why.
    pub(crate) reason: Option<Arc<str>>,
    /// Whether it is only tried.
    pub(crate) dry_run: bool,
    /// Whether the answer is waited for.
    pub(crate) wait: bool,
}

/// Who speaks, where everybody's word is taken for it.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    /// The name.
    pub(crate) person: Person,
    /// The groups.
    pub(crate) groups: Vec<Group>,
    /// The other names.
    pub(crate) aliases: Vec<Person>,
}

impl Speaker {
    /// Who only looks.
    pub(super) fn nobody() -> Self {
        Self { person: Person::unknown(), groups: Vec::new(), aliases: Vec::new() }
    }
}

impl Source {
    /// Asks for a release by name. A cluster's answer is waited for with `wait`.
    pub(crate) async fn promote(
        &self,
        key: &PipelineKey,
        body: &v1::Promote,
        wait: bool,
    ) -> Result<Said, CliError> {
        let how = || {
            Ok::<_, CliError>(match (&body.override_why, body.emergency) {
                (Some(why), _) => (RequestKind::Override, Some(needed(why)?)),
                (None, true) => {
                    (RequestKind::Emergency, Some(needed(body.reason.as_deref().unwrap_or_default())?))
                }
                (None, false) => (RequestKind::Promote, body.reason.as_deref().map(Arc::from)),
            })
        };
        let (environment, version, dry_run) = (body.environment.as_str(), body.version.clone(), body.dry_run);
        match self {
            Self::Server(server) => {
                Ok(Said::told(server.say(key, "promote", body).await?, server.client.base()))
            }
            Self::Cluster(cluster) => {
                let (kind, reason) = how()?;
                cluster.ask(key, &Wish { environment, version, kind, reason, dry_run, wait }).await
            }
            Self::Folder(folder) => {
                let (kind, reason) = how()?;
                folder.ask(key, environment, version, kind, reason, dry_run).await
            }
        }
    }

    /// Asks for an older release. A cluster's answer is waited for with `wait`.
    pub(crate) async fn rollback(
        &self,
        key: &PipelineKey,
        body: &v1::Rollback,
        wait: bool,
    ) -> Result<Said, CliError> {
        let how = || {
            Ok::<_, CliError>(if body.emergency {
                (RequestKind::Emergency, Some(needed(body.reason.as_deref().unwrap_or_default())?))
            } else {
                (RequestKind::Rollback, body.reason.as_deref().map(Arc::from))
            })
        };
        let (environment, version, dry_run) = (body.environment.as_str(), body.version.clone(), body.dry_run);
        match self {
            Self::Server(server) => {
                Ok(Said::told(server.say(key, "rollback", body).await?, server.client.base()))
            }
            Self::Cluster(cluster) => {
                let (kind, reason) = how()?;
                cluster.ask(key, &Wish { environment, version, kind, reason, dry_run, wait }).await
            }
            Self::Folder(folder) => {
                let (kind, reason) = how()?;
                folder.ask(key, environment, version, kind, reason, dry_run).await
            }
        }
    }

    /// Says yes to a release.
    pub(crate) async fn approve(&self, key: &PipelineKey, body: &v1::Approve) -> Result<Said, CliError> {
        match self {
            Self::Server(server) => {
                Ok(Said::told(server.say(key, "approve", body).await?, server.client.base()))
            }
            Self::Cluster(cluster) => cluster.approve(key, body).await,
            Self::Folder(folder) => folder.approve(key, body).await,
        }
    }

    /// Reports what a target does.
    pub(crate) async fn report(&self, key: &PipelineKey, body: &v1::TargetReport) -> Result<(), CliError> {
        match self {
            Self::Server(server) => {
                let _recorded: v1::RecordedAnswer = server.say(key, "report", body).await?;
                Ok(())
            }
            Self::Cluster(_) => {
                Err(CliError::usage("in a cluster targets are looked at, and nobody reports them")
                    .help("gradus explain tells what was seen of them")
                    .help("an application that is not in a cluster has a target of kind `http`, which is asked for its version")
                    .help("what came out of an outside check is reported with --check"))
            }
            Self::Folder(folder) => folder.report(key, body).await,
        }
    }

    /// Reports what came out of an outside check.
    pub(crate) async fn check(&self, key: &PipelineKey, body: &v1::CheckReport) -> Result<(), CliError> {
        match self {
            Self::Server(server) => {
                let _recorded: v1::RecordedAnswer = server.say(key, "check", body).await?;
                Ok(())
            }
            Self::Cluster(cluster) => cluster.check(key, body).await,
            Self::Folder(folder) => folder.check(key, body).await,
        }
    }
}

impl Said {
    fn told(asked: v1::Asked, server: &str) -> Self {
        Self { asked, acted: Acted::Told(server.to_owned()) }
    }
}

impl Folder {
    async fn ask(
        &self,
        key: &PipelineKey,
        environment: &str,
        version: Option<String>,
        kind: RequestKind,
        reason: Option<Arc<str>>,
        dry_run: bool,
    ) -> Result<Said, CliError> {
        let environment = self.environment(key, environment)?;
        let by = self.speaker.person.clone();
        let asked_for = AskedFor { environment: environment.clone(), version, kind, by, reason };
        let asked = self.engine.ask(key, asked_for, dry_run).await?;
        let asked = v1::Asked::of(&asked, &environment, !dry_run, &clock());
        let acted = if dry_run { Acted::Not } else { self.act(key).await? };
        Ok(Said { asked, acted })
    }

    async fn approve(&self, key: &PipelineKey, body: &v1::Approve) -> Result<Said, CliError> {
        let environment = self.environment(key, &body.environment)?;
        let Speaker { person, groups, aliases } = self.speaker.clone();
        let version = body.version.as_deref();
        let asked = self.engine.approve(key, &environment, version, person, groups, aliases).await?;
        let acted = self.someone_acts();
        Ok(Said { asked: v1::Asked::of(&asked, &environment, true, &clock()), acted })
    }

    async fn report(&self, key: &PipelineKey, body: &v1::TargetReport) -> Result<(), CliError> {
        let environment = self.environment(key, &body.environment)?;
        let pipeline = self.known(key)?;
        let target = body.target.as_deref().map(TargetName::parse).transpose();
        let target = target.map_err(|error| CliError::usage(error.to_string()))?;
        let reported = reported(&pipeline, body)?;
        let at = body.at.map_or_else(jiff::Timestamp::now, |at| at.0);
        let by = self.speaker.person.clone();
        Ok(self.engine.report(key, &environment, target.as_ref(), reported, by, at).await?)
    }

    async fn check(&self, key: &PipelineKey, body: &v1::CheckReport) -> Result<(), CliError> {
        let environment = self.environment(key, &body.environment)?;
        let check = CheckName::parse(&body.check).map_err(|error| CliError::usage(error.to_string()))?;
        let result = match body.result {
            v1::Outcome::Passed => CheckResult::Passed,
            v1::Outcome::Failed => CheckResult::Failed,
            v1::Outcome::Pending => CheckResult::Pending,
        };
        let (by, detail) = (self.speaker.person.clone(), body.detail.as_deref().map(Arc::from));
        Ok(self.engine.check(key, &environment, check, &body.version, result, by, detail).await?)
    }
}

fn needed(why: &str) -> Result<Arc<str>, CliError> {
    if why.trim().is_empty() {
        return Err(CliError::usage("say why: it is recorded"));
    }
    Ok(Arc::from(why.trim()))
}

fn reported(pipeline: &Pipeline, body: &v1::TargetReport) -> Result<Reported, CliError> {
    let release = body.version.as_deref().map(|version| release(pipeline, version)).transpose()?;
    let needed = |release: Option<Release>| {
        release.ok_or_else(|| CliError::usage("at which version? say it with --version"))
    };
    Ok(match body.state {
        v1::State::Healthy => Reported::Healthy { release: needed(release)? },
        v1::State::Deploying => Reported::Deploying { release },
        v1::State::Failed => {
            let why =
                body.message.as_deref().filter(|why| !why.trim().is_empty()).unwrap_or("reported as failed");
            Reported::Failed { release, why: Arc::from(why) }
        }
        v1::State::NotDeployed => Reported::NotDeployed,
        v1::State::RolledBack => Reported::RolledBack { to: needed(release)? },
    })
}

/// A version, or `artifact=version` pairs with commas between them.
pub(crate) fn release(pipeline: &Pipeline, text: &str) -> Result<Release, CliError> {
    let version =
        |text: &str| Version::parse(text.trim()).map_err(|error| CliError::usage(error.to_string()));
    if let Some(artifact) = pipeline.only_artifact()
        && !text.contains('=')
    {
        return Ok(Release::single(artifact.clone(), version(text)?));
    }
    let known = || pipeline.artifacts.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut versions = Vec::new();
    for pair in text.split(',') {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(CliError::usage(format!("{pair:?} does not say which artifact"))
                .help(format!("write ARTIFACT=VERSION, with commas between them, of {}", known())));
        };
        let artifact = pipeline.artifacts.keys().find(|artifact| artifact.as_str() == name.trim());
        let artifact = artifact.ok_or_else(|| {
            CliError::usage(format!("there is no artifact {name:?}")).help(format!("there is {}", known()))
        })?;
        versions.push((artifact.clone(), version(value)?));
    }
    Release::new(versions).ok_or_else(|| CliError::usage("no version was given"))
}
