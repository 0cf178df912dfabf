//! Runs the scripts in `tests/scenarios`. What a command says stands behind it in
//! the script, each line after `| `; `UPDATE_SCENARIOS=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use gradus_core::names::CommitId;
use gradus_core::pipeline::Pipeline;
use gradus_core::plan;
use gradus_core::plan::{CloseReason, Plan, Step};
use gradus_core::reason::Reason;
use gradus_core::tell::{Clock, commit_message, explain, proposal_body, sentence, status_rows};
use jiff::Timestamp;

use crate::model::{artifact, name, version};
use crate::script::{Draft, Line, time};
use crate::sight::{ask, seen};
use crate::world::World;

#[test]
fn scenarios_say_what_is_written_behind_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut failed = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
        count += 1;
        let text = std::fs::read_to_string(path).unwrap();
        let ran = run(&text, path);
        if ran == text {
            continue;
        }
        if std::env::var_os("UPDATE_SCENARIOS").is_some() {
            std::fs::write(path, &ran).unwrap();
        } else {
            failed.push(format!("{}:\n{}", path.display(), difference(&text, &ran)));
        }
    }
    assert!(count > 20, "only {count} scripts were found in {}", folder.display());
    assert!(failed.is_empty(), "{}\nUPDATE_SCENARIOS=1 takes what is said now", failed.join("\n"));
}

/// The lines around the first difference.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let at = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    for line in old.iter().take(at).skip(at.saturating_sub(6)) {
        writeln!(text, "  {line}").unwrap();
    }
    for (sign, lines) in [('-', &old), ('+', &new)] {
        for line in lines.iter().skip(at).take(8) {
            writeln!(text, "{sign} {line}").unwrap();
        }
    }
    text
}

struct Stage {
    draft: Draft,
    world: Option<World>,
    now: Timestamp,
}

/// Runs a script and gives it back with what its commands say now.
fn run(text: &str, path: &Path) -> String {
    let mut out = String::new();
    let mut stage = Stage {
        draft: Draft::new("web".to_owned()),
        world: None,
        now: "2026-11-16T12:00:00Z".parse().unwrap(),
    };
    for (at, line) in text.lines().enumerate() {
        if line == "|" || line.starts_with("| ") {
            continue;
        }
        writeln!(out, "{line}").unwrap();
        let code = line.split_once('#').map_or(line, |(code, _)| code);
        if code.trim().is_empty() {
            continue;
        }
        let place = format!("{}:{}", path.display(), at + 1);
        let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage.line(code)));
        let said = said.unwrap_or_else(|cause| {
            eprintln!("in {place}: {line}");
            std::panic::resume_unwind(cause)
        });
        for line in said.lines() {
            writeln!(out, "{}", format!("| {line}").trim_end()).unwrap();
        }
    }
    out
}

impl Stage {
    fn line(&mut self, text: &str) -> String {
        let mut line = Line::read(text);
        let command = line.word();
        let mut said = String::new();
        if text.starts_with([' ', '\t']) {
            self.draft.rule(&command, &mut line, self.now);
        } else if command == "pipeline" {
            *self = Self { draft: Draft::new(line.word()), world: None, now: self.now };
        } else if command == "now" {
            self.now = time(&line.word(), self.now);
            if let Some(world) = &mut self.world {
                world.now = self.now;
            }
        } else if !self.draft.line(&command, &mut line, self.now) {
            said = self.command(&command, &mut line);
        }
        line.end();
        said
    }

    fn command(&mut self, command: &str, line: &mut Line) -> String {
        let pipeline = self.draft.build();
        let now = self.now;
        let world = self.world.get_or_insert_with(|| World::new(&pipeline, now));
        let clock = Clock::utc(now);
        match command {
            "seen" => {
                seen(world, line);
                String::new()
            }
            "order" => {
                let name = artifact(&line.word());
                let versions = line.word().split(',').map(version).collect();
                world.seen.order.insert(name, versions);
                String::new()
            }
            "ask" => {
                ask(world, line);
                String::new()
            }
            "plan" => {
                let plan = plan(&pipeline, &world.seen, now);
                world.record(&plan);
                shown(&plan, &clock)
            }
            "act" => act(&pipeline, world, &clock),
            "explain" => {
                let plan = plan(&pipeline, &world.seen, now);
                explain(&plan.report, &name(&line.word()), &clock).unwrap()
            }
            "news" => news(&pipeline, &plan(&pipeline, &world.seen, now), now),
            "status" => status(&plan(&pipeline, &world.seen, now), &clock),
            "body" | "commit" => {
                let plan = plan(&pipeline, &world.seen, now);
                let here = plan.report.environment(&name(&line.word())).unwrap();
                let change = here.step.as_deref().and_then(Step::change).expect("no change is planned there");
                match command {
                    "body" => proposal_body(&plan.report, change, "0123456789abcdef", &clock),
                    _ => commit_message(&plan.report.pipeline, change, "0123456789abcdef"),
                }
            }
            other => panic!("no command: {other}"),
        }
    }
}

