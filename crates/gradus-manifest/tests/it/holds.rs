//! What is written as a hold is read as that hold.

use std::sync::Arc;

use gradus_core::names::{ArtifactName, EnvironmentName, Person, PipelineKey};
use gradus_core::pipeline::Hold;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_manifest::{SourceFile, assemble, read, write_hold};
use jiff::Timestamp;
use proptest::prelude::*;

const PIPELINE: &str = "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {name: web, namespace: apps}
spec:
  repository: {url: fleet.git}
  artifacts: [{name: app}, {name: chart}]
  environments: [{name: prod, targets: [{report: {}}]}]
";

fn key() -> PipelineKey {
    PipelineKey::parse("apps/web").unwrap()
}

/// Writes the hold, reads it back with its pipeline, and gives what was read.
fn read_back(hold: &Hold) -> Hold {
    let written = write_hold(&key(), hold);
    let files = [("web.yaml", PIPELINE.to_owned()), ("hold.yaml", written.clone())];
    let all = assemble(files.iter().map(|(name, text)| read(&SourceFile { name, text: text.as_bytes() })));
    assert!(all.errors.is_empty(), "{:#?}\n{written}", all.errors);
    let [hold] = all.pipelines[&key()].pipeline.holds.as_slice() else { panic!("not one hold: {written}") };
    hold.clone()
}

#[test]
fn a_hold_is_written_for_people() {
    let hold = Hold {
        name: Arc::from("black-friday"),
        environment: Some(EnvironmentName::parse("prod").unwrap()),
        pin: Release::new([
            (ArtifactName::parse("app").unwrap(), Version::parse("1.10").unwrap()),
            (ArtifactName::parse("chart").unwrap(), Version::parse("6.5.1").unwrap()),
        ]),
        reason: Arc::from("black friday: \"nothing moves\""),
        owner: Person::parse("Ada Lovelace").unwrap(),
        since: Some("2026-11-20T08:00:00Z".parse().unwrap()),
        until: Some("2026-12-01T00:00:00Z".parse().unwrap()),
    };
    insta::assert_snapshot!(write_hold(&key(), &hold));
    assert_eq!(read_back(&hold), hold);
}

/// Some instant between these seconds, or none.
fn instant(seconds: std::ops::Range<i64>) -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of(seconds.prop_map(|second| Timestamp::from_second(second).unwrap()))
}

prop_compose! {
    fn holds()(
        name in "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?",
        environment in any::<bool>(),
        versions in proptest::collection::btree_map(0..2usize, "[!-~]{1,12}", 0..3),
        reason in "\\PC{0,3}[^\\s]{1,3}.{0,20}[^\\s]",
        owner in "[^\\s\\p{Cc}]([^\\p{Cc}]{0,12}[^\\s\\p{Cc}])?",
        since in instant(0..2_000_000_000),
        until in instant(2_000_000_000..4_000_000_000),
    ) -> Hold {
        let artifact = |at: usize| ArtifactName::parse(["app", "chart"][at]).unwrap();
        Hold {
            name: Arc::from(name.as_str()),
            environment: environment.then(|| EnvironmentName::parse("prod").unwrap()),
            pin: Release::new(versions.iter().map(|(at, text)| (artifact(*at), Version::parse(text).unwrap()))),
            reason: Arc::from(reason.trim()),
            owner: Person::parse(&owner).unwrap(),
            since,
            until,
        }
    }
}

proptest! {
    #[test]
    fn any_hold_is_read_as_it_was_written(hold in holds()) {
        assert_eq!(read_back(&hold), hold);
    }
}
