//! `gradus doctor git`: how a repository is read, who we are to it, and whether it takes pushes.

use std::time::Instant;

use gradus_core::pipeline::Repository;
use gradus_remote::AppCredentials;
use gradus_remote::git::{
    BranchName, Credentials, GitError, GitErrorKind, Remote, RemoteOptions, RemoteUrl, Way,
};
use gradus_remote::repos::{Access, SecretFolder};

use super::{Finding, Findings, State};
use crate::config::file_url;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::wiring::{AccessArgs, options};

/// Looks at a Git repository: how it is read, who we are to it, and whether it takes pushes.
#[derive(Debug, clap::Args)]
pub(super) struct GitArgs {
    /// Its address, or a path.
    url: String,
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

/// Looks at it.
pub(super) async fn look(git: GitArgs) -> Result<Findings, CliError> {
    let address = file_url(&git.url);
    let access = SecretFolder { folder: git.access.secrets.clone(), otherwise: options(&git.access)? };
    let secret = git.secret.as_deref().map(std::sync::Arc::from);
    let repository =
        Repository { url: address.clone().into(), branch: None, paths: Vec::new(), secret, forge: None };
    let options = access.options(&repository)?;
    let given = given(&address, &options);
    let url = RemoteUrl::new(&address).map_err(from_git)?;
    let branch = git.branch.as_deref().map(BranchName::new).transpose().map_err(from_git)?;
    let mut findings = Findings { url: url.to_string(), checks: Vec::new() };
    let remote = match Remote::open(url, options) {
        Ok(remote) => remote,
        Err(error) if is_about_credentials(&error) => {
            findings.checks.extend(who(given.as_deref(), Some(&error)));
            return Ok(findings);
        }
        Err(error) => return Err(from_git(error)),
    };
    let found = remote.probe().await;
    findings.checks.extend(who(given.as_deref(), found.as_ref().err()));
    let capabilities = match found {
        Ok(capabilities) => capabilities,
        Err(error) => {
            if !is_about_credentials(&error) {
                findings.checks.push(failed("reading", &error));
            }
            return Ok(findings);
        }
    };
    let begun = Instant::now();
    let default = remote.default_branch().await;
    let trip = begun.elapsed().as_millis().max(1);
    let (state, way, help) = match capabilities.way {
        Way::Wire => (State::Ok, "wire", None),
        Way::Mirror => {
            let help = "whole commits are read, into memory: with filters and protocol 2 a promotion costs a few small requests";
            (State::Warn, "mirror", Some(help.to_owned()))
        }
    };
    let filter = if capabilities.filter { "filters" } else { "no filters" };
    let agent = capabilities.agent.as_ref().map_or_else(String::new, |agent| format!(", {agent}"));
    let detail =
        format!("{way} (protocol {}, {filter}){agent}, {trip} ms a round trip", capabilities.protocol);
    findings.checks.push(Finding { name: "reading", state, detail, help });
    findings.checks.push(deployed(&remote, branch, default).await);
    findings.checks.push(match &capabilities.receiving {
        Ok(_) => Finding {
            name: "writing",
            state: State::Ok,
            detail: "the host takes pushes with these credentials; whether rules protect a branch shows at the first one".to_owned(),
            help: None,
        },
        Err(why) => Finding {
            name: "writing",
            state: State::Fail,
            detail: why.clone(),
            help: Some("plans can be made all the same; to promote, give these credentials the right to push".to_owned()),
        },
    });
    Ok(findings)
}

/// Who we are to the host, and what it thinks of that.
fn who(given: Option<&str>, error: Option<&GitError>) -> Option<Finding> {
    let shown = given.unwrap_or("none");
    match error {
        Some(error) if is_about_credentials(error) => Some(Finding {
            name: "credentials",
            state: State::Fail,
            detail: format!("{shown}: {}", error.kind()),
            help: Some(match given {
                None if !matches!(error.kind(), GitErrorKind::Ssh(_)) => {
                    "give a token in GRADUS_GIT_TOKEN, with --git-user if the host asks for one, or --secrets and --secret".to_owned()
                }
                Some(_) | None => error.hint().to_owned(),
            }),
        }),
        // The host did not get to see them.
        Some(_) => None,
        None => Some(Finding { name: "credentials", state: State::Ok, detail: shown.to_owned(), help: None }),
    }
}

/// With what a repository is reached, in words that are no secret; `None` with nothing.
pub(super) fn given(url: &str, options: &RemoteOptions) -> Option<String> {
    if url.starts_with("ssh://") || !url.contains("://") {
        return options.ssh.as_ref().map(|_| "the key in `identity`".to_owned());
    }
    match (&options.app, &options.credentials) {
        (Some(AppCredentials { id, installation: Some(installation), .. }), _) => {
            Some(format!("the GitHub App {id}, installation {installation}"))
        }
        (Some(app), _) => Some(format!("the GitHub App {}", app.id)),
        (None, Credentials::None) => None,
        (None, Credentials::Basic { user, .. }) => Some(format!("user {user}")),
        (None, Credentials::Bearer(_)) => Some("a token".to_owned()),
    }
}

fn is_about_credentials(error: &GitError) -> bool {
    matches!(error.kind(), GitErrorKind::Unauthorized | GitErrorKind::Forbidden(_) | GitErrorKind::Ssh(_))
}

/// The branch that is deployed, and where it is.
async fn deployed(
    remote: &Remote,
    wanted: Option<BranchName>,
    default: Result<Option<BranchName>, GitError>,
) -> Finding {
    let name = "branch";
    let branch = match (wanted, default) {
        (Some(branch), _) | (None, Ok(Some(branch))) => branch,
        (None, Ok(None)) => {
            let help = Some("say which branch is deployed with `repository.branch`".to_owned());
            return Finding {
                name,
                state: State::Fail,
                detail: "the repository names no default branch".to_owned(),
                help,
            };
        }
        (None, Err(error)) => return failed(name, &error),
    };
    match remote.tip(&branch).await {
        Ok(tip) => {
            let tip = tip.to_string();
            let detail = format!("{} at {}", branch.as_str(), tip.get(..7).unwrap_or(&tip));
            Finding { name, state: State::Ok, detail, help: None }
        }
        Err(error) => failed(name, &error),
    }
}

fn failed(name: &'static str, error: &GitError) -> Finding {
    let mut detail = error.kind().to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        detail.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    Finding { name, state: State::Fail, detail, help: Some(error.hint().to_owned()) }
}

pub(super) fn from_git(error: GitError) -> CliError {
    let help = error.hint();
    CliError::usage(error.to_string()).help(help)
}
