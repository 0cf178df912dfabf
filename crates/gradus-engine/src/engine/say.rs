//! What people and machines say: approvals, requests, reports and checks. It is
//! checked, recorded, and the pipeline is looked at.

use std::fmt;
use std::sync::Arc;

use gradus_core::names::{CheckName, EnvironmentName, Group, Person, PipelineKey, RequestId, TargetName};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Request, RequestKind, Seen};
use gradus_core::pipeline::{Environment, Pipeline, TargetKind};
use gradus_core::reason::Reason;
use gradus_core::release::Release;
use gradus_core::report::EnvironmentReport;
use gradus_core::version::Version;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Engine, Looked};
use crate::observe::Sight;
use crate::port::PortError;
use crate::port::ledger::{Entry, Reported};

/// How far ahead of ours a reporter's clock may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// What somebody said could not be taken.
#[derive(Debug)]
pub struct SayError {
    /// What is wrong.
    pub kind: SayErrorKind,
    source: Option<PortError>,
}

/// What is wrong with what somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayErrorKind {
    /// There is no such pipeline.
    UnknownPipeline(PipelineKey),
    /// The pipeline has no such environment; these it has.
    UnknownEnvironment(EnvironmentName, Vec<EnvironmentName>),
    /// The environment has no such target that reports; these it has.
    UnknownTarget(Option<TargetName>, Vec<TargetName>),
    /// The version is nowhere in the pipeline.
    UnknownVersion(String, EnvironmentName),
    /// Nothing is there to be meant.
    NothingToMean(String),
    /// A text is not what it should be.
    Malformed(String),
    /// It could not be recorded.
    NotRecorded,
}

impl fmt::Display for SayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: Vec<&str>| names.join(", ");
        match &self.kind {
            SayErrorKind::UnknownPipeline(key) => write!(f, "there is no pipeline {key}"),
            SayErrorKind::UnknownEnvironment(name, known) => {
                write!(
                    f,
                    "there is no environment {name}; there are {}",
                    list(known.iter().map(|n| n.as_str()).collect())
                )
            }
            SayErrorKind::UnknownTarget(Some(name), known) => {
                write!(
                    f,
                    "no target {name} reports here; these do: {}",
                    list(known.iter().map(|n| n.as_str()).collect())
                )
            }
            SayErrorKind::UnknownTarget(None, known) if known.is_empty() => {
                write!(f, "no target of this environment takes reports")
            }
            SayErrorKind::UnknownTarget(None, known) => {
                write!(f, "say which target: {}", list(known.iter().map(|n| n.as_str()).collect()))
            }
            SayErrorKind::UnknownVersion(version, environment) => {
                write!(f, "{version} is not on its way to {environment}, nor anywhere in the pipeline")
            }
            SayErrorKind::NothingToMean(why) | SayErrorKind::Malformed(why) => f.write_str(why),
            SayErrorKind::NotRecorded => f.write_str("it could not be recorded"),
        }
    }
}

impl std::error::Error for SayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl SayError {
    /// What made it fail, where that was something else.
    pub(crate) fn into_cause(self) -> Option<PortError> {
        self.source
    }
}

impl From<SayErrorKind> for SayError {
    fn from(kind: SayErrorKind) -> Self {
        Self { kind, source: None }
    }
}

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct AskedFor {
    /// In which environment.
    pub environment: EnvironmentName,
    /// What: a version, or `artifact=version` pairs. Without it, what is next, or what was there before.
    pub version: Option<String>,
    /// How.
    pub kind: RequestKind,
    /// Who.
    pub by: Person,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// What was recorded of what a person asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The release that is meant.
    pub release: Release,
    /// What is planned with it.
    pub looked: Looked,
}

impl Engine {
    /// A person says yes to a release in an environment. Without a version, the next one is meant.
    pub async fn approve(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        version: Option<&str>,
        by: Person,
        groups: Vec<Group>,
        aliases: Vec<Person>,
    ) -> Result<Asked, SayError> {
        let pipeline = self.known(key)?;
        known_environment(&pipeline, environment)?;
        let (looked, _) = self.look(&pipeline).await;
        let release = meant(&pipeline, &looked, environment, version)?;
        let at = self.ports.clock.now();
        let approval = Approval { release: release.clone(), by, groups, aliases, at };
        self.record_approval(&pipeline, environment, approval).await?;
        self.look_after(&pipeline, release).await
    }

    /// A person asks for a release by name. It stands for the state that the
    /// environment is in now, and for no other. With `dry_run` nothing is recorded.
    pub async fn ask(&self, key: &PipelineKey, asked: AskedFor, dry_run: bool) -> Result<Asked, SayError> {
        let (environment, request, pipeline, mut sight) = self.understand(key, asked).await?;
        let release = request.release.clone();
        if dry_run {
            if let Some(seen) = sight.observation.environments.get_mut(&environment)
                && let Seen::Known(requests) = &mut seen.requests
            {
                requests.push(request);
            }
            let at = self.ports.clock.now();
            let plan = gradus_core::plan(&pipeline, &sight.observation, at);
            let looked = Looked { pipeline, report: plan.report, steps: plan.steps, at };
            return Ok(Asked { release, looked });
        }
        self.put(&pipeline, &[Entry::Request { environment, request }]).await?;
        self.look_after(&pipeline, release).await
    }

