//! Forges.

mod clients;
mod contract;
mod dispatch;
mod doubles;
mod engine;
mod examined;
mod gitea;
mod github;
mod proxy;
mod races;
mod real;
mod scene;
mod story;
mod wishes;
