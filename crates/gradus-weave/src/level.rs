//! The rule of pipelines that follow what runs: what the first environment runs
//! goes to the others, one after the other.

use crate::effective::effective;
use crate::kind::{Environment, Pipeline, PromotionStatus};
use crate::name::Revision;
use crate::promotion::Promotion;

/// What was seen of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// It could be read.
    Seen {
        /// What was applied last; `None` where that is not known.
        revision: Option<Revision>,
        /// Whether it works.
        ready: bool,
    },
    /// It could not be read: its cluster or its application is not there, or not reachable.
    Unreadable,
}

/// What a promotion waits for in the first environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// There is no environment at all.
    NoEnvironments,
    /// The targets run different revisions, or unknown ones.
    SameRevision,
    /// Not all targets work.
    Ready,
}

impl Pending {
    /// The words of the condition.
    pub fn message(self) -> &'static str {
        match self {
            Self::NoEnvironments => "The pipeline has no environments",
            Self::SameRevision => "Waiting for all targets to have the same revision",
            Self::Ready => "Waiting for all targets to be ready",
        }
    }
}

/// What is to be done. Only [`Decision::Pending`] leaves the condition `PromotionPending`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: every environment runs the revision and works.
    Done {
        /// The revision.
        revision: Revision,
    },
    /// Nothing, as the first environment has not come to rest.
    Pending(Pending),
    /// Nothing until a target of this environment changes.
    Wait {
        /// The environment.
        environment: String,
    },
    /// Nothing now, as this environment cannot be seen. Look again later.
    LookAgain {
        /// The environment.
        environment: String,
    },
    /// The revision waits for an approval.
    AwaitApproval {
        /// The environment that it would go to.
        environment: String,
        /// The revision.
        revision: Revision,
    },
    /// This is promoted.
    Promote(Box<Promotion>),
    /// Nothing, as nobody said how to promote to this environment.
    Stop {
        /// The environment.
        environment: String,
    },
}

/// What is to be done, from what was seen: a list of targets for each environment of the pipeline, in their order.
///
/// A target that cannot be seen is never taken for one that lags, and what was
/// written for an environment is not written again while it lags.
pub fn decide(pipeline: &Pipeline, seen: &[Vec<Target>]) -> Decision {
    let environments = &pipeline.spec.environments;
    let nothing: &[Target] = &[];
    let targets = |at: usize| seen.get(at).map_or(nothing, Vec::as_slice);
    let Some(first) = environments.first() else { return Decision::Pending(Pending::NoEnvironments) };
    let revision = match at_rest(targets(0)) {
        Err(Unrest::Unreadable) => return Decision::LookAgain { environment: first.name.clone() },
        Err(Unrest::Pending(pending)) => return Decision::Pending(pending),
        Ok(revision) => revision,
    };
    for (at, environment) in environments.iter().enumerate().skip(1) {
        match stand(targets(at), revision) {
            Stand::There => {}
            Stand::Unreadable => return Decision::LookAgain { environment: environment.name.clone() },
            Stand::Arriving => return Decision::Wait { environment: environment.name.clone() },
            Stand::Behind => return next(pipeline, environment, revision),
        }
    }
    Decision::Done { revision: revision.clone() }
}

enum Unrest {
    Unreadable,
    Pending(Pending),
}

/// The revision that all targets run and work with.
fn at_rest(targets: &[Target]) -> Result<&Revision, Unrest> {
    let mut common = None;
    let mut all_ready = true;
    let mut differ = targets.is_empty();
    for target in targets {
        match target {
            Target::Unreadable => return Err(Unrest::Unreadable),
            Target::Seen { revision, ready } => {
                all_ready &= ready;
                differ |=
                    revision.is_none() || common.is_some_and(|common| Some(common) != revision.as_ref());
                common = revision.as_ref().or(common);
            }
        }
    }
    match common {
        Some(revision) if !differ && all_ready => Ok(revision),
        Some(_) if !differ => Err(Unrest::Pending(Pending::Ready)),
        Some(_) | None => Err(Unrest::Pending(Pending::SameRevision)),
    }
}

enum Stand {
    There,
    Unreadable,
    Arriving,
    Behind,
}

/// How far an environment is. One without targets is where it should be.
fn stand(targets: &[Target], wanted: &Revision) -> Stand {
    let (mut there, mut any) = (true, false);
    for target in targets {
        match target {
            Target::Unreadable => return Stand::Unreadable,
            Target::Seen { revision, ready } => {
                let on_it = revision.as_ref() == Some(wanted);
                any |= on_it;
                there &= on_it && *ready;
            }
        }
    }
    match (there, any) {
        (true, _) => Stand::There,
        (false, true) => Stand::Arriving,
        (false, false) => Stand::Behind,
    }
}

fn next(pipeline: &Pipeline, environment: &Environment, revision: &Revision) -> Decision {
    let name = || environment.name.clone();
    let recorded =
        pipeline.status.environments.get(&environment.name).and_then(|status| status.promotion.as_ref());
    if recorded.is_some_and(|recorded| was_written(recorded, revision)) {
        return Decision::Wait { environment: name() };
    }
    let manual = effective(pipeline, &environment.name).is_some_and(|promotion| promotion.manual);
    if manual {
        return Decision::AwaitApproval { environment: name(), revision: revision.clone() };
    }
    match Promotion::to(pipeline, environment, revision.clone()) {
        Ok(promotion) => Decision::Promote(Box::new(promotion)),
        Err(_unable) => Decision::Stop { environment: name() },
    }
}

/// Whether this revision was written for the environment already. One that failed is tried again.
fn was_written(recorded: &PromotionStatus, revision: &Revision) -> bool {
    recorded.succeeded && recorded.revision == revision.as_str()
}
