//! Promotions, approvals and checks, from their objects.

use std::sync::Arc;

use gradus_core::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, PipelineKey, PipelineName, RequestId,
};
use gradus_core::observation::{CheckResult, RequestKind};
use gradus_core::release::Release;
use gradus_core::version::Version;

use super::time::{Edge, instant};
use super::{Reader, location, pipeline, versions};
use crate::error::Trouble;
use crate::said::{ApprovalManifest, CheckManifest, Named, PromotionManifest, RecordedRequest};
use crate::status;
use crate::wire;
use crate::yaml::Path;

/// Reads a promotion; `None` once all that is wrong with it has been told of.
pub(crate) fn promotion(
    reader: &mut Reader<'_, '_>,
    manifest: &wire::PromotionManifest,
    status: Option<&status::PromotionStatus>,
) -> Option<PromotionManifest> {
    let path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let about = about(reader, &manifest.metadata, &spec.pipeline, &spec.environment);
    let wanted = named(reader, &path, spec.version.as_ref(), &spec.versions);
    let by = reader.take(&path.field("by"), Person::parse(&spec.by));
    let kind = match spec.way {
        None | Some(wire::Way::Promote) => RequestKind::Promote,
        Some(wire::Way::Override) => RequestKind::Override,
        Some(wire::Way::Rollback) => RequestKind::Rollback,
        Some(wire::Way::Emergency) => RequestKind::Emergency,
    };
    let reason = spec.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()).map(Arc::from);
    if matches!(kind, RequestKind::Override | RequestKind::Emergency) && reason.is_none() {
        let trouble = Trouble::value("an override or an emergency needs a reason")
            .help("say why, for those who look back at it");
        reader.fail(&path.field("reason"), trouble);
        return None;
    }
    let (pipeline, environment) = about?;
    Some(PromotionManifest {
        pipeline,
        environment,
        wanted: wanted?,
        kind,
        by: by?,
        reason,
        recorded: status.and_then(|status| recorded(status.recorded.as_ref()?)),
    })
}

/// Reads an approval.
pub(crate) fn approval(
    reader: &mut Reader<'_, '_>,
    manifest: &wire::ApprovalManifest,
    status: Option<&status::ApprovalStatus>,
) -> Option<ApprovalManifest> {
    let path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let about = about(reader, &manifest.metadata, &spec.pipeline, &spec.environment);
    let wanted = named(reader, &path, spec.version.as_ref(), &spec.versions);
    let by = reader.take(&path.field("by"), Person::parse(&spec.by));
    let groups = reader.each(&path.field("groups"), &spec.groups, |reader, path, name| {
        reader.take(path, Group::parse(name))
    });
    let aliases = reader.each(&path.field("aliases"), &spec.aliases, |reader, path, name| {
        reader.take(path, Person::parse(name))
    });
    let (pipeline, environment) = about?;
    Some(ApprovalManifest {
        pipeline,
        environment,
        wanted: wanted?,
        by: by?,
        groups: groups?,
        aliases: aliases?,
        recorded: status.and_then(|status| release(&status.versions)),
    })
}

/// Reads a check's report.
pub(crate) fn check(reader: &mut Reader<'_, '_>, manifest: &wire::CheckManifest) -> Option<CheckManifest> {
    let path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let about = about(reader, &manifest.metadata, &spec.pipeline, &spec.environment);
    let wanted = named(reader, &path, spec.version.as_ref(), &spec.versions);
    if let Some(None) = wanted {
        let trouble = Trouble::value("the report does not say what it is about").help(
            "write `version: ...`, or `versions: {ARTIFACT: VERSION}` where there are several artifacts",
        );
        reader.fail(&path, trouble);
    }
    let check = reader.take(&path.field("check"), CheckName::parse(&spec.check));
    let reporter = reader.take(&path.field("reporter"), Person::parse(&spec.reporter));
    let at = reader.take_some(&path.field("at"), spec.at.as_deref().map(|text| instant(text, Edge::Begin)));
    let url = reader.take_some(&path.field("url"), spec.url.as_deref().map(location::question));
    let detail = match (spec.detail.as_deref(), url?) {
        (None, None) => None,
        (Some(detail), None) => Some(Arc::from(detail)),
        (None, Some((url, _))) => Some(url),
        (Some(detail), Some((url, _))) => Some(Arc::from(format!("{detail} ({url})"))),
    };
    let (pipeline, environment) = about?;
    Some(CheckManifest {
        pipeline,
        environment,
        check: check?,
        reporter: reporter?,
        about: wanted??,
        result: match spec.result {
            wire::CheckResult::Passed => CheckResult::Passed,
            wire::CheckResult::Failed => CheckResult::Failed,
            wire::CheckResult::Pending => CheckResult::Pending,
        },
        detail,
        at: at?,
    })
}

fn about(
    reader: &mut Reader<'_, '_>,
    metadata: &wire::Metadata,
    name: &str,
    environment: &str,
) -> Option<(PipelineKey, EnvironmentName)> {
    let path = Path::ROOT.field("spec");
    let namespace = pipeline::namespace(reader, metadata);
    let name = reader.take(&path.field("pipeline"), PipelineName::parse(name));
    let environment = reader.take(&path.field("environment"), EnvironmentName::parse(environment));
    Some((PipelineKey { namespace: namespace?, name: name? }, environment?))
}

/// The release that is named; `Some(None)` where none is.
fn named(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    version: Option<&String>,
    all: &wire::Versions,
) -> Option<Option<Named>> {
    let (pin, field) = match (version, all.is_empty()) {
        (None, true) => return Some(None),
        (Some(_), false) => {
            let trouble = Trouble::value("only one of version and versions can be here")
                .help("write `version` where there is one artifact, and `versions` where there are several");
            reader.fail(&path.field("versions"), trouble);
            return None;
        }
        (Some(version), true) => (wire::Pin::Only(version.clone()), "version"),
        (None, false) => (wire::Pin::Each(all.clone()), "versions"),
    };
    let path = path.field(field);
    let place = reader.place(&path);
    let field = if field == "version" { "spec.version" } else { "spec.versions" };
    versions::pin(reader, &path, &pin).map(|pin| Some(Named { pin, place, field }))
}

/// What was recorded, if it can be read. It was written by gradus: what cannot be
/// read counts as not recorded, and is recorded anew.
fn recorded(recorded: &status::Recorded) -> Option<RecordedRequest> {
    Some(RecordedRequest {
        id: RequestId::parse(&recorded.id).ok()?,
        release: release(&recorded.versions)?,
        from: release(&recorded.from),
        from_commit: recorded.from_commit.as_deref().and_then(|commit| CommitId::parse(commit).ok()),
    })
}

fn release(versions: &status::Versions) -> Option<Release> {
    let read: Option<Vec<_>> = versions
        .iter()
        .map(|(artifact, version)| Some((ArtifactName::parse(artifact).ok()?, Version::parse(version).ok()?)))
        .collect();
    Release::new(read?)
}
