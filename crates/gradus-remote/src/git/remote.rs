//! One repository on its host, and what is remembered of it between operations.

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::time::timeout;

use super::{
    GitError, Limits, ObjectId, RemoteOptions, RemoteUrl,
    capabilities::Announced,
    error::{Fault, Outcome},
    gather::Gather,
    lru::Lru,
    mirror::Mirror,
    name::Place,
    object::Object,
    options::Credentials,
    pkt::Packets,
    signing::SigningKey,
    stream::Bound,
    transport::{Service, Transport},
    way::Way,
};
use crate::git::GitErrorKind;

/// After an answer that could not be used, so many listings go by until it is tried again.
const IN_VAIN: u32 = 16;

/// A repository on its host. Cheap to clone; clones share what is remembered.
#[derive(Clone)]
pub struct Remote {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) url: RemoteUrl,
    pub(super) credentials: Credentials,
    pub(super) signing: Option<SigningKey>,
    pub(super) limits: Limits,
    pub(super) transport: Transport,
    upload: Mutex<Option<Arc<Announced>>>,
    receive: Mutex<Option<Arc<Announced>>>,
    cache: Arc<Mutex<Lru<ObjectId>>>,
    /// The commit whose folders were looked through last, all of them.
    listed: Mutex<Option<ObjectId>>,
    /// For so many more listings the host is not told of that commit.
    listed_in_vain: AtomicU32,
    pub(super) gather: Gather,
    pub(super) mirror: Mirror,
    part_refused: Mutex<Option<String>>,
    told: AtomicBool,
}

/// What went over the wire since the repository was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests made.
    pub requests: u64,
    /// Programs started for them: one for each request to `file://`, one for each connection over `ssh`.
    pub connections: u64,
    /// Bytes of bodies sent.
    pub bytes_sent: u64,
    /// Bytes of bodies received.
    pub bytes_received: u64,
}

impl Remote {
    /// Makes ready to talk to a repository; nothing is sent yet.
    pub fn open(url: RemoteUrl, options: RemoteOptions) -> Result<Self, GitError> {
        let has_some = options.credentials != Credentials::None || options.app.is_some();
        if url.as_str().starts_with("http:") && has_some && !stays_here(&url) {
            tracing::warn!(%url, "credentials are sent to this repository without encryption");
        }
        let transport = Transport::new(&url, &options)
            .map_err(|fault| fault.doing(format!("open the repository {url}")))?;
        let inner = Inner {
            url,
            transport,
            cache: Arc::new(Mutex::new(Lru::new(options.limits.cache_bytes))),
            listed: Mutex::default(),
            listed_in_vain: AtomicU32::new(0),
            gather: Gather::default(),
            mirror: Mirror::new(options.limits.mirror_bytes),
            credentials: options.credentials,
            signing: options.signing,
            limits: options.limits,
            part_refused: Mutex::default(),
            told: AtomicBool::new(false),
            upload: Mutex::default(),
            receive: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The address of the repository.
    pub fn url(&self) -> &RemoteUrl {
        &self.inner.url
    }

    /// What went over the wire so far.
    pub fn traffic(&self) -> Traffic {
        self.inner.transport.traffic()
    }

    /// Runs one operation within its time; `doing` reads well after "cannot" and before "of ADDRESS".
    pub(super) async fn within<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Outcome<T>>,
    ) -> Result<T, GitError> {
        let outcome = match timeout(self.inner.limits.operation, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(GitErrorKind::Timeout("the whole operation").into()),
        };
        outcome.map_err(|fault| fault.doing(format!("{doing} of {}", self.inner.url)))
    }
}

impl Inner {
    /// What the service that is read from announced, now or earlier.
    pub(super) async fn upload(&self) -> Outcome<Arc<Announced>> {
        if let Some(known) = lock(&self.upload).clone() {
            return Ok(known);
        }
        self.ask_upload().await
    }

