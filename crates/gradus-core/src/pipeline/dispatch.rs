//! How somebody else's automation is asked for a promotion.

use jiff::SignedDuration;

use crate::names::{BranchName, EventType};

/// How somebody else's automation is asked for the promotions of an environment.
///
/// gradus writes nothing there: it asks once, and Git says when it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchPolicy {
    /// The event that the automation listens to.
    pub event: EventType,
    /// The branch or tag that it runs on, where the forge lets that be chosen; the branch that is deployed when
    /// absent.
    pub on: Option<BranchName>,
    /// How long it may take until Git declares what was asked for.
    pub within: SignedDuration,
}

impl DispatchPolicy {
    /// So long it may take where nobody says how long.
    pub const WITHIN: SignedDuration = SignedDuration::from_hours(1);
}

impl Default for DispatchPolicy {
    fn default() -> Self {
        Self { event: EventType::promotion(), on: None, within: Self::WITHIN }
    }
}
