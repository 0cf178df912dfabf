//! The webhooks of Flux and of forges, for others than this machine.

use std::path::PathBuf;

use gradus_server::hooks::{HookKeySource, HookKeys};
use gradus_server::weave::BindAddress;
use gradus_server::{HooksListener, ServerTls};

/// Where they listen, and what senders sign with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HookArgs {
    /// Address of `/hooks/...` for others than this machine; what comes there has to be signed. None when absent.
    #[arg(long, value_name = "ADDR", requires = "hook_keys_folder")]
    hooks_bind_address: Option<BindAddress>,
    /// Folder with what senders of `/hooks/...` sign with, as a mounted Secret; read again when it changes. `token` or `hmac-key` is for all, `cluster.NAMESPACE.NAME`, `pipeline.NAMESPACE.NAME` and `forge.KIND` for one; a key a line.
    #[arg(long, value_name = "DIR")]
    hook_keys_folder: Option<PathBuf>,
}

impl HookArgs {
    /// What senders sign with.
    pub(super) fn keys(&self) -> HookKeySource {
        match &self.hook_keys_folder {
            Some(folder) => HookKeySource::folder(folder),
            None => HookKeys::none().into(),
        }
    }

    /// Where the hooks alone listen.
    pub(super) fn listener(&self, tls: Option<ServerTls>) -> Option<HooksListener> {
        self.hooks_bind_address.map(|listen| HooksListener { listen, tls })
    }
}
