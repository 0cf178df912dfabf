//! `queue`: every version that was proven, in order.

use super::choose::{newest, offer};
use super::history::stepped_back;
use super::scene::{Place, Scene};
use crate::gate::Gate;
use crate::observation::{CheckResult, Seen};
use crate::proof::{Past, Proving};
use crate::reason::Reason;
use crate::release::{Release, Standing};
use crate::report::EnvironmentReport;

/// The oldest release that the environments before have proven, or still may,
/// and that this one has not had.
pub(super) fn next_in_line(
    scene: &Scene<'_>,
    place: &Place<'_>,
    decided: &[EnvironmentReport],
) -> Result<(Release, Past), Reason> {
    // Into an empty environment comes the newest, not everything there ever was.
    let Some(at) = place.at() else { return newest(scene, place, decided) };
    let mut line: Vec<Release> = Vec::new();
    for before in scene.before(place) {
        let proofs = match &before.seen.proofs {
            Seen::Known(proofs) => proofs,
            Seen::Unknown(why) => {
                let environment = before.name().clone();
                return Err(Reason::HealthUnknown { environment, target: None, why: why.clone() });
            }
        };
        line.push(offer(before, Some(at))?);
        line.extend(proofs.iter().filter_map(|proof| proof.release.restricted_to(at)));
    }
    line.sort_unstable();
    line.dedup();
    let mut first: Option<Release> = None;
    for release in line {
        let earlier =
            first.as_ref().is_none_or(|first| scene.orders.compare(&release, first) == Standing::Older);
        if earlier && scene.is_newer(&release, Some(at)) && !is_out(scene, place, &release) {
            first = Some(release);
        }
    }
    match first {
        Some(release) => Ok((release, Past::WhereOvertaken)),
        None => newest(scene, place, decided),
    }
}

/// Whether a release can never come in by itself, so that nothing has to wait for it.
fn is_out(scene: &Scene<'_>, place: &Place<'_>, release: &Release) -> bool {
    scene.pipeline.blocks(place.environment, release)
        || matches!(stepped_back(scene, place, release), Some(Reason::RolledBack { .. }))
        || place.environment.gates.iter().any(|gate| has_failed(gate, place, release))
        || scene.before(place).any(|before| is_out_before(scene, place, before, release))
}

fn is_out_before(scene: &Scene<'_>, place: &Place<'_>, before: &Place<'_>, release: &Release) -> bool {
    match scene.prove(before, release, Past::WhereOvertaken) {
        Proving::Now { .. } => false,
        Proving::Before { since, until } => place.environment.gates.iter().any(|gate| match gate {
            Gate::Soak(soak) => until.duration_since(since) < soak.time,
            Gate::Approval(_) | Gate::Window(_) | Gate::Freeze(_) | Gate::Check(_) | Gate::Manual => false,
        }),
        Proving::Not(reason) => matches!(
            reason,
            Reason::WaitingForEnvironment { .. }
                | Reason::CheckFailed { .. }
                | Reason::WaitingForSoak { until: None, .. }
        ),
    }
}

fn has_failed(gate: &Gate, place: &Place<'_>, release: &Release) -> bool {
    let Gate::Check(check) = gate else { return false };
    let Seen::Known(facts) = &place.seen.checks else { return false };
    check.newest(facts, release).is_some_and(|fact| fact.result == CheckResult::Failed)
}
