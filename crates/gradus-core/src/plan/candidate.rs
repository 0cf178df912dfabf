//! A release that wants to come into an environment, with everything that
//! speaks for and against it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::choose::Wanted;
use super::dispatch;
use super::history::{approvals, drift, stepped_back, those_who_brought};
use super::merge;
use super::scene::{Place, Scene};
use super::{Cause, Change, Merges, Step};
use crate::gate::{Answer, Ask, Gate, Passed};
use crate::names::{EnvironmentName, Person};
use crate::observation::{Approval, Fit, ProposalSeen, Request, RequestKind, Seen};
use crate::pipeline::{Hold, Queue, Strategy};
use crate::proof::{Proving, longest};
use crate::reason::Reason;
use crate::release::Release;
use crate::report::GateReport;
use crate::verdict::Verdict;

pub(super) struct Candidate<'a> {
    scene: &'a Scene<'a>,
    place: &'a Place<'a>,
    proposal: Option<&'a ProposalSeen>,
    pub(super) release: Release,
    pub(super) request: Option<&'a Request>,
    proofs: Vec<(EnvironmentName, Proving)>,
    approvals: Cow<'a, Seen<Vec<Approval>>>,
    brought_by: Seen<Vec<Person>>,
    /// What is merged to bring it.
    pub(super) merges: Option<Merges>,
    pub(super) gates: Vec<GateReport>,
    /// What speaks against proposing it at all.
    before: Vec<Reason>,
    /// What speaks against letting it in.
    after: Vec<Reason>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        scene: &'a Scene<'a>,
        place: &'a Place<'a>,
        proposal: Option<&'a ProposalSeen>,
        wanted: Wanted<'a>,
    ) -> Self {
        let Wanted { release, request, past } = wanted;
        let proofs = scene.before(place).map(|before| {
            let proving = scene.prove(before, &release, past);
            (before.name().clone(), or_here(proving, scene, place, &release, request))
        });
        let mut this = Self {
            proofs: proofs.collect(),
            approvals: approvals(place, &release),
            brought_by: those_who_brought(scene, place, &release, request),
            scene,
            place,
            proposal,
            release,
            request,
            merges: None,
            gates: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        this.weigh();
        this
    }

    /// Collects what speaks against it; what weighs most comes first.
    fn weigh(&mut self) {
        let kind = self.request.map(|request| request.kind);
        let skips_proof = matches!(kind, Some(RequestKind::Override | RequestKind::Emergency));
        if self.request.is_none() {
            self.before.extend(self.not_by_itself());
        }
        if !skips_proof {
            for (_, proving) in &self.proofs {
                if let Proving::Not(reason) = proving {
                    push_once(&mut self.before, reason);
                }
            }
        }
        self.before.extend(self.held());
        for gate in &self.place.environment.gates {
            let answer = self.ask(gate);
            if let Answer::Hold(reason) | Answer::Fail(reason) = &answer {
                let list = if gate.is_before_proposal() { &mut self.before } else { &mut self.after };
                push_once(list, reason);
            }
            self.gates.push(GateReport { kind: gate.kind(), words: gate.words(), answer });
        }
        if self.place.environment.needs_a_person() {
            self.wait_for_merge();
        }
        self.before.extend(dispatch::unknown(self.place));
        let proving = self.proofs.first().map(|(_, proving)| proving);
        match merge::merges(self.scene, self.place, &self.release, proving) {
            Ok(merges) => {
                self.before.extend(merges.as_ref().and_then(|merges| merge::against(self.place, merges)));
                self.merges = merges;
            }
            Err(reason) => push_once(&mut self.before, &reason),
        }
    }

    /// What came of asking somebody else's automation for it, where it was asked.
    fn dispatched(&self) -> Option<Reason> {
        dispatch::asked(self.scene, self.place, &self.release, self.request)
    }

    /// No gate asks for a person's word: it is then merging the proposal, or
    /// telling gradus to do so.
    fn wait_for_merge(&mut self) {
        let answer = match self.ask(&Gate::Manual) {
            Answer::Hold(Reason::WaitingForPerson { environment, release }) => {
                Answer::Hold(match self.open_for_this() {
                    Some(proposal) => Reason::WaitingForMerge {
                        number: proposal.number,
                        url: proposal.url.clone(),
                        since: proposal.since,
                    },
                    None => Reason::WaitingForPerson { environment, release },
                })
            }
            answer @ (Answer::Pass(_) | Answer::Hold(_) | Answer::Fail(_)) => answer,
        };
        match &answer {
            Answer::Hold(reason @ Reason::WaitingForMerge { .. }) => push_once(&mut self.after, reason),
            Answer::Hold(reason) if reason.is_unknown() => push_once(&mut self.after, reason),
            // Before there is a proposal, the proposal is what comes next.
            Answer::Pass(_) | Answer::Hold(_) | Answer::Fail(_) => {}
        }
        self.gates.push(GateReport { kind: "merge", words: "merge by a person".to_owned(), answer });
    }

    fn open_for_this(&self) -> Option<&'a ProposalSeen> {
        let is_open = |proposal: &&ProposalSeen| match proposal.fit {
            Fit::Current | Fit::Behind | Fit::Foreign | Fit::Queued(_) => true,
            Fit::Declined(_) => false,
        };
        self.proposal
            .filter(is_open)
            .filter(|proposal| proposal.release.known().is_some_and(|open| open.same(&self.release)))
    }

    fn ask(&self, gate: &Gate) -> Answer {
        match (gate, self.request) {
            (_, Some(Request { kind: RequestKind::Emergency, by, .. }))
            | (Gate::Soak(_), Some(Request { kind: RequestKind::Override, by, .. })) => {
                Answer::Pass(Passed::Overridden(by.clone()))
            }
            (gate, request) => gate.answer(&Ask {
                now: self.scene.now,
                environment: self.place.name(),
                release: &self.release,
                proofs: &self.proofs,
                approvals: &self.approvals,
                brought_by: &self.brought_by,
                checks: &self.place.seen.checks,
                request,
            }),
        }
    }

    /// What keeps a release out that no person asked for by name.
    fn not_by_itself(&self) -> Option<Reason> {
        let environment = self.place.environment;
        if self.scene.pipeline.blocks(environment, &self.release) {
            return Some(Reason::VersionBlocked { release: self.release.clone() });
        }
        if let Some(reason) = stepped_back(self.scene, self.place, &self.release) {
            return Some(reason);
        }
        match (&environment.queue, &self.place.verdict.verdict) {
            // Where every version goes in order, the one that comes in now comes first.
            (Queue::Every, Verdict::Deploying { release, .. }) => {
                self.place.at().or(release.as_ref()).map(|first| Reason::Queued { first: first.clone() })
            }
            (Queue::Every, Verdict::Unknown { .. }) => self.place.unknown_health(),
            (
                Queue::Every | Queue::Latest | Queue::Pinned(_),
                Verdict::NotDeployed
                | Verdict::Deploying { .. }
                | Verdict::Healthy { .. }
                | Verdict::Failed { .. }
                | Verdict::Unknown { .. },
            ) => None,
        }
    }

    fn held(&self) -> Vec<Reason> {
        let now = self.scene.now;
        let lets_in = |hold: &Hold| hold.pin.as_ref().is_some_and(|pin| self.release.covers(pin));
        self.scene
            .pipeline
            .holds_on(self.place.name())
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

    /// Whether nothing speaks against proposing it.
    pub(super) fn may_be_proposed(&self) -> bool {
        self.before.is_empty()
    }

    /// Whether it cannot be proposed because something is not known.
    pub(super) fn is_unknown(&self) -> bool {
        self.before.iter().any(Reason::is_unknown)
    }

    /// What speaks against it; what weighs most comes first.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        let own = self.proposal.and_then(|proposal| match (&proposal.release, proposal.fit) {
            (Seen::Unknown(why), _) => Some(Reason::ProposalUnknown { why: why.clone() }),
            (Seen::Known(_), Fit::Foreign) => {
                Some(Reason::ProposalChanged { number: proposal.number, head: proposal.head.clone() })
            }
            (Seen::Known(_), Fit::Declined(since)) if self.is_declined(proposal, since) => {
                let (number, url) = (proposal.number, proposal.url.clone());
                Some(Reason::ProposalDeclined { number, url, since })
            }
            (Seen::Known(release), Fit::Queued(since))
                if self.after.is_empty() && release.same(&self.release) =>
            {
                let (number, url) = (proposal.number, proposal.url.clone());
                Some(Reason::QueuedInForge { number, url, since })
            }
            (Seen::Known(_), Fit::Current | Fit::Behind | Fit::Declined(_) | Fit::Queued(_)) => None,
        });
        let own = own
            .filter(|_| self.may_be_proposed() && self.place.environment.strategy == Strategy::PullRequest);
        // What was asked for may come, whatever came in its way since.
        let (first, last) = match self.may_be_proposed() {
            true => (self.dispatched(), None),
            false => (None, dispatch::asked_since(self.scene, self.place, &self.release, self.request)),
        };
        own.iter().chain(&first).chain(&self.before).chain(&self.after).chain(&last).cloned().collect()
    }

    /// The step that brings it in, or nearer.
    pub(super) fn step(&self) -> Option<Step> {
        if !self.may_be_proposed() {
            return None;
        }
        let proposal = match (&self.place.environment.strategy, self.proposal) {
            (Strategy::Push, _) => return self.after.is_empty().then(|| Step::Push(self.change())),
            (Strategy::Dispatch(_), _) => {
                let is_due = self.after.is_empty() && self.dispatched().is_none();
                return is_due.then(|| Step::Dispatch(self.change()));
            }
            (Strategy::PullRequest, None) => return Some(Step::Propose(self.change())),
            (Strategy::PullRequest, Some(proposal)) => proposal,
        };
        let (number, head) = (proposal.number, proposal.head.clone());
        let is_this = proposal.release.known()?.same(&self.release);
        match proposal.fit {
            Fit::Foreign => None,
            // The forge does the rest.
            Fit::Queued(_) if is_this => None,
            Fit::Declined(since) if self.is_declined(proposal, since) => None,
            Fit::Current if is_this => {
                self.after.is_empty().then(|| Step::Merge { number, head, change: self.change() })
            }
            Fit::Current | Fit::Behind | Fit::Declined(_) | Fit::Queued(_) => {
                Some(Step::Update { number, head, change: self.change() })
            }
        }
    }

    /// Whether a person closed the proposal of this very release, and nobody asked for it since.
    fn is_declined(&self, proposal: &ProposalSeen, since: Timestamp) -> bool {
        proposal.release.known().is_some_and(|proposed| proposed.same(&self.release))
            && self.request.is_none_or(|request| request.at <= since)
    }

    fn change(&self) -> Change {
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
            environment: self.place.name().clone(),
            from: self.place.has().cloned(),
            to: self.release.clone(),
            cause: match self.request {
                Some(request) => Cause::Asked(request.clone()),
                None => Cause::ProvenIn(self.place.environment.after.clone()),
            },
            at: self.newest_evidence(&approved_by),
            // A list that looks complete would let somebody agree to their own work further on.
            brought_by: match &self.brought_by {
                Seen::Known(people) => people.clone(),
                Seen::Unknown(_) => vec![Person::unknown()],
            },
            approved_by: approved_by.into_iter().collect(),
            replaces_hand_edit: drift(self.place).is_some(),
            merges: self.merges.clone(),
        }
    }

    fn newest_evidence(&self, approved_by: &BTreeSet<Person>) -> Timestamp {
        let now = self.scene.now;
        let proofs = self.proofs.iter().filter_map(|(_, proving)| proving.since());
        let passed =
            self.gates.iter().zip(&self.place.environment.gates).filter_map(|(report, gate)| {
                match (&report.answer, gate) {
                    (Answer::Pass(Passed::Soaked(since)), Gate::Soak(soak)) => {
                        since.checked_add(soak.time).ok()
                    }
                    (Answer::Pass(Passed::Checked(at)), _) => Some(*at),
                    (Answer::Pass(Passed::NotFrozen), Gate::Freeze(freeze)) => {
                        freeze.until.filter(|until| *until <= now)
                    }
                    (Answer::Pass(_) | Answer::Hold(_) | Answer::Fail(_), _) => None,
                }
            });
        let holds = self.scene.pipeline.holds_on(self.place.name());
        let lifted = holds.filter_map(|hold| hold.until).filter(|until| *until <= now);
        let approvals = self.approvals.known().into_iter().flatten();
        let approved = approvals
            .filter(|approval| approval.release == self.release && approved_by.contains(&approval.by))
            .map(|approval| approval.at);
        let asked = self.request.map(|request| request.at);
        let brought = self.place.seen.declared.known().and_then(|declared| declared.origin.known());
        proofs
            .chain(passed)
            .chain(lifted)
            .chain(approved)
            .chain(asked)
            .chain(brought.map(|origin| origin.at))
            .max()
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

fn push_once(list: &mut Vec<Reason>, reason: &Reason) {
    if !list.contains(reason) {
        list.push(reason.clone());
    }
}

/// A rollback may also rest on the release having been healthy in this very
/// environment, the longer of the two times counts; or on it being healthy in any
/// other one now, so that the way back is open even where the record was lost.
fn or_here(
    proving: Proving,
    scene: &Scene<'_>,
    place: &Place<'_>,
    release: &Release,
    request: Option<&Request>,
) -> Proving {
    if request.is_none_or(|request| request.kind != RequestKind::Rollback) {
        return proving;
    }
    let here = place.seen.proofs.known().and_then(|proofs| longest(proofs, release, scene.now));
    match (proving, here) {
        (Proving::Not(reason), None) if scene.runs_somewhere(release).is_some() => {
            scene.runs_somewhere(release).map_or(Proving::Not(reason), |since| Proving::Now { since })
        }
        (Proving::Not(Reason::WaitingForEnvironment { .. }), None) => {
            Proving::Not(Reason::NeverProven { environment: place.name().clone(), release: release.clone() })
        }
        (proving, None) => proving,
        (Proving::Now { since: there }, Some((since, until)))
            if scene.now.duration_since(there) >= until.duration_since(since) =>
        {
            Proving::Now { since: there }
        }
        (Proving::Before { since: there, until: end }, Some((since, until)))
            if end.duration_since(there) >= until.duration_since(since) =>
        {
            Proving::Before { since: there, until: end }
        }
        (Proving::Not(_) | Proving::Now { .. } | Proving::Before { .. }, Some((since, until))) => {
            Proving::Before { since, until }
        }
    }
}
