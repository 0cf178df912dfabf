//! GitHub Apps: an account that is no person's. It signs who it is with its key, and gets a token for an hour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine as _};
use gradus_engine::port::Clock;
use gradus_engine::port::clock::SystemClock;
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;

use super::{requests, wire};
use crate::forge::address::{ForgeKind, RepoAddress};
use crate::forge::client::{Budget, ForgeAccess, ForgeClient};
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{Identity, Rights};
use crate::forge::token::Tokens;
use crate::http::Tls;
use crate::{AppCredentials, Secret};

/// A token that ends so soon is not used any more.
const SPARE: SignedDuration = SignedDuration::from_mins(1);
/// What proposals cannot do without. Everything else is only missed by those who use it.
const NEEDED: &[&str] = &["contents", "pull_requests"];
/// What Git cannot do without.
const NEEDED_BY_GIT: &[&str] = &["contents"];

/// An app where it is installed. Its token is kept in memory, until a minute before it ends.
pub struct Installation {
    client: ForgeClient,
    address: RepoAddress,
    needed: &'static [&'static str],
    clock: Arc<dyn Clock>,
    /// One makes a token, and all others wait for it.
    making: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

struct Known {
    installation: Option<u64>,
    token: Option<Token>,
}

#[derive(Clone)]
struct Token {
    secret: Secret,
    until: Timestamp,
    permissions: BTreeMap<String, String>,
}

