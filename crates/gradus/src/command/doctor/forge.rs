//! `gradus doctor forge`: which forge it is, who we are to it, what we may do, and what its rules are.

use std::path::Path;
use std::sync::Arc;

use gradus_core::names::BranchName;
use gradus_core::pipeline::Repository;
use gradus_engine::port::clock::SystemClock;
use gradus_remote::forge::{self, Examination, ForgeApis as _, Forges};
use gradus_remote::git::{Remote, RemoteUrl};
use gradus_remote::repos::Access;

use super::git::given;
use super::{Finding, Findings, State};
use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::forge_arg::ForgeArg;
use crate::format::FormatArgs;

/// Looks at a forge: which one it is, who we are to it, what we may do there, and what its rules are.
///
/// Nothing is written: whether something would be taken is asked with orders that are empty.
#[derive(Debug, clap::Args)]
pub(super) struct ForgeArgs {
    /// The repository's address; or a manifest, or a folder of them.
    #[arg(value_name = "URL|PATH")]
    what: String,
    #[command(flatten)]
    forge: ForgeArg,
    /// The branch that is deployed; the repository's own when left out.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

/// Looks at it, or at each that the manifests name.
pub(super) async fn look(arguments: ForgeArgs) -> Result<Vec<Findings>, CliError> {
    let access = arguments.forge.access()?;
    if !arguments.what.contains("://") && Path::new(&arguments.what).exists() {
        let mut all = Vec::new();
        for repository in named(Path::new(&arguments.what))? {
            all.push(one(&access, repository, "its manifest").await?);
        }
        return Ok(all);
    }
    let branch = arguments.branch.as_deref().map(BranchName::parse).transpose();
    let branch = branch.map_err(|error| CliError::usage(error.to_string()))?;
    let (how, repository) = arguments.forge.of(&arguments.what, &access).await?;
    let repository = Repository { branch, ..repository };
    Ok(vec![one(&access, repository, how).await?])
}

/// The repositories of manifests whose proposals are in a forge.
fn named(path: &Path) -> Result<Vec<Repository>, CliError> {
    let (config, _) = ConfigFolder::new(path)?.read()?;
    if let Some(error) = config.errors.first() {
        return Err(CliError::failed(error.to_string()).help("`gradus lint` shows all that is wrong"));
    }
    let mut all: Vec<Repository> = Vec::new();
    for pipeline in config.pipelines.values() {
        let repository = Repository { paths: Vec::new(), ..pipeline.repository.clone() };
        if repository.forge.is_some() && !all.contains(&repository) {
            all.push(repository);
        }
    }
    if all.is_empty() {
        let help = "say where people review with `repository.forge`, or give the repository's address";
        return Err(CliError::failed(format!("no pipeline in {} names a forge", path.display())).help(help));
    }
    Ok(all)
}

/// One repository in its forge.
async fn one(access: &Arc<dyn Access>, repository: Repository, how: &str) -> Result<Findings, CliError> {
    let forges = Forges::new(access.clone(), Arc::new(SystemClock));
    let api = forges.open(&repository)?;
    let options = access.options(&repository)?;
    let given = given(&repository.url, &options);
    // Whoever wrote an address that Git does not take is told so there.
    let git = RemoteUrl::new(&repository.url).and_then(|url| Remote::open(url, options)).ok();
    let (kind, url) = (api.address().kind, repository.url.to_string());
    let mut checks = vec![Finding {
        name: "forge",
        state: State::Ok,
        detail: format!("{kind}, by {how}; its API is {}", api.address().api()),
        help: None,
    }];
    let examination = Examination { api: &*api, given, base: repository.branch, git: git.as_ref() };
    checks.extend(forge::examine(examination).await.into_iter().map(Finding::from));
    Ok(Findings { url, checks })
}

impl From<forge::Finding> for Finding {
    fn from(found: forge::Finding) -> Self {
        let state = match found.state {
            forge::State::Ok => State::Ok,
            forge::State::Warn => State::Warn,
            forge::State::Fail => State::Fail,
        };
        Self { name: found.name, state, detail: found.detail, help: found.help }
    }
}
