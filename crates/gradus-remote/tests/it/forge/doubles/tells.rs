//! What the forges tell of themselves and of the rules of a repository.

use serde_json::{Value, json};

use super::call::{Asked, Call, Reply};
use super::server::{Kind, Who};
use super::world::World;

const fn get(
    name: &'static str,
    path: &'static str,
    query: &'static [&'static str],
    page: &'static str,
) -> Call {
    Call { name, method: "GET", path, query, body: &[], page }
}

static GITLAB: &[Call] = &[
    get("version", "/api/v4/version", &[], "version/"),
    get(
        "a protected branch",
        "/api/v4/projects/{}/protected_branches/{}",
        &[],
        "protected_branches/#get-a-single-protected-branch-or-wildcard-protected-branch",
    ),
    get(
        "approval rules",
        "/api/v4/projects/{}/approval_rules",
        &[],
        "merge_request_approvals/#list-all-approval-rules-for-a-project",
    ),
    get(
        "list webhooks",
        "/api/v4/projects/{}/hooks",
        &["per_page", "page"],
        "project_webhooks/#list-webhooks-for-a-project",
    ),
    get(
        "list projects",
        "/api/v4/projects",
        &["membership", "simple", "search", "per_page"],
        "projects/#list-all-projects",
    ),
];

static BITBUCKET: &[Call] = &[
    get(
        "branch restrictions",
        "/2.0/repositories/{}/{}/branch-restrictions",
        &["pagelen"],
        "api-group-branch-restrictions/#api-repositories-workspace-repo-slug-branch-restrictions-get",
    ),
    get(
        "list webhooks",
        "/2.0/repositories/{}/{}/hooks",
        &["pagelen"],
        "api-group-repositories/#api-repositories-workspace-repo-slug-hooks-get",
    ),
    get(
        "list repositories",
        "/2.0/repositories/{}",
        &["role", "pagelen"],
        "api-group-repositories/#api-repositories-workspace-get",
    ),
];

static BITBUCKET_SERVER: &[Call] = &[
    get(
        "branch permissions",
        "/rest/branch-permissions/2.0/projects/{}/repos/{}/restrictions",
        &["matcherType", "matcherId", "limit"],
        "GET /restrictions",
    ),
    get("list webhooks", "/rest/api/1.0/projects/{}/repos/{}/webhooks", &["limit"], "GET /webhooks"),
];

static AZURE_DEVOPS: &[Call] = &[
    get(
        "policy configurations",
        "/{}/{}/_apis/git/policy/configurations",
        &["repositoryId", "refName", "api-version"],
        "git/policy-configurations/get",
    ),
    get(
        "list subscriptions",
        "/{}/_apis/hooks/subscriptions",
        &["publisherId", "api-version"],
        "hooks/subscriptions/list",
    ),
    get("list repositories", "/{}/{}/_apis/git/repositories", &["api-version"], "git/repositories/list"),
];

/// The calls of that.
pub(super) fn calls(kind: &Kind) -> &'static [Call] {
    match kind.name {
        "gitlab" => GITLAB,
        "bitbucket" => BITBUCKET,
        "bitbucket-server" => BITBUCKET_SERVER,
        "azure-devops" => AZURE_DEVOPS,
        other => panic!("{other}"),
    }
}

/// The answer to one of them. Only who may write is told all.
pub(super) fn answer(kind: &Kind, world: &World, asked: &Asked) -> Option<Reply> {
    let reader = asked.who == Who::Reader;
    match kind.name {
        "gitlab" => gitlab(world, asked, reader),
        "bitbucket" => bitbucket(world, asked, reader),
        "bitbucket-server" => bitbucket_server(world, asked),
        _ => azure_devops(world, asked),
    }
}

