//! What is told about pipelines, as events of the cluster.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gradus_engine::port::PortError;
use gradus_weave::Promotion;
use gradus_weave::classic::Event;
use gradus_weave::kind::{API_VERSION, KIND, Metadata, Pipeline};
use gradus_weave::notification::{self, CONTROLLER};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as Wire;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::api::kind_of;
use crate::clusters::wire::chain;

/// How many events may wait to be written; more are dropped, since none is needed.
const WAITING: usize = 1024;
/// The longest words of an event, in bytes: a cluster takes no more.
const LONGEST: usize = 1000;
/// How long a write may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest part of an event's name that is the pipeline's.
const OF_NAME: usize = 200;

/// What waits to be told.
type Told = (Metadata, Event);

/// Tells of pipelines, in the order in which things happen.
pub(super) struct News {
    sender: mpsc::Sender<Told>,
    receiver: Mutex<Option<mpsc::Receiver<Told>>>,
    recorder: Recorder,
}

impl News {
    pub(super) fn new(client: Client, identity: &str) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let identity = if identity.is_empty() { CONTROLLER } else { identity };
        let recorder = Recorder { client, identity: identity.chars().take(128).collect() };
        Self { sender, receiver: Mutex::new(Some(receiver)), recorder }
    }

    /// Tells something once there is time for it.
    pub(super) fn tell(&self, pipeline: &Pipeline, event: Event) {
        if self.sender.try_send((pipeline.metadata.clone(), event)).is_err() {
            tracing::debug!("an event was dropped: too many wait to be written");
        }
    }

    /// Who writes events at once.
    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Writes what is told, as long as somebody tells. For one caller only.
    pub(super) fn publish(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let recorder = self.recorder.clone();
        Some(async move {
            while let Some((about, event)) = receiver.recv().await {
                if let Err(error) = recorder.record(&about, &event).await {
                    let error = error.in_full();
                    let pipeline = format!("{}/{}", about.namespace, about.name);
                    tracing::warn!(error, pipeline, reason = event.reason, "an event could not be written");
                }
            }
        })
    }
}

/// Writes events.
#[derive(Clone)]
pub(super) struct Recorder {
    client: Client,
    identity: String,
}

impl Recorder {
    async fn record(&self, about: &Metadata, event: &Event) -> Result<(), PortError> {
        let now = Timestamp::now();
        let stamp = format!("{:x}", now.as_nanosecond());
        let wire = self.wire(about, event, &stamp, now);
        self.create(about, &wire).await.map_err(|error| failed(about, event.reason, &error))
    }

    /// Tells of a promotion. The event is of the promotion, so that the same one told
    /// twice is one event that happened again.
    pub(super) async fn promote(&self, pipeline: &Pipeline, promotion: &Promotion) -> Result<(), PortError> {
        let about = &pipeline.metadata;
        let event =
            Event { kind: "Normal", reason: notification::REASON, message: notification::message(promotion) };
        let now = Timestamp::now();
        let of = format!("{} {} {}", about.uid, promotion.environment.name, promotion.revision);
        let mut stamp = String::new();
        for byte in Sha256::digest(of.as_bytes()).iter().take(8) {
            let _infallible = write!(stamp, "{byte:02x}");
        }
        let mut wire = self.wire(about, &event, &stamp, now);
        wire.metadata.annotations = Some(notification::metadata(promotion));
        match self.create(about, &wire).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.again(about, wire.metadata.name.as_deref().unwrap_or_default(), now).await;
                Ok(())
            }
            done => done.map_err(|error| failed(about, event.reason, &error)),
        }
    }

    /// Notes that an event happened again. It was told, so that a failure is none.
    async fn again(&self, about: &Metadata, name: &str, now: Timestamp) {
        let api = self.api(about);
        let counted = async {
            let series = api.get(name).await?.series;
            let count = series.map_or(1, |series| series.count).saturating_add(1);
            let change = json!({"series": {"count": count, "lastObservedTime": MicroTime(now)}});
            api.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await
        };
        if let Ok(Err(error)) = timeout(PATIENCE, counted).await {
            tracing::debug!(
                error = chain(&error),
                name,
                "an event was told before, and could not be counted"
            );
        }
    }

    async fn create(&self, about: &Metadata, wire: &Wire) -> Result<(), kube::Error> {
        let api = self.api(about);
        match timeout(PATIENCE, api.create(&PostParams::default(), wire)).await {
            Ok(done) => done.map(drop),
            Err(elapsed) => Err(kube::Error::Service(Box::new(elapsed))),
        }
    }

    fn api(&self, about: &Metadata) -> Api<Wire> {
        Api::namespaced(self.client.clone(), &about.namespace)
    }

    fn wire(&self, about: &Metadata, event: &Event, stamp: &str, now: Timestamp) -> Wire {
        let name: String = about.name.chars().take(OF_NAME).collect();
        Wire {
            metadata: ObjectMeta {
                name: Some(format!("{}.{stamp}", name.trim_end_matches(['-', '.']))),
                namespace: Some(about.namespace.clone()),
                ..ObjectMeta::default()
            },
            action: Some(event.reason.to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(cut(&event.message)),
            reason: Some(event.reason.to_owned()),
            regarding: Some(ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some(KIND.to_owned()),
                namespace: Some(about.namespace.clone()),
                name: Some(about.name.clone()),
                uid: Some(about.uid.clone()),
                resource_version: Some(about.resource_version.clone()),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.identity.clone()),
            type_: Some(event.kind.to_owned()),
            ..Wire::default()
        }
    }
}

fn failed(about: &Metadata, reason: &str, error: &kube::Error) -> PortError {
    let doing = format!("telling {reason} of pipeline {}/{}", about.namespace, about.name);
    PortError::because(kind_of(error), doing, chain(error))
}

/// The words, cut where they are too long. Never within a character.
fn cut(message: &str) -> String {
    if message.len() <= LONGEST {
        return message.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or_default();
    format!("{}...", message.get(..end).unwrap_or_default())
}
