//! Carries requests to the two services of a repository and brings their answers back as bounded streams.

use std::sync::{Arc, atomic::Ordering};

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
        self.counters.count_request(0);
        let source = match &self.carrier {
            Carrier::Http(host) => Source::Http(host.advertisement(service, v2).await?),
            Carrier::File(programs) => Source::Process(Box::new(programs.start(service, None, v2)?)),
        };
        Ok(Stream::new(source, Arc::clone(&self.counters), self.stall, bound))
    }

    pub(super) async fn request(
        &self,
        service: Service,
        v2: bool,
        body: Vec<u8>,
        bound: Bound,
    ) -> Outcome<Stream> {
        self.counters.count_request(body.len());
        let source = match &self.carrier {
            Carrier::Http(host) => Source::Http(host.request(service, v2, body).await?),
            Carrier::File(programs) => Source::Process(Box::new(programs.start(service, Some(body), v2)?)),
        };
        Ok(Stream::new(source, Arc::clone(&self.counters), self.stall, bound))
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
