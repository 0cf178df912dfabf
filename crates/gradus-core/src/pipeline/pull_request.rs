//! How the proposals of an environment are named, said and merged.

use std::fmt;
use std::sync::Arc;

use crate::names::BranchName;

/// What people want of the proposals of an environment. What is absent is as gradus does it by itself.
///
/// Texts are templates: they were tried when the pipeline was read, and are rendered for each change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequestPolicy {
    /// How a proposal becomes part of the base branch.
    pub method: Option<MergeMethod>,
    /// Whether the forge is asked to merge once its own rules are met, in its queue where it has one.
    pub queue: bool,
    /// The branch that proposals are made on.
    pub branch: Option<BranchName>,
    /// The title.
    pub title: Option<Arc<str>>,
    /// The text.
    pub body: Option<Arc<str>>,
    /// What a commit says, above its trailers.
    pub message: Option<Arc<str>>,
    /// The labels on a proposal. Those that people add stay.
    pub labels: Vec<Arc<str>>,
    /// Who is asked to review.
    pub reviewers: Vec<Reviewer>,
    /// Who is responsible.
    pub assignees: Vec<Arc<str>>,
    /// Whether a proposal is opened as a draft, which somebody has to call ready.
    pub draft: bool,
    /// The milestone it belongs to.
    pub milestone: Option<Arc<str>>,
    /// Whether one comment below it says how it stands.
    pub comment: bool,
    /// Whether commits get a status that says how they stand.
    pub statuses: bool,
    /// Whether the forge is told which version is where.
    pub deployments: bool,
    /// Whether who approves of a proposal in a review approves of its release.
    pub reviews: bool,
    /// Whose commands in comments are carried out.
    pub commands: Commands,
}

/// Whose commands in comments are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Commands {
    /// Nobody's.
    #[default]
    Off,
    /// Those of people who may write to the repository and belong to it.
    Members,
}

impl PullRequestPolicy {
    /// The policy of whoever says nothing.
    pub const PLAIN: &'static Self = &Self {
        method: None,
        queue: false,
        branch: None,
        title: None,
        body: None,
        message: None,
        labels: Vec::new(),
        reviewers: Vec::new(),
        assignees: Vec::new(),
        draft: false,
        milestone: None,
        comment: false,
        statuses: false,
        deployments: false,
        reviews: false,
        commands: Commands::Off,
    };
}

/// How a proposal becomes part of the base branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum MergeMethod {
    /// A commit with both branches as its parents.
    #[default]
    Merge,
    /// One commit with all changes.
    Squash,
    /// The commits anew, on top of the base branch.
    Rebase,
    /// The base branch moves to the head, which must be on top of it.
    FastForward,
}

impl MergeMethod {
    /// The one word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
            Self::FastForward => "fast-forward",
        }
    }
}

/// Who is asked to review.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reviewer {
    /// An account, by the name with which it signs in.
    Person(Arc<str>),
    /// A team, by the names of its organisation and its own.
    Team {
        /// The organisation, or the group that it is in.
        organisation: Arc<str>,
        /// The team.
        team: Arc<str>,
    },
}

impl Reviewer {
    /// Reads a name, or `organisation/team`; nothing where there is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |text: &str| {
            !text.is_empty()
                && text.len() <= 256
                && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        };
        match text.rsplit_once('/') {
            None => is_name(text).then(|| Self::Person(text.into())),
            Some((organisation, team)) => (is_name(organisation) && is_name(team))
                .then(|| Self::Team { organisation: organisation.into(), team: team.into() }),
        }
    }
}

impl fmt::Display for Reviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Team { organisation, team } => write!(f, "{organisation}/{team}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviewers_are_people_or_teams() {
        assert_eq!(Reviewer::parse("ada"), Some(Reviewer::Person("ada".into())));
        let team = Reviewer::parse("acme/web/release").unwrap();
        assert_eq!(team, Reviewer::Team { organisation: "acme/web".into(), team: "release".into() });
        assert_eq!(team.to_string(), "acme/web/release");
        for nobody in ["", "/", "acme/", "/release", "a b"] {
            assert_eq!(Reviewer::parse(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn the_plain_policy_says_nothing() {
        assert_eq!(*PullRequestPolicy::PLAIN, PullRequestPolicy::default());
    }
}
