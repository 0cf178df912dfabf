//! Whether a forge can be used, and what to do if not. Everything is asked, and nothing is changed.

mod nearest;
mod words;

use gradus_core::names::BranchName;

use super::address::ForgeKind;
use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Identity, MergeMethod, RepositoryFacts, Rights};
use super::survey::{Deed, Hook, Left, Protection};
use crate::git::Remote;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, in a word.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do.
    pub help: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It can be used, but not for everything.
    Warn,
    /// It cannot be used.
    Fail,
}

impl Finding {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: State::Ok, detail: detail.into(), help: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name, state: State::Warn, detail: detail.into(), help: Some(help.into()) }
    }

    fn fail(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name, state: State::Fail, detail: detail.into(), help: Some(help.into()) }
    }
}

/// What is looked at.
pub struct Examination<'a> {
    /// The forge.
    pub api: &'a dyn ForgeApi,
    /// With what it is reached, in words; `None` with nothing.
    pub given: Option<String>,
    /// The branch that is deployed; the repository's own where it is not said.
    pub base: Option<BranchName>,
    /// The same repository for Git, to learn whether it takes pushes.
    pub git: Option<&'a Remote>,
}

/// Looks at everything, one after the other, until nothing more can be learned.
pub async fn examine(what: Examination<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let go_on = look(&what, &mut findings).await;
    if go_on {
        findings.extend(what.api.left().map(limits));
    }
    findings.push(Finding::ok("without", format!("it has no {}", what.api.absent().join(", no "))));
    findings
}

/// Whether it was worth while to the end.
async fn look(what: &Examination<'_>, findings: &mut Vec<Finding>) -> bool {
    let api = what.api;
    match api.software().await {
        Ok(software) => {
            let at = &api.address().web;
            let seen = software.map_or_else(|| format!("{at} answers"), |it| format!("{at} answers, {it}"));
            findings.push(Finding::ok("address", seen));
        }
        Err(error) if is_about_credentials(&error) => {
            findings.push(Finding::ok("address", format!("{} answers", api.address().web)));
        }
        Err(error) => {
            findings.push(address(api, &error));
            return false;
        }
    }
    let identity = match api.whoami().await {
        Ok(identity) => identity,
        // An app is told with its token what it lacks.
        Err(error) if lacks_permission(&error) => {
            findings.push(Finding::fail("scopes", words::why(&error), error.hint()));
            return false;
        }
        // A token may be good for everything but to say whose it is.
        Err(error) if matches!(error.kind(), ForgeErrorKind::Forbidden { .. }) => {
            Identity { account: None, scopes: None }
        }
        Err(error) => {
            findings.push(credentials(what.given.as_deref(), &error, api.address().kind));
            return false;
        }
    };
    findings.push(Finding::ok("credentials", words::whose(&identity, what.given.as_deref())));
    findings.extend(scopes(api, &identity));
    let facts = match api.repository().await {
        Ok(facts) => facts,
        Err(error) => {
            findings.push(repository(api, &error).await);
            return false;
        }
    };
    let (found, is_usable) = found(api, &facts);
    findings.push(found);
    if !is_usable {
        return true;
    }
    let may_write = facts.rights.is_none_or(|rights| rights >= Rights::Write);
    findings.extend(facts.rights.map(rights));
    if let (true, Some(git)) = (may_write, what.git) {
        findings.push(pushing(git).await);
    }
    if may_write {
        findings.extend(proposing(api).await);
    }
    if let Some(base) = what.base.clone().or(facts.default_branch) {
        findings.push(protection(api, &base, &identity).await);
    }
    findings.extend(facts.methods.map(merging));
    findings.extend(hooks(api).await);
    true
}

fn is_about_credentials(error: &ForgeError) -> bool {
    matches!(error.kind(), ForgeErrorKind::Unauthorized | ForgeErrorKind::Forbidden { .. })
}

fn lacks_permission(error: &ForgeError) -> bool {
    match error.kind() {
        ForgeErrorKind::Forbidden { missing: Some(missing), .. } => missing.contains("permission"),
        ForgeErrorKind::Unauthorized
        | ForgeErrorKind::Forbidden { missing: None, .. }
        | ForgeErrorKind::NotFound
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::NotReady(_)
        | ForgeErrorKind::Refused(_)
        | ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Unreachable
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::OutcomeUnknown
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Broken(_)
        | ForgeErrorKind::Input(_) => false,
    }
}

