//! A proxy before kube-apiserver that does what a test tells it to do wrong.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{ControlPlane, TestbedError, User};

/// What somebody asks through a proxy.
#[derive(Debug, Clone)]
pub struct Asked {
    /// How it is asked.
    pub method: Method,
    /// What is asked for, with the query.
    pub target: String,
}

impl Asked {
    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// Whether it goes on until somebody ends it.
    pub fn is_watch(&self) -> bool {
        self.target.contains("watch=true") || self.target.contains("watch=1")
    }
}

/// What a proxy does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is passed on, and so is the answer.
    None,
    /// It is not passed on: 409, as if somebody else had been faster.
    Conflict,
    /// It is not passed on and never answered.
    Hang,
    /// It is passed on, and the connection is cut in the middle of the answer after so long.
    Cut(Duration),
}

/// A proxy, which ends with its value. It speaks plain HTTP on the loopback address,
/// to kube-apiserver in somebody's name whoever asks, and from a thread of its own, so that a
/// test that waits does not keep it waiting.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

const DOING: &str = "could not start a proxy";

impl ControlPlane {
    /// Starts a proxy that asks what to do with each request.
    pub fn proxy(
        &self,
        user: User,
        script: impl Fn(&Asked) -> Fault + Send + Sync + 'static,
    ) -> Result<Proxy, TestbedError> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(TestbedError::machine(DOING))?;
        listener.set_nonblocking(true).map_err(TestbedError::machine(DOING))?;
        let address = listener.local_addr().map_err(TestbedError::machine(DOING))?;
        let kubeconfig = self.kubeconfig(user)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(TestbedError::machine(DOING))?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(client) = crate::plane::client(&kubeconfig).await else { return };
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = serve(listener, client, Arc::new(script)) => {}
                    _ = stopped => {}
                }
            });
            // What hangs does not hang on.
            runtime.shutdown_background();
        });
        Ok(Proxy { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Proxy {
    /// A kubeconfig that leads through the proxy.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters:\n  - {{name: proxy, cluster: {{server: \
             \"http://{}\"}}}}\nusers:\n  - {{name: proxy, user: {{}}}}\ncontexts:\n  - {{name: proxy, context: \
             {{cluster: proxy, user: proxy}}}}\n",
            self.address
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Script = Arc<dyn Fn(&Asked) -> Fault + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

async fn serve(listener: TcpListener, client: Client, script: Script) {
    while let Ok((stream, _)) = listener.accept().await {
        let (client, script) = (client.clone(), script.clone());
        let answering = service_fn(move |request| answer(request, client.clone(), script.clone()));
        tokio::spawn(async move {
            // Whoever asks has gone, or was cut off.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answering)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    client: Client,
    script: Script,
) -> Result<Response<Body>, Infallible> {
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let asked = Asked { method: request.method().clone(), target };
    let cut = match script(&asked) {
        Fault::None => None,
        Fault::Cut(after) => Some(after),
        Fault::Conflict => {
            return Ok(status(StatusCode::CONFLICT, "Conflict", "the object has been modified"));
        }
        Fault::Hang => return std::future::pending().await,
    };
    Ok(match pass_on(request, &asked.target, client).await {
        Ok(answer) => answer.map(|body| body_of(body, cut)),
        Err(error) => status(StatusCode::BAD_GATEWAY, "InternalError", &error.to_string()),
    })
}

async fn pass_on(
    request: Request<Incoming>,
    target: &str,
    client: Client,
) -> Result<Response<kube::client::Body>, Box<dyn std::error::Error + Send + Sync>> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    // Where it goes, and in whose name, is the client's to say.
    parts.uri = target.parse::<Uri>()?;
    parts.version = http::Version::default();
    for header in [HOST, http::header::AUTHORIZATION, http::header::CONTENT_LENGTH, http::header::CONNECTION]
    {
        parts.headers.remove(header);
    }
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    let mut answer = client.send(request).await?;
    // How it is carried from here on is not how it was carried to here.
    for header in [http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING, http::header::CONNECTION] {
        answer.headers_mut().remove(header);
    }
    *answer.version_mut() = http::Version::HTTP_11;
    Ok(answer)
}

fn body_of(body: kube::client::Body, cut: Option<Duration>) -> Body {
    let Some(after) = cut else { return body.map_err(Into::into).boxed_unsync() };
    let frames = body.into_data_stream().map_ok(Frame::data).map_err(Into::into);
    let broken = stream::once(async { Err("the connection was cut".into()) });
    let cut = frames.take_until(Box::pin(tokio::time::sleep(after))).chain(broken);
    StreamBody::new(cut).boxed_unsync()
}

/// An answer as kube-apiserver gives it when it refuses.
fn status(code: StatusCode, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code.as_u16(),
    });
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
