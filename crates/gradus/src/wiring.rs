//! Puts the parts together: which adapter stands behind which port.

mod cache;
mod forge;
mod heard;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::{NoNudge, Ports};
use gradus_local::{LocalForge, SqliteLedger, ledger_file};
use gradus_remote::Secret;
use gradus_remote::git::{Credentials, RemoteOptions};
use gradus_remote::http::Tls;
use gradus_remote::repos::{Access, Committer, SecretFolder, WireRepos};
use gradus_remote::targets::HttpTargets;

use crate::error::CliError;

pub(crate) use cache::CacheArgs;
pub(crate) use forge::EitherForge;
pub(crate) use heard::Hearing;

/// How the world is reached.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct AccessArgs {
    /// Folder of Secrets, as NAMESPACE/NAME/KEY files.
    #[arg(long, value_name = "DIR", env = "GRADUS_SECRETS")]
    pub(crate) secrets: Option<PathBuf>,
    /// User name for repositories that name no Secret; its password or token is read from GRADUS_GIT_TOKEN.
    #[arg(long, value_name = "NAME", env = "GRADUS_GIT_USER")]
    pub(crate) git_user: Option<String>,
    /// File with certificate authorities (PEM) to trust besides those of the system.
    #[arg(long, value_name = "FILE", env = "GRADUS_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// The ports, and the adapters that people ask directly.
pub(crate) struct Wired {
    pub(crate) ports: Ports,
    pub(crate) forge: Arc<LocalForge>,
    pub(crate) either: Arc<EitherForge>,
    /// The record itself, which remembers what was told too.
    pub(crate) ledger: Arc<SqliteLedger>,
}

/// Which ledger is used.
pub(crate) enum LedgerPlace<'a> {
    /// The one in this data directory; made if it is not there.
    In(&'a Path),
    /// None that lasts.
    Memory,
}

/// Puts the parts together.
pub(crate) fn wire(access: &AccessArgs, ledger: LedgerPlace<'_>) -> Result<Wired, CliError> {
    let ledger = match ledger {
        LedgerPlace::In(data) => {
            std::fs::create_dir_all(data).map_err(|error| {
                CliError::because(format!("making the data directory {}", data.display()), error)
            })?;
            SqliteLedger::open(&ledger_file(data))?
        }
        LedgerPlace::Memory => SqliteLedger::open_in_memory()?,
    };
    let otherwise = options(access)?;
    let folder = SecretFolder { folder: access.secrets.clone(), otherwise };
    let folder: Arc<dyn Access> = Arc::new(folder);
    let repos = Arc::new(WireRepos::new(folder.clone(), Committer::default()));
    let forge = Arc::new(LocalForge::new(ledger.clone(), repos.clone()));
    let either = EitherForge::new(forge.clone(), folder, repos.clone(), Arc::new(SystemClock));
    let either = Arc::new(either);
    let ledger = Arc::new(ledger);
    let ports = Ports {
        repos,
        forge: either.clone(),
        targets: Arc::new(HttpTargets::new(access.secrets.clone())?),
        ledger: ledger.clone(),
        nudge: Arc::new(NoNudge),
        clock: Arc::new(SystemClock),
    };
    Ok(Wired { ports, forge, either, ledger })
}

/// How repositories without a Secret are reached.
pub(crate) fn options(access: &AccessArgs) -> Result<RemoteOptions, CliError> {
    // A token is never an argument: arguments are seen by everybody on the machine.
    let token = std::env::var("GRADUS_GIT_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret::new);
    let credentials = match (&access.git_user, token) {
        (Some(user), Some(password)) => Credentials::Basic { user: user.clone(), password },
        (None, Some(token)) => Credentials::Basic { user: "git".to_owned(), password: token },
        (Some(_), None) => {
            return Err(CliError::usage("--git-user needs a password or token in GRADUS_GIT_TOKEN"));
        }
        (None, None) => Credentials::None,
    };
    let ca_pem = match &access.ca_file {
        Some(file) => Some(
            std::fs::read(file)
                .map_err(|error| CliError::because(format!("reading {}", file.display()), error))?,
        ),
        None => None,
    };
    Ok(RemoteOptions { credentials, tls: Tls { ca_pem }, ..RemoteOptions::default() })
}
