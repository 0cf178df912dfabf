//! Secrets of the own cluster, each read with `get` by its name and never listed
//! or watched.
//!
//! Whoever asks is not kept waiting: what is known is given at once and read again
//! in the background once it is a minute old. The first time there is nothing to
//! give; whoever asks again a moment later gets it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gradus_engine::port::{PortError, PortErrorKind};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::time::{Instant, timeout};

/// How old a value may be before it is read again.
const FRESH: Duration = Duration::from_secs(60);
/// How soon one that could not be read is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long a read may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A Secret that nobody asked for this long is forgotten.
const UNUSED: Duration = Duration::from_secs(3600);

/// The keys and values of a Secret. Never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecretData(BTreeMap<String, Vec<u8>>);

impl SecretData {
    /// The value of a key, without the line feed that editors leave at its end;
    /// none when it is empty.
    pub fn text(&self, key: &str) -> Option<String> {
        let value = String::from_utf8(self.0.get(key)?.clone()).ok()?;
        Some(value.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty())
    }

    /// The value of a key as it is.
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretData").finish_non_exhaustive()
    }
}

/// Reads Secrets of the own cluster.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    client: Client,
    known: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    found: Option<Result<SecretData, Refused>>,
    read: Option<Instant>,
    asked: Instant,
    reading: bool,
}

/// Why a Secret was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    kind: PortErrorKind,
    why: String,
}

impl Secrets {
    /// The Secrets that this client may read.
    pub fn new(client: Client) -> Self {
        Self(Arc::new(Inner { client, known: Mutex::default() }))
    }

    /// Reads a Secret now.
    pub async fn read(&self, namespace: &str, name: &str) -> Result<SecretData, PortError> {
        get(&self.0.client, namespace, name)
            .await
            .map_err(|refused| told(&format!("{namespace}/{name}"), refused))
    }

    /// What is known of a Secret, `namespace/name`. Has to be called within a runtime.
    pub fn known(&self, full: &str) -> Result<SecretData, PortError> {
        let now = Instant::now();
        let mut known = self.lock();
        known.retain(|_, entry| entry.asked.elapsed() < UNUSED);
        let entry = known.entry(full.to_owned()).or_insert(Entry {
            found: None,
            read: None,
            asked: now,
            reading: false,
        });
        entry.asked = now;
        let fresh = if matches!(entry.found, Some(Ok(_))) { FRESH } else { AGAIN };
        let is_old = entry.read.is_none_or(|read| read.elapsed() >= fresh);
        if is_old && !entry.reading {
            entry.reading = true;
            tokio::spawn(refresh(self.clone(), full.to_owned()));
        }
        match &entry.found {
            Some(Ok(data)) => Ok(data.clone()),
            Some(Err(refused)) => Err(told(full, refused.clone())),
            None => Err(PortError::new(PortErrorKind::Unreachable, format!("reading Secret {full}"))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn refresh(secrets: Secrets, full: String) {
    let (namespace, name) = full.split_once('/').unwrap_or(("default", &full));
    let found = get(&secrets.0.client, namespace, name).await;
    let mut known = secrets.lock();
    let Some(entry) = known.get_mut(&full) else { return };
    entry.reading = false;
    entry.read = Some(Instant::now());
    // What worked a minute ago is not given up because nobody answers.
    if !matches!((&entry.found, &found), (Some(Ok(_)), Err(Refused { kind: PortErrorKind::Unreachable, .. })))
    {
        entry.found = Some(found);
    }
}

async fn get(client: &Client, namespace: &str, name: &str) -> Result<SecretData, Refused> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let refused = |kind, why: &str| Refused { kind, why: why.to_owned() };
    match timeout(PATIENCE, api.get(name)).await {
        Ok(Ok(secret)) => {
            let data = secret.data.unwrap_or_default();
            Ok(SecretData(data.into_iter().map(|(key, value)| (key, value.0)).collect()))
        }
        Ok(Err(kube::Error::Api(status))) => Err(match status.code {
            404 => refused(PortErrorKind::Missing, "there is none of this name"),
            401 | 403 => {
                refused(PortErrorKind::Denied, "gradus may not read it (RBAC: get on this one name)")
            }
            500.. => refused(PortErrorKind::Unreachable, "the API server failed"),
            _ => refused(PortErrorKind::Broken, "the API server refused the request"),
        }),
        Ok(Err(_)) => Err(refused(PortErrorKind::Unreachable, "the API server does not answer")),
        Err(_) => Err(refused(PortErrorKind::Unreachable, "the API server takes too long")),
    }
}

fn told(full: &str, refused: Refused) -> PortError {
    PortError::because(refused.kind, format!("reading Secret {full}"), refused.why)
}
