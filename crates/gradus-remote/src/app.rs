use std::sync::Arc;

use crate::Secret;

/// A GitHub App, as its Secret has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCredentials {
    /// Its number, or its client id.
    pub id: Arc<str>,
    /// Where it is installed. Without it, it is looked for.
    pub installation: Option<u64>,
    /// Its private key, in PEM.
    pub key: Secret,
    /// Where the API is, where the repository's address does not tell.
    pub api: Option<Arc<str>>,
}
