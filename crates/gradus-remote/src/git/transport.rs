//! Carries requests to the two services of a repository and brings their answers back as bounded streams.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;

use super::{
    RemoteOptions, RemoteUrl, Traffic,
    error::{Fault, Outcome},
    http::Host,
    process::Programs,
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
    stall: std::time::Duration,
}

enum Carrier {
    Http(Box<Host>),
    File(Programs),
}

impl Transport {
    pub(super) fn new(url: &RemoteUrl, options: &RemoteOptions) -> Outcome<Self> {
        let carrier = if url.url().scheme() == "file" {
            let path =
                url.url().to_file_path().map_err(|()| Fault::input("it is not the path of a folder"))?;
            Carrier::File(Programs::new(options.git_program.clone(), path))
        } else {
            Carrier::Http(Box::new(Host::new(url, options)?))
        };
        Ok(Self { carrier, counters: Arc::default(), stall: options.limits.stall })
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
        Ok(Stream::new(source?, Arc::clone(&self.counters), self.stall, bound))
    }

    async fn send(&self, service: Service, v2: bool, body: Option<Bytes>) -> Outcome<Source> {
        self.counters.count_request(body.as_ref().map_or(0, Bytes::len));
        Ok(match (&self.carrier, body) {
            (Carrier::Http(host), None) => Source::Http(host.advertisement(service, v2).await?),
            (Carrier::Http(host), Some(body)) => Source::Http(host.request(service, v2, body).await?),
            (Carrier::File(programs), body) => Source::Process(Box::new(programs.start(service, body, v2)?)),
        })
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.counters.requests.load(Ordering::Relaxed),
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
