//! The evidence, as people read it.

use std::fmt::Write as _;

use gradus_evidence::{Confidence, Judged, TargetSpec};
use serde_json::{Value, json};

use crate::objects::{
    COMMIT, RELEASE, WORKLOAD, deployment, helm_release, kustomization, pod, rolled_back, source, stuck, with,
};
use crate::recordings::end_of;
use crate::world::{World, reference, words};

fn told(judged: &Judged) -> String {
    let mut text = format!("{}\n", words(&judged.state));
    if let gradus_evidence::State::Failed { why, .. } | gradus_evidence::State::Unknown { why } =
        &judged.state
    {
        writeln!(text, "because {why}").unwrap();
    }
    for piece in &judged.evidence {
        let mark = match piece.good {
            Some(true) => "+",
            Some(false) => "-",
            None => " ",
        };
        write!(text, "{mark} {}: {}", piece.object, piece.says).unwrap();
        if let Some(revision) = &piece.revision {
            write!(text, " [{revision}]").unwrap();
        }
        if let Some(since) = piece.since {
            write!(text, " since {since}").unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn of_a_fleet() {
    let mut world =
        World::of([source(COMMIT), kustomization(&[RELEASE, WORKLOAD]), helm_release(), deployment()]);
    let mut text = told(&world.judged("Kustomization/flux-system/apps"));
    world.put(rolled_back());
    world.put(stuck());
    text.push_str(&told(&world.judged("Kustomization/flux-system/apps")));
    insta::assert_snapshot!("fleet", text);
}

#[test]
fn of_pods() {
    let world = World::of([deployment(), pod("a", "sha256:aa"), pod("b", "sha256:bb")]);
    let mut spec = TargetSpec::new(reference("Deployment/apps/podinfo"));
    spec.confidence = Confidence::Pods;
    insta::assert_snapshot!("pods", told(&world.judge(&spec)));
}

#[test]
fn at_the_end_of_recordings() {
    let mut text = String::new();
    for (scenario, target) in [
        ("01-upgrade-ok", "HelmRelease/dev/podinfo"),
        ("02-upgrade-fails-rolls-back-kustomization-green", "HelmRelease/staging/podinfo"),
        ("02-upgrade-fails-rolls-back-kustomization-green", "Kustomization/flux-system/staging"),
        ("06-deployment-never-available-kustomization-waits", "Kustomization/flux-system/prod"),
        ("10-retry-on-failure-strategy", "HelmRelease/dev/podinfo"),
        ("12-disable-wait-broken", "HelmRelease/staging/podinfo"),
        ("13-invalid-yaml-in-git", "Kustomization/flux-system/dev"),
        ("20-first-install-fails", "HelmRelease/dev/podinfo"),
        ("23-suspended-in-git", "HelmRelease/staging/podinfo"),
        ("23-suspended-in-git", "Kustomization/flux-system/staging"),
    ] {
        writeln!(text, "== {scenario}\n{}", told(&end_of(scenario).judged(target))).unwrap();
    }
    insta::assert_snapshot!("recordings", text);
}

/// Text from outside is bounded, and so is how much of it there is.
#[test]
fn of_too_much() {
    let ids: Vec<String> = (0..200).map(|at| format!("apps_web-{at:03}_apps_Deployment")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut world = World::of([source(COMMIT), kustomization(&ids)]);
    for at in 0..200 {
        let object = if at == 150 { stuck() } else { deployment() };
        world.put(with(object, json!({ "metadata": { "name": format!("web-{at:03}") } })));
    }
    let judged = world.judged("Kustomization/flux-system/apps");
    let broken = world_with_long_message(&mut world);
    assert_eq!(judged.evidence.len(), 40);
    assert_eq!(judged.evidence.iter().filter(|it| it.good == Some(false)).count(), 1);
    assert_eq!(judged.evidence.last().map(|it| it.says.as_str()), Some("163 more were looked at"));
    assert!(broken.chars().count() < 700, "{broken}");
    assert!(!broken.contains('\n'));
}

fn world_with_long_message(world: &mut World) -> String {
    let message: Value = json!("the chart\nis not what it should be\u{7} ".repeat(200));
    let mut release = rolled_back();
    for condition in release["status"]["conditions"].as_array_mut().unwrap() {
        condition["message"] = message.clone();
    }
    world.put(release);
    let state = world.state("HelmRelease/apps/podinfo");
    let gradus_evidence::State::Failed { why, .. } = state else { panic!("{state:?}") };
    why
}
