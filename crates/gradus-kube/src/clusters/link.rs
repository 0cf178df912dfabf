//! The way to one cluster: found, kept current, and lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use gradus_core::pipeline::ClusterRef;
use gradus_engine::port::Clock;
use jiff::Timestamp;
use kube::Client;
use kube::client::ClientBuilder;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::ClusterOptions;
use super::consent::AllowFrom;
use super::kubeconfig::read_kubeconfig;
use super::served::Served;
use super::source::{Described, NotDescribed, describe};
use super::trouble::{ClusterTrouble, ClusterTroubleKind};
use super::wire::chain;

/// What is known of the way to a cluster.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) way: Way,
    pub(crate) allow: AllowFrom,
    /// Since when this is so.
    pub(crate) since: Timestamp,
}

/// How far a cluster can be asked.
#[derive(Clone)]
pub(crate) enum Way {
    /// Its description was not read yet.
    NotYet,
    /// With this client.
    Up(Connection),
    /// Not at all.
    Down(ClusterTrouble),
}

/// A client, and what belongs to the cluster that it reaches.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The address of the API server: another one is another cluster.
    pub(crate) server: Arc<str>,
    pub(crate) served: Arc<Served>,
}

impl Connection {
    pub(crate) fn new(client: Client, server: impl Into<Arc<str>>) -> Self {
        Self { client, server: server.into(), served: Arc::default() }
    }

    /// Whether both are the same client.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.served, &other.served)
    }
}

/// The way to one cluster. Somebody looks after it for as long as it is held.
pub(crate) struct Slot {
    link: watch::Sender<Link>,
    poke: Arc<Notify>,
    read: Mutex<Read>,
    rebuilt: AtomicU64,
}

/// What was read last.
#[derive(Default)]
struct Read {
    version: String,
    digest: Option<[u8; 32]>,
}

