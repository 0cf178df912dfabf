//! From what was found to the status that people and tools read.

mod kept;

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, Namespace};
use gradus_core::observation::Seen;
use gradus_core::reason::Reason;
use gradus_core::release::Release;
use gradus_core::report::{EnvironmentReport, Report};
use gradus_core::tell::{self, Clock};
use gradus_core::verdict::{Failure, TargetVerdict, Verdict};
use gradus_core::version::Version;
use gradus_manifest::status::{
    Condition, ConditionStatus, EnvironmentStatus, Evidence, Health, MAX_DISPATCHED, MAX_EVIDENCE,
    MAX_MESSAGE, MAX_PROVEN, NextStatus, PipelineStatus, ProposalStatus, Proven, TargetStatus, Versions,
};
use gradus_manifest::{ObjectMeta, versions};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::intake::words;
use crate::ledger::Kept;
pub(crate) use kept::kept;
use kept::of_dispatched;

/// The annotation by which people ask for a look.
const REQUESTED_AT: &str = "/metadata/annotations/reconcile.fluxcd.io~1requestedAt";

/// The status of a pipeline that was looked at.
pub(crate) fn of_report(object: &Value, report: &Report, kept: &Kept, now: Timestamp) -> PipelineStatus {
    let before = read(object);
    let clock = Clock::utc(now);
    let unknown = report.environments.iter().find_map(|here| match (&here.declared, &here.verdict.verdict) {
        (Seen::Unknown(why), _) | (_, Verdict::Unknown { why }) => Some((here, why)),
        (
            Seen::Known(_),
            Verdict::NotDeployed
            | Verdict::Deploying { .. }
            | Verdict::Healthy { .. }
            | Verdict::Failed { .. },
        ) => None,
    });
    let summary = summary(report, &clock);
    let ready = match unknown {
        None => (ConditionStatus::True, "Observed", summary.clone()),
        Some((here, why)) => (ConditionStatus::False, "NotObserved", format!("{}: {why}", here.name)),
    };
    let moving = report.environments.iter().find(|here| {
        here.step.is_some()
            || here.proposal.is_some()
            || matches!(here.verdict.verdict, Verdict::Deploying { .. })
    });
    let progressing = match moving {
        Some(here) => (ConditionStatus::True, "Promoting", on_its_way(here, &clock)),
        None => (ConditionStatus::False, "Settled", "nothing is on its way".to_owned()),
    };
    let stalled = (ConditionStatus::False, "Valid", "the spec is a pipeline".to_owned());
    PipelineStatus {
        observed_generation: generation(object),
        last_handled_reconcile_at: before.last_handled_reconcile_at.clone(),
        conditions: conditions(
            &before,
            generation(object),
            [("Ready", ready), ("Progressing", progressing), ("Stalled", stalled)],
            now,
        ),
        summary: Some(cut(&summary)),
        environments: report
            .environments
            .iter()
            .map(|here| environment(report, here, kept, &clock))
            .collect(),
    }
}

/// The status of a pipeline whose objects have mistakes. What was known before
/// stays: it may still be so, and what was proven was.
pub(crate) fn of_mistakes(
    object: &Value,
    errors: &[gradus_manifest::ManifestError],
    now: Timestamp,
) -> PipelineStatus {
    let before = read(object);
    let message = words(errors);
    let ready = (ConditionStatus::False, "Invalid", message.clone());
    let stalled = (ConditionStatus::True, "Invalid", message.clone());
    let conditions = conditions(&before, generation(object), [("Ready", ready), ("Stalled", stalled)], now);
    PipelineStatus {
        observed_generation: generation(object),
        conditions,
        summary: Some(cut(&message)),
        ..before
    }
}

/// Whether two statuses say the same. Times that only pass say nothing new, nor do
/// the words that are made of them.
pub(crate) fn says_the_same(a: &PipelineStatus, b: &PipelineStatus) -> bool {
    plain(a.clone()) == plain(b.clone())
}

/// A status without what changes by itself as time goes by.
fn plain(mut status: PipelineStatus) -> PipelineStatus {
    status.summary = None;
    for condition in &mut status.conditions {
        condition.message = without_times(&condition.message);
    }
    for here in &mut status.environments {
        here.message = here.message.as_deref().map(without_times);
        here.explanation = here.explanation.as_deref().map(without_times);
        for span in &mut here.proven {
            span.until.clear();
        }
    }
    status
}

/// A text without its digits and how long ago: what is left is what it says.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.starts_with(|c: char| c.is_ascii_digit() || c == '(') || matches!(bare, "now" | "ago")
    };
    text.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
}

