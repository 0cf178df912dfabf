//! The lines of a script that change what is seen: `seen ...` and `ask ...`.

use gradus_core::names::{
    CheckName, EnvironmentName, Group, ProposalNumber, RepoPath, RequestId, TargetName,
};
use gradus_core::observation::{
    Approval, CheckFact, CheckResult, Fit, MergeOutcome, MergeSeen, Proof, ProposalSeen, Request,
    RequestKind, Seen, TargetState, Why,
};
use gradus_core::release::Release;
use jiff::Timestamp;

use crate::model::{name, person, release};
use crate::script::{Line, time};
use crate::world::World;

/// A line that changes what is seen.
pub(crate) fn seen(world: &mut World, line: &mut Line) {
    let place = line.word();
    let (environment, target) = match place.split_once('/') {
        Some((environment, target)) => (environment, Some(TargetName::parse(target).unwrap())),
        None => (place.as_str(), None),
    };
    let (here, now) = (name(environment), world.now);
    match line.word().as_str() {
        "has" => has(world, &here, line),
        "declared" => world.at(&here).declared = unknown(line),
        "origin" => {
            let why = unknown(line);
            if let Seen::Known(declared) = &mut world.at(&here).declared {
                declared.origin = why;
            }
        }
        "health" => {
            let why = unknown(line);
            set_targets(world, &here, target, &why);
        }
        "came" => {
            let (commit, at) = (world.next_commit(), at(line, "at", now));
            if let Seen::Known(declared) = &mut world.at(&here).declared
                && let Seen::Known(origin) = &mut declared.origin
            {
                origin.since = std::iter::once((commit, at)).chain(origin.since.iter().cloned()).collect();
            }
        }
        "merge" => {
            let outcome = merge(line);
            let of = name(&line.option("of").unwrap());
            let Seen::Known(declared) = &world.at(&of).declared else {
                panic!("it is not known what {of} has")
            };
            let commit = declared.origin.known().unwrap().commit.clone();
            world.at(&here).merge = Some(MergeSeen { commit, outcome });
        }
        "proposal" => {
            let proposal = proposal(world, line);
            world.at(&here).proposal = proposal;
        }
        "approval" => {
            let approval = Approval {
                by: person(&line.option("by").unwrap()),
                release: release(&line.option("of").unwrap()),
                at: at(line, "at", now),
                groups: line.list("in").iter().map(|text| Group::parse(text).unwrap()).collect(),
                aliases: line.people("also"),
            };
            push(&mut world.at(&here).approvals, approval);
        }
        "check" => {
            let fact = CheckFact {
                check: CheckName::parse(&line.word()).unwrap(),
                result: match line.word().as_str() {
                    "passed" => CheckResult::Passed,
                    "failed" => CheckResult::Failed,
                    "pending" => CheckResult::Pending,
                    other => panic!("no result: {other}"),
                },
                release: release(&line.option("of").unwrap()),
                reporter: person(&line.option("by").unwrap_or_else(|| "ci".to_owned())),
                at: at(line, "at", now),
                detail: line.why.take().map(Into::into),
            };
            push(&mut world.at(&here).checks, fact);
        }
        "proof" => {
            let proof = Proof {
                release: release(&line.option("of").unwrap()),
                since: at(line, "from", now),
                until: at(line, "to", now),
            };
            push(&mut world.at(&here).proofs, proof);
        }
        "approvals" => world.at(&here).approvals = none_or_unknown(line),
        "checks" => world.at(&here).checks = none_or_unknown(line),
        "proofs" => world.at(&here).proofs = none_or_unknown(line),
        "requests" => world.at(&here).requests = none_or_unknown(line),
        "dispatched" => world.at(&here).dispatched = none_or_unknown(line),
        "forgotten" => world.at(&here).brought = [].into(),
        "promoted" => {
            world.at(&here).promoted = match line.word().as_str() {
                "nothing" => Seen::Known(None),
                "unknown" => Seen::unknown(line.why()),
                text => Seen::Known(Some(release(text))),
            }
        }
        state => {
            let state = target_state(state, world.declared(&here), line, now);
            set_targets(world, &here, target, &Seen::Known(state));
        }
    }
}

/// What trying a merge came to.
fn merge(line: &mut Line) -> Seen<MergeOutcome> {
    Seen::Known(match line.word().as_str() {
        "clean" => MergeOutcome::Clean,
        "conflicts" => {
            let files = line.word();
            MergeOutcome::Conflicts(files.split(',').map(|file| RepoPath::parse(file).unwrap()).collect())
        }
        "impossible" => MergeOutcome::Impossible(Why::new(line.why())),
        "unknown" => return Seen::unknown(line.why()),
        other => panic!("no merge: {other}"),
    })
}

