//! Flux's `Kustomization`: v1, and v1beta2 of older clusters.

use jiff::Timestamp;

use crate::judge::Look;
use crate::notes::Says;
use crate::owned::{self, Owner};
use crate::read::{Condition, Doc, Status};
use crate::revision::Revision;
use crate::sighting::Lookup;
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::tidy;

/// Why nothing was applied that will be, without anything being wrong.
const WAITING: [&str; 3] = ["DependencyNotReady", "HealthCheckCanceled", "Progressing"];

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let set = Set::of(object);
    let state = set.state(look.now);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    look.note(
        name,
        Says {
            words: set.words(),
            revision: if good == Some(true) { set.applied } else { set.attempted.or(set.applied) },
            since: set.ready.and_then(|ready| ready.since),
            good,
        },
    );
    let (version, since) = match state {
        State::Healthy { version, since } => (version, since),
        state @ (State::NotDeployed
        | State::Deploying { .. }
        | State::Failed { .. }
        | State::Unknown { .. }) => return state,
    };
    if let Some(state) = set.source(name, look) {
        return state;
    }
    let owner = Owner {
        kind: "Kustomization",
        name: &name.name,
        namespace: &name.namespace,
        name_label: "kustomize.toolkit.fluxcd.io/name",
        namespace_label: "kustomize.toolkit.fluxcd.io/namespace",
    };
    // What it applied is looked at although it waited for it: it waits once, and
    // its tick stays until its next turn.
    let workloads = !object.flag("spec/wait") || owned::workloads_count(look);
    if let Some(sum) = owned::elsewhere(object) {
        let state = State::Healthy { version: version.clone(), since };
        return if workloads { sum.onto(version, since) } else { state };
    }
    owned::sum(&owned::inventory(object), workloads, &owner, look).onto(version, since)
}

/// What a `Kustomization` says of itself.
struct Set<'a> {
    object: Doc<'a>,
    attempted: Option<&'a str>,
    applied: Option<&'a str>,
    ready: Option<Condition<'a>>,
    healthy: Option<Condition<'a>>,
    reconciling: Option<Condition<'a>>,
    /// The outcome of the last turn that came as far as having manifests.
    last: Option<Doc<'a>>,
}

impl<'a> Set<'a> {
    fn of(object: Doc<'a>) -> Self {
        Self {
            object,
            attempted: object.text("status/lastAttemptedRevision"),
            applied: object.text("status/lastAppliedRevision"),
            ready: object.condition("Ready"),
            healthy: object.condition("Healthy"),
            reconciling: object.condition("Reconciling").filter(Condition::is_true),
            last: object.items("status/history").next(),
        }
    }

    fn state(&self, now: Timestamp) -> State {
        if self.object.is_deleting() {
            return State::unknown("it is being deleted");
        }
        if self.object.flag("spec/suspend") {
            return State::unknown("suspended");
        }
        let Some(generation) = self.object.generation() else {
            return State::unknown("it does not tell its generation");
        };
        let Some(ready) = self.ready else {
            return State::Deploying { version: None, since: self.object.created() };
        };
        let observed = self.object.int("status/observedGeneration") == Some(generation);
        let stalled = self.object.condition("Stalled").filter(|it| it.is_true() && it.may_be_of(generation));
        if let Some(stalled) = stalled {
            return State::failed(self.trying(), stalled.words(), stalled.since);
        }
        match ready.status {
            Status::False if ready.may_be_of(generation) => self.not_ready(&ready),
            Status::True if observed && self.attempted == self.applied => self.applied(now, &ready),
            Status::Unknown if observed && self.is_looking_again() => self.applied(now, &ready),
            Status::Unknown if observed && self.failed_before() => {
                let status = self.last.and_then(|last| last.text("lastReconciledStatus")).unwrap_or("failed");
                let since = self.last.and_then(|last| last.time("firstReconciled"));
                State::failed(self.trying(), format!("{}; it is tried again", tidy(status)), since)
            }
            Status::True | Status::False | Status::Unknown => self.on_its_way(),
        }
    }