/// By which word somebody asks for a look that was not answered yet.
pub(crate) fn asks(object: &Value) -> Option<&str> {
    let asked = object.pointer(REQUESTED_AT).and_then(Value::as_str)?;
    let answered = object.pointer("/status/lastHandledReconcileAt").and_then(Value::as_str);
    (answered != Some(asked)).then_some(asked)
}

/// Whether it was said of a promotion what became of it in the end.
pub(crate) fn is_final(object: &Value) -> bool {
    matches!(object.pointer("/status/state").and_then(Value::as_str), Some("done" | "refused"))
}

/// The status as it is written; the empty one where it cannot be read.
pub(crate) fn read(object: &Value) -> PipelineStatus {
    object.get("status").and_then(|status| PipelineStatus::deserialize(status).ok()).unwrap_or_default()
}

/// What an API server says of an object beside its spec, where that is all that can be read.
pub(crate) fn meta_of(object: &Value) -> Option<ObjectMeta> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    Some(ObjectMeta {
        namespace: Namespace::parse(text("/metadata/namespace")?).ok()?,
        name: text("/metadata/name")?.into(),
        uid: text("/metadata/uid").unwrap_or_default().into(),
        generation: generation(object).unwrap_or_default(),
        resource_version: text("/metadata/resourceVersion").unwrap_or_default().into(),
        created: text("/metadata/creationTimestamp").and_then(|text| text.parse().ok()),
        deleted: text("/metadata/deletionTimestamp").and_then(|text| text.parse().ok()),
    })
}

fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}

/// Conditions, each with the time of its last change.
fn conditions<const N: usize>(
    before: &PipelineStatus,
    generation: Option<i64>,
    now_are: [(&str, (ConditionStatus, &str, String)); N],
    now: Timestamp,
) -> Vec<Condition> {
    now_are
        .into_iter()
        .map(|(of, (status, reason, message))| {
            let same = before.conditions.iter().find(|known| known.of == of && known.status == status);
            Condition {
                of: of.to_owned(),
                status,
                observed_generation: generation,
                last_transition_time: same
                    .map_or_else(|| time(now), |known| known.last_transition_time.clone()),
                reason: reason.to_owned(),
                message: cut(&message),
            }
        })
        .collect()
}

fn environment(report: &Report, here: &EnvironmentReport, kept: &Kept, clock: &Clock) -> EnvironmentStatus {
    let release = here.release();
    let proven = kept.proofs.get(&here.name).map(Vec::as_slice).unwrap_or_default();
    let asked = kept.dispatched.get(&here.name).map(Vec::as_slice).unwrap_or_default();
    EnvironmentStatus {
        name: here.name.to_string(),
        verdict: health(&here.verdict.verdict),
        version: release.map(ToString::to_string),
        versions: release.map(versions).unwrap_or_default(),
        since: here.verdict.verdict.since().map(time),
        next: here.next.as_ref().map(|next| NextStatus {
            version: next.release.to_string(),
            versions: versions(&next.release),
            not_before: None,
        }),
        proposal: here.proposal.as_ref().map(|proposal| ProposalStatus {
            number: i64::try_from(proposal.number.0).unwrap_or(i64::MAX),
            url: proposal.url.as_deref().map(str::to_owned),
            version: proposal.release.known().map(ToString::to_string),
            since: Some(time(proposal.since)),
        }),
        reason: here.main_reason().map(|reason| reason.code().to_owned()),
        message: Some(cut(&line(here, clock))).filter(|line| !line.is_empty()),
        explanation: explanation(report, here, clock),
        targets: here.verdict.targets.iter().map(target).collect(),
        proven: proven
            .iter()
            .rev()
            .take(MAX_PROVEN)
            .map(|span| Proven {
                versions: versions(&span.release),
                since: time(span.since),
                until: time(span.until),
            })
            .collect(),
        promoted: kept.promoted.get(&here.name).map(versions).unwrap_or_default(),
        dispatched: asked.iter().rev().take(MAX_DISPATCHED).map(of_dispatched).collect(),
    }
}

/// Why it waits, in full. Of what is settled there is nothing to explain.
fn explanation(report: &Report, here: &EnvironmentReport, clock: &Clock) -> Option<String> {
    here.main_reason().filter(|reason| !reason.is_content())?;
    tell::explain(report, &here.name, clock).map(|text| cut(&text))
}

