//! Stands between gradus and a forge: counts requests, and loses answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::trip::Trip;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The forge never sees it.
    Request,
    /// The forge does it, and nobody is told.
    Answer,
}

#[derive(Default)]
struct State {
    to: u16,
    losses: Mutex<Vec<(&'static str, &'static str, Loss)>>,
    seen: Mutex<Vec<String>>,
    trip: Arc<Trip>,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// In front of what listens on this port; where whoever asks may be killed.
    pub(crate) async fn tripped(port: u16, trip: Arc<Trip>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { to: port, trip, ..State::default() });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| pass(request, Arc::clone(&state)));
                    // A dropped connection is what is tested.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.address.port())
    }

    /// The next request of this method whose path ends so is lost in this way.
    pub(crate) fn lose(&self, method: &'static str, end: &'static str, loss: Loss) {
        self.state.losses.lock().unwrap().push((method, end, loss));
    }

    /// The calls of the API since the last look, by method and the end of the path.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.seen.lock().unwrap())
    }
}

async fn pass(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, &'static str> {
    let trip = state.trip.clone();
    trip.stop().await;
    let answer = through(request, state).await.ok_or("lost");
    trip.stop().await;
    answer
}

async fn through(request: Request<Incoming>, state: Arc<State>) -> Option<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let path = head.uri.path().to_owned();
    if let Some((_, of_api)) = path.split_once("/api/v1/repos/") {
        let below = of_api.splitn(3, '/').nth(2).unwrap_or_default();
        state.seen.lock().unwrap().push(format!("{} {below}", head.method));
    }
    let loss = {
        let mut losses = state.losses.lock().unwrap();
        let is_it = |(method, end, _): &(&str, &str, Loss)| head.method == *method && path.ends_with(end);
        losses.iter().position(is_it).map(|at| losses.remove(at).2)
    };
    if loss == Some(Loss::Request) {
        return None;
    }
    let port = state.to;
    let mut head = head;
    head.headers.insert("host", format!("127.0.0.1:{port}").parse().ok()?);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(head, Full::<Bytes>::from(body))).await.ok()?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    if loss == Some(Loss::Answer) {
        return None;
    }
    let mut answer = Response::from_parts(head, Full::from(body));
    answer.headers_mut().remove("transfer-encoding");
    Some(answer)
}
