//! Where answers come from: a running `gradus serve`, a cluster with gradus in it, or
//! a folder of manifests and the repositories themselves. All speak the shapes of the API, so that a
//! command prints the same whichever it asked.

mod cluster;
mod folder;
mod person;
mod proposal;
mod say;
mod server;

use std::path::{Path, PathBuf};

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::pipeline::Pipeline;
use gradus_core::tell::Clock;
use gradus_server::api::v1;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::client::Client;
use crate::config::Config;
use crate::error::CliError;
use crate::nearest::did_you_mean;
use crate::output::Printer;
use crate::plan::PipelinePlan;
use crate::wiring::{AccessArgs, CacheArgs};

pub(crate) use cluster::{Answer, ClusterArgs, ClusterSource, Held, OneClusterArgs, SaidObject, failed};
pub(crate) use folder::{Acted, Folder, Taken};
pub(crate) use person::PersonArgs;
pub(crate) use proposal::shown;
pub(crate) use say::{Said, release};
pub(crate) use server::{Server, escaped};

/// Where to look.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct SourceArgs {
    /// Address of a running `gradus serve` [env: GRADUS_SERVER].
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "data"])]
    pub(crate) server: Option<String>,
    /// Folder of pipeline manifests, or one file [env: GRADUS_CONFIG] [default: the current folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory of `gradus serve`, for what was reported and approved [env: GRADUS_DATA].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// File with the token for the server; else the token is read from GRADUS_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// Where answers come from.
pub(crate) enum Source {
    /// A running server.
    Server(Server),
    /// The objects of a cluster.
    Cluster(Box<ClusterSource>),
    /// Manifests and repositories.
    Folder(Box<Folder>),
}

/// Which part of the history.
#[derive(Debug, Clone, Default)]
pub(crate) struct HistoryAsk {
    /// Only this environment.
    pub(crate) environment: Option<String>,
    /// Also what was only seen.
    pub(crate) all: bool,
    /// At most this many.
    pub(crate) limit: usize,
}

impl SourceArgs {
    /// The cluster, where one is to be asked. What is said on the command line goes
    /// before the environment, and that before what the program is called.
    pub(crate) fn cluster(&self) -> Option<gradus_kube::ask::Place> {
        let elsewhere = self.server.is_some() || self.config.is_some() || self.data.is_some();
        self.cluster.named().or_else(|| {
            if elsewhere {
                return None;
            }
            let unless_server =
                || if text("GRADUS_SERVER").is_none() { ClusterArgs::as_plugin() } else { None };
            ClusterArgs::from_env().or_else(unless_server)
        })
    }

    /// The address of the server, where one is to be asked. An explicit folder
    /// goes before an address in the environment.
    pub(crate) fn server(&self) -> Option<String> {
        if self.cluster().is_some() {
            return None;
        }
        let from_env =
            || if self.config.is_none() && self.data.is_none() { text("GRADUS_SERVER") } else { None };
        self.server.clone().or_else(from_env)
    }

    /// The folder of manifests.
    pub(crate) fn config(&self) -> PathBuf {
        config_folder(self.config.as_deref())
    }

    /// The data directory.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        self.data.clone().or_else(|| text("GRADUS_DATA").map(PathBuf::from))
    }

    /// Whether nothing that lasts is asked for what was recorded.
    pub(crate) fn is_without_ledger(&self) -> bool {
        self.server().is_none() && self.cluster().is_none() && self.data().is_none()
    }

    /// A client of the server at this address.
    fn client(&self, server: &str, person: Option<&PersonArgs>) -> Result<Client, CliError> {
        let token = match &self.token_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
                CliError::because(format!("reading the token in {}", file.display()), error)
            })?),
            None => text("GRADUS_TOKEN"),
        };
        // With a token the server knows who it is.
        let person = person.filter(|_| token.is_none());
        let groups = person.map(PersonArgs::groups).unwrap_or_default();
        Ok(Client::new(server, token)?.for_user(person.and_then(PersonArgs::name)).in_groups(groups))
    }

    /// Opens the source, to look.
    pub(crate) async fn open(&self, printer: &Printer) -> Result<Source, CliError> {
        if let Some(place) = self.cluster() {
            return Ok(Source::Cluster(Box::new(ClusterSource::open(&place, printer).await?)));
        }
        match self.server() {
            Some(server) => Ok(Source::Server(Server::new(self.client(&server, None)?))),
            None => Ok(Source::Folder(Box::new(Folder::open(self, None, printer).await?))),
        }
    }

    /// Opens the source for a person who has something to say.
    pub(crate) async fn open_for(&self, person: &PersonArgs, printer: &Printer) -> Result<Source, CliError> {
        if let Some(place) = self.cluster() {
            return Ok(Source::Cluster(Box::new(ClusterSource::open(&place, printer).await?)));
        }
        if let Some(server) = self.server() {
            return Ok(Source::Server(Server::new(self.client(&server, Some(person))?)));
        }
        if self.data().is_none() {
            return Err(CliError::usage("this is recorded, and it is not said where")
                .help("give the address of a running `gradus serve` with --server or GRADUS_SERVER")
                .help("or name a cluster with gradus in it with --context or GRADUS_CONTEXT")
                .help("or give its data directory with --data or GRADUS_DATA, beside --config"));
        }
        Ok(Source::Folder(Box::new(Folder::open(self, Some(person.speaker()?), printer).await?)))
    }
}

impl Source {
    /// The status of all pipelines.
    pub(crate) async fn statuses(&self) -> Result<Vec<v1::PipelineStatus>, CliError> {
        match self {
            Self::Server(server) => server.statuses().await,
            Self::Cluster(cluster) => cluster.statuses().await,
            Self::Folder(folder) => folder.statuses().await,
        }
    }