fn target(target: &TargetVerdict) -> TargetStatus {
    let about = match &target.verdict {
        Verdict::Healthy { release, .. } => Some(release),
        Verdict::Deploying { release, .. } | Verdict::Failed { release, .. } => release.as_ref(),
        Verdict::NotDeployed | Verdict::Unknown { .. } => None,
    };
    let message = match &target.verdict {
        Verdict::Failed { why: Failure::Told(why), .. } => Some(why.to_string()),
        Verdict::Failed { why: Failure::Deadline(within), .. } => {
            Some(format!("not healthy within {}", tell::duration(*within)))
        }
        Verdict::Unknown { why } => Some(why.to_string()),
        Verdict::NotDeployed | Verdict::Deploying { .. } | Verdict::Healthy { .. } => None,
    };
    TargetStatus {
        name: target.name.to_string(),
        verdict: health(&target.verdict),
        version: about.map(ToString::to_string),
        versions: about.map(versions).unwrap_or_default(),
        since: target.verdict.since().map(time),
        message: message.as_deref().map(cut),
        evidence: target
            .evidence
            .iter()
            .take(MAX_EVIDENCE)
            .map(|one| Evidence {
                object: one.object.to_string(),
                message: cut(&match &one.revision {
                    Some(revision) => format!("{}, at {revision}", one.says),
                    None => one.says.to_string(),
                }),
                since: one.since.map(time),
            })
            .collect(),
    }
}

/// How far the newest release has come, or what the first that waits is waiting for.
fn summary(report: &Report, clock: &Clock) -> String {
    let waits = report.environments.iter().find(|here| {
        here.main_reason().is_some_and(|reason| !reason.is_content()) && !line(here, clock).is_empty()
    });
    match waits {
        Some(here) => format!("{}: {}", here.name, line(here, clock)),
        None => {
            let versions: Vec<String> = report
                .environments
                .iter()
                .map(|here| {
                    format!("{} {}", here.name, here.release().map_or("-".to_owned(), ToString::to_string))
                })
                .collect();
            versions.join(", ")
        }
    }
}

fn line(here: &EnvironmentReport, clock: &Clock) -> String {
    let line = tell::status_line(here, clock);
    match here.main_reason() {
        Some(reason) if line.is_empty() && *reason != Reason::UpToDate => tell::sentence(reason, clock),
        Some(_) | None => line,
    }
}

/// What is on its way here. Where Git has what it should have there is nothing to
/// wait for, and still a rollout to tell of.
fn on_its_way(here: &EnvironmentReport, clock: &Clock) -> String {
    let line = line(here, clock);
    if !line.trim().is_empty() {
        return line;
    }
    let name = &here.name;
    match &here.verdict.verdict {
        Verdict::Deploying { release: Some(release), .. } => format!("{name}: {release} is being rolled out"),
        Verdict::Deploying { release: None, .. } => format!("{name}: something is being rolled out"),
        Verdict::NotDeployed | Verdict::Healthy { .. } | Verdict::Failed { .. } | Verdict::Unknown { .. } => {
            match here.proposal {
                Some(_) => format!("{name}: a proposal is open"),
                None => format!("{name}: a change is being written"),
            }
        }
    }
}

fn health(verdict: &Verdict) -> Health {
    match verdict {
        Verdict::NotDeployed => Health::NotDeployed,
        Verdict::Deploying { .. } => Health::Deploying,
        Verdict::Healthy { .. } => Health::Healthy,
        Verdict::Failed { .. } => Health::Failed,
        Verdict::Unknown { .. } => Health::Unknown,
    }
}

fn release(versions: &Versions) -> Option<Release> {
    let read: Option<BTreeMap<ArtifactName, Version>> = versions
        .iter()
        .map(|(artifact, version)| Some((ArtifactName::parse(artifact).ok()?, Version::parse(version).ok()?)))
        .collect();
    Release::new(read?)
}

