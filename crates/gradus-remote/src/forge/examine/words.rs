//! How what was found is said.

use std::error::Error as _;

use gradus_core::names::BranchName;

use crate::forge::address::ForgeKind;
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::Identity;
use crate::forge::survey::{Deed, Hook, Protection};

/// Why it failed, without what was being done.
pub(super) fn why(error: &ForgeError) -> String {
    let mut text = match error.kind() {
        ForgeErrorKind::Unauthorized => "the forge does not know them (401)".to_owned(),
        ForgeErrorKind::NotFound => "not found (404)".to_owned(),
        ForgeErrorKind::Unreachable => "cannot be reached".to_owned(),
        ForgeErrorKind::Broken(why) => format!("answers what is not understood: {why}"),
        ForgeErrorKind::Refused(words) => format!("does not answer that: {words}"),
        ForgeErrorKind::Forbidden { .. }
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::NotReady(_)
        | ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::OutcomeUnknown
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Input(_) => error.to_string(),
    };
    if let Some(cause) = error.source() {
        text.push_str(&format!(": {cause}"));
    }
    text
}

/// What keeps a host from being reached, by what the network says of it.
pub(super) fn how_to_reach(error: &ForgeError, web: &str) -> String {
    let cause = error.source().map(|cause| cause.to_string().to_lowercase()).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    if says(&["dns", "lookup", "name or service", "resolve"]) {
        return "no such host: check how it is spelt, and the DNS of where gradus runs".to_owned();
    }
    if says(&["certificate", "unknownissuer", "tls", "handshake"]) {
        return "put the certificate of the authority into `caFile` of the Secret, or give it with --ca-file"
            .to_owned();
    }
    if says(&["refused"]) {
        return format!("nobody listens at {web}: check host and port");
    }
    if says(&["proxy", "tunnel"]) {
        return "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY".to_owned();
    }
    "check host and port, the network, and HTTPS_PROXY and NO_PROXY if there is a proxy".to_owned()
}

pub(super) fn kind(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitHub => "GitHub",
        ForgeKind::GitLab => "GitLab",
        ForgeKind::Gitea => "Gitea or Forgejo",
        ForgeKind::Bitbucket => "Bitbucket Cloud",
        ForgeKind::BitbucketServer => "Bitbucket Data Center",
        ForgeKind::AzureDevOps => "Azure DevOps",
    }
}

/// What to make.
pub(super) fn token(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitHub => {
            "a token with the scope repo, or with Contents and Pull requests, read and write (or a GitHub App)"
        }
        ForgeKind::GitLab => "a token with the scope api and the role Developer",
        ForgeKind::Gitea => "a token with write:repository and write:issue",
        ForgeKind::Bitbucket => "a token with repository:write and pullrequest:write",
        ForgeKind::BitbucketServer => "an HTTP access token with the permission to write in the repository",
        ForgeKind::AzureDevOps => "a token with Code, read and write",
    }
}

pub(super) fn whose(identity: &Identity, given: Option<&str>) -> String {
    let scopes = identity.scopes.as_ref().map(|scopes| scopes.iter().cloned().collect::<Vec<_>>().join(", "));
    let given = given.unwrap_or("nobody");
    let mut text = match &identity.account {
        Some(account) => format!("{given}: {account}"),
        None => format!("{given}: the forge knows it"),
    };
    if let Some(scopes) = scopes.filter(|scopes| !scopes.is_empty()) {
        text.push_str(&format!(", for {scopes}"));
    }
    text
}

pub(super) fn allowed(deed: Deed) -> &'static str {
    match deed {
        Deed::Propose => "these credentials may open them",
        Deed::Discuss => "these credentials may label and comment",
    }
}

/// The rules of a branch, as one would tell them.
pub(super) fn protection(base: &BranchName, told: &Protection) -> String {
    let mut parts = Vec::new();
    if told.approvals > 0 {
        let word = if told.approvals == 1 { "approval" } else { "approvals" };
        parts.push(format!("{} {word}", told.approvals));
    }
    if !told.checks.is_empty() {
        let word = if told.checks.len() == 1 { "the check" } else { "the checks" };
        parts.push(format!("{word} {}", told.checks.join(", ")));
    }
    parts.extend(told.rules.iter().cloned());
    let mut text = match (told.is_protected, parts.is_empty()) {
        (false, true) => format!("{base} has no rules"),
        (true, true) => format!("{base} is protected"),
        (true, false) => format!("{base} is protected: {}", parts.join("; ")),
        (false, false) => format!("{base} is not protected; proposals ask for: {}", parts.join("; ")),
    };
    match (told.may_push, told.may_merge) {
        (Some(true), Some(true)) => text.push_str("; these credentials may push and merge"),
        (Some(false), Some(true)) => text.push_str("; these credentials may merge, and not push to it"),
        (Some(true), Some(false)) => text.push_str("; these credentials may push to it, and not merge"),
        (Some(false), Some(false)) => text.push_str("; these credentials may neither push nor merge"),
        (Some(true), None) => text.push_str("; these credentials may push to it"),
        (Some(false), None) => text.push_str("; these credentials may not push to it"),
        (None, Some(true)) => text.push_str("; these credentials may merge"),
        (None, Some(false)) => text.push_str("; these credentials may not merge"),
        (None, None) => {}
    }
    if let Some(untold) = told.untold {
        text.push_str(&format!(" ({untold})"));
    }
    text
}

pub(super) fn hook(hook: &Hook) -> String {
    let state = if hook.active { "" } else { ", switched off" };
    let events =
        if hook.events.is_empty() { String::new() } else { format!(" for {}", hook.events.join(", ")) };
    // What may be behind a question mark is nobody's business.
    let url = hook.url.split('?').next().unwrap_or_default();
    format!("{url}{events}{state}")
}
