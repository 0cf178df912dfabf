//! The language of the scenario scripts, line by line. `tests/scenarios/README.md` describes it.

use std::collections::BTreeMap;

use gradus_core::gate::Gate;
use gradus_core::gate::approval::ApprovalGate;
use gradus_core::gate::check::CheckGate;
use gradus_core::gate::freeze::FreezeGate;
use gradus_core::gate::soak::SoakGate;
use gradus_core::names::{BranchName, CheckName, Group, Person};
use gradus_core::pipeline::{
    Emergency, Environment, Hold, Merge, Mode, Need, Pipeline, Queue, Strategy, Takes, TargetKind,
};
use gradus_core::version::Order;
use gradus_core::window::{Span, Window};
use jiff::{SignedDuration, Timestamp};

use crate::model::{artifact, environment, name, person, pipeline, release, target, version};

/// One line: its words, and what stands behind `: ` at its end.
pub(crate) struct Line {
    pub(crate) words: Vec<String>,
    pub(crate) why: Option<String>,
}

impl Line {
    pub(crate) fn read(text: &str) -> Self {
        let (head, why) = match text.split_once(": ") {
            Some((head, why)) => (head, Some(why.trim().replace("\\n", "\n"))),
            None => (text, None),
        };
        let mut words = Vec::new();
        for (at, part) in head.split('"').enumerate() {
            if at % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        Self { words, why }
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> String {
        assert!(!self.words.is_empty(), "a word is missing");
        self.words.remove(0)
    }

    /// Takes a word wherever it stands.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let at = self.words.iter().position(|word| word == flag);
        at.inspect(|at| drop(self.words.remove(*at))).is_some()
    }

    /// Takes a word and the one behind it.
    pub(crate) fn option(&mut self, key: &str) -> Option<String> {
        let at = self.words.iter().position(|word| word == key)?;
        self.words.remove(at);
        assert!(at < self.words.len(), "nothing follows {key:?}");
        Some(self.words.remove(at))
    }

    pub(crate) fn list(&mut self, key: &str) -> Vec<String> {
        self.option(key)
            .into_iter()
            .flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    pub(crate) fn people(&mut self, key: &str) -> Vec<Person> {
        self.list(key).iter().map(|text| person(text)).collect()
    }

    pub(crate) fn why(&mut self) -> String {
        self.why.take().unwrap_or_else(|| "no reason".to_owned())
    }

    /// Every word must have meant something.
    pub(crate) fn end(self) {
        assert!(self.words.is_empty(), "these words mean nothing here: {:?}", self.words);
        assert!(self.why.is_none(), "nothing here takes a reason: {:?}", self.why);
    }
}

/// What people wrote, before it is a pipeline.
pub(crate) struct Draft {
    key: String,
    artifacts: BTreeMap<String, Order>,
    environments: Vec<Environment>,
    holds: Vec<Hold>,
    mode: Mode,
    block: Vec<String>,
}

impl Draft {
    pub(crate) fn new(key: String) -> Self {
        Self {
            key,
            artifacts: BTreeMap::new(),
            environments: Vec::new(),
            holds: Vec::new(),
            mode: Mode::Active,
            block: Vec::new(),
        }
    }

    pub(crate) fn build(&self) -> Pipeline {
        let mut artifacts: BTreeMap<_, _> =
            self.artifacts.iter().map(|(name, order)| (artifact(name), *order)).collect();
        if artifacts.is_empty() {
            artifacts.insert(artifact("app"), Order::Auto);
        }
        let mut pipeline = pipeline(&self.key, artifacts, self.environments.clone()).unwrap();
        pipeline.holds = self.holds.clone();
        pipeline.mode = self.mode;
        pipeline.block = self.block.iter().map(|text| version(text)).collect();
        pipeline
    }

    /// A line about the pipeline as a whole; whether it is one.
    pub(crate) fn line(&mut self, command: &str, line: &mut Line, now: Timestamp) -> bool {
        match command {
            "artifact" => {
                let name = line.word();
                self.artifacts.insert(name, order(&line.word()));
            }
            "mode" => {
                self.mode = match line.word().as_str() {
                    "active" => Mode::Active,
                    "observe" => Mode::Observe,
                    "suspended" => Mode::Suspended,
                    other => panic!("no mode: {other}"),
                }
            }
            "block" => self.block.push(line.word()),
            "unblock" => {
                let text = line.word();
                self.block.retain(|blocked| blocked != &text);
            }
            "hold" => {
                let hold = Hold {
                    name: line.word().into(),
                    environment: line.option("on").map(|text| name(&text)),
                    pin: line.option("pin").map(|text| release(&text)),
                    owner: person(&line.option("by").unwrap_or_else(|| "ann".to_owned())),
                    since: line.option("since").map(|text| time(&text, now)),
                    until: line.option("until").map(|text| time(&text, now)),
                    reason: line.why().into(),
                };
                self.holds.push(hold);
            }
            "lift" => {
                let name = line.word();
                self.holds.retain(|hold| *hold.name != *name);
            }
            "environment" => {
                let name = line.word();
                let before = self.environments.last().map(|before| before.name.as_str().to_owned());
                let after = match line.option("after").as_deref() {
                    Some("nothing") => Vec::new(),
                    Some(list) => list.split(',').map(str::to_owned).collect(),
                    None => before.into_iter().collect(),
                };
                self.environments
                    .push(environment(&name, &after.iter().map(String::as_str).collect::<Vec<_>>()));
            }
            "change" => {
                let name = name(&line.word());
                let rule = line.word();
                let environment = self.environments.iter_mut().find(|e| e.name == name).unwrap();
                rule_line(environment, &rule, line, now);
            }
            _ => return false,
        }
        true
    }

    /// An indented line: a rule of the last environment.
    pub(crate) fn rule(&mut self, command: &str, line: &mut Line, now: Timestamp) {
        let environment = self.environments.last_mut().expect("a rule stands below its environment");
        rule_line(environment, command, line, now);
    }
}

fn rule_line(environment: &mut Environment, command: &str, line: &mut Line, now: Timestamp) {
    match command {
        "targets" => {
            environment.targets =
                std::mem::take(&mut line.words).iter().map(|text| target(text, TargetKind::Report)).collect();
        }
        "git" => environment.targets = vec![target("git", TargetKind::Git)],
        "healthy" => {
            environment.healthy = match line.word().as_str() {
                "all" => Need::All,
                "any" => Need::Any,
                count => Need::Count(count.parse().unwrap()),
            }
        }
        "within" => environment.deploy_within = duration(&line.word()),
        "pull-request" => environment.strategy = Strategy::PullRequest,
        "push" => environment.strategy = Strategy::Push,
        "dispatch" => environment.strategy = Strategy::Dispatch(Box::default()),
        "branch" => environment.branch = Some(BranchName::parse(&line.word()).unwrap()),
        "takes-branch" => environment.takes = Takes::Branch,
        "merge" => {
            environment.merge = match line.word().as_str() {
                "auto" => Merge::Auto,
                "person" => Merge::Person,
                other => panic!("nobody merges as {other}"),
            }
        }
        "queue" => {
            environment.queue = match line.word().as_str() {
                "latest" => Queue::Latest,
                "every" => Queue::Every,
                "pinned" => Queue::Pinned(release(&line.word())),
                other => panic!("no queue: {other}"),
            }
        }
        "gate" => environment.gates.push(gate(line, now)),
        "verify" => environment.verify.push(gate(line, now)),
        "no-gates" => environment.gates.clear(),
        "emergency" => environment.emergency = Emergency::Allowed,
        "block" => environment.block.push(version(&line.word())),
        other => panic!("no rule: {other}"),
    }
}

fn gate(line: &mut Line, now: Timestamp) -> Gate {
    match line.word().as_str() {
        "soak" => Gate::Soak(SoakGate { time: duration(&line.word()) }),
        "approval" => Gate::Approval(ApprovalGate {
            min: line.option("min").unwrap_or_else(|| "1".to_owned()).parse().unwrap(),
            users: line.people("users"),
            groups: line.list("groups").iter().map(|text| Group::parse(text).unwrap()).collect(),
            not_author: line.flag("not-author"),
        }),
        "window" => {
            let spans = |text: Option<String>| text.iter().map(|text| Span::parse(text).unwrap()).collect();
            let zone = line.option("zone").unwrap_or_else(|| "UTC".to_owned());
            Gate::Window(Window {
                allow: spans(line.option("allow")),
                deny: spans(line.option("deny")),
                zone: zone_named(&zone),
                zone_name: zone.into(),
            })
        }
        "freeze" => Gate::Freeze(FreezeGate {
            from: line.option("from").map(|text| time(&text, now)),
            until: line.option("until").map(|text| time(&text, now)),
            reason: line.why.take().map(Into::into),
        }),
        "check" => Gate::Check(CheckGate {
            name: CheckName::parse(&line.word()).unwrap(),
            reporter: person(&line.option("by").unwrap_or_else(|| "ci".to_owned())),
        }),
        "manual" => Gate::Manual,
        other => panic!("no gate: {other}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the scripts name zones; the planner is given them")]
fn zone_named(text: &str) -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get(text).unwrap()
}

pub(crate) fn order(text: &str) -> Order {
    match text {
        "auto" => Order::Auto,
        "semver" => Order::Semver,
        "numeric" => Order::Numeric,
        "calendar" => Order::Calendar,
        "seen" => Order::Seen,
        other => panic!("no order: {other}"),
    }
}

fn duration(text: &str) -> SignedDuration {
    text.parse().unwrap()
}

/// Reads `12:00` of today, `2026-11-16T12:00`, or `-3h` before now.
pub(crate) fn time(text: &str, now: Timestamp) -> Timestamp {
    if let Some(ago) = text.strip_prefix('-') {
        return now - duration(ago);
    }
    if text.ends_with('Z') {
        return text.parse().unwrap();
    }
    let day = now.to_string();
    let whole = if text.contains('T') { text.to_owned() } else { format!("{}T{text}", &day[..10]) };
    let seconds = if whole.matches(':').count() == 2 { "" } else { ":00" };
    format!("{whole}{seconds}Z").parse().unwrap()
}