/// Nothing that is this kind of forge answers there.
fn address(api: &dyn ForgeApi, error: &ForgeError) -> Finding {
    let at = api.address();
    let detail = format!("{} {}", at.api(), words::why(error));
    let help = match error.kind() {
        ForgeErrorKind::Unreachable => words::how_to_reach(error, &at.web),
        ForgeErrorKind::NotFound | ForgeErrorKind::Broken(_) | ForgeErrorKind::Refused(_) => format!(
            "that is no {}: check host and port, and `forge` and `forgeUrl` (--forge and --forge-url), \
             which also has the path if the forge is below one",
            words::kind(at.kind)
        ),
        ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::Unauthorized
        | ForgeErrorKind::Forbidden { .. }
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::NotReady(_)
        | ForgeErrorKind::OutcomeUnknown
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Input(_) => error.hint(),
    };
    Finding::fail("address", detail, help)
}

fn credentials(given: Option<&str>, error: &ForgeError, kind: ForgeKind) -> Finding {
    let Some(given) = given else {
        let help = format!(
            "give {} in GRADUS_GIT_TOKEN, or in a Secret with --secrets and --secret",
            words::token(kind)
        );
        return Finding::fail("credentials", "none were given", help);
    };
    let is_app = given.contains("App");
    let help = match error.kind() {
        ForgeErrorKind::Unauthorized if is_app => {
            "put the key and the id of the same app into the Secret; a key that was deleted is none"
                .to_owned()
        }
        ForgeErrorKind::NotFound if is_app => {
            "install the app for the repository: on the app's page, at Install App".to_owned()
        }
        ForgeErrorKind::Unauthorized => format!(
            "the token is misspelt, was taken back or has ended: make {} and put it into the Secret",
            words::token(kind)
        ),
        ForgeErrorKind::Forbidden { .. }
        | ForgeErrorKind::NotFound
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::NotReady(_)
        | ForgeErrorKind::Refused(_)
        | ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Unreachable
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::OutcomeUnknown
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Broken(_)
        | ForgeErrorKind::Input(_) => error.hint(),
    };
    Finding::fail("credentials", format!("{given}: {}", words::why(error)), help)
}

fn scopes(api: &dyn ForgeApi, identity: &Identity) -> Vec<Finding> {
    let finding = |lack: super::survey::Lack| {
        let detail = format!("without {} gradus cannot {}", lack.what, lack.without);
        let help = if lack.what.contains("permission") {
            format!("give the app also {}, and accept it where the app is installed", lack.what)
        } else {
            format!("make a token that also has {}", lack.what)
        };
        match lack.must {
            true => Finding::fail("scopes", detail, help),
            false => Finding::warn("scopes", detail, help),
        }
    };
    let lacks = api.lacking(identity);
    if lacks.is_empty() && identity.scopes.is_some() {
        return vec![Finding::ok("scopes", "all that gradus asks for")];
    }
    lacks.into_iter().map(finding).collect()
}

/// It is not there, or not for us.
async fn repository(api: &dyn ForgeApi, error: &ForgeError) -> Finding {
    let at = api.address();
    let path = format!("{}/{}", at.owner(), at.name);
    let detail = format!("{path}: {}", words::why(error));
    if *error.kind() != ForgeErrorKind::NotFound {
        return Finding::fail("repository", detail, error.hint());
    }
    // Whether others can be seen is not what is asked: not being told is as if there were none.
    let others = api.others().await.unwrap_or_default();
    let help = match nearest::of(&path, &others) {
        Some(near) => format!("did you mean {near}? The credentials see that one"),
        None => "check owner and name, with all groups it is below; or let the account see it: what may not be seen \
                 is told to be missing, too"
            .to_owned(),
    };
    Finding::fail("repository", detail, help)
}

fn found(api: &dyn ForgeApi, facts: &RepositoryFacts) -> (Finding, bool) {
    let at = api.address();
    let path = format!("{}/{}", at.owner(), at.name);
    if facts.archived {
        let help = "unarchive it, or take away the pipelines that are about it";
        let detail = format!("{path} is archived: nothing can be pushed, opened or merged");
        return (Finding::fail("repository", detail, help), false);
    }
    let branch = match &facts.default_branch {
        Some(branch) => format!(", default branch {branch}"),
        None => ", without a default branch".to_owned(),
    };
    (Finding::ok("repository", format!("{path}{branch}")), true)
}

fn rights(rights: Rights) -> Finding {
    match rights {
        Rights::Read => {
            let help = "give the account the right to write in the repository";
            Finding::fail("rights", "these credentials may only read", help)
        }
        Rights::Write => Finding::ok("rights", "these credentials may write"),
        Rights::Admin => {
            let help = "nothing is wrong with it; the right to write would do";
            let detail = "these credentials may write, and change the rules of the repository";
            Finding { help: Some(help.to_owned()), ..Finding::ok("rights", detail) }
        }
    }
}

