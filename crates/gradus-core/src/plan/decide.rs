//! The decision about one environment.

use super::candidate::Candidate;
use super::choose::{Wanted, choose};
use super::close::{close, close_withdrawn};
use super::dispatch;
use super::history::drift;
use super::scene::{Place, Scene};
use super::{CloseReason, Step};
use crate::observation::{ProposalSeen, Seen};
use crate::pipeline::{Mode, Queue, Strategy};
use crate::proof::Past;
use crate::reason::Reason;
use crate::report::{EnvironmentReport, Next};

/// Decides what happens in one environment, and why. `decided` holds the
/// reports of those before it.
pub(super) fn environment(
    scene: &Scene<'_>,
    place: &Place<'_>,
    decided: &[EnvironmentReport],
) -> EnvironmentReport {
    let seen = place.seen;
    let mut report = EnvironmentReport {
        name: place.name().clone(),
        after: place.environment.after.clone(),
        declared: match &seen.declared {
            Seen::Known(declared) => Seen::Known(declared.release.clone()),
            Seen::Unknown(why) => Seen::Unknown(why.clone()),
        },
        origin: seen.declared.known().and_then(|declared| declared.origin.known()).cloned(),
        verdict: place.verdict.clone(),
        proposal: seen.proposal.known().cloned().flatten(),
        next: None,
        step: None,
        reasons: Vec::new(),
        notes: Vec::new(),
    };
    match scene.pipeline.mode {
        Mode::Suspended => report.reasons.push(Reason::Suspended),
        Mode::Active => fill(scene, place, decided, &mut report),
        Mode::Observe => {
            fill(scene, place, decided, &mut report);
            if report.step.is_some() {
                report.reasons.insert(0, Reason::ObserveOnly);
            }
        }
    }
    report
}

fn fill(scene: &Scene<'_>, place: &Place<'_>, decided: &[EnvironmentReport], report: &mut EnvironmentReport) {
    let seen = place.seen;
    report.notes.extend(drift(place));
    if let Seen::Unknown(why) = &seen.declared {
        let environment = place.name().clone();
        return report.reasons.push(Reason::DeclaredUnknown { environment, why: why.clone() });
    }
    let strategy = &place.environment.strategy;
    let proposal = match (&seen.proposal, strategy) {
        (Seen::Known(proposal), _) => proposal.as_ref(),
        (Seen::Unknown(_), Strategy::Push | Strategy::Dispatch(_)) => None,
        (Seen::Unknown(why), Strategy::PullRequest) => {
            return report.reasons.push(Reason::ProposalUnknown { why: why.clone() });
        }
    };
    let closing = proposal.and_then(|proposal| close(scene, place, proposal));
    let withdrawn = || proposal.and_then(|proposal| close_withdrawn(scene, place, proposal));
    let choice = choose(scene, place, decided);
    let wanted = match choice.wants {
        Ok(wanted) => wanted,
        Err(reason) => {
            let step = closing.or_else(|| if reason.is_unknown() { None } else { withdrawn() });
            report.step = step.map(Box::new);
            report.reasons.extend(choice.refused);
            report.notes.extend(dispatch::under_way(scene, place, None));
            return report.reasons.push(reason);
        }
    };
    report.notes.extend(choice.refused);
    let mut candidate = Candidate::new(scene, place, proposal, wanted);
    if closing.is_none()
        && let Some(earlier) = earlier(scene, place, proposal, &candidate)
    {
        candidate = earlier;
    }
    // A proposal becomes one of what goes in now, rather than being closed and
    // opened again; one that is merged already has done its work.
    let is_merged = matches!(closing, Some(Step::Close { because: CloseReason::Merged, .. }));
    let mut step = match strategy {
        Strategy::PullRequest if is_merged => closing,
        Strategy::PullRequest | Strategy::Push | Strategy::Dispatch(_) => candidate.step().or(closing),
    };
    if step.is_none() && !candidate.may_be_proposed() && !candidate.is_unknown() {
        step = withdrawn();
    }
    report.step = step.map(Box::new);
    report.reasons = candidate.reasons();
    report.notes.extend(dispatch::under_way(scene, place, Some(&candidate.release)));
    if report.reasons.is_empty() {
        report.reasons.push(Reason::Promoting { to: candidate.release.clone() });
    }
    report.next = Some(Box::new(Next {
        release: candidate.release,
        request: candidate.request.cloned(),
        gates: candidate.gates,
        merges: candidate.merges,
    }));
}

/// What is proposed already and was overtaken since may still go in, as long as
/// the newer release is known not to be ready to take its place.
fn earlier<'a>(
    scene: &'a Scene<'a>,
    place: &'a Place<'a>,
    proposal: Option<&'a ProposalSeen>,
    candidate: &Candidate<'_>,
) -> Option<Candidate<'a>> {
    let release = proposal?.release.known()?.clone();
    let is_one = place.environment.queue == Queue::Latest
        && candidate.request.is_none()
        && !candidate.may_be_proposed()
        && !candidate.is_unknown()
        && !release.same(&candidate.release)
        && scene.is_newer(&release, place.at());
    if !is_one {
        return None;
    }
    let wanted = Wanted { release, request: None, past: Past::WhereOvertaken };
    Some(Candidate::new(scene, place, proposal, wanted)).filter(Candidate::may_be_proposed)
}

/// The step of a report, if it may be taken.
pub(super) fn step_of(mode: Mode, report: &EnvironmentReport) -> Option<Step> {
    match mode {
        Mode::Active => report.step.as_deref().cloned(),
        Mode::Observe | Mode::Suspended => None,
    }
}
