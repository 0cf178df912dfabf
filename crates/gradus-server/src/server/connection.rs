//! Connections: so many at a time, each with a bound on its age, and an end for all of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::tls::ServerTls;
use crate::limits::Limits;

/// How long to wait before accepting again after that failed, for want of file descriptors for one.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 32 * 1024;
/// So many headers may a request have.
const MOST_HEADERS: usize = 64;
/// How long a connection may take to end once it was asked to.
const AFTER_AGE: Duration = Duration::from_secs(60);

/// Accepts and answers until `shutdown` is done, then lets what is under way end.
/// `router` makes the one that answers a peer. A handshake counts as a connection.
pub(crate) async fn serve_all(
    listener: &TcpListener,
    tls: Option<&ServerTls>,
    router: impl Fn(SocketAddr) -> Router,
    limits: &Limits,
    stop: watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections.max(1)));
    let mut connections = JoinSet::new();
    let following = tls.map(|tls| tokio::spawn(tls.clone().follow()));
    tokio::pin!(shutdown);
    loop {
        let place = tokio::select! {
            () = &mut shutdown => break,
            place = places.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, limits, stopped) = (router(peer), *limits, stop.subscribe());
                let tls = tls.cloned();
                connections.spawn(async move {
                    match tls {
                        None => serve_one(stream, router, limits, stopped).await,
                        Some(tls) => serve_secret(stream, &tls, router, limits, stopped).await,
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    stop.send_replace(true);
    if let Some(following) = following {
        following.abort();
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, ended).await.is_err() {
        tracing::warn!("some requests did not end in time, and are broken off");
    }
    connections.shutdown().await;
}

/// Agrees on keys first, which may take as long as the head of a request.
async fn serve_secret(
    stream: TcpStream,
    tls: &ServerTls,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let agreed = tokio::select! {
        agreed = tokio::time::timeout(limits.head, tls.accept(stream)) => agreed,
        _stopped = stopped.wait_for(|stop| *stop) => return,
    };
    match agreed {
        Ok(Ok(stream)) => serve_one(stream, router, limits, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_too_late) => tracing::debug!("a handshake took too long"),
    }
}

async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return tell(ended),
        _stopped = stopped.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(limits.age) => {}
    }
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = tokio::time::timeout(AFTER_AGE, connection).await {
        tell(ended);
    }
}

fn tell(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
