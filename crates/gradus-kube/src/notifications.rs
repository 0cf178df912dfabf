//! Notification objects: who is told of what in a cluster, and what was told.
//!
//! They are watched apart from what pipelines rest on: where they cannot be seen, nobody is told, and everything
//! else goes on. What was told is in their status; the replica that leads reads that anew when it begins.

mod record;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::names::{Namespace, NotificationName};
use gradus_core::notification::{Notification, NotificationKey};
use gradus_engine::port::notify::{MarkState, Memory, Remember};
use gradus_engine::port::{Clock, PortError, PortErrorKind, Told};
use gradus_engine::{Engine, Notifier};
use gradus_evidence::{GroupKind, ObjectRef};
use gradus_manifest::notification_from_json;
use gradus_manifest::status::NotificationStatus;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::clusters::ClusterKey;
use crate::intake::words;
use crate::kinds::{API_VERSION, GROUP, Scope};
use crate::lease::Causes;
use crate::watch::{Among, Keep, LabelSelector, ObjectName, Sight, Wanted, Watches, Which};

const KIND: &str = "Notification";
const PLURAL: &str = "notifications";
/// Whose fields a status is.
const MANAGER: &str = "gradus-notifications";
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait after a change for those that come with it.
const TOGETHER: Duration = Duration::from_millis(250);
/// The longest note that an event may have.
const NOTE: usize = 1000;

/// Looks after the Notification objects, and remembers in their status what was told.
pub struct Notifications {
    client: Client,
    watches: Watches,
    clock: Arc<dyn Clock>,
    scope: Scope,
    identity: String,
    /// The status of each as it was written last; known once it was read.
    known: Mutex<HashMap<NotificationKey, NotificationStatus>>,
    /// A status is written whole: one at a time adds to it.
    turn: tokio::sync::Mutex<()>,
}

impl Notifications {
    /// Those that are looked after with this scope.
    pub fn new(
        client: Client,
        watches: Watches,
        clock: Arc<dyn Clock>,
        scope: Scope,
        identity: String,
    ) -> Self {
        let (known, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { client, watches, clock, scope, identity, known, turn }
    }

    /// Runs until told to stop: keeps the notifier's notifications as the objects are, and lets people be
    /// told while this replica leads.
    pub async fn run(
        self: Arc<Self>,
        notifier: Arc<Notifier>,
        engine: Arc<Engine>,
        leads: watch::Receiver<bool>,
        stop: watch::Receiver<bool>,
    ) {
        let mut stopping = stop.clone();
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = self.clone().take_in(notifier.clone(), leads.clone()) => {}
            () = self.tell(notifier, engine, leads, stop) => {}
        }
    }

    /// Tells people while this replica leads, and lets what is being sent end.
    async fn tell(
        &self,
        notifier: Arc<Notifier>,
        engine: Arc<Engine>,
        leads: watch::Receiver<bool>,
        stop: watch::Receiver<bool>,
    ) {
        loop {
            let mut leading = leads.clone();
            if leading.wait_for(|leads| *leads).await.is_err() {
                return std::future::pending().await;
            }
            // Whoever led before may have told more.
            self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
            let (mut leading, mut stopping) = (leads.clone(), stop.clone());
            let ended = async move {
                tokio::select! {
                    _ = leading.wait_for(|leads| !*leads) => {}
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            };
            notifier.run(&engine, ended).await;
            if *stop.borrow() {
                return;
            }
        }
    }

    async fn take_in(self: Arc<Self>, notifier: Arc<Notifier>, leads: watch::Receiver<bool>) {
        let came = Arc::new(tokio::sync::Notify::new());
        let heard = came.clone();
        let _following = self.watches.follow(vec![self.wanted()], move |_change| heard.notify_one());
        loop {
            let is_leading = *leads.borrow();
            self.take(&notifier, is_leading).await;
            let mut leading = leads.clone();
            leading.mark_unchanged();
            tokio::select! {
                () = came.notified() => {}
                // Whoever begins to lead says which objects have mistakes.
                _ = leading.changed() => {}
            }
            sleep(TOGETHER).await;
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            cluster: ClusterKey::own(),
            kind: GroupKind::new(GROUP, KIND),
            which: Which::All(self.among()),
            keep: Keep::Whole,
            paths: Vec::new(),
        }
    }

    fn among(&self) -> Among {
        let namespace = self.scope.namespace.as_ref().map(|namespace| Arc::from(namespace.as_str()));
        Among { namespace, labels: LabelSelector::default() }
    }

    /// Takes all objects as they are now.
    async fn take(&self, notifier: &Notifier, leads: bool) {
        let kind = GroupKind::new(GROUP, KIND);
        // What cannot be seen goes on as it was.
        let Some(names) = self.watches.names(&ClusterKey::own(), &kind, &self.among()) else { return };
        let mut all: BTreeMap<NotificationKey, Arc<Notification>> = BTreeMap::new();
        for name in names {
            let namespace = name.namespace.as_deref().unwrap_or_default();
            let reference = ObjectRef::new(GROUP, KIND, namespace, &name.name);
            let Sight::Seen(object) = self.watches.see(&ClusterKey::own(), &reference) else { continue };
            let mistakes = match notification_from_json(&object) {
                Ok(read) => {
                    all.insert(read.value.key.clone(), Arc::new(read.value));
                    None
                }
                Err(errors) => Some(words(&errors)),
            };
            if leads {
                self.say_whether_it_is_one(&name, &object, mistakes).await;
            }
        }
        notifier.set(all.into_values());
    }

    /// Writes the condition `Ready`, where it says something new.
    async fn say_whether_it_is_one(&self, name: &ObjectName, object: &Value, mistakes: Option<String>) {
        let Some(key) = key_of(name) else { return };
        let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
        let at = self.clock.now();
        let ready =
            |status: &NotificationStatus| record::with_ready(status, generation, mistakes.clone(), at);
        let seen = record::read(object);
        if ready(&seen) == seen {
            return;
        }
        let _turn = self.turn.lock().await;
        // What was seen may be older than what was told since.
        let written = async {
            let before = self.before(&key).await?;
            let now = ready(&before);
            if now == before { Ok(()) } else { self.write(&key, &now).await }
        };
        if let Err(error) = written.await {
            tracing::warn!(notification = %key, error = error.in_full(), "the status could not be written");
        }
    }

    /// The status as it was written last, or as the API server has it.
    async fn before(&self, key: &NotificationKey) -> Result<NotificationStatus, PortError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        match known {
            Some(known) => Ok(known),
            None => self.fetch(key).await,
        }
    }

