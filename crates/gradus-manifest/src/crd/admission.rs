//! Who may say what: rules of admission that ask the cluster's own roles.
//!
//! A role grants verbs of ours on `pipelines`: `approve`, `promote`, `override`,
//! `emergency` and `hold`, for all pipelines or for those it names, and `report`
//! on `checks`, for the reporter it names. Who has `record` on `pipelines` writes
//! down what others said, as gradus does for its own API.

use serde_json::{Value, json};

use super::ClusterObject;

const RECORDS: &str = "authorizer.group('gradus.dev').resource('pipelines').namespace(request.namespace).check('record').allowed()";

/// The policies, each with what puts it in force.
pub(super) fn policies() -> Vec<ClusterObject> {
    let files = [
        "gradus.dev_pipelines_policy.yaml",
        "gradus.dev_approvals_policy.yaml",
        "gradus.dev_promotions_policy.yaml",
        "gradus.dev_holds_policy.yaml",
        "gradus.dev_checks_policy.yaml",
        "gradus.dev_poke_policy.yaml",
    ];
    let policies = [pipelines(), approvals(), promotions(), holds(), checks(), poke()];
    files
        .into_iter()
        .zip(policies)
        .flat_map(|(file, policy)| {
            let binding = binding(&policy);
            [ClusterObject { file, object: policy }, ClusterObject { file, object: binding }]
        })
        .collect()
}

/// gradus keeps a pipeline until its proposals are closed. Finalizers are written with
/// `patch` on the object, which would allow more than that.
fn pipelines() -> Value {
    let may = "authorizer.group('gradus.dev').resource('pipelines').namespace(request.namespace).name(request.name).check('update').allowed()";
    let condition = json!({"name": "who-may-patch-and-not-update", "expression": format!("!{may}")});
    let same = [
        "object.spec == oldObject.spec".to_owned(),
        same("labels", "{}"),
        same("annotations", "{}"),
        same("ownerReferences", "[]"),
    ];
    let rule = json!({
        "expression": same.join(" && "),
        "messageExpression": "request.userInfo.username + ' may change the finalizers of a pipeline and nothing else: that takes the verb update on pipelines of gradus.dev'",
        "message": "you may change the finalizers of a pipeline and nothing else: that takes the verb update on pipelines of gradus.dev",
        "reason": "Forbidden",
    });
    policy("pipelines", &["UPDATE"], &[condition], &[rule])
}

fn approvals() -> Value {
    policy(
        "approvals",
        &["CREATE"],
        &[],
        &[
            by_themselves(),
            json!({
                "expression": "variables.records || !has(object.spec.groups) || object.spec.groups.all(group, group in request.userInfo.groups)",
                "messageExpression": "'groups can only name those you are in: ' + object.spec.groups.filter(group, !(group in request.userInfo.groups)).join(', ') + ' is not among them'",
                "message": "groups can only name those you are in",
                "reason": "Forbidden",
            }),
            may("approve", "approve in", "true"),
        ],
    )
}

fn promotions() -> Value {
    let is = |way: &str| format!("has(object.spec.type) && object.spec.type == '{way}'");
    policy(
        "promotions",
        &["CREATE"],
        &[],
        &[
            by_themselves(),
            may("promote", "promote in", "true"),
            may("override", "promote what is not proven in", &is("override")),
            may("emergency", "promote past the gates in", &is("emergency")),
        ],
    )
}

/// A hold is as strong as what it takes to take it away.
fn holds() -> Value {
    let pipeline = |object: &str| {
        format!(
            "{object} == null || authorizer.group('gradus.dev').resource('pipelines').namespace(request.namespace).name({object}.spec.pipeline).check('hold').allowed()"
        )
    };
    let rule = |object: &str| {
        json!({
            "expression": format!("variables.records || {}", pipeline(object)),
            "messageExpression": format!("request.userInfo.username + ' may not hold pipeline ' + request.namespace + '/' + {object}.spec.pipeline + ': that takes the verb hold on pipelines of gradus.dev'"),
            "message": "you may not hold this pipeline: that takes the verb hold on pipelines of gradus.dev",
            "reason": "Forbidden",
        })
    };
    // A cluster that takes a namespace away takes its holds away too.
    let not_the_cluster = json!({
        "name": "not-the-cluster-itself",
        "expression": "request.operation != 'DELETE' || !request.userInfo.username.startsWith('system:serviceaccount:kube-system:')",
    });
    policy("holds", &["CREATE", "UPDATE", "DELETE"], &[not_the_cluster], &[rule("object"), rule("oldObject")])
}

