//! Which objects bring what a repository has to a target, as they say themselves.

use gradus_evidence::ObjectRef;
use jiff::Timestamp;
use serde_json::Value;

use super::address::same_repository;

const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";
const ARGO: &str = "argoproj.io";

/// So many owners are looked at, one after the other: a workload, its HelmRelease, its
/// Kustomization, and those that apply one another.
const STEPS: u8 = 6;

/// An object that is asked to look. Sources come before what follows them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Goal {
    is_follower: bool,
    pub(super) object: ObjectRef,
}

impl Goal {
    /// A source that is looked at for others.
    pub(super) fn source(object: ObjectRef) -> Self {
        Self { is_follower: false, object }
    }

    /// The annotation by which it is asked.
    pub(super) fn annotation(&self, now: Timestamp) -> (&'static str, String) {
        if self.object.group == ARGO {
            ("argocd.argoproj.io/refresh", "normal".to_owned())
        } else {
            ("reconcile.fluxcd.io/requestedAt", now.to_string())
        }
    }
}

/// A place on the way from a target up to the repository.
pub(super) struct Way {
    object: ObjectRef,
    steps: u8,
}

impl Way {
    /// The way that begins at a target.
    pub(super) fn to(object: ObjectRef) -> Self {
        Self { object, steps: STEPS }
    }

    pub(super) fn object(&self) -> &ObjectRef {
        &self.object
    }

    fn is(&self, group: &str, kind: &str) -> bool {
        self.object.group == group && self.object.kind == kind
    }

    pub(super) fn is_an_application(&self) -> bool {
        self.is(ARGO, "Application")
    }

    /// What is asked besides the source: what looks at a source only when it is told.
    pub(super) fn itself(&self) -> Option<Goal> {
        let is_asked = self.is(KUSTOMIZE, "Kustomization") || self.is_an_application();
        is_asked.then(|| Goal { is_follower: true, object: self.object.clone() })
    }

    /// The Git sources that the object follows, whatever they hold.
    pub(super) fn sources(&self, object: &Value) -> Vec<ObjectRef> {
        let pointer = if self.is(KUSTOMIZE, "Kustomization") {
            "/spec/sourceRef"
        } else if self.is(HELM, "HelmRelease") {
            "/spec/chart/spec/sourceRef"
        } else {
            return Vec::new();
        };
        let text = |field: &str| object.pointer(&format!("{pointer}/{field}")).and_then(Value::as_str);
        let namespace = text("namespace").unwrap_or(&self.object.namespace);
        match (text("kind"), text("name")) {
            (Some("GitRepository"), Some(name)) => {
                vec![ObjectRef::new(SOURCE, "GitRepository", namespace, name)]
            }
            (_, _) => Vec::new(),
        }
    }

    /// Who applied the object, as its labels say.
    pub(super) fn up(self, object: &Value) -> Option<Self> {
        let steps = self.steps.checked_sub(1)?;
        let labels = object.pointer("/metadata/labels")?;
        let by = |group: &str, kind: &str| {
            let text = |field: &str| labels.get(format!("{group}/{field}")).and_then(Value::as_str);
            Some(ObjectRef::new(group, kind, text("namespace")?, text("name")?))
        };
        let above = by(HELM, "HelmRelease").or_else(|| by(KUSTOMIZE, "Kustomization"));
        // Flux's own Kustomization applies itself.
        let object = above.filter(|above| *above != self.object)?;
        Some(Self { object, steps })
    }
}

/// Whether a source or an Application follows this repository, and looks at all.
pub(super) fn follows(reference: &ObjectRef, object: &Value, repository: &str) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    if reference.group != ARGO {
        let is_suspended = object.pointer("/spec/suspend").and_then(Value::as_bool).unwrap_or(false);
        return !is_suspended && text("/spec/url").is_some_and(|url| same_repository(url, repository));
    }
    let several = object.pointer("/spec/sources").and_then(Value::as_array);
    let several = several.into_iter().flatten().filter_map(|source| source.get("repoURL")?.as_str());
    text("/spec/source/repoURL").into_iter().chain(several).any(|url| same_repository(url, repository))
}

