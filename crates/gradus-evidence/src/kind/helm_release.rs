//! Flux's `HelmRelease`: v2, and v2beta1 and v2beta2 of older clusters.

use jiff::Timestamp;

use crate::judge::Look;
use crate::notes::Says;
use crate::owned::{self, Owner, Sum};
use crate::read::{Condition, Doc, Status};
use crate::revision::{Revision, exact, plain, same_chart};
use crate::sighting::Lookup;
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::{clause, tidy};

/// Why it cannot look at what is to be deployed, while nothing was changed yet.
const CANNOT_LOOK: [&str; 3] = ["SourceNotReady", "ArtifactFailed", "DependencyNotReady"];

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let release = Release::of(object);
    let state = release.state(look);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    look.note(
        name,
        Says {
            words: release.words(&state),
            revision: release.attempted,
            since: release.ready.and_then(|ready| ready.since),
            good,
        },
    );
    match state {
        State::Healthy { version, since } => release.below(name, version, since, look),
        state @ (State::NotDeployed
        | State::Deploying { .. }
        | State::Failed { .. }
        | State::Unknown { .. }) => state,
    }
}

/// What a `HelmRelease` says of itself.
struct Release<'a> {
    object: Doc<'a>,
    generation: Option<i64>,
    observed: Option<i64>,
    /// The generation of the last attempt; v2beta1 does not tell it.
    attempted_generation: Option<i64>,
    attempted: Option<&'a str>,
    /// The newest release in Helm's storage; older controllers do not tell it.
    newest: Option<Doc<'a>>,
    ready: Option<Condition<'a>>,
    released: Option<Condition<'a>>,
    remediated: Option<Condition<'a>>,
    reconciling: Option<Condition<'a>>,
    tested: Option<Condition<'a>>,
}

impl<'a> Release<'a> {
    fn of(object: Doc<'a>) -> Self {
        Self {
            object,
            generation: object.generation(),
            observed: object.int("status/observedGeneration"),
            attempted_generation: object.int("status/lastAttemptedGeneration"),
            attempted: object.text("status/lastAttemptedRevision"),
            newest: object.items("status/history").next(),
            ready: object.condition("Ready"),
            released: object.condition("Released"),
            remediated: object.condition("Remediated"),
            reconciling: object.condition("Reconciling").filter(Condition::is_true),
            tested: object.condition("TestSuccess"),
        }
    }

    fn state(&self, look: &Look<'_>) -> State {
        if self.object.is_deleting() {
            return State::unknown("it is being deleted");
        }
        if self.object.flag("spec/suspend") {
            return State::unknown("suspended");
        }
        let Some(generation) = self.generation else {
            return State::unknown("it does not tell its generation");
        };
        let Some(ready) = self.ready else { return self.on_its_way() };
        if let Some(failed) = self.failure(generation, &ready) {
            return failed;
        }
        if self.observed != Some(generation) || self.attempted_generation.is_some_and(|of| of != generation) {
            return self.on_its_way();
        }
        match ready.status {
            Status::True => self.ready(look, &ready, generation),
            Status::Unknown => self.on_its_way(),
            Status::False if CANNOT_LOOK.contains(&ready.reason) && self.newest.is_none() => {
                self.on_its_way()
            }
            Status::False => {
                State::unknown(format!("it cannot be looked after: {}: {}", ready.reason, ready.words()))
            }
        }
    }

    /// What failed at this generation, whether or not it is tried again.
    fn failure(&self, generation: i64, ready: &Condition<'_>) -> Option<State> {
        let stalled = self.object.condition("Stalled").filter(|it| it.is_true() && it.may_be_of(generation));
        let was_tried = self.attempted_generation.is_none_or(|of| of == generation);
        let of_now = |it: &Condition<'_>| was_tried && it.may_be_of(generation);
        let released = self.released.filter(|it| it.is_false() && of_now(it));
        let tested = self.tested.filter(|it| it.is_false() && of_now(it) && ready.is_false());
        let remediated = self.remediated.filter(of_now);
        let cause = released.or(tested).or(remediated).or(stalled)?;
        // The first attempt at new values or a new chart, when no new generation
        // came with them: what is left of the one before does not speak of it.
        let failures = self.object.int("status/failures").unwrap_or(0);
        if stalled.is_none() && ready.status == Status::Unknown && failures == 0 {
            return None;
        }
        let mut why = cause.words();
        let mut running = None;
        if let Some(remediated) = remediated {
            why.push_str(match (remediated.is_true(), remediated.reason) {
                (true, "RollbackSucceeded") => "; rolled back",
                (true, "UninstallSucceeded") => "; uninstalled",
                (false, "RollbackFailed") => "; the rollback failed",
                (false, "UninstallFailed") => "; uninstalling it failed",
                (_, _) => "",
            });
            if remediated.is_true() && remediated.reason == "RollbackSucceeded" && ready.is_false() {
                running = self.deployed().map(|version| tidy(plain(version)));
            }
        }
        if self.reconciling.is_some() {
            why.push_str("; it is tried again");
        }
        let version = self.attempted.map(|version| tidy(plain(version)));
        Some(State::Failed { version, why, since: cause.since.or(ready.since), running })
    }

