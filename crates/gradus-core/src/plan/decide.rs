//! The decision about one environment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::choose::{Choice, choose};
use super::{Cause, Change, CloseReason, Scene, Step};
use crate::gate::{Answer, Ask, Gate, Passed, manual};
use crate::names::{EnvironmentName, Person};
use crate::observation::{EnvironmentSeen, Fit, ProposalSeen, Request, RequestKind, Seen};
use crate::pipeline::{Environment, Hold, Merge, Mode, Strategy};
use crate::proof::{Past, Proving, brought_by, proving, recorded};
use crate::reason::Reason;
use crate::release::{Release, Standing};
use crate::report::{EnvironmentReport, GateReport, Next};

/// Decides what happens in one environment, and why.
pub(super) fn environment(
    scene: &Scene<'_>,
    environment: &Environment,
    seen: &EnvironmentSeen,
    decided: &BTreeMap<&EnvironmentName, EnvironmentReport>,
) -> EnvironmentReport {
    let verdict = scene
        .verdicts
        .get(&environment.name)
        .cloned()
        .unwrap_or_else(|| crate::verdict::EnvironmentVerdict::of(environment, seen, scene.now));
    let mut report = EnvironmentReport {
        name: environment.name.clone(),
        after: environment.after.clone(),
        declared: match &seen.declared {
            Seen::Known(declared) => Seen::Known(declared.release.clone()),
            Seen::Unknown(why) => Seen::Unknown(why.clone()),
        },
        origin: seen.declared.known().and_then(|declared| declared.origin.known()).cloned(),
        verdict,
        proposal: seen.proposal.known().cloned().flatten(),
        next: None,
        step: None,
        reasons: Vec::new(),
        notes: drift(scene, environment, seen).into_iter().collect(),
    };
    match scene.pipeline.mode {
        Mode::Suspended => report.reasons.push(Reason::Suspended),
        Mode::Active => fill(scene, environment, seen, decided, &mut report),
        Mode::Observe => {
            fill(scene, environment, seen, decided, &mut report);
            if report.step.is_some() {
                report.reasons.insert(0, Reason::ObserveOnly);
            }
        }
    }
    report
}

fn fill(
    scene: &Scene<'_>,
    environment: &Environment,
    seen: &EnvironmentSeen,
    decided: &BTreeMap<&EnvironmentName, EnvironmentReport>,
    report: &mut EnvironmentReport,
) {
    let declared = match &seen.declared {
        Seen::Known(declared) => declared,
        Seen::Unknown(why) => {
            let environment = environment.name.clone();
            return report.reasons.push(Reason::DeclaredUnknown { environment, why: why.clone() });
        }
    };
    let has = declared.release.as_ref();
    let proposal = match (&seen.proposal, environment.strategy) {
        (Seen::Known(proposal), _) => proposal.as_ref(),
        (Seen::Unknown(_), Strategy::Push) => None,
        (Seen::Unknown(why), Strategy::PullRequest) => {
            return report.reasons.push(Reason::ProposalUnknown { why: why.clone() });
        }
    };
    if let Some(proposal) = proposal
        && let Some(step) = close(scene, environment, seen, has, proposal)
    {
        report.step = Some(step);
    }
    let (release, request, past) = match choose(scene, environment, seen, has, decided) {
        Choice::Release { release, request, past } => (release, request, past),
        Choice::Nothing(reason) => {
            report.reasons.push(reason);
            return;
        }
    };
    let mut candidate = Candidate::new(scene, environment, seen, release, request, past);
    // What is proposed already and was overtaken since may still go in, as long as
    // the newer release is not ready to take its place.
    if let Some(open) = proposal.and_then(|proposal| proposal.release.known())
        && request.is_none()
        && !open.same(&candidate.release)
        && !candidate.may_be_proposed()
    {
        let earlier = Candidate::new(scene, environment, seen, open.clone(), None, Past::Counts);
        if earlier.may_be_proposed() && report.step.is_none() {
            candidate = earlier;
        }
    }
    report.reasons = candidate.reasons();
    if report.step.is_none() {
        report.step = candidate.step(has, proposal, report);
    }
    if report.reasons.is_empty() {
        report.reasons.push(match (&report.step, proposal) {
            (None, Some(proposal)) => Reason::WaitingForMerge {
                number: proposal.number,
                url: proposal.url.clone(),
                since: proposal.since,
            },
            (Some(_), _) | (None, None) => Reason::Promoting { to: candidate.release.clone() },
        });
    }
    report.next = Some(Next {
        release: candidate.release.clone(),
        request: candidate.request.cloned(),
        gates: candidate.gates,
    });
}

