//! From objects to the engine: pipelines with their holds, and what was said of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::Pipeline;
use gradus_engine::Engine;
use gradus_evidence::ObjectRef;
use gradus_manifest::{
    ManifestError, ObjectMeta, approval_from_json, check_from_json, hold_from_json, pipeline_from_json,
    promotion_from_json,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::clusters::ClusterKey;
use crate::kinds::{GROUP, Kind, Scope, object_name};
use crate::leaving;
use crate::ledger::{KubeLedger, Said};
use crate::status;
use crate::targets::KubeTargets;
use crate::watch::{BlindKind, Changed, Keep, ObjectName, Sight, WatchState, Watches};

/// Keeps the engine's pipelines as the objects are.
pub(crate) struct Intake {
    watches: Watches,
    engine: Arc<Engine>,
    ledger: Arc<KubeLedger>,
    targets: Arc<KubeTargets>,
    scope: Scope,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is about each pipeline, besides its own object.
    about: HashMap<PipelineKey, BTreeSet<(Kind, ObjectName)>>,
    /// Which pipeline an object is about.
    of: HashMap<(Kind, ObjectName), PipelineKey>,
    loaded: HashMap<PipelineKey, Loaded>,
    /// Those that are deleted once they were cleared up after.
    leaving: BTreeSet<PipelineKey>,
}

/// What is known of a pipeline's object.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) meta: ObjectMeta,
    /// What is wrong with it, or with its holds. A pipeline with mistakes is not looked after.
    pub(crate) errors: Vec<ManifestError>,
    /// The objects it was made from.
    made_from: Vec<Arc<str>>,
    /// What is said of it and does not count, by object, with the reason.
    pub(crate) refused: BTreeMap<(Kind, ObjectName), String>,
    /// What was said and has to be understood first.
    pub(crate) unrecorded: Vec<(Kind, ObjectName)>,
    /// Since when all that is said of it is known.
    pub(crate) heard: Timestamp,
}

/// What became of a pipeline.
pub(crate) enum Took {
    /// It is looked after, or its mistakes are known.
    Loaded,
    /// It is no more; what it was, if it was looked after.
    Gone(Option<Arc<Pipeline>>),
    /// It is to be deleted, and waits until it was cleared up after.
    Leaving,
    /// It cannot be seen.
    Blind,
}

impl Intake {
    pub(crate) fn new(
        watches: Watches,
        engine: Arc<Engine>,
        ledger: Arc<KubeLedger>,
        targets: Arc<KubeTargets>,
        scope: Scope,
    ) -> Self {
        Self { watches, engine, ledger, targets, scope, state: Mutex::default() }
    }

    /// Why what people want and say cannot be seen; nothing may be written then.
    pub(crate) fn blind(&self) -> Option<String> {
        let states = self.watches.own_states();
        Kind::ALL.into_iter().find_map(|kind| {
            // Where all namespaces may not be seen, the watch over them fails, and one over
            // the namespace takes its place.
            let mut why = "being read for the first time".to_owned();
            let group_kind = kind.group_kind();
            let of_kind = states.iter().filter(|(of, keep, _)| *of == group_kind && *keep == Keep::Whole);
            for (_, _, state) in of_kind {
                match state {
                    WatchState::Synced | WatchState::Shaky { .. } => return None,
                    WatchState::Broken { why: broken, .. } => why = broken.to_string(),
                    WatchState::Syncing => {}
                }
            }
            Some(format!("{}: {why}", kind.plural()))
        })
    }

    /// The pipelines that a change is about.
    pub(crate) fn about(&self, changed: &Changed) -> BTreeSet<PipelineKey> {
        match changed {
            Changed::Object { kind, name } => {
                Kind::of(kind).map(|kind| self.index(kind, name)).unwrap_or_default()
            }
            Changed::Sight { kind, .. } => Kind::of(kind).map(|kind| self.listed(kind)).unwrap_or_default(),
        }
    }

    /// The pipelines that anything that can be seen now is about, or was.
    pub(crate) fn everything(&self) -> BTreeSet<PipelineKey> {
        Kind::ALL.into_iter().flat_map(|kind| self.listed(kind)).collect()
    }

    /// The pipelines that the objects of a kind are about, or were, by what is seen of it now.
    fn listed(&self, kind: Kind) -> BTreeSet<PipelineKey> {
        let mut keys = BTreeSet::new();
        // One after the other: all objects of a big cluster, read at once, take more room than all else.
        let names = self.watches.names(&ClusterKey::own(), &kind.group_kind(), &self.scope.among(kind));
        let Some(there) = names else { return keys };
        for name in &there {
            keys.extend(self.index(kind, name));
        }
        keys.extend(self.no_more(kind, &there));
        keys
    }

    /// Takes up what the statuses have, which another replica may have written.
    pub(crate) fn take_up(&self) {
        for pipeline in self.engine.pipelines() {
            if let Some(object) = self.object(Kind::Pipeline, &object_name(&pipeline.key)) {
                self.ledger.take_up(&pipeline.key, status::kept(&object, &pipeline));
            }
        }
    }

