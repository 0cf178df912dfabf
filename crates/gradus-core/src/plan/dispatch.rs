//! What somebody else's automation was asked for.
//!
//! It is asked once for a change: from what is there to what comes in, and once more for each request by name.

use jiff::Timestamp;

use super::scene::{Place, Scene};
use crate::observation::{Dispatched, Request, Seen};
use crate::pipeline::{DispatchPolicy, Strategy};
use crate::reason::Reason;
use crate::release::{Release, Standing};

/// How it is asked here, if it is.
fn policy<'a>(place: &Place<'a>) -> Option<&'a DispatchPolicy> {
    match &place.environment.strategy {
        Strategy::Dispatch(policy) => Some(policy),
        Strategy::Push | Strategy::PullRequest => None,
    }
}

/// That it is not known what it was asked for, if it is not. Asking twice is worse than waiting.
pub(super) fn unknown(place: &Place<'_>) -> Option<Reason> {
    match (policy(place), &place.seen.dispatched) {
        (Some(_), Seen::Unknown(why)) => Some(Reason::DispatchUnknown { why: why.clone() }),
        (Some(_), Seen::Known(_)) | (None, _) => None,
    }
}

/// What came of asking for this release, by whose word it may be; nothing where it was not asked for yet.
pub(super) fn asked(
    scene: &Scene<'_>,
    place: &Place<'_>,
    release: &Release,
    request: Option<&Request>,
) -> Option<Reason> {
    let answers = |one: &&Dispatched| match request {
        Some(request) => one.request.as_ref() == Some(&request.id),
        None => true,
    };
    let found = of_this_state(place).filter(|one| one.to.same(release)).filter(answers);
    found.max_by_key(|one| (one.at, &one.promotion)).and_then(|one| told(scene, place, one))
}

/// The same, as far as the environment is as it was then. It may have come, and was taken back since.
pub(super) fn asked_since(
    scene: &Scene<'_>,
    place: &Place<'_>,
    release: &Release,
    request: Option<&Request>,
) -> Option<Reason> {
    asked(scene, place, release, request).filter(|reason| is_of_now(place, reason))
}

/// What is still under way beside this release: it was asked for, and may come yet.
pub(super) fn under_way(scene: &Scene<'_>, place: &Place<'_>, beside: Option<&Release>) -> Option<Reason> {
    let others = of_this_state(place).filter(|one| beside.is_none_or(|release| !one.to.same(release)));
    let newest = others.max_by_key(|one| (one.at, &one.promotion))?;
    let reason = told(scene, place, newest).filter(|reason| is_of_now(place, reason))?;
    matches!(reason, Reason::Dispatched { .. }).then_some(reason)
}

fn is_of_now(place: &Place<'_>, reason: &Reason) -> bool {
    let (Reason::Dispatched { since: asked, .. } | Reason::DispatchUnanswered { asked, .. }) = reason else {
        return false;
    };
    let origin = place.seen.declared.known().and_then(|declared| declared.origin.known());
    origin.is_none_or(|origin| *asked >= origin.at)
}

/// What was asked for where the environment was at what it has.
fn of_this_state<'a>(place: &Place<'a>) -> impl Iterator<Item = &'a Dispatched> {
    let all = place.seen.dispatched.known().filter(|_| policy(place).is_some());
    let has = place.has().cloned();
    all.into_iter().flatten().filter(move |one| match (&one.from, &has) {
        (None, None) => true,
        (Some(from), Some(has)) => from.same(has),
        (Some(_), None) | (None, Some(_)) => false,
    })
}

fn told(scene: &Scene<'_>, place: &Place<'_>, one: &Dispatched) -> Option<Reason> {
    let within = policy(place)?.within;
    let until = one.at.checked_add(within).unwrap_or(Timestamp::MAX);
    let (to, promotion) = (one.to.clone(), one.promotion.clone());
    if until > scene.now {
        return Some(Reason::Dispatched { to, promotion, since: one.at, until });
    }
    let goes_back = place.at().is_some_and(|at| scene.orders.compare(&to, at) == Standing::Older);
    Some(Reason::DispatchUnanswered { to, promotion, asked: one.at, within, since: until, goes_back })
}