/// A release that wants to come in, with everything that speaks for and against it.
struct Candidate<'a> {
    scene: &'a Scene<'a>,
    environment: &'a Environment,
    seen: &'a EnvironmentSeen,
    release: Release,
    request: Option<&'a Request>,
    proofs: Vec<(EnvironmentName, Proving)>,
    brought_by: Seen<Vec<Person>>,
    gates: Vec<GateReport>,
    /// What speaks against proposing it at all.
    before: Vec<Reason>,
    /// What speaks against letting it in.
    after: Vec<Reason>,
}

impl<'a> Candidate<'a> {
    fn new(
        scene: &'a Scene<'a>,
        environment: &'a Environment,
        seen: &'a EnvironmentSeen,
        release: Release,
        request: Option<&'a Request>,
        past: Past,
    ) -> Self {
        let proofs = environment
            .after
            .iter()
            .map(|name| (name.clone(), or_here(prove(scene, name, &release, past), seen, &release, request)))
            .collect();
        let brought_by = those_who_brought(scene, environment, &release, request);
        let mut this = Self {
            scene,
            environment,
            seen,
            release,
            request,
            proofs,
            brought_by,
            gates: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        this.weigh();
        this
    }

    fn weigh(&mut self) {
        let kind = self.request.map(|request| request.kind);
        let skips_proof = matches!(kind, Some(RequestKind::Override | RequestKind::Emergency));
        let skips_gates = matches!(kind, Some(RequestKind::Emergency));
        if self.request.is_none() {
            self.before.extend(self.not_by_itself());
        }
        if !skips_proof {
            for (_, proving) in &self.proofs {
                if let Proving::Not(reason) = proving {
                    self.before.push(reason.clone());
                }
            }
        }
        self.before.extend(self.held());
        let implicit = self.environment.needs_a_person().then_some(Gate::Manual);
        for gate in self.environment.gates.iter().chain(&implicit) {
            let answer = match (gate, self.request) {
                (_, Some(request)) if skips_gates => Answer::Pass(Passed::Overridden(request.by.clone())),
                (Gate::Soak(_), Some(request)) if skips_proof => Answer::Pass(Passed::Overridden(request.by.clone())),
                (Gate::Manual, _) => manual::answer(&self.ask()),
                (gate, _) => gate.answer(&self.ask()),
            };
            match &answer {
                Answer::Pass(_) => {}
                Answer::Hold(reason) | Answer::Fail(reason) if gate.is_before_proposal() => {
                    if !self.before.contains(reason) {
                        self.before.push(reason.clone());
                    }
                }
                Answer::Hold(reason) | Answer::Fail(reason) => self.after.push(reason.clone()),
            }
            self.gates.push(GateReport { kind: gate.kind(), words: gate.words(), answer });
        }
    }

    fn ask(&self) -> Ask<'_> {
        Ask {
            now: self.scene.now,
            environment: &self.environment.name,
            release: &self.release,
            proofs: &self.proofs,
            approvals: &self.seen.approvals,
            brought_by: &self.brought_by,
            checks: &self.seen.checks,
            request: self.request,
        }
    }

    /// What keeps a release out that no person asked for by name.
    fn not_by_itself(&self) -> Option<Reason> {
        if self.scene.pipeline.blocks(self.environment, &self.release) {
            return Some(Reason::VersionBlocked { release: self.release.clone() });
        }
        stepped_back(self.scene, self.seen, &self.release)
    }

    fn held(&self) -> Vec<Reason> {
        let now = self.scene.now;
        let lets_in = |hold: &Hold| hold.pin.as_ref().is_some_and(|pin| pin.same(&self.release));
        self.scene
            .pipeline
            .holds_on(&self.environment.name)
            .filter(|hold| hold.until.is_none_or(|until| until > now) && !lets_in(hold))
            .map(|hold| Reason::Held {
                hold: hold.name.clone(),
                pin: hold.pin.clone(),
                owner: hold.owner.clone(),
                why: hold.reason.clone(),
                since: hold.since,
                until: hold.until,
            })
            .collect()
    }

    fn may_be_proposed(&self) -> bool {
        self.before.is_empty()
    }

    fn reasons(&self) -> Vec<Reason> {
        self.before.iter().chain(&self.after).cloned().collect()
    }

