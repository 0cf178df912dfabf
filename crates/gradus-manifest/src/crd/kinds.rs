//! The kinds of our group, and what `kubectl get` shows of each.

use serde_json::{Value, json};

/// One kind.
pub(super) struct Kind {
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) short: &'static str,
    pub(super) file: &'static str,
    /// The type of the whole manifest, which says what the kind is.
    pub(super) manifest: &'static str,
    pub(super) spec: &'static str,
    pub(super) status: &'static str,
    pub(super) columns: &'static [Column],
}

/// A column of `kubectl get`.
pub(super) struct Column {
    name: &'static str,
    path: &'static str,
    of: &'static str,
    /// Whether it is shown only where there is room.
    wide: bool,
}

impl Column {
    pub(super) fn to_json(&self) -> Value {
        let mut column = json!({"name": self.name, "type": self.of, "jsonPath": self.path});
        if let (true, Some(column)) = (self.wide, column.as_object_mut()) {
            column.insert("priority".to_owned(), 1.into());
        }
        column
    }
}

const fn text(name: &'static str, path: &'static str) -> Column {
    Column { name, path, of: "string", wide: false }
}

const fn wide(name: &'static str, path: &'static str) -> Column {
    Column { name, path, of: "string", wide: true }
}

const AGE: Column = Column { name: "Age", path: ".metadata.creationTimestamp", of: "date", wide: false };

pub(super) const ALL: &[Kind] = &[
    Kind {
        kind: "Pipeline",
        plural: "pipelines",
        short: "gpipe",
        file: "gradus.dev_pipelines.yaml",
        manifest: "PipelineManifest",
        spec: "PipelineSpec",
        status: "PipelineStatus",
        columns: &[
            text("Ready", ".status.conditions[?(@.type==\"Ready\")].status"),
            text("Status", ".status.summary"),
            wide("Repository", ".spec.repository.url"),
            wide("Mode", ".spec.mode"),
            wide("Message", ".status.conditions[?(@.type==\"Ready\")].message"),
            AGE,
        ],
    },
    Kind {
        kind: "Hold",
        plural: "holds",
        short: "ghold",
        file: "gradus.dev_holds.yaml",
        manifest: "HoldManifest",
        spec: "HoldSpec",
        status: "HoldStatus",
        columns: &[
            text("Pipeline", ".spec.pipeline"),
            text("Environment", ".spec.environment"),
            text("Owner", ".spec.owner"),
            text("Until", ".spec.until"),
            text("Reason", ".spec.reason"),
            wide("State", ".status.state"),
            wide("Message", ".status.message"),
            AGE,
        ],
    },
    Kind {
        kind: "Promotion",
        plural: "promotions",
        short: "gpromo",
        file: "gradus.dev_promotions.yaml",
        manifest: "PromotionManifest",
        spec: "PromotionSpec",
        status: "PromotionStatus",
        columns: &[
            text("Pipeline", ".spec.pipeline"),
            text("Environment", ".spec.environment"),
            text("Version", ".spec.version"),
            text("Type", ".spec.type"),
            text("By", ".spec.by"),
            text("State", ".status.state"),
            wide("Reason", ".spec.reason"),
            wide("Message", ".status.message"),
            AGE,
        ],
    },
    Kind {
        kind: "Approval",
        plural: "approvals",
        short: "gappr",
        file: "gradus.dev_approvals.yaml",
        manifest: "ApprovalManifest",
        spec: "ApprovalSpec",
        status: "ApprovalStatus",
        columns: &[
            text("Pipeline", ".spec.pipeline"),
            text("Environment", ".spec.environment"),
            text("Version", ".spec.version"),
            text("By", ".spec.by"),
            text("State", ".status.state"),
            wide("Message", ".status.message"),
            AGE,
        ],
    },
    Kind {
        kind: "Check",
        plural: "checks",
        short: "gcheck",
        file: "gradus.dev_checks.yaml",
        manifest: "CheckManifest",
        spec: "CheckSpec",
        status: "CheckStatus",
        columns: &[
            text("Pipeline", ".spec.pipeline"),
            text("Environment", ".spec.environment"),
            text("Check", ".spec.check"),
            text("Version", ".spec.version"),
            text("Result", ".spec.result"),
            text("Reporter", ".spec.reporter"),
            wide("State", ".status.state"),
            wide("Message", ".status.message"),
            AGE,
        ],
    },
    Kind {
        kind: "Notification",
        plural: "notifications",
        short: "gnotify",
        file: "gradus.dev_notifications.yaml",
        manifest: "NotificationManifest",
        spec: "NotificationSpec",
        status: "NotificationStatus",
        columns: &[
            text("Ready", ".status.conditions[?(@.type==\"Ready\")].status"),
            text("Delivered", ".status.conditions[?(@.type==\"Delivered\")].status"),
            Column { name: "Last told", path: ".status.lastTold", of: "date", wide: false },
            wide("Pipelines", ".spec.pipelines"),
            wide("On", ".spec.on"),
            wide("Message", ".status.conditions[?(@.type==\"Delivered\")].message"),
            AGE,
        ],
    },
];
