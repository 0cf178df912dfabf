//! `gradus doctor`: whether something outside can be used, and what to do if not.

use std::process::ExitCode;
use std::time::Instant;

use clap::Subcommand;
use gradus_core::pipeline::Repository;
use gradus_remote::git::{BranchName, Credentials, GitError, GitErrorKind, Remote, RemoteUrl, Way};
use gradus_remote::repos::{Access, SecretFolder};
use serde::Serialize;

use crate::config::file_url;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table};
use crate::wiring::{AccessArgs, options};

/// Looks whether something outside can be used, and what to do if not. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all is well, 1 something fails.")]
pub(crate) struct DoctorArgs {
    #[command(subcommand)]
    what: What,
}

/// What to look at.
#[derive(Debug, Subcommand)]
enum What {
    /// A Git repository.
    Git(GitArgs),
}

/// Looks at a Git repository: how it is read, who we are to it, and whether it takes pushes.
#[derive(Debug, clap::Args)]
struct GitArgs {
    /// Its address, or a path.
    url: String,
    /// The branch that is deployed; the repository's own when left out.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The Secret that holds its credentials, as NAMESPACE/NAME in --secrets.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    secret: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    access: AccessArgs,
}

/// What was found.
#[derive(Serialize)]
struct Findings {
    /// Of what.
    url: String,
    /// One after the other.
    checks: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Warn,
    Fail,
}

pub(crate) async fn run(arguments: DoctorArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let What::Git(git) = arguments.what;
    let format = git.format;
    let findings = printer.patiently("asking the host...", look(git)).await?;
    if let Some(text) = format.text(&findings)? {
        printer.text(text);
    } else {
        printer.line(format!("{} {}", printer.toned(Tone::Strong, "git"), findings.url));
        let mut table = Table::default();
        for finding in &findings.checks {
            let (tone, word) = match finding.state {
                State::Ok => (Tone::Good, "ok"),
                State::Warn => (Tone::Waiting, "warn"),
                State::Fail => (Tone::Bad, "fail"),
            };
            table.row(vec![Cell::new(finding.name), Cell::toned(tone, word), Cell::new(&finding.detail)]);
            if let Some(help) = &finding.help {
                table.row(vec![Cell::new(""), Cell::new(""), Cell::new(help)]);
            }
        }
        printer.text(table.render(printer));
    }
    let failed = findings.checks.iter().any(|finding| finding.state == State::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn look(git: GitArgs) -> Result<Findings, CliError> {
    let before_path = git.url.split('/').next().unwrap_or_default();
    if git.url.starts_with("ssh://") || before_path.contains('@') && before_path.contains(':') {
        return Err(CliError::usage("repositories over ssh are not supported yet").help("use https"));
    }
    let address = file_url(&git.url);
    let access = SecretFolder { folder: git.access.secrets.clone(), otherwise: options(&git.access)? };
    let secret = git.secret.as_deref().map(std::sync::Arc::from);
    let repository =
        Repository { url: address.clone().into(), branch: None, paths: Vec::new(), secret, forge: None };
    let options = access.options(&repository)?;
    let credentials = options.credentials.clone();
    let url = RemoteUrl::new(&address).map_err(from_git)?;
    let branch = git.branch.as_deref().map(BranchName::new).transpose().map_err(from_git)?;
    let remote = Remote::open(url.clone(), options).map_err(from_git)?;
    let mut findings = Findings { url: url.to_string(), checks: Vec::new() };
    let found = remote.probe().await;
    findings.checks.extend(who(&credentials, found.as_ref().err()));
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
fn who(credentials: &Credentials, error: Option<&GitError>) -> Option<Finding> {
    let given = match credentials {
        Credentials::None => "none".to_owned(),
        Credentials::Basic { user, .. } => format!("user {user}"),
        Credentials::Bearer(_) => "a token".to_owned(),
    };
    match error {
        Some(error) if is_about_credentials(error) => Some(Finding {
            name: "credentials",
            state: State::Fail,
            detail: format!("{given}: {}", error.kind()),
            help: Some(match credentials {
                Credentials::None => {
                    "give a token in GRADUS_GIT_TOKEN, with --git-user if the host asks for one, or --secrets and --secret".to_owned()
                }
                Credentials::Basic { .. } | Credentials::Bearer(_) => error.hint().to_owned(),
            }),
        }),
        // The host did not get to see them.
        Some(_) => None,
        None => Some(Finding { name: "credentials", state: State::Ok, detail: given, help: None }),
    }
}

fn is_about_credentials(error: &GitError) -> bool {
    matches!(error.kind(), GitErrorKind::Unauthorized | GitErrorKind::Forbidden(_))
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

fn from_git(error: GitError) -> CliError {
    let help = error.hint();
    CliError::usage(error.to_string()).help(help)
}
