//! Which release wants to come into an environment: the one a person asked for,
//! or the one whose turn it is.

use std::collections::BTreeMap;

use super::Scene;
use crate::names::EnvironmentName;
use crate::observation::{EnvironmentSeen, Request, RequestKind, Seen};
use crate::pipeline::{Environment, Queue};
use crate::proof::{Past, declared_or_running};
use crate::reason::Reason;
use crate::release::{Release, Standing};
use crate::report::EnvironmentReport;

/// What wants to come in.
pub(super) enum Choice<'a> {
    /// This release.
    Release { release: Release, request: Option<&'a Request>, past: Past },
    /// Nothing, for this reason.
    Nothing(Reason),
}

/// Chooses what wants to come into an environment that has `has`.
pub(super) fn choose<'a>(
    scene: &Scene<'_>,
    environment: &Environment,
    seen: &'a EnvironmentSeen,
    has: Option<&Release>,
    decided: &BTreeMap<&EnvironmentName, EnvironmentReport>,
) -> Choice<'a> {
    let requests = match &seen.requests {
        Seen::Known(requests) => requests,
        Seen::Unknown(why) => return Choice::Nothing(Reason::RequestsUnknown { why: why.clone() }),
    };
    if let Some(request) = requests.iter().rev().find(|request| is_open(request, seen, has)) {
        return asked(scene, environment, has, request);
    }
    if environment.is_first() {
        return Choice::Nothing(Reason::FollowsGit);
    }
    match &environment.queue {
        Queue::Latest => newest(scene, environment, has, decided),
        Queue::Every => next_in_line(scene, environment, has, decided),
        Queue::Pinned(pin) => match has.map(|has| scene.orders.compare(pin, has)) {
            Some(Standing::Same) => Choice::Nothing(Reason::PinnedQueue { pin: pin.clone() }),
            Some(Standing::Newer) | None => {
                Choice::Release { release: pin.clone(), request: None, past: Past::Counts }
            }
            Some(standing) => Choice::Nothing(not_newer(standing, pin, has)),
        },
    }
}

/// Whether a request still stands. It was made for the state that the
/// environment was in, and for no other; once that has changed, it is done or void.
fn is_open(request: &Request, seen: &EnvironmentSeen, has: Option<&Release>) -> bool {
    let same_release = match (&request.from, has) {
        (None, None) => true,
        (Some(from), Some(has)) => from.same(has),
        (Some(_), None) | (None, Some(_)) => false,
    };
    let origin = seen.declared.known().and_then(|declared| declared.origin.known());
    let same_commit = match (&request.from_commit, origin) {
        (Some(commit), Some(origin)) => *commit == origin.commit,
        (Some(_), None) | (None, _) => true,
    };
    same_release && same_commit && has.is_none_or(|has| !has.same(&request.release))
}

fn asked<'a>(
    scene: &Scene<'_>,
    environment: &Environment,
    has: Option<&Release>,
    request: &'a Request,
) -> Choice<'a> {
    let refuse = |why: &str| {
        Choice::Nothing(Reason::RequestRefused {
            by: request.by.clone(),
            release: request.release.clone(),
            why: why.into(),
            since: request.at,
        })
    };
    if scene.pipeline.blocks(environment, &request.release) {
        return refuse("this version is blocked");
    }
    let standing = has.map(|has| scene.orders.compare(&request.release, has));
    match (request.kind, standing) {
        (RequestKind::Emergency, _) if environment.emergency == crate::pipeline::Emergency::Forbidden => {
            refuse("this environment does not allow emergencies")
        }
        (RequestKind::Promote | RequestKind::Override, Some(Standing::Older | Standing::Mixed)) => {
            refuse("it is older than what is there; going back is a rollback")
        }
        (RequestKind::Rollback, Some(Standing::Newer)) => refuse("it is newer than what is there; going on is a promotion"),
        (
            RequestKind::Promote | RequestKind::Override | RequestKind::Rollback | RequestKind::Emergency,
            _,
        ) => Choice::Release { release: request.release.clone(), request: Some(request), past: Past::Counts },
    }
}

/// `latest`: the newest of what the environments before have.
fn newest<'a>(
    scene: &Scene<'_>,
    environment: &Environment,
    has: Option<&Release>,
    decided: &BTreeMap<&EnvironmentName, EnvironmentReport>,
) -> Choice<'a> {
    let mut newest: Option<Release> = None;
    for name in &environment.after {
        let offer = match offer(scene, name, has) {
            Ok(Some(offer)) => offer,
            Ok(None) => return Choice::Nothing(Reason::NotDeployed { environment: name.clone() }),
            Err(reason) => return Choice::Nothing(reason),
        };
        newest = Some(match newest {
            None => offer,
            Some(other) => match scene.orders.compare(&offer, &other) {
                Standing::Newer => offer,
                Standing::Same | Standing::Older => other,
                Standing::Mixed => return Choice::Nothing(Reason::MixedRelease { release: offer, has: other }),
                Standing::Unknown => return Choice::Nothing(Reason::OrderUnknown { release: offer, has: other }),
            },
        });
    }
    let Some(release) = newest else { return Choice::Nothing(Reason::FollowsGit) };
    match has.map(|has| scene.orders.compare(&release, has)) {
        None | Some(Standing::Newer) => Choice::Release { release, request: None, past: Past::DoesNotCount },
        Some(Standing::Same) => Choice::Nothing(upstream(environment, decided)),
        Some(standing) => Choice::Nothing(not_newer(standing, &release, has)),
    }
}

