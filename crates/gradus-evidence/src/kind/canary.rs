//! Flagger's `Canary`.
//!
//! Its phase belongs to the last rollout that ended, and it has no generation to
//! compare: what it says counts only together with the templates of its target
//! and of the copy that serves, the primary.

use jiff::{SignedDuration, Timestamp};

use super::workload::Progress;
use super::{Kind, daemon_set, deployment};
use crate::image::{self, Pick};
use crate::judge::Look;
use crate::notes::Says;
use crate::read::{Condition, Doc};
use crate::sighting::{Listing, Lookup};
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::tidy;

/// How often it looks, where it does not say.
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// How long it may take besides until it looks.
const SLACK: SignedDuration = SignedDuration::from_secs(20);

/// The state of a workload that a canary drives: that of the canary. None where
/// no canary does.
pub(super) fn instead_of(workload: &ObjectRef, look: &mut Look<'_>) -> Option<State> {
    let kind = Kind::Canary.group_kind()?;
    let canaries = match look.list(kind.clone(), &workload.namespace) {
        Listing::Seen(canaries) => canaries,
        Listing::NotLooked(why) => {
            let why = tidy(&why);
            return Some(State::unknown(format!("whether a Canary drives it was not looked at: {why}")));
        }
    };
    let driving = canaries.iter().map(|canary| Doc::new(canary)).find(|canary| {
        canary.text("spec/targetRef/name") == Some(&workload.name)
            && canary.text("spec/targetRef/kind") == Some(&workload.kind)
    })?;
    let name = driving.text("metadata/name").unwrap_or_default();
    let name = ObjectRef::new(&kind.group, &kind.kind, &workload.namespace, name);
    Some(judge(driving, &name, look))
}

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let phase = object.text("status/phase").unwrap_or_default();
    let promoted = object.condition("Promoted");
    let note = |state: State, look: &mut Look<'_>| {
        let good = match &state {
            State::Healthy { .. } => Some(true),
            State::Failed { .. } => Some(false),
            State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
        };
        let words = match unverified(object, phase) {
            Some(why) if good == Some(true) => format!("phase={}, {why}", tidy(phase)),
            Some(_) | None => format!("phase={}", tidy(phase)),
        };
        let since = promoted.and_then(|it| it.since);
        look.note(name, Says { words, revision: None, since, good });
        state
    };
    if object.is_deleting() || matches!(phase, "Terminating" | "Terminated") {
        return note(State::unknown("it is being deleted"), look);
    }
    let target = object.text("spec/targetRef/name").unwrap_or_default();
    let kind = match object.text("spec/targetRef/kind") {
        Some("DaemonSet") => "DaemonSet",
        Some("Deployment") | None => "Deployment",
        Some(other) => {
            let why = format!("what runs cannot be told of a Canary for a {}", tidy(other));
            return note(State::unknown(why), look);
        }
    };
    let target = ObjectRef::new("apps", kind, &name.namespace, target);
    let primary = ObjectRef::new("apps", kind, &name.namespace, &format!("{}-primary", target.name));
    let (target, primary) = match (seen(&target, look), seen(&primary, look)) {
        (Ok(target), Ok(primary)) => (target, primary),
        (Err(why), _) | (_, Err(why)) => return note(State::unknown(why), look),
    };
    let Some(target) = target else {
        return note(State::unknown("its target is not there"), look);
    };
    let rollout = Rollout {
        object,
        phase,
        promoted,
        wanted: Copy::of(Doc::new(&target), kind, &object, look),
        serving: primary.as_ref().map(|primary| Copy::of(Doc::new(primary), kind, &object, look)),
    };
    if object.flag("spec/suspend") {
        return note(State::unknown("suspended"), look);
    }
    let state = rollout.state(look.now);
    note(state, look)
}

/// A workload that the canary drives.
fn seen<'a>(
    name: &ObjectRef,
    look: &mut Look<'a>,
) -> Result<Option<std::borrow::Cow<'a, serde_json::Value>>, String> {
    match look.get(name) {
        Lookup::Seen(object) => Ok(Some(object)),
        Lookup::Missing => Ok(None),
        Lookup::NotLooked(why) => Err(format!("{name} was not looked at: {}", tidy(&why))),
    }
}

/// The target, or the copy of it that serves.
struct Copy {
    version: Result<String, String>,
    /// The images by container.
    images: Vec<(String, String)>,
    progress: Progress,
    /// When its template changed, where that is told.
    changed: Option<Timestamp>,
}

impl Copy {
    fn of(object: Doc<'_>, kind: &str, canary: &Doc<'_>, look: &mut Look<'_>) -> Self {
        let name = canary.text("spec/targetRef/name").unwrap_or_default();
        let template = object.at("spec/template");
        let version = template.ok_or_else(|| "it has no pod template".to_owned()).and_then(|template| {
            let any = !look.is_top();
            if any
                && look.pick.is_named()
                && let Ok((_, found)) = image::pick(template, &look.pick, name)
            {
                look.images.insert(tidy(found.version(look.wanted.as_ref())));
            }
            let pick = if any { &Pick::Any } else { &look.pick };
            let (_, image) = image::pick(template, pick, name)?;
            Ok(tidy(image.version(look.wanted.as_ref().filter(|_| !any))))
        });
        let images = object
            .items("spec/template/spec/containers")
            .map(|container| {
                let of = |key| container.text(key).unwrap_or_default().to_owned();
                (of("name"), of("image"))
            })
            .collect();
        let progress =
            if kind == "DaemonSet" { daemon_set::progress(object) } else { deployment::progress(object) };
        let changed = object.condition("Progressing").and_then(|it| it.updated.or(it.since));
        Self { version, images, progress, changed }
    }
}

