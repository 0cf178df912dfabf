//! How an environment is promoted to.

use crate::kind::{self, Pipeline, PromotionSpec};

/// The promotion of an environment: its own, or else the one of the pipeline.
///
/// The whole object counts; nothing is mixed from the two. Always asked for the
/// environment that is promoted to, never for the one where the event came from.
pub fn effective<'a>(pipeline: &'a Pipeline, environment: &str) -> Option<&'a PromotionSpec> {
    let own = pipeline.spec.environments.iter().filter(|one| one.name == environment);
    own.filter_map(|one| one.promotion.as_ref()).next().or(pipeline.spec.promotion.as_ref())
}

/// How a promotion is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// By a pull request.
    PullRequest(kind::PullRequest),
    /// By telling others.
    Notification,
}

impl Strategy {
    /// The word in the spec.
    pub fn word(&self) -> &'static str {
        match self {
            Self::PullRequest(_) => "pull-request",
            Self::Notification => "notification",
        }
    }
}

/// How a promotion is written, if it says so. Of two ways it is the pull request.
pub fn promotes(promotion: &PromotionSpec) -> Option<Strategy> {
    let strategy = &promotion.strategy;
    match (&strategy.pull_request, &strategy.notification) {
        (Some(pull_request), _) => Some(Strategy::PullRequest(pull_request.clone())),
        (None, Some(_)) => Some(Strategy::Notification),
        (None, None) => None,
    }
}