    /// Notes which pipeline an object is about now; the pipelines that this is news for.
    fn index(&self, kind: Kind, name: &ObjectName) -> BTreeSet<PipelineKey> {
        let object = self.object(kind, name);
        let now = object.as_ref().and_then(|object| kind.about(object));
        let mut state = self.state();
        let before = match &now {
            Some(key) => state.of.insert((kind, name.clone()), key.clone()),
            None => state.of.remove(&(kind, name.clone())),
        };
        if let Some(before) = &before
            && let Some(about) = state.about.get_mut(before)
        {
            about.remove(&(kind, name.clone()));
        }
        if let Some(key) = &now {
            state.about.entry(key.clone()).or_default().insert((kind, name.clone()));
        }
        before.into_iter().chain(now).collect()
    }

    /// The pipelines that objects of a kind were about that are not there any more.
    fn no_more(&self, kind: Kind, there: &BTreeSet<ObjectName>) -> BTreeSet<PipelineKey> {
        let gone: Vec<ObjectName> = {
            let state = self.state();
            let of_kind = state.of.keys().filter(|(known, name)| *known == kind && !there.contains(name));
            of_kind.map(|(_, name)| name.clone()).collect()
        };
        gone.iter().flat_map(|name| self.index(kind, name)).collect()
    }

    /// Takes a pipeline as its objects are now.
    pub(crate) fn take(&self, key: &PipelineKey) -> Took {
        let name = object_name(key);
        let object = match self.sight(Kind::Pipeline, &name) {
            Sight::Seen(object) => object,
            Sight::Missing => return self.gone(key),
            Sight::Unknown(blind) => {
                // Where labels choose what is looked after, one without them is not seen: it
                // was deleted, or another controller looks after it and its proposals now.
                if blind.kind == BlindKind::NotWanted && self.is_not_ours(&name) {
                    drop(self.gone(key));
                    return Took::Gone(None);
                }
                return Took::Blind;
            }
        };
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            let gone = self.gone(key);
            if !leaving::has_finalizer(&object) {
                return gone;
            }
            self.state().leaving.insert(key.clone());
            return Took::Leaving;
        }
        let read = pipeline_from_json(&object);
        let about = self.state().about.get(key).cloned().unwrap_or_default();
        let mut made_from = vec![fingerprint(&object)];
        let (mut errors, meta, pipeline) = match read {
            Ok(read) => (Vec::new(), read.meta, Some(read.value)),
            Err(errors) => {
                let Some(meta) = status::meta_of(&object) else { return Took::Blind };
                (errors, meta, None)
            }
        };
        let mut loaded = Loaded {
            meta,
            errors: Vec::new(),
            made_from: Vec::new(),
            refused: BTreeMap::new(),
            unrecorded: Vec::new(),
            heard: Timestamp::MIN,
        };
        let Some(mut pipeline) = pipeline else {
            loaded.errors = errors;
            let taken_away = self.engine.remove_pipeline(key);
            drop(taken_away);
            self.targets.forget(key);
            self.state().loaded.insert(key.clone(), loaded);
            return Took::Loaded;
        };
        let mut said = Said::default();
        for (kind, name) in &about {
            let Some(object) = self.object(*kind, name) else { continue };
            let outcome = match kind {
                Kind::Pipeline => Ok(()),
                Kind::Hold => {
                    made_from.push(fingerprint(&object));
                    // A hold that cannot be read may hold anything: nothing moves until it can.
                    let hold = hold_from_json(&object).map_err(|found| errors.extend(found)).ok();
                    match hold.map(|hold| hold.value.on(&pipeline)) {
                        Some(Ok(hold)) => pipeline.holds.push(hold),
                        Some(Err(error)) => errors.push(error),
                        None => {}
                    }
                    Ok(())
                }
                Kind::Promotion => promotion(&object, &mut said).map(|is_new| {
                    if is_new {
                        loaded.unrecorded.push((*kind, name.clone()));
                    }
                }),
                Kind::Approval => approval(&object, &pipeline, &mut said).map(|is_new| {
                    if is_new {
                        loaded.unrecorded.push((*kind, name.clone()));
                    }
                }),
                Kind::Check => check(&object, &pipeline, &mut said),
            };
            if let Err(why) = outcome {
                loaded.refused.insert((*kind, name.clone()), why);
            }
        }
        in_time(&mut said);
        self.ledger.restore(key, status::kept(&object, &pipeline));
        let is_news = self.ledger.set_said(key, said);
        loaded.errors = errors;
        loaded.made_from = made_from;
        let is_broken = !loaded.errors.is_empty();
        let heard = self.state().loaded.get(key).map(|before| before.heard);
        loaded.heard = heard.filter(|_| !is_news).unwrap_or_else(|| self.engine.ports().clock.now());
        let before = self.state().loaded.insert(key.clone(), loaded.clone());
        if is_broken {
            drop(self.engine.remove_pipeline(key));
            self.targets.forget(key);
            return Took::Loaded;
        }
        let is_same = before.is_some_and(|before| before.made_from == loaded.made_from);
        if is_same && self.engine.pipeline(key).is_some() {
            if is_news {
                self.engine.wake(key);
            }
            return Took::Loaded;
        }
        self.targets.follow(&pipeline);
        self.engine.set_pipeline(Arc::new(pipeline));
        Took::Loaded
    }

    /// Whether all pipelines that are looked after here are seen, and this is none of them.
    fn is_not_ours(&self, name: &ObjectName) -> bool {
        let among = self.scope.among(Kind::Pipeline);
        let names = self.watches.names(&ClusterKey::own(), &Kind::Pipeline.group_kind(), &among);
        names.is_some_and(|names| !names.contains(name))
    }

    fn gone(&self, key: &PipelineKey) -> Took {
        {
            let mut state = self.state();
            state.loaded.remove(key);
            state.leaving.remove(key);
        }
        let before = self.engine.remove_pipeline(key);
        self.ledger.forget(key);
        Took::Gone(before)
    }

    /// A pipeline that is looked after.
    pub(crate) fn pipeline(&self, key: &PipelineKey) -> Option<Arc<Pipeline>> {
        self.engine.pipeline(key)
    }

    /// What is known of a pipeline's object.
    pub(crate) fn loaded(&self, key: &PipelineKey) -> Option<Loaded> {
        self.state().loaded.get(key).cloned()
    }

    /// All pipelines whose objects are known, those that are to be deleted among them.
    pub(crate) fn keys(&self) -> Vec<PipelineKey> {
        let state = self.state();
        state.loaded.keys().chain(&state.leaving).cloned().collect()
    }

    /// The objects of a kind that are about a pipeline.
    pub(crate) fn objects(&self, key: &PipelineKey, kind: Kind) -> Vec<(ObjectName, Arc<Value>)> {
        let about = self.state().about.get(key).cloned().unwrap_or_default();
        let of_kind = about.into_iter().filter(|(known, _)| *known == kind);
        of_kind.filter_map(|(_, name)| Some((name.clone(), self.object(kind, &name)?))).collect()
    }

    /// One object, if it is seen.
    pub(crate) fn object(&self, kind: Kind, name: &ObjectName) -> Option<Arc<Value>> {
        match self.sight(kind, name) {
            Sight::Seen(object) => Some(object),
            Sight::Missing | Sight::Unknown(_) => None,
        }
    }

    fn sight(&self, kind: Kind, name: &ObjectName) -> Sight {
        let namespace = name.namespace.as_deref().unwrap_or_default();
        self.watches.see(&ClusterKey::own(), &ObjectRef::new(GROUP, kind.as_str(), namespace, &name.name))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which spec of which object: a change of status is none of these.
fn fingerprint(object: &Value) -> Arc<str> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    format!("{} {generation}", text("/metadata/uid")).into()
}

