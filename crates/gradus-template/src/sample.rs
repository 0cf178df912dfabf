//! Trying a template before there is a change: on changes that could be.

use gradus_core::names::{ArtifactName, BranchName, EnvironmentName, Person, PipelineKey, RequestId};
use gradus_core::observation::{Request, RequestKind};
use gradus_core::plan::{Cause, Change};
use gradus_core::release::Release;
use gradus_core::version::Version;
use jiff::Timestamp;

use crate::engine::render;
use crate::error::TemplateError;
use crate::facts::{Facts, Made};
use crate::part::Part;

/// The pipeline and the environment that a template is for.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The pipeline.
    pub pipeline: &'a PipelineKey,
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// What moves.
    pub artifacts: &'a [ArtifactName],
}

/// Tries a template on changes that could be: one that is proven, and the first one, which somebody asked for.
pub fn check(part: Part, template: &str, sample: &Sample<'_>) -> Result<(), TemplateError> {
    let Sample { pipeline, environment, artifacts } = *sample;
    let facts = |change| Facts { pipeline, environment, change };
    if part == Part::Branch {
        return render(part, template, &facts(None)).map(drop);
    }
    let Some((base, changes)) = BranchName::parse("main").ok().zip(changes(environment, artifacts)) else {
        return Ok(());
    };
    for change in &changes {
        let made = Made {
            change,
            repository: "https://git.example.com/fleet",
            base: &base,
            branch: Some(&base),
            report: "The text that a proposal has by itself.",
        };
        render(part, template, &facts(Some(made)))?;
    }
    Ok(())
}

fn changes(environment: &EnvironmentName, artifacts: &[ArtifactName]) -> Option<[Change; 2]> {
    let release = |version: &str| {
        let version = Version::parse(version).ok()?;
        Release::new(artifacts.iter().map(|name| (name.clone(), version.clone())))
    };
    let (old, new) = (release("1.0.0")?, release("1.1.0")?);
    let person = Person::parse("ada").ok()?;
    let proven = Change {
        environment: environment.clone(),
        from: Some(old.clone()),
        to: new.clone(),
        cause: Cause::ProvenIn(vec![environment.clone()]),
        at: Timestamp::UNIX_EPOCH,
        approved_by: vec![person.clone()],
        brought_by: Vec::new(),
        replaces_hand_edit: false,
        merges: None,
    };
    let request = Request {
        id: RequestId::parse("sample").ok()?,
        release: new,
        kind: RequestKind::Promote,
        by: person,
        at: Timestamp::UNIX_EPOCH,
        reason: Some("a reason".into()),
        from: None,
        from_commit: None,
    };
    let asked =
        Change { from: None, cause: Cause::Asked(request), approved_by: Vec::new(), ..proven.clone() };
    Some([proven, asked])
}
