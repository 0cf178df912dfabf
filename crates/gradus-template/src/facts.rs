//! What a template may speak of.

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, BranchName, EnvironmentName, PipelineKey};
use gradus_core::observation::RequestKind;
use gradus_core::plan::{Cause, Change};
use gradus_core::release::Release;
use minijinja::Value;

/// What a template may speak of. Nothing of it depends on the time at which it is rendered, but for the report.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The pipeline.
    pub pipeline: &'a PipelineKey,
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// The change, with where it is made; absent for what has to be the same for all changes.
    pub change: Option<Made<'a>>,
}

/// A change, and where it is made.
#[derive(Debug, Clone)]
pub struct Made<'a> {
    /// What changes.
    pub change: &'a Change,
    /// Where the repository is.
    pub repository: &'a str,
    /// The branch that it is for.
    pub base: &'a BranchName,
    /// The branch that it is proposed on.
    pub branch: Option<&'a BranchName>,
    /// The text that a proposal has by itself; empty where it is not to be used.
    pub report: &'a str,
}

impl Facts<'_> {
    /// As the language wants them.
    pub(crate) fn value(&self) -> Value {
        let mut all: BTreeMap<&str, Value> = BTreeMap::new();
        let pipeline =
            [("namespace", self.pipeline.namespace.as_str()), ("name", self.pipeline.name.as_str())];
        all.insert("pipeline", map(pipeline));
        all.insert("environment", self.environment.as_str().into());
        if let Some(made) = &self.change {
            made.add(&mut all);
        }
        Value::from(all)
    }
}

impl Made<'_> {
    fn add(&self, all: &mut BTreeMap<&str, Value>) {
        let change = self.change;
        all.insert("version", change.to.to_string().into());
        all.insert("from", versions(change.from.as_ref(), &change.to));
        all.insert("to", versions(Some(&change.to), &change.to));
        let artifacts = change.to.versions().map(|(name, to)| {
            let from = version(change.from.as_ref(), name);
            map([("name", name.as_str()), ("from", from), ("to", to.as_str())])
        });
        all.insert("artifacts", artifacts.collect::<Vec<_>>().into());
        all.insert("repository", map([("url", self.repository)]));
        all.insert("base", self.base.as_str().into());
        all.insert("branch", self.branch.map_or("", BranchName::as_str).into());
        all.insert("report", self.report.into());
        let proven: &[EnvironmentName] = match &change.cause {
            Cause::ProvenIn(environments) => environments,
            Cause::Asked(_) => &[],
        };
        all.insert("proven_in", list(proven.iter().map(EnvironmentName::as_str)));
        let request = change.request();
        all.insert("requested_by", request.map_or("", |request| request.by.as_str()).into());
        let reason = request.and_then(|request| request.reason.as_deref()).unwrap_or_default();
        all.insert("reason", one_line(reason).into());
        all.insert("approved_by", list(change.approved_by.iter().map(|person| person.as_str())));
        let rollback = request.is_some_and(|request| request.kind == RequestKind::Rollback);
        all.insert("rollback", rollback.into());
    }
}

/// The version of the only artifact, or of each by its name.
fn versions(of: Option<&Release>, like: &Release) -> Value {
    let mut names = like.versions().map(|(name, _)| name);
    match (names.next(), names.next()) {
        (Some(only), None) => version(of, only).into(),
        _ => map(like.versions().map(|(name, _)| (name.as_str(), version(of, name)))),
    }
}

/// What is not there yet is empty.
fn version<'a>(release: Option<&'a Release>, artifact: &ArtifactName) -> &'a str {
    release.and_then(|release| release.get(artifact)).map_or("", |version| version.as_str())
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    Value::from(pairs.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<BTreeMap<_, _>>())
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::from(texts.map(Value::from).collect::<Vec<_>>())
}

/// People's words stay on their line.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