/// Somebody commits a release; where a state follows, the targets are in it too.
fn has(world: &mut World, here: &EnvironmentName, line: &mut Line) {
    let now = world.now;
    let wanted = line.word();
    let author = person(&line.option("by").unwrap_or_else(|| "dev".to_owned()));
    let since = at(line, "since", now);
    let committed = line.option("at").map_or(since, |text| time(&text, now));
    let brought = line.people("brought");
    let replaced = line.option("replaced").map(|text| release(&text));
    if wanted == "nothing" {
        *world.at(here) = crate::model::nothing_seen();
        set_targets(world, here, None, &Seen::Known(TargetState::NotDeployed));
        return;
    }
    world.declare(here, release(&wanted), author, committed);
    if let Seen::Known(declared) = &mut world.at(here).declared
        && let Seen::Known(origin) = &mut declared.origin
    {
        origin.replaced = replaced.or(origin.replaced.take());
    }
    world.brought_too(here, brought);
    if !line.words.is_empty() {
        let state = line.word();
        let seen = if state == "unknown" {
            Seen::unknown(line.why())
        } else {
            line.words.extend(["since".to_owned(), since.to_string()]);
            Seen::Known(target_state(&state, world.declared(here), line, now))
        };
        set_targets(world, here, None, &seen);
    }
}

fn target_state(state: &str, declared: Option<Release>, line: &mut Line, now: Timestamp) -> TargetState {
    let since = at(line, "since", now);
    let running = line.option("running").map(|text| release(&text));
    let declared = declared.filter(|_| !line.flag("untold"));
    let named = if line.words.is_empty() { None } else { Some(release(&line.word())) };
    match state {
        "healthy" => TargetState::Healthy { release: named.or(declared).unwrap(), since },
        "deploying" => TargetState::Deploying { release: named.or(declared), since },
        "failed" => {
            TargetState::Failed { release: named.or(declared), why: line.why().into(), since, running }
        }
        "not-deployed" => TargetState::NotDeployed,
        other => panic!("no state: {other}"),
    }
}

fn set_targets(
    world: &mut World,
    here: &EnvironmentName,
    target: Option<TargetName>,
    state: &Seen<TargetState>,
) {
    let all = world.targets(here);
    for name in target.map_or(all, |target| vec![target]) {
        world.at(here).targets.insert(name, state.clone());
    }
}

fn proposal(world: &mut World, line: &mut Line) -> Seen<Option<ProposalSeen>> {
    let number = match line.word().as_str() {
        "none" => return Seen::Known(None),
        "unknown" => return Seen::unknown(line.why()),
        number => ProposalNumber(number.parse().unwrap()),
    };
    let release = match line.option("of").unwrap().as_str() {
        "unknown" => Seen::unknown(line.why()),
        text => Seen::Known(release(text)),
    };
    let fit = if line.flag("behind") {
        Fit::Behind
    } else if line.flag("foreign") {
        Fit::Foreign
    } else if line.flag("declined") {
        Fit::Declined(world.now)
    } else {
        Fit::Current
    };
    let (head, since) = (world.next_commit(), at(line, "since", world.now));
    let url = Some(format!("https://example.com/fleet/pull/{number}").into());
    Seen::Known(Some(ProposalSeen { number, url, head, release, fit, since }))
}

/// A person asks for a promotion by name, in the state that the environment is in.
pub(crate) fn ask(world: &mut World, line: &mut Line) {
    let here = name(&line.word());
    let kind = match line.word().as_str() {
        "promote" => RequestKind::Promote,
        "override" => RequestKind::Override,
        "rollback" => RequestKind::Rollback,
        "emergency" => RequestKind::Emergency,
        other => panic!("nobody can ask to {other}"),
    };
    let now = world.now;
    let commit =
        world.at(&here).declared.known().and_then(|d| d.origin.known()).map(|origin| origin.commit.clone());
    let count = world.at(&here).requests.known().map_or(0, Vec::len);
    let request = Request {
        id: RequestId::parse(&format!("r{count}")).unwrap(),
        kind,
        release: release(&line.word()),
        by: person(&line.option("by").unwrap_or_else(|| "ann".to_owned())),
        at: at(line, "at", now),
        reason: line.why.take().map(Into::into),
        from: world.declared(&here),
        from_commit: commit.filter(|_| !line.flag("no-commit")),
    };
    push(&mut world.at(&here).requests, request);
}

fn push<T>(list: &mut Seen<Vec<T>>, fact: T) {
    match list {
        Seen::Known(list) => list.push(fact),
        Seen::Unknown(_) => *list = Seen::Known(vec![fact]),
    }
}

fn unknown<T>(line: &mut Line) -> Seen<T> {
    assert_eq!(line.word(), "unknown");
    Seen::unknown(line.why())
}

fn none_or_unknown<T>(line: &mut Line) -> Seen<Vec<T>> {
    match line.word().as_str() {
        "none" => Seen::Known(Vec::new()),
        "unknown" => Seen::unknown(line.why()),
        other => panic!("neither none nor unknown: {other}"),
    }
}

fn at(line: &mut Line, key: &str, now: Timestamp) -> Timestamp {
    line.option(key).map_or(now, |text| time(&text, now))
}
