//! Who speaks to the cluster.

/// Somebody whom the cluster knows by a token. Apart from [`User::Admin`], nobody
/// may do anything before a test gives them a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// gradus itself, as the ServiceAccount `gradus` in `gradus-system`.
    Controller,
    /// A person in `podinfo-team` and `release-managers`.
    Ada,
    /// A person in `podinfo-team`.
    Grace,
    /// A person in `platform-team`.
    Linus,
    /// A person in no group.
    Eve,
}

impl User {
    /// Everybody.
    pub const ALL: [Self; 6] =
        [Self::Admin, Self::Controller, Self::Ada, Self::Grace, Self::Linus, Self::Eve];

    /// The name that RBAC knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Controller => "system:serviceaccount:gradus-system:gradus",
            Self::Ada => "ada",
            Self::Grace => "grace",
            Self::Linus => "linus",
            Self::Eve => "eve",
        }
    }

    /// The groups that RBAC knows.
    pub fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["system:masters"],
            Self::Controller => &["system:serviceaccounts", "system:serviceaccounts:gradus-system"],
            Self::Ada => &["podinfo-team", "release-managers"],
            Self::Grace => &["podinfo-team"],
            Self::Linus => &["platform-team"],
            Self::Eve => &[],
        }
    }

    /// The secret by which the cluster knows them.
    pub fn token(self) -> &'static str {
        match self {
            Self::Admin => "token-of-admin",
            Self::Controller => "token-of-controller",
            Self::Ada => "token-of-ada",
            Self::Grace => "token-of-grace",
            Self::Linus => "token-of-linus",
            Self::Eve => "token-of-eve",
        }
    }
}
