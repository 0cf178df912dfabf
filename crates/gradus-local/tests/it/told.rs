//! What was told to whom, against the simplest memory there is.

use std::sync::Arc;

use gradus_core::names::{NotificationName, ProposalNumber};
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::NotificationKey;
use gradus_engine::port::Told as _;
use gradus_engine::port::notify::{Mark, MarkState, Memory, Remember};
use gradus_local::SqliteLedger;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::history::Fixed;
use crate::sample::{at, commit, environment, folder, release, run, web};

fn key(name: &str) -> NotificationKey {
    let (namespace, name) = (web().namespace, NotificationName::parse(name).unwrap());
    NotificationKey { namespace, name }
}

fn news() -> impl Strategy<Value = News> {
    let words = || "\\PC{0,20}";
    let lines = || proptest::collection::vec(words(), 0..3);
    let some = (of(Just(environment("prod"))), of(Just(release("1.1.0"))), of(Just(release("1.0.0"))));
    let more = (of(0..9_u64), of(words()), of(Just(commit('a'))), of(words()), 0..6_i64);
    (select(NewsKind::ALL.to_vec()), some, more, words(), lines(), lines()).prop_map(
        |(
            kind,
            (environment, release, from),
            (proposal, url, commit, scope, second),
            title,
            details,
            can,
        )| News {
            kind,
            key: "k".into(),
            thread: "t".into(),
            scope: scope.map(Arc::from),
            pipeline: web(),
            environment,
            release,
            from,
            proposal: proposal.map(ProposalNumber),
            url: url.map(Arc::from),
            commit,
            repository: "https://git.example.com/fleet".into(),
            at: at(second),
            title,
            details,
            can,
        },
    )
}

fn changes() -> impl Strategy<Value = Remember> {
    let id = || select(vec!["a", "b", "c"]).prop_map(Arc::<str>::from);
    let state = prop_oneof![
        Just(MarkState::Begun),
        Just(MarkState::Past),
        news().prop_map(|news| MarkState::Pending(Box::new(news))),
        Just(MarkState::Sent),
        "\\PC{0,20}".prop_map(MarkState::Undelivered),
    ];
    let kind = of(select(NewsKind::ALL.to_vec()));
    let mark =
        (of(id()), kind, 0..6_i64, "\\PC{0,20}", state).prop_map(|(scope, kind, second, title, state)| {
            Mark { pipeline: web(), scope, kind, at: at(second), title, state }
        });
    prop_oneof![
        (id(), mark).prop_map(|(id, mark)| Remember::Mark(id, mark)),
        id().prop_map(Remember::Forget),
        (id(), "[a-z0-9.]{1,9}", 0..6_i64).prop_map(|(of, thread, second)| Remember::Thread {
            of,
            pipeline: web(),
            thread: thread.into(),
            at: at(second),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_told_is_remembered(
        batches in proptest::collection::vec((any::<bool>(), proptest::collection::vec(changes(), 0..6)), 0..6),
    ) {
        let (_folder, file) = folder();
        run(async {
            let (mut team, mut others) = (Memory::default(), Memory::default());
            for (is_team, batch) in batches {
                let (name, memory) = if is_team { ("team", &mut team) } else { ("others", &mut others) };
                // Opened anew each time, by a clock of these days.
                let ledger = SqliteLedger::open(&file).unwrap().with_clock(Arc::new(Fixed(at(9))));
                ledger.remember(&key(name), &batch).await.unwrap();
                batch.iter().for_each(|change| memory.apply(change));
                prop_assert_eq!(&ledger.memory(&key("team")).await.unwrap(), &team);
                prop_assert_eq!(&ledger.memory(&key("others")).await.unwrap(), &others);
            }
            Ok(())
        })?;
    }
}

fn mark(second: i64, title: &str, state: MarkState) -> Remember {
    let mark =
        Mark { pipeline: web(), scope: None, kind: None, at: at(second), title: title.to_owned(), state };
    Remember::Mark(title.into(), mark)
}

#[test]
fn messages_are_listed_newest_first_and_what_is_none_is_not() {
    run(async {
        let ledger = SqliteLedger::open_in_memory().unwrap();
        let told = [
            mark(1, "one", MarkState::Sent),
            mark(2, "two", MarkState::Undelivered("410 Gone".to_owned())),
            mark(3, "three", MarkState::Past),
            mark(4, "four", MarkState::Begun),
            mark(5, "five", MarkState::Sent),
        ];
        ledger.remember(&key("team"), &told).await.unwrap();
        let titles = async |state: Option<&str>, limit| {
            let messages = ledger.messages(state, limit).await.unwrap();
            messages.into_iter().map(|message| (message.title, message.why)).collect::<Vec<_>>()
        };
        let gone = ("two".to_owned(), Some("410 Gone".to_owned()));
        let one = |title: &str| (title.to_owned(), None);
        assert_eq!(titles(None, 9).await, [one("five"), gone.clone(), one("one")]);
        assert_eq!(titles(None, 2).await, [one("five"), gone.clone()]);
        assert_eq!(titles(Some("undelivered"), 9).await, [gone]);
    });
}

#[test]
fn threads_are_forgotten_after_a_season_and_marks_are_not() {
    let (_folder, file) = folder();
    run(async {
        let open = |second| SqliteLedger::open(&file).unwrap().with_clock(Arc::new(Fixed(at(second))));
        let thread = |of: &str, second| Remember::Thread {
            of: of.into(),
            pipeline: web(),
            thread: "1700000000.1".into(),
            at: at(second),
        };
        let first = [mark(0, "said", MarkState::Sent), thread("old", 0), thread("new", 3600)];
        open(3600).remember(&key("team"), &first).await.unwrap();
        let season = 24 * 90 * 3600;
        let ledger = open(season + 60);
        ledger.remember(&key("team"), &[thread("newest", season)]).await.unwrap();
        let memory = ledger.memory(&key("team")).await.unwrap();
        assert_eq!(memory.threads.keys().map(|of| &**of).collect::<Vec<_>>(), ["new", "newest"]);
        assert_eq!(memory.marks.keys().map(|id| &**id).collect::<Vec<_>>(), ["said"]);
    });
}
