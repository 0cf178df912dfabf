//! Which objects are asked for, and which kinds may be.

use gradus_evidence::{GroupKind, needs_of};

use crate::objects::{COMMIT, RELEASE, WORKLOAD, deployment, helm_release, kustomization, source};
use crate::world::{World, reference, reference_of};

#[test]
fn everything_that_is_asked_for_is_named() {
    let set = kustomization(&[RELEASE, WORKLOAD, "apps_settings__ConfigMap"]);
    let judged = World::of([source(COMMIT), set, helm_release(), deployment()])
        .judged("Kustomization/flux-system/apps");
    let expected = ["GitRepository/flux-system/fleet", "HelmRelease/apps/podinfo", "Deployment/apps/podinfo"];
    assert_eq!(judged.needs, expected.map(reference).to_vec());
    let lists: Vec<_> =
        judged.lists.iter().map(|it| (it.kind.kind.as_str(), it.namespace.as_str())).collect();
    assert_eq!(lists, [("Canary", "apps")]);
}

#[test]
fn release_that_its_controller_waits_for_needs_nothing() {
    let judged = World::of([helm_release()]).judged("HelmRelease/apps/podinfo");
    assert_eq!((judged.needs, judged.lists), (vec![], vec![]));
}

/// Whatever is asked for is of a kind that was announced.
#[test]
fn announced_kinds_are_enough() {
    for scenario in
        ["04-upgrade-fails-kustomization-waits", "12-disable-wait-broken", "22-image-only-deployment-upgrade"]
    {
        let world = crate::recordings::end_of(scenario);
        for object in world.objects() {
            let name = reference_of(object);
            let announced = needs_of(&name.group_kind());
            let mut spec = gradus_evidence::TargetSpec::new(name);
            spec.confidence = gradus_evidence::Confidence::Pods;
            let judged = world.judge(&spec);
            let asked = judged.needs.iter().map(|it| it.group_kind());
            let asked: Vec<GroupKind> = asked.chain(judged.lists.iter().map(|it| it.kind.clone())).collect();
            for kind in asked {
                assert!(announced.contains(&kind), "{:?} asks for {kind:?}", spec.object);
            }
        }
    }
}
