//! The address of the webhook, and how it starts and stops.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use gradus_weave::limiter::{Limiter, Rate};
use gradus_weave::retry::Retry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::app::{self, App, Peer};
use super::bind::BindAddress;
use super::client::TrustedProxies;
use super::port::{MachineTime, Time, Weave};
use super::work::Work;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::server::{ServerError, ServerTls, connection};
use crate::spans::JoinTrace;

/// What the webhook is made of.
pub struct WeaveOptions {
    /// The address to listen on. What it may do is promote what pipelines allow, and those that
    /// name a Secret ask for a signature; so it may be reached by others.
    pub listen: BindAddress,
    /// Who knows the pipelines.
    pub weave: Arc<dyn Weave>,
    /// The time.
    pub time: Arc<dyn Time>,
    /// How often one client may ask.
    pub rate: Rate,
    /// How often a promotion is tried again.
    pub retry: Retry,
    /// Who is believed when they say for whom they ask.
    pub proxies: TrustedProxies,
    /// The bounds of what comes from outside.
    pub limits: Limits,
    /// So many promotions may be under way.
    pub promotions: usize,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How a request becomes part of its sender's trace, where there are traces.
    pub join_trace: Option<JoinTrace>,
    /// What it proves with who it is; plain HTTP without.
    pub tls: Option<ServerTls>,
}

impl WeaveOptions {
    /// The usual ones.
    pub fn new(listen: BindAddress, weave: Arc<dyn Weave>) -> Self {
        Self {
            listen,
            weave,
            time: Arc::new(MachineTime),
            rate: Rate::default(),
            retry: Retry::default(),
            proxies: TrustedProxies::default(),
            limits: Limits::default(),
            promotions: 256,
            metrics: Arc::new(Metrics::default()),
            join_trace: None,
            tls: None,
        }
    }
}

/// Serves the webhook.
pub struct WeaveServer;

/// A webhook that has its address and answers nobody yet.
pub struct WeaveBound {
    listener: TcpListener,
    listens_on: SocketAddr,
    tls: Option<ServerTls>,
    app: Arc<App>,
}

impl WeaveServer {
    /// Takes the address.
    pub async fn bind(options: WeaveOptions) -> Result<WeaveBound, ServerError> {
        let (listener, listens_on) = take(options.listen).await?;
        let app = Arc::new(App {
            weave: options.weave,
            time: options.time,
            limiter: Mutex::new(Limiter::new(options.rate)),
            retry: options.retry,
            proxies: options.proxies,
            limits: options.limits,
            metrics: options.metrics,
            join_trace: options.join_trace,
            work: Work::new(options.promotions),
        });
        Ok(WeaveBound { listener, listens_on, tls: options.tls, app })
    }
}

/// Takes an address.
pub(crate) async fn take(listen: BindAddress) -> Result<(TcpListener, SocketAddr), ServerError> {
    let mut failed = None;
    for address in listen.candidates() {
        let taken = TcpListener::bind(address).await;
        let taken = taken.and_then(|listener| listener.local_addr().map(|on| (listener, on)));
        match taken {
            Ok(taken) => return Ok(taken),
            Err(cause) => failed = failed.or(Some(ServerError::bind(address, cause))),
        }
    }
    let nothing = || {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        ServerError::bind(unspecified, std::io::ErrorKind::AddrNotAvailable.into())
    };
    Err(failed.unwrap_or_else(nothing))
}

/// How often windows that have closed are forgotten.
const SWEEP: Duration = Duration::from_secs(30);

impl WeaveBound {
    /// The address that was taken; with its port, if any would do.
    pub fn local_addr(&self) -> SocketAddr {
        self.listens_on
    }

    /// Answers until `shutdown` is done. Then nobody new is let in, and requests
    /// and promotions that are under way may end in time.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { listener, listens_on: _, tls, app } = self;
        let router = Router::new().fallback(app::answer).with_state(app.clone());
        let (stop, _stopped) = watch::channel(false);
        let sweeping = tokio::spawn(sweep(app.clone()));
        let for_peer = |peer| router.clone().layer(Extension(Peer(peer)));
        connection::serve_all(&listener, tls.as_ref(), for_peer, &app.limits, stop, shutdown).await;
        sweeping.abort();
        app.work.drain(app.limits.drain).await;
        Ok(())
    }
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        app.limiter.lock().unwrap_or_else(PoisonError::into_inner).sweep(app.time.now());
    }
}
