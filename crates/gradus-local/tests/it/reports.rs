//! What reports make of a target, and what is kept of what was said.

use gradus_core::names::TargetName;
use gradus_core::observation::{Proof, TargetState};
use gradus_engine::port::Ledger;
use gradus_engine::port::ledger::{Action, Entry, Reported};
use gradus_local::SqliteLedger;

use crate::sample::{all, approval, at, environment, release, report, run, web, wrote};

fn healthy(version: &str) -> Reported {
    Reported::Healthy { release: release(version) }
}

fn check(reports: &[(Reported, i64)], expected: &TargetState) {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        for (reported, second) in reports {
            ledger.record(&web(), &[report(reported.clone(), *second)]).await.unwrap();
        }
        let place = (environment("prod"), TargetName::parse("eu").unwrap());
        assert_eq!(ledger.view(&web()).await.unwrap().targets.get(&place), Some(expected));
        assert_eq!(all(&ledger, &web()).await.len(), reports.len());
    });
}

#[test]
fn a_state_goes_on_while_the_reports_say_the_same() {
    let expected = TargetState::Healthy { release: release("1"), since: at(1) };
    check(&[(healthy("1"), 1), (healthy("1"), 5), (healthy("1"), 9)], &expected);
}

#[test]
fn a_report_that_comes_late_is_history_only() {
    let expected = TargetState::Healthy { release: release("2"), since: at(9) };
    check(&[(healthy("1"), 1), (healthy("2"), 9), (healthy("1"), 5), (Reported::NotDeployed, 8)], &expected);
}

#[test]
fn of_two_reports_of_one_time_the_later_word_counts() {
    check(&[(healthy("1"), 1), (Reported::NotDeployed, 1)], &TargetState::NotDeployed);
}

#[test]
fn an_entry_that_is_refused_takes_the_whole_call_with_it() {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        let long = Reported::Failed { release: None, why: "x".repeat(300 << 10).into() };
        let error = ledger.record(&web(), &[approval("1", "ann"), report(long, 1)]).await.unwrap_err();
        assert_eq!(
            error.in_full(),
            "recording 2 entries of apps/web in the ledger in memory: \
             report has 307318 bytes; at most 262144 are kept"
        );
        assert_eq!(all(&ledger, &web()).await, []);
    });
}

#[test]
fn pipelines_do_not_see_each_other() {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        ledger.record(&web(), &[approval("1", "ann")]).await.unwrap();
        let other = gradus_core::names::PipelineKey::parse("other/web").unwrap();
        assert_eq!(ledger.view(&other).await.unwrap(), gradus_engine::port::ledger::View::default());
        ledger.record(&other, &[approval("1", "ann")]).await.unwrap();
        assert_eq!(all(&ledger, &other).await.len(), 1);
    });
}

#[test]
fn the_view_keeps_the_newest_of_what_grows() {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        let mut entries = Vec::new();
        for n in 0..1200 {
            entries.push(approval(&n.to_string(), "ann"));
            let proof = Proof { release: release("1"), since: at(n), until: at(n) };
            entries.push(Entry::Healthy { environment: environment("prod"), proof });
            let (artifact, version) =
                release("1").versions().map(|(a, _)| a.clone()).map(|a| (a, n)).next().unwrap();
            let version = gradus_core::version::Version::parse(&version.to_string()).unwrap();
            entries.push(Entry::Seen { artifact, version, at: at(n) });
        }
        entries.push(wrote(Action::Pushed, "7", 'a'));
        ledger.record(&web(), &entries).await.unwrap();
        let view = ledger.view(&web()).await.unwrap();
        let (approvals, proofs) = (&view.approvals[&environment("prod")], &view.proofs[&environment("prod")]);
        let seen = view.seen.values().next().unwrap();
        assert_eq!((approvals.len(), proofs.len(), seen.len()), (500, 200, 1000));
        assert_eq!(
            (&approvals[0].release, proofs[0].since, seen[0].as_str()),
            (&release("700"), at(1000), "200")
        );
        assert_eq!(approvals[499].release, release("1199"));
    });
}
