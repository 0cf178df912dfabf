//! What the template of a notification may speak of.

use std::collections::BTreeMap;

use gradus_core::names::{
    ArtifactName, CommitId, EnvironmentName, Namespace, PipelineKey, PipelineName, ProposalNumber,
};
use gradus_core::news::{News, NewsKind};
use gradus_core::release::Release;
use gradus_core::version::Version;
use jiff::Timestamp;
use minijinja::Value;

use crate::engine::rendered;
use crate::error::TemplateError;
use crate::part::Part;

/// What the template of a notification makes of something new.
pub fn message(template: &str, news: &News) -> Result<String, TemplateError> {
    rendered(Part::Notification, template, value(news))
}

/// Tries the template of a notification before there is news: on news that could be, with all there is and with little.
pub fn check_message(template: &str) -> Result<(), TemplateError> {
    for sample in sample().into_iter().flatten() {
        message(template, &sample)?;
    }
    Ok(())
}

fn value(news: &News) -> Value {
    let text = |text: Option<String>| Value::from(text.unwrap_or_default());
    let list = |lines: &[String]| {
        Value::from(lines.iter().map(|line| Value::from(line.as_str())).collect::<Vec<_>>())
    };
    let map = |pairs: Vec<(&str, String)>| {
        Value::from(pairs.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<BTreeMap<_, _>>())
    };
    let artifacts = news.release.iter().flat_map(|release| release.versions());
    let all = BTreeMap::from([
        ("kind", Value::from(news.kind.word())),
        ("bad", Value::from(news.kind.is_bad())),
        ("title", Value::from(news.title.as_str())),
        ("details", list(&news.details)),
        ("can", list(&news.can)),
        (
            "pipeline",
            map(vec![
                ("namespace", news.pipeline.namespace.to_string()),
                ("name", news.pipeline.name.to_string()),
            ]),
        ),
        ("environment", text(news.environment.as_ref().map(ToString::to_string))),
        ("version", text(news.release.as_ref().map(ToString::to_string))),
        ("from", text(news.from.as_ref().map(ToString::to_string))),
        (
            "artifacts",
            Value::from(
                artifacts
                    .map(|(name, version)| {
                        map(vec![("name", name.to_string()), ("version", version.to_string())])
                    })
                    .collect::<Vec<_>>(),
            ),
        ),
        ("proposal", text(news.proposal.map(|number| number.to_string()))),
        ("url", text(news.url.as_deref().map(str::to_owned))),
        ("commit", text(news.commit.as_ref().map(ToString::to_string))),
        ("repository", map(vec![("url", news.repository.to_string())])),
        ("at", Value::from(news.at.to_string())),
    ]);
    Value::from(all)
}

/// The end of a hold, of which little is known, and a promotion.
fn sample() -> Option<[News; 2]> {
    let release = |version: &str| {
        Some(Release::single(ArtifactName::parse("app").ok()?, Version::parse(version).ok()?))
    };
    let little = News {
        kind: NewsKind::HoldEnds,
        key: "sample".into(),
        thread: "sample".into(),
        scope: None,
        pipeline: PipelineKey {
            namespace: Namespace::parse("apps").ok()?,
            name: PipelineName::parse("web").ok()?,
        },
        environment: None,
        release: None,
        from: None,
        proposal: None,
        url: None,
        commit: None,
        repository: "https://git.example.com/fleet".into(),
        at: Timestamp::UNIX_EPOCH,
        title: "something is new".to_owned(),
        details: Vec::new(),
        can: Vec::new(),
    };
    let much = News {
        kind: NewsKind::Promoted,
        environment: EnvironmentName::parse("prod").ok(),
        release: release("1.1.0"),
        from: release("1.0.0"),
        proposal: Some(ProposalNumber(1)),
        url: Some("https://git.example.com/fleet/pulls/1".into()),
        commit: CommitId::parse(&"a".repeat(40)).ok(),
        details: vec!["a line".to_owned()],
        can: vec!["a command".to_owned()],
        ..little.clone()
    };
    Some([little, much])
}