/// What an environment before has, as far as the one in question carries it.
fn offer(scene: &Scene<'_>, name: &EnvironmentName, has: Option<&Release>) -> Result<Option<Release>, Reason> {
    let (Some(seen), Some(verdict)) = (scene.seen(name), scene.verdicts.get(name)) else { return Ok(None) };
    if let Seen::Unknown(why) = &seen.declared {
        return Err(Reason::DeclaredUnknown { environment: name.clone(), why: why.clone() });
    }
    let Some(offer) = declared_or_running(seen, verdict) else {
        return match &verdict.verdict {
            crate::verdict::Verdict::Unknown { why } => {
                Err(Reason::HealthUnknown { environment: name.clone(), target: None, why: why.clone() })
            }
            crate::verdict::Verdict::NotDeployed
            | crate::verdict::Verdict::Deploying { .. }
            | crate::verdict::Verdict::Healthy { .. }
            | crate::verdict::Verdict::Failed { .. } => Ok(None),
        };
    };
    match has {
        None => Ok(Some(offer.clone())),
        Some(has) => offer.restricted_to(has).map(Some).ok_or_else(|| Reason::OrderUnknown {
            release: offer.clone(),
            has: has.clone(),
        }),
    }
}

/// `queue`: the oldest of what every environment before has proven and this one has not had.
fn next_in_line<'a>(
    scene: &Scene<'_>,
    environment: &Environment,
    has: Option<&Release>,
    decided: &BTreeMap<&EnvironmentName, EnvironmentReport>,
) -> Choice<'a> {
    let mut line: Vec<Release> = Vec::new();
    for name in &environment.after {
        let Some(seen) = scene.seen(name) else { continue };
        let proofs = match &seen.proofs {
            Seen::Known(proofs) => proofs,
            Seen::Unknown(why) => {
                return Choice::Nothing(Reason::HealthUnknown {
                    environment: name.clone(),
                    target: None,
                    why: why.clone(),
                });
            }
        };
        let current = match offer(scene, name, has) {
            Ok(current) => current,
            Err(reason) => return Choice::Nothing(reason),
        };
        let past = proofs.iter().filter_map(|proof| match has {
            None => Some(proof.release.clone()),
            Some(has) => proof.release.restricted_to(has),
        });
        line.extend(past.chain(current));
    }
    let mut first: Option<Release> = None;
    for release in line {
        let waits = has.is_none_or(|has| scene.orders.compare(&release, has) == Standing::Newer);
        let kept_out = scene.pipeline.blocks(environment, &release);
        let earlier = first.as_ref().is_none_or(|first| scene.orders.compare(&release, first) == Standing::Older);
        if waits && !kept_out && earlier {
            first = Some(release);
        }
    }
    match first {
        Some(release) => Choice::Release { release, request: None, past: Past::Counts },
        None => newest(scene, environment, has, decided),
    }
}

/// Why a release that is not newer does not come in by itself.
fn not_newer(standing: Standing, release: &Release, has: Option<&Release>) -> Reason {
    let Some(has) = has.cloned() else { return Reason::UpToDate };
    let release = release.clone();
    match standing {
        Standing::Same | Standing::Newer => Reason::UpToDate,
        Standing::Older => Reason::OlderVersion { release, has },
        Standing::Mixed => Reason::MixedRelease { release, has },
        Standing::Unknown => Reason::OrderUnknown { release, has },
    }
}

/// The environments before have nothing newer: whether they wait for something themselves.
fn upstream(environment: &Environment, decided: &BTreeMap<&EnvironmentName, EnvironmentReport>) -> Reason {
    let waits = environment.after.iter().find_map(|name| {
        let before = decided.get(name)?;
        let next = before.next.as_ref()?;
        Some((name, before.release().cloned(), next.release.clone()))
    });
    match waits {
        Some((name, has, wants)) => Reason::WaitingForEnvironment { environment: name.clone(), has, wants },
        None => {
            let further = environment.after.iter().find_map(|name| match decided.get(name)?.main_reason()? {
                reason @ Reason::WaitingForEnvironment { .. } => Some(reason.clone()),
                _other => None,
            });
            further.unwrap_or(Reason::UpToDate)
        }
    }
}
