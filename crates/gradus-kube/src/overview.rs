//! The overview of pipelines that labels make: a `Kustomization` of Flux is a stage
//! of the pipeline that its labels name, and what carries its labels belongs to it.

mod read;
mod version;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gradus_evidence::GroupKind;
use serde_json::Value;

pub(crate) use self::read::{images, label, name_of, text};
pub(crate) use self::version::{ChartVersion, chart_version};

use crate::clusters::wire::clean;

/// The label by which a stage says of which pipeline it is.
const PIPELINE: &str = "pipelines.weave.works/name";
/// The label by which it says which stage it is: a number, from 0.
const STAGE: &str = "pipelines.weave.works/stage";
/// The annotation that says where people find what runs there.
const APP_URL: &str = "metadata.weave.works/app-url";
/// The labels of everything that a `Kustomization` applies.
const BY_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
const BY_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";

/// What is shown beside names and versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OverviewOptions {
    /// Where people find what runs in a stage.
    pub urls: bool,
}

/// The kinds of objects that an overview is made of.
pub fn overview_kinds() -> [GroupKind; 3] {
    [
        GroupKind::new("kustomize.toolkit.fluxcd.io", "Kustomization"),
        GroupKind::new("apps", "Deployment"),
        GroupKind::new("helm.toolkit.fluxcd.io", "HelmRelease"),
    ]
}

/// The overview of all pipelines among these objects, sorted by name.
pub fn overview(objects: &[Value], options: OverviewOptions) -> String {
    let mut pipelines: BTreeMap<&str, Vec<Stage<'_>>> = BTreeMap::new();
    for object in objects.iter().filter(|object| is(object, "Kustomization")) {
        if let Some(pipeline) = label(object, PIPELINE) {
            pipelines.entry(pipeline).or_default().push(Stage::of(object));
        }
    }
    let mut members: Vec<Member<'_>> = objects.iter().filter_map(Member::of).collect();
    members.sort_unstable_by_key(|member| (member.kind, member.name));
    let mut text = String::new();
    for (pipeline, stages) in &mut pipelines {
        stages.sort_unstable_by(|a, b| (&a.order, a.name).cmp(&(&b.order, b.name)));
        line(&mut text, 0, &format!("{pipeline}:"));
        for stage in stages.iter() {
            let (namespace, name) = stage.name;
            let url = stage.url.filter(|_| options.urls).map_or_else(String::new, |url| format!("\t{url}"));
            line(&mut text, 1, &format!("{namespace}/{name}{}{url}", stage.order.note()));
            for member in members.iter().filter(|member| member.of == stage.name) {
                let (namespace, name) = member.name;
                line(
                    &mut text,
                    2,
                    &format!("{}/{namespace}/{name}: {}", member.kind.as_str(), member.version()),
                );
            }
        }
    }
    text
}

/// A stage of a pipeline.
struct Stage<'a> {
    order: Order<'a>,
    name: (&'a str, &'a str),
    url: Option<&'a str>,
}

/// Where a stage comes. What is no number comes last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Order<'a> {
    Number(u64),
    Text(&'a str),
    Missing,
}

impl Order<'_> {
    /// What people have to know of it.
    fn note(&self) -> String {
        match self {
            Self::Number(_) => String::new(),
            Self::Text(text) => format!(" (stage {text:?} is no number)"),
            Self::Missing => " (no stage)".to_owned(),
        }
    }
}

impl<'a> Stage<'a> {
    fn of(object: &'a Value) -> Self {
        let order = match label(object, STAGE).map(|text| (text, text.parse())) {
            Some((_, Ok(number))) => Order::Number(number),
            Some((text, Err(_))) => Order::Text(text),
            None => Order::Missing,
        };
        let annotations = object.pointer("/metadata/annotations");
        let url = annotations.and_then(|annotations| annotations.get(APP_URL)).and_then(Value::as_str);
        Self { order, name: name_of(object), url }
    }
}

/// What belongs to a stage.
struct Member<'a> {
    kind: MemberKind,
    name: (&'a str, &'a str),
    of: (&'a str, &'a str),
    object: &'a Value,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MemberKind {
    Deployment,
    HelmRelease,
}

impl MemberKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::HelmRelease => "HelmRelease",
        }
    }
}

impl<'a> Member<'a> {
    fn of(object: &'a Value) -> Option<Self> {
        let kinds = [MemberKind::Deployment, MemberKind::HelmRelease];
        let kind = kinds.into_iter().find(|kind| is(object, kind.as_str()))?;
        let of = (label(object, BY_NAMESPACE)?, label(object, BY_NAME)?);
        Some(Self { kind, name: name_of(object), of, object })
    }

    fn version(&self) -> String {
        match self.kind {
            MemberKind::Deployment => {
                let images: Vec<&str> = images(self.object);
                if images.is_empty() { "-".to_owned() } else { images.join(", ") }
            }
            MemberKind::HelmRelease => match chart_version(self.object) {
                ChartVersion::Pinned(version) | ChartVersion::Range { range: version, .. } => version,
                ChartVersion::Floating { now: Some(now) } => format!("floating, {now} now"),
                ChartVersion::Floating { now: None } => "floating".to_owned(),
            },
        }
    }
}

fn is(object: &Value, kind: &str) -> bool {
    text(object, "/kind") == Some(kind)
}

/// A line that nothing from outside can break.
fn line(out: &mut String, depth: usize, words: &str) {
    let words: Vec<String> = words.split('\t').map(clean).collect();
    let _infallible = writeln!(out, "{}{}", "\t".repeat(depth), words.join("\t"));
}
