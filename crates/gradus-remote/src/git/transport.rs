//! Carries requests to the two services of a repository and brings their answers back as bounded streams.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use tokio::time::timeout;

use super::{
    Credentials, Limits, RemoteOptions, RemoteUrl, Traffic,
    error::{Fault, Outcome},
    http::Host,
    name::Place,
    pkt::Packets,
    process::Programs,
    ssh::{SshHost, Talk},
    stream::{Bound, Counters, Source, Stream},
};
use crate::git::GitErrorKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    pub(super) fn program(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }
}

pub(super) struct Transport {
    carrier: Carrier,
    counters: Arc<Counters>,
    limits: Limits,
    credentials: Credentials,
}

enum Carrier {
    Http(Box<Host>),
    File(Programs),
    Ssh(Box<SshHost>),
}

impl Transport {
    pub(super) fn new(url: &RemoteUrl, options: &RemoteOptions) -> Outcome<Self> {
        let carrier = match url.place() {
            Place::Ssh(address) => Carrier::Ssh(Box::new(SshHost::new(address, options)?)),
            Place::Url(url) if url.scheme() == "file" => {
                let path = url.to_file_path().map_err(|()| Fault::input("it is not the path of a folder"))?;
                Carrier::File(Programs::new(options.git_program.clone(), path))
            }
            Place::Url(url) => Carrier::Http(Box::new(Host::new(url, options)?)),
        };
        Ok(Self {
            carrier,
            counters: Arc::default(),
            limits: options.limits.clone(),
            credentials: options.credentials.clone(),
        })
    }

    /// What a service can do, and for old ones every reference: `GET info/refs`.
    pub(super) async fn advertisement(&self, service: Service, v2: bool, bound: Bound) -> Outcome<Stream> {
        self.carry(service, v2, None, bound).await
    }

    pub(super) async fn request(
        &self,
        service: Service,
        v2: bool,
        body: Vec<u8>,
        bound: Bound,
    ) -> Outcome<Stream> {
        self.carry(service, v2, Some(body), bound).await
    }

    async fn carry(
        &self,
        service: Service,
        v2: bool,
        body: Option<Vec<u8>>,
        bound: Bound,
    ) -> Outcome<Stream> {
        let body = body.map(Bytes::from);
        let mut source = self.send(service, v2, body.clone()).await;
        // A connection that was kept may end in the very moment it is used again. To ask twice is safe, to push is not.
        let asks = service == Service::UploadPack || body.is_none();
        if asks && source.as_ref().is_err_and(|fault| fault.kind == GitErrorKind::Interrupted) {
            source = self.send(service, v2, body).await;
        }
        Ok(self.stream(source?, bound))
    }

    async fn send(&self, service: Service, v2: bool, body: Option<Bytes>) -> Outcome<Source> {
        self.counters.count_request(body.as_ref().map_or(0, Bytes::len));
        Ok(match (&self.carrier, body) {
            (Carrier::Http(host), None) => Source::Http(host.advertisement(service, v2).await?),
            (Carrier::Http(host), Some(body)) => Source::Http(host.request(service, v2, body).await?),
            (Carrier::File(programs), body) => {
                self.counters.connections.fetch_add(1, Ordering::Relaxed);
                Source::Process(Box::new(programs.start(service, body, v2)?))
            }
            (Carrier::Ssh(host), None) => Source::Ssh(self.connect(host, service, v2)?),
            (Carrier::Ssh(host), Some(body)) => Source::Ssh(self.ask(host, service, v2, body).await?),
        })
    }

    fn connect(&self, host: &SshHost, service: Service, v2: bool) -> Outcome<Box<Talk>> {
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        host.start(service, v2)
    }

    /// Asks on a connection that waits, or on a new one.
    async fn ask(&self, host: &SshHost, service: Service, v2: bool, body: Bytes) -> Outcome<Box<Talk>> {
        while let Some(mut talk) = host.waiting(service, v2, &body) {
            talk.say(body.clone());
            // It may have broken while it waited. To ask again is safe, to push is not.
            let is_push = service == Service::ReceivePack;
            if is_push || timeout(self.limits.stall, talk.answers()).await == Ok(true) {
                return Ok(talk);
            }
        }
        let announced = async {
            let source = Source::Ssh(self.connect(host, service, v2)?);
            let bound = Bound { what: "the list of branches and tags", bytes: self.limits.refs_bytes };
            Packets::new(self.stream(source, bound)).skip(&self.credentials).await
        };
        match announced.await {
            Ok(Source::Ssh(mut talk)) if talk.v2() == v2 => {
                talk.say(body);
                Ok(talk)
            }
            Ok(Source::Ssh(_) | Source::Http(_) | Source::Process(_)) => {
                Err(Fault::protocol("it speaks another version of the protocol than before"))
            }
            // Nothing was asked yet, so that nothing can have happened.
            Err(fault) if service == Service::ReceivePack && may_have_happened(&fault.kind) => {
                Err(Fault::caused(GitErrorKind::Unreachable, fault))
            }
            Err(fault) => Err(fault),
        }
    }

    fn stream(&self, source: Source, bound: Bound) -> Stream {
        Stream::new(source, Arc::clone(&self.counters), self.limits.stall, bound)
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.counters.requests.load(Ordering::Relaxed),
            connections: self.counters.connections.load(Ordering::Relaxed),
            bytes_sent: self.counters.sent.load(Ordering::Relaxed),
            bytes_received: self.counters.received.load(Ordering::Relaxed),
        }
    }
}

/// Whether a failed request can have had an effect on the other side.
pub(super) fn may_have_happened(kind: &GitErrorKind) -> bool {
    match kind {
        GitErrorKind::Input(_)
        | GitErrorKind::Unreachable
        | GitErrorKind::Unauthorized
        | GitErrorKind::Forbidden(_)
        | GitErrorKind::RepositoryMissing
        | GitErrorKind::BranchMissing(_)
        | GitErrorKind::ObjectMissing(_)
        | GitErrorKind::PathRefused { .. }
        | GitErrorKind::Redirected(_)
        | GitErrorKind::Refused(_)
        | GitErrorKind::Ssh(_)
        | GitErrorKind::Unsupported(_) => false,
        GitErrorKind::Interrupted
        | GitErrorKind::Timeout(_)
        | GitErrorKind::TooLarge { .. }
        | GitErrorKind::Protocol(_)
        | GitErrorKind::HostFailed(_)
        | GitErrorKind::OutcomeUnknown
        | GitErrorKind::Local(_) => true,
    }
}
