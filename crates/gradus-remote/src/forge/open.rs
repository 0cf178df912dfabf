//! From a repository to its forge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use gradus_core::pipeline::{ForgeKind, Repository};
use gradus_engine::port::{Clock, PortError, PortErrorKind};

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::{Budget, ForgeAccess, ForgeClient};
use super::error::{ForgeError, from_forge};
use super::github::{GitHub, Installation};
use super::proposals::ForgeApis;
use super::{azure_devops, bitbucket, bitbucket_server, gitea, gitlab};
use crate::git::Credentials;
use crate::repos::Access;
use crate::{AppCredentials, Secret};

/// Forges, reached with what their repositories are reached with. Those that share a host and credentials share
/// their limits.
pub struct Forges {
    access: Arc<dyn Access>,
    clock: Arc<dyn Clock>,
    clients: Mutex<HashMap<Client, Reached>>,
}

/// Where an API is, and the Secret with which it is reached; of an app that has to look for its installation, also
/// whose repository it is.
type Client = (String, Option<Arc<str>>, Option<String>);

#[derive(Clone)]
struct Reached {
    client: Arc<ForgeClient>,
    app: Option<(AppCredentials, Arc<Installation>)>,
}

impl Forges {
    /// Forges with these credentials.
    pub fn new(access: Arc<dyn Access>, clock: Arc<dyn Clock>) -> Self {
        Self { access, clock, clients: Mutex::default() }
    }

    fn reach(
        &self,
        address: &RepoAddress,
        secret: Option<Arc<str>>,
        access: ForgeAccess,
        app: Option<AppCredentials>,
    ) -> Result<Reached, ForgeError> {
        let api = app.as_ref().and_then(|app| app.api.as_deref());
        let api = api.map_or_else(|| address.api(), |api| api.trim_end_matches('/').to_owned());
        let looks = app.as_ref().is_some_and(|app| app.installation.is_none());
        let key = (api.clone(), secret, looks.then(|| address.owner()));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        // A Secret that was rotated makes another client.
        let is_it = |known: &Reached| {
            *known.client.access() == access && known.app.as_ref().map(|(app, _)| app) == app.as_ref()
        };
        if let Some(known) = clients.get(&key).filter(|known| is_it(known)) {
            return Ok(known.clone());
        }
        let headers = if address.kind == ForgeKind::GitHub { GitHub::HEADERS } else { &[] };
        let (tls, clock) = (access.tls.clone(), self.clock.clone());
        let mut client = ForgeClient::new(api, access, headers, Budget::default(), clock.clone())?;
        let app = match app {
            Some(app) => {
                let installation = Arc::new(Installation::new(&app, address, tls, clock)?);
                client = client.with_tokens(installation.clone());
                Some((app, installation))
            }
            None => None,
        };
        let reached = Reached { client: Arc::new(client), app };
        clients.insert(key, reached.clone());
        Ok(reached)
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
        let app = options.app.filter(|_| forge.kind == ForgeKind::GitHub);
        let Reached { client, app } =
            self.reach(&address, repository.secret.clone(), access, app).map_err(from_forge)?;
        if let Some((_, installation)) = app {
            return Ok(Arc::new(GitHub::new(client, address).as_app(installation)));
        }
        Ok(open(client, address))
    }
}

/// A repository in its forge, whatever kind that is, through a client for [`RepoAddress::api`] and not as an app.
pub fn open(client: Arc<ForgeClient>, address: RepoAddress) -> Arc<dyn ForgeApi> {
    match address.kind {
        ForgeKind::GitHub => Arc::new(GitHub::new(client, address)),
        ForgeKind::GitLab => Arc::new(gitlab::GitLab::new(client, address)),
        ForgeKind::Gitea => Arc::new(gitea::Gitea::new(client, address)),
        ForgeKind::Bitbucket => Arc::new(bitbucket::Bitbucket::new(client, address)),
        ForgeKind::BitbucketServer => Arc::new(bitbucket_server::BitbucketServer::new(client, address)),
        ForgeKind::AzureDevOps => Arc::new(azure_devops::AzureDevOps::new(client, address)),
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
            Some(Secret::new(format!("Basic {}", BASE64_STANDARD.encode(both))))
        }
    }
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