/// Takes the planned steps, one round.
fn act(pipeline: &Pipeline, world: &mut World, clock: &Clock) -> String {
    let plan = plan(pipeline, &world.seen, world.now);
    world.record(&plan);
    let mut text = String::new();
    for step in &plan.steps {
        world.act(step).unwrap();
        writeln!(text, "did {}", step_words(step, clock)).unwrap();
    }
    if text.is_empty() { "did nothing\n".to_owned() } else { text }
}

/// What is worth telling, and where it was looked for it.
fn news(pipeline: &Pipeline, plan: &Plan, now: Timestamp) -> String {
    let found = gradus_core::news::found(pipeline, &plan.report, now);
    let scopes: Vec<&str> = found.scopes.iter().map(|scope| scope.split_once(' ').unwrap().1).collect();
    let mut text = format!("looked at {}\n", scopes.join(", "));
    for news in found.news.iter().chain(&gradus_core::news::ending(pipeline, now)) {
        writeln!(text, "{}: {}", news.kind.word(), news.title).unwrap();
        for line in &news.details {
            writeln!(text, "  {line}").unwrap();
        }
        for line in &news.can {
            writeln!(text, "  can: {line}").unwrap();
        }
        writeln!(text, "  key: {}", news.key).unwrap();
        writeln!(text, "  thread: {}", news.thread).unwrap();
    }
    text
}

fn status(plan: &Plan, clock: &Clock) -> String {
    let mut text = String::new();
    for row in status_rows(&plan.report, clock) {
        let line = format!(
            "{:<10} {:<8} {:<12} {:<4} {}",
            row.environment.as_str(),
            row.version,
            row.health,
            row.age,
            row.words
        );
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

/// The steps, then each environment with the codes of its reasons.
fn shown(plan: &Plan, clock: &Clock) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        writeln!(text, "{}", step_words(step, clock)).unwrap();
    }
    let width = plan.report.environments.iter().map(|here| here.name.as_str().len()).max().unwrap();
    for here in &plan.report.environments {
        let mut words: Vec<String> = here.reasons.iter().map(|reason| code(reason, clock)).collect();
        words.extend(here.notes.iter().map(|note| format!("note {}", code(note, clock))));
        let next = here.next.as_ref().map_or_else(String::new, |next| format!(" {}", next.release));
        let line = format!(
            "{:<width$}  {:<12}{next}  {}",
            here.name.as_str(),
            here.verdict.verdict.word(),
            words.join(", ")
        );
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    if let Some(wake) = plan.report.wake_at {
        writeln!(text, "look again at {}", clock.at(wake)).unwrap();
    }
    text
}

/// The number that a commit was made of.
fn number_of(commit: &CommitId) -> String {
    format!("commit {}", commit.as_str()[16..].trim_start_matches('0'))
}

fn code(reason: &Reason, clock: &Clock) -> String {
    let until = reason.until().map_or_else(String::new, |until| format!(" until {}", clock.at(until)));
    format!("{}{until}", reason.code())
}

fn step_words(step: &Step, clock: &Clock) -> String {
    let change = step.change().map_or_else(String::new, |change| {
        let from = change.from.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let asked = change.request().map_or_else(String::new, |request| format!(", asked by {}", request.by));
        let approved = match change.approved_by.as_slice() {
            [] => String::new(),
            people => format!(
                ", approved by {}",
                people.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
            ),
        };
        let merges = change.merges.as_ref();
        let merges = merges.map_or_else(String::new, |merges| {
            format!(", merges {} of {}", number_of(&merges.commit), merges.environment)
        });
        let by_hand = if change.replaces_hand_edit { ", over a hand edit" } else { "" };
        format!(
            ": {from} -> {}{asked}{approved}{by_hand}{merges} (evidence of {})",
            change.to,
            clock.at(change.at)
        )
    });
    let environment = step.environment();
    match step {
        Step::Push(_) | Step::Propose(_) | Step::Dispatch(_) => {
            format!("{} {environment}{change}", step.kind())
        }
        Step::Update { number, .. } | Step::Merge { number, .. } => {
            format!("{} {number} of {environment}{change}", step.kind())
        }
        Step::Close { number, because, .. } => {
            let why = match because {
                CloseReason::Merged => "merged".to_owned(),
                CloseReason::Overtaken => "overtaken".to_owned(),
                CloseReason::Refused(reason) => format!("{}: {}", reason.code(), sentence(reason, clock)),
            };
            format!("close {number} of {environment}: {why}")
        }
    }
}
