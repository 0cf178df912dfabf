//! A place for what can be found again, so that the next process need not look for it.

use async_trait::async_trait;

/// Keeps what can be found again. Whatever goes wrong with it costs time and nothing else: nobody is told of a failure.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// What was kept under this name, whoever kept it. It may be damaged, or of another version.
    async fn get(&self, name: &str) -> Option<Vec<u8>>;

    /// Keeps it in place of what was kept before. Others may do so at the same time; one of them wins.
    async fn put(&self, name: &str, bytes: Vec<u8>);
}
