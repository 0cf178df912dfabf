//! A pipeline of the older kind, in whichever of its forms it is written.

use crate::yaml::{Document, NodeId};

/// A pipeline, as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) app: Option<OldApp>,
    pub(super) environments: Vec<OldEnvironment>,
    pub(super) promotion: Option<OldPromotion>,
}

/// The object that carries the application.
#[derive(Debug)]
pub(super) struct OldApp {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// An environment.
#[derive(Debug)]
pub(super) struct OldEnvironment {
    pub(super) name: String,
    pub(super) targets: Vec<OldTarget>,
    pub(super) promotion: Option<OldPromotion>,
}

/// A target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OldTarget {
    pub(super) namespace: String,
    pub(super) cluster: Option<OldCluster>,
}

/// A cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OldCluster {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

/// How a version comes in.
#[derive(Debug, Default)]
pub(super) struct OldPromotion {
    pub(super) manual: bool,
    pub(super) pull_request: Option<OldPullRequest>,
    /// The URL of a webhook to be called, which was only ever planned.
    pub(super) webhook: Option<String>,
    /// The Secret with the key of what is sent to the webhook of the controller.
    pub(super) hmac: Option<String>,
}

/// A pull request.
#[derive(Debug, Default)]
pub(super) struct OldPullRequest {
    pub(super) host: Option<String>,
    pub(super) url: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) secret: Option<String>,
}

impl Old {
    /// Reads what is there, and passes over what is not.
    pub(super) fn of(document: &Document<'_>, root: NodeId) -> Self {
        let read = Read { document };
        let metadata = read.get(Some(root), "metadata");
        let spec = read.get(Some(root), "spec");
        let app = read.get(spec, "appRef").map(|app| OldApp {
            api_version: read.text(Some(app), "apiVersion").unwrap_or_default(),
            kind: read.text(Some(app), "kind").unwrap_or_default(),
            name: read.text(Some(app), "name").unwrap_or_default(),
        });
        Self {
            name: read.text(metadata, "name").unwrap_or_default(),
            namespace: read.text(metadata, "namespace"),
            labels: read.pairs(read.get(metadata, "labels")),
            annotations: read.pairs(read.get(metadata, "annotations")),
            app,
            environments: read.items(spec, "environments").map(|one| read.environment(one)).collect(),
            promotion: read.get(spec, "promotion").map(|promotion| read.promotion(promotion)),
        }
    }

    /// How a version comes into an environment: by its own word, else by the pipeline's.
    pub(super) fn promotion_of<'o>(&'o self, environment: &'o OldEnvironment) -> Option<&'o OldPromotion> {
        environment.promotion.as_ref().or(self.promotion.as_ref())
    }
}

struct Read<'d, 't> {
    document: &'d Document<'t>,
}

impl Read<'_, '_> {
    fn get(&self, node: Option<NodeId>, key: &str) -> Option<NodeId> {
        self.document.get(node?, key).filter(|value| !self.document.is_null(*value))
    }

    fn text(&self, node: Option<NodeId>, key: &str) -> Option<String> {
        self.get(node, key).and_then(|value| self.document.text(value)).map(str::to_owned)
    }

    fn items(&self, node: Option<NodeId>, key: &str) -> impl Iterator<Item = NodeId> {
        self.get(node, key).map(|list| self.document.items(list)).unwrap_or_default().iter().copied()
    }

    fn pairs(&self, node: Option<NodeId>) -> Vec<(String, String)> {
        let entries = node.map(|node| self.document.entries(node)).unwrap_or_default();
        let text = |node: NodeId| self.document.text(node).map(str::to_owned);
        entries.iter().filter_map(|(key, value)| Some((text(*key)?, text(*value)?))).collect()
    }

    fn environment(&self, node: NodeId) -> OldEnvironment {
        let node = Some(node);
        OldEnvironment {
            name: self.text(node, "name").unwrap_or_default(),
            targets: self.items(node, "targets").map(|target| self.target(target)).collect(),
            promotion: self.get(node, "promotion").map(|promotion| self.promotion(promotion)),
        }
    }

    fn target(&self, node: NodeId) -> OldTarget {
        let cluster = self.get(Some(node), "clusterRef").map(|cluster| OldCluster {
            kind: self.text(Some(cluster), "kind").unwrap_or_else(|| "GitopsCluster".to_owned()),
            name: self.text(Some(cluster), "name").unwrap_or_default(),
            namespace: self.text(Some(cluster), "namespace"),
        });
        OldTarget { namespace: self.text(Some(node), "namespace").unwrap_or_default(), cluster }
    }

    fn promotion(&self, node: NodeId) -> OldPromotion {
        let outer = Some(node);
        let strategy = self.get(outer, "strategy");
        let either = |key| self.get(strategy, key).or_else(|| self.get(outer, key));
        let request = either("pull-request").or_else(|| either("pullRequest"));
        OldPromotion {
            manual: self.text(outer, "manual").as_deref() == Some("true"),
            pull_request: request.map(|request| self.pull_request(request)),
            webhook: either("webhook").map(|webhook| self.text(Some(webhook), "url").unwrap_or_default()),
            hmac: self.secret(strategy).or_else(|| self.secret(outer)),
        }
    }

    fn pull_request(&self, node: NodeId) -> OldPullRequest {
        let node = Some(node);
        OldPullRequest {
            host: self.text(node, "type"),
            url: self.text(node, "url"),
            branch: self.text(node, "baseBranch").or_else(|| self.text(node, "branch")),
            secret: self.secret(node),
        }
    }

    /// The name of a Secret, which was once written without `name`.
    fn secret(&self, node: Option<NodeId>) -> Option<String> {
        let secret = self.get(node, "secretRef")?;
        self.text(Some(secret), "name").or_else(|| self.document.text(secret).map(str::to_owned))
    }
}
