//! What people said of open proposals in reviews.
//!
//! It is asked for where it may decide something, at each look, and counts as
//! an approval of the release that is proposed. Nothing of it is recorded: what
//! somebody takes back in the forge is taken back.

use std::collections::BTreeMap;

use gradus_core::gate::{Answer, Gate};
use gradus_core::names::{CommitId, Group, ProposalNumber};
use gradus_core::observation::{Approval, Fit, Seen, Why};
use gradus_core::pipeline::{Environment, Pipeline};
use gradus_core::reason::Reason;
use gradus_core::release::Release;
use gradus_core::report::{EnvironmentReport, Report};

use super::{Missed, Sight, proposal_branch, proposals};
use crate::port::forge::{ProposalPlace, ReviewRecord, Verdict};
use crate::port::{PortError, Ports};

/// Adds the approvals that were given in reviews to what was seen, for every environment that waits for one.
/// Says whether there was anything to add.
pub(crate) async fn add(ports: &Ports, pipeline: &Pipeline, sight: &mut Sight, report: &Report) -> bool {
    let missed = Missed::default();
    let mut added = false;
    for environment in pipeline.environments().iter().filter(|environment| environment.pull_request().reviews)
    {
        let Some((place, open)) = waiting(pipeline, environment, sight, report) else { continue };
        let Some(seen) = sight.observation.environments.get_mut(&environment.name) else { continue };
        let Seen::Known(approvals) = &mut seen.approvals else { continue };
        match given(ports, &place, &open, &groups(environment)).await {
            Ok(given) => {
                added |= !given.is_empty();
                approvals.extend(given);
            }
            Err(why) => {
                added = true;
                seen.approvals = Seen::Unknown(why.unwrap_or_else(|error| missed.why(error)));
            }
        }
    }
    sight.missed |= missed.happened();
    added
}

/// An open proposal for whose release somebody's yes is waited for.
struct Open {
    number: ProposalNumber,
    head: CommitId,
    release: Release,
}

/// The proposal that waits for approvals, if one does and they would count for what it proposes.
fn waiting(
    pipeline: &Pipeline,
    environment: &Environment,
    sight: &Sight,
    report: &Report,
) -> Option<(ProposalPlace, Open)> {
    let here = report.environment(&environment.name)?;
    let proposal = here.proposal.as_ref()?;
    let release = proposal.release.known()?;
    let fits = match proposal.fit {
        Fit::Current | Fit::Behind | Fit::Queued(_) => true,
        Fit::Foreign | Fit::Declined(_) => false,
    };
    if !fits || !asks_people(here, release) {
        return None;
    }
    let base = &sight.ground(&environment.name)?.branch;
    let branch = proposal_branch(pipeline, &environment.name)?;
    let place = proposals::place(pipeline, &environment.name, base, &branch);
    Some((place, Open { number: proposal.number, head: proposal.head.clone(), release: release.clone() }))
}

/// Whether a gate of this environment waits for people to approve of this release.
fn asks_people(here: &EnvironmentReport, release: &Release) -> bool {
    let Some(next) = here.next.as_ref().filter(|next| next.release.same(release)) else { return false };
    next.gates.iter().any(|gate| match &gate.answer {
        Answer::Hold(Reason::WaitingForApproval { .. }) => true,
        Answer::Hold(_) | Answer::Pass(_) | Answer::Fail(_) => false,
    })
}

/// The groups that the environment's gates ask for.
pub(crate) fn groups(environment: &Environment) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for gate in &environment.gates {
        match gate {
            Gate::Approval(gate) => groups.extend(gate.groups.iter().cloned()),
            Gate::Soak(_) | Gate::Window(_) | Gate::Freeze(_) | Gate::Check(_) | Gate::Manual => {}
        }
    }
    groups
}

/// The approvals that stand. What cannot be known of one of them makes all of them unknown: who waits for one has
/// to learn why it does not count.
async fn given(
    ports: &Ports,
    place: &ProposalPlace,
    open: &Open,
    groups: &[Group],
) -> Result<Vec<Approval>, Result<Why, PortError>> {
    let reviews = ports.forge.reviews(place, open.number).await.map_err(Err)?;
    let mut approvals = Vec::new();
    for review in newest(reviews) {
        if review.verdict != Verdict::Yes {
            continue;
        }
        // What was approved of before is not what is proposed now.
        if review.on.as_ref().is_some_and(|on| *on != open.head) {
            continue;
        }
        let who = ports.forge.who(place, &review.by, groups).await.map_err(Err)?;
        // In a public repository anybody may review.
        if who.may.is_err() {
            continue;
        }
        if review.on.is_none() {
            let why = format!("the forge does not tell which commit {} approved of", review.by);
            return Err(Ok(Why::new(why)));
        }
        let release = open.release.clone();
        approvals.push(Approval {
            release,
            by: review.by,
            groups: who.groups,
            aliases: who.aliases,
            at: review.at,
        });
    }
    Ok(approvals)
}

/// The last word of each person, whatever they said before.
fn newest(reviews: Vec<ReviewRecord>) -> Vec<ReviewRecord> {
    let mut last: BTreeMap<String, ReviewRecord> = BTreeMap::new();
    for review in reviews {
        let name = review.by.as_str().to_lowercase();
        // Of two at the same moment the later one in the list is the later one.
        if last.get(&name).is_none_or(|before| before.at <= review.at) {
            last.insert(name, review);
        }
    }
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use gradus_core::names::Person;

    use super::*;

    fn person(name: &str) -> Person {
        Person::parse(name).unwrap()
    }

    #[test]
    fn the_last_word_of_each_person_counts() {
        let said = |by: &str, verdict, at| ReviewRecord {
            by: person(by),
            verdict,
            on: None,
            at: jiff::Timestamp::from_second(at).unwrap(),
        };
        let check = |reviews: Vec<ReviewRecord>, expected: &[(&str, Verdict)]| {
            let last = newest(reviews);
            let last: Vec<_> = last.iter().map(|review| (review.by.as_str(), review.verdict)).collect();
            assert_eq!(last, expected);
        };
        check(vec![], &[]);
        check(
            vec![said("ann", Verdict::Yes, 1), said("bob", Verdict::No, 1)],
            &[("ann", Verdict::Yes), ("bob", Verdict::No)],
        );
        check(vec![said("ann", Verdict::Yes, 1), said("Ann", Verdict::No, 2)], &[("Ann", Verdict::No)]);
        check(vec![said("ann", Verdict::No, 2), said("ann", Verdict::Yes, 1)], &[("ann", Verdict::No)]);
        check(
            vec![said("ann", Verdict::Yes, 1), said("ann", Verdict::Withdrawn, 1)],
            &[("ann", Verdict::Withdrawn)],
        );
    }
}
