//! The changes that templates are tried on.

use std::sync::Arc;

use gradus_core::names::{ArtifactName, BranchName, EnvironmentName, Person, PipelineKey, RequestId};
use gradus_core::observation::{Request, RequestKind};
use gradus_core::plan::{Cause, Change};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_template::{Facts, Made, Part, TemplateError, render};
use jiff::Timestamp;

/// A release, such as `app 1.2.3` or `app 1.2.3, chart 4.5.6`.
pub(crate) fn release(text: &str) -> Release {
    let versions = text.split(", ").map(|one| {
        let (name, version) = one.split_once(' ').unwrap();
        (ArtifactName::parse(name).unwrap(), Version::parse(version).unwrap())
    });
    Release::new(versions).unwrap()
}

/// A change of an environment that comes after `staging`.
pub(crate) fn change(environment: &str, from: Option<&str>, to: &str) -> Change {
    Change {
        environment: EnvironmentName::parse(environment).unwrap(),
        from: from.map(release),
        to: release(to),
        cause: Cause::ProvenIn(vec![EnvironmentName::parse("staging").unwrap()]),
        at: Timestamp::UNIX_EPOCH,
        approved_by: Vec::new(),
        brought_by: Vec::new(),
        replaces_hand_edit: false,
        merges: None,
    }
}

/// The same change, because somebody asked for it.
pub(crate) fn asked(change: Change, kind: RequestKind, reason: Option<&str>) -> Change {
    let request = Request {
        id: RequestId::parse("r1").unwrap(),
        release: change.to.clone(),
        kind,
        by: Person::parse("Ada Lovelace").unwrap(),
        at: Timestamp::UNIX_EPOCH,
        reason: reason.map(Arc::from),
        from: None,
        from_commit: None,
    };
    Change { cause: Cause::Asked(request), ..change }
}

/// What a template of a pipeline makes of a change.
pub(crate) fn made(
    pipeline: &str,
    part: Part,
    template: &str,
    change: &Change,
) -> Result<String, TemplateError> {
    let (base, branch) = (BranchName::parse("main").unwrap(), BranchName::parse("gradus/a/b/c").unwrap());
    let made = Made {
        change,
        repository: "https://github.com/acme/fleet",
        base: &base,
        branch: Some(&branch),
        report: "The report.",
    };
    let pipeline = PipelineKey::parse(pipeline).unwrap();
    let change = (part != Part::Branch).then_some(made);
    render(
        part,
        template,
        &Facts { pipeline: &pipeline, environment: &environment(change.as_ref(), "uat"), change },
    )
}

fn environment(made: Option<&Made<'_>>, other: &str) -> EnvironmentName {
    made.map_or_else(|| EnvironmentName::parse(other).unwrap(), |made| made.change.environment.clone())
}
