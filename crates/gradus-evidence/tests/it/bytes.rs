//! What it costs to keep an object.

use gradus_evidence::slim;

use crate::recordings::end_of;
use crate::world::reference_of;

/// Objects of which a cluster has many are small as they are kept, which is as
/// the text of their JSON.
#[test]
fn slim_objects_are_small() {
    for scenario in ["18-two-versions-in-a-hurry", "02-upgrade-fails-rolls-back-kustomization-green"] {
        for object in end_of(scenario).objects() {
            let name = reference_of(object);
            let (before, after) = (object.to_string().len(), slim(object.clone()).to_string().len());
            println!("{scenario} {name}: {before} bytes of JSON, {after} slim");
            let most = match name.kind.as_str() {
                "HelmRelease" => 1_900,
                "Kustomization" => 1_800,
                _ => 900,
            };
            assert!(after <= most, "{name} takes {after} bytes");
        }
    }
}

#[test]
fn slimming_twice_changes_nothing() {
    for object in end_of("02-upgrade-fails-rolls-back-kustomization-green").objects() {
        let once = slim(object.clone());
        assert_eq!(slim(once.clone()), once);
    }
}