fn gitlab(world: &World, asked: &Asked, reader: bool) -> Option<Reply> {
    let is_it = asked.parts.first().is_none_or(|project| project == "shop/apps/fleet");
    Some(match asked.name {
        "version" => Reply::ok(json!({"version": "18.2.1-ee", "revision": "0123456"})),
        "list projects" => {
            let all =
                ["shop/apps/fleet", "shop/web"].map(|path| json!({"id": 1, "path_with_namespace": path}));
            let search = asked.query("search").unwrap_or_default();
            let found =
                all.into_iter().filter(|it| it["path_with_namespace"].as_str().unwrap().contains(search));
            Reply::ok(found.collect())
        }
        _ if !is_it => return None,
        "one branch" if world.guarded => Reply::ok(json!({
            "name": "main", "commit": {"id": world.git.tip("main").unwrap()}, "protected": true, "can_push": false,
        })),
        "a protected branch" if world.guarded => {
            let level =
                |level: u32, words: &str| json!({"access_level": level, "access_level_description": words});
            Reply::ok(json!({
                "name": "main", "push_access_levels": [level(0, "No one")],
                "merge_access_levels": [level(40, "Maintainers")], "code_owner_approval_required": false,
            }))
        }
        "a protected branch" => Reply::of(404, json!({"message": "404 Not found"})),
        "approval rules" => {
            Reply::ok(json!([{"id": 1, "name": "All", "approvals_required": world.approvals}]))
        }
        "list webhooks" if reader => Reply::of(403, json!({"message": "403 Forbidden"})),
        "list webhooks" => Reply::ok(json!([{
            "id": 1, "url": "https://gradus.acme.io/hooks/forge/gitlab?x=secret", "push_events": true,
            "merge_requests_events": true, "note_events": false,
        }])),
        _ => return None,
    })
}

fn bitbucket(world: &World, asked: &Asked, reader: bool) -> Option<Reply> {
    let of = |kind: &str, value: Option<usize>| json!({"kind": kind, "branch_match_kind": "glob", "pattern": "main", "value": value});
    Some(match asked.name {
        "branch restrictions" if reader => {
            Reply::of(403, json!({"type": "error", "error": {"message": "Forbidden"}}))
        }
        "branch restrictions" => {
            let rules = [of("force", None), of("require_approvals_to_merge", Some(world.approvals))];
            Reply::ok(
                json!({"values": rules.into_iter().skip(usize::from(world.approvals == 0) * 2).collect::<Vec<_>>()}),
            )
        }
        "list webhooks" => Reply::ok(json!({"values": []})),
        "list repositories" => Reply::ok(json!({"values": [{"full_name": "acme/fleet"}]})),
        _ => return None,
    })
}

fn bitbucket_server(world: &World, asked: &Asked) -> Option<Reply> {
    Some(match asked.name {
        "branch permissions" if world.guarded => {
            Reply::ok(json!({"values": [{"id": 1, "type": "read-only"}]}))
        }
        "branch permissions" => Reply::ok(json!({"values": []})),
        "list webhooks" => Reply::ok(json!({"values": [{
            "id": 1, "url": "https://gradus.acme.io/hooks/forge/bitbucket-server", "active": false, "events": ["pr:merged"],
        }]})),
        "list repositories" if asked.query("permission").is_none() => {
            Reply::ok(json!({"values": [{"slug": "fleet", "project": {"key": "SHOP"}}]}))
        }
        _ => return None,
    })
}

fn azure_devops(world: &World, asked: &Asked) -> Option<Reply> {
    let listed = |value: Value| Reply::ok(json!({"count": 1, "value": value}));
    Some(match asked.name {
        "policy configurations" if world.approvals > 0 => listed(json!([{
            "isEnabled": true, "isBlocking": true, "type": {"displayName": "Minimum number of reviewers"},
            "settings": {"minimumApproverCount": world.approvals},
        }])),
        "policy configurations" => listed(json!([])),
        "list subscriptions" => listed(json!([{
            "status": "enabled", "eventType": "git.pullrequest.updated",
            "consumerInputs": {"url": "https://gradus.acme.io/hooks/forge/azure-devops"},
        }])),
        "list repositories" => listed(json!([{"name": "fleet", "project": {"name": "Web Shop"}}])),
        _ => return None,
    })
}
