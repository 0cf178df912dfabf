//! Where the story happens: a repository in a folder, or in a forge that is started for it.

use std::path::{Path, PathBuf};

use super::fleet::Fleet;
use super::gitea::{Gitea, Manager, Town, find};
use super::{FIRST, IN_GITEA, write_pipeline, write_secret};
use crate::error::CliError;

/// The repository, and the forge it is in.
pub(crate) struct Stage {
    pub(crate) fleet: Fleet,
    /// Where the manifests are.
    pub(crate) config: PathBuf,
    /// Where the Secrets are, if there are any.
    pub(crate) secrets: Option<PathBuf>,
    pub(crate) forge: Option<Forge>,
}

/// The forge, and the people there.
pub(crate) struct Forge {
    pub(crate) gitea: Gitea,
    pub(crate) town: Town,
    pub(crate) manager: Manager,
}

impl Stage {
    /// A repository in a folder.
    pub(crate) fn plain(folder: &Path) -> Result<Self, CliError> {
        let fleet = Fleet::create(folder, FIRST)?;
        let config = folder.join("config");
        write_pipeline(&config, &fleet.url(), "")?;
        Ok(Self { fleet, config, secrets: None, forge: None })
    }

    /// One in Gitea, which is this program, or one that is found.
    pub(crate) async fn in_gitea(folder: &Path, program: Option<&Path>) -> Result<Self, CliError> {
        let gitea = Gitea::start(&find(program)?, &folder.join("gitea")).await?;
        let town = Town::build(&gitea).await?;
        let fleet = Fleet::fill(folder, FIRST, town.fleet(&gitea))?;
        town.protect(&gitea).await?;
        let (config, secrets) = (folder.join("config"), folder.join("secrets"));
        write_pipeline(&config, &fleet.url(), IN_GITEA)?;
        let keys = [("username", town.bot()), ("password", town.token.as_str())];
        write_secret(&secrets, "fleet-git", &keys)?;
        let manager = town.manager(&gitea)?;
        Ok(Self { fleet, config, secrets: Some(secrets), forge: Some(Forge { gitea, town, manager }) })
    }

    /// Where people find the repository.
    pub(crate) fn shown(&self) -> String {
        match &self.forge {
            Some(_) => self.fleet.url(),
            None => self.fleet.bare().display().to_string(),
        }
    }
}
