//! All that is known of something new, as JSON.

use gradus_core::news::News;
use gradus_core::release::Release;
use gradus_engine::short;
use serde_json::{Map, Value, json};

/// Everything, for whoever wants to pick from it. What is not known is not there.
pub(super) fn facts(news: &News) -> Value {
    let all = json!({
        "id": &*short(&news.key),
        "kind": news.kind.word(),
        "bad": news.kind.is_bad(),
        "title": news.title,
        "details": news.details,
        "can": news.can,
        "pipeline": {"namespace": news.pipeline.namespace.as_str(), "name": news.pipeline.name.as_str()},
        "environment": news.environment.as_ref().map(|name| name.as_str()),
        "version": news.release.as_ref().map(ToString::to_string),
        "from": news.from.as_ref().map(ToString::to_string),
        "artifacts": news.release.as_ref().map(versions),
        "proposal": news.proposal.map(|number| number.0),
        "url": news.url.as_deref(),
        "commit": news.commit.as_ref().map(|commit| commit.as_str()),
        "repository": &*news.repository,
        "promotion": &*short(&news.thread),
        "at": news.at.to_string(),
    });
    let Value::Object(all) = all else { return all };
    Value::Object(all.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

fn versions(release: &Release) -> Map<String, Value> {
    release.versions().map(|(name, version)| (name.to_string(), version.as_str().into())).collect()
}

/// What something is about, in a line: pipeline, environment.
pub(super) fn about(news: &News) -> String {
    match &news.environment {
        Some(environment) => format!("{} · {environment}", news.pipeline),
        None => news.pipeline.to_string(),
    }
}

/// A text of at most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
