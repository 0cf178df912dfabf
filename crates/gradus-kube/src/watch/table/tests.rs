//! A table against a model: whoever wants whatever, in whatever order things
//! arrive, what is seen is what is there, or it is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{Arrival, Health, Hearers, Look, Table, Version};
use crate::watch::sight::{Blind, BlindKind};
use crate::watch::wanted::{Among, ObjectName, Subscriber, Which};

const NAMES: usize = 6;

fn name(number: usize) -> ObjectName {
    ObjectName::new(["a", "b"][number % 2], &format!("app-{number}"))
}

fn who(number: u64) -> Arc<Subscriber> {
    Arc::new(Subscriber::Follower(number))
}

fn among(number: usize) -> Among {
    Among { namespace: [None, Some("a"), Some("b")][number % 3].map(Arc::from), ..Among::default() }
}

#[derive(Debug, Clone)]
enum Step {
    /// Somebody wants these names, and all in these places.
    Want(u64, BTreeSet<usize>, Option<usize>),
    /// An object is written, or deleted.
    Write(usize),
    Delete(usize),
    /// The watch tells as many of the events that it did not tell yet.
    Tell(usize),
    /// Everything is listed; as many writes come in its middle.
    List,
    /// What is asked for by name is answered.
    Answer,
    /// The connection is lost, time passes, it is back.
    Lose,
    Tick,
    Back,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0u64..3, prop::collection::btree_set(0..NAMES, 0..4), prop::option::of(0usize..3))
            .prop_map(|(who, names, all)| Step::Want(who, names, all)),
        (0..NAMES).prop_map(Step::Write),
        (0..NAMES).prop_map(Step::Write),
        (0..NAMES).prop_map(Step::Delete),
        (0usize..4).prop_map(Step::Tell),
        Just(Step::List),
        Just(Step::Answer),
        Just(Step::Lose),
        Just(Step::Tick),
        Just(Step::Back),
    ];
    prop::collection::vec(step, 0..60)
}

/// The cluster, and what the watch has not told of it.
#[derive(Default)]
struct World {
    objects: BTreeMap<usize, u64>,
    version: u64,
    untold: Vec<(usize, Option<u64>, u64)>,
}

impl World {
    fn arrival(table: &Table, number: usize, version: u64) -> Arrival {
        let wanted = table.wants(&name(number), &BTreeMap::new());
        Arrival {
            name: name(number),
            version: Version::read(&version.to_string()),
            labels: BTreeMap::new(),
            bytes: wanted.then(|| version.to_string().into_bytes().into()),
        }
    }

    // Each says who heard of it.

    fn tell(&mut self, table: &mut Table, count: usize) -> Hearers {
        let mut heard = Hearers::new();
        for (number, there, at) in self.untold.drain(..count.min(self.untold.len())) {
            heard.extend(match there {
                Some(version) => table.arrive(Self::arrival(table, number, version)),
                None => table.leave(&name(number), Version::read(&at.to_string())),
            });
        }
        heard
    }

    fn list(&mut self, table: &mut Table) -> Hearers {
        table.begin_list();
        for (number, version) in &self.objects {
            let arrival = Self::arrival(table, *number, *version);
            table.arrive(arrival);
        }
        self.untold.clear();
        end_list(table)
    }

    fn answer(&self, table: &mut Table) -> Hearers {
        let mut heard = Hearers::new();
        for asked in table.to_get() {
            let number = (0..NAMES).find(|number| name(*number) == asked).unwrap();
            let found = self.objects.get(&number).map(|version| Self::arrival(table, number, *version));
            heard.extend(table.answer(&asked, found));
        }
        heard
    }
}

/// The list ends. Says who heard of it.
fn end_list(table: &mut Table) -> Hearers {
    let (changed, all) = table.end_list();
    let mut heard: Hearers = changed.into_iter().flat_map(|(_, hearers)| hearers).collect();
    heard.extend(everybody_if(table, all));
    heard
}

fn everybody_if(table: &Table, all: bool) -> Hearers {
    if all { table.everybody() } else { Hearers::new() }
}

/// What everybody wants, by number.
type Wishes = BTreeMap<u64, (BTreeSet<usize>, Option<usize>)>;

/// What everybody sees of what they want.
fn views(table: &Table, wishes: &Wishes) -> BTreeMap<u64, String> {
    let view = |(names, all): &(BTreeSet<usize>, Option<usize>)| {
        let seen = names.iter().map(|number| format!("{:?}", table.see(&name(*number))));
        let listed = all.map(|all| format!("{:?}", table.list(&among(all))));
        seen.chain(listed).collect::<Vec<_>>().join("\n")
    };
    wishes.iter().map(|(id, wanted)| (*id, view(wanted))).collect()
}

