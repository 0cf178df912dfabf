//! A pipeline, from its manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{ArtifactName, BranchName, Namespace, PipelineKey, PipelineName, RepoPath};
use gradus_core::pipeline::{
    Author, CommitStyle, Environment, Forge, ForgeKind, Mode, OnDelete, Pipeline, PipelineError,
    PipelineErrorKind, Repository, TargetKind, VersionFrom,
};
use gradus_core::version::Order;

use super::{Reader, environment, in_cluster, location, object_name, pull_request, versions};
use crate::error::{ManifestErrorKind, Trouble};
use crate::wire;
use crate::yaml::Path;

/// Reads a pipeline; `None` once all that is wrong with it has been told of.
pub(crate) fn pipeline(reader: &mut Reader<'_, '_>, manifest: &wire::PipelineManifest) -> Option<Pipeline> {
    let spec_path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let key = key(reader, &manifest.metadata);
    let repository = repository(reader, &spec_path.field("repository"), &spec.repository);
    let block = versions::list(reader, &spec_path.field("block"), &spec.block);
    let artifacts = artifacts(reader, &spec_path.field("artifacts"), &spec.artifacts);
    // Without its artifacts the pipeline's other parts would be blamed for names that are right.
    let artifacts = artifacts?;
    let carried = carried(&artifacts, &spec.artifacts);
    let home = in_cluster::Home {
        namespace: key.as_ref().map(|key| &key.namespace),
        app: spec.app_ref.as_ref(),
        versions: &carried.into(),
    };
    let moving: Vec<ArtifactName> = artifacts.keys().cloned().collect();
    let proposals = pull_request::Of {
        key: key.as_ref(),
        artifacts: &moving,
        shared: spec.pull_request.as_ref(),
        forge: spec.repository.forge,
    };
    let path = spec_path.field("environments");
    let environments = environment::list(reader, &path, &spec.environments, &artifacts, &home, &proposals);
    // What has no lines is an object, and that is in a cluster.
    if let Some(app) = &spec.app_ref
        && reader.place(&Path::ROOT).line > 0
        && spec.environments.iter().flat_map(|e| &e.targets).any(|target| target.namespace.is_some())
    {
        let message = format!(
            "without a cluster, {} {} is not looked at: the state of a target with a namespace is what is reported for it",
            app.kind, app.name
        );
        reader.note(&spec_path.field("appRef"), message);
    }
    let (key, mut repository, block, mut environments) = (key?, repository?, block?, environments?);
    in_namespace(&key, &mut repository, &mut environments);
    let mut pipeline = match Pipeline::new(key, repository, artifacts, environments.clone()) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            no_pipeline(reader, &spec_path.field("environments"), &environments, &error);
            return None;
        }
    };
    pipeline.block = block;
    pipeline.mode = match (spec.suspend, spec.mode) {
        (true, _) => Mode::Suspended,
        (false, Some(wire::Mode::Active) | None) => Mode::Active,
        (false, Some(wire::Mode::Observe)) => Mode::Observe,
    };
    pipeline.on_delete = match spec.on_delete {
        Some(wire::OnDelete::Close) | None => OnDelete::Close,
        Some(wire::OnDelete::Leave) => OnDelete::Leave,
    };
    pipeline.poke = spec.poke.unwrap_or(true);
    Some(pipeline)
}

/// A Secret is in the pipeline's namespace: past here it is named in full.
fn in_namespace(key: &PipelineKey, repository: &mut Repository, environments: &mut [Environment]) {
    let qualify = |secret: &mut Option<Arc<str>>| {
        if let Some(name) = secret {
            *name = format!("{}/{name}", key.namespace).into();
        }
    };
    qualify(&mut repository.secret);
    qualify(&mut repository.commit.signing);
    for target in environments.iter_mut().flat_map(|environment| &mut environment.targets) {
        match &mut target.kind {
            TargetKind::Http(http) => qualify(&mut http.secret),
            TargetKind::Report | TargetKind::Git | TargetKind::Cluster(_) => {}
        }
    }
}

fn key(reader: &mut Reader<'_, '_>, metadata: &wire::Metadata) -> Option<PipelineKey> {
    let path = Path::ROOT.field("metadata");
    let namespace = namespace(reader, metadata);
    let name = reader.take(&path.field("name"), PipelineName::parse(&metadata.name));
    Some(PipelineKey { namespace: namespace?, name: name? })
}

/// The namespace an object lives in.
pub(super) fn namespace(reader: &mut Reader<'_, '_>, metadata: &wire::Metadata) -> Option<Namespace> {
    let path = Path::ROOT.field("metadata");
    let text = metadata.namespace.as_deref().unwrap_or("default");
    reader.take(&path.field("namespace"), Namespace::parse(text))
}

