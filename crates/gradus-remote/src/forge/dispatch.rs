//! What somebody else's automation is told when it is asked for a promotion.

use std::collections::BTreeMap;

use gradus_core::observation::RequestKind;
use gradus_core::release::Release;
use gradus_engine::port::dispatch::DispatchOrder;
use serde::Serialize;

/// A list of names does not grow beyond this many bytes; what is left out is counted.
const LIST: usize = 3000;
/// So many characters of why it is asked for are told.
const WORDS: usize = 500;
/// So many of those who approved are told.
const PEOPLE: usize = 20;

/// All that is told, the same in every forge. GitHub takes ten members at most, and 64 KB.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    /// The same for the same change: whoever gets it twice was asked twice for one thing.
    promotion: &'a str,
    pipeline: Pipeline<'a>,
    environment: &'a str,
    /// As people read it.
    release: String,
    versions: BTreeMap<&'a str, &'a str>,
    /// What is there, and nothing where nothing is.
    from: Option<BTreeMap<&'a str, &'a str>>,
    change: Change<'a>,
    targets: List<'a>,
    why: Why<'a>,
}

#[derive(Debug, Serialize)]
struct Pipeline<'a> {
    namespace: &'a str,
    name: &'a str,
}

/// Where it would be written.
#[derive(Debug, Serialize)]
struct Change<'a> {
    repository: &'a str,
    branch: &'a str,
    files: List<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    names: Vec<&'a str>,
    #[serde(skip_serializing_if = "is_none")]
    left_out: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Why<'a> {
    words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<&'a str>,
    approved_by: Vec<&'a str>,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl<'a> Payload<'a> {
    /// What is told of an order.
    pub(super) fn of(order: &'a DispatchOrder) -> Self {
        Self {
            promotion: &order.promotion,
            pipeline: Pipeline {
                namespace: order.pipeline.namespace.as_str(),
                name: order.pipeline.name.as_str(),
            },
            environment: order.environment.as_str(),
            release: order.to.to_string(),
            versions: versions(&order.to),
            from: order.from.as_ref().map(versions),
            change: Change {
                repository: &order.repository.url,
                branch: order.base.as_str(),
                files: List::of(order.files.iter().map(|file| file.as_str())),
            },
            targets: List::of(order.targets.iter().map(|target| target.as_str())),
            why: Why {
                words: order.because.chars().take(WORDS).collect(),
                kind: order.asked.as_ref().map(|(kind, _)| word(*kind)),
                asked_by: order.asked.as_ref().map(|(_, by)| by.as_str()),
                approved_by: order.approved_by.iter().take(PEOPLE).map(|by| by.as_str()).collect(),
            },
        }
    }

    /// The same as variables, for automation that knows nothing else. None of them is empty.
    pub(super) fn variables(&self, order: &DispatchOrder) -> Vec<(&'static str, String)> {
        let only = match self.versions.values().collect::<Vec<_>>().as_slice() {
            [version] => (*version).to_string(),
            _ => String::new(),
        };
        let all = [
            ("GRADUS_EVENT", order.event.to_string()),
            ("GRADUS_PROMOTION", self.promotion.to_owned()),
            ("GRADUS_PIPELINE", order.pipeline.to_string()),
            ("GRADUS_ENVIRONMENT", self.environment.to_owned()),
            ("GRADUS_RELEASE", self.release.clone()),
            ("GRADUS_VERSION", only),
            ("GRADUS_FROM", order.from.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("GRADUS_BRANCH", self.change.branch.to_owned()),
            ("GRADUS_FILES", self.change.files.names.join("\n")),
            ("GRADUS_PAYLOAD", serde_json::to_string(self).unwrap_or_default()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

impl<'a> List<'a> {
    fn of(all: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let (count, mut bytes) = (all.len(), 0_usize);
        let fits = |name: &&str| {
            bytes = bytes.saturating_add(name.len());
            bytes <= LIST
        };
        let names: Vec<&str> = all.take_while(fits).collect();
        Self { left_out: count.saturating_sub(names.len()), names }
    }
}

fn versions(release: &Release) -> BTreeMap<&str, &str> {
    release.versions().map(|(artifact, version)| (artifact.as_str(), version.as_str())).collect()
}

fn word(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Promote => "promote",
        RequestKind::Override => "override",
        RequestKind::Rollback => "rollback",
        RequestKind::Emergency => "emergency",
    }
}

#[cfg(test)]
mod tests {
    use gradus_core::names::RepoPath;

    use super::Payload;
    use crate::forge::sample;

    #[test]
    fn what_is_told_fits() {
        let mut order = sample::dispatch();
        order.files =
            (0..500).map(|at| RepoPath::parse(&format!("apps/{at}/values.yaml")).unwrap()).collect();
        order.because = "é".repeat(5000);
        let json = serde_json::to_value(Payload::of(&order)).unwrap();
        assert!(json.as_object().unwrap().len() <= 10, "{json}");
        assert!(json.to_string().len() < 10_000, "{}", json.to_string().len());
        let files = &json["change"]["files"];
        let told = files["names"].as_array().unwrap().len() as u64;
        assert_eq!(told + files["leftOut"].as_u64().unwrap(), 500);
    }
}
