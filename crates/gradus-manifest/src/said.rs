//! What people and machines say through objects: promotions, approvals, checks.
//! From the objects, and into them.

use std::sync::Arc;

use gradus_core::names::{CheckName, EnvironmentName, Group, Person, PipelineKey, RequestId};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Request, RequestKind};
use gradus_core::pipeline::Pipeline;
use gradus_core::release::Release;
use jiff::Timestamp;

use crate::convert::{UnresolvedPin, resolve_pin};
use crate::error::{ManifestError, Place};

mod write;

pub use write::{approval_object, check_object, hold_object, promotion_object, versions};

/// A release as somebody names it: a version of the only artifact, or versions by artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub(crate) pin: UnresolvedPin,
    pub(crate) place: Place,
    pub(crate) field: &'static str,
}

impl Named {
    /// The release that is meant in this pipeline.
    pub fn release(&self, pipeline: &Pipeline) -> Result<Release, ManifestError> {
        resolve_pin(self.pin.clone(), &pipeline.artifacts)
            .map_err(|trouble| trouble.at(self.place.clone(), self.field.to_owned()))
    }

    /// The release in one text: a version, or `artifact=version` pairs with commas between them.
    pub fn text(&self) -> String {
        match &self.pin {
            UnresolvedPin::Only(version) => version.to_string(),
            UnresolvedPin::Each(versions) => {
                let pairs: Vec<String> =
                    versions.iter().map(|(artifact, version)| format!("{artifact}={version}")).collect();
                pairs.join(",")
            }
        }
    }
}

/// A promotion that a person asked for with an object.
#[derive(Debug, Clone)]
pub struct PromotionManifest {
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// Into which environment.
    pub environment: EnvironmentName,
    /// What; what is next, or what was there before, where nothing is named.
    pub wanted: Option<Named>,
    /// Forward, back, or past what holds it.
    pub kind: RequestKind,
    /// Who asks.
    pub by: Person,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// What was recorded when it was first seen, if it has been.
    pub recorded: Option<RecordedRequest>,
}

/// What was recorded of a promotion when it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The id of the request.
    pub id: RequestId,
    /// What is meant.
    pub release: Release,
    /// What the environment declared.
    pub from: Option<Release>,
    /// The commit that had brought it.
    pub from_commit: Option<gradus_core::names::CommitId>,
}

impl PromotionManifest {
    /// The request, if it has been recorded; `at` is when the object was made.
    pub fn request(&self, at: Timestamp) -> Option<Request> {
        let RecordedRequest { id, release, from, from_commit } = self.recorded.clone()?;
        Some(Request {
            id,
            release,
            kind: self.kind,
            by: self.by.clone(),
            at,
            reason: self.reason.clone(),
            from,
            from_commit,
        })
    }
}

/// A yes that a person said with an object.
#[derive(Debug, Clone)]
pub struct ApprovalManifest {
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// In which environment.
    pub environment: EnvironmentName,
    /// To what; to what was next when it was first seen, where nothing is named.
    pub wanted: Option<Named>,
    /// Who said it.
    pub by: Person,
    /// The groups they are in.
    pub groups: Vec<Group>,
    /// The other names they are known by.
    pub aliases: Vec<Person>,
    /// What was recorded as meant, if it has been.
    pub recorded: Option<Release>,
}

impl ApprovalManifest {
    /// The yes to this release; `at` is when the object was made.
    pub fn approval(&self, release: Release, at: Timestamp) -> Approval {
        Approval {
            release,
            by: self.by.clone(),
            groups: self.groups.clone(),
            aliases: self.aliases.clone(),
            at,
        }
    }
}

/// What came out of a check, as an object says it.
#[derive(Debug, Clone)]
pub struct CheckManifest {
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// In which environment.
    pub environment: EnvironmentName,
    /// Which check.
    pub check: CheckName,
    /// Who reports.
    pub reporter: Person,
    /// Of what.
    pub about: Named,
    /// What came out.
    pub result: CheckResult,
    /// More, for people; with the URL behind it, if there is one.
    pub detail: Option<Arc<str>>,
    /// When it came out, where that is said.
    pub at: Option<Timestamp>,
}

impl CheckManifest {
    /// The report; `made` is when the object was made, and counts where it does not say when.
    pub fn fact(&self, pipeline: &Pipeline, made: Timestamp) -> Result<CheckFact, ManifestError> {
        Ok(CheckFact {
            check: self.check.clone(),
            reporter: self.reporter.clone(),
            release: self.about.release(pipeline)?,
            result: self.result,
            at: self.at.unwrap_or(made),
            detail: self.detail.clone(),
        })
    }
}