    /// The version of the newest release, where Helm has it as deployed.
    fn deployed(&self) -> Option<&'a str> {
        let newest = self.newest.filter(|newest| newest.text("status") == Some("deployed"))?;
        newest.text("chartVersion")
    }

    fn on_its_way(&self) -> State {
        let attempted = match (self.attempted_generation, self.generation) {
            (Some(of), Some(generation)) if of == generation => self.attempted.map(plain),
            _ => None,
        };
        let asked = self.object.text("spec/chart/spec/version").and_then(exact);
        let since = match (self.reconciling, self.ready) {
            (Some(reconciling), _) => reconciling.since,
            (None, Some(ready)) if !ready.is_true() => ready.since,
            (None, Some(_)) => None,
            (None, None) => self.object.created(),
        };
        State::Deploying { version: attempted.or(asked).map(tidy), since }
    }

    /// Its tick, and whether it is one for what was asked. A release that is
    /// looked at again keeps its tick meanwhile: that `Reconciling` is true says
    /// nothing against it while everything else agrees.
    fn ready(&self, look: &Look<'_>, ready: &Condition<'_>, generation: i64) -> State {
        let Some(newest) = self.newest else { return self.ready_of_old(ready) };
        // The tick is written before the history: for a moment there is a tick for
        // the new generation above the release of the old one.
        let Some(version) = self.deployed() else { return self.on_its_way() };
        let is_what_was_tried = self.attempted_generation == Some(generation)
            && self.attempted.is_some_and(|attempted| same_chart(attempted, version))
            && both_or_one(self.object.text("status/lastAttemptedConfigDigest"), newest.text("configDigest"))
            && both_or_one(self.object.text("status/lastAttemptedRevisionDigest"), newest.text("ociDigest"));
        let wanted = look.wanted.as_ref().filter(|_| look.is_top());
        let is_what_is_wanted =
            both_or_one(wanted.and_then(|wanted| wanted.digest.as_deref()), newest.text("ociDigest"));
        if !self.released.is_some_and(|it| it.is_true()) || !is_what_was_tried || !is_what_is_wanted {
            return self.on_its_way();
        }
        let version = tidy(plain(version));
        match self.tests(newest) {
            Tests::Passed => {}
            Tests::Pending => return self.on_its_way(),
            Tests::Failed(which) => {
                let why = format!("its test {which} failed");
                return State::Failed {
                    version: Some(version.clone()),
                    why,
                    since: ready.since,
                    running: Some(version),
                };
            }
        }
        if let Some(drifted) = self.object.condition("Drifted").filter(Condition::is_true) {
            return State::unknown(format!("what runs is not what was released: {}", drifted.words()));
        }
        let since = ready.since.max(newest.time("lastDeployed")).unwrap_or(look.now);
        State::Healthy { version, since }
    }

    /// Its tick in a version of the API that has no history.
    fn ready_of_old(&self, ready: &Condition<'_>) -> State {
        let applied = self.object.text("status/lastAppliedRevision");
        let version = match (applied, self.attempted) {
            (Some(applied), Some(attempted)) if applied != attempted => None,
            (Some(version), _) | (None, Some(version)) => Some(tidy(plain(version))),
            (None, None) => None,
        };
        let contradicted = [self.released, self.tested].iter().flatten().any(|it| !it.is_true());
        match (version, ready.since) {
            (Some(version), Some(since)) if !contradicted => State::Healthy { version, since },
            (_, _) => self.on_its_way(),
        }
    }

    /// What its tests say, also those whose failures it ignores.
    fn tests(&self, newest: Doc<'a>) -> Tests {
        if !self.object.flag("spec/test/enable") {
            return Tests::Passed;
        }
        let mut pending = false;
        for (test, hook) in newest.fields("testHooks") {
            match hook.text("phase") {
                Some("Succeeded") => {}
                Some("Failed") => return Tests::Failed(tidy(test)),
                Some(_) | None => pending = true,
            }
        }
        let were_asked = newest.at("testHooks").is_some() || self.tested.is_some_and(|it| it.is_true());
        if pending || !were_asked { Tests::Pending } else { Tests::Passed }
    }

    /// The state with what was released, as far as that is looked at.
    fn below(&self, name: &ObjectRef, version: String, since: Timestamp, look: &mut Look<'_>) -> State {
        if let Some(state) = self.newer_artifact(name, look) {
            return state;
        }
        if !self.waits() {
            let words = "it does not wait for what it releases".to_owned();
            look.note(name, Says { words, ..Says::default() });
        }
        if self.waits() && !owned::workloads_count(look) {
            return State::Healthy { version, since };
        }
        if let Some(sum) = owned::elsewhere(self.object) {
            return sum.onto(version, since);
        }
        let owner = Owner {
            kind: "HelmRelease",
            name: &name.name,
            namespace: &name.namespace,
            name_label: "helm.toolkit.fluxcd.io/name",
            namespace_label: "helm.toolkit.fluxcd.io/namespace",
        };
        let listed = if self.object.at("status/inventory").is_some() {
            Ok(owned::inventory(self.object))
        } else {
            let home = self.newest.and_then(|newest| newest.text("namespace")).unwrap_or(&name.namespace);
            owned::labelled(&owner, home, look)
        };
        let sum = match listed {
            Ok(listed) => owned::sum(&listed, true, &owner, look),
            Err(why) => {
                Sum::Bad(State::unknown(format!("what it released was not looked at: {}", clause(&why))))
            }
        };
        sum.onto(version, since)
    }

    /// Whether Helm waited for the workloads, in what was done last.
    fn waits(&self) -> bool {
        let action = match self.newest.and_then(|newest| newest.text("action")) {
            Some("install") => "install",
            Some("rollback") => "rollback",
            Some(_) | None => "upgrade",
        };
        !self.object.flag(&format!("spec/{action}/disableWait"))
    }

    /// That its source has another artifact than the one that was released.
    fn newer_artifact(&self, name: &ObjectRef, look: &mut Look<'_>) -> Option<State> {
        let kind = self.object.text("spec/chartRef/kind")?;
        let home = self.object.text("spec/chartRef/namespace").unwrap_or(&name.namespace);
        let source = ObjectRef::new(super::SOURCES, kind, home, self.object.text("spec/chartRef/name")?);
        let Lookup::Seen(seen) = look.get(&source) else { return None };
        let seen = Doc::new(&seen);
        let artifact = seen.text("status/artifact/revision")?;
        let revision = Revision::parse(artifact);
        let digest = revision.hash.filter(|_| revision.algorithm == Some("sha256"));
        let released = self.newest.and_then(|newest| newest.text("ociDigest")).map(Revision::parse);
        let by_digest = match (digest, released.and_then(|released| released.hash)) {
            (Some(there), Some(here)) => there != here,
            (_, _) => false,
        };
        // A tag is the chart's version, or there is an error instead of a release.
        let by_version = match (revision.name, self.attempted) {
            (Some(there), Some(here)) if exact(there).is_some() => plain(there) != plain(here),
            (_, _) => false,
        };
        if !by_digest && !by_version {
            return None;
        }
        look.note(
            &source,
            Says {
                words: "has another artifact than the one that was released".to_owned(),
                revision: Some(artifact),
                since: seen.time("status/artifact/lastUpdateTime"),
                good: None,
            },
        );
        let version = revision.name.and_then(exact).map(tidy);
        Some(State::Deploying { version, since: seen.time("status/artifact/lastUpdateTime") })
    }

    /// What it says, and what that leaves out.
    fn words(&self, state: &State) -> String {
        let mut words = self.ready.map_or_else(|| "says nothing yet".to_owned(), |ready| ready.says());
        if let Some(newest) = self.newest {
            let of = |key| newest.text(key).unwrap_or("?");
            words.push_str(&format!(", {} is {}", of("chartVersion"), of("status")));
        }
        if self.object.flag("spec/suspend") {
            words.push_str(", suspended");
        }
        if let Some(generation) = self.generation
            && self.observed != Some(generation)
            && !matches!(state, State::Failed { .. })
        {
            words.push_str(&format!(", generation {generation} is not through"));
        }
        words
    }
}

/// What the tests of a release say.
enum Tests {
    Passed,
    Pending,
    Failed(String),
}

/// Whether both are the same, or one is not told.
fn both_or_one(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}