    /// What the service that is read from announces now.
    pub(super) async fn ask_upload(&self) -> Outcome<Arc<Announced>> {
        let bound = self.refs_bound();
        let stream = self.transport.advertisement(Service::UploadPack, true, bound).await?;
        let mut packets = Packets::new(stream);
        let announced = Arc::new(Announced::read(&mut packets, &self.limits, &self.credentials).await?);
        packets.finish().await;
        let (way, reason) = self.way(&announced);
        if way == Way::Mirror && !self.told.swap(true, Ordering::Relaxed) {
            tracing::info!(url = %self.url, reason, "whole commits are read from this repository");
        }
        let kept = Announced { refs: Vec::new(), ..(*announced).clone() };
        *lock(&self.upload) = Some(Arc::new(kept));
        Ok(announced)
    }

    /// What the service that is written to announced, now or earlier.
    pub(super) async fn receive(&self) -> Outcome<Arc<Announced>> {
        if let Some(known) = lock(&self.receive).clone() {
            return Ok(known);
        }
        let stream = self.transport.advertisement(Service::ReceivePack, false, self.refs_bound()).await?;
        let mut packets = Packets::new(stream);
        let mut announced = Announced::read_first(&mut packets, &self.credentials).await?;
        announced.refs.clear();
        packets.finish().await;
        let announced = Arc::new(announced);
        *lock(&self.receive) = Some(Arc::clone(&announced));
        Ok(announced)
    }

    /// After something unexpected: ask the host again what it can do.
    pub(super) fn forget(&self) {
        *lock(&self.upload) = None;
        *lock(&self.receive) = None;
    }

    /// What the host said when it refused a part of a commit although it offers filters.
    pub(super) fn part_refused(&self) -> Option<String> {
        lock(&self.part_refused).clone()
    }

    /// From now on only whole commits are asked for.
    pub(super) fn read_whole(&self, said: String) {
        // Two operations may find out at the same time; it is said once.
        if !self.told.swap(true, Ordering::Relaxed) {
            let reason = format!("the host refused a part of a commit: {said}");
            tracing::info!(url = %self.url, reason, "whole commits are read from this repository");
        }
        *lock(&self.part_refused) = Some(said);
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, Lru<ObjectId>> {
        lock(&self.cache)
    }

    /// Finds what is remembered, wherever that is needed.
    pub(super) fn recalls(&self) -> impl Fn(&ObjectId) -> Option<Object> + Send + 'static {
        let cache = Arc::clone(&self.cache);
        move |id| lock(&cache).get(id)
    }

    /// The commit whose folders are remembered, as far as there was room.
    pub(super) fn listed(&self) -> Option<ObjectId> {
        *lock(&self.listed)
    }

    pub(super) fn has_listed(&self, commit: ObjectId) {
        let less = |left: u32| left.checked_sub(1);
        let was_in_vain =
            self.listed_in_vain.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        *lock(&self.listed) = (!was_in_vain).then_some(commit);
    }

    /// An answer that was to be short could not be used: what it rests on was forgotten, or the host counts on more
    /// than is here. It is tried again after a while.
    pub(super) fn has_listed_in_vain(&self) {
        self.listed_in_vain.store(IN_VAIN, Ordering::Relaxed);
        *lock(&self.listed) = None;
    }

    pub(super) fn refs_bound(&self) -> Bound {
        Bound { what: "the list of branches and tags", bytes: self.limits.refs_bytes }
    }

    pub(super) fn pack_bound(&self) -> Bound {
        Bound { what: "the size of an answer", bytes: self.limits.pack_bytes }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work that only computes on a thread of its own.
pub(super) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| Fault::caused(GitErrorKind::Local("a computation was stopped".to_owned()), source))
}

/// Whether what is sent never leaves the machine.
fn stays_here(url: &RemoteUrl) -> bool {
    let Place::Url(url) = url.place() else { return false };
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}
