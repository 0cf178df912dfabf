//! Credentials that end, and are made anew.

use async_trait::async_trait;

use super::error::ForgeError;
use crate::Secret;

/// Gives the token that is sent.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// One that is valid for the next minute at least.
    async fn token(&self) -> Result<Secret, ForgeError>;

    /// The host does not take this one: the next one is another.
    fn refused(&self, token: &Secret);
}
