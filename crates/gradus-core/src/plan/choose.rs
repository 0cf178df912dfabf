//! Which release wants to come into an environment: the one a person asked for,
//! or the one whose turn it is.

use super::line::next_in_line;
use super::requests;
use super::scene::{Place, Scene};
use crate::observation::{Request, Seen};
use crate::pipeline::Queue;
use crate::proof::Past;
use crate::reason::Reason;
use crate::release::{Release, Standing};
use crate::report::EnvironmentReport;
use crate::verdict::Verdict;

/// What wants to come in.
pub(super) struct Choice<'a> {
    /// What, or why nothing does.
    pub(super) wants: Result<Wanted<'a>, Reason>,
    /// What a person asked for that cannot be done.
    pub(super) refused: Option<Reason>,
}

/// A release that wants to come in.
pub(super) struct Wanted<'a> {
    pub(super) release: Release,
    /// By whose word, if a person asked for it.
    pub(super) request: Option<&'a Request>,
    /// Which proofs count.
    pub(super) past: Past,
}

/// Chooses what wants to come into an environment.
pub(super) fn choose<'a>(scene: &Scene<'_>, place: &Place<'a>, decided: &[EnvironmentReport]) -> Choice<'a> {
    let nothing = |reason| Choice { wants: Err(reason), refused: None };
    let requests = match &place.seen.requests {
        Seen::Known(requests) => requests,
        Seen::Unknown(why) => return nothing(Reason::RequestsUnknown { why: why.clone() }),
    };
    let standing = match requests::standing(place, requests) {
        Ok(standing) => standing,
        Err(why) => return nothing(Reason::RequestsUnknown { why }),
    };
    // What is there has to be known before anything can be called newer.
    let blind = || if place.at().is_none() { place.unknown_health() } else { None };
    let mut refused = None;
    for request in standing {
        if let Some(reason) = blind() {
            return nothing(reason);
        }
        match requests::asked(scene, place, request) {
            Ok(release) => {
                return Choice {
                    wants: Ok(Wanted { release, request: Some(request), past: Past::Counts }),
                    refused,
                };
            }
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    let wants = if place.environment.is_first() {
        Err(Reason::FollowsGit)
    } else if let Some(reason) = blind() {
        Err(reason)
    } else {
        match &place.environment.queue {
            Queue::Latest => newest(scene, place, decided),
            Queue::Every => next_in_line(scene, place, decided),
            Queue::Pinned(pin) => pinned(scene, place, pin),
        }
    };
    let wants = wants.map(|(release, past)| Wanted { release, request: None, past });
    Choice { wants, refused }
}

/// `latest`: the newest of what the environments before have.
pub(super) fn newest(
    scene: &Scene<'_>,
    place: &Place<'_>,
    decided: &[EnvironmentReport],
) -> Result<(Release, Past), Reason> {
    let mut newest: Option<Release> = None;
    for before in scene.before(place) {
        let offer = offer(before, place.at())?;
        newest = Some(match newest {
            None => offer,
            Some(other) => match scene.orders.compare(&offer, &other) {
                Standing::Newer => offer,
                Standing::Same | Standing::Older => other,
                Standing::Mixed => return Err(Reason::MixedRelease { release: offer, has: other }),
                Standing::Unknown => return Err(Reason::OrderUnknown { release: offer, has: other }),
            },
        });
    }
    let Some(release) = newest else { return Err(Reason::FollowsGit) };
    let Some(at) = place.at() else { return Ok((release, Past::DoesNotCount)) };
    match scene.orders.compare(&release, at) {
        Standing::Newer => Ok((release, Past::DoesNotCount)),
        Standing::Same => Err(upstream(scene, place, decided)),
        Standing::Older => Err(Reason::OlderVersion { release, has: at.clone() }),
        Standing::Mixed => Err(Reason::MixedRelease { release, has: at.clone() }),
        Standing::Unknown => Err(Reason::OrderUnknown { release, has: at.clone() }),
    }
}

/// `pinned`: this release and no other.
fn pinned(scene: &Scene<'_>, place: &Place<'_>, pin: &Release) -> Result<(Release, Past), Reason> {
    let Some(at) = place.at() else { return Ok((pin.clone(), Past::Counts)) };
    let unknown = || Reason::OrderUnknown { release: pin.clone(), has: at.clone() };
    let release = pin.onto(at).ok_or_else(unknown)?;
    match scene.orders.compare(&release, at) {
        Standing::Same => Err(Reason::PinnedQueue { pin: release }),
        Standing::Newer => Ok((release, Past::Counts)),
        Standing::Older => Err(Reason::OlderVersion { release, has: at.clone() }),
        Standing::Mixed => Err(Reason::MixedRelease { release, has: at.clone() }),
        Standing::Unknown => Err(unknown()),
    }
}

/// What an environment before has, as far as one that has `at` carries it.
pub(super) fn offer(before: &Place<'_>, at: Option<&Release>) -> Result<Release, Reason> {
    let environment = || before.name().clone();
    if let Seen::Unknown(why) = &before.seen.declared {
        return Err(Reason::DeclaredUnknown { environment: environment(), why: why.clone() });
    }
    let Some(offer) = before.at() else {
        return Err(match &before.verdict.verdict {
            Verdict::Unknown { .. }
            | Verdict::NotDeployed
            | Verdict::Healthy { .. }
            | Verdict::Failed { .. } => {
                before.unknown_health().unwrap_or_else(|| Reason::NotDeployed { environment: environment() })
            }
            Verdict::Deploying { since, deadline, .. } => Reason::WaitingForHealth {
                environment: environment(),
                release: None,
                since: *since,
                deadline: *deadline,
                healthy: before.verdict.healthy,
                need: before.verdict.need,
            },
        });
    };
    match at {
        None => Ok(offer.clone()),
        Some(at) => offer
            .restricted_to(at)
            .ok_or_else(|| Reason::OrderUnknown { release: offer.clone(), has: at.clone() }),
    }
}

/// The environments before have nothing newer: whether they wait for something
/// newer themselves.
fn upstream(scene: &Scene<'_>, place: &Place<'_>, decided: &[EnvironmentReport]) -> Reason {
    let before = || {
        place.environment.after.iter().filter_map(|name| decided.iter().find(|report| &report.name == name))
    };
    for report in before() {
        if let Some(next) = &report.next
            && scene.is_newer(&next.release, report.release())
        {
            return Reason::WaitingForEnvironment {
                environment: report.name.clone(),
                has: report.release().cloned(),
                wants: next.release.clone(),
            };
        }
    }
    for report in before() {
        if let Some(reason @ Reason::WaitingForEnvironment { .. }) = report.main_reason() {
            return reason.clone();
        }
    }
    Reason::UpToDate
}