    fn step(
        &self,
        has: Option<&Release>,
        proposal: Option<&ProposalSeen>,
        report: &mut EnvironmentReport,
    ) -> Option<Step> {
        if !self.may_be_proposed() {
            return None;
        }
        let proposal = match (self.environment.strategy, proposal) {
            (Strategy::Push, _) => return self.after.is_empty().then(|| Step::Push(self.change(has))),
            (Strategy::PullRequest, None) => return Some(Step::Propose(self.change(has))),
            (Strategy::PullRequest, Some(proposal)) => proposal,
        };
        let (number, head) = (proposal.number, proposal.head.clone());
        let proposed = match &proposal.release {
            Seen::Known(release) => release,
            Seen::Unknown(why) => {
                report.reasons.insert(0, Reason::ProposalUnknown { why: why.clone() });
                return None;
            }
        };
        match proposal.fit {
            Fit::Foreign => {
                report.reasons.insert(0, Reason::ProposalChanged { number, head });
                None
            }
            Fit::Current | Fit::Behind if !proposed.same(&self.release) => {
                Some(Step::Update { number, head, change: self.change(has) })
            }
            Fit::Behind => Some(Step::Update { number, head, change: self.change(has) }),
            Fit::Current if self.after.is_empty() && self.merges() => {
                Some(Step::Merge { number, head, change: self.change(has) })
            }
            Fit::Current => None,
        }
    }

    /// Whether gradus merges: it was told to, or a gate let a person agree.
    fn merges(&self) -> bool {
        match self.environment.merge {
            Merge::Auto => true,
            Merge::Person => self.gates.iter().any(|gate| {
                matches!(
                    &gate.answer,
                    Answer::Pass(Passed::ApprovedBy(_) | Passed::AskedBy(_) | Passed::Overridden(_))
                )
            }),
        }
    }

    fn change(&self, has: Option<&Release>) -> Change {
        let approved_by: BTreeSet<Person> = self
            .gates
            .iter()
            .filter_map(|gate| match &gate.answer {
                Answer::Pass(Passed::ApprovedBy(people)) => Some(people),
                Answer::Pass(_) | Answer::Hold(_) | Answer::Fail(_) => None,
            })
            .flatten()
            .cloned()
            .collect();
        Change {
            environment: self.environment.name.clone(),
            from: has.cloned(),
            to: self.release.clone(),
            cause: match self.request {
                Some(request) => Cause::Asked(request.clone()),
                None => Cause::ProvenIn(self.environment.after.clone()),
            },
            at: self.newest_evidence(&approved_by),
            brought_by: self.brought_by.known().cloned().unwrap_or_default(),
            approved_by: approved_by.into_iter().collect(),
            replaces_hand_edit: drift(self.scene, self.environment, self.seen).is_some(),
        }
    }