fn repository(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    repository: &wire::Repository,
) -> Option<Repository> {
    let url = reader.take(&path.field("url"), location::repository(&repository.url));
    let branch = repository.branch.as_deref().map(BranchName::parse);
    let branch = reader.take_some(&path.field("branch"), branch);
    let paths = reader.each(&path.field("paths"), &repository.paths, |reader, path, text| {
        reader.take(path, RepoPath::parse(text.strip_suffix('/').unwrap_or(text)))
    });
    let secret = repository.secret_ref.as_ref().map(|secret| object_name("secret name", &secret.name));
    let secret = reader.take_some(&path.field("secretRef").field("name"), secret);
    let forge = forge(reader, path, repository);
    let commit = commit_style(reader, path, repository);
    Some(Repository {
        url: url?,
        branch: branch?,
        paths: paths?,
        secret: secret?,
        forge: forge?,
        commit: commit?,
    })
}

fn commit_style(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    repository: &wire::Repository,
) -> Option<CommitStyle> {
    let Some(style) = &repository.commit else { return Some(CommitStyle::default()) };
    let path = path.field("commit");
    let author = match &style.author {
        None => Some(None),
        Some(author) => {
            let path = path.field("author");
            let name = reader.take(&path.field("name"), part_of_author("name", &author.name));
            let email = reader.take(&path.field("email"), part_of_author("address", &author.email));
            name.zip(email).map(|(name, email)| Some(Author { name, email }))
        }
    };
    let signing = style.signing_key_ref.as_ref().map(|secret| object_name("secret name", &secret.name));
    let signing = reader.take_some(&path.field("signingKeyRef").field("name"), signing);
    Some(CommitStyle { author: author?, sign_off: style.sign_off, signing: signing? })
}

/// What Git can put into a commit.
fn part_of_author(what: &str, text: &str) -> Result<Arc<str>, Trouble> {
    let is_odd = text.trim() != text || text.contains(['<', '>']) || text.contains(char::is_control);
    if text.is_empty() || is_odd {
        return Err(Trouble::value(format!(
            "the {what} of an author is not empty and holds neither <, > nor a control character"
        )));
    }
    Ok(Arc::from(text))
}

/// Who keeps the proposals, if it is not gradus itself.
fn forge(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    repository: &wire::Repository,
) -> Option<Option<Forge>> {
    let kind = match repository.forge {
        None | Some(wire::Forge::Local) => return Some(None),
        Some(wire::Forge::Gitea | wire::Forge::Forgejo) => ForgeKind::Gitea,
        Some(wire::Forge::Github) => ForgeKind::GitHub,
        Some(wire::Forge::Gitlab) => ForgeKind::GitLab,
        Some(wire::Forge::Bitbucket) => ForgeKind::Bitbucket,
        Some(wire::Forge::BitbucketServer) => ForgeKind::BitbucketServer,
        Some(wire::Forge::AzureDevops) => ForgeKind::AzureDevOps,
    };
    let url = repository.forge_url.as_deref().map(location::repository);
    let url = reader.take_some(&path.field("forgeUrl"), url)?;
    Some(Some(Forge { kind, url }))
}

fn artifacts(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    artifacts: &[wire::Artifact],
) -> Option<BTreeMap<ArtifactName, Order>> {
    if artifacts.is_empty() {
        return reader
            .take(path, ArtifactName::parse("app"))
            .map(|name| BTreeMap::from([(name, Order::Auto)]));
    }
    let mut known = BTreeMap::new();
    let mut whole = true;
    for (at, artifact) in artifacts.iter().enumerate() {
        let path = path.item(at);
        let ranges = [
            (artifact.range.is_some(), path),
            (artifact.chart.as_ref().is_some_and(|chart| chart.range.is_some()), path.field("chart")),
            (artifact.image.as_ref().is_some_and(|image| image.range.is_some()), path.field("image")),
        ];
        for (_, path) in ranges.iter().filter(|(is_there, _)| *is_there) {
            let trouble = Trouble::not_yet(
                "ranges belong to image automation, which gradus does not do yet; leave `range` out",
            );
            reader.fail(&path.field("range"), trouble);
            whole = false;
        }
        let order = match artifact.order {
            None => Order::Auto,
            Some(wire::Order::Semver) => Order::Semver,
            Some(wire::Order::Numeric) => Order::Numeric,
            Some(wire::Order::Calendar) => Order::Calendar,
            Some(wire::Order::Seen) => Order::Seen,
        };
        let path = path.field("name");
        match reader.take(&path, ArtifactName::parse(&artifact.name)) {
            None => whole = false,
            Some(name) => {
                if known.insert(name, order).is_some() {
                    reader
                        .fail(&path, Trouble::value(format!("artifact {:?} is there twice", artifact.name)));
                    whole = false;
                }
            }
        }
    }
    whole.then_some(known)
}

