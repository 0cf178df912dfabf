//! Forges.

mod gitea;
mod proxy;
mod scene;