    /// What a person asks for, with the state that the environment is in now.
    /// Nothing is recorded.
    pub async fn request(&self, key: &PipelineKey, asked: AskedFor) -> Result<Request, SayError> {
        Ok(self.understand(key, asked).await?.1)
    }

    /// The release that a yes without a version means: the next one.
    pub async fn meant(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        version: Option<&str>,
    ) -> Result<Release, SayError> {
        let pipeline = self.known(key)?;
        known_environment(&pipeline, environment)?;
        let (looked, _) = self.look(&pipeline).await;
        Ok(meant(&pipeline, &looked, environment, version)?)
    }

    async fn understand(
        &self,
        key: &PipelineKey,
        asked: AskedFor,
    ) -> Result<(EnvironmentName, Request, Arc<Pipeline>, Sight), SayError> {
        let pipeline = self.known(key)?;
        known_environment(&pipeline, &asked.environment)?;
        let (looked, sight) = self.look(&pipeline).await;
        let here = looked.report.environment(&asked.environment);
        let from = here.and_then(|here| match &here.declared {
            Seen::Known(release) => release.clone(),
            Seen::Unknown(_) => None,
        });
        let origin = here.and_then(|here| here.origin.clone());
        let release = match (&asked.version, asked.kind) {
            (Some(version), _) => wanted(&pipeline, &looked, version)?,
            (None, RequestKind::Rollback) => {
                origin.as_ref().and_then(|origin| origin.replaced.clone()).ok_or_else(|| {
                    SayErrorKind::NothingToMean(format!(
                        "what {} had before is not known; say which version",
                        asked.environment
                    ))
                })?
            }
            (None, RequestKind::Promote | RequestKind::Override | RequestKind::Emergency) => {
                meant(&pipeline, &looked, &asked.environment, None)?
            }
        };
        let request = Request {
            id: request_id(key, &asked, &release, &state(here, &release))?,
            release,
            kind: asked.kind,
            by: asked.by,
            at: self.ports.clock.now(),
            reason: asked.reason,
            from,
            from_commit: origin.map(|origin| origin.commit),
        };
        Ok((asked.environment, request, pipeline, sight))
    }

    /// Somebody reports what a target does. Without a target's name, the only one that reports is meant.
    pub async fn report(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        target: Option<&TargetName>,
        reported: Reported,
        by: Person,
        at: Timestamp,
    ) -> Result<(), SayError> {
        let pipeline = self.known(key)?;
        let target = reporting(known_environment(&pipeline, environment)?, target)?;
        // A report from the future would silence every later one until then.
        let now = self.ports.clock.now();
        if at.duration_since(now) > AHEAD {
            let why = format!("the report is of {at}, and it is {now}; check the clock of whoever reports");
            return Err(SayErrorKind::Malformed(why).into());
        }
        let entry = Entry::Report { environment: environment.clone(), target, reported, by, at };
        self.put(&pipeline, &[entry]).await
    }

    /// Somebody reports what came out of an outside check.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the report")]
    pub async fn check(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        check: CheckName,
        version: &str,
        result: CheckResult,
        reporter: Person,
        detail: Option<Arc<str>>,
    ) -> Result<(), SayError> {
        let pipeline = self.known(key)?;
        known_environment(&pipeline, environment)?;
        let release = match self.latest(key) {
            Some(looked) => wanted(&pipeline, &looked, version)?,
            None => parse(&pipeline, version)?,
        };
        let at = self.ports.clock.now();
        let fact = CheckFact { check, reporter, release, result, at, detail };
        self.put(&pipeline, &[Entry::Check { environment: environment.clone(), fact }]).await
    }

    /// A person has said yes to this very release.
    pub(crate) async fn record_approval(
        &self,
        pipeline: &Pipeline,
        environment: &EnvironmentName,
        approval: Approval,
    ) -> Result<(), SayError> {
        self.put(pipeline, &[Entry::Approval { environment: environment.clone(), approval }]).await
    }

    async fn put(&self, pipeline: &Pipeline, entries: &[Entry]) -> Result<(), SayError> {
        let recorded = self.ports.ledger.record(&pipeline.key, entries).await;
        recorded.map_err(|source| SayError { kind: SayErrorKind::NotRecorded, source: Some(source) })?;
        self.wake(&pipeline.key);
        Ok(())
    }

    async fn look_after(&self, pipeline: &Arc<Pipeline>, release: Release) -> Result<Asked, SayError> {
        let (looked, _) = self.look(pipeline).await;
        Ok(Asked { release, looked })
    }

    fn known(&self, key: &PipelineKey) -> Result<Arc<Pipeline>, SayError> {
        self.pipeline(key).ok_or_else(|| SayErrorKind::UnknownPipeline(key.clone()).into())
    }
}

