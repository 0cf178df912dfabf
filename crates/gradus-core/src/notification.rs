//! Who is told of what: what people want to hear of, and where they hear it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::names::{EnvironmentName, Namespace, NotificationName, PipelineKey, PipelineName};
use crate::news::{News, NewsKind};

/// What somebody wants to hear of, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Which one. It is for pipelines of its own namespace.
    pub key: NotificationKey,
    /// The pipelines it is for; all of the namespace when empty.
    pub pipelines: BTreeSet<PipelineName>,
    /// The environments it is for; all when empty.
    pub environments: BTreeSet<EnvironmentName>,
    /// What is told. Never empty.
    pub on: BTreeSet<NewsKind>,
    /// Where.
    pub to: Receiver,
    /// Whether nothing is told for now.
    pub suspend: bool,
}

/// Which notification: its namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationKey {
    /// Where it lives.
    pub namespace: Namespace,
    /// What it is called there.
    pub name: NotificationName,
}

impl fmt::Display for NotificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Notification {
    /// Whether it is for a pipeline.
    pub fn is_for(&self, pipeline: &PipelineKey) -> bool {
        self.key.namespace == pipeline.namespace
            && (self.pipelines.is_empty() || self.pipelines.contains(&pipeline.name))
    }

    /// Whether somebody wants to hear this. What is of all environments is of each.
    pub fn wants(&self, news: &News) -> bool {
        let here = |name: &EnvironmentName| self.environments.contains(name);
        self.is_for(&news.pipeline)
            && self.on.contains(&news.kind)
            && (self.environments.is_empty() || news.environment.as_ref().is_none_or(here))
    }

    /// What is chosen of all there is to hear. Where another choice is made, what was so
    /// before is not told for it.
    pub fn choice(&self) -> String {
        let on: Vec<&str> = self.on.iter().map(|kind| kind.word()).collect();
        let environments: Vec<&str> = self.environments.iter().map(EnvironmentName::as_str).collect();
        format!("{} of {}", on.join(","), environments.join(","))
    }
}

/// Where something is told. Secrets are named as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// Slack: the address of an incoming webhook, or a bot's token, is in the Secret.
    Slack {
        /// The channel that a bot writes to.
        channel: Option<Arc<str>>,
        /// Where the API is, if not with Slack itself.
        url: Option<Arc<str>>,
        /// The Secret.
        secret: Arc<str>,
    },
    /// Microsoft Teams: the address of a workflow is in the Secret.
    Teams {
        /// The Secret.
        secret: Arc<str>,
    },
    /// Any address.
    Webhook {
        /// Where; in the Secret when absent.
        url: Option<Arc<str>>,
        /// What is sent beside the body.
        headers: BTreeMap<Arc<str>, Arc<str>>,
        /// What makes the body; all that is known, as JSON, when absent.
        template: Option<Arc<str>>,
        /// The Secret.
        secret: Option<Arc<str>>,
    },
    /// Whoever takes CDEvents.
    CdEvents {
        /// Where.
        url: Arc<str>,
        /// The Secret.
        secret: Option<Arc<str>>,
    },
    /// Flux's notification-controller.
    FluxEvents {
        /// Where.
        url: Arc<str>,
        /// The Secret.
        secret: Option<Arc<str>>,
    },
    /// A mailbox.
    Email(Box<Mail>),
}

impl Receiver {
    /// As people write it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack",
            Self::Teams { .. } => "teams",
            Self::Webhook { .. } => "webhook",
            Self::CdEvents { .. } => "cdevents",
            Self::FluxEvents { .. } => "fluxEvents",
            Self::Email(_) => "email",
        }
    }

    /// The Secret it needs.
    pub fn secret(&self) -> Option<&Arc<str>> {
        match self {
            Self::Slack { secret, .. } | Self::Teams { secret } => Some(secret),
            Self::Webhook { secret, .. }
            | Self::CdEvents { secret, .. }
            | Self::FluxEvents { secret, .. } => secret.as_ref(),
            Self::Email(mail) => mail.secret.as_ref(),
        }
    }
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: Vec<Arc<str>>,
    /// From whom.
    pub from: Arc<str>,
    /// The server that takes it.
    pub host: Arc<str>,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub tls: MailTls,
    /// The Secret.
    pub secret: Option<Arc<str>>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Open at first, and by TLS before anything is said.
    StartTls,
    /// By TLS from the beginning.
    Implicit,
    /// Open. No password is sent.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_for_its_own_namespace() {
        let name = |text| NotificationName::parse(text).unwrap();
        let mut one = Notification {
            key: NotificationKey { namespace: Namespace::parse("apps").unwrap(), name: name("team") },
            pipelines: BTreeSet::new(),
            environments: BTreeSet::new(),
            on: NewsKind::ALL.into_iter().collect(),
            to: Receiver::Teams { secret: "apps/teams".into() },
            suspend: false,
        };
        let key = |text| PipelineKey::parse(text).unwrap();
        assert!(one.is_for(&key("apps/web")));
        assert!(!one.is_for(&key("other/web")));
        one.pipelines.insert(PipelineName::parse("api").unwrap());
        assert!(!one.is_for(&key("apps/web")));
    }
}
