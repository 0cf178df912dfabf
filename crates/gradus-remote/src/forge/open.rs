//! From a repository to its forge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::pipeline::{ForgeKind, Repository};
use gradus_engine::port::{Clock, PortError, PortErrorKind};

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::{Budget, ForgeAccess, ForgeClient};
use super::error::ForgeError;
use super::gitea::Gitea;
use super::proposals::{ForgeApis, from_forge};
use crate::Secret;
use crate::git::Credentials;
use crate::repos::Access;

/// Forges, reached with what their repositories are reached with. Those that share a host and credentials share
/// their limits.
pub struct Forges {
    access: Arc<dyn Access>,
    clock: Arc<dyn Clock>,
    clients: Mutex<HashMap<Client, Arc<ForgeClient>>>,
}

/// Where an API is, and the Secret with which it is reached.
type Client = (String, Option<Arc<str>>);

impl Forges {
    /// Forges with these credentials.
    pub fn new(access: Arc<dyn Access>, clock: Arc<dyn Clock>) -> Self {
        Self { access, clock, clients: Mutex::default() }
    }

    fn client(
        &self,
        api: String,
        secret: Option<Arc<str>>,
        access: ForgeAccess,
    ) -> Result<Arc<ForgeClient>, ForgeError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (api.clone(), secret);
        // A Secret that was rotated makes another client.
        if let Some(client) = clients.get(&key).filter(|client| *client.access() == access) {
            return Ok(client.clone());
        }
        let client = Arc::new(ForgeClient::new(api, access, &[], Budget::default(), self.clock.clone())?);
        clients.insert(key, client.clone());
        Ok(client)
    }
}

impl ForgeApis for Forges {
    fn open(&self, repository: &Repository) -> Result<Arc<dyn ForgeApi>, PortError> {
        let doing = || format!("opening the forge of {}", repository.url);
        let Some(forge) = &repository.forge else {
            return Err(PortError::because(PortErrorKind::Unusable, doing(), "the pipeline names none"));
        };
        let options = self.access.options(repository)?;
        let address =
            RepoAddress::parse(forge.kind, &repository.url, forge.url.as_deref()).map_err(from_forge)?;
        let access =
            ForgeAccess { authorization: authorization(forge.kind, &options.credentials), tls: options.tls };
        let client = self.client(address.api(), repository.secret.clone(), access).map_err(from_forge)?;
        match forge.kind {
            ForgeKind::Gitea => Ok(Arc::new(Gitea::new(client, address))),
            kind @ (ForgeKind::GitHub
            | ForgeKind::GitLab
            | ForgeKind::Bitbucket
            | ForgeKind::BitbucketServer
            | ForgeKind::AzureDevOps) => {
                let why = format!("proposals on {kind} are not there yet");
                Err(PortError::because(PortErrorKind::Unusable, doing(), why))
            }
        }
    }
}

/// What is sent as `Authorization`: Git's credentials, as the API of the forge takes them.
fn authorization(kind: ForgeKind, credentials: &Credentials) -> Option<Secret> {
    match (kind, credentials) {
        (_, Credentials::None) => None,
        (_, Credentials::Bearer(token)) => Some(Secret::new(format!("Bearer {}", token.expose()))),
        // Their APIs take no passwords, so that it is a token.
        (ForgeKind::GitHub | ForgeKind::GitLab, Credentials::Basic { password, .. }) => {
            Some(Secret::new(format!("Bearer {}", password.expose())))
        }
        (
            ForgeKind::Gitea | ForgeKind::Bitbucket | ForgeKind::BitbucketServer | ForgeKind::AzureDevOps,
            Credentials::Basic { user, password },
        ) => {
            let both = format!("{user}:{}", password.expose());
            Some(Secret::new(format!("Basic {}", base64(both.as_bytes()))))
        }
    }
}

/// Bytes as HTTP wants a name and a password.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use gradus_core::pipeline::ForgeKind;

    use super::authorization;
    use crate::Secret;
    use crate::git::Credentials;

    #[test]
    fn credentials_are_sent_as_each_forge_takes_them() {
        let basic = Credentials::Basic { user: "git".to_owned(), password: Secret::new("t0ken") };
        let sent =
            |kind, credentials| authorization(kind, credentials).map(|secret| secret.expose().to_owned());
        assert_eq!(sent(ForgeKind::GitHub, &basic).as_deref(), Some("Bearer t0ken"));
        assert_eq!(sent(ForgeKind::Gitea, &basic).as_deref(), Some("Basic Z2l0OnQwa2Vu"));
        assert_eq!(sent(ForgeKind::Gitea, &Credentials::None), None);
    }
}
