//! The definition of the older kind, `pipelines.weave.works/v1alpha1`. Objects
//! that were kept by its own controller stay valid; what is new is in the status
//! and may be absent.

use serde_json::{Value, json};

use crate::weave::HOSTS;

/// The definition.
pub(super) fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "pipelines.pipelines.weave.works"},
        "spec": {
            "group": "pipelines.weave.works",
            "names": {"kind": "Pipeline", "listKind": "PipelineList", "plural": "pipelines", "singular": "pipeline"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns(),
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": "An application's way through its environments.",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec(),
                        "status": status(),
                    },
                }},
            }],
        },
    })
}

fn columns() -> Value {
    json!([
        {"name": "App Kind", "type": "string", "jsonPath": ".spec.appRef.kind"},
        {"name": "App Name", "type": "string", "jsonPath": ".spec.appRef.name"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
        {"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"},
    ])
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn object(description: &str, required: &[&str], properties: Value) -> Value {
    let mut object = json!({"type": "object", "description": description, "properties": properties});
    if let (false, Some(object)) = (required.is_empty(), object.as_object_mut()) {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn list(description: &str, items: Value) -> Value {
    json!({"type": "array", "description": description, "items": items})
}

fn spec() -> Value {
    let target = object(
        "Where the application runs.",
        &["namespace"],
        json!({"namespace": text("The namespace it runs in."), "clusterRef": cluster()}),
    );
    let environment = object(
        "A step of the way.",
        &["name", "targets"],
        json!({
            "name": text("What it is called."),
            "targets": list("Where it runs.", target),
            "promotion": promotion("How the application comes into this environment; as a whole in place of the pipeline's."),
        }),
    );
    object(
        "What moves, and where to.",
        &["appRef", "environments"],
        json!({
            "appRef": app(),
            "environments": list("The steps of the way, in their order.", environment),
            "promotion": promotion("How the application comes into an environment that does not say so itself."),
        }),
    )
}

fn app() -> Value {
    object(
        "The object that carries the application in each target.",
        &["apiVersion", "kind", "name"],
        json!({
            "apiVersion": text("Its API, such as helm.toolkit.fluxcd.io/v2."),
            "kind": text("Its kind, such as HelmRelease."),
            "name": text("Its name."),
        }),
    )
}

fn cluster() -> Value {
    object(
        "The cluster it runs in; this one when absent.",
        &["kind", "name"],
        json!({
            "apiVersion": text("The API of the object that describes the cluster."),
            "kind": {"type": "string", "description": "Its kind.", "enum": ["GitopsCluster"]},
            "name": text("Its name."),
            "namespace": text("Its namespace; the pipeline's when absent."),
        }),
    )
}

fn secret(description: &str) -> Value {
    object(description, &["name"], json!({"name": text("The Secret's name, in the pipeline's namespace.")}))
}

fn promotion(description: &str) -> Value {
    let pull_request = object(
        "A pull request changes the marked values.",
        &["type", "url", "baseBranch", "secretRef"],
        json!({
            "type": {
                "type": "string",
                "description": "Who keeps the pull requests.",
                "enum": HOSTS,
            },
            "url": text("The repository, over https."),
            "baseBranch": text("The branch that the pull request is for."),
            "secretRef": secret("The Secret with username, password and token."),
        }),
    );
    let strategy = object(
        "By which way: pull-request or notification. Where both are there, pull-request is taken.",
        &[],
        json!({
            "pull-request": pull_request,
            "notification": {"type": "object", "description": "An event tells another system to do it."},
            "secretRef": secret("The Secret with the key hmac-key that signs what is sent to the webhook."),
        }),
    );
    object(
        description,
        &["strategy"],
        json!({
            "manual": {"type": "boolean", "description": "Whether a person lets each version in."},
            "strategy": strategy,
        }),
    )
}

fn status() -> Value {
    let target = object(
        "What is known of a target.",
        &["clusterAppRef", "ready"],
        json!({
            "clusterAppRef": object(
                "The object that was looked at.",
                &["apiVersion", "kind", "name"],
                json!({
                    "apiVersion": text("Its API."),
                    "kind": text("Its kind."),
                    "name": text("Its name."),
                    "clusterRef": cluster(),
                }),
            ),
            "ready": {"type": "boolean", "description": "Whether it is ready."},
            "revision": text("What runs there."),
            "error": text("Why it could not be looked at."),
        }),
    );
    let promotion = object(
        "The last promotion into this environment.",
        &[],
        json!({
            "revision": text("What was to come in."),
            "lastAttemptedTime": {"type": "string", "format": "date-time", "description": "When it was last tried."},
            "succeeded": {"type": "boolean", "description": "Whether it was done."},
            "pullRequest": object(
                "The pull request that was opened for it.",
                &[],
                json!({
                    "url": text("Where people see it."),
                    "state": text("What has become of it: open, mergeable, merged or abandoned."),
                }),
            ),
        }),
    );
    let environment = object(
        "What is known of one environment.",
        &[],
        json!({
            "waitingApproval": object(
                "What waits until a person lets it in.",
                &["revision"],
                json!({"revision": text("The revision; empty where nothing waits.")}),
            ),
            "targets": list("Each target.", target),
            "promotion": promotion,
        }),
    );
    let mut status = object(
        "What is known of the pipeline.",
        &[],
        json!({
            "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "description": "The generation of the spec that this was made from.",
            },
            "conditions": list("How the pipeline is as a whole.", condition()),
            "environments": {
                "type": "object",
                "description": "What is known of each environment, by its name.",
                "additionalProperties": environment,
            },
            "latestRevision": text("The revision of the first environment, which the others are to get."),
        }),
    );
    if let Some(status) = status.as_object_mut() {
        status.insert("default".to_owned(), json!({"observedGeneration": -1}));
    }
    status
}

fn condition() -> Value {
    object(
        "One thing that is so, or is not.",
        &["type", "status", "lastTransitionTime", "reason", "message"],
        json!({
            "type": {
                "type": "string",
                "description": "What it is about.",
                "maxLength": 316,
                "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
            },
            "status": {"type": "string", "description": "Whether it is so.", "enum": ["True", "False", "Unknown"]},
            "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "minimum": 0,
                "description": "The generation of the spec that this was made from.",
            },
            "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When status last changed."},
            "reason": {
                "type": "string",
                "description": "Why, in one word for programs.",
                "minLength": 1,
                "maxLength": 1024,
                "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
            },
            "message": {"type": "string", "description": "Why, in a sentence for people.", "maxLength": 32768},
        }),
    )
}
