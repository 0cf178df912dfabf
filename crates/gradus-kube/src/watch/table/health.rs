//! How far a watch can be believed.

use std::time::Duration;

use crate::watch::sight::Blind;

/// How far the watch can be believed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Health {
    /// The first list is not complete.
    Syncing,
    /// It hears of everything.
    Synced,
    /// It lost the connection a moment ago: what it knew is believed for a while.
    Shaky {
        /// Why.
        blind: Blind,
        /// For how long, on the clock that [`Table::tick`] is given.
        until: Duration,
    },
    /// It sees nothing.
    Blind(Blind),
}

impl Health {
    /// Why nothing that is known counts, if so.
    pub(super) fn blind(&self) -> Option<Blind> {
        match self {
            Self::Syncing => Some(Blind::not_yet()),
            Self::Blind(blind) => Some(blind.clone()),
            Self::Synced | Self::Shaky { .. } => None,
        }
    }

    // What happens to it. Each says whether everybody has to look.

    pub(super) fn stand(&mut self) -> bool {
        match self {
            Self::Syncing | Self::Synced => false,
            Self::Shaky { .. } => {
                *self = Self::Synced;
                false
            }
            Self::Blind(_) => {
                *self = Self::Synced;
                true
            }
        }
    }

    pub(super) fn stumble(&mut self, blind: Blind, until: Duration) -> bool {
        match self {
            Self::Synced => {
                *self = Self::Shaky { blind, until };
                false
            }
            Self::Shaky { blind: before, .. } => {
                before.kind = blind.kind;
                before.why = blind.why;
                false
            }
            Self::Syncing | Self::Blind(_) => self.fail(blind),
        }
    }

    pub(super) fn fail(&mut self, mut blind: Blind) -> bool {
        if let Self::Blind(before) = self {
            if before.kind == blind.kind {
                blind.since = before.since;
            }
            if *before == blind {
                return false;
            }
        }
        *self = Self::Blind(blind);
        true
    }

    pub(super) fn tick(&mut self, now: Duration) -> bool {
        match self {
            Self::Shaky { blind, until } if *until <= now => {
                *self = Self::Blind(blind.clone());
                true
            }
            Self::Syncing | Self::Synced | Self::Shaky { .. } | Self::Blind(_) => false,
        }
    }
}