/// Where the version of each artifact is read in a cluster.
fn carried(
    artifacts: &BTreeMap<ArtifactName, Order>,
    written: &[wire::Artifact],
) -> BTreeMap<ArtifactName, VersionFrom> {
    let image_of = |name: &ArtifactName| {
        let artifact = written.iter().find(|artifact| artifact.name == name.as_str())?;
        artifact.image.as_ref().map(|image| image.repository.as_str())
    };
    artifacts
        .keys()
        .map(|name| {
            let from = image_of(name).map_or(VersionFrom::Object, |image| VersionFrom::Image(image.into()));
            (name.clone(), from)
        })
        .collect()
}

/// Tells why the environments are no pipeline, at the field that is at fault.
fn no_pipeline(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    environments: &[Environment],
    error: &PipelineError,
) {
    let Some((at, environment)) = error.environment.and_then(|at| Some((at, environments.get(at)?))) else {
        return reader.fail(path, Trouble::new(ManifestErrorKind::Pipeline, error.to_string()));
    };
    let text = error.to_string();
    let message = match text.strip_prefix("it ") {
        Some(rest) => format!("environment \"{}\" {rest}", environment.name),
        None if text.starts_with("environment ") => text,
        None => format!("environment \"{}\": {text}", environment.name),
    };
    let trouble = |help: Option<String>| Trouble::new(ManifestErrorKind::Pipeline, message).maybe_help(help);
    let item = path.item(at);
    let after = item.field("after");
    match &error.kind {
        PipelineErrorKind::UnknownAfter { name, nearest } => {
            let all = || environments.iter().filter(|other| other.name != environment.name);
            let help = match nearest {
                Some(nearest) => format!("did you mean \"{nearest}\"?"),
                None => {
                    let names: Vec<&str> = all().map(|other| other.name.as_str()).collect();
                    format!("the other environments are {}", names.join(", "))
                }
            };
            let place = environment.after.iter().position(|other| other == name).unwrap_or_default();
            reader.fail(&after.item(place), trouble(Some(help)));
        }
        PipelineErrorKind::Cycle(_) => reader.fail(&after, trouble(None)),
        PipelineErrorKind::DuplicateEnvironment(name) => {
            let first = environments.iter().position(|other| &other.name == name).unwrap_or_default();
            let first = path.item(first);
            let first = first.field("name");
            let help = match reader.place(&first).line {
                0 => format!("the first is {first}"),
                line => format!("the first is at line {line}"),
            };
            reader.fail(&item.field("name"), trouble(Some(help)));
        }
        PipelineErrorKind::NoTargets | PipelineErrorKind::DuplicateTarget(_) => {
            reader.fail(&item.field("targets"), trouble(None));
        }
        PipelineErrorKind::NeedsTooMany { .. } => {
            reader.fail(&item.field("healthy").field("targets"), trouble(None));
        }
        PipelineErrorKind::BranchTaken { .. } => {
            let promote = item.field("promote");
            let block = promote.field("pullRequest");
            let (own, spec) = (block.field("branch"), Path::ROOT.field("spec"));
            let shared = spec.field("pullRequest");
            let shared = shared.field("branch");
            let place = [own, shared].into_iter().find(|path| reader.document.find(path).is_some());
            let help = "name it by `{{ environment }}`, or leave `branch` out".to_owned();
            reader.fail(&place.unwrap_or(item), trouble(Some(help)));
        }
        PipelineErrorKind::UnknownArtifact(_) => reader.fail(&item.field("edit"), trouble(None)),
        PipelineErrorKind::SoakBeforeFirst => {
            let help = "a soak under `verify` of an environment waits in that environment itself";
            reader.fail(&item.field("gates"), trouble(Some(help.to_owned())));
        }
        PipelineErrorKind::MergesNotOne(_) => {
            let help = "say with `after` which one it comes after, or write another `strategy`".to_owned();
            reader.fail(&item.field("promote").field("strategy"), trouble(Some(help)));
        }
        PipelineErrorKind::MergesItself { .. } => {
            let help = "say with `branch` which branch declares it".to_owned();
            reader.fail(&item.field("promote").field("strategy"), trouble(Some(help)));
        }
        PipelineErrorKind::NoEnvironments => reader.fail(path, trouble(None)),
    }
}
