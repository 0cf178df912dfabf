//! The ledger against a list that is as simple as can be.

use std::collections::BTreeMap;

use gradus_core::names::{EnvironmentName, TargetName};
use gradus_engine::port::Ledger;
use gradus_engine::port::ledger::{Action, Entry, View, after_report};
use gradus_local::SqliteLedger;
use jiff::Timestamp;
use proptest::prelude::*;

use crate::sample::{Variety, all, approval, at, entries, environment, run, web};

/// The entries in the order of their recording.
#[derive(Default)]
struct Model {
    log: Vec<Entry>,
    view: View,
    newest: BTreeMap<(EnvironmentName, TargetName), Timestamp>,
}

impl Model {
    fn record(&mut self, entry: &Entry) {
        if let Entry::Healthy { environment, proof } = entry {
            for old in &mut self.log {
                if let Entry::Healthy { environment: place, proof: span } = old
                    && (&*place, &span.release, span.since) == (environment, &proof.release, proof.since)
                {
                    span.until = span.until.max(proof.until);
                    return;
                }
            }
        }
        if self.log.iter().any(|old| same(old, entry)) || !self.is_news(entry) {
            return;
        }
        self.log.push(entry.clone());
        match entry {
            Entry::Report { environment, target, reported, at, .. } => {
                let place = (environment.clone(), target.clone());
                if self.newest.get(&place).is_none_or(|newest| newest <= at) {
                    let state = after_report(self.view.targets.get(&place), reported, *at);
                    self.view.targets.insert(place.clone(), state);
                    self.newest.insert(place, *at);
                }
            }
            Entry::Wrote(wrote) if wrote.action.promotes() => {
                if let Some(to) = &wrote.to {
                    self.view.promoted.insert(wrote.environment.clone(), to.clone());
                }
            }
            Entry::Wrote(wrote) if wrote.action == Action::Dispatched => {
                if let Some(dispatched) = wrote.dispatched() {
                    self.view.dispatched.entry(wrote.environment.clone()).or_default().push(dispatched);
                }
            }
            Entry::Approval { environment, approval } => {
                self.view.approvals.entry(environment.clone()).or_default().push(approval.clone());
            }
            Entry::Request { environment, request } => {
                self.view.requests.entry(environment.clone()).or_default().push(request.clone());
            }
            Entry::Check { environment, fact } => {
                self.view.checks.entry(environment.clone()).or_default().push(fact.clone());
            }
            Entry::Seen { artifact, version, .. } => {
                self.view.seen.entry(artifact.clone()).or_default().push(version.clone());
            }
            Entry::Healthy { .. } | Entry::Verdict { .. } | Entry::Wrote(_) => {}
        }
    }

    fn is_news(&self, entry: &Entry) -> bool {
        let Entry::Verdict { environment, verdict, release, detail, at } = entry else { return true };
        let last = self.log.iter().rev().find_map(|old| match old {
            Entry::Verdict { environment: place, verdict, release, detail, at } if place == environment => {
                Some(((verdict, release, detail), at))
            }
            Entry::Verdict { .. }
            | Entry::Report { .. }
            | Entry::Approval { .. }
            | Entry::Request { .. }
            | Entry::Check { .. }
            | Entry::Healthy { .. }
            | Entry::Seen { .. }
            | Entry::Wrote(_) => None,
        });
        last.is_none_or(|(what, when)| what != (verdict, release, detail) && when <= at)
    }

    fn view(&self) -> View {
        let mut view = self.view.clone();
        for entry in &self.log {
            if let Entry::Healthy { environment, proof } = entry {
                view.proofs.entry(environment.clone()).or_default().push(proof.clone());
            }
        }
        view
    }
}

/// Whether both are verdicts of one environment: the later one of a call counts.
fn supersedes(later: &Entry, entry: &Entry) -> bool {
    matches!((later, entry), (Entry::Verdict { environment: a, .. }, Entry::Verdict { environment: b, .. }) if a == b)
}

/// Whether the one says nothing that the other has not said.
fn same(a: &Entry, b: &Entry) -> bool {
    match (a.clone(), b.clone()) {
        (
            Entry::Report { environment: e, target: t, reported: r, at: w, .. },
            Entry::Report { environment, target, reported, at, .. },
        ) => (e, t, r, w) == (environment, target, reported, at),
        (Entry::Request { request: a, .. }, Entry::Request { request: b, .. }) => a.id == b.id,
        (Entry::Check { environment: e, mut fact }, Entry::Check { environment, fact: again }) => {
            fact.detail = again.detail.clone();
            (e, fact) == (environment, again)
        }
        (Entry::Seen { artifact: a, version: v, .. }, Entry::Seen { artifact, version, .. }) => {
            (a, v) == (artifact, version)
        }
        (Entry::Wrote(a), Entry::Wrote(b))
            if (a.action, b.action) == (Action::Dispatched, Action::Dispatched) =>
        {
            (a.environment, a.promotion) == (b.environment, b.promotion)
        }
        (Entry::Wrote(a), Entry::Wrote(b)) => {
            (a.environment, a.action, a.commit) == (b.environment, b.action, b.commit)
        }
        (a, b) => a == b,
    }
}

fn check(batches: &[Vec<Entry>]) -> Result<(), TestCaseError> {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        let mut model = Model::default();
        for batch in batches {
            ledger.record(&web(), batch).await.unwrap();
            batch
                .iter()
                .enumerate()
                .filter(|(n, entry)| !batch[n + 1..].iter().any(|later| supersedes(later, entry)))
                .for_each(|(_, entry)| model.record(entry));
            prop_assert_eq!(ledger.view(&web()).await.unwrap(), model.view());
            let history = all(&ledger, &web()).await;
            let log: Vec<Entry> = history.iter().rev().map(|recorded| recorded.entry.clone()).collect();
            prop_assert_eq!(&log, &model.log);
            // Once more changes nothing.
            ledger.record(&web(), batch).await.unwrap();
            prop_assert_eq!(ledger.view(&web()).await.unwrap(), model.view());
            prop_assert_eq!(all(&ledger, &web()).await, history);
        }
        Ok(())
    })
}

/// Found at random: the second verdict is no news when it comes, and would be once the third is there.
#[test]
fn verdicts_of_one_call_that_come_again_are_no_news() {
    let verdict = |word: &str, second| Entry::Verdict {
        environment: environment("prod"),
        verdict: word.to_owned(),
        release: None,
        detail: String::new(),
        at: at(second),
    };
    check(&[vec![verdict("healthy", 0)], vec![verdict("healthy", 2), verdict("unknown", 1)]]).unwrap();
}

/// A yes from before a way back does not count; who says it again is heard.
#[test]
fn a_yes_that_is_said_again_later_is_another_one() {
    let yes = |second| {
        let mut entry = approval("1", "ann");
        if let Entry::Approval { approval, .. } = &mut entry {
            approval.at = at(second);
        }
        entry
    };
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        ledger.record(&web(), &[yes(1)]).await.unwrap();
        ledger.record(&web(), &[yes(1), yes(5)]).await.unwrap();
        let view = ledger.view(&web()).await.unwrap();
        let times: Vec<_> = view.approvals[&environment("prod")].iter().map(|yes| yes.at).collect();
        assert_eq!(times, [at(1), at(5)]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn it_does_what_the_simple_list_does(
        batches in proptest::collection::vec(proptest::collection::vec(entries(Variety::Few), 0..8), 0..6),
    ) {
        check(&batches)?;
    }
}
