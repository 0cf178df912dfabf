//! How a repository is reached: credentials and trust, from Secrets in a folder.

use std::path::{Path, PathBuf};

use gradus_core::pipeline::Repository;
use gradus_engine::port::{PortError, PortErrorKind};

use crate::Secret;
use crate::git::{Credentials, RemoteOptions};
use crate::http::Tls;

/// The largest Secret value that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// Says how a repository is reached.
pub trait Access: Send + Sync {
    /// The credentials and the trust for this repository.
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError>;
}

/// Secrets as files: `FOLDER/NAMESPACE/NAME/KEY`, with the keys that Flux uses:
/// `username` and `password`, or `token`, and `caFile`.
#[derive(Debug, Clone, Default)]
pub struct SecretFolder {
    /// The folder; without it no Secret can be used.
    pub folder: Option<PathBuf>,
    /// What is used for a repository that names no Secret.
    pub otherwise: RemoteOptions,
}

impl Access for SecretFolder {
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError> {
        let Some(name) = &repository.secret else { return Ok(self.otherwise.clone()) };
        let doing = || format!("reading the Secret {name} of {}", repository.url);
        let Some(folder) = &self.folder else {
            return Err(PortError::because(
                PortErrorKind::Missing,
                doing(),
                "no folder of Secrets was given",
            )
            .with_hint("give one with --secrets DIR; it holds NAMESPACE/NAME/KEY files"));
        };
        let folder = folder.join(name.as_ref());
        let value = |key: &str| {
            secret_value(&folder, key)
                .map_err(|error| PortError::because(PortErrorKind::Local, doing(), error))
        };
        let (user, password, token) = (value("username")?, value("password")?, value("token")?);
        let credentials = match (user, password, token) {
            (user, Some(password), _) => Credentials::Basic {
                user: user.unwrap_or_else(|| "git".to_owned()),
                password: Secret::new(password),
            },
            (Some(user), None, Some(token)) => Credentials::Basic { user, password: Secret::new(token) },
            (None, None, Some(token)) => Credentials::Bearer(Secret::new(token)),
            (_, None, None) => {
                let what = format!("{} has neither password nor token", folder.display());
                return Err(PortError::because(PortErrorKind::Missing, doing(), what)
                    .with_hint("put `username` and `password`, or `token`, into it, a file each"));
            }
        };
        let mut options = RemoteOptions { credentials, ..self.otherwise.clone() };
        if let Some(ca) = value("caFile")? {
            options.tls = Tls { ca_pem: Some(ca.into_bytes()) };
        }
        Ok(options)
    }
}

/// The value of a Secret's key, without the line feed that editors leave at the end.
pub(crate) fn secret_value(folder: &Path, key: &str) -> Result<Option<String>, String> {
    let path = &folder.join(key);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > MOST_BYTES => {
            Err(format!("{} is larger than 1 MiB", path.display()))
        }
        Ok(_) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Err(format!("{}: {error}", path.display())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
