//! Trying the merges that are about to be wanted, so that a conflict is told before anything is written.

use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::PipelineKey;
use gradus_core::observation::{MergeOutcome, MergeSeen, Seen, Why};
use gradus_core::pipeline::Pipeline;
use gradus_core::report::Report;
use tracing::Instrument;

use super::{Memory, Missed, Sight};
use crate::merging::{Merged, Wish, merging};
use crate::places::{Each, Mark};
use crate::port::{PortError, Ports, Repo};
use crate::spans;

/// What came of the last merge that was tried for each environment. The same commits give the same again.
#[derive(Default)]
pub(crate) struct Tried(Mutex<Each<(Mark, MergeOutcome)>>);

impl Tried {
    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(keep);
    }
}

/// Adds to what was seen what the merges come to that bring what wants to come in. Says whether one speaks against
/// coming in.
pub(crate) async fn add(
    ports: &Ports,
    memory: &Memory,
    pipeline: &Pipeline,
    sight: &mut Sight,
    report: &Report,
) -> bool {
    let missed = Missed::default();
    let mut against = false;
    for here in &report.environments {
        let Some((next, merges)) = here.next.as_deref().and_then(|next| Some((next, next.merges.as_ref()?)))
        else {
            continue;
        };
        let (Some(ground), Some(Ok(places))) = (sight.ground(&here.name), sight.places.get(&here.name))
        else {
            continue;
        };
        let wish = Wish { ours: &ground.tip, theirs: &merges.commit, places, to: &next.release };
        let mark = Mark::of(&(wish.ours.as_str(), wish.theirs.as_str(), wish.to.to_string(), places));
        let known = {
            let tried = memory.merges.0.lock().unwrap_or_else(PoisonError::into_inner);
            tried
                .get(&pipeline.key, &here.name)
                .filter(|(of, _)| *of == mark)
                .map(|(_, outcome)| outcome.clone())
        };
        let outcome = match known {
            Some(outcome) => Seen::Known(outcome),
            None => match tried(ports, pipeline, &wish).instrument(spans::edit()).await {
                Ok(outcome) => {
                    let mut tried = memory.merges.0.lock().unwrap_or_else(PoisonError::into_inner);
                    tried.put(&pipeline.key, &here.name, (mark, outcome.clone()));
                    Seen::Known(outcome)
                }
                Err(error) => Seen::Unknown(missed.why(error)),
            },
        };
        against |= outcome != Seen::Known(MergeOutcome::Clean);
        let merge = MergeSeen { commit: merges.commit.clone(), outcome };
        if let Some(seen) = sight.observation.environments.get_mut(&here.name) {
            seen.merge = Some(merge);
        }
    }
    sight.missed |= missed.happened();
    against
}

async fn tried(ports: &Ports, pipeline: &Pipeline, wish: &Wish<'_>) -> Result<MergeOutcome, PortError> {
    let repo: Arc<dyn Repo> = ports.repos.open(&pipeline.repository)?;
    Ok(match merging(&*repo, wish).await? {
        Merged::Within | Merged::Ready(_) => MergeOutcome::Clean,
        Merged::Conflicts(files) => MergeOutcome::Conflicts(files.into()),
        Merged::Impossible(why) => MergeOutcome::Impossible(Why::new(why)),
    })
}
