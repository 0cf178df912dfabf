//! The files that a command looks at or changes: in a folder, or in a repository without a clone.

mod folder;
mod repository;

use std::sync::Arc;

use gradus_core::names::BlobId;

use crate::error::CliError;
use crate::wiring::AccessArgs;
use folder::Folder;
use repository::Remote;

/// Where the files are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FilesArgs {
    /// A repository in which the files are; it is not cloned.
    #[arg(long, value_name = "URL", help_heading = "In a repository")]
    repo: Option<String>,
    /// The branch; the repository's own default when left out.
    #[arg(long, value_name = "NAME", requires = "repo", help_heading = "In a repository")]
    branch: Option<String>,
    /// The Secret that holds the repository's credentials, as NAMESPACE/NAME in --secrets.
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "repo", help_heading = "In a repository")]
    secret: Option<String>,
    #[command(flatten, next_help_heading = "In a repository")]
    access: AccessArgs,
}

/// Files below a place, or the one at it.
pub(crate) enum Files {
    Folder(Folder),
    Repository(Remote),
}

/// A file.
pub(crate) struct File {
    /// As people are told of it.
    pub(crate) name: String,
    pub(crate) bytes: Arc<[u8]>,
    blob: Option<BlobId>,
}

/// A file as it becomes.
pub(crate) struct Changed {
    pub(crate) file: File,
    pub(crate) after: Vec<u8>,
}

/// What became of writing.
pub(crate) enum Wrote {
    /// It was written; where, if that needs saying.
    Done(Option<String>),
    /// A file was changed by somebody else in the meantime; nothing was written.
    Stale,
}

impl FilesArgs {
    /// Opens the place, as it is now.
    pub(crate) async fn open(&self, place: &str) -> Result<Files, CliError> {
        match &self.repo {
            None => Ok(Files::Folder(Folder::new(place)?)),
            Some(url) => {
                let remote = Remote::open(url, self.branch.as_deref(), self.secret.as_deref(), &self.access);
                Ok(Files::Repository(remote?.at(place).await?))
            }
        }
    }
}

impl Files {
    /// The file at the place.
    pub(crate) async fn one(&self) -> Result<File, CliError> {
        match self {
            Self::Folder(folder) => folder.one(),
            Self::Repository(remote) => remote.one().await,
        }
    }

    /// The files below the place whose names are wanted, in the order of their names; where the place is a
    /// file, that one.
    pub(crate) async fn all(&self, wanted: fn(&str) -> bool) -> Result<Vec<File>, CliError> {
        match self {
            Self::Folder(folder) => folder.all(wanted),
            Self::Repository(remote) => remote.all(wanted).await,
        }
    }

    /// Writes all of them or none.
    pub(crate) async fn write(&self, changed: &[Changed], message: &str) -> Result<Wrote, CliError> {
        match self {
            Self::Folder(folder) => folder.write(changed),
            Self::Repository(remote) => remote.write(changed, message).await,
        }
    }
}
