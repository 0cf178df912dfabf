//! Forges.

mod contract;
mod doubles;
mod engine;
mod gitea;
mod github;
mod proxy;
mod scene;
mod story;
