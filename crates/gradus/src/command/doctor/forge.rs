//! `gradus doctor forge`: which forge it is, who we are to it, what we may do, and what its rules are.

use std::path::Path;
use std::sync::Arc;

use gradus_core::names::BranchName;
use gradus_core::pipeline::{Forge, ForgeKind, Repository};
use gradus_engine::port::clock::SystemClock;
use gradus_remote::forge::{self, Examination, ForgeApi, ForgeApis as _, Forges, kind_of_host};
use gradus_remote::git::{Remote, RemoteUrl};
use gradus_remote::repos::{Access, SecretFolder};

use super::git::given;
use super::{Finding, Findings, State};
use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::wiring::{AccessArgs, options};

/// Looks at a forge: which one it is, who we are to it, what we may do there, and what its rules are.
///
/// Nothing is written: whether something would be taken is asked with orders that are empty.
#[derive(Debug, clap::Args)]
pub(super) struct ForgeArgs {
    /// The repository's address; or a manifest, or a folder of them.
    #[arg(value_name = "URL|PATH")]
    what: String,
    /// The kind of forge; by its host, or asked for, when left out.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    forge: Option<ForgeKind>,
    /// Where the forge is, if the repository's address does not tell.
    #[arg(long, value_name = "URL")]
    forge_url: Option<String>,
    /// The branch that is deployed; the repository's own when left out.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The Secret that holds its credentials, as NAMESPACE/NAME in --secrets.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    secret: Option<String>,
    #[command(flatten)]
    pub(super) format: FormatArgs,
    #[command(flatten)]
    access: AccessArgs,
}

/// The kinds that can be told by what they answer.
const ANSWERING: [ForgeKind; 4] =
    [ForgeKind::Gitea, ForgeKind::GitLab, ForgeKind::GitHub, ForgeKind::BitbucketServer];

fn kind(word: &str) -> Result<ForgeKind, String> {
    let all = [
        ForgeKind::GitHub,
        ForgeKind::GitLab,
        ForgeKind::Gitea,
        ForgeKind::Bitbucket,
        ForgeKind::BitbucketServer,
        ForgeKind::AzureDevOps,
    ];
    let word = if word == "forgejo" { "gitea" } else { word };
    let known: Vec<&str> = all.iter().map(|kind| kind.word()).collect();
    let found = all.into_iter().find(|kind| kind.word() == word);
    found.ok_or_else(|| format!("it is one of {}", known.join(", ")))
}

/// Looks at it, or at each that the manifests name.
pub(super) async fn look(arguments: ForgeArgs) -> Result<Vec<Findings>, CliError> {
    let access =
        SecretFolder { folder: arguments.access.secrets.clone(), otherwise: options(&arguments.access)? };
    let access: Arc<dyn Access> = Arc::new(access);
    if !arguments.what.contains("://") && Path::new(&arguments.what).exists() {
        let mut all = Vec::new();
        for repository in named(Path::new(&arguments.what))? {
            all.push(one(&access, repository, "its manifest").await?);
        }
        return Ok(all);
    }
    let (how, forge) = of(&arguments, &access).await?;
    let branch = arguments.branch.as_deref().map(BranchName::parse).transpose();
    let branch = branch.map_err(|error| CliError::usage(error.to_string()))?;
    let secret = arguments.secret.as_deref().map(Arc::from);
    let url: Arc<str> = arguments.what.as_str().into();
    let repository = Repository { url, branch, paths: Vec::new(), secret, forge: Some(forge) };
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

/// Which forge the arguments mean, and how that is known.
async fn of(arguments: &ForgeArgs, access: &Arc<dyn Access>) -> Result<(&'static str, Forge), CliError> {
    let url: Option<Arc<str>> = arguments.forge_url.as_deref().map(Arc::from);
    if let Some(kind) = arguments.forge {
        return Ok(("--forge", Forge { kind, url }));
    }
    let host = forge::address::host_of(arguments.forge_url.as_deref().unwrap_or(&arguments.what));
    let Some(host) = host else {
        return Err(CliError::usage(format!("{} is no address, and nothing is there", arguments.what))
            .help("give an address such as https://git.example.com/acme/fleet, or a manifest"));
    };
    if let Some(kind) = kind_of_host(host) {
        return Ok(("its host", Forge { kind, url }));
    }
    let forges = Forges::new(access.clone(), Arc::new(SystemClock));
    let secret: Option<Arc<str>> = arguments.secret.as_deref().map(Arc::from);
    // An address that is none for a kind is none of that kind.
    let asked = ANSWERING.into_iter().filter_map(|kind| {
        let forge = Some(Forge { kind, url: url.clone() });
        let address = arguments.what.as_str().into();
        let repository =
            Repository { url: address, branch: None, paths: Vec::new(), secret: secret.clone(), forge };
        forges.open(&repository).ok()
    });
    let asked: Vec<Arc<dyn ForgeApi>> = asked.collect();
    match forge::recognise(&asked).await {
        Some(kind) => Ok(("what it answers", Forge { kind, url })),
        None => Err(CliError::failed(format!("which forge {host} is cannot be told from its name or its answers"))
            .help("say it with --forge, and with --forge-url if it is below a path; `gradus doctor git` says whether the host can be reached")),
    }
}

/// One repository in its forge.
async fn one(access: &Arc<dyn Access>, repository: Repository, how: &str) -> Result<Findings, CliError> {
    let forges = Forges::new(access.clone(), Arc::new(SystemClock));
    let api = forges.open(&repository)?;
    let options = access.options(&repository)?;
    let given = given(&options);
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
