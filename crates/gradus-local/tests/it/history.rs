//! The record, page by page.

use std::sync::Arc;

use gradus_engine::port::ledger::{Action, HistoryQuery, Reported};
use gradus_engine::port::{Clock, Ledger};
use gradus_local::SqliteLedger;
use jiff::Timestamp;

use crate::sample::{approval, at, environment, report, run, web, wrote};

pub(crate) struct Fixed(pub(crate) Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn check(query: &HistoryQuery, expected: &[u64]) {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap().with_clock(Arc::new(Fixed(at(77))));
        let entries = [
            report(Reported::NotDeployed, 1),
            approval("1", "ann"),
            wrote(Action::Pushed, "1", 'a'),
            approval("1", "ben"),
        ];
        ledger.record(&web(), &entries).await.unwrap();
        let page = ledger.history(&web(), query).await.unwrap();
        assert_eq!(page.iter().map(|recorded| recorded.id).collect::<Vec<_>>(), expected);
        for recorded in page {
            assert_eq!(recorded.at, at(77));
            assert_eq!(recorded.entry, entries[usize::try_from(recorded.id).unwrap() - 1]);
        }
    });
}

#[test]
fn pages_go_back_in_time() {
    let all = HistoryQuery { limit: 9, ..HistoryQuery::default() };
    check(&all, &[4, 3, 2, 1]);
    check(&HistoryQuery { limit: 2, ..all.clone() }, &[4, 3]);
    check(&HistoryQuery { limit: 2, before: Some(3), ..all.clone() }, &[2, 1]);
    check(&HistoryQuery { before: Some(1), ..all.clone() }, &[]);
    check(&HistoryQuery { before: Some(u64::MAX), ..all.clone() }, &[4, 3, 2, 1]);
    check(&HistoryQuery { limit: 0, ..all.clone() }, &[]);
    check(&HistoryQuery { limit: usize::MAX, ..all }, &[4, 3, 2, 1]);
}

#[test]
fn only_deeds_and_only_one_environment() {
    let deeds = HistoryQuery { limit: 9, deeds_only: true, ..HistoryQuery::default() };
    check(&deeds, &[4, 3, 2]);
    check(&HistoryQuery { limit: 1, before: Some(4), ..deeds.clone() }, &[3]);
    let prod = HistoryQuery { environment: Some(environment("prod")), ..deeds.clone() };
    check(&prod, &[4, 3, 2]);
    check(&HistoryQuery { deeds_only: false, ..prod }, &[4, 3, 2, 1]);
    check(&HistoryQuery { environment: Some(environment("dev")), ..deeds }, &[]);
}
