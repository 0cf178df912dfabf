//! What people asked for by name: which requests still stand, and which can be done.

use super::scene::{Place, Scene};
use crate::observation::{Request, RequestKind, Seen, Why};
use crate::pipeline::Emergency;
use crate::reason::Reason;
use crate::release::{Release, Standing};

/// The requests that still stand, newest first; or why that is not known.
pub(super) fn standing<'a>(place: &Place<'a>, requests: &'a [Request]) -> Result<Vec<&'a Request>, Why> {
    let mut open = Vec::new();
    for request in requests {
        if stands(place, request)? {
            open.push(request);
        }
    }
    open.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    Ok(open)
}

/// Whether a request still stands. It was made for the state that the
/// environment was in, and for no other; once that has changed, it is done or void.
pub(super) fn stands(place: &Place<'_>, request: &Request) -> Result<bool, Why> {
    let has = match (&request.from, place.has()) {
        (None, None) => return Ok(true),
        (Some(from), Some(has)) if from.same(has) => has,
        (Some(_) | None, _) => return Ok(false),
    };
    // What the environment would get of it is there already.
    if request.release.onto(has).is_some_and(|wanted| has.same(&wanted)) {
        return Ok(false);
    }
    let origin = match place.seen.declared.known().map(|declared| &declared.origin) {
        Some(Seen::Known(origin)) => origin,
        Some(Seen::Unknown(why)) => return Err(why.clone()),
        None => return Ok(false),
    };
    Ok(match &request.from_commit {
        Some(commit) => *commit == origin.commit,
        None => origin.at <= request.at,
    })
}

/// What the environment would have after a request: what it does not name stays.
/// `None` where the environment carries nothing of it.
pub(super) fn brought(place: &Place<'_>, request: &Request) -> Option<Release> {
    match place.at() {
        None => Some(request.release.clone()),
        Some(at) => request.release.onto(at),
    }
}

/// The release that a request brings, or why it cannot be done.
pub(super) fn asked(scene: &Scene<'_>, place: &Place<'_>, request: &Request) -> Result<Release, Reason> {
    let refuse = |why: &str| Reason::RequestRefused {
        by: request.by.clone(),
        release: request.release.clone(),
        why: why.into(),
        since: request.at,
    };
    let release = brought(place, request).ok_or_else(|| refuse("the environment carries none of that"))?;
    if scene.pipeline.blocks(place.environment, &release) {
        return Err(refuse("this version is blocked"));
    }
    let standing = place.at().map(|at| scene.orders.compare(&release, at));
    match (request.kind, standing) {
        (RequestKind::Emergency, _) if place.environment.emergency == Emergency::Forbidden => {
            Err(refuse("this environment does not allow emergencies"))
        }
        (RequestKind::Promote | RequestKind::Override, Some(Standing::Older)) => {
            Err(refuse("it is older than what is there; going back is a rollback"))
        }
        (RequestKind::Promote | RequestKind::Override, Some(Standing::Mixed)) => {
            Err(refuse("some of it is older than what is there; going back is a rollback"))
        }
        (RequestKind::Rollback, Some(Standing::Newer)) => {
            Err(refuse("it is newer than what is there; going on is a promotion"))
        }
        (
            RequestKind::Promote | RequestKind::Override | RequestKind::Rollback | RequestKind::Emergency,
            _,
        ) => Ok(release),
    }
}