/// A time as objects have it: to the second.
fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE - 3) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gradus_core::names::{
        ArtifactName, EnvironmentName, Namespace, PipelineKey, PipelineName, RequestId,
    };
    use gradus_core::observation::{Dispatched, Proof, Seen, Why};
    use gradus_core::pipeline::Mode;
    use gradus_core::reason::Reason;
    use gradus_core::release::Release;
    use gradus_core::report::{EnvironmentReport, Report};
    use gradus_core::verdict::{EnvironmentVerdict, Failure, Verdict};
    use gradus_core::version::Version;
    use gradus_manifest::status::{EnvironmentStatus, Health, PipelineStatus, Versions};
    use jiff::Timestamp;
    use serde_json::json;

    use super::{of_report, says_the_same};
    use crate::ledger::Kept;

    fn release() -> Release {
        let artifact = ArtifactName::parse("app").unwrap();
        Release::new(BTreeMap::from([(artifact, Version::parse("1.1.0").unwrap())])).unwrap()
    }

    fn report(verdict: Verdict, reason: Reason) -> Report {
        let here = EnvironmentReport {
            name: EnvironmentName::parse("prod").unwrap(),
            after: Vec::new(),
            declared: Seen::Known(Some(release())),
            origin: None,
            verdict: EnvironmentVerdict { verdict, healthy: 0, need: 1, targets: Vec::new() },
            proposal: None,
            next: None,
            step: None,
            reasons: vec![reason],
            notes: Vec::new(),
        };
        Report {
            pipeline: PipelineKey {
                namespace: Namespace::parse("apps").unwrap(),
                name: PipelineName::parse("web").unwrap(),
            },
            mode: Mode::Active,
            environments: vec![here],
            wake_at: None,
        }
    }

    #[test]
    fn no_condition_is_without_words() {
        let (since, at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let deploying = |release| Verdict::Deploying { release, since: None, deadline: None };
        let verdicts = [
            Verdict::NotDeployed,
            deploying(Some(release())),
            deploying(None),
            Verdict::Healthy { release: release(), since },
            Verdict::Failed { release: None, why: Failure::Told("".into()), since },
            Verdict::Unknown { why: Why::new("") },
        ];
        for verdict in verdicts {
            for reason in [Reason::UpToDate, Reason::FollowsGit] {
                let report = report(verdict.clone(), reason);
                let status = of_report(&json!({}), &report, &Kept::default(), at);
                assert_eq!(status.conditions.len(), 3);
                for condition in &status.conditions {
                    assert!(!condition.message.trim().is_empty(), "{verdict:?}: {condition:?}");
                }
            }
        }
        let status = of_report(
            &json!({}),
            &report(deploying(Some(release())), Reason::UpToDate),
            &Kept::default(),
            at,
        );
        let progressing = status.conditions.iter().find(|condition| condition.of == "Progressing").unwrap();
        assert_eq!(progressing.message, "prod: 1.1.0 is being rolled out");
    }

    /// What a controller that is started anew takes up is what the one before it knew.
    #[test]
    fn what_is_kept_is_taken_up_again() {
        let prod = EnvironmentName::parse("prod").unwrap();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let asked = |promotion: &str, request: Option<&str>, second| Dispatched {
            promotion: promotion.into(),
            from: (second > 1).then(release),
            to: release(),
            request: request.map(|id| RequestId::parse(id).unwrap()),
            at: at(second),
        };
        let proof = Proof { release: release(), since: at(0), until: at(9) };
        let kept = Kept {
            proofs: BTreeMap::from([(prod.clone(), vec![proof])]),
            promoted: BTreeMap::from([(prod.clone(), release())]),
            dispatched: BTreeMap::from([(prod, vec![asked("one", None, 1), asked("two", Some("r-1"), 2)])]),
        };
        let healthy = Verdict::Healthy { release: release(), since: at(0) };
        let status = of_report(&json!({}), &report(healthy, Reason::UpToDate), &kept, at(10));
        let object = json!({"status": serde_json::to_value(&status).unwrap()});
        let text = "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: web, namespace: apps}\n\
                    spec:\n  repository: {url: fleet.git}\n  environments:\n    - {name: prod, targets: [git: {}]}\n";
        let read =
            gradus_manifest::read(&gradus_manifest::SourceFile { name: "web.yaml", text: text.as_bytes() });
        let all = gradus_manifest::assemble(std::iter::once(read));
        let pipeline = &all.pipelines.values().next().unwrap().pipeline;
        assert_eq!(super::kept(&object, pipeline), kept);
        // Without its status nothing is known, and nothing is made up.
        assert_eq!(super::kept(&json!({}), pipeline), Kept::default());
    }

    fn explained(text: &str) -> PipelineStatus {
        let environment = EnvironmentStatus {
            name: "prod".to_owned(),
            verdict: Health::Healthy,
            version: Some("1.0.0".to_owned()),
            versions: Versions::default(),
            since: None,
            next: None,
            proposal: None,
            reason: Some("waiting-for-soak".to_owned()),
            message: None,
            explanation: Some(text.to_owned()),
            targets: Vec::new(),
            proven: Vec::new(),
            promoted: Versions::default(),
            dispatched: Vec::new(),
        };
        PipelineStatus { environments: vec![environment], ..PipelineStatus::default() }
    }

    #[test]
    fn an_explanation_in_which_only_time_passed_is_the_same() {
        let first = explained("soaking\n\n  soak  3s of 1h, since 13:20:04 (just now)\n");
        for later in [
            "soaking\n\n  soak  1h 3m of 2h, since 13:20:04 (4s ago)\n",
            "soaking\n\n  soak  3s of 1h,\n        since 2026-11-20 13:20 (2d ago)\n",
        ] {
            assert!(says_the_same(&first, &explained(later)), "{later}");
        }
        for other in ["soaking\n\n  soak  starts anew, since 13:20:04 (just now)\n", ""] {
            assert!(!says_the_same(&first, &explained(other)), "{other}");
        }
    }
}
