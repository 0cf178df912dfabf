//! Where a pipeline is declared, and where its proposals are reviewed.

use std::fmt;
use std::sync::Arc;

use crate::names::{BranchName, RepoPath};

/// A repository and the branch that declares what should run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// Where it is. Never holds a credential.
    pub url: Arc<str>,
    /// The branch that is deployed; the repository's own default when absent.
    pub branch: Option<BranchName>,
    /// Folders below which markers are looked for; the whole tree when empty.
    pub paths: Vec<RepoPath>,
    /// The Secret that holds its credentials, as `namespace/name`.
    pub secret: Option<Arc<str>>,
    /// Where its proposals are reviewed; gradus keeps them itself when absent.
    pub forge: Option<Forge>,
    /// How gradus's commits there are made.
    pub commit: CommitStyle,
}

/// How gradus's commits in a repository are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitStyle {
    /// Who makes them; gradus when absent.
    pub author: Option<Author>,
    /// Whether each says `Signed-off-by`.
    pub sign_off: bool,
    /// The Secret with the key that they are signed with, as `namespace/name`.
    pub signing: Option<Arc<str>>,
}

/// Who makes a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author {
    /// The name.
    pub name: Arc<str>,
    /// The address.
    pub email: Arc<str>,
}

/// Where proposals are reviewed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Forge {
    /// What kind it is.
    pub kind: ForgeKind,
    /// Where it is, if the repository's address does not tell.
    pub url: Option<Arc<str>>,
}

/// The kinds of forges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForgeKind {
    /// GitHub, and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Bitbucket Data Center.
    BitbucketServer,
    /// Azure DevOps.
    AzureDevOps,
}

impl ForgeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::GitHub, Self::GitLab, Self::Gitea, Self::Bitbucket, Self::BitbucketServer, Self::AzureDevOps];

    /// The kind that people write so. Forgejo is a Gitea.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = if word == "forgejo" { Self::Gitea.word() } else { word };
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
            Self::BitbucketServer => "bitbucket-server",
            Self::AzureDevOps => "azure-devops",
        }
    }
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
