//! A change: one release into one environment, with everything that its record needs.

use jiff::Timestamp;

use crate::names::{CommitId, EnvironmentName, Person};
use crate::observation::Request;
use crate::release::Release;

/// One release into one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Into which environment.
    pub environment: EnvironmentName,
    /// What it has now: the change is for that state only.
    pub from: Option<Release>,
    /// What it gets.
    pub to: Release,
    /// By whose word, or by which rule.
    pub cause: Cause,
    /// The time of the newest evidence it rests on. It is the commit's time, so
    /// that a second attempt makes the same commit.
    pub at: Timestamp,
    /// Who said yes.
    pub approved_by: Vec<Person>,
    /// Who brought the release on its way.
    pub brought_by: Vec<Person>,
    /// Whether what it replaces was set by hand.
    pub replaces_hand_edit: bool,
    /// What is merged to bring it; the version alone is written when absent.
    pub merges: Option<Merges>,
}

/// A commit of the branch of an environment before, which is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merges {
    /// Whose branch it is on.
    pub environment: EnvironmentName,
    /// Which commit.
    pub commit: CommitId,
}

/// By whose word, or by which rule, a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It is proven in these environments.
    ProvenIn(Vec<EnvironmentName>),
    /// A person asked for it by name.
    Asked(Request),
}

impl Change {
    /// The request it answers, if a person asked for it.
    pub fn request(&self) -> Option<&Request> {
        match &self.cause {
            Cause::ProvenIn(_) => None,
            Cause::Asked(request) => Some(request),
        }
    }
}
