//! What is written by a template: each has its variables and its bounds.

/// What is written by a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The branch that proposals are made on. It stays while versions come and go.
    Branch,
    /// The title of a proposal.
    Title,
    /// The text of a proposal.
    Body,
    /// What a commit says above its trailers.
    Message,
    /// One label.
    Label,
    /// The milestone.
    Milestone,
    /// What a notification says.
    Notification,
    /// What a comment says that somebody's own automation puts below a proposal.
    Comment,
}

impl Part {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Title => "title",
            Self::Body => "body",
            Self::Message => "message",
            Self::Label => "label",
            Self::Milestone => "milestone",
            Self::Notification => "notification",
            Self::Comment => "comment",
        }
    }

    /// The variables that may be used in it.
    pub fn variables(self) -> impl Iterator<Item = &'static str> {
        const STABLE: [&str; 2] = ["pipeline", "environment"];
        const OF_CHANGE: [&str; 12] = [
            "version",
            "from",
            "to",
            "artifacts",
            "repository",
            "base",
            "branch",
            "proven_in",
            "requested_by",
            "reason",
            "approved_by",
            "rollback",
        ];
        const OF_NEWS: [&str; 13] = [
            "kind",
            "bad",
            "title",
            "details",
            "can",
            "version",
            "from",
            "artifacts",
            "proposal",
            "url",
            "commit",
            "repository",
            "at",
        ];
        const OF_EVENT: [&str; 9] =
            ["kind", "namespace", "name", "version", "severity", "reason", "message", "metadata", "summary"];
        let (stable, more, last): (&[&str], &[&str], &[&str]) = match self {
            Self::Notification => (&STABLE, &OF_NEWS, &[]),
            Self::Branch => (&STABLE, &[], &[]),
            Self::Body => (&STABLE, &OF_CHANGE, &["report"]),
            Self::Title | Self::Message | Self::Label | Self::Milestone => (&STABLE, &OF_CHANGE, &[]),
            Self::Comment => (&[], &OF_EVENT, &["pull", "set"]),
        };
        stable.iter().chain(more).chain(last).copied()
    }

    /// The most bytes it may have: what every forge takes.
    pub(crate) fn longest(self) -> usize {
        match self {
            Self::Branch => 244,
            Self::Title | Self::Milestone => 250,
            Self::Label => 100,
            Self::Message => 16 * 1024,
            Self::Comment => 60 * 1024,
            Self::Body | Self::Notification => 64 * 1024,
        }
    }

    /// Whether it is one line.
    pub(crate) fn is_line(self) -> bool {
        match self {
            Self::Branch | Self::Title | Self::Label | Self::Milestone => true,
            Self::Body | Self::Message | Self::Notification | Self::Comment => false,
        }
    }

    /// Whether it may come out empty: then there is none.
    pub(crate) fn may_be_empty(self) -> bool {
        match self {
            Self::Body | Self::Label | Self::Milestone => true,
            Self::Branch | Self::Title | Self::Message | Self::Notification | Self::Comment => false,
        }
    }
}
