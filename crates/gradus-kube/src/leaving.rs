//! Pipelines that are to be deleted: which of them wait until their proposals were
//! closed, and what there is left to know of them then.

use gradus_core::pipeline::{Mode, OnDelete, Pipeline, Strategy};
use gradus_manifest::pipeline_from_json;
use gradus_manifest::status::PipelineStatus;
use serde_json::{Value, json};

use crate::status;

/// Keeps the object until its proposals were closed.
pub(crate) const FINALIZER: &str = "gradus.dev/proposals";

/// Whether an object is kept for us.
pub(crate) fn has_finalizer(object: &Value) -> bool {
    finalizers(object).any(|one| one == FINALIZER)
}

/// Whether an object is to be deleted and waits for us.
pub(crate) fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some() && has_finalizer(object)
}

/// Whether a pipeline may leave a proposal behind that somebody wants closed.
pub(crate) fn is_needed(pipeline: &Pipeline, status: &PipelineStatus) -> bool {
    let closes = match (pipeline.on_delete, pipeline.mode) {
        (OnDelete::Leave, _) | (_, Mode::Observe) => false,
        (OnDelete::Close, Mode::Active | Mode::Suspended) => true,
    };
    let proposes = |strategy: &Strategy| match strategy {
        Strategy::PullRequest => true,
        Strategy::Push | Strategy::Dispatch(_) => false,
    };
    closes
        && (pipeline.environments().iter().any(|here| proposes(&here.strategy))
            || status.environments.iter().any(|here| here.proposal.is_some()))
}

/// The finalizers of an object with ours, or without it.
pub(crate) fn finalizers_of(object: &Value, with_ours: bool) -> Vec<&str> {
    let others = finalizers(object).filter(|one| *one != FINALIZER);
    others.chain(with_ours.then_some(FINALIZER)).collect()
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let all = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

/// The pipeline that an object is, or, if it has mistakes by now, as much of it as
/// it takes to find its proposals: the repository, and the environments that it was
/// last seen to have. None where not even that can be read.
pub(crate) fn last_known(object: &Value) -> Option<Pipeline> {
    if let Ok(read) = pipeline_from_json(object) {
        return Some(read.value);
    }
    let seen = status::read(object).environments;
    let environments: Vec<Value> =
        seen.iter().map(|here| json!({"name": here.name, "after": [], "targets": [{"git": {}}]})).collect();
    let mut spec = json!({"repository": object.pointer("/spec/repository")?, "environments": environments});
    if object.pointer("/spec/onDelete").and_then(Value::as_str) == Some("leave") {
        spec["onDelete"] = "leave".into();
    }
    let metadata = json!({
        "name": object.pointer("/metadata/name"), "namespace": object.pointer("/metadata/namespace"),
    });
    let reduced = json!({
        "apiVersion": object.get("apiVersion"), "kind": object.get("kind"), "metadata": metadata, "spec": spec,
    });
    pipeline_from_json(&reduced).ok().map(|read| read.value)
}

#[cfg(test)]
mod tests {
    use gradus_manifest::pipeline_from_json;
    use serde_json::{Value, json};

    use super::{FINALIZER, finalizers_of, is_leaving, is_needed, last_known};
    use crate::status;

    fn pipeline(strategy: &str) -> Value {
        json!({
            "apiVersion": "gradus.dev/v1alpha1", "kind": "Pipeline",
            "metadata": {"name": "web", "namespace": "apps"},
            "spec": {
                "repository": {"url": "https://git.example.com/fleet"},
                "environments": [
                    {"name": "dev", "targets": [{"git": {}}]},
                    {"name": "prod", "targets": [{"git": {}}], "promote": {"strategy": strategy}},
                ],
            },
        })
    }

    fn needed(object: &Value) -> bool {
        is_needed(&pipeline_from_json(object).unwrap().value, &status::read(object))
    }

    #[test]
    fn only_what_may_leave_a_proposal_behind_is_kept() {
        let mut object = pipeline("pull-request");
        assert!(needed(&object));
        object["spec"]["mode"] = "observe".into();
        assert!(!needed(&object));
        let mut object = pipeline("pull-request");
        object["spec"]["onDelete"] = "leave".into();
        assert!(!needed(&object));
        let mut object = pipeline("push");
        object["spec"]["environments"][0]["promote"] = json!({"strategy": "push"});
        assert!(!needed(&object));
        // It was another until a moment ago.
        object["status"] =
            json!({"environments": [{"name": "prod", "verdict": "healthy", "proposal": {"number": 1}}]});
        assert!(needed(&object));
    }

    #[test]
    fn finalizers_of_others_stay() {
        let mut object = json!({"metadata": {"finalizers": ["a", FINALIZER, "b"], "deletionTimestamp": "x"}});
        assert!(is_leaving(&object));
        assert_eq!(finalizers_of(&object, false), ["a", "b"]);
        assert_eq!(finalizers_of(&object, true), ["a", "b", FINALIZER]);
        object["metadata"]["finalizers"] = json!(["a"]);
        assert!(!is_leaving(&object));
        assert_eq!(finalizers_of(&json!({}), true), [FINALIZER]);
    }

    #[test]
    fn of_one_with_mistakes_the_repository_and_the_environments_are_known() {
        let names = |object: &Value| {
            let pipeline = last_known(object)?;
            let names: Vec<String> =
                pipeline.environments().iter().map(|here| here.name.to_string()).collect();
            Some((pipeline.repository.url.to_string(), names))
        };
        let mut object = pipeline("pull-request");
        let url = "https://git.example.com/fleet".to_owned();
        let both = vec!["dev".to_owned(), "prod".to_owned()];
        assert_eq!(names(&object), Some((url.clone(), both.clone())));
        object["spec"]["environments"][1]["after"] = json!(["nowhere"]);
        object["status"] = json!({"environments": [
            {"name": "dev", "verdict": "healthy"}, {"name": "prod", "verdict": "healthy"},
        ]});
        assert_eq!(names(&object), Some((url, both)));
        object["spec"]["repository"] = json!({"url": ""});
        assert_eq!(names(&object), None);
    }
}
