//! Pipelines of `pipelines.weave.works/v1alpha1`, looked after in the cluster.
//!
//! The replica that leads looks at each of them when something that it rests on
//! changes: its own object, the clusters and the applications that it names. What
//! follows is decided in [`gradus_weave`]; here is seen, promoted, written and told.
//!
//! There are two rules. Under the classic one only webhooks promote, and the status
//! says whether the clusters are there. Under the level-triggered one the status says
//! what runs where, and what the first environment runs goes to the others. Which of
//! them holds is [`WeaveOptions::level_triggered`], or the annotation
//! [`LEVEL_TRIGGERED`] on a pipeline.
//!
//! The status has two owners. What waits for an approval is written by
//! [`WeaveController::write_waiting`], and no look at a pipeline touches it. All else is
//! applied by the replica that leads. Both name the writing that they replace.

mod api;
mod judge;
mod look;
mod news;
mod port;
mod queue;
mod reading;
mod session;
mod sight;
mod spans;
mod status;
mod strategy;

use std::sync::Arc;
use std::time::Duration;

use gradus_engine::port::Clock;
use gradus_evidence::GroupKind;
use gradus_weave::kind;
use kube::Client;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use self::api::Pipelines;
use self::news::News;
use self::session::Session;
use self::strategy::Strategies;
use crate::clusters::ClusterKey;
use crate::kinds::{Kind, Scope};
use crate::secrets::Secrets;
use crate::watch::{Among, BlindKind, Changed, Keep, Listing, ObjectName, Wanted, Watches, Which};

pub use self::port::Waited;
pub use self::strategy::{EventPoster, NoPullRequests, PullRequests};

/// The annotation by which one pipeline chooses its rule: `true` for the
/// level-triggered one, `false` for the classic one.
pub const LEVEL_TRIGGERED: &str = "gradus.dev/level-triggered";

/// How many pipelines are looked at at the same time.
const AT_ONCE: usize = 8;

/// How pipelines are looked after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeaveOptions {
    /// Whether pipelines that do not say so themselves follow what runs.
    pub level_triggered: bool,
    /// Where promotions are told besides the cluster's events.
    pub events_addr: Option<String>,
    /// Who this replica is.
    pub identity: String,
    /// For how long a pipeline's targets may be unread before its status says so.
    pub patience: Patience,
}

/// For how long a target may be unread before that is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

/// What the controller is made of.
pub struct WeaveParts {
    /// The own cluster.
    pub client: Client,
    /// What is seen of all clusters.
    pub watches: Watches,
    /// The keys that webhooks are signed with.
    pub secrets: Secrets,
    /// Sends events to the address in the options.
    pub poster: Arc<dyn EventPoster>,
    /// Makes pull requests.
    pub pull_requests: Arc<dyn PullRequests>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Which pipelines are looked after.
    pub scope: Scope,
    /// How.
    pub options: WeaveOptions,
}

/// Looks after the pipelines, and does for the webhook what needs the cluster.
pub struct WeaveController {
    watches: Watches,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    scope: Scope,
    options: WeaveOptions,
    pipelines: Pipelines,
    strategies: Strategies,
    news: News,
}

impl WeaveController {
    /// A controller of these parts, which does nothing yet.
    pub fn new(parts: WeaveParts) -> Self {
        let WeaveParts { client, watches, secrets, poster, pull_requests, clock, scope, options } = parts;
        let news = News::new(client.clone(), &options.identity);
        let strategies = Strategies::new(poster, pull_requests, news.recorder(), clock.clone(), &options);
        let pipelines = Pipelines::new(client);
        Self { watches, secrets, clock, scope, options, pipelines, strategies, news }
    }

    /// Why the pipelines cannot be seen, if they cannot. A cluster that does not know
    /// the kind has none of them, which is no trouble.
    pub fn blind(&self) -> Option<String> {
        let Which::All(among) = self.wanted().which else { return None };
        match self.watches.list(&ClusterKey::own(), &pipelines(), &among) {
            Listing::Seen(_) => None,
            Listing::Unknown(blind) => (blind.kind != BlindKind::NotServed).then(|| blind.to_string()),
        }
    }

    /// Looks after the pipelines whenever this replica leads, until told to stop. What
    /// is being written then is written to its end.
    pub async fn run(self: Arc<Self>, leads: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        let mut publisher = JoinSet::new();
        if let Some(publishing) = self.news.publish() {
            publisher.spawn(publishing);
        }
        loop {
            let (mut leading, mut stopping) = (leads.clone(), stop.clone());
            let is_leader = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => false,
                leads = leading.wait_for(|leads| *leads) => leads.is_ok(),
            };
            if !is_leader {
                break;
            }
            self.lead(&leads, &stop).await;
        }
        publisher.shutdown().await;
    }

    /// Looks after the pipelines until this replica leads no more, or has to stop.
    async fn lead(self: &Arc<Self>, leads: &watch::Receiver<bool>, stop: &watch::Receiver<bool>) {
        let session = Arc::new(Session::new(self.watches.clone()));
        let (changed, mut changes) = mpsc::unbounded_channel();
        let following = self.watches.follow(vec![self.wanted()], move |change| {
            let _the_end = changed.send(change);
        });
        // They may be known already, and nothing need change soon.
        self.wake_all(&session);
        // One place says that it is over: leadership that comes back at once may be seen
        // to go by one and not by another.
        let (over, is_over) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (controller, session) = (self.clone(), session.clone());
            let (leads, mut over) = (leads.clone(), is_over.clone());
            workers.spawn(async move {
                loop {
                    let key = tokio::select! {
                        _ = over.wait_for(|over| *over) => return,
                        key = session.queue.next() => key,
                    };
                    controller.look(&session, &key, &leads).instrument(spans::look(&key)).await;
                    session.queue.done(&key);
                }
            });
        }
        let ended = ended(leads.clone(), stop.clone());
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => break,
                change = changes.recv() => match change {
                    Some(Changed::Object { name, .. }) => session.queue.add(name),
                    Some(Changed::Sight { .. }) => self.wake_all(&session),
                    None => break,
                }
            }
        }
        over.send_replace(true);
        drop(following);
        while workers.join_next().await.is_some() {}
    }

    /// All pipelines that are there, and those that were.
    fn wake_all(&self, session: &Session) {
        let Which::All(among) = self.wanted().which else { return };
        if let Listing::Seen(objects) = self.watches.list(&ClusterKey::own(), &pipelines(), &among) {
            for object in &objects {
                let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
                session.queue.add(ObjectName::new(text("/metadata/namespace"), text("/metadata/name")));
            }
        }
        for key in session.keys() {
            session.queue.add(key);
        }
    }

    fn wanted(&self) -> Wanted {
        let among: Among = self.scope.among(Kind::Pipeline);
        Wanted {
            cluster: ClusterKey::own(),
            kind: pipelines(),
            which: Which::All(among),
            keep: Keep::Whole,
            paths: Vec::new(),
        }
    }
}

/// The kind that is looked after.
fn pipelines() -> GroupKind {
    GroupKind::new(kind::GROUP, kind::KIND)
}

/// Once this replica leads no more, or has to stop.
async fn ended(mut leads: watch::Receiver<bool>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = async {
            // Who said that this replica leads and then went away does not take it back.
            if leads.wait_for(|leads| !*leads).await.is_err() {
                std::future::pending().await
            }
        } => {}
    }
}
