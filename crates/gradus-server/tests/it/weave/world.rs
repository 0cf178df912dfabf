//! A webhook that runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::hmac;
use gradus_server::ServerError;
use gradus_server::weave::{BindAddress, WeaveOptions, WeaveServer};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::pipelines::{Pipelines, Promoter};
use super::time::FakeTime;
use crate::client::{Answer, PATIENCE, read_answer, request};

/// The key that tests sign with.
pub(crate) const KEY: &str = "hmac-secret";

/// A webhook that runs, on pipelines that hold state.
pub(crate) struct Hook {
    pub(crate) pipelines: Arc<Pipelines>,
    pub(crate) time: Arc<FakeTime>,
    pub(crate) at: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) served: Option<JoinHandle<Result<(), ServerError>>>,
}

impl Hook {
    /// The pipeline `default/app` of two environments with this promotion for all, which works.
    pub(crate) async fn plain() -> Self {
        Self::with(notification(false), |_options| {}).await
    }

    pub(crate) async fn with(promotion: Value, change: impl FnOnce(&mut WeaveOptions)) -> Self {
        let pipelines = Arc::new(Pipelines::default());
        pipelines.put(serde_json::from_value(spec(promotion)).unwrap(), &Default::default());
        pipelines.state.lock().unwrap().promoter =
            Promoter::Makes("https://git.example/a/b/pull/1".to_owned());
        Self::start(pipelines, change).await
    }

    pub(crate) async fn start(pipelines: Arc<Pipelines>, change: impl FnOnce(&mut WeaveOptions)) -> Self {
        let time = Arc::new(FakeTime::default());
        let listen = BindAddress::One(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let mut options = WeaveOptions::new(listen, pipelines.clone());
        options.time = time.clone();
        change(&mut options);
        let bound = WeaveServer::bind(options).await.unwrap();
        let at = bound.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(bound.serve(async move {
            let _dropped = stopped.await;
        }));
        Self { pipelines, time, at, stop: Some(stop), served: Some(served) }
    }

    /// Asks from this machine.
    pub(crate) async fn ask(&self, head: &str, body: &str) -> Answer {
        self.ask_from(IpAddr::V4(Ipv4Addr::LOCALHOST), head, body).await
    }

    /// Asks from one of the addresses of this machine.
    pub(crate) async fn ask_from(&self, from: IpAddr, head: &str, body: &str) -> Answer {
        let exchange = async {
            let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
            socket.bind(SocketAddr::new(from, 0)).unwrap();
            let mut stream = socket.connect(self.at).await.unwrap();
            stream.write_all(&request(self.at, head, body.as_bytes())).await.unwrap();
            read_answer(&mut stream).await
        };
        tokio::time::timeout(PATIENCE, exchange).await.expect("the webhook answers")
    }

    /// Tells of a success in dev.
    pub(crate) async fn event(&self, revision: &str) -> Answer {
        self.ask("POST /promotion/default/app/dev", &event(revision).to_string()).await
    }

    /// Approves a revision for prod.
    pub(crate) async fn approve(&self, revision: &str) -> Answer {
        self.ask(&format!("POST /approval/default/app/prod/{revision}"), "").await
    }
}

impl Answer {
    /// The value of a header, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The promotion that tells others.
pub(crate) fn notification(manual: bool) -> Value {
    json!({"manual": manual, "strategy": {"notification": {}}})
}

pub(crate) fn spec(promotion: Value) -> Value {
    json!({
        "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "app"},
        "environments": [
            {"name": "dev", "targets": [{"namespace": "default"}]},
            {"name": "prod", "targets": [{"namespace": "default"}]},
        ],
        "promotion": promotion,
    })
}

pub(crate) fn event(revision: &str) -> Value {
    json!({
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "namespace": "default", "name": "app"},
        "severity": "info", "timestamp": "2026-01-05T09:00:00Z", "reason": "UpgradeSucceeded", "message": "done",
        "metadata": {"revision": revision}, "reportingController": "helm-controller",
    })
}

pub(crate) fn signature(body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), body.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
