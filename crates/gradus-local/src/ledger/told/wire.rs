//! News as JSON.

use std::sync::Arc;

use gradus_core::names::{CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use gradus_core::news::{News, NewsKind};
use gradus_core::release::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::plain::{self, Plain};

impl Plain for PipelineKey {
    type Of = String;

    fn plain(&self) -> String {
        self.to_string()
    }

    fn checked(of: String) -> Result<Self, String> {
        Self::parse(&of).map_err(|error| error.to_string())
    }
}

impl Plain for NewsKind {
    type Of = String;

    fn plain(&self) -> String {
        self.word().to_owned()
    }

    fn checked(of: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == of);
        known.ok_or_else(|| format!("there is no news of the kind {of:?}"))
    }
}

/// What is to be told, as it is kept until it was.
#[derive(Serialize, Deserialize)]
#[serde(remote = "News", rename_all = "camelCase")]
pub(super) struct NewsWire {
    #[serde(with = "plain")]
    kind: NewsKind,
    #[serde(with = "plain")]
    key: Arc<str>,
    #[serde(with = "plain")]
    thread: Arc<str>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    scope: Option<Arc<str>>,
    #[serde(with = "plain")]
    pipeline: PipelineKey,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    environment: Option<EnvironmentName>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    release: Option<Release>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    from: Option<Release>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    proposal: Option<ProposalNumber>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    url: Option<Arc<str>>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    commit: Option<CommitId>,
    #[serde(with = "plain")]
    repository: Arc<str>,
    #[serde(with = "plain")]
    at: Timestamp,
    title: String,
    details: Vec<String>,
    can: Vec<String>,
}