/// A request counts once it was recorded for which state of the environment it stands.
fn promotion(object: &Value, said: &mut Said) -> Result<bool, String> {
    let read = promotion_from_json(object).map_err(|errors| words(&errors))?;
    if status::is_final(object) {
        return Ok(false);
    }
    let made = read.meta.created.unwrap_or(Timestamp::UNIX_EPOCH);
    let Some(request) = read.value.request(made) else { return Ok(true) };
    said.requests.entry(read.value.environment.clone()).or_default().push(request);
    Ok(false)
}

/// A yes without a version counts once it was recorded what was next.
fn approval(object: &Value, pipeline: &Pipeline, said: &mut Said) -> Result<bool, String> {
    let read = approval_from_json(object).map_err(|errors| words(&errors))?;
    let made = read.meta.created.unwrap_or(Timestamp::UNIX_EPOCH);
    let release = match (&read.value.recorded, &read.value.wanted) {
        (Some(release), _) => release.clone(),
        (None, Some(wanted)) => wanted.release(pipeline).map_err(|error| error.message.clone())?,
        (None, None) => return Ok(true),
    };
    let approval = read.value.approval(release, made);
    said.approvals.entry(read.value.environment.clone()).or_default().push(approval);
    Ok(false)
}

fn check(object: &Value, pipeline: &Pipeline, said: &mut Said) -> Result<(), String> {
    let read = check_from_json(object).map_err(|errors| words(&errors))?;
    let made = read.meta.created.unwrap_or(Timestamp::UNIX_EPOCH);
    let fact = read.value.fact(pipeline, made).map_err(|error| error.message.clone())?;
    said.checks.entry(read.value.environment.clone()).or_default().push(fact);
    Ok(())
}

fn in_time(said: &mut Said) {
    said.requests.values_mut().for_each(|requests| requests.sort_by_key(|request| request.at));
    said.approvals.values_mut().for_each(|approvals| approvals.sort_by_key(|approval| approval.at));
    said.checks.values_mut().for_each(|checks| checks.sort_by_key(|check| check.at));
}

/// Mistakes in one line.
pub(crate) fn words(errors: &[ManifestError]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| match (error.field.is_empty(), &error.help) {
            (true, None) => error.message.clone(),
            (true, Some(help)) => format!("{} ({help})", error.message),
            (false, None) => format!("{}: {}", error.field, error.message),
            (false, Some(help)) => format!("{}: {} ({help})", error.field, error.message),
        })
        .collect();
    lines.join("; ")
}
