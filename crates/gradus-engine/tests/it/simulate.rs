//! The simulator, and that it notices what is broken on purpose.
//!
//! What was tried by hand, each found within the seeds below:
//!
//! | what is broken | what is noticed |
//! |---|---|
//! | a push does not compare the old tip ([`Sabotage::IgnoresExpect`]) | a commit whose first parent is not where the branch was |
//! | a branch is deleted at whatever commit ([`Sabotage::DeletesAnyHead`]) | other people's commits are lost |
//! | history is not told ([`Sabotage::FlatHistory`]) | a release that was taken back is written again |
//! | the branches of proposals are not told ([`Sabotage::HidesProposals`]) | the same step is tried without end |
//! | approvals are not kept ([`Sabotage::ForgetsApprovals`]) | people say yes without end |
//! | an approval counts for all releases ([`Sabotage::SpreadsApprovals`]) | a release that nobody approved comes in |
//! | any report counts as healthy ([`Sabotage::BelievesAnything`]) | a release comes in that was never healthy before |
//! | the clock runs ahead ([`Sabotage::RunsAhead`]) | a release that did not soak, or a closed window |

use std::time::{Duration, Instant};

use gradus_engine::fake::Sabotage;
use gradus_engine::fake::simulate::{Options, Played, play};

fn options(seed: u64) -> Options {
    Options { seed, trace: false, sabotage: None }
}

/// Many schedules: as many as there is time for, and at least some.
#[test]
fn no_schedule_breaks_a_promise() {
    const LEAST: u64 = 150;
    const MOST: u64 = 4000;
    let begun = Instant::now();
    let mut all = Played::default();
    for seed in (0..MOST).take_while(|seed| *seed < LEAST || begun.elapsed() < Duration::from_secs(15)) {
        match play(options(seed)) {
            Ok(played) => {
                all.promotions += played.promotions;
                all.proposals += played.proposals;
                all.failures += played.failures;
                all.crashes += played.crashes;
            }
            Err(violation) => panic!("{violation}"),
        }
    }
    // Schedules in which nothing happens would prove nothing.
    assert!(all.promotions > LEAST, "{all:?}");
    assert!(all.proposals > LEAST / 2, "{all:?}");
    assert!(all.failures > LEAST, "{all:?}");
    assert!(all.crashes > LEAST / 2, "{all:?}");
}

#[test]
fn a_seed_is_always_the_same_schedule() {
    for seed in [3, 7] {
        let traced = || play(Options { seed, trace: true, sabotage: None }).expect("a good schedule");
        assert_eq!(traced(), traced());
    }
}

/// Plays until something is noticed.
fn check(sabotage: Sabotage, seeds: u64, noticed: &str) {
    let mut found =
        (0..seeds).filter_map(|seed| play(Options { sabotage: Some(sabotage), ..options(seed) }).err());
    let Some(violation) = found.next() else { panic!("{sabotage:?} was not noticed") };
    let mut all = std::iter::once(violation).chain(found).map(|violation| violation.what);
    assert!(all.any(|what| what.contains(noticed)), "{sabotage:?} was noticed for another reason");
}

#[test]
fn what_is_broken_on_purpose_is_noticed() {
    for sabotage in Sabotage::ALL {
        let (seeds, noticed) = match sabotage {
            Sabotage::IgnoresExpect => (1000, "its first parent is not where the branch was"),
            Sabotage::DeletesAnyHead => (2000, "other people's commits were built upon or lost"),
            Sabotage::FlatHistory => (1000, "moved back from"),
            Sabotage::HidesProposals => (200, "come to an end"),
            Sabotage::ForgetsApprovals => (200, "come to rest"),
            Sabotage::SpreadsApprovals => (200, "agreed"),
            Sabotage::BelievesAnything => (200, "never healthy"),
            Sabotage::RunsAhead => (200, "soak"),
        };
        check(sabotage, seeds, noticed);
    }
}