#[cfg(test)]
mod tests {
    use gradus_evidence::ObjectRef;
    use serde_json::{Value, json};

    use super::{ARGO, HELM, KUSTOMIZE, SOURCE, Way, follows};

    fn release() -> ObjectRef {
        ObjectRef::new(HELM, "HelmRelease", "apps", "web")
    }

    #[track_caller]
    fn check_up(from: ObjectRef, labels: Value, expected: Option<&str>) {
        let up = Way::to(from).up(&json!({"metadata": {"labels": labels}}));
        assert_eq!(up.map(|up| up.object().to_string()).as_deref(), expected);
    }

    #[test]
    fn labels_lead_up() {
        let deployment = || ObjectRef::new("apps", "Deployment", "apps", "web");
        let kustomization = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
        let helm = json!({"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "apps"});
        check_up(release(), kustomization.clone(), Some("Kustomization flux-system/apps"));
        check_up(deployment(), helm, Some("HelmRelease apps/web"));
        check_up(deployment(), json!({"app": "web"}), None);
        check_up(deployment(), json!({"kustomize.toolkit.fluxcd.io/name": "apps"}), None);
        let own = ObjectRef::new(KUSTOMIZE, "Kustomization", "flux-system", "apps");
        check_up(own, kustomization.clone(), None);
        let mut way = Some(Way::to(deployment()));
        let mut steps = 0;
        while let Some(here) = way {
            steps += 1;
            let name = format!("apps-{steps}");
            let labels = json!({"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
            way = here.up(&json!({"metadata": {"labels": labels}}));
        }
        assert_eq!(steps, 7, "the way ends");
    }

    #[test]
    fn sources_are_those_of_git() {
        let sources = |reference: ObjectRef, object: Value| {
            let sources = Way::to(reference).sources(&object);
            sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let kustomization = || ObjectRef::new(KUSTOMIZE, "Kustomization", "flux-system", "apps");
        let git = json!({"spec": {"sourceRef": {"kind": "GitRepository", "name": "fleet"}}});
        assert_eq!(sources(kustomization(), git), "GitRepository flux-system/fleet");
        let oci = json!({"spec": {"sourceRef": {"kind": "OCIRepository", "name": "fleet"}}});
        assert_eq!(sources(kustomization(), oci), "");
        let chart = json!({"spec": {"chart": {"spec": {"sourceRef": {"kind": "GitRepository", "name": "fleet", "namespace": "flux-system"}}}}});
        assert_eq!(sources(release(), chart), "GitRepository flux-system/fleet");
        assert_eq!(sources(release(), json!({"spec": {"chartRef": {"kind": "OCIRepository"}}})), "");
    }

    #[test]
    fn only_what_follows_the_repository_is_asked() {
        let source = ObjectRef::new(SOURCE, "GitRepository", "flux-system", "fleet");
        let application = ObjectRef::new(ARGO, "Application", "argocd", "web");
        let ours = "https://git.example.com/acme/fleet";
        let yes = [
            (&source, json!({"spec": {"url": "ssh://git@git.example.com/acme/fleet.git"}})),
            (&application, json!({"spec": {"source": {"repoURL": ours}}})),
            (&application, json!({"spec": {"sources": [{"chart": "web"}, {"repoURL": ours}]}})),
        ];
        let no = [
            (&source, json!({"spec": {"url": ours, "suspend": true}})),
            (&source, json!({"spec": {"url": "https://git.example.com/acme/other"}})),
            (&application, json!({"spec": {"source": {"repoURL": "https://charts.example.com"}}})),
            (&application, json!({})),
        ];
        assert!(yes.iter().all(|(reference, object)| follows(reference, object, ours)));
        assert!(!no.iter().any(|(reference, object)| follows(reference, object, ours)));
    }
}
