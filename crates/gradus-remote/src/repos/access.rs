//! How a repository is reached: credentials and trust, from Secrets in a folder.

use std::path::PathBuf;

use gradus_core::pipeline::Repository;
use gradus_engine::port::PortError;

use crate::Secret;
use crate::git::{Credentials, RemoteOptions};
use crate::http::Tls;
use crate::secret_files::SecretFiles;

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
        let secret = SecretFiles::find(self.folder.as_deref(), name, &repository.url)?;
        with_secret(&self.otherwise, |key| secret.value(key))?.ok_or_else(|| {
            secret
                .lacks("neither password nor token")
                .with_hint("put `username` and `password`, or `token`, into it, a file each")
        })
    }
}

/// How a repository is reached with the values of a Secret; `None` where it has
/// neither a password nor a token.
pub fn with_secret(
    otherwise: &RemoteOptions,
    value: impl Fn(&str) -> Result<Option<String>, PortError>,
) -> Result<Option<RemoteOptions>, PortError> {
    let credentials = match (value("username")?, value("password")?, value("token")?) {
        (user, Some(password), _) => Credentials::Basic {
            user: user.unwrap_or_else(|| "git".to_owned()),
            password: Secret::new(password),
        },
        (Some(user), None, Some(token)) => Credentials::Basic { user, password: Secret::new(token) },
        (None, None, Some(token)) => Credentials::Bearer(Secret::new(token)),
        (_, None, None) => return Ok(None),
    };
    let mut options = RemoteOptions { credentials, ..otherwise.clone() };
    if let Some(ca) = value("caFile")? {
        options.tls = Tls { ca_pem: Some(ca.into_bytes()) };
    }
    Ok(Some(options))
}