    async fn write(&self, key: &NotificationKey, status: &NotificationStatus) -> Result<(), PortError> {
        let patch = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": key.name.as_str(), "namespace": key.namespace.as_str()},
            "status": status,
        });
        let doing = || format!("writing the status of notification {key}");
        let parameters = PatchParams::apply(MANAGER).force();
        let (api, apply) = (self.api(&key.namespace), Patch::Apply(&patch));
        let written = timeout(PATIENCE, api.patch_status(key.name.as_str(), &parameters, &apply));
        match written.await {
            Ok(Ok(_)) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(key.clone(), status.clone());
                Ok(())
            }
            // It is gone, and there is nothing to remember.
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(()),
            Ok(Err(error)) => {
                Err(PortError::because(PortErrorKind::Unreachable, doing(), Causes(&error).to_string()))
            }
            Err(_) => Err(PortError::because(PortErrorKind::Unreachable, doing(), "it takes too long")),
        }
    }

    /// The status as the API server has it now, not as it was seen a moment ago.
    async fn fetch(&self, key: &NotificationKey) -> Result<NotificationStatus, PortError> {
        let doing = || format!("reading notification {key}");
        let api = self.api(&key.namespace);
        match timeout(PATIENCE, api.get_opt(key.name.as_str())).await {
            Ok(Ok(Some(object))) => Ok(record::read(&serde_json::to_value(&object).unwrap_or(Value::Null))),
            Ok(Ok(None)) => Ok(NotificationStatus::default()),
            Ok(Err(error)) => {
                Err(PortError::because(PortErrorKind::Unreachable, doing(), Causes(&error).to_string()))
            }
            Err(_) => Err(PortError::because(PortErrorKind::Unreachable, doing(), "it takes too long")),
        }
    }

    fn api(&self, namespace: &Namespace) -> Api<DynamicObject> {
        let gvk = GroupVersionKind::gvk(GROUP, "v1alpha1", KIND);
        let resource = ApiResource::from_gvk_with_plural(&gvk, PLURAL);
        Api::namespaced_with(self.client.clone(), namespace.as_str(), &resource)
    }

    /// An event for what nobody took.
    async fn warn(&self, key: &NotificationKey, title: &str, why: &str) {
        let name = ObjectName::new(key.namespace.as_str(), key.name.as_str());
        let reference = ObjectRef::new(GROUP, KIND, key.namespace.as_str(), &name.name);
        let uid = match self.watches.see(&ClusterKey::own(), &reference) {
            Sight::Seen(object) => object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned),
            Sight::Missing | Sight::Unknown(_) => None,
        };
        let reference = ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(KIND.to_owned()),
            namespace: Some(key.namespace.to_string()),
            name: Some(key.name.to_string()),
            uid,
            ..ObjectReference::default()
        };
        let event = Event {
            type_: EventType::Warning,
            reason: "Undelivered".to_owned(),
            note: Some(format!("{title}: {why}").chars().take(NOTE).collect()),
            action: title.chars().take(120).collect(),
            secondary: None,
        };
        let reporter = Reporter { controller: "gradus".to_owned(), instance: Some(self.identity.clone()) };
        if let Err(error) = Recorder::new(self.client.clone(), reporter).publish(&event, &reference).await {
            let error = Causes(&error);
            tracing::warn!(%error, notification = %key, "an event could not be written");
        }
    }
}

#[async_trait]
impl Told for Notifications {
    async fn memory(&self, of: &NotificationKey) -> Result<Memory, PortError> {
        let _turn = self.turn.lock().await;
        let status = self.fetch(of).await?;
        let memory = record::memory(&status, &of.namespace, self.clock.now());
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(of.clone(), status);
        Ok(memory)
    }

    /// What is only to be told is not written: whoever leads next finds it anew, if it is still so.
    async fn remember(&self, of: &NotificationKey, changes: &[Remember]) -> Result<(), PortError> {
        {
            let _turn = self.turn.lock().await;
            let before = self.before(of).await?;
            let now = record::after(&before, changes, self.clock.now());
            if now != before {
                self.write(of, &now).await?;
            }
        }
        for change in changes {
            if let Remember::Mark(_, mark) = change
                && let MarkState::Undelivered(why) = &mark.state
            {
                self.warn(of, &mark.title, why).await;
            }
        }
        Ok(())
    }
}

fn key_of(name: &ObjectName) -> Option<NotificationKey> {
    let namespace = Namespace::parse(name.namespace.as_deref()?).ok()?;
    Some(NotificationKey { namespace, name: NotificationName::parse(&name.name).ok()? })
}
