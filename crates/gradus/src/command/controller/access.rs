//! How repositories and version endpoints are reached from a cluster: with Secrets
//! that are read by name.

use gradus_core::pipeline::Repository;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::Secrets;
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Access, NOTHING, PUT, signing_key, with_secret};
use gradus_remote::targets::EndpointSecrets;

/// Secrets of the cluster, with the keys that Flux uses.
pub(super) struct SecretAccess {
    pub(super) secrets: Secrets,
    /// What is used for a repository that names no Secret.
    pub(super) otherwise: RemoteOptions,
}

impl Access for SecretAccess {
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError> {
        let mut options = match &repository.secret {
            None => self.otherwise.clone(),
            Some(name) => {
                let secret = self.secrets.known(name)?;
                with_secret(&self.otherwise, |key| Ok(secret.text(key)))?.ok_or_else(|| {
                    let why = format!("it has {NOTHING}");
                    PortError::because(PortErrorKind::Missing, format!("reading Secret {name}"), why)
                        .with_hint(PUT)
                })?
            }
        };
        if let Some(name) = &repository.commit.signing {
            let secret = self.secrets.known(name)?;
            options.signing = Some(signing_key(name, |key| Ok(secret.text(key)))?);
        }
        Ok(options)
    }
}

/// Secrets of the cluster, for version endpoints.
pub(super) struct SecretsOfTargets(pub(super) Secrets);

impl EndpointSecrets for SecretsOfTargets {
    fn value(&self, name: &str, key: &str, _url: &str) -> Result<Option<String>, PortError> {
        Ok(self.0.known(name)?.text(key))
    }

    fn lacks(&self, name: &str, keys: &str, _url: &str) -> PortError {
        PortError::because(PortErrorKind::Missing, format!("reading Secret {name}"), format!("it has {keys}"))
            .with_hint("put `token`, or `caFile`, or both into it")
    }
}