fn known_environment<'a>(
    pipeline: &'a Pipeline,
    name: &EnvironmentName,
) -> Result<&'a Environment, SayErrorKind> {
    pipeline.environment(name).ok_or_else(|| {
        let known = pipeline.environments().iter().map(|environment| environment.name.clone()).collect();
        SayErrorKind::UnknownEnvironment(name.clone(), known)
    })
}

fn reporting(environment: &Environment, name: Option<&TargetName>) -> Result<TargetName, SayErrorKind> {
    let known: Vec<TargetName> = environment
        .targets
        .iter()
        .filter(|target| target.kind == TargetKind::Report)
        .map(|target| target.name.clone())
        .collect();
    match (name, known.as_slice()) {
        (Some(name), known) if known.contains(name) => Ok(name.clone()),
        (None, [only]) => Ok(only.clone()),
        (name, _) => Err(SayErrorKind::UnknownTarget(name.cloned(), known)),
    }
}

/// The release that a person means for an environment: the next one, or one that is on its way.
fn meant(
    pipeline: &Pipeline,
    looked: &Looked,
    environment: &EnvironmentName,
    version: Option<&str>,
) -> Result<Release, SayErrorKind> {
    let next =
        looked.report.environment(environment).and_then(|here| here.next.as_ref()).map(|next| &next.release);
    let Some(version) = version else {
        return next
            .cloned()
            .ok_or_else(|| SayErrorKind::NothingToMean(format!("nothing waits to come into {environment}")));
    };
    let given = parse(pipeline, version)?;
    if let Some(next) = next.filter(|next| next.same(&given)) {
        return Ok(next.clone());
    }
    let anywhere = looked.report.environments.iter().filter_map(|here| here.release());
    anywhere
        .clone()
        .find(|release| release.same(&given))
        .cloned()
        .ok_or_else(|| SayErrorKind::UnknownVersion(version.to_owned(), environment.clone()))
}

/// The release that a person asks for: written as it is written elsewhere in the pipeline, if it is there.
fn wanted(pipeline: &Pipeline, looked: &Looked, version: &str) -> Result<Release, SayErrorKind> {
    let given = parse(pipeline, version)?;
    let there = looked.report.environments.iter().flat_map(|here| {
        let next = here.next.as_ref().map(|next| &next.release);
        here.release().into_iter().chain(next)
    });
    Ok(there.clone().find(|release| release.same(&given)).cloned().unwrap_or(given))
}

/// Reads a version, or `artifact=version` pairs with commas between them.
fn parse(pipeline: &Pipeline, text: &str) -> Result<Release, SayErrorKind> {
    let malformed = |why: String| SayErrorKind::Malformed(why);
    let version = |text: &str| Version::parse(text).map_err(|error| malformed(error.to_string()));
    if let Some(artifact) = pipeline.only_artifact()
        && !text.contains('=')
    {
        return Ok(Release::single(artifact.clone(), version(text)?));
    }
    let mut versions = Vec::new();
    for pair in text.split(',') {
        let known = || pipeline.artifacts.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let Some((name, value)) = pair.split_once('=') else {
            return Err(malformed(format!(
                "{pair:?} does not say which artifact; write ARTIFACT=VERSION, of {}",
                known()
            )));
        };
        let Some(artifact) = pipeline.artifacts.keys().find(|artifact| artifact.as_str() == name.trim())
        else {
            return Err(malformed(format!("there is no artifact {name:?}; there are {}", known())));
        };
        versions.push((artifact.clone(), version(value.trim())?));
    }
    Release::new(versions).ok_or_else(|| malformed("no version was given".to_owned()))
}

/// What tells the state of an environment from another: the commit that brought what it has, and, where automation was
/// asked for this release in vain, which promotion that was. Who asks for it then asks once more.
fn state(here: Option<&EnvironmentReport>, release: &Release) -> String {
    let commit = here.and_then(|here| here.origin.as_ref()).map_or("", |origin| origin.commit.as_str());
    let in_vain = here.into_iter().flat_map(|here| &here.reasons).find_map(|reason| {
        let Reason::DispatchUnanswered { to, promotion, .. } = reason else { return None };
        to.same(release).then_some(promotion)
    });
    in_vain.map_or_else(|| commit.to_owned(), |promotion| format!("{commit}\n{promotion}"))
}

/// The same person who asks for the same thing in the same state asks the same thing.
fn request_id(
    key: &PipelineKey,
    asked: &AskedFor,
    release: &Release,
    state: &str,
) -> Result<RequestId, SayErrorKind> {
    let mut hash = Sha256::new();
    let kind = format!("{:?}", asked.kind);
    for part in [&key.to_string(), asked.environment.as_str(), &release.to_string(), &kind, asked.by.as_str()]
    {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.update(state.as_bytes());
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    RequestId::parse(&format!("r-{hex}")).map_err(|error| SayErrorKind::Malformed(error.to_string()))
}
