//! What a forge says when it does not do something.

use crate::http::Answer;

/// The most of what a forge says that is repeated.
const MOST_WORDS: usize = 500;

/// What a forge says about a failure, in one line, from any of the shapes they use.
pub(super) fn words(bytes: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return String::new() };
    let mut said: Vec<String> = Vec::new();
    gather(&json, &mut said, 0);
    let mut text = String::new();
    for part in said {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        if part.is_empty() || text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&part);
    }
    if text.len() > MOST_WORDS {
        let end = (0..=MOST_WORDS).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn gather(json: &serde_json::Value, said: &mut Vec<String>, depth: usize) {
    const MEMBERS: [&str; 6] = ["message", "error_description", "error", "errors", "detail", "reason"];
    match json {
        serde_json::Value::String(text) => said.push(text.clone()),
        serde_json::Value::Array(parts) if depth < 4 => {
            parts.iter().take(8).for_each(|part| gather(part, said, depth + 1));
        }
        serde_json::Value::Object(members) if depth < 4 => {
            let known: Vec<_> = MEMBERS.iter().filter_map(|name| members.get(*name)).collect();
            let text = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
            if let (true, Some(field), Some(code)) = (depth > 0, text("field"), text("code")) {
                // GitHub: `{"resource": "PullRequest", "field": "head", "code": "invalid"}`.
                said.push(format!("{field}: {}", code.replace('_', " ")));
            }
            if known.is_empty() && depth > 0 {
                // Such as `{"title": ["is too long"]}`.
                for (name, value) in members.iter().take(8) {
                    if let serde_json::Value::Array(parts) = value {
                        let parts = parts.iter().filter_map(serde_json::Value::as_str);
                        said.extend(parts.map(|part| format!("{name} {part}")));
                    }
                }
            }
            known.into_iter().for_each(|part| gather(part, said, depth + 1));
        }
        serde_json::Value::Array(_)
        | serde_json::Value::Object(_)
        | serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_) => {}
    }
}

/// The name of the exception, where the forge tells one.
pub(super) fn code(bytes: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    // Azure DevOps: `typeKey`. Bitbucket Data Center: `errors[0].exceptionName`.
    let code = json.get("typeKey").or_else(|| json.pointer("/errors/0/exceptionName"))?;
    Some(code.as_str()?.chars().take(200).collect())
}

/// What the credentials lack, where the forge says it.
pub(super) fn missing(answer: &Answer, words: &str) -> Option<String> {
    // GitHub, of apps and fine-grained tokens: `pull_requests=write`.
    if let Some(wanted) = answer.header("x-accepted-github-permissions") {
        return Some(format!("the permission {wanted}"));
    }
    if let Some(scope) = missing_scope(answer) {
        return Some(scope);
    }
    // Gitea: `required=[write:repository]`.
    if let Some((_, rest)) = words.split_once("required=[")
        && let Some((scopes, _)) = rest.split_once(']')
    {
        return Some(format!("the scope {scopes}"));
    }
    let json: serde_json::Value = serde_json::from_slice(&answer.bytes).ok()?;
    // Bitbucket Cloud: `{"error": {"detail": {"granted": ["account"], "required": ["pullrequest:write"]}}}`.
    if let Some(required) = json.pointer("/error/detail/required").and_then(serde_json::Value::as_array) {
        let scopes: Vec<&str> = required.iter().filter_map(serde_json::Value::as_str).collect();
        return Some(format!("the scope {}", scopes.join(" or ")));
    }
    // GitLab: `{"error": "insufficient_scope", "scope": "api"}`.
    match (json.get("error")?.as_str()?, json.get("scope")?.as_str()?) {
        ("insufficient_scope", scope) => Some(format!("the scope {scope}")),
        (_, _) => None,
    }
}

/// GitHub, of classic tokens: which scope would do, where the token has none of those.
pub(super) fn missing_scope(answer: &Answer) -> Option<String> {
    let accepted = answer.header("x-accepted-oauth-scopes")?;
    let has: Vec<&str> = answer.header("x-oauth-scopes")?.split(',').map(str::trim).collect();
    let accepted: Vec<&str> = accepted.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect();
    let is_missing = !accepted.is_empty() && !accepted.iter().any(|scope| has.contains(scope));
    is_missing.then(|| format!("the scope {}", accepted.join(" or ")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{missing, words};
    use crate::http::Answer;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(words(body.as_bytes()), expected);
    }

    #[test]
    fn the_words_are_found_in_every_shape() {
        check(r#"{"message": "head out of date", "url": "https://x/api/swagger"}"#, "head out of date");
        let github = r#"{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for a:b."}]}"#;
        check(github, "Validation Failed; A pull request already exists for a:b.");
        check(
            r#"{"message": ["Another open merge request already exists: !3"]}"#,
            "Another open merge request already exists: !3",
        );
        check(r#"{"message": {"title": ["is too long"]}}"#, "title is too long");
        check(
            r#"{"error": {"message": "There are no changes to be pulled"}}"#,
            "There are no changes to be pulled",
        );
        let server = r#"{"errors": [{"context": null, "message": "Only one pull request may be open"}]}"#;
        check(server, "Only one pull request may be open");
        let field = r#"{"message": "Validation Failed", "errors": [{"resource": "Label", "code": "already_exists", "field": "name"}]}"#;
        check(field, "Validation Failed; name: already exists");
        check("<html>", "");
        assert!(words(format!("{{\"message\": \"{}\"}}", "é".repeat(900)).as_bytes()).len() < 510);
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |headers: &[(&str, &str)], body: &'static str| {
            let headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let answer = Answer { status: 403, headers, bytes: Bytes::from_static(body.as_bytes()) };
            missing(&answer, &words(body.as_bytes())).unwrap_or_default()
        };
        assert_eq!(
            told(&[("x-accepted-github-permissions", "pull_requests=write")], "{}"),
            "the permission pull_requests=write"
        );
        assert_eq!(
            told(&[("x-accepted-oauth-scopes", "repo"), ("x-oauth-scopes", "gist, user")], "{}"),
            "the scope repo"
        );
        assert_eq!(told(&[("x-accepted-oauth-scopes", "repo"), ("x-oauth-scopes", "repo")], "{}"), "");
        let gitea = r#"{"message": "token does not have at least one of required scope(s), required=[write:repository], token scope=read:repository"}"#;
        assert_eq!(told(&[], gitea), "the scope write:repository");
        assert_eq!(told(&[], r#"{"error": "insufficient_scope", "scope": "api"}"#), "the scope api");
    }
}
