//! What an environment went through before: what it was moved back from, who
//! brought what it has, and what was set by hand.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::scene::{Place, Scene};
use crate::brought::{Telling, declares};
use crate::names::Person;
use crate::observation::{Approval, Origin, Proof, Request, RequestKind, Seen, Why};
use crate::pipeline::Strategy;
use crate::reason::Reason;
use crate::release::{Release, Standing};

/// Whether the environment was moved back from this release, or from a newer
/// one. It then comes again only when a person says so. Every trace counts: the
/// commit, what was promoted last, what was healthy here, and what people asked
/// to go back from. Where a trace cannot be read, nothing is known.
pub(super) fn stepped_back(scene: &Scene<'_>, place: &Place<'_>, release: &Release) -> Option<Reason> {
    let has = place.has()?;
    if !scene.is_newer(release, Some(has)) {
        return None;
    }
    let traces = match traces(place) {
        Ok(traces) => traces,
        Err(why) => {
            return Some(Reason::HistoryUnknown { environment: place.name().clone(), why: why.clone() });
        }
    };
    let from = traces
        .had()
        .filter(|from| {
            scene.orders.compare(from, has) == Standing::Newer && !scene.is_newer(release, Some(from))
        })
        .min_by_key(|from| (traces.origin.replaced.as_ref() != Some(*from), !from.same(release), *from))?;
    Some(Reason::RolledBack {
        environment: place.name().clone(),
        from: from.clone(),
        to: has.clone(),
        commit: traces.origin.commit.clone(),
        by: traces.origin.author.clone(),
        since: traces.origin.at,
    })
}

/// What is known of an environment's past.
struct Traces<'a> {
    origin: &'a Origin,
    promoted: Option<&'a Release>,
    proofs: &'a [Proof],
    requests: &'a [Request],
}

impl<'a> Traces<'a> {
    /// What the environment had at some time, or has.
    fn had(&self) -> impl Iterator<Item = &'a Release> {
        let went_back = |request: &&Request| match request.kind {
            RequestKind::Rollback | RequestKind::Emergency => true,
            RequestKind::Promote | RequestKind::Override => false,
        };
        let asked = self.requests.iter().filter(went_back).filter_map(|request| request.from.as_ref());
        let healthy = self.proofs.iter().map(|proof| &proof.release);
        self.origin.replaced.iter().chain(self.promoted).chain(healthy).chain(asked)
    }
}

fn traces<'a>(place: &Place<'a>) -> Result<Traces<'a>, &'a Why> {
    fn read<T>(seen: &Seen<T>) -> Result<&T, &Why> {
        match seen {
            Seen::Known(fact) => Ok(fact),
            Seen::Unknown(why) => Err(why),
        }
    }
    let seen = place.seen;
    Ok(Traces {
        origin: read(&read(&seen.declared)?.origin)?,
        promoted: read(&seen.promoted)?.as_ref(),
        proofs: read(&seen.proofs)?,
        requests: read(&seen.requests)?,
    })
}

/// The approvals that count for a release: those given since it was here last.
/// What was approved once, came, and was moved back from needs a new yes.
pub(super) fn approvals<'a>(place: &Place<'a>, release: &Release) -> Cow<'a, Seen<Vec<Approval>>> {
    let seen = &place.seen.approvals;
    let Seen::Known(approvals) = seen else { return Cow::Borrowed(seen) };
    if place.has().is_none() || !approvals.iter().any(|approval| &approval.release == release) {
        return Cow::Borrowed(seen);
    }
    let left = match traces(place) {
        Ok(traces) => last_here(&traces, release),
        Err(why) => return Cow::Owned(Seen::Unknown(why.clone())),
    };
    match left {
        None => Cow::Borrowed(seen),
        Some(left) => {
            let fresh = |approval: &&Approval| &approval.release != release || approval.at > left;
            Cow::Owned(Seen::Known(approvals.iter().filter(fresh).cloned().collect()))
        }
    }
}

/// When the environment had a release for the last time, if it had it.
fn last_here(traces: &Traces<'_>, release: &Release) -> Option<Timestamp> {
    let replaced =
        traces.origin.replaced.iter().filter(|from| from.covers(release)).map(|_| traces.origin.at);
    let healthy = traces.proofs.iter().filter(|proof| proof.release.covers(release)).map(|proof| proof.until);
    let from = |request: &&Request| request.from.as_ref().is_some_and(|from| from.covers(release));
    let asked = traces.requests.iter().filter(from).map(|request| request.at);
    replaced.chain(healthy).chain(asked).max()
}

/// Those whose yes does not count where a gate says so: who brought the release
/// into the environments before, also where it was overtaken, and who asked for it.
pub(super) fn those_who_brought(
    scene: &Scene<'_>,
    place: &Place<'_>,
    release: &Release,
    request: Option<&Request>,
) -> Seen<Vec<Person>> {
    let mut people: BTreeSet<Person> = request.map(|request| request.by.clone()).into_iter().collect();
    // Going back needs no author: the release was let in here once before.
    let goes_back = request.is_some_and(|request| request.kind == RequestKind::Rollback);
    let counts = |before: &&Place<'_>| !goes_back || declares(before.seen, release) || !is_seen(before);
    let before = scene.before(place).chain(scene.further_before(place)).filter(counts);
    let found = match collect(before, release, &mut people) {
        Ok(found) => found,
        Err(why) => return Seen::Unknown(why),
    };
    if !place.environment.is_first() && !goes_back && !found {
        return Seen::unknown(format!("no environment before {} declares {release} any more", place.name()));
    }
    Seen::Known(people.into_iter().collect())
}

fn is_seen(place: &Place<'_>) -> bool {
    place.seen.declared.known().is_some()
}

/// Adds who brought the release into those of the environments that declare it, or
/// declared it before; says whether there is any. What a later one cannot tell, a
/// first one may: there the release began.
fn collect<'s, 'a: 's>(
    places: impl Iterator<Item = &'s Place<'a>>,
    release: &Release,
    people: &mut BTreeSet<Person>,
) -> Result<bool, Why> {
    let (mut found, mut began, mut untold) = (false, false, None);
    for place in places {
        let is_first = place.environment.is_first();
        match Telling::of(place.name(), place.seen, release) {
            Telling::Nothing => continue,
            Telling::Unseen(why) => return Err(why),
            Telling::Some { why, .. } if is_first => return Err(why),
            Telling::Some { named, why } => {
                people.extend(named);
                untold = untold.or(Some(why));
            }
            Telling::All(brought) => {
                people.extend(brought);
                began |= is_first;
            }
        }
        found = true;
    }
    match untold {
        Some(why) if !began => Err(why),
        Some(_) | None => Ok(found),
    }
}

/// Whether Git declares what nobody promoted.
pub(super) fn drift(place: &Place<'_>) -> Option<Reason> {
    // Where somebody else's automation writes, nothing is set beside gradus.
    let is_ours = match place.environment.strategy {
        Strategy::Push | Strategy::PullRequest => true,
        Strategy::Dispatch(_) => false,
    };
    if place.environment.is_first() || !is_ours {
        return None;
    }
    let declared = place.seen.declared.known()?;
    let (has, promoted) = (declared.release.as_ref()?, place.seen.promoted.known()?.as_ref()?);
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
