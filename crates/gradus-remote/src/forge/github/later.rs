//! Merging later: by auto-merge, or by the queue of the base branch. Both are in GitHub's other API alone, see
//! `https://docs.github.com/graphql/reference/mutations`.

use serde::{Deserialize, Serialize};

use crate::forge::address::RepoAddress;
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{MergeMethod, MergeOrder};
use crate::forge::request::{Method, Request};

#[derive(Serialize)]
struct Body<I> {
    query: &'static str,
    variables: Variables<I>,
}

#[derive(Serialize)]
struct Variables<I> {
    input: I,
}

/// On a server of one's own it is beside version 3 of the other API.
fn post<I: Serialize>(address: &RepoAddress, doing: String, query: &'static str, input: I) -> Request {
    let beside: &[&str] = if address.api().ends_with("/api/v3") { &["..", "graphql"] } else { &["graphql"] };
    Request::new(Method::Post, doing, beside).json(&Body { query, variables: Variables { input } })
}

/// `enablePullRequestAutoMerge`. `None` where GitHub has no such way to merge.
pub(super) fn enable(address: &RepoAddress, pull: &str, order: &MergeOrder) -> Option<Request> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Input<'a> {
        pull_request_id: &'a str,
        expected_head_oid: &'a str,
        merge_method: &'static str,
        commit_headline: &'a str,
        commit_body: &'a str,
    }
    let merge_method = match order.method {
        MergeMethod::Merge => "MERGE",
        MergeMethod::Squash => "SQUASH",
        MergeMethod::Rebase => "REBASE",
        MergeMethod::FastForward => return None,
    };
    let query = "mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { clientMutationId } }";
    let input = Input {
        pull_request_id: pull,
        expected_head_oid: order.head.as_str(),
        merge_method,
        commit_headline: &order.title,
        commit_body: &order.message,
    };
    Some(post(address, format!("order a merge in {address}"), query, input))
}

/// `enqueuePullRequest`. How it is merged is a rule of the queue.
pub(super) fn enqueue(address: &RepoAddress, pull: &str, order: &MergeOrder) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Input<'a> {
        pull_request_id: &'a str,
        expected_head_oid: &'a str,
    }
    let query = "mutation($input: EnqueuePullRequestInput!) { enqueuePullRequest(input: $input) { clientMutationId } }";
    let input = Input { pull_request_id: pull, expected_head_oid: order.head.as_str() };
    post(address, format!("put a pull request into the merge queue of {address}"), query, input)
}

/// What the other API answers: with the status of success also where it refuses.
#[derive(Deserialize)]
pub(super) struct Answered {
    #[serde(default)]
    errors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

impl Answered {
    pub(super) fn read(self, request: &Request) -> Result<(), ForgeError> {
        let Some(first) = self.errors.into_iter().next() else { return Ok(()) };
        let words = first.message.to_lowercase();
        let kind = if words.contains("head sha") || words.contains("expected head") {
            ForgeErrorKind::HeadMoved
        } else {
            ForgeErrorKind::Refused(first.message)
        };
        Err(ForgeError::new(&request.doing, kind))
    }
}

/// Whether there is nothing to wait for: GitHub takes no order for what could be merged now.
pub(super) fn is_ready(error: &ForgeError) -> bool {
    error.words().contains("is in clean status")
}

/// Whether it was ordered before.
pub(super) fn is_ordered(error: &ForgeError) -> bool {
    error.words().contains("already enabled") || error.words().contains("already in the queue")
}

/// Whether the base branch takes only what comes through its queue.
pub(super) fn needs_queue(error: &ForgeError) -> bool {
    error.words().contains("merge queue")
}
