//! Whether an open proposal has to go.

use super::history::stepped_back;
use super::requests;
use super::scene::{Place, Scene};
use super::{CloseReason, Step};
use crate::observation::{Fit, ProposalSeen, Seen};
use crate::reason::Reason;
use crate::release::{Release, Standing};

/// Closes a proposal that has no ground any more. One with other people's
/// commits is theirs to close.
pub(super) fn close(scene: &Scene<'_>, place: &Place<'_>, proposal: &ProposalSeen) -> Option<Step> {
    match proposal.fit {
        Fit::Foreign => return None,
        // What is left of one that was closed is cleared up.
        Fit::Current | Fit::Behind | Fit::Declined(_) | Fit::Queued(_) => {}
    }
    let proposed = proposal.release.known()?;
    let because = if place.has().is_some_and(|has| has.same(proposed)) {
        CloseReason::Merged
    } else if scene.pipeline.blocks(place.environment, proposed) {
        CloseReason::Refused(Reason::VersionBlocked { release: proposed.clone() })
    } else if is_asked(place, proposed) {
        return None;
    } else if let Some(reason @ Reason::RolledBack { .. }) = stepped_back(scene, place, proposed) {
        CloseReason::Refused(reason)
    } else if is_overtaken(scene, place, proposal, proposed) {
        CloseReason::Overtaken
    } else {
        return None;
    };
    Some(step(place, proposal, because))
}

/// Closes a proposal of what an environment before was moved back from, where
/// nothing else is there to take its place.
pub(super) fn close_withdrawn(scene: &Scene<'_>, place: &Place<'_>, proposal: &ProposalSeen) -> Option<Step> {
    match proposal.fit {
        Fit::Foreign => return None,
        Fit::Current | Fit::Behind | Fit::Declined(_) | Fit::Queued(_) => {}
    }
    let proposed = proposal.release.known()?;
    if is_asked(place, proposed) {
        return None;
    }
    let reason = scene.before(place).find_map(|before| match stepped_back(scene, before, proposed) {
        Some(reason @ Reason::RolledBack { .. }) => Some(reason),
        Some(_) | None => None,
    })?;
    Some(step(place, proposal, CloseReason::Refused(reason)))
}

fn step(place: &Place<'_>, proposal: &ProposalSeen, because: CloseReason) -> Step {
    Step::Close {
        number: proposal.number,
        environment: place.name().clone(),
        head: proposal.head.clone(),
        because,
    }
}

/// Whether a person asked for it, or that is not known.
fn is_asked(place: &Place<'_>, proposed: &Release) -> bool {
    let Seen::Known(requests) = &place.seen.requests else { return true };
    requests
        .iter()
        .filter(|request| requests::brought(place, request).is_some_and(|release| release.same(proposed)))
        .any(|request| requests::stands(place, request).unwrap_or(true))
}

/// Whether the environment went past what is proposed after it was proposed. A
/// proposal to go back, made for what is there now, is not overtaken by it.
fn is_overtaken(scene: &Scene<'_>, place: &Place<'_>, proposal: &ProposalSeen, proposed: &Release) -> bool {
    let Some(has) = place.has() else { return false };
    let origin = place.seen.declared.known().and_then(|declared| declared.origin.known());
    origin.is_some_and(|origin| origin.at > proposal.since)
        && scene.orders.compare(proposed, has) == Standing::Older
}
