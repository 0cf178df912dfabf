//! How repositories are reached from a cluster: with Secrets that are read by name.

use gradus_core::pipeline::Repository;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::Secrets;
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Access, with_secret};

/// Secrets of the cluster, with the keys that Flux uses.
pub(super) struct SecretAccess {
    pub(super) secrets: Secrets,
    /// What is used for a repository that names no Secret.
    pub(super) otherwise: RemoteOptions,
}

impl Access for SecretAccess {
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError> {
        let Some(name) = &repository.secret else { return Ok(self.otherwise.clone()) };
        let secret = self.secrets.known(name)?;
        with_secret(&self.otherwise, |key| Ok(secret.text(key)))?.ok_or_else(|| {
            let why = "it has neither password nor token";
            PortError::because(PortErrorKind::Missing, format!("reading Secret {name}"), why)
                .with_hint("put `username` and `password`, or `token`, into it")
        })
    }
}
