//! How a repository is reached: credentials and trust, from Secrets in a folder.

use std::path::PathBuf;

use gradus_core::pipeline::Repository;
use gradus_engine::port::{PortError, PortErrorKind};

use crate::git::{Credentials, RemoteOptions, SigningKey, SshKey};
use crate::http::Tls;
use crate::secret_files::SecretFiles;
use crate::{AppCredentials, Secret};

/// Says how a repository is reached.
pub trait Access: Send + Sync {
    /// The credentials and the trust for this repository.
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError>;
}

/// Secrets as files: `FOLDER/NAMESPACE/NAME/KEY`, with the keys that Flux uses:
/// `username` and `password`, or `token`, or those of a GitHub App, and `caFile`; `identity` and `known_hosts` for ssh.
#[derive(Debug, Clone, Default)]
pub struct SecretFolder {
    /// The folder; without it no Secret can be used.
    pub folder: Option<PathBuf>,
    /// What is used for a repository that names no Secret.
    pub otherwise: RemoteOptions,
}

impl Access for SecretFolder {
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError> {
        let mut options = match &repository.secret {
            None => self.otherwise.clone(),
            Some(name) => {
                let secret = SecretFiles::find(self.folder.as_deref(), name, &repository.url)?;
                with_secret(&self.otherwise, |key| secret.value(key))?
                    .ok_or_else(|| secret.lacks(NOTHING).with_hint(format!("{PUT}, a file each")))?
            }
        };
        if let Some(name) = &repository.commit.signing {
            let secret = SecretFiles::find(self.folder.as_deref(), name, &repository.url)?;
            options.signing = Some(signing_key(name, |key| secret.value(key))?);
        }
        Ok(options)
    }
}

/// The key of a Secret with which commits are signed.
pub fn signing_key(
    name: &str,
    value: impl Fn(&str) -> Result<Option<String>, PortError>,
) -> Result<SigningKey, PortError> {
    let doing = || format!("reading the key that commits are signed with from Secret {name}");
    let hint = "put a private key of Ed25519 without a passphrase into `identity`, such as `ssh-keygen -t ed25519 -N ''` makes";
    let Some(identity) = value("identity")? else {
        return Err(
            PortError::because(PortErrorKind::Missing, doing(), "it has no `identity`").with_hint(hint)
        );
    };
    SigningKey::parse(&Secret::new(identity))
        .map_err(|why| PortError::because(PortErrorKind::Unusable, doing(), why).with_hint(hint))
}

/// What a Secret has with which no repository is reached.
pub const NOTHING: &str = "neither password, nor token, nor identity";
/// What to do about that.
pub const PUT: &str =
    "put `username` and `password`, or `token`, or for ssh `identity` and `known_hosts` into it";

/// How a repository is reached with the values of a Secret; `None` where it has
/// neither a password, nor a token, nor an app, nor a key for ssh.
pub fn with_secret(
    otherwise: &RemoteOptions,
    value: impl Fn(&str) -> Result<Option<String>, PortError>,
) -> Result<Option<RemoteOptions>, PortError> {
    let app = app(&value)?;
    let ssh = ssh(&value)?;
    let credentials = match (value("username")?, value("password")?, value("token")?) {
        (user, Some(password), _) => Credentials::Basic {
            user: user.unwrap_or_else(|| "git".to_owned()),
            password: Secret::new(password),
        },
        (Some(user), None, Some(token)) => Credentials::Basic { user, password: Secret::new(token) },
        (None, None, Some(token)) => Credentials::Bearer(Secret::new(token)),
        (_, None, None) if app.is_some() || ssh.is_some() => Credentials::None,
        (_, None, None) => return Ok(None),
    };
    let mut options = RemoteOptions { credentials, app, ssh, ..otherwise.clone() };
    if let Some(ca) = value("caFile")? {
        options.tls = Tls { ca_pem: Some(ca.into_bytes()) };
    }
    Ok(Some(options))
}

/// The key for ssh of a Secret. The public half, `identity.pub`, is not needed.
fn ssh(value: &impl Fn(&str) -> Result<Option<String>, PortError>) -> Result<Option<SshKey>, PortError> {
    let Some(identity) = value("identity")? else { return Ok(None) };
    let Some(known_hosts) = value("known_hosts")? else {
        let doing = "reading the key for ssh of a Secret";
        return Err(PortError::because(PortErrorKind::Missing, doing, "it has `identity` and no `known_hosts`")
            .with_hint("put the host's lines into `known_hosts`: what `ssh-keyscan HOST` prints, compared with what the host publishes"));
    };
    Ok(Some(SshKey { identity: Secret::new(identity), known_hosts }))
}

/// The GitHub App of a Secret.
fn app(
    value: &impl Fn(&str) -> Result<Option<String>, PortError>,
) -> Result<Option<AppCredentials>, PortError> {
    let (Some(id), Some(key)) = (value("githubAppID")?, value("githubAppPrivateKey")?) else {
        return Ok(None);
    };
    let installation = match value("githubAppInstallationID")? {
        Some(text) => Some(text.trim().parse().map_err(|_| {
            let doing = "reading `githubAppInstallationID`";
            PortError::because(PortErrorKind::Unusable, doing, "it is not a number")
                .with_hint("it is the number at the end of the address of the installation's page")
        })?),
        None => None,
    };
    let api = value("githubAppBaseURL")?.map(Into::into);
    Ok(Some(AppCredentials { id: id.trim().into(), installation, key: Secret::new(key), api }))
}
