//! Forges.

mod gitea;
mod github;
mod proxy;
mod scene;