    /// Which pipeline is meant: `namespace/name`, or a name that is there once.
    pub(crate) async fn key(&self, given: &str) -> Result<PipelineKey, CliError> {
        match self {
            // The server says itself that there is none.
            Self::Server(_) if given.contains('/') => parse_key(given),
            Self::Server(server) => resolve(given, &server.keys().await?),
            Self::Cluster(cluster) => resolve(given, &cluster.keys().await?),
            Self::Folder(folder) => resolve_in(given, folder.config()),
        }
    }

    /// All that was found of one pipeline.
    pub(crate) async fn pipeline(&self, key: &PipelineKey) -> Result<v1::Pipeline, CliError> {
        match self {
            Self::Server(server) => server.pipeline(key).await,
            Self::Cluster(cluster) => cluster.pipeline(key).await,
            Self::Folder(folder) => folder.pipeline(key).await,
        }
    }

    /// Why an environment is as it is.
    pub(crate) async fn explain(
        &self,
        key: &PipelineKey,
        environment: &str,
    ) -> Result<v1::Explanation, CliError> {
        match self {
            Self::Server(server) => server.explain(key, environment).await,
            Self::Cluster(cluster) => cluster.explain(key, environment).await,
            Self::Folder(folder) => folder.explain(key, environment).await,
        }
    }

    /// What is to be done in these pipelines; in all when none is named.
    pub(crate) async fn plans(&self, keys: &[PipelineKey]) -> Result<Vec<PipelinePlan>, CliError> {
        match self {
            Self::Server(server) => server.plans(keys).await,
            Self::Cluster(cluster) => cluster.plans(keys).await,
            Self::Folder(folder) => folder.plans(keys).await,
        }
    }

    /// The record, newest first.
    pub(crate) async fn history(&self, key: &PipelineKey, ask: &HistoryAsk) -> Result<v1::History, CliError> {
        match self {
            Self::Server(server) => server.history(key, ask).await,
            Self::Cluster(cluster) => cluster.history(key, ask).await,
            Self::Folder(folder) => folder.history(key, ask).await,
        }
    }

    /// The proposals of a pipeline, newest first.
    pub(crate) async fn proposals(&self, key: &PipelineKey) -> Result<v1::ProposalList, CliError> {
        match self {
            Self::Server(server) => server.proposals(key).await,
            Self::Cluster(cluster) => cluster.proposals(key).await,
            Self::Folder(folder) => folder.proposals(key).await,
        }
    }
}

/// The folder of manifests, where this one was given.
pub(crate) fn config_folder(given: Option<&Path>) -> PathBuf {
    let from_env = || text("GRADUS_CONFIG").map(PathBuf::from);
    given.map(Path::to_owned).or_else(from_env).unwrap_or_else(|| PathBuf::from("."))
}

/// Which pipeline of a folder is meant.
pub(crate) fn resolve_in(given: &str, config: &Config) -> Result<PipelineKey, CliError> {
    let keys: Vec<PipelineKey> = config.pipelines.keys().cloned().collect();
    resolve(given, &keys).map_err(|error| {
        // A pipeline that is not there may be one with a mistake.
        let is_meant = |key: &&PipelineKey| key.to_string() == given || key.name.as_str() == given;
        match config.withheld.iter().find(is_meant) {
            Some(key) => CliError::failed(format!("the manifest of {key} has a mistake"))
                .help("`gradus lint` shows it"),
            None => error,
        }
    })
}

/// The environment of this name; else the names there are.
pub(crate) fn environment_of(pipeline: &Pipeline, given: &str) -> Result<EnvironmentName, CliError> {
    let names = || pipeline.environments().iter().map(|environment| environment.name.as_str());
    if let Some(found) = pipeline.environments().iter().find(|environment| environment.name.as_str() == given)
    {
        return Ok(found.name.clone());
    }
    let help = did_you_mean(given, names())
        .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
    Err(CliError::failed(format!("{} has no environment {given:?}", pipeline.key)).help(help))
}

/// The time, as it is shown to whoever sits here.
pub(crate) fn clock() -> Clock {
    Clock { now: Timestamp::now(), zone: TimeZone::system() }
}

/// A variable of the environment that says something.
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn parse_key(given: &str) -> Result<PipelineKey, CliError> {
    PipelineKey::parse(given).map_err(|error| CliError::usage(error.to_string()))
}

fn resolve(given: &str, keys: &[PipelineKey]) -> Result<PipelineKey, CliError> {
    let wanted = parse_key(given)?;
    let has_namespace = given.contains('/');
    let mut found = keys.iter().filter(|key| key.name == wanted.name && (!has_namespace || **key == wanted));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(first), Some(second)) => Err(CliError::usage(format!(
            "there are several pipelines called {given}"
        ))
        .help(format!("say which: {first}, {second}{}", if found.next().is_some() { ", ..." } else { "" }))),
        (None, _) => Err(no_pipeline(given, keys)),
    }
}

fn no_pipeline(given: &str, keys: &[PipelineKey]) -> CliError {
    let names: Vec<String> = keys.iter().flat_map(|key| [key.name.to_string(), key.to_string()]).collect();
    let error = CliError::failed(format!("there is no pipeline {given}"));
    match did_you_mean(given, names.iter().map(String::as_str)) {
        Some(help) => error.help(help),
        None if keys.is_empty() => error,
        None if keys.len() <= 10 => {
            let list: Vec<String> = keys.iter().map(ToString::to_string).collect();
            error.help(format!("there is {}", list.join(", ")))
        }
        None => error.help("gradus status lists them"),
    }
}
