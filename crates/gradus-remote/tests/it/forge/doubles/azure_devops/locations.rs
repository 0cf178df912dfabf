//! Where the calls are. Programs that are made from the description ask for it first, and know the calls by their
//! identifiers only.

use serde_json::{Value, json};

use super::super::call::{Asked, Call, Reply};

pub(super) static CALLS: &[Call] = &[
    Call {
        name: "resource locations",
        method: "OPTIONS",
        path: "/{}/_apis",
        query: &[],
        body: &[],
        page: "azure-devops-node-api, VsoClient.beginGetLocation",
    },
    Call {
        name: "resource areas",
        method: "GET",
        path: "/{}/_apis/resourceAreas",
        query: &["api-version"],
        body: &[],
        page: "azure-devops-node-api, LocationsApi.getResourceAreas",
    },
];

/// The identifier of a call, its area, its name and its path.
const LOCATIONS: [(&str, &str, &str, &str); 8] = [
    ("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "_apis/{resource}/{areaId}"),
    (
        "225f7195-f9c7-4d14-ab28-a83f7ff77e1f",
        "git",
        "repositories",
        "{project}/_apis/{area}/{resource}/{repositoryId}",
    ),
    (
        "2d874a60-a811-4f62-9c9f-963a6ea0a55b",
        "git",
        "refs",
        "{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{*filter}",
    ),
    (
        "9946fd70-0d40-406e-b686-b4744cbbcc37",
        "git",
        "pullRequests",
        "{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{pullRequestId}",
    ),
    (
        "4b6702c7-aa35-4b89-9c96-b9abf6d3e540",
        "git",
        "pullRequestReviewers",
        "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/reviewers/{reviewerId}",
    ),
    (
        "ab6e2e5d-a0b7-4153-b64a-a4efe0d49449",
        "git",
        "pullRequestThreads",
        "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/threads/{threadId}",
    ),
    (
        "f22387e3-984e-4c52-9c6d-fbb8f14c812d",
        "git",
        "pullRequestLabels",
        "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/labels/{labelIdOrName}",
    ),
    (
        "428dd4fb-fda5-4722-af02-9313b80305da",
        "git",
        "statuses",
        "{project}/_apis/{area}/repositories/{repositoryId}/commits/{commitId}/{resource}",
    ),
];

/// The area of Git.
const GIT: &str = "4e080c62-fa21-4fbc-8fef-2a10a2b38049";

/// The answer to a question where calls are.
pub(super) fn answer(asked: &Asked) -> Option<Reply> {
    let all: Vec<Value> = match asked.name {
        "resource locations" => LOCATIONS
            .iter()
            .map(|(id, area, name, path)| {
                json!({
                    "id": id, "area": area, "resourceName": name, "routeTemplate": path, "resourceVersion": 1,
                    "minVersion": "1.0", "maxVersion": "7.2", "releasedVersion": "7.1",
                })
            })
            .collect(),
        "resource areas" => {
            vec![json!({"id": GIT, "name": "git", "locationUrl": format!("{}/acme/", asked.url)})]
        }
        _ => return None,
    };
    Some(Reply::ok(json!({"count": all.len(), "value": all})))
}
