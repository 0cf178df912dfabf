//! `kind: Notification`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Metadata, SecretRef};

/// What people want to hear of, and where they hear it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Notification`.
    pub kind: NotificationKind,
    /// What the notification is called; it is for pipelines of its namespace.
    pub metadata: Metadata,
    /// What is told, and where.
    pub spec: NotificationSpec,
}

/// The kind of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum NotificationKind {
    /// The one there is.
    Notification,
}

/// What is told, and where.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationSpec {
    /// The pipelines, by name; all of the namespace when absent.
    #[serde(default)]
    pub pipelines: Vec<String>,
    /// The environments, by name; all when absent.
    #[serde(default)]
    pub environments: Vec<String>,
    /// What is told; all but `deployed` when absent.
    pub on: Option<Vec<News>>,
    /// Where.
    pub to: Receiver,
    /// With `true`, nothing is told for now.
    #[serde(default)]
    pub suspend: bool,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// A proposal was opened.
    Proposed,
    /// A person is asked for a word.
    Waiting,
    /// A release was written into an environment.
    Promoted,
    /// It runs there and works.
    Deployed,
    /// It does not work.
    Failed,
    /// An environment went back to an older release.
    RolledBack,
    /// A hold ends within the next hour.
    HoldEnds,
}

/// Where it is told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Receiver {
    /// A channel of Slack.
    Slack(SlackReceiver),
    /// A channel or a chat of Microsoft Teams.
    Teams(TeamsReceiver),
    /// Any address that takes a POST.
    Webhook(WebhookReceiver),
    /// Whoever takes CDEvents, as CloudEvents over HTTP.
    #[serde(rename = "cdevents")]
    CdEvents(EventReceiver),
    /// Flux's notification-controller.
    FluxEvents(EventReceiver),
    /// Mailboxes.
    Email(EmailReceiver),
}

/// A channel of Slack.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlackReceiver {
    /// The channel that a bot writes to, such as `#releases` or its id. An incoming
    /// webhook has its own.
    pub channel: Option<String>,
    /// Where the API is, for a bot; `https://slack.com/api` when absent.
    pub url: Option<String>,
    /// The Secret with `address`, that of an incoming webhook, or with `token`, a bot's.
    /// Only a bot puts what belongs together into a thread.
    pub secret_ref: SecretRef,
}

/// A channel or a chat of Microsoft Teams.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamsReceiver {
    /// The Secret with `address`, that of a workflow which is started by a webhook.
    pub secret_ref: SecretRef,
}

/// Any address that takes a POST.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookReceiver {
    /// Where; the Secret's `address` when absent. Never with a password in it.
    pub url: Option<String>,
    /// Headers to send. What is secret belongs into the Secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What makes the body, in the language of Jinja; everything that is known, as JSON, when absent.
    pub template: Option<String>,
    /// The Secret with `address`, and with `token`, or `username` and `password`, if it asks for them.
    pub secret_ref: Option<SecretRef>,
}

/// An address that takes events.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventReceiver {
    /// Where.
    pub url: String,
    /// The Secret with `token`, or `username` and `password`, if it asks for them.
    pub secret_ref: Option<SecretRef>,
}

/// Mailboxes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailReceiver {
    /// To whom.
    #[schemars(length(min = 1))]
    pub to: Vec<String>,
    /// From whom.
    pub from: String,
    /// The server that takes mail.
    pub host: String,
    /// Its port; 587, 465 or 25 by what `tls` is when absent.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The Secret with `username` and `password`, and `caFile` for a server with a CA of its own.
    pub secret_ref: Option<SecretRef>,
    /// How the server is spoken to; `starttls` when absent.
    pub tls: Option<MailTls>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// Open at first, and by TLS before anything is said.
    StartTls,
    /// By TLS from the beginning.
    Implicit,
    /// Open, for a server on the same machine. No password is sent.
    None,
}
