//! What is told of a pipeline: its status, and events of what changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt};
use gradus_core::names::PipelineKey;
use gradus_engine::Looked;
use gradus_manifest::status::{Health, PipelineStatus};
use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use super::{AGAIN, AT_ONCE, Controller, TICK};
use crate::events::News;
use crate::intake::Loaded;
use crate::kinds::{Kind, object_name};
use crate::leaving;
use crate::saying;
use crate::status;
use crate::write::Wrote;

/// When a pipeline's status has to be seen to again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Once there is something new.
    Not,
    /// Once the look that it waits for was had.
    Soon,
    /// It could not be written.
    Later,
}

/// Keys that wait, each once.
#[derive(Default)]
pub(super) struct Pending {
    keys: Mutex<BTreeSet<PipelineKey>>,
    came: tokio::sync::Notify,
}

impl Pending {
    pub(super) fn add(&self, keys: impl IntoIterator<Item = PipelineKey>) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
        self.came.notify_one();
    }

    async fn all(&self) -> BTreeSet<PipelineKey> {
        loop {
            let came = self.came.notified();
            let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
            if !keys.is_empty() {
                return keys;
            }
            came.await;
        }
    }
}

impl Controller {
    pub(super) async fn hear_reports(self: Arc<Self>) {
        let mut reports = self.parts.engine.subscribe();
        loop {
            match reports.recv().await {
                Ok(key) => self.stale.add([key]),
                Err(broadcast::error::RecvError::Lagged(_)) => self.stale.add(self.intake.keys()),
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    pub(super) async fn write_statuses(self: Arc<Self>, leads: watch::Receiver<bool>) {
        let mut leading = leads.clone();
        loop {
            if leading.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            let keys = self.stale.all().await;
            stream::iter(keys)
                .for_each_concurrent(AT_ONCE, |key| {
                    let (controller, leads) = (self.clone(), leads.clone());
                    async move {
                        // Whoever leads next tells everything anew.
                        if !*leads.borrow() {
                            return;
                        }
                        let pause = match controller.tell(&key).await {
                            Again::Not => return,
                            Again::Soon => TICK,
                            Again::Later => AGAIN,
                        };
                        tokio::spawn(async move {
                            sleep(pause).await;
                            controller.stale.add([key]);
                        });
                    }
                })
                .await;
        }
    }

    /// Tells a pipeline's object, and those of what was said of it, how it stands.
    async fn tell(self: &Arc<Self>, key: &PipelineKey) -> Again {
        let name = object_name(key);
        let Some(object) = self.intake.object(Kind::Pipeline, &name) else { return Again::Not };
        if leaving::is_leaving(&object) {
            self.clear_up(key, object);
            return Again::Not;
        }
        let Some(loaded) = self.intake.loaded(key) else { return Again::Not };
        let now = self.parts.clock.now();
        let before = status::read(&object);
        let mut failed = self.bind(key, &object, &before).await == Wrote::Failed;
        let mut again = Again::Not;
        let wanted = if loaded.errors.is_empty() {
            let Some(looked) = self.parts.engine.latest(key) else { return Again::Not };
            if !self.is_current(key, &looked) {
                return Again::Soon;
            }
            // What was said since is answered by a look that knows of it, even if that finds
            // nothing else new.
            if looked.at < loaded.heard {
                again = Again::Soon;
            }
            let handled = match status::asks(&object) {
                Some(wanted) if self.had_look(key, wanted, &looked) => Some(wanted.to_owned()),
                Some(_) => {
                    again = Again::Soon;
                    before.last_handled_reconcile_at.clone()
                }
                None => before.last_handled_reconcile_at.clone(),
            };
            let kept = self.parts.ledger.kept(key);
            let of_report = status::of_report(&object, &looked.report, &kept, now);
            PipelineStatus { last_handled_reconcile_at: handled, ..of_report }
        } else {
            status::of_mistakes(&object, &loaded.errors, now)
        };
        if !status::says_the_same(&before, &wanted) {
            self.tell_news(key, &before, &wanted, &loaded);
            let value = serde_json::to_value(&wanted).unwrap_or(Value::Null);
            failed |= self.writer.status(Kind::Pipeline, &name, &object, value).await == Wrote::Failed;
        }
        failed |= saying::answer(&self.intake, &self.parts.engine, &self.writer, key, &loaded).await;
        if failed { Again::Later } else { again }
    }

    /// Whether a look was at the pipeline as it is now, and by this replica as the leader.
    fn is_current(&self, key: &PipelineKey, looked: &Looked) -> bool {
        let now = self.parts.engine.pipeline(key);
        now.is_some_and(|now| Arc::ptr_eq(&now, &looked.pipeline))
            && self.desk().leads_since.is_some_and(|since| looked.at >= since)
    }

    /// Whether a look was had since it was asked for.
    fn had_look(&self, key: &PipelineKey, wanted: &str, looked: &Looked) -> bool {
        self.desk().asked.get(key).is_some_and(|(known, at)| known == wanted && looked.at >= *at)
    }

    /// Tells of verdicts that are other than the status has them.
    fn tell_news(&self, key: &PipelineKey, before: &PipelineStatus, now: &PipelineStatus, loaded: &Loaded) {
        if !loaded.errors.is_empty() {
            let note = now.summary.clone().unwrap_or_default();
            let about = format!("generation {}", loaded.meta.generation);
            if !self.is_news(key, "", (Health::Failed, Some(note.clone()))) {
                return;
            }
            self.parts.events.tell(News { pipeline: key.clone(), bad: true, reason: "Invalid", about, note });
            return;
        }
        for here in &now.environments {
            let earlier = before.environments.iter().find(|earlier| earlier.name == here.name);
            let is_told = earlier
                .is_some_and(|earlier| (earlier.verdict, &earlier.version) == (here.verdict, &here.version));
            let is_news = self.is_news(key, &here.name, (here.verdict, here.version.clone()));
            let (bad, reason) = match here.verdict {
                Health::Healthy => (false, "Healthy"),
                Health::Failed => (true, "Failed"),
                Health::NotDeployed | Health::Deploying | Health::Unknown => continue,
            };
            if is_told || !is_news {
                continue;
            }
            let version = here.version.as_deref().unwrap_or("-");
            let why = here.targets.iter().find_map(|target| target.message.as_deref()).unwrap_or_default();
            let separator = if why.is_empty() { "" } else { ": " };
            let note = format!("{} is {} at {version}{separator}{why}", here.name, reason.to_lowercase());
            let about = format!("{} {version}", here.name);
            self.parts.events.tell(News { pipeline: key.clone(), bad, reason, about, note });
        }
    }

    /// Whether events told something else of this last. The object may not show yet
    /// what was written to it a moment ago.
    fn is_news(&self, key: &PipelineKey, of: &str, now: (Health, Option<String>)) -> bool {
        let mut desk = self.desk();
        let told = desk.told.entry(key.clone()).or_default();
        told.insert(of.to_owned(), now.clone()).is_none_or(|before| before != now)
    }
}