/// What a canary says, and the two workloads it drives.
struct Rollout<'a> {
    object: Doc<'a>,
    phase: &'a str,
    promoted: Option<Condition<'a>>,
    wanted: Copy,
    serving: Option<Copy>,
}

impl Rollout<'_> {
    fn state(&self, now: Timestamp) -> State {
        match self.phase {
            "Succeeded" | "Initialized" => self.ended(now),
            "Failed" => self.failed(now),
            "" | "Initializing" | "Waiting" | "WaitingPromotion" | "Progressing" | "Promoting"
            | "Finalising" => self.on_its_way(self.promoted.and_then(|it| it.since)),
            other => State::unknown(format!("its phase is not known: {}", tidy(other))),
        }
    }

    /// The last rollout ended well; whether it was that of what the target is now,
    /// the copy that serves tells.
    fn ended(&self, now: Timestamp) -> State {
        match self.serves() {
            Some(serving) if self.is_promoted() => self.served(serving, now),
            Some(_) | None => self.not_taken_up(now),
        }
    }

    /// The last rollout failed. That of what the target is now, where it failed
    /// after the target changed.
    fn failed(&self, now: Timestamp) -> State {
        let serves = self.serves();
        if let Some(serving) = serves.filter(|_| self.is_promoted()) {
            // It never leaves this phase when the target is moved back.
            return self.served(serving, now);
        }
        let ended = self.promoted.and_then(|it| it.updated.max(it.since));
        let is_of_before = match (ended, self.wanted.changed) {
            (Some(ended), Some(changed)) => changed > ended,
            (_, _) => false,
        };
        if serves.is_none() && (self.is_promoted() || is_of_before) {
            return self.not_taken_up(now);
        }
        let why = match self.promoted.filter(Condition::is_false) {
            Some(promoted) => promoted.words(),
            None => "its rollout failed".to_owned(),
        };
        // Where the copy already has the new template, traffic is held elsewhere.
        let running = self
            .serving
            .as_ref()
            .filter(|serving| serves.is_none() && matches!(serving.progress, Progress::Done { .. }))
            .and_then(|serving| serving.version.clone().ok());
        State::Failed {
            version: self.wanted.version.clone().ok(),
            why,
            since: self.promoted.and_then(|it| it.since),
            running,
        }
    }

    /// The copy that serves, where it has the target's images.
    fn serves(&self) -> Option<&Copy> {
        self.serving.as_ref().filter(|it| !it.images.is_empty() && it.images == self.wanted.images)
    }

    /// Whether it says that what it saw last is what it promoted last.
    fn is_promoted(&self) -> bool {
        let applied = self.object.text("status/lastAppliedSpec");
        applied.is_some() && applied == self.object.text("status/lastPromotedSpec")
    }

    fn served(&self, serving: &Copy, now: Timestamp) -> State {
        let version = match &serving.version {
            Ok(version) => version.clone(),
            Err(why) => return State::unknown(why.clone()),
        };
        match &serving.progress {
            Progress::Done { since, .. } => {
                let since = self.promoted.and_then(|it| it.since).max(*since).unwrap_or(now);
                State::Healthy { version, since }
            }
            Progress::Going { since, .. } => State::Deploying { version: Some(version), since: *since },
            Progress::Broken { why, since } => State::failed(Some(version), why.clone(), *since),
            Progress::Untold { why } => State::unknown(why.clone()),
            Progress::Idle { why } => State::unknown(*why),
        }
    }

    fn not_taken_up(&self, now: Timestamp) -> State {
        let interval = ["spec/analysis/interval", "spec/canaryAnalysis/interval"]
            .iter()
            .find_map(|path| duration(self.object.text(path)?))
            .unwrap_or(INTERVAL);
        let by = interval.checked_mul(2).and_then(|twice| twice.checked_add(SLACK));
        let late = by.and_then(|by| self.wanted.changed?.checked_add(by).ok()).filter(|late| *late <= now);
        match late {
            Some(late) => State::failed(
                self.wanted.version.clone().ok(),
                "Flagger has not taken it up".to_owned(),
                Some(late),
            ),
            None => self.on_its_way(self.wanted.changed),
        }
    }

    fn on_its_way(&self, since: Option<Timestamp>) -> State {
        State::Deploying { version: self.wanted.version.clone().ok(), since }
    }
}

/// Why a rollout that ended well proves little.
fn unverified(object: Doc<'_>, phase: &str) -> Option<&'static str> {
    if phase == "Initialized" {
        return Some("the first one is not analysed");
    }
    if object.flag("spec/skipAnalysis") {
        return Some("the analysis is skipped");
    }
    let analyses = ["spec/analysis", "spec/canaryAnalysis"].into_iter().filter_map(|path| object.at(path));
    let (mut metrics, mut hooks) = (false, false);
    for analysis in analyses {
        metrics |= analysis.items("metrics").next().is_some();
        hooks |= analysis
            .items("webhooks")
            .any(|hook| matches!(hook.text("type"), None | Some("rollout" | "pre-rollout")));
    }
    (!metrics && !hooks).then_some("nothing is analysed")
}

/// A duration as Go writes it: `1m30s`.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut sum = SignedDuration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit()).filter(|at| *at > 0)?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let units = [("ms", 0), ("h", 3600), ("m", 60), ("s", 1)];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| tail.starts_with(unit))?;
        let seconds = number.parse::<i64>().ok()?.checked_mul(seconds)?;
        sum = sum.checked_add(SignedDuration::from_secs(seconds))?;
        rest = tail.strip_prefix(unit)?;
    }
    Some(sum)
}
