//! Good manifests and what becomes of them.

use std::fmt::Write as _;

use gradus_core::gate::Gate;
use gradus_core::pipeline::Pipeline;
use gradus_manifest::{Manifest, SourceFile, read};

use crate::telling::tell;

#[test]
fn good_manifests_are_read_in_full() {
    insta::glob!("good/*.yaml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let parsed = read(&SourceFile { name, text: text.as_bytes() });
        assert!(parsed.errors.is_empty(), "{}", tell(&text, &parsed.errors, &parsed.notes));
        let mut shown = String::new();
        for manifest in &parsed.manifests {
            match manifest {
                Manifest::Pipeline(pipeline, place) => shown += &format!("{place}\n{}", show(pipeline)),
                Manifest::Notification(one) => shown += &format!("{}\n{:#?}\n", one.place, one.notification),
                Manifest::Hold(hold) => shown += &format!("{}\n{:#?}\n", hold.place, hold.hold),
            }
        }
        for note in &parsed.notes {
            shown += &format!("note: {note}\n");
        }
        insta::assert_snapshot!(shown);
    });
}

/// All that was read of a pipeline.
fn show(pipeline: &Pipeline) -> String {
    let mut shown = String::new();
    let mut line = |indent: usize, name: &str, value: &dyn std::fmt::Debug| {
        writeln!(shown, "{:indent$}{name}: {value:?}", "").unwrap();
    };
    line(0, "key", &pipeline.key);
    line(0, "url", &pipeline.repository.url);
    line(0, "branch", &pipeline.repository.branch);
    line(0, "paths", &pipeline.repository.paths);
    line(0, "secret", &pipeline.repository.secret);
    line(0, "artifacts", &pipeline.artifacts);
    line(0, "block", &pipeline.block);
    line(0, "holds", &pipeline.holds);
    line(0, "mode", &pipeline.mode);
    line(0, "on_delete", &pipeline.on_delete);
    line(0, "poke", &pipeline.poke);
    for environment in pipeline.environments() {
        line(0, "environment", &environment.name);
        line(2, "after", &environment.after);
        for target in &environment.targets {
            line(2, "target", &(&target.name, &target.kind));
        }
        line(2, "healthy", &environment.healthy);
        line(2, "deploy_within", &environment.deploy_within);
        line(2, "strategy", &environment.strategy);
        line(2, "merge", &environment.merge);
        line(2, "emergency", &environment.emergency);
        if let Some(policy) = &environment.pull_request {
            line(2, "pull_request", policy);
        }
        line(2, "queue", &environment.queue);
        for gate in &environment.gates {
            line(2, "gate", &gate.words());
            if let Gate::Freeze(freeze) = gate {
                line(4, "from, until", &(freeze.from, freeze.until));
            }
        }
        for gate in &environment.verify {
            line(2, "verify", &gate.words());
        }
        line(2, "block", &environment.block);
        for edit in &environment.edit {
            line(2, "edit", edit);
        }
        if let Some(branch) = &environment.branch {
            line(2, "branch", branch);
            line(2, "takes", &environment.takes);
        }
    }
    shown
}
