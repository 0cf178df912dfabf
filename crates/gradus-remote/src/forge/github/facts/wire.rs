//! What GitHub answers to that.

use serde::Deserialize;

use crate::forge::survey::Protection;

#[derive(Deserialize)]
pub(super) struct Root {
    #[serde(rename = "current_user_url")]
    _user: String,
}

#[derive(Deserialize)]
pub(super) struct Branch {
    pub(super) protected: bool,
    protection: Option<Short>,
}

/// What everybody is told of a protection.
#[derive(Deserialize)]
struct Short {
    required_status_checks: Option<Checks>,
}

#[derive(Deserialize)]
struct Checks {
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    strict: bool,
}

impl Branch {
    pub(super) fn checks(self) -> Vec<String> {
        let checks = self.protection.and_then(|protection| protection.required_status_checks);
        checks.map(|checks| checks.contexts).unwrap_or_default()
    }
}

/// The protection of one branch, from before there were rules for many.
#[derive(Deserialize)]
pub(super) struct Classic {
    required_pull_request_reviews: Option<Reviews>,
    required_status_checks: Option<Checks>,
    restrictions: Option<Restrictions>,
    required_linear_history: Option<Switch>,
    required_signatures: Option<Switch>,
    required_conversation_resolution: Option<Switch>,
    lock_branch: Option<Switch>,
}

#[derive(Deserialize)]
struct Reviews {
    #[serde(default)]
    required_approving_review_count: u32,
    #[serde(default)]
    require_code_owner_reviews: bool,
}

#[derive(Deserialize)]
struct Switch {
    enabled: bool,
}

/// Who alone may push, and merge.
#[derive(Deserialize)]
struct Restrictions {
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    teams: Vec<Slug>,
    #[serde(default)]
    apps: Vec<Slug>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Slug {
    slug: String,
}

impl Classic {
    pub(super) fn add(self, protection: &mut Protection) {
        if let Some(reviews) = self.required_pull_request_reviews {
            protection.approvals = protection.approvals.max(reviews.required_approving_review_count);
            if reviews.require_code_owner_reviews {
                protection.rule("code owners approve");
            }
        }
        if let Some(checks) = self.required_status_checks {
            checks.contexts.into_iter().for_each(|check| protection.need(check));
            if checks.strict {
                protection.rule("the branch has all of the base");
            }
        }
        if let Some(only) = self.restrictions {
            let users = only.users.into_iter().map(|user| user.login);
            let teams = only.teams.into_iter().map(|team| format!("the team {}", team.slug));
            let apps = only.apps.into_iter().map(|app| format!("the app {}", app.slug));
            let all: Vec<String> = users.chain(teams).chain(apps).collect();
            let all = if all.is_empty() { "nobody".to_owned() } else { all.join(", ") };
            protection.rule(&format!("only {all} may push and merge"));
        }
        let switches = [
            (self.required_linear_history, "no merge commits"),
            (self.required_signatures, "commits are signed"),
            (self.required_conversation_resolution, "conversations are resolved"),
            (self.lock_branch, "the branch is locked"),
        ];
        let on = switches.into_iter().filter(|(switch, _)| switch.as_ref().is_some_and(|it| it.enabled));
        on.for_each(|(_, words)| protection.rule(words));
    }
}

/// One rule of a ruleset.
#[derive(Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    required_approving_review_count: u32,
    #[serde(default)]
    require_code_owner_review: bool,
    #[serde(default)]
    required_review_thread_resolution: bool,
    #[serde(default)]
    allowed_merge_methods: Vec<String>,
    #[serde(default)]
    required_status_checks: Vec<Required>,
    #[serde(default)]
    strict_required_status_checks_policy: bool,
}

#[derive(Deserialize)]
struct Required {
    context: String,
}

impl Rule {
    pub(super) fn add(self, protection: &mut Protection) {
        let of = self.parameters;
        match self.kind.as_str() {
            "pull_request" => {
                protection.approvals = protection.approvals.max(of.required_approving_review_count);
                protection.rule("changes come by pull request");
                if of.require_code_owner_review {
                    protection.rule("code owners approve");
                }
                if of.required_review_thread_resolution {
                    protection.rule("conversations are resolved");
                }
                if !of.allowed_merge_methods.is_empty() {
                    protection.rule(&format!("merged by {} only", of.allowed_merge_methods.join(" or ")));
                }
            }
            "required_status_checks" => {
                of.required_status_checks.into_iter().for_each(|check| protection.need(check.context));
                if of.strict_required_status_checks_policy {
                    protection.rule("the branch has all of the base");
                }
            }
            "merge_queue" => protection.rule("merges go through a merge queue, which gradus does not use"),
            "update" => protection.rule("only who may bypass the rule may push and merge"),
            "required_linear_history" => protection.rule("no merge commits"),
            "required_signatures" => protection.rule("commits are signed"),
            // Nothing that gradus would do.
            "creation" | "deletion" | "non_fast_forward" => {}
            other => protection.rule(&format!("the rule {other}")),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) full_name: String,
}

#[derive(Deserialize)]
pub(super) struct Installed {
    pub(super) repositories: Vec<Named>,
}
