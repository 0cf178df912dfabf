//! The repository. Ours has one; the older kind may have named one for each
//! environment, or none.

use super::super::shape::{Old, OldPullRequest};
use super::super::spell;
use super::Known;
use super::lines::Lines;
use crate::yaml::text;

/// What stands where nobody said which repository it is.
const PLACEHOLDER: &str = "https://git.example.com/ORG/REPOSITORY.git";

/// The repository of a pipeline.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) url: String,
    pub(super) branch: Option<String>,
    secret: Option<String>,
    host: Option<String>,
    /// Whether the pipeline itself says which it is.
    is_named: bool,
    /// Whether nobody said which it is.
    pub(super) is_unknown: bool,
}

/// The repository that most of the pipeline is in: its own, else the first that an environment names.
pub(super) fn of(old: &Old, known: Known<'_>) -> Repository {
    let own = old.promotion.as_ref().and_then(|promotion| promotion.pull_request.as_ref());
    let first =
        old.environments.iter().find_map(|environment| environment.promotion.as_ref()?.pull_request.as_ref());
    let request: Option<&OldPullRequest> = own.or(first);
    let named = request.and_then(|request| request.url.as_deref());
    let url = named.or(known.repository);
    Repository {
        url: url.unwrap_or(PLACEHOLDER).to_owned(),
        branch: request.and_then(|request| request.branch.clone()),
        secret: request.and_then(|request| request.secret.clone()),
        host: request
            .and_then(|request| request.host.clone())
            .or_else(|| named.and_then(spell::host).map(str::to_owned)),
        is_named: named.is_some(),
        is_unknown: url.is_none(),
    }
}

/// Writes it.
pub(super) fn write(lines: &mut Lines, repository: &Repository) {
    if repository.is_unknown {
        lines.look(2, "It named no repository: write here the one that declares the environments.");
    }
    lines.line(2, "repository:");
    lines.line(4, &format!("url: {}", text(&repository.url)));
    match &repository.branch {
        Some(branch) => lines.line(4, &format!("branch: {}", text(branch))),
        None if !repository.is_named => {}
        None => lines.look(4, "It named no branch: the repository's default branch is meant."),
    }
    if let Some(secret) = &repository.secret {
        lines.line(4, "secretRef:");
        lines.line(6, &format!("name: {}", text(secret)));
    }
    let Some(host) = &repository.host else { return };
    match host.as_str() {
        "github" | "gitlab" | "bitbucket-server" | "gitea" | "azure-devops" => {
            lines.line(4, &format!("forge: {host}"));
        }
        other => {
            lines.look(
                4,
                &format!("It was of type {other:?}, which is not known: gradus keeps the proposals itself."),
            );
        }
    }
}