fn checks() -> Value {
    policy(
        "checks",
        &["CREATE"],
        &[],
        &[json!({
            "expression": "variables.records || authorizer.group('gradus.dev').resource('checks').namespace(request.namespace).name(object.spec.reporter).check('report').allowed()",
            "messageExpression": "request.userInfo.username + ' may not report as ' + object.spec.reporter + ': that takes the verb report on checks of gradus.dev, for that name'",
            "message": "you may not report under this name: that takes the verb report on checks of gradus.dev",
            "reason": "Forbidden",
        })],
    )
}

/// Objects of Flux and Argo CD are asked to look by an annotation, which takes `patch` on the object and would
/// allow anything. Who has the verb `poke` of ours beside it may set that annotation alone. Of those who have not
/// nothing is asked, and an object is never kept from its owners because this cannot be judged.
fn poke() -> Value {
    let may = |verb: &str| {
        format!(
            "authorizer.group(request.resource.group).resource(request.resource.resource).namespace(request.namespace).name(request.name).check('{verb}').allowed()"
        )
    };
    let condition = json!({
        "name": "who-may-poke-and-not-update",
        "expression": format!("{} && !{}", may("poke"), may("update")),
    });
    let asks = ["reconcile.fluxcd.io/requestedAt", "argocd.argoproj.io/refresh"];
    let asks = asks.map(|name| format!("name == '{name}'")).join(" || ");
    let annotations = |object: &str, other: &str| {
        format!(
            "(!has({object}.metadata.annotations) || {object}.metadata.annotations.all(name, {asks} || (has({other}.metadata.annotations) && name in {other}.metadata.annotations && {other}.metadata.annotations[name] == {object}.metadata.annotations[name])))"
        )
    };
    let same = [
        "object.spec == oldObject.spec".to_owned(),
        // By this Argo CD would be told to deploy.
        "has(object.operation) == has(oldObject.operation) && (!has(object.operation) || object.operation == oldObject.operation)".to_owned(),
        same("labels", "{}"),
        same("finalizers", "[]"),
        same("ownerReferences", "[]"),
        annotations("object", "oldObject"),
        annotations("oldObject", "object"),
    ];
    let rule = json!({
        "expression": same.join(" && "),
        "messageExpression": "request.userInfo.username + ' may ask for a look by an annotation and change nothing else: that takes the verb update'",
        "message": "you may ask for a look by an annotation and change nothing else: that takes the verb update",
        "reason": "Forbidden",
    });
    let watched = |group: &str, resource: &str| json!({"apiGroups": [group], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": [resource]});
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "poke.gradus.dev"},
        "spec": {
            "failurePolicy": "Ignore",
            "matchConstraints": {"resourceRules": [
                watched("source.toolkit.fluxcd.io", "gitrepositories"),
                watched("kustomize.toolkit.fluxcd.io", "kustomizations"),
                watched("argoproj.io", "applications"),
            ]},
            "matchConditions": [condition],
            "validations": [rule],
        },
    })
}

/// That a field of the metadata is as it was.
fn same(field: &str, none: &str) -> String {
    let of = |object: &str| format!("(has({object}.metadata.{field}) ? {object}.metadata.{field} : {none})");
    format!("{} == {}", of("object"), of("oldObject"))
}

/// What somebody says, they say themselves.
fn by_themselves() -> Value {
    json!({
        "expression": "variables.records || object.spec.by == request.userInfo.username",
        "messageExpression": "'by must be the name you are known by here: ' + request.userInfo.username",
        "message": "by must be the name you are known by here",
        "reason": "Forbidden",
    })
}

/// Where `when` holds, the verb is needed on the pipeline that the object is about.
fn may(verb: &str, words: &str, when: &str) -> Value {
    let needed = if when == "true" { String::new() } else { format!("!({when}) || ") };
    json!({
        "expression": format!("variables.records || {needed}authorizer.group('gradus.dev').resource('pipelines').namespace(request.namespace).name(object.spec.pipeline).check('{verb}').allowed()"),
        "messageExpression": format!("request.userInfo.username + ' may not {words} pipeline ' + request.namespace + '/' + object.spec.pipeline + ': that takes the verb {verb} on pipelines of gradus.dev'"),
        "message": format!("you may not {words} this pipeline: that takes the verb {verb} on pipelines of gradus.dev"),
        "reason": "Forbidden",
    })
}

fn policy(resource: &str, operations: &[&str], conditions: &[Value], validations: &[Value]) -> Value {
    let mut policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": format!("{resource}.gradus.dev")},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["gradus.dev"],
                "apiVersions": ["*"],
                "operations": operations,
                "resources": [resource],
            }]},
            "variables": [{"name": "records", "expression": RECORDS}],
            "validations": validations,
        },
    });
    if let (false, Some(spec)) =
        (conditions.is_empty(), policy.get_mut("spec").and_then(Value::as_object_mut))
    {
        spec.insert("matchConditions".to_owned(), json!(conditions));
    }
    policy
}

fn binding(policy: &Value) -> Value {
    let name = policy.pointer("/metadata/name");
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    })
}
