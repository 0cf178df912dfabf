//! Roles, and what each may do.

use serde::{Deserialize, Serialize};

/// What a token is good for. A token can have several roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads; reports what targets do and what checks found.
    Reporter,
    /// Reads; approves.
    Approver,
    /// Everything.
    Operator,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Reads anything.
    Read,
    /// Reports what a target does, or what a check found.
    Report,
    /// Says yes to a release.
    Approve,
    /// Asks for a promotion or a way back, or sets or lifts a hold.
    Operate,
}

/// Who may do what: the one table. Each row is a role; each column whether it may
/// read, report, approve and operate.
const TABLE: [(Role, [bool; 4]); 4] = [
    (Role::Viewer, [true, false, false, false]),
    (Role::Reporter, [true, true, false, false]),
    (Role::Approver, [true, false, true, false]),
    (Role::Operator, [true, true, true, true]),
];

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Reporter, Self::Approver, Self::Operator];

    /// Whether the role may do this.
    pub fn may(self, deed: Deed) -> bool {
        let column = match deed {
            Deed::Read => 0,
            Deed::Report => 1,
            Deed::Approve => 2,
            Deed::Operate => 3,
        };
        TABLE.iter().any(|(role, may)| *role == self && may.get(column).copied().unwrap_or(false))
    }

    /// The role as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reporter => "reporter",
            Self::Approver => "approver",
            Self::Operator => "operator",
        }
    }

    /// Reads a role as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == text)
    }
}

impl Deed {
    /// The deed in words, after "may not".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Approve => "approve",
            Self::Operate => "promote, roll back or hold",
        }
    }

    /// The roles that may, in words.
    pub(crate) fn roles(self) -> String {
        let roles: Vec<&str> = Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::word).collect();
        roles.join(" or ")
    }
}