    fn newest_evidence(&self, approved_by: &BTreeSet<Person>) -> Timestamp {
        let proofs = self.proofs.iter().filter_map(|(_, proving)| proving.since());
        let soaked = self.gates.iter().zip(&self.environment.gates).filter_map(|(report, gate)| match (&report.answer, gate) {
            (Answer::Pass(Passed::Soaked(since)), Gate::Soak(soak)) => since.checked_add(soak.time).ok(),
            _other => None,
        });
        let checked = self.gates.iter().filter_map(|gate| match &gate.answer {
            Answer::Pass(Passed::Checked(at)) => Some(*at),
            _other => None,
        });
        let approvals = self.seen.approvals.known().into_iter().flatten();
        let approved = approvals
            .filter(|approval| approval.release == self.release && approved_by.contains(&approval.by))
            .map(|approval| approval.at);
        let asked = self.request.map(|request| request.at);
        let brought = self
            .seen
            .declared
            .known()
            .and_then(|declared| declared.origin.known())
            .map(|origin| origin.at);
        proofs
            .chain(soaked)
            .chain(checked)
            .chain(approved)
            .chain(asked)
            .chain(brought)
            .max()
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

fn prove(scene: &Scene<'_>, name: &EnvironmentName, release: &Release, past: Past) -> Proving {
    let nobody = || {
        Proving::Not(Reason::WaitingForEnvironment { environment: name.clone(), has: None, wants: release.clone() })
    };
    let environment = scene.pipeline.environment(name);
    let (Some(environment), Some(seen), Some(verdict)) = (environment, scene.seen(name), scene.verdicts.get(name))
    else {
        return nobody();
    };
    proving(environment, seen, verdict, release, past, scene.now)
}

/// A rollback may rest on the release having been healthy in this very environment.
fn or_here(proving: Proving, seen: &EnvironmentSeen, release: &Release, request: Option<&Request>) -> Proving {
    let back = request.is_some_and(|request| request.kind == RequestKind::Rollback);
    match proving {
        Proving::Not(reason) if back => recorded(seen, release).unwrap_or(Proving::Not(reason)),
        Proving::Not(_) | Proving::Now { .. } | Proving::Before { .. } => proving,
    }
}

/// Those whose yes does not count where a gate says so: who brought the release
/// into the environments before, and who asked for it.
fn those_who_brought(
    scene: &Scene<'_>,
    environment: &Environment,
    release: &Release,
    request: Option<&Request>,
) -> Seen<Vec<Person>> {
    let mut people: BTreeSet<Person> = request.map(|request| request.by.clone()).into_iter().collect();
    for name in &environment.after {
        let Some(seen) = scene.seen(name) else { continue };
        let declares = seen
            .declared
            .known()
            .and_then(|declared| declared.release.as_ref())
            .is_some_and(|declared| crate::verdict::covers(declared, release));
        match brought_by(seen) {
            Seen::Known(brought) if declares => people.extend(brought),
            Seen::Known(_) => {}
            Seen::Unknown(why) => return Seen::Unknown(why),
        }
    }
    Seen::Known(people.into_iter().collect())
}

/// Whether the environment was moved back from this release, or from a newer one.
fn stepped_back(scene: &Scene<'_>, seen: &EnvironmentSeen, release: &Release) -> Option<Reason> {
    let declared = seen.declared.known()?;
    let (has, origin) = (declared.release.as_ref()?, declared.origin.known()?);
    let from = origin.replaced.as_ref()?;
    let went_back = scene.orders.compare(from, has) == Standing::Newer;
    let newer = scene.orders.compare(release, from) == Standing::Newer;
    (went_back && !newer).then(|| Reason::RolledBack {
        from: from.clone(),
        to: has.clone(),
        commit: origin.commit.clone(),
        by: origin.author.clone(),
        since: origin.at,
    })
}

/// Whether Git declares what nobody promoted.
fn drift(scene: &Scene<'_>, environment: &Environment, seen: &EnvironmentSeen) -> Option<Reason> {
    if environment.is_first() || scene.pipeline.mode == Mode::Suspended {
        return None;
    }
    let declared = seen.declared.known()?;
    let (has, promoted) = (declared.release.as_ref()?, seen.promoted.known()?.as_ref()?);
    let origin = declared.origin.known();
    if has.same(promoted) || origin.is_some_and(|origin| origin.by_gradus) {
        return None;
    }
    Some(Reason::Drift {
        declared: has.clone(),
        promoted: promoted.clone(),
        commit: origin.map(|origin| origin.commit.clone()),
        by: origin.map(|origin| origin.author.clone()),
        since: origin.map(|origin| origin.at),
    })
}

/// Whether an open proposal has to go, and why.
fn close(
    scene: &Scene<'_>,
    environment: &Environment,
    seen: &EnvironmentSeen,
    has: Option<&Release>,
    proposal: &ProposalSeen,
) -> Option<Step> {
    let because = |because| {
        Some(Step::Close {
            number: proposal.number,
            environment: environment.name.clone(),
            head: proposal.head.clone(),
            because,
        })
    };
    let proposed = proposal.release.known()?;
    if has.is_some_and(|has| has.same(proposed)) {
        return because(CloseReason::Merged);
    }
    if proposal.fit == Fit::Foreign {
        return None;
    }
    let asked = seen.requests.known().is_some_and(|requests| {
        requests.iter().any(|request| {
            request.release.same(proposed) && request.from.as_ref().is_none_or(|from| has.is_some_and(|has| has.same(from)))
        })
    });
    if scene.pipeline.blocks(environment, proposed) {
        return because(CloseReason::Refused(Reason::VersionBlocked { release: proposed.clone() }));
    }
    if asked {
        return None;
    }
    if let Some(reason) = stepped_back(scene, seen, proposed) {
        return because(CloseReason::Refused(reason));
    }
    match has.map(|has| scene.orders.compare(proposed, has)) {
        Some(Standing::Older) => because(CloseReason::Overtaken),
        Some(Standing::Same | Standing::Newer | Standing::Mixed | Standing::Unknown) | None => None,
    }
}
