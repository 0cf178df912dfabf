//! Which commit of the branch before is merged to bring a release.

use super::Merges;
use super::scene::{Place, Scene};
use crate::brought::declares;
use crate::names::CommitId;
use crate::observation::{MergeOutcome, Origin, Seen, Why};
use crate::pipeline::Takes;
use crate::proof::Proving;
use crate::reason::Reason;
use crate::release::{Release, Standing};

/// What is merged to bring a release; nothing where its version alone is written, as it is on the way back: a merge
/// takes nothing away.
pub(super) fn merges(
    scene: &Scene<'_>,
    place: &Place<'_>,
    release: &Release,
    proving: Option<&Proving>,
) -> Result<Option<Merges>, Reason> {
    match place.environment.takes {
        Takes::Version => return Ok(None),
        Takes::Branch => {}
    }
    if place.has().is_some_and(|has| scene.orders.compare(release, has) == Standing::Older) {
        return Ok(None);
    }
    let Some(before) = scene.before(place).next() else { return Ok(None) };
    let environment = before.name().clone();
    let unknown = |why: &Why| Reason::MergeUnknown { environment: environment.clone(), why: why.clone() };
    let commit = match &before.seen.declared {
        Seen::Unknown(why) => return Err(unknown(why)),
        Seen::Known(declared) if declares(before.seen, release) => match &declared.origin {
            Seen::Unknown(why) => return Err(unknown(why)),
            Seen::Known(origin) => Some(proven(origin, proving)),
        },
        Seen::Known(_) => {
            let arrived = before.seen.brought.iter().find(|brought| brought.release.covers(release));
            arrived.and_then(|brought| brought.commit.clone())
        }
    };
    match commit {
        Some(commit) => Ok(Some(Merges { environment, commit })),
        None => Err(unknown(&Why::new(format!("no commit of its branch is known that declared {release}")))),
    }
}

/// The newest commit that was there when the release became healthy: what came later is proven by nothing yet. It is
/// the one that brought the release at least.
fn proven(origin: &Origin, proving: Option<&Proving>) -> CommitId {
    let healthy = proving.and_then(|proving| match proving {
        Proving::Now { since } => Some(*since),
        Proving::Before { .. } | Proving::Not(_) => None,
    });
    let then = healthy.and_then(|healthy| origin.since.iter().find(|(_, at)| *at <= healthy));
    then.map_or(&origin.commit, |(commit, _)| commit).clone()
}

/// What speaks against the merge, as far as it was tried.
pub(super) fn against(place: &Place<'_>, merges: &Merges) -> Option<Reason> {
    let tried = place.seen.merge.as_ref().filter(|tried| tried.commit == merges.commit)?;
    let (environment, commit) = (merges.environment.clone(), merges.commit.clone());
    match &tried.outcome {
        Seen::Unknown(why) => Some(Reason::MergeUnknown { environment, why: why.clone() }),
        Seen::Known(MergeOutcome::Clean) => None,
        Seen::Known(MergeOutcome::Conflicts(files)) => {
            Some(Reason::MergeConflict { environment, commit, files: files.clone() })
        }
        Seen::Known(MergeOutcome::Impossible(why)) => {
            Some(Reason::MergeImpossible { environment, commit, why: why.clone() })
        }
    }
}