/// What it takes to look after a way.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) own: Client,
    pub(crate) options: ClusterOptions,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Slot {
    /// The way to the cluster that gradus runs in. It is always there.
    pub(crate) fn own(connection: Connection, now: Timestamp) -> Arc<Self> {
        Self::with(Way::Up(connection), now)
    }

    /// The way to the cluster that an object describes.
    pub(crate) fn described(at: ClusterRef, means: Means) -> Arc<Self> {
        let slot = Self::with(Way::NotYet, means.clock.now());
        tokio::spawn(look_after(Arc::downgrade(&slot), at, means));
        slot
    }

    fn with(way: Way, since: Timestamp) -> Arc<Self> {
        let link = watch::Sender::new(Link { way, allow: AllowFrom::Nobody, since });
        Arc::new(Self { link, poke: Arc::default(), read: Mutex::default(), rebuilt: AtomicU64::new(0) })
    }

    /// What is known now, and whatever will be.
    pub(crate) fn follow(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// What is known now.
    pub(crate) fn now(&self) -> Link {
        self.link.borrow().clone()
    }

    /// Something suggests that the description changed.
    pub(crate) fn look_again(&self) {
        self.poke.notify_one();
    }

    /// How often a client was made.
    pub(crate) fn rebuilt(&self) -> u64 {
        self.rebuilt.load(Ordering::Relaxed)
    }

    async fn look(&self, at: &ClusterRef, means: &Means) {
        let described = match describe(&means.own, at).await {
            Ok(described) => described,
            Err(failed) => return self.lost(failed, means),
        };
        let digest: [u8; 32] = Sha256::digest(&described.kubeconfig).into();
        let allow = described.allow.clone();
        let since = means.clock.now();
        if self.is_known(&described.version, digest) {
            self.link.send_if_modified(|link| {
                if link.allow == allow {
                    return false;
                }
                link.allow = allow;
                link.since = since;
                true
            });
            return;
        }
        let version = described.version.clone();
        match connect(described, means).await {
            Ok(connection) => {
                *self.reading() = Read { version, digest: Some(digest) };
                self.rebuilt.fetch_add(1, Ordering::Relaxed);
                self.link.send_replace(Link { way: Way::Up(connection), allow, since });
            }
            Err(message) => {
                let kind = ClusterTroubleKind::Unusable;
                self.lost(NotDescribed { kind, message: format!("{}: {message}", place(at)), allow }, means);
            }
        }
    }

    /// Whether the client that there is was made of the same kubeconfig.
    fn is_known(&self, version: &str, digest: [u8; 32]) -> bool {
        let up = matches!(self.link.borrow().way, Way::Up(_));
        let mut read = self.reading();
        let same = up && read.digest == Some(digest);
        if same {
            version.clone_into(&mut read.version);
        }
        same
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self, failed: NotDescribed, means: &Means) {
        let NotDescribed { kind, message, allow } = failed;
        let up = matches!(self.link.borrow().way, Way::Up(_));
        // That the own cluster is silent says nothing about the other one.
        if up && kind == ClusterTroubleKind::Unreachable {
            tracing::debug!(%message, "keeping the way to a cluster whose description cannot be read now");
            return;
        }
        let now = means.clock.now();
        self.link.send_if_modified(|link| {
            let same = match &link.way {
                Way::Down(before) => before.kind == kind && *before.message == *message,
                Way::NotYet | Way::Up(_) => false,
            };
            if same && link.allow == allow {
                return false;
            }
            let since = match &link.way {
                Way::Down(before) if same => before.since,
                Way::Down(_) | Way::NotYet | Way::Up(_) => now,
            };
            let trouble = ClusterTrouble { kind, message: message.as_str().into(), since };
            *link = Link { way: Way::Down(trouble), allow: allow.clone(), since: now };
            true
        });
    }
}

fn place(at: &ClusterRef) -> String {
    format!("{} {}/{}", at.kind.as_str(), at.namespace, at.name)
}

/// Reads the description again and again, until nobody holds the way any more.
async fn look_after(slot: Weak<Slot>, at: ClusterRef, means: Means) {
    let options = means.options;
    let mut delay = options.retry;
    loop {
        let begun = Instant::now();
        let Some(held) = slot.upgrade() else { return };
        held.look(&at, &means).await;
        let wait = match &held.link.borrow().way {
            Way::Up(_) => {
                delay = options.retry;
                options.refresh
            }
            Way::NotYet | Way::Down(_) => {
                let wait = delay;
                delay = (delay * 2).min(options.refresh);
                wait
            }
        };
        let poke = held.poke.clone();
        drop(held);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = poke.notified() => tokio::time::sleep_until(begun + options.retry.min(SHORTEST)).await,
        }
    }
}

/// How soon after a look there may be another, however many ask for it.
const SHORTEST: Duration = Duration::from_secs(2);

async fn connect(described: Described, means: &Means) -> Result<Connection, String> {
    let ClusterOptions { policy, patience, .. } = means.options;
    let reach =
        read_kubeconfig(&described.kubeconfig, policy, patience).await.map_err(|error| error.to_string())?;
    let server = reach.server();
    // Where programs are allowed, making a client waits for one.
    let made = tokio::task::spawn_blocking(move || {
        ClientBuilder::try_from(reach.into_config()).map(ClientBuilder::build)
    });
    match made.await {
        Ok(Ok(client)) => Ok(Connection::new(client, server)),
        Ok(Err(error)) => Err(not_made(&error)),
        Err(_) => Err("the client could not be made".to_owned()),
    }
}

fn not_made(error: &kube::Error) -> String {
    if let kube::Error::RustlsTls(error) = error {
        format!("the kubeconfig's certificates cannot be used: {}", chain(error))
    } else if matches!(error, kube::Error::InferKubeconfig(_)) {
        // Its words are about keys, and may hold parts of them.
        "the kubeconfig's client-certificate-data or client-key-data cannot be used".to_owned()
    } else {
        format!("the kubeconfig cannot be used: {}", chain(error))
    }
}