/// Whether Git takes branches with these credentials.
async fn pushing(git: &Remote) -> Finding {
    match git.probe().await {
        Ok(capabilities) => match capabilities.receiving {
            Ok(_) => Finding::ok("pushing", "Git takes branches with these credentials"),
            Err(why) => {
                let help =
                    "give the credentials the right to push: a token needs its scope, a person the role";
                Finding::fail("pushing", format!("Git takes no branches: {why}"), help)
            }
        },
        Err(error) => Finding::fail("pushing", error.to_string(), error.hint()),
    }
}

async fn proposing(api: &dyn ForgeApi) -> Vec<Finding> {
    let deeds = [(Deed::Propose, "proposals", true), (Deed::Discuss, "labels", false)];
    let mut findings = Vec::new();
    for (deed, name, must) in deeds {
        let finding = match api.may(deed).await {
            Err(error) if matches!(error.kind(), ForgeErrorKind::Unsupported(_)) => continue,
            Ok(()) => Finding::ok(name, words::allowed(deed)),
            Err(error) if must => Finding::fail(name, error.to_string(), error.hint()),
            Err(error) => Finding::warn(name, error.to_string(), error.hint()),
        };
        findings.push(finding);
    }
    findings
}

async fn protection(api: &dyn ForgeApi, base: &BranchName, identity: &Identity) -> Finding {
    const NAME: &str = "protection";
    let told = match api.protection(base).await {
        Ok(told) => told,
        Err(error) if *error.kind() == ForgeErrorKind::NotFound => {
            let help = "say with `repository.branch` (--branch) which branch is deployed";
            return Finding::fail(NAME, format!("there is no branch {base}"), help);
        }
        Err(error) => return Finding::warn(NAME, words::why(&error), error.hint()),
    };
    let detail = words::protection(base, &told);
    let who = identity.account.as_ref().map_or_else(|| "gradus".to_owned(), ToString::to_string);
    match told {
        Protection { may_merge: Some(false), .. } => {
            let help = format!(
                "add {who} to those who may merge into {base}, or leave merging to people: they merge the proposal, \
                 and gradus sees it"
            );
            Finding::fail(NAME, detail, help)
        }
        Protection { may_push: Some(false), is_protected: true, .. } => {
            let help = format!(
                "right for proposals; `strategy: push` onto {base} would need {who} among those who may push"
            );
            Finding { help: Some(help), ..Finding::ok(NAME, detail) }
        }
        Protection { .. } => Finding::ok(NAME, detail),
    }
}

fn merging(methods: Vec<MergeMethod>) -> Finding {
    let all: Vec<&str> = methods.iter().map(|method| method.word()).collect();
    if all.is_empty() {
        return Finding::fail("merging", "no way to merge is allowed", "allow one in the settings");
    }
    let detail = format!("by {}", all.join(", "));
    if methods.contains(&MergeMethod::Merge) {
        return Finding::ok("merging", detail);
    }
    let help = "gradus merges with a merge commit unless it is told otherwise: allow that, or tell it";
    Finding::warn("merging", format!("only {detail}"), help)
}

async fn hooks(api: &dyn ForgeApi) -> Option<Finding> {
    const NAME: &str = "webhooks";
    let hooks = match api.hooks().await {
        Ok(hooks) => hooks,
        Err(error) if matches!(error.kind(), ForgeErrorKind::Unsupported(_)) => return None,
        Err(error) if is_about_credentials(&error) || *error.kind() == ForgeErrorKind::NotFound => {
            return Some(Finding::ok(NAME, "only told to administrators"));
        }
        Err(error) => return Some(Finding::warn(NAME, words::why(&error), error.hint())),
    };
    let ours: Vec<&Hook> = hooks.iter().filter(|hook| hook.url.contains("/hooks/forge/")).collect();
    if ours.is_empty() {
        let help = "gradus looks by itself; with a webhook it looks at once";
        return Some(Finding { help: Some(help.to_owned()), ..Finding::ok(NAME, "none leads to gradus") });
    }
    let shown: Vec<String> = ours.iter().map(|hook| words::hook(hook)).collect();
    if ours.iter().all(|hook| !hook.active) {
        return Some(Finding::warn(NAME, shown.join("; "), "switch it on in the repository's settings"));
    }
    Some(Finding::ok(NAME, shown.join("; ")))
}

fn limits(left: Left) -> Finding {
    let detail = format!(
        "{} of {} requests are left until {}",
        left.remaining,
        left.limit,
        left.reset.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    if left.remaining.saturating_mul(5) < left.limit {
        let help =
            "gradus stops reading at a fifth, for people of the same account: give it an account of its own";
        return Finding::warn("limits", detail, help);
    }
    Finding::ok("limits", detail)
}

/// The kind of forge that answers at an address that tells none, asked of each that says of itself what it is.
pub async fn recognise(apis: &[std::sync::Arc<dyn ForgeApi>]) -> Option<ForgeKind> {
    for api in apis {
        if let Ok(Some(_)) = api.software().await {
            return Some(api.address().kind);
        }
    }
    None
}
