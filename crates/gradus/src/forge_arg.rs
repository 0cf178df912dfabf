//! Which forge a command is about.

use std::sync::Arc;

use gradus_core::pipeline::{Forge, ForgeKind, Repository};
use gradus_engine::port::clock::SystemClock;
use gradus_remote::forge::{self, ForgeApi, ForgeApis as _, Forges, kind_of_host};
use gradus_remote::repos::{Access, SecretFolder};

use crate::error::CliError;
use crate::wiring::{AccessArgs, options};

/// Which forge, and with what it is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct ForgeArg {
    /// The kind of forge; by its host, or asked for, when left out.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    forge: Option<ForgeKind>,
    /// Where the forge is, if the repository's address does not tell.
    #[arg(long, value_name = "URL")]
    forge_url: Option<String>,
    /// The Secret that holds its credentials, as NAMESPACE/NAME in --secrets.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    secret: Option<String>,
    #[command(flatten)]
    access: AccessArgs,
}

/// The kinds that can be told by what they answer.
const ANSWERING: [ForgeKind; 4] =
    [ForgeKind::Gitea, ForgeKind::GitLab, ForgeKind::GitHub, ForgeKind::BitbucketServer];

impl ForgeArg {
    /// With what hosts are reached.
    pub(crate) fn access(&self) -> Result<Arc<dyn Access>, CliError> {
        let otherwise = options(&self.access)?;
        Ok(Arc::new(SecretFolder { folder: self.access.secrets.clone(), otherwise }))
    }

    /// The repository at this address in its forge, and how that is known.
    pub(crate) async fn of(
        &self,
        address: &str,
        access: &Arc<dyn Access>,
    ) -> Result<(&'static str, Repository), CliError> {
        let url: Option<Arc<str>> = self.forge_url.as_deref().map(Arc::from);
        let repository = |kind| Repository {
            url: address.into(),
            branch: None,
            paths: Vec::new(),
            secret: self.secret.as_deref().map(Arc::from),
            forge: Some(Forge { kind, url: url.clone() }),
            commit: Default::default(),
        };
        if let Some(kind) = self.forge {
            return Ok(("--forge", repository(kind)));
        }
        let host = forge::address::host_of(self.forge_url.as_deref().unwrap_or(address));
        let Some(host) = host else {
            return Err(CliError::usage(format!("{address} is no address, and nothing is there"))
                .help("give an address such as https://git.example.com/acme/fleet, or a manifest"));
        };
        if let Some(kind) = kind_of_host(host) {
            return Ok(("its host", repository(kind)));
        }
        let forges = Forges::new(access.clone(), Arc::new(SystemClock));
        // An address that is none for a kind is none of that kind.
        let asked = ANSWERING.into_iter().filter_map(|kind| forges.open(&repository(kind)).ok());
        let asked: Vec<Arc<dyn ForgeApi>> = asked.collect();
        match forge::recognise(&asked).await {
            Some(kind) => Ok(("what it answers", repository(kind))),
            None => Err(CliError::failed(format!("which forge {host} is cannot be told from its name or its answers"))
                .help("say it with --forge, and with --forge-url if it is below a path; `gradus doctor git` says whether the host can be reached")),
        }
    }
}

fn kind(word: &str) -> Result<ForgeKind, String> {
    let known = ForgeKind::ALL.map(ForgeKind::word);
    ForgeKind::of_word(word).ok_or_else(|| format!("it is one of {}", known.join(", ")))
}