impl Installation {
    /// Where the app is installed for this repository. No network is touched yet.
    pub fn new(
        app: &AppCredentials,
        address: &RepoAddress,
        tls: Tls,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ForgeError> {
        let api =
            app.api.as_deref().map_or_else(|| address.api(), |api| api.trim_end_matches('/').to_owned());
        let access = ForgeAccess { authorization: None, tls };
        let signer = Signer { id: app.id.clone(), key: key(app)?, clock: clock.clone() };
        let client = ForgeClient::new(api, access, requests::HEADERS, Budget::default(), clock.clone())?
            .with_tokens(Arc::new(signer));
        let known = Mutex::new(Known { installation: app.installation, token: None });
        let (address, making) = (address.clone(), tokio::sync::Mutex::default());
        Ok(Self { client, address, needed: NEEDED, clock, making, known })
    }

    /// The same for Git, which reaches the repository at this address.
    pub fn of_git(app: &AppCredentials, url: &str, tls: Tls) -> Result<Self, ForgeError> {
        let address = RepoAddress::parse(ForgeKind::GitHub, url, None)?;
        Ok(Self { needed: NEEDED_BY_GIT, ..Self::new(app, &address, tls, Arc::new(SystemClock))? })
    }

    /// The app is no person: what it may do is all that is known of it.
    pub(super) async fn identity(&self) -> Result<Identity, ForgeError> {
        let permissions = self.current().await?.permissions;
        let scopes: BTreeSet<String> =
            permissions.into_iter().map(|(what, level)| format!("{what}={level}")).collect();
        Ok(Identity { account: None, scopes: Some(scopes) })
    }

    /// A token is only given to who may write.
    pub(super) async fn rights(&self) -> Result<Rights, ForgeError> {
        self.current().await.map(|_| Rights::Write)
    }

    async fn current(&self) -> Result<Token, ForgeError> {
        let _only_one = self.making.lock().await;
        let (installation, token) = {
            let known = self.known();
            (known.installation, known.token.clone())
        };
        let now = self.clock.now();
        if let Some(token) = token.filter(|token| token.until.duration_since(now) > SPARE) {
            return Ok(token);
        }
        let installation = match installation {
            Some(installation) => installation,
            None => {
                let request = requests::installation_of(&self.address);
                self.client.ask::<wire::Installation>(&request).await?.id
            }
        };
        let request = requests::installation_token(installation);
        let made = self.client.ask::<wire::InstallationToken>(&request).await.map_err(again)?;
        if let Some(missing) = missing(self.needed, &made.permissions) {
            let kind = ForgeErrorKind::Forbidden { missing: Some(missing), words: String::new() };
            return Err(ForgeError::new(request.doing, kind));
        }
        let (secret, until) = (Secret::new(made.token), made.expires_at);
        let token = Token { secret, until, permissions: made.permissions };
        *self.known() = Known { installation: Some(installation), token: Some(token.clone()) };
        Ok(token)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Tokens for Installation {
    async fn token(&self) -> Result<Secret, ForgeError> {
        Ok(self.current().await?.secret)
    }

    fn refused(&self, token: &Secret) {
        let mut known = self.known();
        if known.token.as_ref().is_some_and(|known| known.secret == *token) {
            known.token = None;
        }
    }
}

/// A token too many harms nobody.
fn again(error: ForgeError) -> ForgeError {
    match error.kind() {
        ForgeErrorKind::OutcomeUnknown => error.turned(ForgeErrorKind::Unreachable),
        ForgeErrorKind::Unauthorized
        | ForgeErrorKind::Forbidden { .. }
        | ForgeErrorKind::NotFound
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::NotReady(_)
        | ForgeErrorKind::Refused(_)
        | ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Unreachable
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Broken(_)
        | ForgeErrorKind::Input(_) => error,
    }
}

fn missing(needed: &[&str], permissions: &BTreeMap<String, String>) -> Option<String> {
    let has = |what: &str| matches!(permissions.get(what).map(String::as_str), Some("write" | "admin"));
    let missing: Vec<String> =
        needed.iter().filter(|what| !has(what)).map(|what| format!("{what}=write")).collect();
    let word = if missing.len() == 1 { "permission" } else { "permissions" };
    (!missing.is_empty()).then(|| format!("the {word} {}", missing.join(" and ")))
}

/// Signs who the app is.
struct Signer {
    id: Arc<str>,
    key: KeyPair,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Tokens for Signer {
    async fn token(&self) -> Result<Secret, ForgeError> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iat: i64,
            exp: i64,
            iss: &'a str,
        }
        let doing = || format!("sign as the app {}", self.id);
        let now = self.clock.now().as_second();
        // GitHub's clock may be behind, and takes ten minutes at most.
        let claims = Claims { iat: now - 60, exp: now + 540, iss: &self.id };
        let claims = serde_json::to_string(&claims).map_err(|error| {
            ForgeError::because(doing(), ForgeErrorKind::Input("its id".to_owned()), error)
        })?;
        let text = format!("{}.{}", BASE64.encode(br#"{"alg":"RS256","typ":"JWT"}"#), BASE64.encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| ForgeError::new(doing(), unusable("the key cannot sign")))?;
        Ok(Secret::new(format!("{text}.{}", BASE64.encode(&signature))))
    }

    fn refused(&self, _: &Secret) {}
}

fn unusable(why: &str) -> ForgeErrorKind {
    ForgeErrorKind::Input(format!(
        "{why}; put the RSA key that GitHub made for the app, in PEM, into the Secret"
    ))
}

/// The key: GitHub gives PKCS #1, and tools make PKCS #8 of it.
fn key(app: &AppCredentials) -> Result<KeyPair, ForgeError> {
    let refuse = |why: &str| ForgeError::new(format!("take the key of the app {}", app.id), unusable(why));
    let der = PrivateKeyDer::from_pem_slice(app.key.expose().as_bytes())
        .map_err(|_| refuse("it is no private key in PEM"))?;
    let pair = match &der {
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Sec1(_) | _ => return Err(refuse("it is no RSA key")),
    };
    pair.map_err(|_| refuse("it is no RSA key that can be used"))
}

#[cfg(test)]
mod tests {
    use super::{NEEDED, missing};

    #[test]
    fn what_an_installation_lacks_is_named() {
        let told = |permissions: &[(&str, &str)]| {
            let all = permissions.iter().map(|(what, level)| ((*what).to_owned(), (*level).to_owned()));
            missing(NEEDED, &all.collect())
        };
        assert_eq!(told(&[("contents", "write"), ("pull_requests", "write"), ("metadata", "read")]), None);
        assert_eq!(
            told(&[("contents", "write"), ("pull_requests", "read")]).as_deref(),
            Some("the permission pull_requests=write")
        );
        assert_eq!(told(&[]).as_deref(), Some("the permissions contents=write and pull_requests=write"));
    }
}
