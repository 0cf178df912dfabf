//! A running server as the source.

use gradus_core::names::PipelineKey;
use gradus_server::api::v1;

use super::HistoryAsk;
use crate::client::Client;
use crate::error::CliError;
use crate::plan::PipelinePlan;

/// How many pipelines are asked for at a time.
const PAGE: usize = 500;
/// How many pages are asked for: a server that never comes to an end is not believed.
const MOST_PAGES: usize = 1000;

/// A running server.
pub(crate) struct Server {
    pub(crate) client: Client,
}

impl Server {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn statuses(&self) -> Result<Vec<v1::PipelineStatus>, CliError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let from = after.as_ref().map_or_else(String::new, |after| format!("&after={}", escaped(after)));
            let path = format!("/api/v1/pipelines?limit={PAGE}{from}");
            let page: v1::PipelineList = self.client.get(&path).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
        Err(CliError::failed(format!("{} lists pipelines without end", self.client.base())))
    }

    pub(super) async fn keys(&self) -> Result<Vec<PipelineKey>, CliError> {
        let key = |status: &v1::PipelineStatus| {
            PipelineKey::parse(&format!("{}/{}", status.namespace, status.name))
                .map_err(|error| CliError::because("reading the server's answer", error))
        };
        self.statuses().await?.iter().map(key).collect()
    }

    pub(super) async fn pipeline(&self, key: &PipelineKey) -> Result<v1::Pipeline, CliError> {
        self.client.get(&place(key, "")).await
    }

    pub(super) async fn explain(
        &self,
        key: &PipelineKey,
        environment: &str,
    ) -> Result<v1::Explanation, CliError> {
        self.client.get(&place(key, &format!("/explain?environment={}", escaped(environment)))).await
    }

    pub(super) async fn plans(&self, keys: &[PipelineKey]) -> Result<Vec<PipelinePlan>, CliError> {
        let all;
        let keys = if keys.is_empty() {
            all = self.keys().await?;
            &all
        } else {
            keys
        };
        let mut plans = Vec::with_capacity(keys.len());
        for key in keys {
            plans.push(PipelinePlan::told(self.pipeline(key).await?));
        }
        Ok(plans)
    }

    pub(super) async fn history(&self, key: &PipelineKey, ask: &HistoryAsk) -> Result<v1::History, CliError> {
        let environment = ask
            .environment
            .as_ref()
            .map_or_else(String::new, |name| format!("&environment={}", escaped(name)));
        let all = if ask.all { "&all=true" } else { "" };
        self.client.get(&place(key, &format!("/history?limit={}{environment}{all}", ask.limit))).await
    }

    pub(super) async fn proposals(&self, key: &PipelineKey) -> Result<v1::ProposalList, CliError> {
        self.client.get(&place(key, "/proposals")).await
    }

    /// What a person says, to where it belongs.
    pub(crate) async fn say<T: serde::de::DeserializeOwned>(
        &self,
        key: &PipelineKey,
        what: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, CliError> {
        self.client.post(&place(key, &format!("/{what}")), body).await
    }
}

fn place(key: &PipelineKey, rest: &str) -> String {
    format!("/api/v1/pipelines/{}/{}{rest}", key.namespace, key.name)
}

/// A text as a value in a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
