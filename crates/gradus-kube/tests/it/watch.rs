//! What is seen of clusters, in a real one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod far;
mod near;
pub(crate) mod place;
mod trouble;
