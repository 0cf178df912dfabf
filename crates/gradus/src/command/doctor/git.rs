//! `gradus doctor git`: how a repository is read, who we are to it, and whether it takes pushes.

use std::time::Instant;

use gradus_core::pipeline::Repository;
use gradus_remote::AppCredentials;
use gradus_remote::git::{
    BranchName, Capabilities, Credentials, GitError, GitErrorKind, ObjectId, Receiving, Remote,
    RemoteOptions, RemoteUrl, RepoPath, Way,
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
    /// A file that promotions change, to be told what one costs.
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
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
    let repository = Repository {
        url: address.clone().into(),
        branch: None,
        paths: Vec::new(),
        secret,
        forge: None,
        commit: Default::default(),
    };
    let options = access.options(&repository)?;
    let given = given(&address, &options);
    let url = RemoteUrl::new(&address).map_err(from_git)?;
    let branch = git.branch.as_deref().map(BranchName::new).transpose().map_err(from_git)?;
    let file = git.file.as_deref().map(RepoPath::new).transpose().map_err(from_git)?;
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
    let (default, trip) = trip(&remote).await;
    let over_ssh = findings.url.starts_with("ssh://") || !findings.url.contains("://");
    let unit = if over_ssh { "connection" } else { "round trip" };
    let (state, way, help) = match capabilities.way {
        Way::Wire => (State::Ok, "wire", None),
        Way::Mirror => {
            let help = "whole commits are read, into memory: with filters and protocol 2 a promotion costs a few small requests";
            (State::Warn, "mirror", Some(format!("{}; {help}", capabilities.reason)))
        }
    };
    let filter = if capabilities.filter { "filters" } else { "no filters" };
    let any = if capabilities.any_object { ", any object" } else { "" };
    let agent = capabilities.agent.as_ref().map_or_else(String::new, |agent| format!(", {agent}"));
    let protocol = capabilities.protocol;
    let detail = format!("{way} (protocol {protocol}, {filter}{any}){agent}, {trip} ms a {unit}");
    findings.checks.push(Finding { name: "reading", state, detail, help });
    let (branch, tip) = deployed(&remote, branch, default).await;
    findings.checks.push(branch);
    findings.checks.push(match &capabilities.receiving {
        Ok(can) => Finding {
            name: "writing",
            state: State::Ok,
            detail: format!(
                "the host takes pushes with these credentials{}; whether rules protect a branch shows at the first one",
                said(can)
            ),
            help: None,
        },
        Err(why) => Finding {
            name: "writing",
            state: State::Fail,
            detail: why.clone(),
            help: Some("plans can be made all the same; to promote, give these credentials the right to push".to_owned()),
        },
    });
    if let Some(tip) = tip {
        findings.checks.push(cost(&remote, &capabilities, tip, file.as_ref()).await);
    }
    Ok(findings)
}

/// The default branch, and how long it takes to be told: the middle of three, for the first may have to look up a name.
async fn trip(remote: &Remote) -> (Result<Option<BranchName>, GitError>, u128) {
    let mut took = Vec::new();
    loop {
        let begun = Instant::now();
        let default = remote.default_branch().await;
        took.push(begun.elapsed().as_millis().max(1));
        if took.len() == 3 || default.is_err() {
            took.sort_unstable();
            return (default, took[took.len() / 2]);
        }
    }
}

/// What the host offers to writers, besides to take what they send.
fn said(can: &Receiving) -> String {
    let offers = [
        (can.report_status_v2, "report-status-v2"),
        (can.atomic, "atomic"),
        (can.push_options, "push-options"),
        (can.delete_refs, "delete-refs"),
    ];
    let offers: Vec<&str> = offers.into_iter().filter_map(|(has, word)| has.then_some(word)).collect();
    if offers.is_empty() { String::new() } else { format!(" ({})", offers.join(", ")) }
}

/// What a promotion costs.
async fn cost(
    remote: &Remote,
    capabilities: &Capabilities,
    tip: ObjectId,
    file: Option<&RepoPath>,
) -> Finding {
    let name = "promotion";
    // Besides reading: what the host can do, where branches are, what it takes, and the push.
    let around = 4;
    let Some(file) = file else {
        let detail = match capabilities.way {
            Way::Wire => {
                format!(
                    "about {} requests for a file three folders deep, fewer once these are known",
                    around + 6
                )
            }
            Way::Mirror => format!("about {} requests, one of them for a whole commit", around + 1),
        };
        let help = Some("say which file with --file PATH to have it counted".to_owned());
        return Finding { name, state: State::Ok, detail, help };
    };
    let (before, begun) = (remote.traffic(), Instant::now());
    let read = remote.read(tip, std::slice::from_ref(file)).await;
    let (after, took) = (remote.traffic(), begun.elapsed().as_millis().max(1));
    match read {
        Ok(read) if read.values().any(Option::is_some) => {
            let requests = after.requests - before.requests;
            let kilobytes = (after.bytes_received - before.bytes_received).div_ceil(1024);
            let detail = format!(
                "{file} takes {} requests at first, fewer once its folders are known; to read it took {requests} requests, {took} ms and {kilobytes} kB",
                around + requests
            );
            Finding { name, state: State::Ok, detail, help: None }
        }
        Ok(_) => Finding {
            name,
            state: State::Fail,
            detail: format!("there is no {file} on that branch"),
            help: Some("say a file that is there, or another branch with --branch".to_owned()),
        },
        Err(error) => failed(name, &error),
    }
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
) -> (Finding, Option<ObjectId>) {
    let name = "branch";
    let branch = match (wanted, default) {
        (Some(branch), _) | (None, Ok(Some(branch))) => branch,
        (None, Ok(None)) => {
            let help = Some("say which branch is deployed with `repository.branch`".to_owned());
            let detail = "the repository names no default branch".to_owned();
            return (Finding { name, state: State::Fail, detail, help }, None);
        }
        (None, Err(error)) => return (failed(name, &error), None),
    };
    match remote.tip(&branch).await {
        Ok(tip) => {
            let id = tip.to_string();
            let detail = format!("{} at {}", branch.as_str(), id.get(..7).unwrap_or(&id));
            (Finding { name, state: State::Ok, detail, help: None }, Some(tip))
        }
        Err(error) => (failed(name, &error), None),
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