    fn not_ready(&self, ready: &Condition<'_>) -> State {
        if WAITING.contains(&ready.reason) {
            return self.on_its_way();
        }
        if ready.reason == "ArtifactFailed" {
            return match self.applied {
                Some(_) => State::unknown(format!("its source cannot be read: {}", ready.words())),
                None => self.on_its_way(),
            };
        }
        let mut why = format!("{}: {}", tidy(ready.reason), ready.words());
        if self.reconciling.is_some() {
            why.push_str("; it is tried again");
        }
        State::failed(self.trying(), tidy(&why), ready.since)
    }

    /// What it applied last, all of which went well.
    fn applied(&self, now: Timestamp, ready: &Condition<'_>) -> State {
        if self.healthy.is_some_and(|healthy| healthy.is_false())
            || (ready.is_true() && self.healthy.is_some_and(|healthy| !healthy.is_true()))
        {
            return self.on_its_way();
        }
        let origin = self.object.text("status/lastAppliedOriginRevision");
        let version = origin
            .and_then(|origin| Revision::parse(origin).commit().map(str::to_owned))
            .or_else(|| Revision::parse(self.applied?).version());
        match version {
            Some(version) => {
                State::Healthy { version: tidy(&version), since: self.since(ready).unwrap_or(now) }
            }
            None => State::unknown("it does not tell what it applied"),
        }
    }

    /// Since when these manifests are applied without a failure in between. The
    /// tick itself is as old as the last turn.
    fn since(&self, ready: &Condition<'_>) -> Option<Timestamp> {
        let last = self.last.filter(|last| is_success(*last));
        let first = last.and_then(|last| last.time("firstReconciled"));
        let interrupted =
            self.object.items("status/history").skip(1).filter_map(|it| it.time("lastReconciled")).max();
        match first {
            Some(first) if interrupted.is_none_or(|other| other <= first) => Some(first),
            Some(_) | None => ready.since,
        }
    }

    /// Whether it looks, in its turn, at what it applied before and found well.
    fn is_looking_again(&self) -> bool {
        self.applied.is_some()
            && self.attempted == self.applied
            && self
                .last
                .is_some_and(|last| is_success(last) && last.text("metadata/revision") == self.applied)
    }

    /// Whether it tries again what failed before.
    fn failed_before(&self) -> bool {
        self.attempted.is_some()
            && self.last.is_some_and(|last| {
                !is_success(last)
                    && last.text("lastReconciledStatus").is_some_and(|status| !WAITING.contains(&status))
                    && last.text("metadata/revision") == self.attempted
            })
    }

    fn on_its_way(&self) -> State {
        let since = self.reconciling.and_then(|it| it.since);
        let since = since.or_else(|| self.ready.filter(|it| !it.is_true()).and_then(|it| it.since));
        State::Deploying { version: self.trying(), since }
    }

    /// The version that it tries to apply.
    fn trying(&self) -> Option<String> {
        let attempted = self.attempted?;
        let origin = self
            .last
            .filter(|last| last.text("metadata/revision") == Some(attempted))
            .and_then(|last| Revision::parse(last.text("metadata/originRevision")?).version());
        origin.or_else(|| Revision::parse(attempted).version()).map(|version| tidy(&version))
    }

    /// What its source says against its tick.
    fn source(&self, name: &ObjectRef, look: &mut Look<'_>) -> Option<State> {
        let home = self.object.text("spec/sourceRef/namespace").unwrap_or(&name.namespace);
        let kind = self.object.text("spec/sourceRef/kind")?;
        let source = ObjectRef::new(super::SOURCES, kind, home, self.object.text("spec/sourceRef/name")?);
        match look.get(&source) {
            Lookup::Seen(seen) => super::source::against(Doc::new(&seen), &source, self.applied, look),
            Lookup::Missing => {
                look.note(&source, Says { words: "is not there".to_owned(), ..Says::default() });
                Some(State::unknown(format!("its source {source} is not there")))
            }
            Lookup::NotLooked(_) => None,
        }
    }

    fn words(&self) -> String {
        let mut words = self.ready.map_or_else(|| "says nothing yet".to_owned(), |ready| ready.says());
        if let Some(healthy) = self.healthy {
            words.push_str(&format!(", {}", healthy.says()));
        }
        if !self.object.flag("spec/wait") {
            words.push_str(", does not wait for what it applies");
        }
        if self.object.flag("spec/suspend") {
            words.push_str(", suspended");
        }
        words
    }
}

fn is_success(turn: Doc<'_>) -> bool {
    turn.text("lastReconciledStatus") == Some("ReconciliationSucceeded")
}