proptest! {
    #[test]
    fn what_is_seen_is_there(steps in steps()) {
        let mut table = Table::new(Duration::ZERO);
        let mut world = World::default();
        let mut wishes = Wishes::new();
        for step in steps {
            let before = views(&table, &wishes);
            let what = format!("{step:?}");
            let heard = match step {
                Step::Want(id, names, all) => {
                    let which = names.iter().map(|number| Which::One(name(*number)));
                    let which = which.chain(all.map(|all| Which::All(among(all)))).collect();
                    table.set(&who(id), which, BTreeSet::new(), Duration::ZERO);
                    wishes.insert(id, (names, all));
                    // Whoever asks looks.
                    Hearers::from([who(id)])
                }
                Step::Write(number) => {
                    world.version += 1;
                    world.objects.insert(number, world.version);
                    world.untold.push((number, Some(world.version), world.version));
                    Hearers::new()
                }
                Step::Delete(number) => {
                    if world.objects.remove(&number).is_some() {
                        world.version += 1;
                        world.untold.push((number, None, world.version));
                    }
                    Hearers::new()
                }
                Step::Tell(count) => world.tell(&mut table, count),
                Step::List => world.list(&mut table),
                Step::Answer => world.answer(&mut table),
                Step::Lose => {
                    let blind = Blind { kind: BlindKind::Unreachable, why: "gone".into(), since: None };
                    let all = table.stumble(blind, Duration::from_secs(1));
                    everybody_if(&table, all)
                }
                Step::Tick => {
                    let all = table.tick(Duration::from_secs(2));
                    everybody_if(&table, all)
                }
                Step::Back => {
                    let all = table.stand();
                    everybody_if(&table, all)
                }
            };
            let after = views(&table, &wishes);
            for (id, view) in &before {
                prop_assert!(after[id] == *view || heard.contains(&who(*id)), "{} of {}: {} {}", id, what, view, after[id]);
            }
        }
        // Everything is told in the end, and what a list or an answer has to add is added.
        if *table.health() == Health::Syncing || table.to_list() {
            world.list(&mut table);
        }
        table.stand();
        world.tell(&mut table, usize::MAX);
        world.answer(&mut table);
        if table.to_list() {
            world.list(&mut table);
        }
        for number in 0..NAMES {
            let everywhere = |all: &Option<usize>| all.is_some_and(|all| among(all).is_over(&name(number)));
            let wanted = wishes.values().any(|(names, all)| names.contains(&number) || everywhere(all));
            let seen = match table.see(&name(number)) {
                Some(Look::Seen(bytes)) => Some(Some(String::from_utf8(bytes.to_vec()).unwrap().parse::<u64>().unwrap())),
                Some(Look::Missing) => Some(None),
                Some(Look::Unknown(blind)) => panic!("{number} is unknown: {blind}"),
                None => None,
            };
            let expected = wanted.then(|| world.objects.get(&number).copied());
            prop_assert_eq!(seen, expected, "{}", number);
        }
        let kept = (0..NAMES).filter(|number| matches!(table.see(&name(*number)), Some(Look::Seen(_)))).count();
        prop_assert_eq!(table.size().0, kept, "nothing is kept that nobody wants");
        for (_, all) in wishes.values() {
            let Some(all) = all.map(among) else { continue };
            let listed = table.list(&all).unwrap().unwrap().len();
            let there = world.objects.keys().filter(|number| all.is_over(&name(**number))).count();
            prop_assert_eq!(listed, there);
        }
    }
}

#[test]
fn what_was_known_is_believed_for_a_while() {
    let mut table = Table::new(Duration::ZERO);
    table.set(&who(1), vec![Which::One(name(0))], BTreeSet::new(), Duration::ZERO);
    table.begin_list();
    table.end_list();
    let blind = Blind { kind: BlindKind::Unreachable, why: "gone".into(), since: None };
    assert!(!table.stumble(blind, Duration::from_secs(15)));
    assert!(!table.tick(Duration::from_secs(14)));
    assert!(matches!(table.see(&name(0)), Some(Look::Missing)));
    assert!(table.tick(Duration::from_secs(15)), "everybody hears of it");
    assert!(matches!(table.see(&name(0)), Some(Look::Unknown(_))));
    assert!(table.stand(), "and of its end");
    assert!(matches!(table.see(&name(0)), Some(Look::Missing)));
}

#[test]
fn who_asks_for_more_hears_of_the_list_even_if_it_shows_nothing() {
    let mut table = Table::new(Duration::ZERO);
    table.set(&who(1), vec![Which::One(name(0))], BTreeSet::new(), Duration::ZERO);
    table.begin_list();
    assert_eq!(end_list(&mut table), Hearers::from([who(1)]), "it is the first list");
    let need = table.set(&who(2), vec![Which::All(among(1))], BTreeSet::new(), Duration::ZERO);
    assert!(need.list, "nobody looked there before");
    assert!(matches!(table.list(&among(1)), Some(Err(blind)) if blind.kind == BlindKind::NotYet));
    table.begin_list();
    assert!(end_list(&mut table).contains(&who(2)));
    assert!(matches!(table.list(&among(1)), Some(Ok(none)) if none.is_empty()));
}

#[test]
fn who_asks_for_a_name_hears_of_the_list_that_does_not_show_it() {
    let mut table = Table::new(Duration::ZERO);
    table.begin_list();
    end_list(&mut table);
    let need = table.set(&who(1), vec![Which::One(name(0))], BTreeSet::new(), Duration::ZERO);
    assert!(need.gets);
    table.begin_list();
    assert_eq!(end_list(&mut table), Hearers::from([who(1)]));
    assert!(matches!(table.see(&name(0)), Some(Look::Missing)));
    assert!(table.answer(&name(0), None).is_empty(), "the answer that was under way is no news");
}

#[test]
fn an_older_answer_does_not_undo_a_newer_one() {
    let mut table = Table::new(Duration::ZERO);
    table.begin_list();
    table.end_list();
    table.set(&who(1), vec![Which::One(name(0))], BTreeSet::new(), Duration::ZERO);
    let at = |version: u64| World::arrival_of(version);
    assert_eq!(table.answer(&name(0), Some(at(5))).len(), 1);
    assert!(table.arrive(at(3)).is_empty(), "the watch lags behind");
    assert!(table.leave(&name(0), Version::read("4")).is_empty());
    assert!(matches!(table.see(&name(0)), Some(Look::Seen(bytes)) if *bytes == *b"5"));
    assert_eq!(table.arrive(at(6)).len(), 1);
}

impl World {
    fn arrival_of(version: u64) -> Arrival {
        Arrival {
            name: name(0),
            version: Version::read(&version.to_string()),
            labels: BTreeMap::new(),
            bytes: Some(version.to_string().into_bytes().into()),
        }
    }
}
