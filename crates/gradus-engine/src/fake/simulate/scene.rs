//! A random pipeline.

use std::num::NonZeroU32;
use std::sync::Arc;

use gradus_core::gate::Gate;
use gradus_core::pipeline::{
    Emergency, Environment, HttpTarget, Merge, Need, Pipeline, Queue, Strategy, Target, TargetKind,
};
use gradus_core::version::Version;
use gradus_core::window::{Span, Window};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::chance::Chance;
use crate::fake::sketch;

/// The environments by their place.
pub(super) const NAMES: [&str; 5] = ["dev", "test", "staging", "eu", "us"];

/// A pipeline of two to five environments, the first of which follows Git.
pub(super) fn pipeline(chance: &mut Chance) -> Pipeline {
    let count = usize::try_from(chance.between(2, 5)).unwrap_or(2);
    let environments = (0..count).map(|at| environment(chance, at)).collect();
    let mut pipeline = sketch::pipeline(environments);
    if chance.percent(10) {
        pipeline.block.push(version(u32::try_from(chance.between(1, 3)).unwrap_or(1)));
    }
    pipeline
}

/// The version of this number.
pub(super) fn version(number: u32) -> Version {
    Version::parse(&text(number)).expect("a version")
}

/// The version of this number, as it is written.
pub(super) fn text(number: u32) -> String {
    format!("1.{number}.0")
}

/// The number of a version that was written so.
pub(super) fn number(text: &str) -> Option<u32> {
    text.strip_prefix("1.")?.strip_suffix(".0")?.parse().ok()
}

/// What a URL is called that tells the version of a target.
pub(super) fn url(environment: &str, target: &str) -> String {
    format!("https://{environment}.example/{target}")
}

fn environment(chance: &mut Chance, at: usize) -> Environment {
    let name = NAMES.get(at).copied().unwrap_or("dev");
    let mut after: Vec<&str> = Vec::new();
    if at > 0 {
        after.push(NAMES.get(chance.below(at)).copied().unwrap_or("dev"));
        let other = NAMES.get(chance.below(at)).copied().unwrap_or("dev");
        if chance.percent(25) && !after.contains(&other) {
            after.push(other);
        }
    }
    let mut environment = sketch::environment(name, &after);
    environment.targets = targets(chance, name);
    let targets = i64::try_from(environment.targets.len()).unwrap_or(1);
    environment.healthy = match chance.below(4) {
        0 => Need::Any,
        1 => Need::Count(count(chance.between(1, targets))),
        _ => Need::All,
    };
    if at == 0 {
        return environment;
    }
    if chance.percent(50) {
        environment.strategy = Strategy::PullRequest;
    }
    if chance.percent(30) {
        environment.merge = Merge::Person;
    }
    if chance.percent(30) {
        environment.queue = Queue::Every;
    }
    if chance.percent(50) {
        environment.emergency = Emergency::Allowed;
    }
    if chance.percent(35) {
        let min = u32::try_from(chance.between(1, 2)).unwrap_or(1);
        environment.gates.push(sketch::approval(min, chance.percent(40)));
    }
    if chance.percent(30) {
        environment.gates.push(sketch::soak(chance.between(5, 60)));
    }
    if chance.percent(15) {
        environment.gates.push(window(chance));
    }
    if chance.percent(5) {
        environment.gates.push(Gate::Manual);
    }
    if chance.percent(15) {
        environment.verify.push(sketch::soak(chance.between(5, 30)));
    }
    environment
}

fn count(number: i64) -> NonZeroU32 {
    u32::try_from(number).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

fn targets(chance: &mut Chance, environment: &str) -> Vec<Target> {
    match chance.below(8) {
        0 => vec![sketch::target("git", TargetKind::Git)],
        1 => {
            let http = HttpTarget {
                url: Arc::from(url(environment, "one")),
                pointer: None,
                status: 200,
                timeout: SignedDuration::from_secs(5),
                secret: None,
            };
            vec![sketch::target("one", TargetKind::Http(http))]
        }
        _ => {
            let count = chance.between(1, 3);
            let names = ["one", "two", "three"].iter().take(usize::try_from(count).unwrap_or(1));
            names.map(|name| sketch::target(name, TargetKind::Report)).collect()
        }
    }
}

fn window(chance: &mut Chance) -> Gate {
    let begin = chance.between(6, 11);
    let span = format!("Mon-Sun {begin:02}:00-{:02}:00", begin + chance.between(2, 8));
    let spans = vec![Span::parse(&span).expect("a span")];
    let (allow, deny) = if chance.percent(50) { (spans, Vec::new()) } else { (Vec::new(), spans) };
    Gate::Window(Window { allow, deny, zone: TimeZone::UTC, zone_name: Arc::from("UTC") })
}
